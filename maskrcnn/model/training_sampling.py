"""Sampling of the anchors and RoIs that a training step uses, repeatable for each picture and with counts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler


class TrainingSampler:
    """A replacement for torchvision's sampler of positives and negatives.

    With `seeds`, one for each picture of the batch, the sample of a picture depends only on its seed. So a resumed run,
    and several processes that share a batch, draw the same samples as one process. Without `seeds`, torchvision's
    sampler draws. `positives`, `negatives` and `pictures` are the numbers of samples and pictures of the last call.
    """

    def __init__(self, inner: BalancedPositiveNegativeSampler) -> None:
        self.inner = inner
        self.seeds: Sequence[int] | None = None
        self.positives = self.negatives = self.pictures = 0

    def __call__(self, labels: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """For each picture, the masks `(A,)` of the drawn positives and of the drawn negatives.

        `labels (A,)` of a picture are at least 1 for positives, 0 for negatives and below 0 for neither.
        """
        self.pictures = len(labels)
        if self.seeds is None:
            drawn = self.inner(labels)
            self.positives, self.negatives = (int(sum(mask.sum() for mask in masks)) for masks in drawn)
            return drawn
        self.positives = self.negatives = 0
        masks = [self._draw(label, seed) for label, seed in zip(labels, self.seeds, strict=True)]
        return [positive for positive, _ in masks], [negative for _, negative in masks]

    def _draw(self, label: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """The sample that torchvision draws from one picture on the CPU after `torch.manual_seed(seed)`.

        The random generator is that of the CPU on every device. So a GPU draws the same sample as a CPU, and no state
        of a device has to be saved and restored.
        """
        generator = torch.Generator().manual_seed(seed)

        def drawn_mask(candidates: Tensor, most: int) -> tuple[Tensor, int]:
            places = torch.where(candidates)[0]
            chosen = torch.randperm(len(places), generator=generator)[:most]
            mask = torch.zeros_like(label, dtype=torch.uint8)
            mask[places[chosen.to(places.device)]] = 1
            return mask, len(chosen)

        room = self.inner.batch_size_per_image
        positive, positives = drawn_mask(label >= 1, int(room * self.inner.positive_fraction))
        negative, negatives = drawn_mask(label == 0, room - positives)
        self.positives += positives
        self.negatives += negatives
        return positive, negative
