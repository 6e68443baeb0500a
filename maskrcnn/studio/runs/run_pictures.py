"""The pictures and labels of a run, cached until a file of the run changes; for the Runs and Predictions pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from maskrcnn.annotations.file_names import natural_key
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.shell.file_stamps import stamp


def picture_counts(run: RunFolder) -> dict[str, Any]:
    """The pictures of a run: the number of training pictures (`train`), the file names of the validation pictures
    (`val`), and the toy world of training pictures that are not stored (`drawn`, None if they are stored)."""
    path = run.path / DATASET
    return _picture_counts(str(run.path), stamp(path)) if path.is_file() else {"train": 0, "val": [], "drawn": None}


def is_validated(run: RunFolder) -> bool:
    """Whether a run has validation pictures. Otherwise its saved detections are those of training pictures."""
    return bool(picture_counts(run)["val"])


def judged_alike(runs: Sequence[RunFolder]) -> bool:
    """Whether all runs have validation pictures with the same names, so that their AP can be compared."""
    return len({tuple(picture_counts(run)["val"]) for run in runs}) == 1


def pictures_with_detections(run: RunFolder) -> dict[str, Any]:
    """The COCO document of the pictures with saved detections (`RunFolder.shown`), sorted by file name.

    The order is natural ("2.png" before "10.png"). The document is cached and shared: do not modify it. Raises
    `StudioError` if the labels of the run cannot be read.
    """
    return _pictures_with_detections(str(run.path), stamp(run.path / DATASET))


def detection_stamps(run: RunFolder, epoch: int) -> tuple[int, int, int]:
    """The modification times of the files that an epoch's detections are judged by: labels, configuration, detections.

    They are part of cache keys.
    """
    return (
        stamp(run.path / DATASET),
        stamp(run.path / CONFIG),
        stamp(run.path / "detections" / f"epoch_{epoch:04d}.json"),
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _picture_counts(run_path: str, changed: int) -> dict[str, Any]:
    """The result of `picture_counts` for a run folder; `changed` is only a part of the cache key."""
    document = RunFolder(run_path).dataset()
    names = [image["file_name"] for image in (document["val"] or {}).get("images", [])]
    drawn = document.get("drawn")
    learned = drawn["pictures"] if drawn else len(document["train"]["images"])
    return {"train": learned, "val": sorted(names), "drawn": drawn}


@st.cache_resource(max_entries=2, show_spinner="Reading the labels")
def _pictures_with_detections(run_path: str, changed: int) -> dict[str, Any]:
    """The result of `pictures_with_detections` for a run folder; `changed` is only a part of the cache key."""
    document = RunFolder(run_path).shown()
    return {**document, "images": sorted(document["images"], key=lambda image: natural_key(image["file_name"]))}
