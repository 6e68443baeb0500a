"""Names that projects can have, on any system, and names that are taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations.store import Project
from maskrcnn.errors import ArgumentError
from maskrcnn.name_order import folded
from maskrcnn.workspace import Workspace, folder_name
from tests.workspace.made import make, shown


@pytest.mark.parametrize(
    "name",
    ["", "   ", "\t\n", "\u200b", "\u3000\u00a0", "\u2060\ufe0f"],
    ids=["nothing", "blanks", "tab and newline", "no width", "wide blank", "joiner"],
)
def test_a_name_of_which_nothing_can_be_seen_is_none(name: str) -> None:
    with pytest.raises(ArgumentError, match="the project has no name; type one"):
        folder_name(name, "project")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *(
            (name, "it holds")
            for name in ("a/b", "a\\b", "up/../b", "C:cells", "what?", "a*b", '"cells"', "<b>", "a|b")
        ),
        *((name, "it begins with") for name in (".hidden", "..", "-rf", ".bin")),
        *((name, "it ends with") for name in ("cells.", "a..")),
        *((name, "cannot be seen") for name in ("a\0b", "a\nb", "a\x1b[31m", "cells\u202egpj", "a\udcff", "a\u2028b")),
        *((name, "cannot be seen") for name in ("cells\u200b", "\ufeffcells", "ce\u00adlls", "a\u2060b")),
        *(
            (name, "Windows keeps it")
            for name in ("con", "NUL", "aux.txt", "Com1", "lpt9.tar.gz", "COM¹", "prn .x", "CONIN$")
        ),
    ],
)
def test_a_name_that_some_system_cannot_hold_is_refused_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(ArgumentError, match=f"cannot be the name of a folder: .*{why}"):
        folder_name(name, "project")


@pytest.mark.parametrize(
    "name", ["a" * 201, "ä" * 101, "猫" * 67, "🎈" * 51, "x" * 10_000], ids=["a", "umlauts", "cats", "balloons", "many"]
)
def test_a_name_that_no_file_system_would_take_is_too_long(name: str) -> None:
    with pytest.raises(ArgumentError, match="too long"):
        folder_name(name, "project")


@pytest.mark.parametrize(
    "name",
    [
        "🎈",
        "Zellen (2)",
        "it's",
        "50 % & more",
        "клетки",
        "細胞",
        "a.b.c",
        "con2",
        "console",
        "x" * 200,
        "🎈" * 50,
        "e\u0301",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ],
)
def test_all_other_names_become_folders(space: Workspace, name: str) -> None:
    made = space.create(f"  {name} ")
    assert space.projects() == [made]
    assert made.name == folded(name) or made.name.casefold() == folded(name)


def test_accents_are_composed_as_most_systems_write_them(space: Workspace) -> None:
    assert space.create("e\u0301te\u0301").name == "\u00e9t\u00e9"


TAKEN = [
    ("Balloon", "balloon"),
    ("balloon", "BALLOON"),
    ("Stra\u00dfe", "STRASSE"),
    ("\u00e9t\u00e9", "E\u0301TE\u0301"),
    ("\u0130x", "i\u0307X"),
    ("cells", "cells"),
]


@pytest.mark.parametrize(("there", "asked"), TAKEN)
def test_a_name_that_is_taken_is_refused_whatever_its_case_and_nothing_changes(
    space: Workspace, there: str, asked: str
) -> None:
    make(space.root / there, 0)
    other, deleted = make(space.root / "other", 0), space.delete(make(space.root / "gone", 0))
    before = shown(space.root)
    for do in (
        lambda: space.create(asked),
        lambda: space.rename(other, asked),
        lambda: space.duplicate(other, asked),
        lambda: space.restore(deleted.id, asked),
    ):
        with pytest.raises(ArgumentError, match="exists already"):
            do()
        assert shown(space.root) == before
        assert [entry.name for entry in space.bin()] == ["gone"]


@pytest.mark.parametrize("taken_by", ["a file", "an empty folder", "a folder", "a broken link", "a link"])
def test_a_name_that_something_else_has_is_refused(space: Workspace, tmp_path: Path, taken_by: str) -> None:
    project, place = make(space.root / "cells"), space.root / "notes"
    {
        "a file": lambda: place.write_text("mine"),
        "an empty folder": place.mkdir,
        "a folder": lambda: (place / "mine").mkdir(parents=True),
        "a broken link": lambda: place.symlink_to(tmp_path / "nowhere"),
        "a link": lambda: place.symlink_to(tmp_path),
    }[taken_by]()
    for do in (space.rename, space.duplicate):
        with pytest.raises(ArgumentError, match='"notes" exists already, as something'):
            do(project, "notes")
    assert shown(space.root) == ["cells", "notes"]
    assert not list(tmp_path.iterdir())


def test_only_the_case_of_a_name_can_be_changed(space: Workspace) -> None:
    project = make(space.root / "balloon")
    assert space.rename(project, "Balloon") == space.root / "Balloon"
    assert shown(space.root) == ["Balloon"]
    assert space.rename(space.root / "Balloon", " Balloon ") == space.root / "Balloon"


@pytest.mark.parametrize(
    "name", ["jobs.db", "JOBS.DB", "jobs.db-wal", "jobs-waiting.json", "Jobs.log", "opened_projects.txt"]
)
def test_a_name_that_the_studio_needs_for_itself_is_refused(space: Workspace, name: str) -> None:
    project, deleted = make(space.root / "cells", 0), space.delete(make(space.root / "gone", 0))
    for do in (
        lambda: space.create(name),
        lambda: space.rename(project, name),
        lambda: space.duplicate(project, name),
        lambda: space.restore(deleted.id, name),
    ):
        with pytest.raises(ArgumentError, match="the studio has a file of that name"):
            do()
    assert shown(space.root) == ["cells"]
    assert space.create(f"my {name}").is_dir()


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("jobs.db", "project jobs.db"),
        ("con", "con-project"),
        ("what? now*", "what- now"),
        ("(...)", "project"),
        ("x" * 200, "x" * 80),
        ("猫" * 60, "猫" * 60),
    ],
)
def test_what_is_opened_as_a_new_project_gets_a_name_that_every_system_can_hold(
    space: Workspace, tmp_path: Path, folder: str, name: str
) -> None:
    (tmp_path / folder).mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / folder / "a.png")
    assert space.open_folder(str(tmp_path / folder)) == space.root / name
    assert folder_name(name, "project") == name
    assert Project.open(space.root / name).name == name
