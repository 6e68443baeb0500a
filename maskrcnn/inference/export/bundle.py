"""Export to a bundle: one zip with a trained run, which another studio opens as a run of its own.

The content is described in `runs.bundle_format`; `runs.opened_bundle` opens it. Nothing in it names a place on this
computer: pictures have names but no paths, and there is neither log nor command line.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from maskrcnn import __version__, untrusted_files
from maskrcnn.atomic_files import replacing
from maskrcnn.errors import ArgumentError
from maskrcnn.inference.export.source import ExportSource, Step, no_step
from maskrcnn.inference.model_card import model_card
from maskrcnn.inference.model_cards.training_facts import shortened_paths
from maskrcnn.output_files import require_place, writing
from maskrcnn.runs.bundle_format import ABOUT, CARD_DOCUMENT, CARD_TEXT, CLASSES, FORMAT, VERSION
from maskrcnn.runs.checkpoint_files import checkpoint_file_header
from maskrcnn.runs.folder import BEST, CONFIG, DATASET, DETECTIONS, METRICS, RESULT, START, RunFolder

_PIECE = 1 << 20
_OF_PICTURES = ("id", "file_name", "width", "height")
_OF_OBJECTS = (
    *("id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd", "keypoints", "num_keypoints"),
    *("score", "pose_score", "keypoint_scores"),
)
_OF_CLASSES = ("id", "name", "supercategory", "keypoints", "skeleton")
_OF_RESULTS = ("state", "epochs", "best_epoch", "seconds", "stopped_early", "machine", "versions")
"""The fields that documents of a bundle have. Others could name places or people."""


@dataclass(frozen=True)
class BundleExport:
    """The bundle `file` that `write_bundle` has written, and the `epoch` of its weights."""

    file: Path
    epoch: int


def write_bundle(source: ExportSource, target: Path, step: Step = no_step) -> BundleExport:
    """Write a run as the model bundle `target`, a zip. Raises `ArgumentError` if `target` cannot be written, and
    `StudioError` if `source` is no run or a document of the run is damaged; then there is no file."""
    if target.suffix != ".zip":
        raise ArgumentError(f"{target}: a bundle is a zip; give --out {target.stem or 'model'}.zip")
    if source.run is None:
        raise ArgumentError(f"{source.file}: a bundle is made of a run; give the run folder that this file is from")
    require_place(target)
    run = source.run
    step(0.0, "collecting labels and results")
    _, epoch = checkpoint_file_header(source.file)
    texts = _documents(run, source.name, epoch, step)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            replacing(target) as temporary,
            zipfile.ZipFile(temporary, "x", zipfile.ZIP_DEFLATED) as archive,
            untrusted_files.opened(source.file, run.path) as weights,
        ):
            for name, text in texts.items():
                archive.writestr(name, text)
            size, done = source.file.stat().st_size, 0
            # Weights are not compressed: it would take long and save almost nothing.
            about = zipfile.ZipInfo(BEST, datetime.now().timetuple()[:6])
            with archive.open(about, "w", force_zip64=True) as packed:
                while piece := weights.read(_PIECE):
                    packed.write(piece)
                    done += len(piece)
                    step(0.2 + 0.8 * min(1.0, done / max(1, size)), "packing the weights")
    return BundleExport(target, epoch)


def _documents(run: RunFolder, name: str, epoch: int, step: Step) -> dict[str, str]:
    """The documents of a bundle: name in the zip -> text."""
    config = run.config()
    labels = run.dataset()
    about = {
        "format": FORMAT,
        "version": VERSION,
        "name": name,
        "epoch": epoch,
        "classes": list(config.names),
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "made_by": f"Mask R-CNN Studio {__version__}",
    }
    result = _only(_OF_RESULTS, run.result() or {}) or {"state": "cancelled"}

    def card_step(done: int, total: int) -> None:
        step(0.2 * done / max(1, total), "writing the model card")

    card = model_card(run, card_step)
    card = replace(card, training=replace(card.training, error=None))  # a message may name a place
    documents: dict[str, Any] = {
        ABOUT: about,
        CONFIG: config.model_dump(mode="json"),
        RESULT: result,
        DATASET: {key: _labels(value) if key in ("train", "val") else value for key, value in _known(labels).items()},
        CARD_DOCUMENT: card.to_json(),
    }
    if start := _start(run.read_json(START) or {}):
        documents[START] = start
    if (shown := _detection_epoch(run, epoch)) is not None:
        found = [_only(_OF_OBJECTS, detection) for detection in run.detections(shown)]
        documents[f"{DETECTIONS}/epoch_{shown:04d}.json"] = found
    texts = {key: json.dumps(document, allow_nan=False) for key, document in documents.items()}
    if rows := run.metrics():
        texts[METRICS] = "".join(json.dumps(row) + "\n" for row in rows)
    return texts | {CARD_TEXT: card.markdown(), CLASSES: "".join(f"{entry}\n" for entry in config.names)}


def _known(labels: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `dataset.json` that a bundle has."""
    return {key: labels[key] for key in ("train", "val", "drawn") if key in labels}


def _labels(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A COCO document of a run without paths and other fields of its own."""
    if document is None:
        return None
    return {
        "images": [_only(_OF_PICTURES, image) for image in document["images"]],
        "annotations": [_only(_OF_OBJECTS, annotation) for annotation in document["annotations"]],
        "categories": [_only(_OF_CLASSES, category) for category in document["categories"]],
    }


def _start(start: Mapping[str, Any]) -> dict[str, Any]:
    """`start.json` with the last part of each path."""
    kept = _only(("preset", "init", "backbone_weights", "started", "versions", "left_out"), start)
    for key in ("init", "backbone_weights"):
        if isinstance(kept.get(key), str):
            kept[key] = re.split(r"[\\/]", kept[key])[-1]
    if isinstance(start.get("options"), list):
        kept["options"] = shortened_paths(start["options"])
    return kept


def _only(fields: Iterable[str], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The named fields of an entry, as far as it has them."""
    return {field: entry[field] for field in fields if field in entry}


def _detection_epoch(run: RunFolder, epoch: int) -> int | None:
    """The epoch whose detections are shown for the weights of `epoch`: the last one up to it, else the first."""
    epochs = run.detection_epochs()
    return max((known for known in epochs if known <= epoch), default=min(epochs, default=None))
