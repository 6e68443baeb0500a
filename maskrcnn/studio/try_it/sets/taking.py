"""Taking away what was found in a set: the zip with the chosen kinds of files, and the drawn video."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from maskrcnn.annotations import pictures
from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.try_it.sets import tried_set, works
from maskrcnn.studio.try_it.sets.tried_set import TriedSet
from maskrcnn.studio.try_it.sets.works import Work

if TYPE_CHECKING:
    from maskrcnn.inference.outputs import FoundPicture, Scale
    from maskrcnn.model.candidates import Selection

ZIP, VIDEO = "taken.zip", "drawn.webm"


@dataclass(frozen=True)
class Taken:
    """What is taken away: the pictures (positions), the selection, the kinds of files, the colours and the scale."""

    positions: tuple[int, ...]
    selection: Selection
    kinds: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    scale: Scale | None = None


class FoundPictures(Sequence["FoundPicture"]):
    """Pictures of a set with what a selection keeps in them, made when they are asked for, so that memory stays flat.

    The files are those of the pictures, unless these are gone.
    """

    def __init__(
        self,
        workspace: Path,
        project: Project | None,
        tried: TriedSet,
        positions: Sequence[int],
        selection: Selection,
    ) -> None:
        self._workspace, self._project, self._tried = workspace, project, tried
        self._positions, self._selection = positions, selection

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, number: int) -> FoundPicture: ...
    @overload
    def __getitem__(self, number: slice) -> list[FoundPicture]: ...
    def __getitem__(self, number: int | slice) -> FoundPicture | list[FoundPicture]:
        if isinstance(number, slice):
            return [self[place] for place in range(*number.indices(len(self)))]
        return self._at(self._positions[number])

    def _at(self, position: int) -> FoundPicture:
        """The picture at a position of the set. Raises `StudioError` if what was found in it cannot be read."""
        from maskrcnn.inference.outputs import FoundPicture
        from maskrcnn.model.candidates import Candidates

        about = self._tried.pictures[position]
        found = Candidates.open(tried_set.candidates_path(self._workspace, self._tried.id, position))
        try:
            path: Path | None = tried_set.picture_path(self._workspace, self._project, self._tried, position)
        except StudioError:
            path = None
        entries = tuple(found.select(self._selection, position + 1))
        return FoundPicture(about.name, found.width, found.height, entries, path)


def start_zip(workspace: Path, project: Project | None, tried: TriedSet, taken: Taken) -> Work:
    """Start to write the zip of a set. `project` is the set's project."""
    return works.start("taking", workspace, tried.id, lambda work: _zip(work, workspace, project, tried, taken), taken)


def start_video(workspace: Path, project: Project | None, tried: TriedSet, taken: Taken) -> Work:
    """Start to draw the objects into a video, frame by frame."""
    return works.start(
        "drawing", workspace, tried.id, lambda work: _video(work, workspace, project, tried, taken), taken
    )


def kinds_of(tasks: Collection[str]) -> dict[str, str]:
    """The kinds of files that can be taken away, each with its words."""
    words = {
        "overlays": "pictures with the objects drawn on them (PNG)",
        "cutouts": "each object cut out, with transparency (PNG)",
        "masks": "label masks: each pixel is the number of its object (PNG)",
        "coco": "COCO (JSON)",
        "via": "VIA (JSON)",
        "labelme": "labelme (JSON for each picture)",
        "yolo": "YOLO (text for each picture)",
        "csv": "table of all objects (CSV)",
    }
    from maskrcnn.inference.outputs import KINDS

    return {kind: words.get(kind, kind) for kind in KINDS}


def _zip(work: Work, workspace: Path, project: Project | None, tried: TriedSet, taken: Taken) -> Path:
    """Write the zip, and return its path."""
    from maskrcnn.inference.outputs import TakeAwayStopped, take_away

    target = tried_set.folder_of(workspace, tried.id) / ZIP
    found = FoundPictures(workspace, project, tried, taken.positions, taken.selection)
    try:
        return take_away(
            taken.kinds,
            found,
            _pixels,
            tried.config,
            list(taken.colours) or None,
            target,
            work.counted,
            work.job.stopped,
            taken.scale,
        )
    except TakeAwayStopped:
        raise HintStopped from None


def _pixels(found: FoundPicture) -> np.ndarray:
    """The pixels of a picture of a set."""
    if found.path is None:
        raise StudioError(f"{found.name}: the picture is not there any more, so nothing is drawn on it")
    return pictures.load(found.path)


def _video(work: Work, workspace: Path, project: Project | None, tried: TriedSet, taken: Taken) -> Path:
    """Write the video, and return its path."""
    from maskrcnn.inference.outputs import overlay
    from maskrcnn.inference.video_frames import video_writer

    assert tried.video is not None
    target = tried_set.folder_of(workspace, tried.id) / VIDEO
    config = tried.config
    found = FoundPictures(workspace, project, tried, taken.positions, taken.selection)
    with video_writer(target, tried.video.fps) as write:
        for number, picture in enumerate(found):
            if work.job.stopped():
                raise HintStopped
            work.counted(number, len(found))
            write(overlay(picture, _pixels(picture), config.names, list(taken.colours) or None, config.keypoint_edges))
    return target
