"""The folder of a project is moved away in the middle of a call: that is done, or one line says why it is not."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from maskrcnn.annotations.regions import Point, Region
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError

CALLS: dict[str, Callable[[Project], Any]] = {
    "open": lambda project: Project.open(project.folder),
    "images": lambda project: project.images(),
    "counts": lambda project: project.counts(),
    "classes": lambda project: project.classes(),
    "regions": lambda project: project.regions(1),
    "save": lambda project: project.save(1, [Region(Point(1, 1), "cat")], project.regions(1)[1]),
    "undo": lambda project: project.undo(1),
    "set_done": lambda project: project.set_done(1, True),
    "snapshot": lambda project: project.snapshot("before"),
    "thumbnail": lambda project: project.thumbnail(1),
    "picture": lambda project: project.picture(1),
}

GONE = r"the project is gone|is not a project \(it has no|there is no such picture"


@contextmanager
def at_function(number: int, then: Callable[[], object]) -> Iterator[set[CodeType]]:
    """`then` is called when the `number`-th function of the store begins for the first time; the set has those that
    began."""
    begun: set[CodeType] = set()
    store = re.compile(r"[\\/]annotations[\\/]store[\\/]")

    def look(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code not in begun and store.search(frame.f_code.co_filename):
            begun.add(frame.f_code)
            if len(begun) == number:
                then()

    sys.setprofile(look)
    try:
        yield begun
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("name", CALLS)
def test_a_project_that_is_moved_in_the_middle_is_told_as_gone(name: str, tmp_path: Path, picture) -> None:
    project = Project.create(tmp_path / "pets")
    project.add_pictures([picture("a.jpg")], "train")
    away, number, told = tmp_path / "away", 0, []
    while True:
        number += 1
        with at_function(number, lambda: project.folder.rename(away)) as begun:
            try:
                CALLS[name](project)
            except StudioError as error:
                told.append(str(error))
        if len(begun) < number:
            break
        assert not project.folder.exists(), f"at function {number}: made anew"
        away.rename(project.folder)
    assert len(told) >= 2
    assert [line for line in told if not re.search(GONE, line)] == []
