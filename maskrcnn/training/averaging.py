"""The exponential moving average of the weights, which varies less from step to step than the weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class RunningMean:
    """An exponential moving average of a network's floating point weights and statistics (Polyak and Juditsky 1992).

    torch's `AveragedModel` keeps a copy of the whole network. This class keeps only tensors, which replace the weights
    in the context `in_place`. With a decay of 0 it keeps nothing.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._live = [tensor for tensor in model.state_dict(keep_vars=True).values() if tensor.is_floating_point()]
        self.mean = [tensor.detach().clone() for tensor in self._live] if decay else []

    @torch.no_grad()
    def update(self) -> None:
        """Update the average with the current weights, after a step.

        The decay is smaller in the first steps, so that the random initial weights soon have no influence.
        """
        if self.mean:
            self.updates += 1
            decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
            torch._foreach_lerp_(self.mean, [tensor.detach() for tensor in self._live], 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """A context in which the network has the average in place of its weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        """Exchange the weights of the network with the average."""
        for place, tensor in enumerate(self._live if self.mean else []):
            tensor.data, self.mean[place] = self.mean[place], tensor.data

    def state(self) -> dict[str, int | list[Tensor]]:
        """The average as a dictionary for `restore`, to resume the run."""
        return {"updates": self.updates, "mean": self.mean}

    def restore(self, state: dict[str, int | list[Tensor]]) -> None:
        """Continue from the `state` of an earlier attempt."""
        updates, mean = state["updates"], state["mean"]
        assert isinstance(updates, int)
        assert isinstance(mean, list)
        self.updates = updates
        for tensor, saved in zip(self.mean, mean, strict=True):
            tensor.copy_(saved)
