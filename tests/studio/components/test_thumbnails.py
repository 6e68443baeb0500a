"""Thumbnails are read once, and a new picture of an old number is not taken for the one before."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from maskrcnn.annotations.store import Project
from maskrcnn.studio.components import thumbnails


def png(colour: str) -> bytes:
    with io.BytesIO() as buffer:
        Image.new("RGB", (60, 30), colour).save(buffer, "PNG")
        return buffer.getvalue()


def size_and_colour(jpeg: bytes) -> tuple[tuple[int, int], str]:
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    red, _, blue = picture.getpixel((5, 5))  # type: ignore[misc]
    return picture.size, "red" if red > blue else "blue"


def made(folder: Path, colour: str) -> Project:
    project = Project.create(folder)
    project.add_pictures([("p.png", png(colour))], "train")
    return project


def test_a_project_that_is_made_anew_in_the_same_place_has_thumbnails_of_its_own(tmp_path: Path) -> None:
    project = made(tmp_path / "cells", "red")
    assert size_and_colour(thumbnails.thumbnail(project, project.images()[0], 40)) == ((40, 20), "red")
    assert size_and_colour(thumbnails.square_thumbnail(project, project.images()[0], 40)) == ((20, 20), "red")
    shutil.rmtree(project.folder)
    project = made(tmp_path / "cells", "blue")
    assert size_and_colour(thumbnails.thumbnail(project, project.images()[0], 40)) == ((40, 20), "blue")
    assert size_and_colour(thumbnails.square_thumbnail(project, project.images()[0], 40)) == ((20, 20), "blue")


def test_a_second_visit_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = made(tmp_path / "cells", "red")
    [image] = project.images()
    first = thumbnails.thumbnail(project, image, 40)

    def no_more(*_: Any) -> bytes:
        raise AssertionError("read again")

    monkeypatch.setattr(Project, "thumbnail", no_more)
    assert thumbnails.thumbnail(Project(project.folder), image, 40) == first
