"""Small pictures and label files that the tests of annotations make for themselves."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.errors import StudioError

MakePicture = Callable[..., Path]


@pytest.fixture
def picture(tmp_path: Path) -> MakePicture:
    """`picture("a.jpg", 40, 30)` makes a picture of that width and height in the test's folder."""

    def make(name: str, width: int = 40, height: int = 30, seed: int = 0, **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return path

    return make


@pytest.fixture
def label_file(tmp_path: Path) -> Callable[..., Path]:
    """`label_file(document)` writes a JSON document into the test's folder."""

    def make(document: Any, name: str = "labels.json") -> Path:
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    return make


JUNK: list[Any] = [None, True, -1, 1e300, 10**400, float("nan"), "", "x", "\ud800", [], {}, [[]], [None], {"": None}]
REMOVED = object()


@pytest.fixture
def refusals() -> Callable[[Any, Callable[[Any], object]], int]:
    """`refusals(document, use)` calls `use` with the document after junk was put into each place of it in turn.

    Each call must go well or raise a `StudioError` of one line that begins with "labels.json: "; returns how many did.
    """

    def count(document: Any, use: Callable[[Any], object]) -> int:
        complaints = []
        before = copy.deepcopy(document)
        for damaged in _damaged(document):
            try:
                use(damaged)
            except StudioError as error:
                complaints.append(str(error))
        assert document == before  # `use` leaves what it is given as it was
        for complaint in complaints:
            assert complaint.startswith("labels.json: ")
            assert "; " in complaint
            assert "\n" not in complaint
            assert len(complaint.encode("utf-8")) < 300
        return len(complaints)

    return count


def _damaged(document: Any) -> Iterator[Any]:
    """The document with junk in one place. What is not on the way there is shared, not copied."""
    for path in _places(document):
        for junk in [*JUNK, REMOVED]:
            damaged = holder = copy.copy(document)
            for key in path[:-1]:
                holder[key] = copy.copy(holder[key])
                holder = holder[key]
            if junk is REMOVED:
                del holder[path[-1]]
            else:
                holder[path[-1]] = junk
            yield damaged


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value inside a JSON document."""
    for key in document if isinstance(document, dict) else range(len(document)):
        yield (*path, key)
        if isinstance(document[key], dict | list):
            yield from _places(document[key], (*path, key))
