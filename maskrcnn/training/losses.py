"""The losses of a batch: computed by the network, fetched as numbers, weighted to the loss that is minimised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from maskrcnn.config import LOSS_NAMES, Config
from maskrcnn.model.build import StudioRCNN
from maskrcnn.training.labelled_samples import Target


def loss_sample_counts(model: StudioRCNN) -> dict[str, int]:
    """Name of each loss -> the number of samples (anchors or RoIs) of the last batch over which the loss is a mean.

    Mask and keypoint losses are means over the positive RoIs; the others are over all sampled anchors or RoIs.
    """
    rpn, roi = model.samplers["rpn"], model.samplers["roi"]
    of_all = {"rpn": rpn.positives + rpn.negatives, "mrcnn": roi.positives + roi.negatives}
    on_objects = ("mrcnn_mask_loss", "mrcnn_keypoint_loss")
    return {
        name: roi.positives if name in on_objects else of_all[name.partition("_")[0]] for name in model.config.losses
    }


def batch_losses(
    model: nn.Module, samples: Sequence[tuple[Tensor, Target]], seeds: Sequence[int] | None = None
) -> dict[str, Tensor]:
    """The losses of a network on a batch: name (see `config.LOSSES`) -> scalar tensor. It must be in train mode.

    `seeds`, one per sample, are the seeds of the sampling of anchors and RoIs; None uses the global state of torch.
    """
    network = model.module if isinstance(model, nn.parallel.DistributedDataParallel) else model
    assert isinstance(network, StudioRCNN)
    for sampler in network.samplers.values():
        sampler.seeds = seeds
    device = next(network.parameters()).device
    images = [picture.to(device) for picture, _ in samples]
    targets = [
        {name: value.to(device) if isinstance(value, Tensor) else value for name, value in target.items()}
        for _, target in samples
    ]
    return {LOSS_NAMES[name]: value for name, value in model(images, targets).items()}


def fetched_losses(scalars: Iterable[Tensor]) -> list[float]:
    """The values of losses and other scalars on one device, copied together, because each copy waits for the device."""
    return torch.stack([scalar.detach() for scalar in scalars]).tolist()


def weighted_loss(config: Config, parts: dict[str, Any]) -> Any:
    """The `loss` that is minimised: the sum of the losses `parts`, each multiplied by its weight in the config."""
    return sum(config.loss_weights[name] * value for name, value in parts.items())
