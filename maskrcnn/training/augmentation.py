"""What is done to a training picture before each time that it is learned from; its targets follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from maskrcnn.config import Config

Target = dict[str, Tensor]


def augmentation(config: Config, mirror_order: Sequence[int] | None) -> nn.Module:
    """Mirror, scale and colour, as `config` sets them.

    `mirror_order` is the keypoints' `annotations.skeletons.mirrored`; without it pictures are not mirrored.
    """
    jitter = config.colour_jitter
    return v2.Compose(
        [
            MirrorAtRandom(config.flip, mirror_order),
            ShrinkAtRandom((1 - config.scale_jitter) / (1 + config.scale_jitter)),
            v2.ColorJitter(brightness=jitter, contrast=jitter, saturation=jitter, hue=jitter / 10),
        ]
    )


class MirrorAtRandom(nn.Module):
    """Mirror picture and target left to right with a chance of `chance`.

    The `keypoints` (N, K, 2) and their `visibility` (N, K) are put into `order`, because a mirrored left hand is a
    right one; None stands for an order that nobody knows, and then nothing is mirrored.
    """

    def __init__(self, chance: float, order: Sequence[int] | None) -> None:
        super().__init__()
        self.chance = 0.0 if order is None else chance
        self.order = list(order or ())

    def forward(self, picture: Tensor, target: Target) -> tuple[Tensor, Target]:
        if torch.rand(()) >= self.chance:
            return picture, target
        width = picture.shape[-1]
        target = dict(target)
        for name in target.keys() & {"boxes", "masks"}:
            target[name] = v2.functional.horizontal_flip(target[name])
        if "keypoints" in target:
            # Not by torchvision, which takes the middle of the first pixel for x = 0 here, but its edge with boxes.
            points = target["keypoints"]
            mirrored = points.as_subclass(Tensor)[:, self.order].clone()
            mirrored[..., 0] = width - mirrored[..., 0]
            target["keypoints"] = tv_tensors.wrap(mirrored, like=points)
            target["visibility"] = target["visibility"][:, self.order]
        return v2.functional.horizontal_flip(picture), target


class ShrinkAtRandom(v2.Transform):
    """Scale picture, boxes, masks and keypoints together by a factor drawn from [lowest, 1], log-uniformly."""

    def __init__(self, lowest: float) -> None:
        super().__init__()
        self.lowest = lowest

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = v2.functional.get_size(flat_inputs[0])
        factor = self.lowest ** float(torch.rand(()))
        return {"size": [max(1, round(height * factor)), max(1, round(width * factor))]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if isinstance(inpt, tv_tensors.Mask):
            # torchvision takes the nearest pixel, which moves the outline of a small object; half covered is in.
            covered = v2.functional.resize_image(inpt.as_subclass(Tensor).float(), params["size"], antialias=True)
            return tv_tensors.wrap((covered >= 0.5).to(torch.uint8), like=inpt)
        return self._call_kernel(v2.functional.resize, inpt, size=params["size"], antialias=True)
