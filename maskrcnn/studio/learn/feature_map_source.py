"""The feature maps of the RoIPool and RoIAlign page, made by a trained network or by hand-made filters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.lessons.filter_maps import FILTERS, hand_made_maps
from maskrcnn.lessons.roi_pooling import Box
from maskrcnn.runs.checkpoint_files import best_checkpoint_file
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.shell.file_stamps import stamp

LEVELS = ("P2", "P3", "P4", "P5")
"""The levels of a feature pyramid from which boxes are pooled. Hand-made maps use the same names and strides."""

STRIDES = {level: 2 ** int(level[1]) for level in LEVELS}


@dataclass(frozen=True)
class SourceMap:
    """The feature map of one picture and level, from a network or from hand-made filters.

    `channels` is float32 (C, h, w). `scale` (sx, sy) is the size of the network input divided by the size of the
    picture. `stride` is the size of a cell in pixels of the network input. `names` are the names of the channels, or
    None if they have only numbers.
    """

    channels: np.ndarray
    stride: int
    scale: tuple[float, float]
    names: tuple[str, ...] | None

    @property
    def strongest(self) -> int:
        """The index of the channel with the largest standard deviation, which shows the most structure."""
        return int(self.channels.std(axis=(1, 2)).argmax())

    def channel_name(self, channel: int) -> str:
        """Return the name of a channel; -1 means the strongest channel."""
        if channel < 0:
            return f"strongest ({self.names[self.strongest] if self.names else self.strongest})"
        return self.names[channel] if self.names else f"channel {channel}"

    def to_network_pixels(self, box: Box) -> Box:
        """Convert a box (xyxy) from picture pixels to pixels of the network input."""
        sx, sy = self.scale
        return box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy


def from_filters(picture: np.ndarray, level: str) -> SourceMap:
    """Return the hand-made maps of a picture, uint8 RGB (H, W, 3), with the stride of the level."""
    return SourceMap(hand_made_maps(picture, STRIDES[level]), STRIDES[level], (1.0, 1.0), FILTERS)


def levels_of(run: RunFolder) -> tuple[str, ...]:
    """Return the levels from which the run's network pools boxes: P2 to P5 of a pyramid, or its only map, C4 or C5."""
    return tuple(name for key, name in run.config().level_names.items() if key != "pool")


def from_run(run: RunFolder, picture: Path, level: str) -> SourceMap:
    """Return a level's feature map of a picture file, computed by the run's best network.

    The first call imports PyTorch.
    """
    checkpoint = best_checkpoint_file(run.path)
    found = _maps_of_levels(str(checkpoint), stamp(checkpoint), str(picture), stamp(picture))
    return SourceMap(found.maps[level], found.strides[level], found.scale, None)


def has_checkpoint(run: RunFolder) -> bool:
    """Whether a run has written a checkpoint, so that it can be chosen as the source of feature maps."""
    return run.best.is_file() or bool(run.checkpoints())


@st.cache_data(max_entries=4, show_spinner="Running the picture through the network")
def _maps_of_levels(checkpoint: str, changed: int, picture: str, picture_changed: int) -> Any:
    """Return the feature maps of all levels, computed by the network of a checkpoint.

    `changed` and `picture_changed` are the files' stamps. They are part of the cache key, so changed files are reread.
    """
    from maskrcnn.model import features

    return features(network_choice.network(checkpoint, changed), pictures.load(picture))
