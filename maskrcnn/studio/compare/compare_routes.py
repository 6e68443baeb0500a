"""The HTTP addresses of what both sides found in one picture (objects, detections and their IoUs), and of crops."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from maskrcnn.annotations import pictures
from maskrcnn.errors import StudioError
from maskrcnn.studio.compare.compared_sets import ComparedEpochs, ComparedSets, compared_sets
from maskrcnn.studio.components.crops import object_crops
from maskrcnn.studio.inspect.match_table import match_table
from maskrcnn.studio.serving import kept_answers
from maskrcnn.studio.shell.file_stamps import path_key, stamp


@dataclass(frozen=True)
class ComparedPicture:
    """A picture of a comparison, by its position among the pictures in common."""

    epochs: ComparedEpochs
    position: int


@dataclass(frozen=True)
class ComparedObject:
    """A labelled object in its picture, drawn as one that is found or missed.

    `row` is that of the measured objects, `picture` the path of the picture file and `changed` its stamp.
    """

    epochs: ComparedEpochs
    picture: bytes
    changed: int
    row: int
    is_found: bool


def table_url(epochs: ComparedEpochs, position: int) -> str:
    """The URL path of the objects and detections of a picture (`picture_table`)."""
    return kept_answers.url_path("compare", ComparedPicture(epochs, position))


def crop_url(epochs: ComparedEpochs, path: Path, row: int, *, is_found: bool) -> str:
    """The URL path of the crop of a labelled object: `row` of the measured objects, in the picture file `path`."""
    thing = ComparedObject(epochs, path_key(path), stamp(path), row, is_found)
    return f"{kept_answers.url_path('compare', thing)}/crop"


def routes() -> list[Route]:
    """The routes of objects and detections, and of crops."""
    return [Route("/studio/compare/{key}", _table), Route("/studio/compare/{key}/crop", _crop)]


def picture_table(sets: ComparedSets, position: int) -> dict[str, Any]:
    """The `objects` of a picture, and under `a` and `b` the rest of each side's `match_table`."""
    truth, image_id = sets.common.truth, sets.common.truth["images"][position]["id"]
    a, b = (
        match_table(truth, found, image_id, sets.tasks)
        for found in (sets.common.detections_a, sets.common.detections_b)
    )
    objects = a.pop("objects")
    del b["objects"]  # the same
    return {"objects": objects, "a": a, "b": b}


def _table(request: Request) -> Response:
    """Answer with the objects and detections of a picture, or with the reason why there are none (422)."""
    return kept_answers.answer(request, ComparedPicture, _content)


def _crop(request: Request) -> Response:
    """Answer with the crop of an object; 404 if there is none, 422 with the reason if its picture cannot be read."""
    return kept_answers.answer(request, ComparedObject, _crop_jpeg, "image/jpeg")


@lru_cache(maxsize=64)
def _content(picture: ComparedPicture) -> bytes:
    """The table of a picture as JSON. Raises `StudioError` if it cannot be read, or is not in the runs any more."""
    try:
        table = picture_table(compared_sets(picture.epochs), picture.position)
    except IndexError:  # the run was changed while the page was open
        raise StudioError("this picture is not in the runs any more; load the page again") from None
    return kept_answers.json_bytes(table)


@lru_cache(maxsize=600)
def _crop_jpeg(entry: ComparedObject) -> bytes:
    """The crop of an object. Raises `IndexError`, `StudioError` or `OSError`."""
    measured = compared_sets(entry.epochs).measured_b  # the objects of both sides are the same
    if entry.row >= len(measured.objects):  # the run was changed while the page was open
        raise IndexError(entry.row)
    picture = _pixels(entry.picture, entry.changed)
    return object_crops.crop(picture, measured, "truth", entry.row, is_found=entry.is_found)


@lru_cache(maxsize=4)
def _pixels(path: bytes, changed: int) -> np.ndarray:
    """The pixels of a picture file; a picture often has several objects. `changed` is part of the cache key."""
    return pictures.load(os.fsdecode(path))
