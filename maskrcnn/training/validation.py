"""Validation after an epoch: losses, detections and their AP on the validation set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from maskrcnn.annotations import pictures
from maskrcnn.config import Config
from maskrcnn.evaluation import coco_summary
from maskrcnn.evaluation.measures import KIND_OF_TASK
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.detect import detect
from maskrcnn.model.fast_inference import prepare
from maskrcnn.runs.folder import Row, RunFolder
from maskrcnn.runs.shown_pictures import shown_pictures
from maskrcnn.training.distributed import Team
from maskrcnn.training.labelled_samples import LabelledSamples
from maskrcnn.training.losses import batch_losses, fetched_losses, weighted_loss

Detections = list[dict[str, Any]]


class Interrupted(Exception):
    """Raised if the run is cancelled during a validation."""


def never_cancelled() -> bool:
    """The default of `cancelled`: the validation is never cancelled."""
    return False


@torch.no_grad()
def validation_losses(
    model: StudioRCNN,
    samples: LabelledSamples,
    team: Team | None = None,
    cancelled: Callable[[], bool] = never_cancelled,
) -> dict[str, float]:
    """The mean of each loss over the validation pictures, prefixed with `val_`, and their weighted sum `val_loss`.

    torchvision computes losses only in train mode, so the model is switched to it, with BatchNorm in eval mode.
    Afterwards the model is in eval mode. The seed of the sampling of anchors and RoIs is the index of the picture, so
    all epochs are measured on the same samples. Raises `Interrupted` if `cancelled` returns True.
    """
    team = team or Team()
    totals = dict.fromkeys(model.config.losses, 0.0)
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    try:
        for index in team.share(range(len(samples))):
            if cancelled():
                raise Interrupted
            found = batch_losses(model, [samples[index]], [index])
            for name, value in zip(found, fetched_losses(found.values()), strict=True):
                totals[name] += value
    finally:
        model.eval()
    sums = team.total(list(totals.values()))
    means = {name: total / len(samples) for name, total in zip(totals, sums, strict=True)}
    means["loss"] = weighted_loss(model.config, means)
    return {f"val_{name}": value for name, value in means.items()}


def detect_all(
    model: StudioRCNN,
    samples: LabelledSamples,
    images: Sequence[dict[str, Any]] | None = None,
    team: Team | None = None,
    cancelled: Callable[[], bool] = never_cancelled,
) -> Detections:
    """The detections on all pictures of `samples` (or only on `images` of them), in pixels of the original pictures.

    They are the same as those of `inference.evaluate`. Raises `Interrupted` if `cancelled` returns True.
    """
    team = team or Team()
    model.eval()
    ready = prepare(model, precision=model.config.precision)
    found: Detections = []
    for image in team.share(samples.images if images is None else images):
        if cancelled():
            raise Interrupted
        found += detect(ready, pictures.load(samples.picture_path(image)), image["id"])
    found = team.gather(found)
    return sorted(found, key=lambda detection: detection["image_id"]) if team.size > 1 else found


def average_precision(config: Config, document: dict[str, Any], detections: Detections) -> dict[str, float | None]:
    """The AP fields of an epoch row (see `runs.folder`) for the tasks of the network; None without ground truth."""
    row: dict[str, float | None] = {}
    wanted = {"box": ("AP", "AP50"), "mask": ("AP", "AP50", "AP75"), "keypoints": ("AP", "AP50")}
    for task in config.tasks:
        kind = KIND_OF_TASK[task]
        summary = coco_summary(document, detections, kind, config.sigmas if kind == "keypoints" else None)
        row |= {f"{kind}_{name.lower()}": summary[name] for name in wanted[task]}
    return row


def validate(
    model: StudioRCNN,
    training: LabelledSamples,
    validation: LabelledSamples | None,
    run: RunFolder,
    epoch: int,
    team: Team,
    cancelled: Callable[[], bool],
) -> Row:
    """Validate after `epoch`: return losses and AP on the validation set, and write its detections into `run`.

    Without a validation set, only detections on some training pictures are written, for the pages. Raises `Interrupted`
    if `cancelled` returns True. In a team of several processes `cancelled` is not called, because the other processes
    would wait for this one.
    """
    if team.size > 1:
        cancelled = never_cancelled
    row: Row = {}
    if validation is not None:
        row |= validation_losses(model, validation, team, cancelled)
        detections = detect_all(model, validation, None, team, cancelled)
        row |= average_precision(model.config, validation.document, detections)
    else:
        shown = shown_pictures(training.document, None)
        detections = detect_all(model, training, shown["images"], team, cancelled)
    if team.leads:
        run.write_detections(epoch, detections)
    return row
