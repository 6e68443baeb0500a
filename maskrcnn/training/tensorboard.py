"""The rows of a run as events for TensorBoard, where its config asks for them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import TENSORBOARD, Row, RunFolder

PLACES = ("event", "epoch", "step", "progress", "elapsed", "eta", "layers")


def require_tensorboard(config: Config) -> None:
    """`StudioError` where `config` asks for events and nothing here can write them."""
    if config.tensorboard and find_spec("tensorboard") is None:
        raise StudioError("tensorboard is not installed; pip install tensorboard, or leave out tensorboard=true")


class TensorboardEvents:
    """Writes every number of a row: those of steps below `step/`, those of epochs below `epoch/`."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    @classmethod
    def of(cls, run: RunFolder, config: Config) -> TensorboardEvents | None:
        """None where none are asked for. Raises `StudioError` where nothing here can write them."""
        if not config.tensorboard:
            return None
        require_tensorboard(config)
        from torch.utils.tensorboard import SummaryWriter  # slow to load, and seldom there

        rows = run.metrics()
        return cls(SummaryWriter(str(run.path / TENSORBOARD), purge_step=rows[-1]["step"] + 1 if rows else None))

    def add(self, row: Row) -> None:
        for name, value in row.items():
            if name not in PLACES and value is not None:
                self._writer.add_scalar(f"{row['event']}/{name}", value, row["step"])

    def close(self) -> None:
        self._writer.close()
