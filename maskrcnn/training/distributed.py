"""One process, or several that learn together, each on its share of every batch (`torchrun`)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from maskrcnn.errors import ArgumentError

Item = TypeVar("Item")

PATIENCE = timedelta(hours=2)
"""How long the others wait for one of them, which may be reading labels or validating."""


class Team:
    """This process is number `rank` of `size`. What follows costs nothing where it is alone."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank = rank
        self.size = size

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes the run folder and speaks."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """This process's part of what all of them have."""
        return items[self.rank :: self.size]

    def wrap(self, model: nn.Module) -> nn.Module:
        """`model` with its gradients averaged over the team; made anew whenever other layers learn."""
        if self.size == 1 or not any(p.requires_grad for p in model.parameters()):
            return model
        device = next(model.parameters()).device
        return DistributedDataParallel(model, [device] if device.type == "cuda" else None)

    def equalise(self, model: nn.Module) -> None:
        """Give every process the weights of the first one."""
        if self.size > 1:
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, 0)

    def mean(self, values: Sequence[float]) -> list[float]:
        """The mean of each value over the team."""
        return [value / self.size for value in self.total(values)]

    def total(self, values: Sequence[float]) -> list[float]:
        """The sum of each value over the team."""
        if self.size == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=_device())
        dist.all_reduce(sums)
        return sums.tolist()

    def largest(self, values: Sequence[int]) -> tuple[int, ...]:
        """The largest of each value over the team."""
        if self.size == 1:
            return tuple(values)
        most = torch.tensor(values, device=_device())
        dist.all_reduce(most, dist.ReduceOp.MAX)
        return tuple(most.tolist())

    def gather(self, items: list[Item]) -> list[Item]:
        """What each process has, of all of them, in every process."""
        if self.size == 1:
            return items
        gathered: list[Any] = [None] * self.size
        dist.all_gather_object(gathered, items)
        return [item for part in gathered for item in part]

    def balance(self, parts: dict[str, Tensor], counts: dict[str, int]) -> dict[str, Tensor]:
        """The losses, so weighted that their mean over the team is the mean over all that was sampled.

        `counts`: how many samples each loss is a mean of, in this process.
        """
        if self.size == 1:
            return parts
        sums = self.total([float(counts[name]) for name in parts])
        return {
            name: loss * (counts[name] * self.size / total if total else 1.0)
            for (name, loss), total in zip(parts.items(), sums, strict=True)
        }

    def wait(self) -> None:
        """Until all have come here."""
        if self.size > 1:
            dist.barrier()

    def leave(self) -> None:
        """End the team. All come here together: gloo fails now and then where one has gone before the others."""
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()


def join(device: torch.device) -> tuple[Team, torch.device]:
    """The team that `torchrun` has started, or this process alone; and the device of this process."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team(), device
    rank, here = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    if device.type == "cuda":
        if here >= torch.cuda.device_count():
            raise ArgumentError(
                f"torchrun started more processes than there are cards ({torch.cuda.device_count()}); give it "
                "--nproc-per-node of that number"
            )
        device = torch.device("cuda", here)
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    return Team(rank, size), device


def _device() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
