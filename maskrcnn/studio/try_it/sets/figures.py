"""Counts, scores and areas of what a selection keeps in the pictures of a set, quick enough for a slider.

The boxes of each picture are kept in memory, and the area of an object is computed once for each mask threshold, so
another score or another IoU of NMS needs neither the files nor the masks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.measures import DEFAULT_MIN_SCORE
from maskrcnn.studio.try_it.sets import tried_set, works
from maskrcnn.studio.try_it.sets.tried_set import TriedSet
from maskrcnn.studio.try_it.sets.works import Work

if TYPE_CHECKING:
    from maskrcnn.model.candidates import Candidates, Selection

_KEPT = 4000
"""Maximum number of pictures whose boxes are in memory, at most 400 boxes each."""


@dataclass(frozen=True)
class PictureFigures:
    """The objects of one picture that a selection keeps, best score first.

    `labels` int64 `(N,)`, class indices from 1. `scores` and `areas` (pixels) float `(N,)`. `boxes` float32 `(N, 4)`,
    xyxy.
    """

    position: int
    labels: np.ndarray
    scores: np.ndarray
    areas: np.ndarray
    boxes: np.ndarray

    @property
    def lowest(self) -> float:
        """The lowest score; 2 without objects, so that such a picture comes last."""
        return float(self.scores[-1]) if len(self.scores) else 2.0


@dataclass(frozen=True)
class ClassFigures:
    """Figures of a class: number of objects and of pictures with one, and the scores and areas (pixels) `(N,)`."""

    label: int
    pictures: int
    scores: np.ndarray
    areas: np.ndarray


@dataclass(frozen=True)
class SetFigures:
    """The figures of the pictures of a set that were looked at, in the order of the set."""

    pictures: tuple[PictureFigures, ...]

    @property
    def objects(self) -> int:
        """The number of objects."""
        return sum(len(picture.scores) for picture in self.pictures)

    def classes(self) -> list[ClassFigures]:
        """The classes that were found, the most common first."""
        if not self.objects:
            return []
        labels = np.concatenate([picture.labels for picture in self.pictures])
        scores = np.concatenate([picture.scores for picture in self.pictures])
        areas = np.concatenate([picture.areas for picture in self.pictures])
        where = np.repeat(np.arange(len(self.pictures)), [len(picture.labels) for picture in self.pictures])
        rows = [
            ClassFigures(label, len(np.unique(where[labels == label])), scores[labels == label], areas[labels == label])
            for label in np.unique(labels).tolist()
        ]
        return sorted(rows, key=lambda row: (-len(row.scores), row.label))


SORTS = ("name", "count", "confidence")
"""Orders of the gallery: as given; most objects first; lowest score first."""


def ordered(figures: SetFigures, sort: str) -> list[int]:
    """The positions of the pictures in the order of the gallery.

    >>> none, box = np.zeros(0), np.zeros((2, 4))
    >>> empty = PictureFigures(0, none, none, none, np.zeros((0, 4)))
    >>> two = PictureFigures(1, np.array([1, 1]), np.array([0.9, 0.6]), np.array([4, 4]), box)
    >>> ordered(SetFigures((empty, two)), "count"), ordered(SetFigures((empty, two)), "confidence")
    ([1, 0], [1, 0])
    """
    keys: dict[str, Callable[[PictureFigures], float]] = {
        "count": lambda picture: -len(picture.scores),
        "confidence": lambda picture: picture.lowest,
    }
    pictures = sorted(figures.pictures, key=keys[sort]) if sort in keys else figures.pictures
    return [picture.position for picture in pictures]


# Computing


def usual_selection(config: Config) -> Selection:
    """What is selected at first: what the network says, but no lower scores than other pages show at first."""
    from maskrcnn.model.candidates import Selection

    own = Selection.of(config)
    return replace(own, min_score=max(own.min_score, DEFAULT_MIN_SCORE))


@dataclass
class _Boxes:
    """What is kept of a picture: its candidates without masks, and areas by mask threshold (NaN: not computed yet)."""

    candidates: Candidates
    areas: dict[float, np.ndarray] = field(default_factory=dict)


_boxes: OrderedDict[tuple[str, int, int], _Boxes] = OrderedDict()
_lock = threading.Lock()


def measure(
    workspace: Path,
    tried: TriedSet,
    positions: Sequence[int],
    selection: Selection,
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] = bool,
) -> SetFigures:
    """The figures of these pictures of a set. A picture whose file cannot be read is left out."""
    found = []
    for number, position in enumerate(positions):
        if stopped():
            break
        try:
            found.append(_measure(tried_set.candidates_path(workspace, tried.id, position), position, selection))
        except (StudioError, OSError):
            continue
        if progress is not None:
            progress(number + 1, len(positions))
    return SetFigures(tuple(found))


def _measure(path: Path, position: int, selection: Selection) -> PictureFigures:
    """The figures of one picture."""
    about = path.stat()
    key = str(path), about.st_mtime_ns, about.st_size
    with _lock:
        known = _boxes.get(key)
        if known is not None:
            _boxes.move_to_end(key)
    whole = None
    if known is None:
        from maskrcnn.model.candidates import Candidates

        whole = Candidates.open(path)
        known = _Boxes(_without_masks(whole))
        with _lock:
            _boxes[key] = known
            while len(_boxes) > _KEPT:
                _boxes.popitem(last=False)
    kept = known.candidates.kept(selection)
    areas = _areas(path, known, whole, kept, selection.mask_threshold)
    candidates = known.candidates
    return PictureFigures(position, candidates.labels[kept], candidates.scores[kept], areas, candidates.boxes[kept])


def _without_masks(candidates: Candidates) -> Candidates:
    """Boxes, classes and scores alone. `masks` is then empty if the network finds masks, so that this is known."""
    masks = None if candidates.masks is None else candidates.masks[:0]
    return replace(candidates, masks=masks, keypoints=None, keypoint_scores=None)


def _areas(path: Path, known: _Boxes, whole: Candidates | None, kept: np.ndarray, threshold: float) -> np.ndarray:
    """The areas of the kept candidates in pixels, float64 `(N,)`: of their masks, else of their boxes."""
    candidates = known.candidates
    if candidates.masks is None:
        sides = (candidates.boxes[kept, 2:] - candidates.boxes[kept, :2]).astype(float)
        return np.round(sides.prod(axis=1), 2)
    areas = known.areas.get(threshold)
    if areas is None:
        areas = np.full(len(candidates.scores), np.nan)
        if len(known.areas) >= 4:
            known.areas.pop(next(iter(known.areas)))
        known.areas[threshold] = areas
    missing = kept[np.isnan(areas[kept])]
    if len(missing):
        from maskrcnn.model.candidates import Candidates
        from maskrcnn.model.mask_pasting import crop_mask

        whole = whole or Candidates.open(path)
        assert whole.masks is not None
        for place in missing.tolist():
            soft = whole.masks[place].astype(np.float32)
            crop = crop_mask(soft, whole.boxes[place], whole.height, whole.width, whole.legacy, threshold)
            areas[place] = crop.inside.sum()
    return areas[kept]


def prepare(path: Path, config: Config) -> None:
    """Compute the figures of one picture for the usual selection, so that the page has them at once."""
    with suppress(StudioError, OSError):
        _measure(path, 0, usual_selection(config))


# In the background


def figures_of(
    workspace: Path, tried: TriedSet, positions: Sequence[int], selection: Selection, wait: float = 0.4
) -> SetFigures | Work:
    """The figures, if they are there within `wait` seconds; else the work that computes them.

    One set is counted at a time for one selection: another selection takes its place.
    """
    about = (tuple(positions), selection)
    work = works.work_of("counting", workspace, tried.id)
    if work is None or work.about != about or work.job.state in ("failed", "stopped"):
        works.forget(workspace, tried.id, "counting")

        def count(work: Work) -> SetFigures:
            return measure(workspace, tried, positions, selection, work.counted, work.job.stopped)

        work = works.start("counting", workspace, tried.id, count, about)
    work.job.wait(wait)
    if work.job.state == "done" and isinstance(work.job.result, SetFigures):
        return work.job.result
    return work
