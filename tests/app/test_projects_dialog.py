"""The window with all projects: rename, duplicate, delete and undo, the bin, and what another tab is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.jobs.job_table import JobTable
from maskrcnn.runs.folder import CONFIG, QUEUED, RESULT
from maskrcnn.workspace import Workspace
from maskrcnn.workspace.workspace_history import FILE
from tests.app.test_frame import address, button, make_project, open_app, side_bar
from tests.workspace.made import shown


def window(app: AppTest) -> AppTest:
    """The app with the window of projects open."""
    return app.button(key="project_list_projects_button").click().run()


def row(app: AppTest, workspace: Path, name: str) -> int:
    """The number of a project in the window."""
    return Workspace(workspace).projects().index(workspace / name)


def said(app: AppTest) -> str:
    """Everything in boxes, and the texts, without the signs that keep Markdown away."""
    boxes = [*app.error, *app.success, *app.warning, *app.markdown]
    return "\n".join(element.value for element in boxes).replace("\\", "")


def rename(app: AppTest, workspace: Path, old: str, new: str) -> AppTest:
    app = app.button(key=f"project_rename_{row(app, workspace, old)}").click().run()
    app.text_input(key=f"project_new_name_{workspace / old}").input(new)
    return confirm(app, "Rename")


def confirm(app: AppTest, label: str) -> AppTest:
    """Press the button of that name in the form, not the one that opens it."""
    return next(each for each in app.button if each.label == label and "FormSubmitter" in each.key).click().run()


@pytest.fixture
def app(root: Path, workspace: Path) -> AppTest:
    make_project(workspace / "cells", 3)
    make_project(workspace / "leaves", 1)
    return window(open_app(root, "cells").run())


def test_the_window_says_how_much_there_is_of_each(app: AppTest) -> None:
    assert not app.exception
    assert "3 pictures, 0 done, 0 runs, opened today at" in said(app)
    assert "1 picture, 0 done, 0 runs, " in said(app)
    assert " kB]" in said(app)


def test_the_project_of_the_page_is_renamed_and_the_page_goes_on_with_it(app: AppTest, workspace: Path) -> None:
    app = rename(app, workspace, "cells", "blood cells")
    assert not app.exception
    assert shown(workspace) == ["blood cells", "leaves"]
    assert address(app, "project") == "blood cells"
    assert "0 of 3 pictures done" in side_bar(app)
    assert '"cells" is called "blood cells" now.' in said(app)


def test_the_picture_that_is_open_stays_open_when_its_project_gets_another_name(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells", 3)
    app = open_app(root, "cells")
    app.query_params["image"] = "2.png"
    app = rename(window(app.run()), workspace, "cells", "blood")
    assert (address(app, "project"), address(app, "image")) == ("blood", "2.png")
    link = open_app(root, "cells")
    link.query_params["image"] = "3.png"
    link = link.run().button(key="project_renamed").click().run()
    assert not link.error
    assert (address(link, "project"), address(link, "image")) == ("blood", "3.png")


BAD_NAMES = {
    "leaves": 'project "leaves" exists already',
    "Leaves": '"Leaves" exists already as "leaves"',
    "": "the project has no name",
    "a/b": "it holds /",
    ".bin": 'it begins with "."',
    "aux": "Windows keeps it for a device",
    "ä" * 101: "too long",
    "**bold**?": "it holds *",
}


def test_a_name_that_cannot_be_used_is_one_line_and_changes_nothing(app: AppTest, workspace: Path) -> None:
    app = app.button(key="project_rename_0").click().run()
    for name, words in BAD_NAMES.items():
        app.text_input(key=f"project_new_name_{workspace / 'cells'}").input(name)
        app = confirm(app, "Rename")
        assert not app.exception, name
        assert len(app.error) == 1, name
        assert words in said(app)
        assert shown(workspace) == ["cells", "leaves"]
    assert "0 of 3 pictures done" in side_bar(app)


def test_a_copy_is_offered_a_name_and_made(app: AppTest, workspace: Path) -> None:
    app = app.button(key="project_duplicate_0").click().run()
    assert app.text_input(key=f"project_copy_name_{workspace / 'cells'}").value == "cells copy"
    app = confirm(app, "Duplicate")
    assert not app.exception
    assert shown(workspace) == ["cells", "cells copy", "leaves"]
    assert address(app, "project") == "cells"
    assert Project.open(workspace / "cells copy").counts().pictures == 3


def test_the_project_of_the_page_is_deleted_and_undo_brings_it_back(app: AppTest, workspace: Path) -> None:
    app = app.button(key="project_delete_0").click().run()
    assert not app.exception
    assert shown(workspace) == ["leaves"]
    assert address(app, "project") == "leaves"
    assert "**cells** is in the bin." in side_bar(app)
    app = app.button(key="project_undo_bar").click().run()
    assert not app.exception
    assert shown(workspace) == ["cells", "leaves"]
    assert address(app, "project") == "cells"
    assert "0 of 3 pictures done" in side_bar(app)
    assert "is in the bin" not in side_bar(app)


def test_another_project_is_deleted_and_undone_and_the_page_stays(app: AppTest, workspace: Path) -> None:
    app = app.button(key="project_delete_1").click().run()
    assert (shown(workspace), address(app, "project")) == (["cells"], "cells")
    app = app.button(key="project_undo_window").click().run()
    assert (shown(workspace), address(app, "project")) == (["cells", "leaves"], "cells")


def test_undo_where_the_name_is_taken_meanwhile_takes_another(app: AppTest, workspace: Path) -> None:
    app = app.button(key="project_delete_1").click().run()
    make_project(workspace / "leaves", 0)
    app = app.button(key="project_undo_window").click().run()
    assert not app.exception
    assert shown(workspace) == ["cells", "leaves", "leaves-2"]
    assert "**leaves** is back as **leaves-2**" in side_bar(app)
    app = app.button(key="project_undo_forget_window").click().run()
    assert "is back" not in side_bar(app)


def test_the_last_project_is_deleted_and_found_in_the_bin(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells", 3)
    app = window(open_app(root).run())
    app = app.button(key="project_delete_0").click().run()
    assert not app.exception
    assert [element.value for element in app.title] == ["No project"]
    fresh = open_app(root).run()
    assert [element.value for element in fresh.title] == ["No project"]
    fresh = fresh.button(key="project_list_bin_button").click().run()
    fresh = fresh.button(key="bin_restore_0").click().run()
    assert not fresh.exception
    assert (shown(workspace), address(fresh, "project")) == (["cells"], "cells")


def test_deleting_for_good_asks_once_more(app: AppTest, workspace: Path) -> None:
    app = app.button(key="project_delete_1").click().run()
    app.session_state["project_list_view"] = "bin"
    app = app.run().button(key="bin_destroy_0").click().run()
    assert "It cannot be taken back" in said(app)
    assert len(Workspace(workspace).bin()) == 1
    app = app.button(key="bin_destroy_cancel").click().run()
    assert len(Workspace(workspace).bin()) == 1
    app = app.button(key="bin_destroy_0").click().run()
    app = app.button(key="bin_destroy_anyway").click().run()
    assert not app.exception
    assert Workspace(workspace).bin() == []
    assert "The bin is empty" in said(app)
    assert "**leaves** is in the bin" not in side_bar(app)


def test_a_project_with_a_run_in_the_queue_is_deleted_after_a_question(app: AppTest, workspace: Path) -> None:
    run = workspace / "cells" / "runs" / "night"
    run.mkdir(parents=True)
    note = {"device": "any", "priority": 0, "created": 1.0, "resume": True, "expected_seconds": None}
    (run / QUEUED).write_text(json.dumps(note))
    (run / CONFIG).write_text(json.dumps({"epochs": 1}))
    (run / RESULT).write_text(json.dumps({"state": "cancelled"}))
    table = JobTable(workspace)
    with table.writing() as db:
        table.insert(db, run, "queued", options="[]", wanted="cuda:7", resume=True)
    app = rename(app, workspace, "cells", "other")
    assert '"night" waits in the queue for it' in said(app)
    app = app.button(key="project_delete_0").click().run()
    assert '"night" waits in the queue for it' in said(app)
    assert shown(workspace) == ["cells", "leaves"]
    app = app.button(key="project_delete_anyway").click().run()
    assert not app.exception
    assert shown(workspace) == ["leaves"]
    with table.reading() as db:
        assert table.waiting(db) == []


def test_one_that_lies_elsewhere_is_taken_off_the_list_and_back(root: Path, workspace: Path, tmp_path: Path) -> None:
    make_project(workspace / "cells", 3)
    far = make_project(tmp_path / "far", 1).folder
    app = open_app(root, "cells").run()
    app.text_input(key="open_path").input(str(far))
    app = window(button(app, "Open").click().run())
    assert app.button(key="project_rename_1").disabled
    assert app.button(key="project_delete_1").label == "Remove"
    app = app.button(key="project_delete_1").click().run()
    assert not app.exception
    assert (address(app, "project"), Workspace(workspace).projects()) == ("cells", [workspace / "cells"])
    assert (far / "project.db").is_file()
    app = app.button(key="project_undo_bar").click().run()
    assert address(app, "project") == "far"


GONE: dict[str, tuple[Callable[[Workspace, Path], object], str]] = {
    "renamed": (lambda space, path: space.rename(path, "blood"), 'project "cells" was renamed to "blood"'),
    "deleted": (lambda space, path: space.delete(path), 'project "cells" was deleted today at'),
    "taken away": (lambda space, path: path.rename(space.root / ".away"), 'project "cells" is not there'),
}


@pytest.mark.parametrize("what", GONE)
@pytest.mark.parametrize("tab", ["the tab that has it open", "a link"])
def test_what_became_of_a_project_is_said_with_the_way_to_it(root: Path, workspace: Path, what: str, tab: str) -> None:
    make_project(workspace / "cells", 3)
    make_project(workspace / "leaves", 1)
    change, words = GONE[what]
    app = open_app(root, "cells").run() if tab != "a link" else open_app(root, "cells")
    change(Workspace(workspace), workspace / "cells")
    app = app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert words in said(app)
    assert not app.title
    offered = [each.key for each in app.main.button]
    assert {"renamed": "project_renamed", "deleted": "project_back", "taken away": "other_project_0"}[what] in offered
    app = app.button(key={"renamed": "project_renamed", "deleted": "project_back"}.get(what, "other_project_0"))
    app = app.click().run()
    assert not app.exception
    assert not app.error
    assert ("0 of 1 picture" if what == "taken away" else "0 of 3 pictures") in side_bar(app)


HOSTILE_NAMES = (
    "../../etc",
    "/etc/passwd",
    "..",
    "**bold** [a](http://links.example)",
    "<img src=x onerror=alert(1)>",
    "x" * 5000,
    ".bin",
    "cells/../cells",
    "a\x00b",
    ":material/delete: :red[x] $x^2$",
)


def test_a_link_to_no_project_is_one_line_with_the_list(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells", 3)
    for name in HOSTILE_NAMES:
        app = open_app(root, name).run()
        assert not app.exception, name
        assert len(app.error) == 1, name
        assert "is not there" in app.error[0].value
        assert [each.key for each in app.main.button] == ["other_project_0"]
        assert shown(workspace) == ["cells"]
    app = app.button(key="other_project_0").click().run()
    assert "0 of 3 pictures done" in side_bar(app)


@pytest.mark.parametrize("what", ["deleted", "taken away"])
def test_where_no_other_project_is_there_the_ways_to_one_are(root: Path, workspace: Path, what: str) -> None:
    make_project(workspace / "cells", 3)
    app = open_app(root, "cells").run()
    GONE[what][0](Workspace(workspace), workspace / "cells")
    for visit in (app, open_app(root, "cells")):
        visit.run()
        assert not visit.exception
        assert GONE[what][1] in said(visit)
        assert {"Create project", "Open", "Get the sample project back"} <= {each.label for each in visit.main.button}
    assert (what == "deleted") == ("project_back" in [each.key for each in app.main.button])
    app.text_input(key="new_project_name").input("leaves")
    app = button(app, "Create project").click().run()
    assert not app.exception
    assert address(app, "project") == "leaves"


def test_who_asks_for_none_gets_the_one_that_was_opened_last(root: Path, workspace: Path) -> None:
    for number, name in enumerate(("cells", "leaves", "stones"), 1):
        make_project(workspace / name, number)
    assert address(open_app(root).run(), "project") == "cells"
    open_app(root, "leaves").run()
    open_app(root, "stones").run()
    assert address(open_app(root).run(), "project") == "stones"
    shutil.rmtree(workspace / "stones")
    assert address(open_app(root).run(), "project") == "leaves"
    for name in ("leaves", "cells"):
        (workspace / name).rename(workspace / f"{name} 2")
    app = open_app(root).run()
    assert 'project "leaves" is not there' in said(app)
    assert len(app.main.button) == 2


def test_a_project_that_cannot_be_opened_is_not_the_one_that_was_opened_last(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells", 3)
    (workspace / "broken").mkdir()
    (workspace / "broken" / "project.db").write_bytes(b"no database" * 500)
    open_app(root, "cells").run()
    assert open_app(root, "broken").run().error
    assert address(open_app(root).run(), "project") == "cells"


def test_where_nothing_can_be_remembered_every_page_goes_on(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells", 3)
    (workspace / FILE).mkdir()
    app = open_app(root).run()
    assert not app.exception
    assert not app.error
    assert "0 of 3 pictures done" in side_bar(app)


def test_many_projects_are_found_by_a_part_of_their_names(root: Path, workspace: Path) -> None:
    first = make_project(workspace / "p00", 0).folder
    for number in range(1, 15):
        shutil.copytree(first, workspace / f"p{number:02}")
    app = window(open_app(root, "p00").run())
    assert "12 of 15: type a part of the name" in said(app)
    assert sum(each.key.startswith("project_open_") for each in app.button) == 12
    app = app.text_input(key="project_find_Find a project").input("P1").run()
    assert sum(each.key.startswith("project_open_") for each in app.button) == 5
