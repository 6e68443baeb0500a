"""Distributed training: several processes (`torchrun`) train one network together, each on its share of every batch."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.runs.epochs_and_passes import pictures_per_step
from maskrcnn.words import counted

Item = TypeVar("Item")

PATIENCE = timedelta(hours=2)
"""Maximum time that processes wait for another one, which may be reading labels or validating."""


class Team:
    """Process number `rank` of the `size` processes that train one network. With a size of 1, no method waits."""

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
        """`model` wrapped so that the gradients of its trained layers are averaged over the team.

        Wrap `model` again after the trained layers have changed.
        """
        if self.size == 1 or not any(p.requires_grad for p in model.parameters()):
            return model
        device = next(model.parameters()).device
        return DistributedDataParallel(model, [device] if device.type == "cuda" else None)

    def broadcast_weights(self, model: nn.Module) -> None:
        """Copy the weights of the first process to all processes."""
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
        sums = torch.tensor(values, dtype=torch.float64, device=_device_of_messages())
        dist.all_reduce(sums)
        return sums.tolist()

    def largest(self, values: Sequence[int]) -> tuple[int, ...]:
        """The largest of each value over the team."""
        if self.size == 1:
            return tuple(values)
        most = torch.tensor(values, device=_device_of_messages())
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
        """Scale the losses of this process so that their mean over the team is the mean over all samples of the team.

        A loss in `parts` is a mean over the samples of this process, and `counts` is the number of these samples
        (`losses.loss_sample_counts`). Processes with more samples get a larger factor.
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
        """End the team, after all processes have called this: gloo sometimes fails if one process ends earlier."""
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()


def join(device: torch.device) -> tuple[Team, torch.device]:
    """The team of processes that `torchrun` has started (one process without it), and the device of this process.

    Raises `ArgumentError` if there are more processes than GPUs.
    """
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


def _device_of_messages() -> torch.device:
    """The device of the tensors that the processes exchange."""
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")


def refuse_uneven(config: Config, documents: dict[str, Any], team: Team) -> None:
    """Raise `ArgumentError` if the processes of the team cannot share each batch evenly."""
    batch = pictures_per_step(config.batch_size, len(documents["train"]["images"]))
    if batch % team.size:
        raise ArgumentError(
            f"{team.size} processes cannot share batches of {counted(batch, 'picture')} evenly; give --set "
            f"batch_size={math.ceil(batch / team.size) * team.size}"
        )
