"""Projects that are moved away, links, odd names and odd paths: what the frame around every page makes of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn import external_projects
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.shell import session
from maskrcnn.workspace import HAD_PROJECTS, ProjectGone, Workspace, folder_name
from tests.app.test_frame import PAGES, address, button, folders, make_project, open_app, side_bar
from tests.sweeps import one_in, sweep

ODD_NAMES = (
    "**bold** [a](links.example)",
    "a?b&c=d#e%20f+g",
    "two\nlines",
    "tab\tand \x1b[31mcolour",
    "$x^2$ :red[x] :smile: www.links.example",
    "<img src=x onerror=alert(1)>",
    "'];alert(1)&&'",
    "datum.x a.b[0]",
    "x" * 255,
    "猫 \u202egpj.exe",
)


def boxes(app: AppTest) -> list[str]:
    return [element.value for element in app.error]


def switch_to(app: AppTest, path: Path) -> AppTest:
    return app.radio[0].set_value(str(path)).run()


# Gone


@pytest.mark.parametrize("page", one_in(3, PAGES))
def test_a_project_that_is_moved_away_is_told_on_every_page(root: Path, workspace: Path, page: str) -> None:
    make_project(workspace / "cells", 3)
    make_project(workspace / "leaves")
    app = open_app(root, "cells").switch_page(page).run()
    assert not app.error
    (workspace / "cells").rename(workspace.parent / f"{workspace.name}-moved")
    for _ in range(2):
        app.run()
        assert not app.exception
        assert len(app.error) == 1
        assert f'project "cells" is not there: none lies at {workspace}/cells; put it back' in boxes(app)[0].replace(
            "\\", ""
        )
        assert address(app, "project") == "cells"
        assert not app.title
        assert folders(workspace) == ["leaves"]
    (workspace.parent / f"{workspace.name}-moved").rename(workspace / "cells")
    app.run()
    assert not app.error
    assert "0 of 3 pictures done" in side_bar(app)


def test_another_project_is_chosen_in_place_of_one_that_is_gone(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    make_project(workspace / "leaves", 1)
    app = open_app(root, "cells").run()
    shutil.rmtree(workspace / "cells")
    app = switch_to(app.run(), workspace / "leaves")
    assert not app.error
    assert "0 of 1 picture done" in side_bar(app)
    assert address(app, "project") == "leaves"


def test_the_sample_does_not_take_the_place_of_one_that_is_gone(root: Path, workspace: Path) -> None:
    make_project(workspace / "shapes", 3)
    app = open_app(root, "shapes").run()
    (workspace / "shapes").rename(workspace.parent / f"{workspace.name}-away")
    for visit in (app, open_app(root, "shapes")):  # the tab that is open, and a reload of it
        visit.run()
        assert 'project "shapes" is not there' in boxes(visit)[0]
        assert folders(workspace) == []


def test_where_another_of_that_name_lies_elsewhere_it_is_not_shown_instead(
    root: Path, workspace: Path, tmp_path: Path
) -> None:
    make_project(workspace / "cells", 1)
    far = make_project(tmp_path / "far" / "cells", 3).folder
    external_projects.add_external_project(workspace, far)
    app = open_app(root, "cells").run()
    app = switch_to(app, far)
    assert "0 of 3 pictures done" in side_bar(app)
    far.rename(tmp_path / "moved")
    app.run()
    assert str(far) in boxes(app)[0]
    assert address(app, "project") == "cells"


def test_a_link_to_one_that_was_opened_elsewhere_says_where_it_was(root: Path, workspace: Path, tmp_path: Path) -> None:
    make_project(workspace / "cells")
    external_projects.add_external_project(workspace, tmp_path / "far" / "leaves")
    assert f"none lies at {tmp_path}/far/leaves" in boxes(open_app(root, "leaves").run())[0].replace("\\", "")


def test_a_change_on_a_canvas_of_a_project_that_is_gone_makes_nothing(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    app = open_app(root, "cells")
    app.query_params["canvas"] = "simple"
    app.run()
    (workspace / "cells").rename(workspace.parent / f"{workspace.name}-gone")
    button(app, "Next").click().run()  # its callback runs before the page does
    app.checkbox[0].check().run() if app.checkbox else None
    assert not app.exception
    assert 'project "cells" is not there' in boxes(app)[-1]
    assert folders(workspace) == []


# Empty


def test_a_workspace_that_had_projects_offers_three_ways_on(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    open_app(root).run()
    shutil.rmtree(workspace / "cells")
    app = open_app(root).run()
    assert not app.exception
    assert [element.value for element in app.title] == ["No project"]
    assert folders(workspace) == []
    assert {"Create project", "Open", "Get the sample project back"} <= {each.label for each in app.button}


def test_from_there_the_sample_comes_back(root: Path, workspace: Path) -> None:
    (workspace / HAD_PROJECTS).touch()
    app = open_app(root).run()
    app.button(key="sample_project").click().run()
    assert not app.exception
    assert folders(workspace) == ["shapes"]
    assert address(app, "project") == "shapes"
    assert len(Project.open(workspace / "shapes").images()) > 10


def test_from_there_a_project_is_made(root: Path, workspace: Path) -> None:
    (workspace / HAD_PROJECTS).touch()
    app = open_app(root).run()
    app.text_input(key="new_project_name").input("leaves")
    button(app, "Create project").click().run()
    assert not app.exception
    assert "0 of 0 pictures done" in side_bar(app)


def test_what_lies_where_the_sample_would_is_left_alone(root: Path, workspace: Path) -> None:
    (workspace / "shapes").mkdir()
    (workspace / "shapes" / "mine.txt").write_text("keep")
    app = open_app(root).run()
    assert not app.exception
    assert (workspace / "shapes" / "mine.txt").read_text() == "keep"
    assert address(app, "project") == "shapes-2"


# One bad project, all others


@pytest.mark.parametrize("page", one_in(3, PAGES))
def test_a_damaged_project_is_one_line_and_the_others_are_a_click_away(root: Path, workspace: Path, page: str) -> None:
    make_project(workspace / "cells", 3)
    (workspace / "broken").mkdir()
    (workspace / "broken" / "project.db").write_bytes(os.urandom(5000))
    app = open_app(root, "cells").switch_page(page).run()
    assert not app.error
    app = switch_to(app, workspace / "broken")
    assert not app.exception
    assert len(app.error) == 1
    assert "broken" in boxes(app)[0]
    app = switch_to(app, workspace / "cells")
    assert not app.error
    assert "0 of 3 pictures done" in side_bar(app)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[sweep] if number % 2 else []) for number, name in enumerate(ODD_NAMES)]
)
def test_a_project_of_an_odd_name_is_listed_opened_and_addressed(root: Path, workspace: Path, name: str) -> None:
    make_project(workspace / "cells")
    make_project(workspace / name, 3)
    app = open_app(root, "cells").run()
    app = switch_to(app, workspace / name)
    assert not app.exception
    assert not app.error
    assert address(app, "project") == name
    assert "0 of 3 pictures done" in side_bar(open_app(root, name).run())


def test_a_name_that_is_no_utf_8_is_one_line(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    make_project(workspace / "name")
    os.rename(workspace / "name", os.fsencode(workspace) + b"/a\xff\xfe")
    app = open_app(root).run()
    assert not app.exception
    assert address(app, "project") == "cells"
    odd = next(path for path in session.this_workspace().projects() if path.name != "cells")
    app = switch_to(app, odd)
    assert not app.exception
    assert "not UTF-8" in boxes(app)[0]


def test_a_workspace_that_holds_only_such_a_name_is_one_line(root: Path, workspace: Path) -> None:
    make_project(workspace / "name")
    os.rename(workspace / "name", os.fsencode(workspace) + b"/a\xff\xfe")
    app = open_app(root).run()
    assert not app.exception
    assert "not UTF-8" in boxes(app)[0]


def test_two_of_one_name_are_told_apart(root: Path, workspace: Path, tmp_path: Path) -> None:
    make_project(workspace / "cells", 1)
    external_projects.add_external_project(workspace, make_project(tmp_path / "far" / "cells", 3).folder)
    app = open_app(root).run()
    first, second = (option.replace("\\", "") for option in app.radio[0].options)
    assert first == f"cells in {workspace}"
    assert second == f"cells in {tmp_path}/far"


# Links


def test_a_link_out_of_the_workspace_is_not_followed(root: Path, workspace: Path, tmp_path: Path) -> None:
    far = make_project(tmp_path / "far", 3).folder
    make_project(workspace / "cells", 1)
    (workspace / "x").symlink_to(far)
    (workspace / "y").symlink_to("/")
    (workspace / "z").symlink_to(workspace / "z")
    assert session.this_workspace().projects() == [workspace / "cells"]
    app = open_app(root, "x").run()
    assert 'project "x" is not there' in boxes(app)[0]


def test_what_was_opened_by_its_own_path_is_listed_by_it(root: Path, workspace: Path, tmp_path: Path) -> None:
    far = make_project(tmp_path / "far", 3).folder
    make_project(workspace / "cells", 1)
    (workspace / "x").symlink_to(far)
    app = open_app(root, "cells").run()
    app.text_input(key="open_path").input(str(workspace / "x"))
    button(app, "Open").click().run()
    assert not app.exception
    assert session.this_workspace().projects() == [workspace / "cells", far]
    assert "0 of 3 pictures done" in side_bar(app)


# The list of projects elsewhere


@pytest.mark.parametrize("page", one_in(3, PAGES))
def test_bad_lines_of_the_list_of_projects_stop_no_page(root: Path, workspace: Path, tmp_path: Path, page: str) -> None:
    make_project(workspace / "cells")
    far = make_project(tmp_path / "far", 1).folder
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines = [b"\xff\xfe", b"a\x00b", b"relative", os.fsencode(pipe), b"/dev/zero", b"/nowhere", b"/" + b"x" * 9000]
    (workspace / external_projects.FILE).write_bytes(b"\n".join([*lines, os.fsencode(far)]))
    app = open_app(root, "cells").switch_page(page).run()
    assert not app.exception
    assert not app.error
    assert app.radio[0].options == ["cells", "far"]


def test_a_folder_in_place_of_that_list_stops_no_page(root: Path, workspace: Path, tmp_path: Path) -> None:
    make_project(workspace / "cells")
    (workspace / external_projects.FILE).mkdir()
    app = open_app(root).run()
    assert not app.exception
    assert not app.error
    far = make_project(tmp_path / "far").folder
    app.text_input(key="open_path").input(str(far))
    button(app, "Open").click().run()
    assert not app.exception
    assert "opened_projects" in boxes(app)[0]


# Open from this computer


def odd_paths(tmp_path: Path) -> dict[str, Any]:
    os.mkfifo(tmp_path / "pipe")
    return {
        "nothing": "",
        "blanks": "   ",
        "the root": "/",
        "/proc": "/proc",
        "a NUL": "/tmp/a\0b",
        "ten thousand letters": "/" + "x" * 10_000,
        "a long name": "/" + "x" * 300,
        "nobody's home": "~nobody-of-that-name/x",
        "a pipe": str(tmp_path / "pipe"),
        "a device": "/dev/zero",
        "a terminal": "/dev/tty",
        "a circle": str(circle(tmp_path)),
        "markdown": "![a](http://pictures.example/a.png)",
        "half a character": "/tmp/\udcff",
    }


def circle(tmp_path: Path) -> Path:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    return tmp_path / "circle"


def test_an_odd_path_gets_one_line_and_makes_nothing(root: Path, workspace: Path, tmp_path: Path) -> None:
    make_project(workspace / "cells")
    app = open_app(root).run()
    for what, text in odd_paths(tmp_path).items():
        with pytest.raises(StudioError) as told:
            session.this_workspace().open_folder(text)
        assert len(str(told.value)) < 600, what
        if "\udcff" not in text and "\0" not in text:  # a browser sends neither
            app.text_input(key="open_path").input(text)
            button(app, "Open").click().run()
            assert not app.exception, what
            assert len(app.error) == 1, what
    assert folders(workspace) == ["cells"]


def test_a_name_of_ten_thousand_letters_is_one_line(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    app = open_app(root).run()
    app.text_input(key="new_project_name").input("x" * 10_000)
    button(app, "Create project").click().run()
    assert not app.exception
    assert "too long" in boxes(app)[0]


def test_where_the_project_is_gone_the_others_are_offered_as_buttons(root: Path, workspace: Path) -> None:
    for name in ("cells", "**leaves**"):
        make_project(workspace / name)
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "gone"
    app = app.run()
    offered = [button for button in app.main.button if button.key.startswith("other_project_")]
    assert [button.label.replace("\\", "") for button in offered] == ["**leaves**", "cells"]
    app = offered[1].click().run()
    assert not app.exception
    assert not app.error
    assert app.query_params["project"] in ("cells", ["cells"])


def test_a_project_that_is_taken_away_while_its_page_is_drawn_is_one_line(
    root: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project(workspace / "cells")
    real = Project.images

    def taken_away(self: Project, *given: Any, **named: Any) -> Any:
        shutil.rmtree(workspace / "cells", ignore_errors=True)
        return real(self, *given, **named)

    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    monkeypatch.setattr(Project, "images", taken_away)
    app = app.run()
    assert not app.exception
    assert ["the project is gone" in element.value for element in app.error] == [True]
    assert not (workspace / "cells").exists()


# Whole projects


def test_the_window_of_projects_draws_every_name_and_proposes_others(root: Path, workspace: Path) -> None:
    for name in ODD_NAMES:
        make_project(workspace / name, 0)
    os.rename(make_project(workspace / "name", 0).folder, os.fsencode(workspace) + b"/a\xff\xfe")
    (workspace / "broken").mkdir()
    (workspace / "broken" / "project.db").write_bytes(b"no database" * 500)
    app = open_app(root, ODD_NAMES[0]).run()
    app = app.button(key="project_list_projects_button").click().run()
    assert sum(each.key.startswith("project_open_") for each in app.button) == len(ODD_NAMES) + 2
    for number in range(len(ODD_NAMES) + 2):
        for what in ("rename", "duplicate")[: 1 + (number == 0)]:
            app = app.button(key=f"project_{what}_{number}").click().run()
            assert not app.exception
            assert not app.error
            proposed = next(each.value for each in app.text_input if each.label in ("New name", "Name of the copy"))
            assert folder_name(proposed, "project") == proposed


@pytest.mark.parametrize("name", [*ODD_NAMES, "CON", "ends.", "\u200b", "a..b", "-rf"])
def test_a_project_of_an_odd_name_is_deleted_brought_back_copied_and_renamed(workspace: Path, name: str) -> None:
    space, project = Workspace(workspace), make_project(workspace / name, 1).folder
    assert space.restore(space.delete(project).id) == project
    assert space.duplicate(project, "copy").folder == workspace / "copy"
    assert space.find(name) == project
    there = space.rename(project, "tame")
    with pytest.raises(ProjectGone, match='was renamed to "tame"') as told:
        space.find(name)
    assert told.value.renamed == there
