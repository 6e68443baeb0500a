"""Whether an exported network finds the same: its objects in some pictures beside those of `model.detect`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import RunFolder
from maskrcnn.toys.worlds import WORLDS

MOST_PIXELS = 0.01
"""Maximum difference of a box, in pixels of the picture."""
LEAST_IOU = 0.999
"""Minimum IoU of two masks of the same object."""
_NEAR = 1e-4
"""Scores differ by less than this through rounding, so an object so close to the minimum may be in one list alone."""
_SEED = 20_000_000
"""A seed of the toy worlds that no training uses."""


@dataclass(frozen=True)
class Agreement:
    """What two lists of objects have in common.

    `objects`: the number of pairs; `box`: the largest difference of a box side, in pixels; `iou`: the lowest IoU of two
    masks, 1.0 without masks; `masks_off`: the number of masks below `LEAST_IOU` that differ in more than one pixel (in
    a small mask, a single pixel whose probability rounds to the other side of 0.5 is more than that); `keypoint`: the
    largest difference of a keypoint, in pixels; `score`: that of a score; `alone`: a phrase for each object that is in
    one list alone.
    """

    objects: int = 0
    box: float = 0.0
    iou: float = 1.0
    masks_off: int = 0
    keypoint: float = 0.0
    score: float = 0.0
    alone: tuple[str, ...] = ()

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.objects + other.objects,
            max(self.box, other.box),
            min(self.iou, other.iou),
            self.masks_off + other.masks_off,
            max(self.keypoint, other.keypoint),
            max(self.score, other.score),
            self.alone + other.alone,
        )

    def fault(self) -> str | None:
        """What differs by more than rounding, as a phrase; None if both lists are the same."""
        if self.alone:
            return self.alone[0]
        if self.box > MOST_PIXELS:
            return f"a box differs by {self.box:.3g} px, more than {MOST_PIXELS} px"
        if self.masks_off:
            return f"two masks of an object have an IoU of {self.iou:.4f}, less than {LEAST_IOU}"
        return None


def agreement(
    config: Config, ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], exporter: str
) -> Agreement:
    """Compare the objects of one picture: `ours` as `model.detect` returns them, `theirs` from an exported network.

    An object of `theirs` has `label`, `score`, `box` (xyxy) and, if the network has them, `mask` (bool `(H, W)`) and
    `keypoints` `(K, 2)`, all in pixels of the picture. `exporter` names the other program in phrases.

    >>> thing = {"category_id": 1, "score": 0.9, "bbox": [2.0, 3.0, 4.0, 5.0]}
    >>> same = {"label": 1, "score": 0.9, "box": [2.0, 3.0, 6.0, 8.0]}
    >>> agreement(Config.preset("classroom", tasks=("box",)), [thing], [same], "ONNX Runtime").objects
    1
    """
    least = config.detection_min_confidence
    if ours and len(ours) >= config.detection_max_instances:
        least = max(least, min(found["score"] for found in ours))
    left = list(range(len(theirs)))
    total, alone = Agreement(), []
    for found in ours:
        x, y, width, height = found["bbox"]
        box = np.array([x, y, x + width, y + height])
        distances = {
            number: float(np.abs(np.asarray(theirs[number]["box"]) - box).max())
            for number in left
            if theirs[number]["label"] == found["category_id"]
        }
        number = min(distances, key=lambda number: distances[number], default=-1)
        # A box that is off by pixels is another object, so the phrase says that one is missing.
        if number < 0 or distances[number] > 1:
            if found["score"] > least + _NEAR:
                name = config.names[found["category_id"] - 1]
                alone.append(f'{exporter} does not find the "{name}" of score {found["score"]:.4f}')
            continue
        left.remove(number)
        total += _pair(found, theirs[number], distances[number])
    for number in left:
        extra = theirs[number]
        if extra["score"] > least + _NEAR:
            name = config.names[extra["label"] - 1]
            alone.append(f'{exporter} finds a "{name}" of score {extra["score"]:.4f} more')
    return total + Agreement(alone=tuple(alone))


def _pair(found: Mapping[str, Any], other: Mapping[str, Any], distance: float) -> Agreement:
    """The `Agreement` of one object that is in both lists."""
    iou, keypoint, off = 1.0, 0.0, False
    if "segmentation" in found and "mask" in other:
        mask = coco_mask.decode(found["segmentation"]).astype(bool)
        union = (mask | other["mask"]).sum()
        iou = float((mask & other["mask"]).sum() / union) if union else 1.0
        off = iou < LEAST_IOU and int((mask ^ other["mask"]).sum()) > 1
    if "keypoints" in found and "keypoints" in other:
        places = np.reshape(found["keypoints"], (-1, 3))[:, :2]
        keypoint = float(np.abs(places - other["keypoints"]).max())
    return Agreement(1, distance, iou, int(off), keypoint, abs(found["score"] - other["score"]))


def pictures_to_compare(config: Config, run: RunFolder | None, most: int = 3) -> list[np.ndarray]:
    """Pictures to compare on, uint8 `(H, W, 3)` RGB: the first of the run's own that can be read, else drawn ones.

    The run's own are its validation pictures, or some training pictures if it has none. Toy worlds fill up to `most`.
    """
    found = list(_pictures_of_run(run, most)) if run is not None else []
    world = WORLDS["people" if "keypoints" in config.tasks else "shapes"]
    return [*found, *(world.draw(_SEED, number)[0] for number in range(most - len(found)))]


def _pictures_of_run(run: RunFolder, most: int) -> Iterator[np.ndarray]:
    """The first `most` pictures of a run that can be read."""
    images: Iterable[Mapping[str, Any]] = ()
    try:
        images = run.shown()["images"]
    except StudioError:  # its labels are damaged; they are not needed here
        return
    for image in images:
        if most == 0:
            return
        try:
            picture = pictures.load(run.picture_path(dict(image)))
        except (StudioError, OSError, KeyError):  # moved or not sent along
            continue
        most -= 1
        yield picture
