"""Sampling of the anchors and RoIs of a training step: torchvision's, counted, and repeatable picture by picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler


class TrainingSampler:
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
        self.pictures = len(labels)
        if self.seeds is None:
            drawn = self.inner(labels)
            self.positives, self.negatives = (int(sum(mask.sum() for mask in masks)) for masks in drawn)
            return drawn
        self.positives = self.negatives = 0
        masks = [self._draw(label, seed) for label, seed in zip(labels, self.seeds, strict=True)]
        return [positive for positive, _ in masks], [negative for _, negative in masks]

    def _draw(self, label: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """What torchvision draws from one picture after `torch.manual_seed(seed)` on the processor.

        The generator is the processor's on every device: a card draws what the processor would, and the state of no
        device has to be saved and restored for each picture.
        """
        generator = torch.Generator().manual_seed(seed)

        def mask_of(candidates: Tensor, most: int) -> tuple[Tensor, int]:
            places = torch.where(candidates)[0]
            chosen = torch.randperm(len(places), generator=generator)[:most]
            mask = torch.zeros_like(label, dtype=torch.uint8)
            mask[places[chosen.to(places.device)]] = 1
            return mask, len(chosen)

        room = self.inner.batch_size_per_image
        positive, positives = mask_of(label >= 1, int(room * self.inner.positive_fraction))
        negative, negatives = mask_of(label == 0, room - positives)
        self.positives += positives
        self.negatives += negatives
        return positive, negative
