"""`FoundObjects`, what a network found in one picture, for scripts and notebooks."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from maskrcnn.atomic_files import replacing
from maskrcnn.config import Config
from maskrcnn.drawing.overlays import DISPLAY_SIDE, detection_marks, draw
from maskrcnn.errors import ArgumentError
from maskrcnn.inference.outputs import FoundPicture
from maskrcnn.inference.overlay_files import save_overlay
from maskrcnn.output_files import writing
from maskrcnn.words import counted

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


@dataclass(frozen=True, eq=False, repr=False)
class FoundObjects:
    """The objects that a network found in one picture, best first. In a notebook it shows itself.

    `picture` is uint8 `(H, W, 3)` RGB, as displayed. `detections` are COCO results in its pixels (`model.detect`).
    `config` is that of the network. `name` is the picture's file name, `path` its file; "" and None for an array.

    Indexed with a number, a slice, a list of numbers or a bool array `(N,)`, it gives the `FoundObjects` of these.

    >>> found = FoundObjects(np.zeros((48, 64, 3), np.uint8), (), Config.preset("classroom"))
    >>> found
    <no objects in a picture of 64 x 48 px>
    >>> len(found), found.boxes.shape, found.scores.shape, found.classes
    (0, (0, 4), (0,), ())
    """

    picture: np.ndarray
    detections: tuple[dict[str, Any], ...]
    config: Config
    name: str = ""
    path: Path | None = None

    @property
    def boxes(self) -> np.ndarray:
        """The boxes, float32 `(N, 4)`: left, top, right, bottom, in pixels of the picture."""
        places = np.array([entry["bbox"] for entry in self.detections], np.float64).reshape(-1, 4)
        return np.concatenate([places[:, :2], places[:, :2] + places[:, 2:]], axis=1).astype(np.float32)

    @property
    def scores(self) -> np.ndarray:
        """The scores, float32 `(N,)`."""
        return np.array([entry["score"] for entry in self.detections], np.float32)

    @property
    def labels(self) -> np.ndarray:
        """The numbers of the classes, int64 `(N,)`, from 1."""
        return np.array([entry["category_id"] for entry in self.detections], np.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class name of each object."""
        return tuple(self.config.names[entry["category_id"] - 1] for entry in self.detections)

    @property
    def masks(self) -> np.ndarray | None:
        """The masks, bool `(N, H, W)`; None if the network has none.

        They are made at each call, and take a byte for each pixel of each object. For a large picture, make them one by
        one: `for one in found: one.masks`.
        """
        if "mask" not in self.config.tasks:
            return None
        made = np.zeros((len(self), *self.picture.shape[:2]), bool)
        for mask, entry in zip(made, self.detections, strict=True):
            mask[:] = coco_mask.decode(entry["segmentation"])
        return made

    @property
    def keypoints(self) -> np.ndarray | None:
        """The keypoints, float32 `(N, K, 3)`: x, y and 2 ("visible"); None if the network has none."""
        if "keypoints" not in self.config.tasks:
            return None
        values = [entry["keypoints"] for entry in self.detections]
        return np.array(values, np.float32).reshape(-1, self.config.num_keypoints, 3)

    @property
    def areas(self) -> np.ndarray:
        """The areas in pixels, float64 `(N,)`: of the masks, or of the boxes if the network has no masks."""
        codes = [entry["segmentation"] for entry in self.detections if "segmentation" in entry]
        if len(codes) == len(self):
            return np.array([coco_mask.area(code) for code in codes], np.float64)
        return np.array([entry["bbox"][2] * entry["bbox"][3] for entry in self.detections], np.float64)

    def above(self, min_score: float) -> FoundObjects:
        """Those with a score of at least `min_score`."""
        return self[self.scores >= np.float32(min_score)]

    def of_class(self, *names: str) -> FoundObjects:
        """Those of some classes. Raises `ArgumentError` if the network has no such class."""
        if unknown := [name for name in names if name not in self.config.names]:
            raise ArgumentError(f'there is no class "{unknown[0]}"; the network has {", ".join(self.config.names)}')
        return self[[place for place, name in enumerate(self.classes) if name in names]]

    def plot(
        self,
        longest: int | None = None,
        masks: bool = True,
        boxes: bool = True,
        labels: bool = True,
        keypoints: bool = True,
        opacity: float = 0.35,
    ) -> Image.Image:
        """The picture with the objects drawn on it, as an RGB image of PIL, which notebooks show.

        `longest` is the length of its longer side in pixels; None: as the picture. `opacity` is that of filled masks.
        """
        marks = detection_marks(self.detections, self.config.names, self.config.keypoint_edges)
        side = max(self.picture.shape[:2]) if longest is None else longest
        shown = {"masks": masks, "boxes": boxes, "labels": labels, "keypoints": keypoints}
        return Image.fromarray(draw(self.picture, marks, **shown, longest=side, opacity=opacity))

    def save(self, path: Path | str) -> Path:
        """Write `plot()` as a PNG, JPEG or WebP file, by the suffix of the path. Returns the path.

        Makes missing folders. Raises `ArgumentError` for another suffix, and if the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in _FORMATS:
            raise ArgumentError(f"{path}: a picture is written as {', '.join(_FORMATS)}; choose such a name")
        if path.suffix.lower() == ".png":
            save_overlay(np.asarray(self.plot()), path)
            return path
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                self.plot().save(temporary, _FORMATS[path.suffix.lower()], quality=95)
        return path

    def to_coco(self, image_id: int = 0) -> list[dict[str, Any]]:
        """The objects in COCO's results format, which JSON holds and pycocotools reads."""
        return [{**entry, "image_id": image_id} for entry in self.detections]

    def for_outputs(self) -> FoundPicture:
        """The same without the pixels, for `inference.outputs`, which writes COCO, CSV, masks and more."""
        height, width = self.picture.shape[:2]
        return FoundPicture(self.name or "picture.png", width, height, self.detections, self.path)

    def __len__(self) -> int:
        return len(self.detections)

    def __iter__(self) -> Iterator[FoundObjects]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, chosen: int | slice | Sequence[int] | Sequence[bool] | np.ndarray) -> FoundObjects:
        """The objects at these places. Raises `IndexError` if there is no such place, as a list does."""
        places = np.arange(len(self))[chosen if isinstance(chosen, slice) else _as_index(chosen)]
        return replace(self, detections=tuple(self.detections[place] for place in np.atleast_1d(places).tolist()))

    def __repr__(self) -> str:
        height, width = self.picture.shape[:2]
        where = self.name or f"a picture of {width} x {height} px"
        number = counted(len(self), "object") if len(self) else "no objects"
        classes = ", ".join(f"{count} {name}" for name, count in Counter(self.classes).most_common())
        return f"<{number} in {where}{': ' if classes else ''}{classes}>"

    def _repr_png_(self) -> bytes:
        """What a notebook shows if this is the last line of a cell: the plot, at most as large as a screen."""
        buffer = io.BytesIO()
        self.plot(min(max(self.picture.shape[:2]), DISPLAY_SIDE)).save(buffer, "PNG")
        return buffer.getvalue()


def _as_index(chosen: Any) -> Any:
    """A number as it is; a sequence of numbers or bools as an array. An empty list chooses nothing."""
    if isinstance(chosen, int | np.integer):
        return int(chosen)
    array = np.asarray(chosen)
    return array.astype(np.int64) if array.size == 0 and array.dtype != bool else array
