"""Batches of samples for a training, which threads prepare while the network computes.

The pictures of batch n and their random changes depend only on the seed and on n, so a resumed run continues with the
same batches, and several processes can share each batch.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from maskrcnn.config import Config
from maskrcnn.runs.epochs_and_passes import pictures_per_step
from maskrcnn.training.labelled_samples import LabelledSamples, Target

READ_AHEAD = 2
"""Number of batches that are prepared in advance."""


@dataclass(frozen=True)
class Batch:
    """A batch: `samples` of `LabelledSamples`, with a seed (for sampling anchors and RoIs) and a file name for each."""

    samples: list[tuple[Tensor, Target]]
    seeds: list[int]
    names: list[str]


class BatchLoader:
    """An endless iterator over batches, starting with batch `first` (the first one is 0). Close it, or use `with`.

    Process `rank` of `size` gets every `size`-th picture of each batch. `threads` read pictures; with 0, the calling
    thread does. `waited` is the time in seconds that the caller waited for the last batch.
    """

    def __init__(
        self, samples: LabelledSamples, config: Config, first: int = 0, rank: int = 0, size: int = 1, threads: int = 1
    ) -> None:
        self.samples = samples
        self.waited = 0.0
        self._seed = config.seed
        self._share = slice(rank, None, size)
        self._numbers = itertools.count(first)
        self._order = itertools.islice(batch_order(samples.images, config.batch_size, config.seed), first, None)
        self._ahead: deque[tuple[list[int], list[int], list[Future[Any]]]] = deque()
        self._pool = ThreadPoolExecutor(threads, "loader", torch.set_num_threads, (1,)) if threads else None
        if self._pool:
            # Each reading thread shall use one thread of torch; torch also applies this setting to other new threads.
            mine = torch.get_num_threads()
            self._pool.submit(int).result()
            torch.set_num_threads(mine)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        began = time.perf_counter()
        while len(self._ahead) <= (READ_AHEAD if self._pool else 0):
            self._ahead.append(self._begin(next(self._order)[self._share], next(self._numbers)))
        indices, seeds, pending = self._ahead.popleft()
        samples = [future.result() for future in pending]
        self.waited = time.perf_counter() - began
        return Batch(samples, seeds, [self.samples.images[index]["file_name"] for index in indices])

    def _begin(self, indices: list[int], number: int) -> tuple[list[int], list[int], list[Future[Any]]]:
        """Start to read the samples of batch `number`: its indices, its seeds and the pending samples."""
        draws = [random.Random(f"{self._seed} {number} {index}") for index in indices]
        seeds = [draw.getrandbits(60) for draw in draws]
        pending: list[Future[Any]] = []
        for index, draw in zip(indices, draws, strict=True):
            if self._pool:
                pending.append(self._pool.submit(self.samples.sample, index, draw))
            else:
                pending.append(Future())
                pending[-1].set_result(self.samples.sample(index, draw))
        return indices, seeds, pending

    def __enter__(self) -> BatchLoader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads. Samples that no thread has begun are not read."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)


def batch_order(images: Sequence[dict[str, Any]], batch_size: int, seed: int) -> Iterator[list[int]]:
    """The picture indices of each batch, without end. Each pass has every picture once, in a new random order.

    Portrait and landscape pictures are in different batches, because a batch is padded to its largest height and width.
    The rest of a pass that does not fill a batch is put into a batch of the next pass, so every batch is full.
    """
    order = random.Random(seed)
    full = pictures_per_step(batch_size, len(images))
    waiting: dict[bool, list[int]] = {False: [], True: []}
    while True:
        indices = list(range(len(images)))
        order.shuffle(indices)
        for index in indices:
            group = waiting[images[index]["height"] > images[index]["width"]]
            group.append(index)
            if len(group) >= full:
                yield list(group)
                group.clear()


def loader_threads(config: Config, device: torch.device) -> int:
    """The number of threads that read pictures: `config.loader_threads`, or a default that depends on the device and on
    the processor cores of this computer.

    With a GPU nearly all cores are free for reading.
    """
    if config.loader_threads is not None:
        return config.loader_threads
    cores = os.cpu_count() or 1
    return max(1, min(8, cores - 1)) if device.type == "cuda" else max(1, min(4, cores // 4))
