"""Which anchors and RoIs a step learns from: torchvision's draw, counted, and repeatable picture by picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler


class Sampler:
    """torchvision's sampler of positives and negatives, in its place.

    With `seeds`, one for each picture of the batch, the draw of a picture depends on its seed alone: a resumed run, and
    a batch that several processes share, draw as one process would. Without, it is torchvision's draw. `positives` and
    `negatives` are how many the last call drew in all, from so many `pictures`.
    """

    def __init__(self, inner: BalancedPositiveNegativeSampler) -> None:
        self.inner = inner
        self.seeds: Sequence[int] | None = None
        self.positives = self.negatives = self.pictures = 0

    def __call__(self, labels: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Masks `(A,)` of the positives and of the negatives drawn from each picture's `labels (A,)`, where 1 and more
        is positive, 0 negative, and less is neither."""
        if self.seeds is None:
            drawn = self.inner(labels)
        else:
            drawn = [], []
            with torch.random.fork_rng():
                for label, seed in zip(labels, self.seeds, strict=True):
                    torch.manual_seed(seed)
                    for masks, mask in zip(drawn, self.inner([label]), strict=True):
                        masks.extend(mask)
        self.positives, self.negatives = (int(sum(mask.sum() for mask in masks)) for masks in drawn)
        self.pictures = len(labels)
        return drawn
