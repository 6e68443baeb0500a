"""The frame around every page: the sample project, the side bar, and errors that stay one red box."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project, migrations
from maskrcnn.studio.shell import sidebar

PAGES = (
    "pages/label/annotate.py",
    "pages/label/dataset.py",
    "pages/label/label_next.py",
    "pages/train/launch.py",
    "pages/train/runs.py",
    "pages/inspect/try_it.py",
    "pages/inspect/predictions.py",
    "pages/inspect/evaluation.py",
    "pages/inspect/compare.py",
    "pages/learn/roi_align.py",
)


def make_project(folder: Path, pictures: int = 2) -> Project:
    """A project of grey pictures, 64 x 48, with one triangle on the first."""
    project = Project.create(folder)
    encoded = [cv2.imencode(".png", np.full((48, 64, 3), 60 + 40 * i, np.uint8))[1].tobytes() for i in range(pictures)]
    project.add_pictures([(f"{number}.png", data) for number, data in enumerate(encoded, 1)], "train")
    if pictures:
        first = project.images()[0]
        project.save(first.id, [Region(Polygon(((5, 5), (40, 8), (20, 40))), "cell")], first.revision)
    return project


def open_app(root: Path, project: str = "") -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    if project:
        app.query_params["project"] = project
    return app


def address(app: AppTest, name: str) -> str:
    """A part of the page's query; AppTest holds what a script set as it is, and what a test set as a list."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def folders(workspace: Path) -> list[str]:
    """What lies in a workspace, but for what the studio notes for itself."""
    return sorted(path.name for path in workspace.iterdir() if not path.name.startswith("."))


def side_bar(app: AppTest) -> str:
    return " ".join(element.value for element in app.sidebar.markdown)


def test_the_first_start_opens_the_sample_project(root: Path, workspace: Path) -> None:
    app = open_app(root).run()
    assert not app.exception
    assert not app.error
    sample = Project.open(workspace / "shapes")
    assert {image.split for image in sample.images()} == {"train", "val"}
    assert f"of {len(sample.images())} pictures done" in side_bar(app)
    assert address(app, "project") == "shapes"


def test_a_workspace_with_projects_gets_no_sample(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    app = open_app(root).run()
    assert address(app, "project") == "cells"
    assert folders(workspace) == ["cells"]


def test_the_address_names_the_project(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells", 3)
    make_project(workspace / "leaves", 1)
    assert "0 of 1 picture done" in side_bar(open_app(root, "leaves").run())
    assert "0 of 3 pictures done" in side_bar(open_app(root, "cells").run())


def test_an_address_with_an_unknown_project_shows_no_other_one(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    app = open_app(root, "no such").run()
    assert not app.exception
    assert address(app, "project") == "no such"
    assert 'project "no such" is not there' in app.error[0].value
    assert not app.title
    app.radio[0].set_value(str(workspace / "cells")).run()
    assert not app.error
    assert address(app, "project") == "cells"


def test_a_project_that_is_moved_while_it_is_opened_is_not_there(
    root: Path, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project(workspace / "cells")
    opened = migrations.bring_up_to_date

    def too_late(database: Path) -> None:
        database.parent.rename(tmp_path / "away")
        opened(database)

    monkeypatch.setattr(migrations, "bring_up_to_date", too_late)
    app = open_app(root, "cells").run()
    assert not app.exception
    assert 'project "cells" is not there' in app.error[0].value
    assert not (workspace / "cells").exists()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_empty_project(root: Path, workspace: Path, page: str) -> None:
    make_project(workspace / "empty", 0)
    app = open_app(root, "empty").switch_page(page).run()
    assert not app.exception
    assert "0 of 0 pictures done" in side_bar(app)


def test_a_new_project_is_made_and_opened(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    app = open_app(root).run()
    app.text_input(key="new_project_name").input("leaves")
    button(app, "Create project").click().run()
    assert not app.exception
    assert (workspace / "leaves" / "project.db").is_file()
    assert address(app, "project") == "leaves"
    assert app.text_input(key="new_project_name").value == ""  # ready for the next one


@pytest.mark.parametrize(
    ("name", "said"),
    [("cells", "exists already"), ("", "no name"), ("a/b", "cannot be the name"), ("..", "cannot be the name")],
)
def test_a_name_that_cannot_be_used_is_said_and_changes_nothing(
    root: Path, workspace: Path, name: str, said: str
) -> None:
    make_project(workspace / "cells")
    app = open_app(root).run()
    app.text_input(key="new_project_name").input(name)
    button(app, "Create project").click().run()
    assert not app.exception
    assert said in app.error[0].value
    assert folders(workspace) == ["cells"]


def test_a_label_file_that_is_none_becomes_no_project(root: Path, workspace: Path, tmp_path: Path) -> None:
    make_project(workspace / "cells")
    wrong = tmp_path / "labels.json"
    wrong.write_text("{ not json")
    app = open_app(root).run()
    app.text_input(key="open_path").input(str(wrong))
    button(app, "Open").click().run()
    assert not app.exception
    assert "labels.json: not JSON" in app.error[0].value
    assert folders(workspace) == ["cells"]


def test_a_project_elsewhere_is_opened_in_place(root: Path, workspace: Path, tmp_path: Path) -> None:
    make_project(workspace / "cells")
    make_project(tmp_path / "far" / "leaves", 3)
    app = open_app(root).run()
    app.text_input(key="open_path").input(str(tmp_path / "far" / "leaves"))
    button(app, "Open").click().run()
    assert not app.exception
    assert "0 of 3 pictures done" in side_bar(app)
    assert "0 of 3 pictures done" in side_bar(open_app(root, "leaves").run())


def test_a_damaged_project_is_one_red_box(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    (workspace / "broken").mkdir()
    (workspace / "broken" / "project.db").write_bytes(b"this is no database" * 100)
    app = open_app(root, "broken").run()
    assert not app.exception
    assert len(app.error) == 1
    assert "broken" in app.error[0].value


def button(app: AppTest, label: str) -> object:
    return next(element for element in app.button if element.label == label)


def test_a_training_that_starts_moves_no_link(root: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(workspace / "cells")
    monkeypatch.setattr(sidebar, "running_trainings_box", lambda: sidebar.st.markdown("a training runs"))
    app = open_app(root, "cells").run()
    assert not app.exception
    pill = "a training runs"
    found = [pill if getattr(element, "value", "") == pill else element.type for element in app.sidebar]
    assert found.count("page_link") >= 6
    assert "page_link" not in found[found.index(pill) :]
