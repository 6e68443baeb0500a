"""The pictures without labels in the order in which they should be labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.studio.annotate.hints.networks import Network
from maskrcnn.studio.label_next.look_queue import unlabelled

SHOWN = 24
"""Maximum number of pictures in the list."""


@dataclass(frozen=True)
class RankedPicture:
    """A picture without labels, and why it stands where it does, in words."""

    image: StoredImage
    reason: str


@dataclass(frozen=True)
class Overview:
    """How many pictures of a project have labels, and how many of the others a network has looked at."""

    labelled: int
    unlabelled: int
    looked_at: int
    waiting: int
    """Pictures with or without labels that the network has not looked at."""


def overview(project: Project, network: Network, images: Sequence[StoredImage]) -> Overview:
    """Count the pictures."""
    ready = project.looked_at(network.key, network.state)
    bare = unlabelled(images)
    seen = sum(image.id in ready for image in bare)
    waiting = sum(image.id not in ready for image in images)
    return Overview(len(images) - len(bare), len(bare), seen, waiting)


def ranked(project: Project, network: Network, images: Sequence[StoredImage]) -> list[RankedPicture]:
    """Return the first `SHOWN` pictures to label, of those that the network has looked at."""
    by_id = {image.id: image for image in images}
    bare = tuple(image.id for image in unlabelled(images))
    ready = project.looked_at(network.key, network.state)
    key = hash((bare, tuple(by_id), frozenset(ready)))  # quicker than Streamlit's own for 10,000 pictures
    order = _ranked(str(project.folder), network.key, network.state, key, bare, tuple(by_id))
    return [RankedPicture(by_id[number], reason) for number, reason in order]


@st.cache_data(max_entries=8, show_spinner="Comparing the pictures")
def _ranked(
    folder: str, network: str, state: str, key: int, _bare: Sequence[int], _present: Sequence[int]
) -> list[tuple[int, str]]:
    """Return (picture id, reason), the picture that should be labelled first at the beginning.

    `_bare` are the pictures without labels, `_present` all of the project. `key` stands for them, and for those that
    the network has looked at: it tells when to rank anew.
    """
    from maskrcnn.inference.next_pictures import Look, rank

    looks = Project(Path(folder)).kept_looks(network, state)
    wanted = set(_bare)
    own = {
        number: Look(looks[number].features, tuple({"score": float(score)} for score in looks[number].scores))
        for number in _bare
        if number in looks
    }
    known = [looks[number].features for number in _present if number in looks and number not in wanted]
    return [(entry.key, entry.reason) for entry in rank(own, known, SHOWN)]
