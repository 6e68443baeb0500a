"""What the validation set says after an epoch: the losses, the detections and their AP."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from maskrcnn.annotations import pictures
from maskrcnn.config import LOSS_NAMES, Config
from maskrcnn.evaluation import coco_summary
from maskrcnn.evaluation.coco_ap import KINDS
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.detect import detect
from maskrcnn.training.samples import LabelledPictures, Target

Detections = list[dict[str, Any]]


def losses(model: StudioRCNN, batch: list[tuple[Tensor, Target]]) -> dict[str, Tensor]:
    """The network's losses of a batch under our names, each a scalar tensor. The model must be in train mode."""
    device = next(model.parameters()).device
    images = [picture.to(device) for picture, _ in batch]
    targets = [{name: value.to(device) for name, value in target.items()} for _, target in batch]
    return {LOSS_NAMES[name]: value for name, value in model(images, targets).items()}


def weighted_sum(config: Config, parts: dict[str, Any]) -> Any:
    """The `loss` that is minimised: the losses that the network has, each times its weight."""
    return sum(config.loss_weights[name] * value for name, value in parts.items())


@torch.no_grad()
def validation_losses(model: StudioRCNN, samples: LabelledPictures) -> dict[str, float]:
    """Means of the losses over the validation pictures, with `val_` before each name, and `val_loss`.

    torchvision computes losses in train mode only, so the model is put there for a moment with BatchNorm held still.
    Anchors and RoIs are sampled with a fixed seed, so that two epochs are measured on the same draw and the random
    state of the training is left as it was.
    """
    totals: dict[str, float] = {}
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for index in range(len(samples)):
            for name, value in losses(model, [samples[index]]).items():
                totals[name] = totals.get(name, 0.0) + value.item()
    model.eval()
    means = {name: total / len(samples) for name, total in totals.items()}
    means["loss"] = weighted_sum(model.config, means)
    return {f"val_{name}": value for name, value in means.items()}


def detect_all(model: StudioRCNN, samples: LabelledPictures) -> Detections:
    """Detections on every picture of the set, in the frame of the original pictures."""
    model.eval()
    return [
        detection
        for image in samples.images
        for detection in detect(model, pictures.load(samples.picture_path(image)), image["id"])
    ]


def average_precision(config: Config, document: dict[str, Any], detections: Detections) -> dict[str, float | None]:
    """The AP figures of an epoch row (see `run_folder`), those of the network's tasks; None without ground truth."""
    row: dict[str, float | None] = {}
    wanted = {"box": ("AP", "AP50"), "mask": ("AP", "AP50", "AP75"), "keypoints": ("AP", "AP50")}
    for task in config.tasks:
        kind = KINDS[task]
        summary = coco_summary(document, detections, kind, config.sigmas if kind == "keypoints" else None)
        row |= {f"{kind}_{name.lower()}": summary[name] for name in wanted[task]}
    return row
