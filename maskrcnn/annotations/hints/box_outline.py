"""A box becomes an outline by GrabCut, and clicks or scribbles refine it.

GrabCut (Rother et al. 2004) learns the colours inside and outside of the box, and cuts the picture where neighbouring
colours differ most. It works on a small copy of the box and its surroundings, so that its time does not depend on the
size of the picture.

A soft mask of a network can take the place of the box as the first guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import shapely

from maskrcnn.annotations import raster
from maskrcnn.annotations.hints.mask_outline import outline_of
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Points, Shape

WORKING_SIDE = 192
"""Longer side in pixels of the copy that GrabCut works on."""

MARGIN = 0.25
"""Width of the surroundings on each side, as a share of the box's side. GrabCut learns the background from them."""

GROWTH = 0.2
"""Room around a stroke that leaves the box, as a share of the box's side."""

ITERATIONS = 2
"""Iterations of GrabCut. More took longer and gave no better outlines on training pictures."""

CORES = (0.5, 0.8)
"""Half axes of the ellipse that is certainly the object, as shares of the box's half sides.

With the first one the cut may fail, because colours inside and outside are alike. Then the next one is tried. After a
first guess that does not fill the box, both are tried."""

FIT = 0.7
"""Smallest IoU of the outline's own box to the person's box. A person draws a box that touches the object on all sides,
so a worse fit means that the cut has failed."""

AGREEMENT = 0.6
"""Smallest IoU of the cut to the first guess. With a smaller one the colours say nothing, and the guess is returned."""

SURE_INSIDE, SURE_OUTSIDE = 0.9, 0.1
"""Values of a soft mask from which GrabCut may not differ."""

STROKE_RADIUS = 2.0
"""Radius of a click or scribble in pixels of the copy."""

SMALL_PART = 0.1
"""Parts and holes of the mask that are smaller than this share of it are left out."""


class HintStopped(Exception):
    """Raised when the person stopped a hint before it was finished."""


@dataclass(frozen=True)
class Strokes:
    """What a person marked to refine an outline: lines through the object, and through what does not belong to it.

    A stroke is its points in picture pixels; one point is a click.
    """

    inside: tuple[Points, ...] = ()
    outside: tuple[Points, ...] = ()


@dataclass(frozen=True)
class SoftMask:
    """Probabilities of an object: `values`, float32 `(h, w)` in [0, 1], stretched over `box` (xyxy, picture pixels)."""

    values: np.ndarray
    box: Box


@dataclass(frozen=True)
class _Crop:
    """A scaled copy of a part of the picture: its pixels, its corner in the picture, and its pixel size (x, y)."""

    pixels: np.ndarray
    left: int
    top: int
    scale: tuple[float, float]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the picture lies in the copy, in continuous pixels."""
        return (x - self.left) / self.scale[0], (y - self.top) / self.scale[1]


def box_outline(
    picture: np.ndarray,
    box: Box,
    strokes: Strokes = Strokes(),
    first_guess: SoftMask | None = None,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = bool,
) -> Shape | None:
    """Return the outline of the object in a box, in picture pixels; None if nothing is found.

    `picture`: uint8 `(H, W, 3)`, RGB. `box`: xyxy; its part outside the picture does not count. `first_guess` says
    where the object may be; without it, the ellipse in the box. With `strokes` it is only a guess everywhere.
    `progress(done, total)` is called after each iteration, and `stopped()` before: if it is true, `HintStopped` is
    raised.
    """
    crop = _crop(picture, _with_strokes(box, strokes.inside))
    if crop is None:
        return None
    by_hand = bool(strokes.inside or strokes.outside)
    best, best_fit = None, 0.0
    for core in (None, *CORES) if first_guess is not None else CORES:
        if core is None:
            assert first_guess is not None
            labels = _labels_of_guess(crop, first_guess, strokes)
        else:
            labels = _first_labels(crop, box, strokes, core)
        guessed = _is_inside(labels)
        inside = _cut(crop.pixels, labels, _draw_strokes(labels, crop, strokes), progress, stopped)
        if core is None and not by_hand and not _agree(inside, guessed):
            inside = guessed
        shape = _outline(crop, inside)
        if by_hand:
            return shape
        fit = 0.0 if shape is None else _fit(shape, box, picture)
        if fit > best_fit:
            best, best_fit = shape, fit
        if fit >= FIT:
            break
    return best


def _agree(inside: np.ndarray, guessed: np.ndarray) -> bool:
    """Whether the cut is similar enough to the first guess."""
    return bool((inside & guessed).sum() >= AGREEMENT * max(1, (inside | guessed).sum()))


def _outline(crop: _Crop, inside: np.ndarray) -> Shape | None:
    """Return the outline of a mask of the copy, in picture pixels; None if it is empty."""
    return outline_of(inside, crop.left, crop.top, crop.scale, small_part=SMALL_PART)


def _with_strokes(box: Box, strokes: Sequence[Points]) -> Box:
    """Return the box, enlarged so that strokes inside the object lie in it with some room around."""
    x0, y0, x1, y1 = box
    right, down = GROWTH * (x1 - x0), GROWTH * (y1 - y0)
    for x, y in (point for stroke in strokes for point in stroke):
        if not (box[0] <= x <= box[2] and box[1] <= y <= box[3]):
            x0, y0, x1, y1 = min(x0, x - right), min(y0, y - down), max(x1, x + right), max(y1, y + down)
    return x0, y0, x1, y1


def _crop(picture: np.ndarray, box: Box) -> _Crop | None:
    """Return the copy of a box with its surroundings; None for a box that has no pixel in the picture."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    if not (x1 > x0 and y1 > y0):
        return None
    aside, above = max(4.0, MARGIN * (x1 - x0)), max(4.0, MARGIN * (y1 - y0))
    left, top = int(max(0, x0 - aside)), int(max(0, y0 - above))
    part = picture[top : int(np.ceil(min(height, y1 + above))), left : int(np.ceil(min(width, x1 + aside)))]
    shrink = min(1.0, WORKING_SIDE / max(part.shape[:2]))
    size = max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink))
    pixels = cv2.resize(part, size, interpolation=cv2.INTER_AREA) if shrink < 1 else np.ascontiguousarray(part)
    return _Crop(pixels, left, top, (part.shape[1] / size[0], part.shape[0] / size[1]))


def _centres(crop: _Crop) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of the copy's pixels in pixels of the picture: x `(1, w)` and y `(h, 1)`."""
    height, width = crop.pixels.shape[:2]
    xs = crop.left + (np.arange(width) + 0.5) * crop.scale[0]
    ys = crop.top + (np.arange(height) + 0.5) * crop.scale[1]
    return xs[None], ys[:, None]


def _first_labels(crop: _Crop, box: Box, strokes: Strokes, core: float) -> np.ndarray:
    """Return GrabCut's labels for a box: the ellipse in it is probably the object and its core certainly.

    The corners are probably not the object, and the surroundings certainly not. The box grows with strokes inside the
    object. With strokes outside of it, the core is not certain.
    """
    xs, ys = _centres(crop)
    x0, y0, x1, y1 = box = _with_strokes(box, strokes.inside)
    across = np.abs(xs - (x0 + x1) / 2) / max((x1 - x0) / 2, 1e-6)
    down = np.abs(ys - (y0 + y1) / 2) / max((y1 - y0) / 2, 1e-6)
    distance = across**2 + down**2
    labels = np.where(distance <= 1, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    if not strokes.outside:
        labels[distance <= core**2] = cv2.GC_FGD
    labels[~_in_box(crop, box)] = cv2.GC_BGD
    return labels


def _labels_of_guess(crop: _Crop, guess: SoftMask, strokes: Strokes) -> np.ndarray:
    """Return GrabCut's labels for a soft mask. Pixels outside its box have the value 0."""
    soft = resampled(guess, *(axis.ravel() for axis in _centres(crop)))
    labels = np.where(soft >= 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    if strokes.inside or strokes.outside:
        labels[~_in_box(crop, _with_strokes(guess.box, strokes.inside))] = cv2.GC_BGD
    else:
        labels[soft >= SURE_INSIDE] = cv2.GC_FGD
        labels[soft <= SURE_OUTSIDE] = cv2.GC_BGD
    return labels


def _in_box(crop: _Crop, box: Box) -> np.ndarray:
    """Return which pixels of the copy have their centre in a box, bool `(h, w)`."""
    xs, ys = _centres(crop)
    return (xs >= box[0]) & (xs <= box[2]) & (ys >= box[1]) & (ys <= box[3])


def _fit(shape: Shape, box: Box, picture: np.ndarray) -> float:
    """Return the IoU of the box around a shape to the part of a box in the picture."""
    height, width = picture.shape[:2]
    own, wanted = shapely.box(*raster.bounds(shape)), shapely.box(*box) & shapely.box(0, 0, width, height)
    union = (own | wanted).area
    return (own & wanted).area / union if union else 0.0


def resampled(guess: SoftMask, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Return the values `(len(ys), len(xs))` of a soft mask at positions in picture pixels, by linear interpolation.

    Outside the box the values fall to 0 within one cell, as where masks are pasted.

    >>> guess = SoftMask(np.ones((2, 2), np.float32), (0, 0, 4, 4))
    >>> resampled(guess, np.array([2.0, 9.0]), np.array([2.0])).tolist()
    [[1.0, 0.0]]
    """
    x0, y0, x1, y1 = guess.box
    rows, columns = guess.values.shape
    down = (ys - y0) / max(y1 - y0, 1e-6) * rows - 0.5
    across = (xs - x0) / max(x1 - x0, 1e-6) * columns - 0.5
    down_weights = np.clip(1 - np.abs(down[:, None] - np.arange(rows)), 0, None)
    across_weights = np.clip(1 - np.abs(across[:, None] - np.arange(columns)), 0, None)
    return down_weights @ guess.values @ across_weights.T


def _draw_strokes(labels: np.ndarray, crop: _Crop, strokes: Strokes) -> np.ndarray:
    """Draw the strokes into GrabCut's labels, in place. Return the pixels marked as inside, bool `(h, w)`."""
    marked = []
    for lines in (strokes.inside, strokes.outside):
        drawn = np.zeros(labels.shape, np.uint8)
        for line in lines:
            # OpenCV draws at whole pixels; the pixel n has its centre at n + 0.5.
            points = np.array([np.subtract(crop.place(x, y), 0.5) for x, y in line])
            whole = np.round(np.clip(points, -1e4, 1e4)).astype(np.int32)
            cv2.polylines(drawn, [whole], False, 1, thickness=max(1, round(2 * STROKE_RADIUS)))
            for x, y in (whole[0], whole[-1]):
                cv2.circle(drawn, (int(x), int(y)), round(STROKE_RADIUS), 1, -1)
        marked.append(drawn.astype(bool))
    labels[marked[0]] = cv2.GC_FGD
    labels[marked[1]] = cv2.GC_BGD
    return marked[0]


def _cut(
    pixels: np.ndarray,
    labels: np.ndarray,
    marked: np.ndarray,
    progress: Progress | None,
    stopped: Callable[[], bool],
) -> np.ndarray:
    """Run GrabCut. Return the pixels of the object, bool `(h, w)`; `labels` are changed.

    Only the largest part remains, with the parts in which a person `marked` pixels.
    """
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # the same box gives the same outline
    for done in range(ITERATIONS):
        if stopped():
            raise HintStopped
        inside = _is_inside(labels)
        if inside.all() or not inside.any():  # GrabCut needs pixels of both kinds
            break
        mode = cv2.GC_EVAL if done else cv2.GC_INIT_WITH_MASK
        cv2.grabCut(pixels, labels, (0, 0, 1, 1), models[0], models[1], 1, mode)  # the box is not used
        if progress is not None:
            progress(done + 1, ITERATIONS)
    return _main_parts(_is_inside(labels), marked)


def _is_inside(labels: np.ndarray) -> np.ndarray:
    """Return which of GrabCut's labels are of the object."""
    return (labels & 1).astype(bool)  # GC_FGD is 1, GC_PR_FGD is 3


def _main_parts(inside: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Return the largest part of a mask and the parts that a person marked, without the others."""
    count, parts, about, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    if count <= 2:
        return inside
    sizes = about[1:, cv2.CC_STAT_AREA]
    kept = {1 + int(sizes.argmax())} | set(np.unique(parts[marked & inside]).tolist())
    return np.isin(parts, list(kept - {0}))
