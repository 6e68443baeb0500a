"""Masks of SAM-like networks through the package `osam`, which the studio neither needs nor installs.

osam (https://github.com/wkentaro/osam) downloads the weights of a network when it is used for the first time.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence

import numpy as np

from maskrcnn.annotations.hints.box_outline import Strokes
from maskrcnn.annotations.hints.mask_outline import outline_of
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Shape
from maskrcnn.errors import StudioError

NETWORKS = ("efficientsam:10m", "efficientsam:latest", "sam2:tiny", "sam:latest")
"""Names of networks that osam offers for prompts of boxes and points."""

HOW_TO_GET = "install the package osam beside the studio (pip install osam), then start the studio again"

_MARGIN = 0.3
"""Width of the surroundings that the network sees on each side of the box, as a share of its side."""

_INSIDE, _OUTSIDE, _TOP_LEFT, _BOTTOM_RIGHT = 1, 0, 2, 3
"""osam's labels of points."""


def is_available() -> bool:
    """Whether osam can be imported."""
    return importlib.util.find_spec("osam") is not None


def sam_outline(network: str, picture: np.ndarray, box: Box, strokes: Strokes) -> Shape | None:
    """Return the outline of the object in a box (xyxy, picture pixels) by a network of osam; None if it finds nothing.

    `picture` is uint8 `(H, W, 3)`, RGB. Of each stroke the network gets at most three points. Raises `StudioError` if
    osam is missing, or cannot load or run the network.
    """
    if not is_available():
        raise StudioError(HOW_TO_GET)
    height, width = picture.shape[:2]
    aside, above = _MARGIN * (box[2] - box[0]), _MARGIN * (box[3] - box[1])
    left, top = int(max(0, box[0] - aside)), int(max(0, box[1] - above))
    right, bottom = int(min(width, box[2] + aside + 1)), int(min(height, box[3] + above + 1))
    if not (right > left and bottom > top):
        raise StudioError("the box is outside the picture; draw it on the picture")
    points = [(box[0], box[1], _TOP_LEFT), (box[2], box[3], _BOTTOM_RIGHT)]
    for label, lines in ((_INSIDE, strokes.inside), (_OUTSIDE, strokes.outside)):
        points += [(x, y, label) for line in lines for x, y in _some(line)]
    crop = np.ascontiguousarray(picture[top:bottom, left:right])
    mask = _mask(network, crop, [(x - left, y - top) for x, y, _ in points], [label for *_, label in points])
    return outline_of(mask, left, top)


def _some(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the first, the middle and the last point of a stroke, each once."""
    return [line[number] for number in sorted({0, len(line) // 2, len(line) - 1})]


def _mask(network: str, crop: np.ndarray, points: list[tuple[float, float]], labels: list[int]) -> np.ndarray:
    """Run a network of osam. Return its mask of the crop, bool `(h, w)`."""
    try:
        apis, types = importlib.import_module("osam.apis"), importlib.import_module("osam.types")
        prompt = types.Prompt(points=np.array(points, np.float32), point_labels=np.array(labels, np.int32))
        request = types.GenerateRequest(model=network, image=crop, prompt=prompt)
        found = apis.generate(request=request).annotations
    except Exception as error:  # osam lets errors of downloads and of its runtime through
        raise StudioError(f"osam cannot run {network} ({str(error)[:120]}); choose another way") from None
    if not found or found[0].mask is None or found[0].mask.shape != crop.shape[:2]:
        return np.zeros(crop.shape[:2], bool)
    return np.asarray(found[0].mask, bool)
