"""The downloads of a run: weights, metrics as CSV, labels, configuration, log, and everything as a zip file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from maskrcnn import untrusted_files
from maskrcnn.annotations.formats.spreadsheet import csv_of
from maskrcnn.annotations.store.original_places import original_file_names
from maskrcnn.errors import StudioError
from maskrcnn.runs import metric_rows
from maskrcnn.runs.best_epoch import best_epoch
from maskrcnn.runs.epochs_and_passes import mean_pass_steps
from maskrcnn.runs.folder import CONFIG, DATASET, LOG, METRICS, RESULT, START, RunFolder
from maskrcnn.runs.shipped_models import CARD
from maskrcnn.studio.runs import labels_and_detections
from maskrcnn.studio.runs.run_tables import epoch_table
from maskrcnn.words import byte_size, counted


@dataclass(frozen=True)
class Download:
    """A file to download. `data` returns its content and is called on a click. `size` is in bytes, None if the file is
    generated."""

    label: str
    file_name: str
    mime: str
    data: Callable[[], bytes | BinaryIO]
    size: int | None = None
    help: str | None = None


def downloads(run: RunFolder) -> list[Download]:
    """The available downloads of a run; the last one is the zip file with everything."""
    found: list[Download] = []

    def add(label: str, name: str, mime: str, data: Callable[[], bytes], help: str) -> None:
        found.append(Download(label, f"{run.name}-{name}", mime, data, None, help))

    def add_file(label: str, path: Path, mime: str, help: str) -> None:
        if _is_own(path, run):
            name = f"{run.name}-{path.name}"
            found.append(Download(label, name, mime, partial(_content, path, run), path.stat().st_size, help))

    add_file("Best weights", run.best, "application/octet-stream", _best_words(run))
    if checkpoints := run.checkpoints():
        last = checkpoints[max(checkpoints)]
        add_file(
            f"Weights of epoch {max(checkpoints)}", last, "application/octet-stream", "The last ones that are kept."
        )
    if _is_own(run.path / METRICS, run):
        add(
            "Epochs (CSV)",
            "epochs.csv",
            "text/csv",
            partial(epochs_csv, run),
            "Losses, AP and times, one line an epoch.",
        )
        add("Steps (CSV)", "steps.csv", "text/csv", partial(steps_csv, run), _steps_words(run))
    for split in _splits(run):
        words = {"train": "training", "val": "validation"}[split]
        says = f"The exact {words} labels of this run, as COCO."
        add(f"Labels: {words} (COCO)", f"{split}.json", "application/json", partial(labels, run, split), says)
    add_file("Model card", run.path / CARD, "application/json", "What it learned from, how long, and what it is worth.")
    add_file("Start", run.path / START, "application/json", "What the network knew before its first step.")
    add_file("Configuration", run.path / CONFIG, "application/json", "Every setting of the network and its training.")
    add_file("Log", run.path / LOG, "text/plain", "What the trainer printed.")
    everything = Download(
        "All as one zip",
        f"{run.name}.zip",
        "application/zip",
        partial(archive, run),
        None,
        "All of the above, and the detections of each epoch.",
    )
    return [*found, everything] if found else []


def _splits(run: RunFolder, empty: bool = False) -> list[str]:
    """The splits ("train", "val") whose labels are in the run; none if its labels are damaged.

    A validation split without pictures is included only with `empty`.
    """
    if not _is_own(run.path / DATASET, run):
        return []
    try:
        known = labels_and_detections.pictures_of_run(run)
    except StudioError:
        return []  # the page shows the error
    # The labels of toy pictures that are not stored are not in the run either.
    return [*([] if known.toy_world else ["train"]), *(["val"] if known.val or empty else [])]


def epochs_csv(run: RunFolder) -> bytes:
    """A CSV file with one line per epoch and all numbers of its row, the most important columns first."""
    rows = metric_rows.read(run).epochs
    try:
        pass_steps = mean_pass_steps(run, labels_and_detections.pictures_of_run(run).train)
    except StudioError:  # config or labels are damaged: no column of passes; the page shows the error
        pass_steps = None
    frame = epoch_table(rows, pass_steps)
    others = pd.DataFrame(rows).drop(columns=["event", "elapsed"], errors="ignore")
    return _csv(frame.join(others[[name for name in others.columns if name not in frame.columns]]))


def steps_csv(run: RunFolder) -> bytes:
    """A CSV file with one line per step and all numbers of its row."""
    frame = pd.DataFrame(dict(metric_rows.read(run).steps))
    for name in ("epoch", "step"):
        if name in frame and np.isfinite(frame[name]).all():  # otherwise a value is missing, and integers have no NaN
            frame[name] = frame[name].astype(int)
    return _csv(frame)


def labels(run: RunFolder, split: str) -> bytes:
    """The labels of a split of the run as a COCO document (JSON), empty if the run does not have the split.

    The file names of pictures are the original names, as in an export, not those of the project's copies.
    """
    dataset = run.dataset()
    empty = {"images": [], "annotations": [], "categories": dataset["train"]["categories"]}
    document = dataset[split] or empty
    project = run.project
    if project is None:
        return json.dumps(document).encode()
    images = document["images"]
    try:
        names = original_file_names(project, [image["file_name"] for image in images])
    except StudioError:  # the project is damaged; other pages show the error
        names = [image["file_name"] for image in images]
    named = [{**image, "file_name": name} for image, name in zip(images, names, strict=True)]
    return json.dumps({**document, "images": named}).encode()


def archive(run: RunFolder) -> io.BytesIO:
    """All files of the run as a zip file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        if _is_own(run.path / METRICS, run):
            _put_in_archive(target, f"{run.name}/epochs.csv", epochs_csv(run))
            _put_in_archive(target, f"{run.name}/steps.csv", steps_csv(run))
        for split in _splits(run, empty=True):
            _put_in_archive(target, f"{run.name}/labels/{split}.json", labels(run, split))
        checkpoints = list(run.checkpoints().values())[-1:]
        detections = sorted((run.path / "detections").glob("epoch_*.json"))
        texts = [run.path / name for name in (CARD, START, CONFIG, LOG, RESULT, METRICS)]
        for path in (*texts, *detections, run.best, *checkpoints):
            if _is_own(path, run):
                # Weights are not compressed: it would take long and save almost nothing.
                packed = zipfile.ZIP_STORED if path.suffix == ".safetensors" else zipfile.ZIP_DEFLATED
                name = f"{run.name}/{path.relative_to(run.path).as_posix()}"
                target.writestr(name, _content(path, run), packed)
    made.seek(0)
    return made


def size_words(size: int | None) -> str:
    """The size of a file for the label of a button: ` · 26 MB`; empty if it is unknown or below 1 MB."""
    return "" if size is None or size < 1e6 else f" · {byte_size(size)}"


def _best_words(run: RunFolder) -> str:
    """A sentence about the epoch of the best weights, from the metrics; a shipped model may have no metrics."""
    best = best_epoch(metric_rows.read(run).epochs)
    if best is None:
        return "The weights of the best epoch, with their config."
    if best.score is None:
        return f"Epoch {best.epoch}, the last one: nothing was measured, as there was nothing to validate on."
    return f"Epoch {best.epoch}, with the highest {best.judged_by} on the validation pictures: {best.score:.3f}."


def _steps_words(run: RunFolder) -> str:
    """A sentence about the number of steps in the CSV file."""
    rows = metric_rows.read(run)
    made = rows.last["step"] if rows.last else 0
    of = "" if len(rows) == made else f" that {'was' if len(rows) == 1 else 'were'} kept of {made:,}"
    return f"Every number of {counted(len(rows), 'step')}{of}. memory_mb counts in 2**20 bytes."


def _put_in_archive(target: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Write a file into the zip file of a run (see `archive`), compressed."""
    target.writestr(name, data, zipfile.ZIP_DEFLATED)


def _csv(frame: pd.DataFrame) -> bytes:
    return csv_of(frame).encode("utf-8", "replace")


def _is_own(path: Path, run: RunFolder) -> bool:
    """Whether a file exists and is inside the run. A link that leads out of it must not expose another file."""
    return path.is_file() and untrusted_files.is_confined(path, [run.path])


def _content(path: Path, run: RunFolder) -> bytes:
    """The content of a file of the run. Raises `StudioError` if it is missing or a link that leads out of the run."""
    path = untrusted_files.confined(path, [run.path], _MEND)
    try:
        with untrusted_files.opened(path, run.path, _MEND) as file:
            return file.read()
    except FileNotFoundError:
        raise StudioError(f"{path}: is gone; look at the run again") from None


_MEND = "put the file itself there"
