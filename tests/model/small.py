"""The networks that the tests of weights build: a few million weights, half a second."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision.models import get_model

from maskrcnn.config import Config
from maskrcnn.model import build
from maskrcnn.model.build import StudioRCNN
from tests import tiny

FIELDS: dict[str, Any] = {
    **tiny.CONFIG,
    "backbone": "mobilenet_v3_small_fpn",
    "norm": "frozen",
    "pool_size": 3,
    "keypoint_head_width": 8,
    "keypoint_head_depth": 1,
}
ALL_TASKS = ("box", "mask", "keypoints")


def network(**changes: Any) -> StudioRCNN:
    return build(Config.preset("classroom", **{**FIELDS, **changes}))


def copy_of(model: StudioRCNN) -> dict[str, Any]:
    """Its tensors as they are now."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def classifier(name: str) -> dict[str, Tensor]:
    """A state dict of torchvision's classification network with random values, without its fully connected layers."""
    with torch.device("meta"):
        state = get_model(name, weights=None).state_dict()
    random = torch.Generator().manual_seed(0)
    return {
        key: torch.rand(tensor.shape, generator=random).to(tensor.dtype)
        for key, tensor in state.items()
        if not key.startswith(("fc.", "classifier."))
    }
