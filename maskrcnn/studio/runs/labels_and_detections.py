"""The pictures of a run with their labels and saved detections, cached until a file of the run changes.

For the Runs and Predictions pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from maskrcnn.name_order import natural_key
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.shell.file_stamps import stamp

Document = dict[str, Any]
"""A COCO document, or one of its entries."""


@dataclass(frozen=True)
class RunPictures:
    """The pictures of a run: the number of training pictures, and the file names of the validation pictures, sorted.

    `toy_world` is the toy world whose training pictures were made anew from a seed and not stored, as dataset.json
    describes it; None if the training pictures are stored.
    """

    train: int = 0
    val: tuple[str, ...] = ()
    toy_world: Document | None = None


def pictures_of_run(run: RunFolder) -> RunPictures:
    """The `RunPictures` of a run. Raises `StudioError` if its labels cannot be read."""
    path = run.path / DATASET
    return _pictures_of_run(str(run.path), stamp(path)) if path.is_file() else RunPictures()


def is_validated(run: RunFolder) -> bool:
    """Whether a run has validation pictures. Otherwise its saved detections are those of training pictures."""
    return bool(pictures_of_run(run).val)


def pictures_with_detections(run: RunFolder) -> Document:
    """The COCO document of the pictures with saved detections (`RunFolder.shown`), sorted by file name.

    The order is natural ("2.png" before "10.png"). The document is cached and shared: do not modify it. Raises
    `StudioError` if the labels of the run cannot be read.
    """
    return _pictures_with_detections(str(run.path), stamp(run.path / DATASET))


def names_with_detections(run: RunFolder) -> list[str]:
    """The file names of the pictures with saved detections, in natural order."""
    return [image["file_name"] for image in pictures_with_detections(run)["images"]]


def detection_stamps(run: RunFolder, epoch: int) -> tuple[int, int, int]:
    """The stamps of a run's files for its pictures with the detections of an epoch: labels, configuration, detections.

    They are the modification times, and part of cache keys.
    """
    return (
        stamp(run.path / DATASET),
        stamp(run.path / CONFIG),
        stamp(run.path / "detections" / f"epoch_{epoch:04d}.json"),
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _pictures_of_run(run_path: str, changed: int) -> RunPictures:
    """The result of `pictures_of_run` for a run folder; `changed` is only a part of the cache key."""
    document = RunFolder(run_path).dataset()
    names = [image["file_name"] for image in (document["val"] or {}).get("images", [])]
    toy_world = document.get("drawn")
    learned = toy_world["pictures"] if toy_world else len(document["train"]["images"])
    return RunPictures(learned, tuple(sorted(names)), toy_world)


@st.cache_resource(max_entries=2, show_spinner="Reading the labels")
def _pictures_with_detections(run_path: str, changed: int) -> Document:
    """The result of `pictures_with_detections` for a run folder; `changed` is only a part of the cache key."""
    document = RunFolder(run_path).shown()
    return {**document, "images": sorted(document["images"], key=lambda image: natural_key(image["file_name"]))}


@st.cache_data(max_entries=64, show_spinner=False)
def document_of_picture(path: str, changed: int, name: str) -> Document:
    """The COCO document of one of the run's pictures with saved detections: its entry, its labels and the classes.

    `changed` is the stamp of the labels, a part of the cache key.
    """
    document = pictures_with_detections(RunFolder(path))
    [image, *_] = [image for image in document["images"] if image["file_name"] == name]
    annotations = [entry for entry in document["annotations"] if entry["image_id"] == image["id"]]
    return {**document, "images": [image], "annotations": annotations}


@st.cache_resource(max_entries=2, show_spinner=False)
def _detections_of_epoch(path: str, epoch: int, changed: int) -> dict[int, list[Document]]:
    """The saved detections of an epoch of a run in all pictures, by picture id."""
    found: dict[int, list[Document]] = {}
    for detection in RunFolder(path).detections(epoch):
        found.setdefault(detection["image_id"], []).append(detection)
    return found


@st.cache_data(max_entries=400, show_spinner=False)
def detections_in_picture(path: str, epoch: int, changed: int, image: int) -> list[Document]:
    """The saved detections of an epoch in that picture of a run with the id `image`.

    `changed` is the stamp of the detections, a part of the cache key.
    """
    return _detections_of_epoch(path, epoch, changed).get(image, [])
