"""Write the metrics rows of a run as events for TensorBoard, if its config has `tensorboard`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import TENSORBOARD, Row, RunFolder

POSITION_FIELDS = ("event", "epoch", "step", "progress", "elapsed", "eta", "layers")
"""Fields of a row that are not written as events."""


def require_tensorboard(config: Config) -> None:
    """Raise `StudioError` if `config` has `tensorboard` and the package is not installed."""
    if config.tensorboard and find_spec("tensorboard") is None:
        raise StudioError("tensorboard is not installed; pip install tensorboard, or leave out tensorboard=true")


class TensorboardEvents:
    """Writes the numbers of metrics rows as TensorBoard events, named `step/FIELD` or `epoch/FIELD`."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    @classmethod
    def of(cls, run: RunFolder, config: Config) -> TensorboardEvents | None:
        """The writer for `run`; None without `config.tensorboard`. Raises `StudioError` if the package is missing."""
        if not config.tensorboard:
            return None
        require_tensorboard(config)
        from torch.utils.tensorboard import SummaryWriter  # slow to import, and optional

        rows = run.metrics()
        return cls(SummaryWriter(str(run.path / TENSORBOARD), purge_step=rows[-1]["step"] + 1 if rows else None))

    def add(self, row: Row) -> None:
        """Write the numbers of a row."""
        for name, value in row.items():
            if name not in POSITION_FIELDS and value is not None:
                self._writer.add_scalar(f"{row['event']}/{name}", value, row["step"])

    def close(self) -> None:
        self._writer.close()
