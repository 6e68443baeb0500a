"""The files of one picture: its overlay, a cut-out of each object, and its label mask. Written as it is found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from maskrcnn.drawing.overlays import Edges, detection_marks, draw
from maskrcnn.inference.outputs.cutouts import CUTOUTS, cutouts
from maskrcnn.inference.outputs.file_stems import require_inside
from maskrcnn.inference.outputs.found_picture import FoundPicture, require_kinds
from maskrcnn.inference.outputs.label_masks import MASKS, label_mask
from maskrcnn.inference.overlay_files import save_overlay


def write_picture_files(
    kinds: Collection[str],
    found: FoundPicture,
    picture: np.ndarray,
    classes: Sequence[str],
    colours: Sequence[str] | None,
    folder: Path,
    stem: str,
    edges: Edges = (),
) -> list[Path]:
    """Write the overlay, the cut-outs and the label mask of a picture, as far as `kinds` has them. Returns the files.

    `picture` is uint8 `(H, W, 3)` RGB. `classes` and `colours` (#rrggbb; None: those of the studio) are those of the
    category ids 1, 2, ...; `edges` are the limbs between keypoints. The files are `STEM.png`,
    `cutouts/STEM_001_CLASS.png` and so on, and `masks/STEM.png`, below `folder`. Each is written whole or not at all,
    an existing one is replaced, and `is_overlay` knows all of them, so that they are not predicted the next time.

    Raises `ArgumentError` for an unknown kind, for a stem outside of the folder, and if a file cannot be written.
    """
    require_kinds(kinds)
    require_inside(stem)
    written = []
    if "overlays" in kinds:
        written.append(folder / f"{stem}.png")
        save_overlay(overlay(found, picture, classes, colours, edges), written[-1])
    if "cutouts" in kinds:
        for cut in cutouts(found, classes, stem):
            written.append(folder / CUTOUTS / cut.file)
            save_overlay(cut.pixels(picture), written[-1])
    if "masks" in kinds:
        written.append(folder / MASKS / f"{stem}.png")
        save_overlay(label_mask(found), written[-1])
    return written


def overlay(
    found: FoundPicture,
    picture: np.ndarray,
    classes: Sequence[str],
    colours: Sequence[str] | None = None,
    edges: Edges = (),
) -> np.ndarray:
    """The picture with its detections drawn on it, uint8 `(H, W, 3)` RGB of the same size.

    The arguments are those of `write_picture_files`.
    """
    marks = detection_marks(found.detections, classes, edges)
    if colours is not None:
        marks = [
            replace(mark, colour=colours[entry["category_id"] - 1])
            for mark, entry in zip(marks, found.detections, strict=True)
        ]
    return draw(picture, marks, longest=max(picture.shape[:2]))
