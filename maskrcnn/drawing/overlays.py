"""Drawing of objects and detections on a picture: filled masks, outlines, boxes, keypoints and label chips.

The picture is first resized to a display size, so lines and text look the same on a picture of 200 pixels and on one of
5000. Colours and line styles mean the same on every page: a true positive is green and solid, a false positive is
red-orange and hatched, a missed object is blue and dashed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.annotations.colours import colour_of
from maskrcnn.drawing import label_chips
from maskrcnn.drawing.hex_colours import GREY, rgb
from maskrcnn.drawing.text_contrast import BLACK, RGB, WHITE
from maskrcnn.evaluation import ImageMatches
from maskrcnn.run_length_codes import cropped_mask

Style = Literal["solid", "dashed", "hatched"]
Colours = Mapping[int, str]
Edges = Sequence[tuple[int, int]]

DISPLAY_SIDE = 1280
"""Default length of a drawing's longer side in pixels."""

MATCH_COLOURS: dict[str, str] = {"tp": "#00a86b", "fp": "#f4511e", "fn": "#3b82f6", "ignored": GREY}
MATCH_STYLES: dict[str, Style] = {"tp": "solid", "fp": "hatched", "fn": "dashed", "ignored": "dashed"}


@dataclass(frozen=True)
class Mark:
    """One object to draw, in pixels of the picture.

    `bbox` is [x, y, w, h]. `rle` is a mask in COCO's RLE. `keypoints` are x, y, visibility, x, ... as in COCO. `edges`
    are the limbs between keypoints, as pairs of keypoint indices.
    """

    bbox: tuple[float, float, float, float]
    colour: str
    label: str = ""
    style: Style = "solid"
    rle: Mapping[str, Any] | None = None
    keypoints: Sequence[float] = ()
    edges: Edges = ()


def truth_marks(
    matches: ImageMatches, names: Mapping[int, str], colours: Colours | None = None, edges: Edges = ()
) -> list[Mark]:
    """Return a mark for each labelled object of a picture.

    `names` and `colours` map category ids. If `colours` is None, colour and line style show whether the object was
    found.
    """
    return [
        Mark(
            truth.bbox,
            MATCH_COLOURS[truth.status] if colours is None else colours[truth.category_id],
            names.get(truth.category_id, f"class {truth.category_id}"),
            MATCH_STYLES[truth.status] if colours is None else "solid",
            truth.rle,
            truth.keypoints or (),
            edges,
        )
        for truth in matches.truths
    ]


def prediction_marks(
    matches: ImageMatches, names: Mapping[int, str], colours: Colours | None = None, edges: Edges = ()
) -> list[Mark]:
    """Return a mark for each detection of a picture, labelled with its class and score.

    `names` and `colours` map category ids. If `colours` is None, colour and line style show whether the detection is
    correct.
    """
    return [
        Mark(
            found.bbox,
            MATCH_COLOURS[found.status] if colours is None else colours[found.category_id],
            f"{names.get(found.category_id, f'class {found.category_id}')} {found.score:.2f}",
            MATCH_STYLES[found.status] if colours is None else "solid",
            found.rle,
            found.keypoints or (),
            edges,
        )
        for found in matches.predictions
    ]


def detection_marks(detections: Sequence[dict[str, Any]], names: Sequence[str], edges: Edges = ()) -> list[Mark]:
    """The detections as `Mark`s to draw: box, class and score, mask and keypoints, in the colour of the class.

    `names` are the class names; `edges` are the limbs between keypoints.

    >>> [mark] = detection_marks([{"category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.875}], ["nut"])
    >>> mark.label, mark.bbox
    ('nut 0.88', (1, 2, 3, 4))
    """
    return [
        Mark(
            tuple(found["bbox"]),
            colour_of(found["category_id"] - 1),
            f"{names[found['category_id'] - 1]} {found['score']:.2f}",
            rle=found.get("segmentation"),
            keypoints=found.get("keypoints", ()),
            edges=edges,
        )
        for found in detections
    ]


def resize_for_overlay(picture: np.ndarray, longest: int = DISPLAY_SIDE) -> tuple[np.ndarray, float]:
    """Resize a picture, uint8 (H, W, 3), to the size at which overlays are drawn: its longer side has `longest` pixels.

    Returns the resized picture and the scale (display pixels per picture pixel).

    >>> shown, scale = resize_for_overlay(np.zeros((48, 64, 3), np.uint8), longest=320)
    >>> shown.shape, scale
    ((240, 320, 3), 5.0)
    """
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), scale


def draw(
    picture: np.ndarray,
    marks: Iterable[Mark],
    *,
    masks: bool = True,
    boxes: bool = True,
    labels: bool = True,
    keypoints: bool = True,
    longest: int = DISPLAY_SIDE,
    opacity: float = 0.35,
    line: int | None = None,
) -> np.ndarray:
    """Return a copy of the picture, uint8 RGB (h, w, 3), at display size with the marks on it.

    Larger marks are drawn first, so smaller ones lie on top. `opacity` is the opacity of filled masks, and `line` the
    width of lines in pixels of the result (None: 1/320 of its longer side). If a mark with style "hatched" has no mask,
    its box is hatched. Visible keypoints are discs and occluded keypoints are rings; unlabelled keypoints are skipped.

    >>> mark = Mark((10, 10, 20, 20), "#00a86b", "cell")
    >>> draw(np.zeros((48, 64, 3), np.uint8), [mark], longest=640).shape
    (480, 640, 3)
    """
    canvas, scale = resize_for_overlay(picture, longest)
    # A page shows the drawing 300 to 600 pixels wide, or 400 high. There, lines are about 1 pixel and text about 12.
    side = max(canvas.shape)
    thickness = max(1, round(side / 320) if line is None else line)
    ordered = sorted(marks, key=lambda mark: -mark.bbox[2] * mark.bbox[3])
    for mark in ordered:
        colour = rgb(mark.colour)
        corners = _mark_corners(mark, scale)
        area = _mark_mask(mark.rle, scale, canvas.shape) if masks and mark.rle is not None else None
        if area is not None:
            left, top, inside = area
            _fill_mark(canvas, left, top, inside, colour, opacity, hatched=mark.style == "hatched")
            _outline_mark(canvas, left, top, inside, colour, thickness, dashed=mark.style == "dashed")
        elif mark.style == "hatched":
            _hatch_box(canvas, corners, colour, opacity)
        if boxes:
            thinner = 0 if area is None else 1  # a box is thinner if the outline of the mask is drawn too
            _draw_line(canvas, corners, colour, max(1, thickness - thinner), dashed=mark.style == "dashed")
    for mark in ordered if keypoints else ():  # on top of every mask
        _draw_mark_skeleton(canvas, mark, scale, thickness)
    if labels:
        anchors = [
            ((*_mark_corners(mark, scale)[0], *_mark_corners(mark, scale)[2]), mark.label, rgb(mark.colour))
            for mark in ordered
            if mark.label
        ]
        return label_chips.draw(canvas, anchors, font_size=max(10, round(side / 30)))
    return canvas


def _mark_corners(mark: Mark, scale: float) -> np.ndarray:
    """Return the corners of the mark's box in display pixels, float64 (4, 2)."""
    x, y, width, height = (value * scale for value in mark.bbox)
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])


def _mark_mask(rle: Mapping[str, Any], scale: float, canvas_shape: Sequence[int]) -> tuple[int, int, np.ndarray] | None:
    """Return a mark's mask, resized to the canvas and cropped to its box: left, top and bool (h, w). None if empty.

    `scale`: canvas pixels per picture pixel. The crop is clipped to a canvas of `canvas_shape` (height, width, ...).
    """
    cropped, x, y = cropped_mask(rle)
    height, width = cropped.shape
    if width == 0 or height == 0:
        return None
    # With a border of one pixel, the outline is closed even if the object touches the edge of the crop.
    cut = np.pad(cropped, 1).astype(np.float32)
    left, top = max(0, int(x * scale) - 1), max(0, int(y * scale) - 1)
    right = min(canvas_shape[1], int(np.ceil((x + width) * scale)) + 1)
    bottom = min(canvas_shape[0], int(np.ceil((y + height) * scale)) + 1)
    # From a pixel of the result to its position in `cut`, whose first pixel is (x - 1, y - 1) of the picture. Pixel
    # centres are scaled, at +0.5: canvas column c is at (c + 0.5) / scale - 0.5 in the picture.
    to_cut = np.array(
        [
            [1 / scale, 0, (left + 0.5) / scale - 0.5 - (x - 1)],
            [0, 1 / scale, (top + 0.5) / scale - 0.5 - (y - 1)],
        ]
    )
    soft = cv2.warpAffine(cut, to_cut, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    inside = soft >= 0.5
    return (left, top, inside) if inside.any() else None


def _fill_mark(
    canvas: np.ndarray,
    left: int,
    top: int,
    inside: np.ndarray,
    colour: RGB,
    opacity: float,
    *,
    hatched: bool,
) -> None:
    """Fill the mask of a mark with its colour, in place. The corner of the mask `inside` (h, w) is at (left, top)."""
    height, width = inside.shape
    window = canvas[top : top + height, left : left + width]
    if not hatched:  # the same mixture in every pixel: a table of 256 values, which large pictures need
        values = np.arange(256)[:, None] * (1 - opacity) + np.array(colour, np.float64) * opacity
        mixed = cv2.LUT(window, np.rint(values).astype(np.uint8)[None])
        np.copyto(window, mixed, where=inside[:, :, None])
        return
    stripes = _hatch_stripes(left, top, height, width, max(canvas.shape[:2]))
    alpha = ((opacity * 0.4 + stripes * 0.55) * inside)[:, :, None]
    window[:] = np.rint(window * (1 - alpha) + np.array(colour, np.float32) * alpha).astype(np.uint8)


def _hatch_box(canvas: np.ndarray, corners: np.ndarray, colour: RGB, opacity: float) -> None:
    """Hatch the box of a mark, in place. `corners` (4, 2) are in display pixels."""
    left, top = np.maximum(np.floor(corners[0]), 0).astype(int)
    right, bottom = np.ceil(corners[2]).astype(int)
    inside = np.ones(canvas[top : max(bottom, 0), left : max(right, 0)].shape[:2], bool)
    _fill_mark(canvas, left, top, inside, colour, opacity, hatched=True)


def _hatch_stripes(left: int, top: int, height: int, width: int, side: int) -> np.ndarray:
    """Return the slanted stripes of a hatched `Mark` of an overlay, with soft edges: float32 (h, w) in [0, 1].

    The phase depends on canvas coordinates, so the stripes of neighbouring objects are aligned.
    """
    period = max(6.0, side / 80)
    distance = np.arange(left, left + width)[None, :] + np.arange(top, top + height)[:, None]
    phase = np.abs((distance / period) % 1 - 0.5)
    return np.clip((phase - 0.33) * period / 1.5 + 0.5, 0, 1).astype(np.float32)


def _outline_mark(
    canvas: np.ndarray,
    left: int,
    top: int,
    inside: np.ndarray,
    colour: RGB,
    thickness: int,
    *,
    dashed: bool,
) -> None:
    """Draw the outline of a mark's mask, in place. The corner of the mask `inside` (h, w) is at (left, top)."""
    rings, _ = cv2.findContours(
        np.pad(inside.astype(np.uint8), 1), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(left - 1, top - 1)
    )
    for ring in rings:
        smooth = cv2.approxPolyDP(ring, 0.8, True)[:, 0].astype(np.float64)
        # findContours returns pixel indices. The centre of a pixel is at its index + 0.5.
        _draw_line(canvas, smooth + 0.5, colour, thickness, dashed=dashed)


def _draw_mark_skeleton(canvas: np.ndarray, mark: Mark, scale: float, thickness: int) -> None:
    """Draw the limbs and keypoints of a mark, in place. They are smaller on small objects, which stay visible."""
    points = np.array(mark.keypoints, dtype=np.float64).reshape(-1, 3)
    places, visibility = points[:, :2] * scale, points[:, 2]
    radius = max(2.0, min(2.0 * thickness, 0.03 * scale * max(mark.bbox[2:])))
    colour, limb = rgb(mark.colour), max(1, min(thickness, round(radius / 1.5)))
    for start, end in mark.edges:
        if max(start, end) < len(points) and visibility[start] > 0 and visibility[end] > 0:
            _draw_line(canvas, places[[start, end]], colour, limb, dashed=mark.style == "dashed", closed=False)
    for (x, y), visible in zip(places, visibility, strict=True):
        if visible > 0:
            centre = (round((x - 0.5) * 16), round((y - 0.5) * 16))
            centre_colour = colour if visible > 1 else WHITE
            cv2.circle(canvas, centre, round((radius + 1) * 16), BLACK, cv2.FILLED, cv2.LINE_AA, shift=4)
            cv2.circle(canvas, centre, round(radius * 16), colour, cv2.FILLED, cv2.LINE_AA, shift=4)
            cv2.circle(canvas, centre, round(radius * 8), centre_colour, cv2.FILLED, cv2.LINE_AA, shift=4)


def _draw_line(
    canvas: np.ndarray,
    line: np.ndarray,
    colour: RGB,
    thickness: int,
    *,
    dashed: bool,
    closed: bool = True,
) -> None:
    """Draw a line with a thin black edge, which keeps it visible on any picture. `line` (N, 2) is in display pixels."""
    pieces = _cut_into_dashes(line, 5.0 * thickness + 4, closed=closed) if dashed else [line]
    # OpenCV coordinates are relative to pixel centres. With shift=4 they are fixed-point with 4 fractional bits.
    points = [np.rint((piece - 0.5) * 16).astype(np.int32) for piece in pieces]
    cv2.polylines(canvas, points, closed and not dashed, BLACK, thickness + 2, cv2.LINE_AA, shift=4)
    cv2.polylines(canvas, points, closed and not dashed, colour, thickness, cv2.LINE_AA, shift=4)


def _cut_into_dashes(line: np.ndarray, length: float, *, closed: bool) -> list[np.ndarray]:
    """Cut the line of a dashed mark into dashes, returned as open polylines.

    A dash is about `length` long, a gap 0.8 times as long.
    """
    whole = np.vstack([line, line[:1]]) if closed else line
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(whole, axis=0).T))])
    count = max(3 if closed else 1, round(at[-1] / (1.8 * length)))
    starts = np.arange(count) * at[-1] / count
    pieces = []
    for start in starts:
        end = start + at[-1] / count / 1.8
        between = at[(at > start) & (at < end)]
        places = np.concatenate([[start], between, [end]])
        pieces.append(np.stack([np.interp(places, at, whole[:, axis]) for axis in (0, 1)], axis=1))
    return pieces


def scaled_mark(mark: Mark, scale: float, canvas: np.ndarray) -> Mark:
    """A mark in pixels of the canvas instead of the picture, for an overlay on a picture that was resized before.

    `canvas` is the resized picture, (h, w, 3), and `scale` the canvas pixels per picture pixel (`resize_for_overlay`).
    """
    x, y, width, height = mark.bbox
    points = np.array(mark.keypoints, dtype=float).reshape(-1, 3) * (scale, scale, 1)
    rle = None
    if mark.rle is not None:
        # Sample the mask at the centre of each canvas pixel (nearest neighbour); ten times faster than averaging.
        mask = coco_mask.decode([mark.rle])[:, :, 0]
        rows, columns = (
            np.minimum(((np.arange(length) + 0.5) / scale).astype(int), whole - 1)
            for length, whole in zip(canvas.shape[:2], mask.shape, strict=True)
        )
        rle = coco_mask.encode(np.asfortranarray(mask[np.ix_(rows, columns)]))
    return replace(
        mark,
        bbox=(x * scale, y * scale, width * scale, height * scale),
        rle=rle,
        keypoints=tuple(points.ravel().tolist()),
    )
