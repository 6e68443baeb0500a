"""The feature maps of the RoIPool and RoIAlign page: those of a trained network, or of filters that need none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.lessons.hand_made_maps import FILTERS, hand_made_maps
from maskrcnn.lessons.roi_pooling import Box
from maskrcnn.runs.checkpoint_header import checkpoint_of_run
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components import trained_networks
from maskrcnn.studio.shell.file_stamps import stamp

LEVELS = ("P2", "P3", "P4", "P5")
"""The levels of a feature pyramid that boxes are read from; the hand-made maps come in the same strides."""

STRIDES = {level: 2 ** int(level[1]) for level in LEVELS}


@dataclass(frozen=True)
class LevelMap:
    """One feature map of one picture.

    `channels` (C, h, w) float32; `stride` is pixels per cell of the picture as the network sees it, which is the
    picture times `scale` (sx, sy). `names` are those of the channels, None where they only have numbers.
    """

    channels: np.ndarray
    stride: int
    scale: tuple[float, float]
    names: tuple[str, ...] | None

    @property
    def strongest(self) -> int:
        """The channel whose values vary most: the one in which there is most to see."""
        return int(self.channels.std(axis=(1, 2)).argmax())

    def channel_name(self, channel: int) -> str:
        """The name of a channel; -1 stands for the strongest one."""
        if channel < 0:
            return f"strongest ({self.names[self.strongest] if self.names else self.strongest})"
        return self.names[channel] if self.names else f"channel {channel}"

    def seen(self, box: Box) -> Box:
        """A box of the picture in pixels of what the network sees."""
        sx, sy = self.scale
        return box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy


def from_filters(picture: np.ndarray, level: str) -> LevelMap:
    """The hand-made maps of the picture at that level's stride."""
    return LevelMap(hand_made_maps(picture, STRIDES[level]), STRIDES[level], (1.0, 1.0), FILTERS)


def levels_of(run: RunFolder) -> tuple[str, ...]:
    """The maps that the run's network reads boxes from: P2 to P5 of a pyramid, or the only one, C4 or C5."""
    return tuple(name for key, name in run.config().level_names.items() if key != "pool")


def from_run(run: RunFolder, picture: Path, level: str) -> LevelMap:
    """The map of that level that the run's best network makes of a picture. Loads torch at the first call."""
    checkpoint = checkpoint_of_run(run.path)
    found = _pyramid(str(checkpoint), stamp(checkpoint), str(picture), stamp(picture))
    return LevelMap(found.maps[level], found.strides[level], found.scale, None)


def has_network(run: RunFolder) -> bool:
    """Whether the run has written a checkpoint."""
    return run.best.is_file() or bool(run.checkpoints())


@st.cache_data(max_entries=4, show_spinner="Running the picture through the network")
def _pyramid(checkpoint: str, changed: int, picture: str, picture_changed: int) -> Any:
    """The maps of all levels. The stamps of the two files are part of the key: a changed file is read again."""
    from maskrcnn.model import features

    return features(trained_networks.network(checkpoint, changed), pictures.load(picture))
