"""The row of inputs of the RoIPool and RoIAlign page: picture, network, level, grid size, samples and channel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.lessons.roi_pooling import Box
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.learn import feature_map_source
from maskrcnn.studio.learn.feature_map_source import SourceMap
from maskrcnn.studio.learn.pooled_roi import RoiOnMap
from maskrcnn.studio.learn.roi_layout import PAGE, RoiLayout
from maskrcnn.studio.shell import session, url_state

FILTERS = "hand-made filters"
"""Label of the hand-made filters in the list of feature map sources."""


@dataclass(frozen=True)
class RoiChoices:
    """The values of the inputs, and the loaded picture, uint8 RGB `(H, W, 3)`, with its feature maps.

    `network` is None for the hand-made filters. `levels` are the levels of the source. `size` is the number of bins per
    side of the grid, `sampling` the number of samples per side of a bin. `any_network` says whether the list of sources
    has any network.
    """

    image: StoredImage
    picture: np.ndarray
    source: str
    network: RunFolder | None
    levels: tuple[str, ...]
    level: str
    maps: SourceMap
    channel: int
    size: int
    sampling: int
    any_network: bool

    def roi(self, box: Box) -> RoiOnMap:
        """Return a box (xyxy, picture pixels) placed on the chosen channel of the map."""
        maps = self.maps
        return RoiOnMap(
            maps.channels[self.channel], maps.to_network_pixels(box), maps.stride, maps.scale, self.size, self.sampling
        )

    @property
    def roi_level(self) -> int | None:
        """The pyramid level for a box of 224 x 224 pixels (k0 in Lin et al. 2017, equation 1).

        None if the source has no pyramid.
        """
        if self.levels != feature_map_source.LEVELS:
            return None
        return 4 if self.network is None else self.network.config().fpn_roi_level


def show(project: Project, images: dict[str, StoredImage], layout: RoiLayout) -> RoiChoices:
    """Draw the six inputs, and load the picture and its feature maps. `images` maps file names to pictures."""
    runs = [run for run in runs_in(project.runs_folder) if feature_map_source.has_checkpoint(run)]
    networks = network_choice.on_offer(runs)
    columns = layout.controls()
    with columns[0]:
        image = images[url_state.select("Picture", "image", list(images), next(iter(images)), page=PAGE)]
    with columns[1]:
        source = _choose_map_source([*networks, FILTERS])
    network = networks.get(source)
    with session.fail_softly():
        levels = feature_map_source.LEVELS if network is None else feature_map_source.levels_of(network)
    with columns[2]:
        level = _choose_level(levels)
    with columns[3]:
        size = _choose_grid_size()
    with columns[4]:
        sampling = _choose_samples()
    with session.fail_softly():
        path = project.picture(image.id)
        picture = pictures.load(path)
        maps = _chosen_feature_map(network, path, picture, level)
    with columns[5]:
        channel = _choose_channel(maps)
    return RoiChoices(image, picture, source, network, levels, level, maps, channel, size, sampling, bool(networks))


def _choose_map_source(sources: list[str]) -> str:
    """Draw the list of networks and hand-made filters, and return the chosen label."""
    return url_state.select(
        "Feature map of",
        "run",
        sources,
        sources[0],
        page=PAGE,
        help="A trained run, or a network that ships with the studio, shows what it sees. The hand-made filters "
        "need no training: brightness and edges of the picture, averaged over each cell. The arithmetic below is the "
        "same.",
    )


def _choose_level(levels: tuple[str, ...]) -> str:
    """Draw the list of feature map levels, and return the chosen level."""
    return st.selectbox(
        "Level",
        levels,
        index=min(2, len(levels) - 1),
        key=f"{PAGE}_level_{len(levels)}_{levels[0]}",
        persist_state="session",
        help="P2 has one cell for each 4 pixels of the picture as the network sees it, P3 for 8, P4 for 16, P5 for "
        "32; so have C4 and C5, the only map of a network without a pyramid.",
    )


def _choose_grid_size() -> int:
    """Draw the list of grid sizes, and return the chosen number of bins per side."""
    return st.selectbox(
        "Grid",
        (2, 3, 5, 7),
        index=1,
        format_func=_side_in_words,
        key=f"{PAGE}_size",
        persist_state="session",
        help="Bins of the pooled grid. The box head of Mask R-CNN uses 7 × 7, the mask head 14 × 14.",
    )


def _choose_samples() -> int:
    """Draw the list of sampling densities, and return the chosen number of samples per side of a bin."""
    return st.selectbox(
        "Samples",
        (1, 2, 3, 4),
        index=1,
        format_func=_side_in_words,
        key=f"{PAGE}_samples",
        persist_state="session",
        help="Points in each bin where RoIAlign and RoIWarp read the map. Mask R-CNN uses 2 × 2.",
    )


def _side_in_words(side: int) -> str:
    """Return the label of a choice of grid size or samples: `3 × 3`."""
    return f"{side} × {side}"


def _chosen_feature_map(network: RunFolder | None, path: Path, picture: np.ndarray, level: str) -> SourceMap:
    """Return the feature map of the chosen picture and level, from the network or, if it is None, hand-made filters."""
    if network is None:
        return feature_map_source.from_filters(picture, level)
    return feature_map_source.from_run(network, path, level)


def _choose_channel(maps: SourceMap) -> int:
    """Draw the list of channels, and return the index of the chosen channel."""
    chosen = st.selectbox(
        "Channel",
        [-1, *range(len(maps.channels))],
        format_func=maps.channel_name,
        key=f"{PAGE}_channel_{len(maps.channels)}",
        persist_state="session",
        help="A map has many channels, all pooled alike. The strongest is the one whose values vary most.",
    )
    return maps.strongest if chosen < 0 else chosen
