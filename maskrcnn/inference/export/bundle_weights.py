"""The weights of a bundle that somebody sent: whether they are those of the network that they describe."""

from __future__ import annotations

from pathlib import Path

from maskrcnn.model.weights.network_checkpoints import network_of, open_checkpoint


def check_weights(file: Path) -> None:
    """Raise `StudioError` if the tensors of a weights file do not fit its own description or are not finite."""
    network_of(open_checkpoint(file))
