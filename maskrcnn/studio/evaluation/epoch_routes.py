"""The HTTP addresses of what the Evaluation page shows of an epoch: the list of pictures, shapes, thumbnails and crops.

They belong to one key for the labels and detections of an epoch, and are loaded by the browser when they are seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from maskrcnn.annotations import pictures
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components.crops import object_crops
from maskrcnn.studio.evaluation.measured_epoch import EpochFiles, measured_set
from maskrcnn.studio.evaluation.picture_ranking import numbers_or_none
from maskrcnn.studio.inspect.match_table import entry_shape
from maskrcnn.studio.runs.labels_and_detections import pictures_with_detections
from maskrcnn.studio.serving import kept_answers
from maskrcnn.studio.serving.kept_answers import json_bytes
from maskrcnn.studio.shell.file_stamps import stamp

THUMBNAIL = 96
"""Longer side of a thumbnail in pixels: twice its size in the table."""

MOST_MATCHED_THERE = 50_000
"""Maximum number of detections that the browser gets to match by itself: some 2 MB. Beyond it, the page answers."""


def base_url(files: EpochFiles) -> str:
    """Return the URL path of an epoch. The browser appends `/list`, `/shapes/PICTURE`, `/thumb/PICTURE`,
    `/found/DETECTION` or `/truth/OBJECT`, with numbers of the measured set."""
    return kept_answers.url_path("evaluation", files)


def routes() -> list[Route]:
    """Return the routes of epochs."""
    return [
        Route("/studio/evaluation/{key}/list", _list),
        Route("/studio/evaluation/{key}/shapes/{number:number}", _shapes),
        Route("/studio/evaluation/{key}/thumb/{number:number}", _thumbnail),
        Route("/studio/evaluation/{key}/found/{number:number}", _found),
        Route("/studio/evaluation/{key}/truth/{number:number}", _truth),
    ]


def _list(request: Request) -> Response:
    """Answer with what the table knows of each picture, whatever the score."""
    return _answer(request, lambda files, _: json_bytes(picture_list(measured_set(files))), "application/json")


def _shapes(request: Request) -> Response:
    """Answer with the objects and detections of a picture."""

    def content(files: EpochFiles, number: int) -> bytes:
        return json_bytes(picture_shapes(measured_set(files), number))

    return _answer(request, content, "application/json")


def _thumbnail(request: Request) -> Response:
    return _answer(request, _thumbnail_jpeg, "image/jpeg")


def _found(request: Request) -> Response:
    return _answer(request, lambda files, number: _crop(files, "found", number), "image/jpeg")


def _truth(request: Request) -> Response:
    return _answer(request, lambda files, number: _crop(files, "truth", number), "image/jpeg")


def _answer(request: Request, content: Callable[[EpochFiles, int], bytes], media_type: str) -> Response:
    """Answer with the content of an epoch; 404 if there is no such thing, 422 with the reason if it cannot be read."""
    number = request.path_params.get("number", 0)
    return kept_answers.answer(request, EpochFiles, lambda files: content(files, number), media_type)


def picture_list(measured: MeasuredSet) -> dict[str, Any]:
    """Return what the table knows of each picture, whatever the score, as columns of JSON values.

    `classes` are, for each picture, the classes (indices of `names`) that are labelled or found in it.
    """
    coco = measured.coco(measured.matched_by)
    ap = coco.picture_ap
    classes: list[set[int]] = [set() for _ in measured.pictures]
    for columns in (measured.objects, measured.detections):
        for picture, category in zip(columns.picture.tolist(), columns.category.tolist(), strict=True):
            classes[picture].add(category)
    crowd = measured.objects.crowd
    return {
        "files": list(measured.files),
        "names": list(measured.names),
        "classes": [sorted(found) for found in classes],
        "objects": np.bincount(measured.objects.picture[~crowd], minlength=len(measured.pictures)).tolist(),
        "ap": numbers_or_none(ap[:, 0]),
        "ap50": numbers_or_none(ap[:, 1]),
        "cut": coco.cut.tolist(),
        "tables": match_tables(measured) if len(measured.detections) <= MOST_MATCHED_THERE else None,
    }


def match_tables(measured: MeasuredSet) -> list[dict[str, Any]]:
    """Return what the browser needs to match each picture (`local_matches.js`): crowds, scores, and IoUs by class.

    `overlaps` has for each detection pairs (index of an object of its class in the picture, IoU).
    """
    objects, detections = measured.objects, measured.detections
    pairs = measured.pairs(measured.matched_by)
    pairs = pairs.where(objects.category[pairs.object] == detections.category[pairs.detection])
    overlaps: list[list[tuple[int, float]]] = [[] for _ in range(len(detections))]
    first = np.searchsorted(objects.picture, np.arange(len(measured.pictures)))
    columns = pairs.object - first[objects.picture[pairs.object]]
    for row, column, iou in zip(pairs.detection.tolist(), columns.tolist(), pairs.iou.tolist(), strict=True):
        overlaps[row].append((column, iou))
    scores, crowd = detections.score.tolist(), objects.crowd.astype(int).tolist()
    places = range(len(measured.pictures))
    parts = [(objects_of(measured, place), detections_of(measured, place)) for place in places]
    return [
        {"crowd": crowd[of_objects], "scores": scores[found], "overlaps": overlaps[found]}
        for of_objects, found in parts
    ]


def picture_shapes(measured: MeasuredSet, picture: int) -> dict[str, Any]:
    """Return objects and detections of a picture as the browser draws them, and the numbers of the first of each.

    Raises `IndexError` if there is no such picture.
    """
    objects, detections = objects_of(measured, picture), detections_of(measured, picture)
    names, masks = measured.names, measured.documents.masks
    score = measured.detections.score
    return {
        "first_object": objects.start,
        "first_detection": detections.start,
        "objects": [
            entry_shape(measured.object_entries[row], masks) | {"name": names[measured.objects.category[row]]}
            for row in range(objects.start, objects.stop)
        ],
        "detections": [
            entry_shape(measured.detection_entries[row], masks)
            | {"name": names[measured.detections.category[row]], "score": round(float(score[row]), 4)}
            for row in range(detections.start, detections.stop)
        ],
    }


def objects_of(measured: MeasuredSet, picture: int) -> slice:
    """The objects of a picture. Raises `IndexError` if there is no such picture."""
    return _rows_of(measured.objects.picture, picture, len(measured.pictures))


def detections_of(measured: MeasuredSet, picture: int) -> slice:
    """The detections of a picture, best score first. Raises `IndexError` if there is no such picture."""
    return _rows_of(measured.detections.picture, picture, len(measured.pictures))


def _rows_of(column: np.ndarray, picture: int, pictures_in_all: int) -> slice:
    if not 0 <= picture < pictures_in_all:
        raise IndexError(picture)
    start, stop = np.searchsorted(column, [picture, picture + 1]).tolist()
    return slice(start, stop)


@lru_cache(maxsize=3000)
def _thumbnail_jpeg(files: EpochFiles, number: int) -> bytes:
    """The thumbnail of a picture. Raises `StudioError` or `OSError` if it cannot be read."""
    return jpeg(pictures.load(_picture_file(files, number)), THUMBNAIL)


@lru_cache(maxsize=600)
def _crop(files: EpochFiles, side: object_crops.Side, number: int) -> bytes:
    """The crop around a detection or an object. Raises `IndexError`, `StudioError` or `OSError`."""
    measured = measured_set(files)
    columns = measured.detections if side == "found" else measured.objects
    path = _picture_file(files, int(columns.picture[number]))
    return object_crops.crop(_pixels(str(path), stamp(path)), measured, side, number)


@lru_cache(maxsize=6)
def _pixels(path: str, changed: int) -> np.ndarray:
    """The pixels of a picture file; a picture often has several errors. `changed` is part of the cache key."""
    return pictures.load(Path(path))


def _picture_file(files: EpochFiles, number: int) -> Path:
    """The file of a picture. Raises `IndexError` or `StudioError`."""
    run = RunFolder(files.run)
    return run.picture_path(pictures_with_detections(run)["images"][number])
