"""One process, or several that train one network together, each on its share of every batch (`torchrun`)."""

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
"""How long the other processes wait for one, which may be reading labels or validating."""


class Team:
    """Process number `rank` of `size` that train one network. In a team of one every method returns at once."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank = rank
        self.size = size

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes the run folder and prints."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the items that this process handles: every `size`-th item.

        >>> Team(rank=1, size=2).share(["a", "b", "c", "d"])
        ['b', 'd']
        """
        return items[self.rank :: self.size]

    def wrap(self, model: nn.Module) -> nn.Module:
        """`model` with its gradients averaged over the team. Call it again whenever other layers learn."""
        if self.size == 1 or not any(p.requires_grad for p in model.parameters()):
            return model
        device = next(model.parameters()).device
        return DistributedDataParallel(model, [device] if device.type == "cuda" else None)

    def broadcast_weights(self, model: nn.Module) -> None:
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
        """The items of all processes, in every process."""
        if self.size == 1:
            return items
        gathered: list[Any] = [None] * self.size
        dist.all_gather_object(gathered, items)
        return [item for part in gathered for item in part]

    def balance(self, parts: dict[str, Tensor], counts: dict[str, int]) -> dict[str, Tensor]:
        """The losses weighted so that their mean over the team is the mean over all samples of the team.

        `counts`: number of samples whose mean each loss is, in this process.
        """
        if self.size == 1:
            return parts
        sums = self.total([float(counts[name]) for name in parts])
        return {
            name: loss * (counts[name] * self.size / total if total else 1.0)
            for (name, loss), total in zip(parts.items(), sums, strict=True)
        }

    def wait(self) -> None:
        """Return when every process of the team has called this."""
        if self.size > 1:
            dist.barrier()

    def leave(self) -> None:
        """End the team. All processes wait for each other first: gloo sometimes fails where one has ended before."""
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
