"""Metrics of a training step other than its losses: speed, memory, processor load, number of anchors and RoIs."""

from __future__ import annotations

import contextlib
import os
import time

import psutil
import torch

from maskrcnn.model.build import StudioRCNN
from maskrcnn.runs.folder import Row


class StepMetrics:
    """Measures the steps of a training, each from one call of `row` to the next. Names and units: see `runs.folder`."""

    def __init__(self, model: StudioRCNN, pictures: int) -> None:
        """`pictures` is the number of pictures in a step."""
        self._model = model
        self._pictures = pictures
        self._process = psutil.Process()
        self._device = next(model.parameters()).device
        self._cores = os.cpu_count() or 1
        self.start()

    def start(self) -> None:
        """Start the measurement of the next step now, for example after a validation."""
        self._since, self._busy = time.perf_counter(), self._cpu_seconds()

    def row(self, waited: float) -> Row:
        """The measures of the step that has just ended, which waited for its pictures for `waited` seconds."""
        now, busy = time.perf_counter(), self._cpu_seconds()
        seconds = max(now - self._since, 1e-9)
        row: Row = {
            "images_per_second": self._pictures / seconds,
            "waiting": min(1.0, waited / seconds),
            "memory_mb": self._memory() / 2**20,
            "processor_percent": min(100.0, 100 * (busy - self._busy) / seconds / self._cores),
        }
        if self._device.type == "cuda":
            with contextlib.suppress(Exception):  # needs an optional package
                row["gpu_percent"] = float(torch.cuda.utilization(self._device))
        for name, sampler in self._model.samplers.items():
            pictures = max(1, sampler.pictures)
            row[f"{name}_positives"] = sampler.positives / pictures
            row[f"{name}_negatives"] = sampler.negatives / pictures
        self._since, self._busy = now, busy
        return row

    def _cpu_seconds(self) -> float:
        """CPU time of this process so far, in seconds."""
        times = self._process.cpu_times()
        return times.user + times.system

    def _memory(self) -> int:
        """Memory in bytes: the maximum on the GPU so far if one is used, otherwise that of the process now."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        return self._process.memory_info().rss
