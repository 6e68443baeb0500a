"""The toy world *shapes*: pictures of flat geometric shapes with their labels, drawn from a seed.

`data/shapes/train` is `python -m maskrcnn toy shapes DIR --pictures 40 --seed 1`, `data/shapes/val` 12 pictures of seed
2. See `maskrcnn.toys.weights` for the seeds of the pictures that trained the shipped weights.

Circles, ellipses, squares, triangles, stars and crosses in three sizes overlap on a cluttered background. They have
shading, patterns and shadows, and random light and colours: neither colour nor size depends on the class. The label of
a shape is its visible part. Shapes are placed so that at least 45 % of each is visible, as one part without a hole, so
that every shape has a label and one VIA polygon can hold it. In every other picture, whole circles, whole ellipses and
whole upright squares are labelled as VIA circles, ellipses and rectangles. Lines and lumps of the background have no
label.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import shapely

from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.regions import Circle, Ellipse, Polygon, Rect, Region, Shape
from maskrcnn.toys.backgrounds import background
from maskrcnn.toys.colour_schemes import random_scheme
from maskrcnn.toys.shape_painting import paint

CLASSES: tuple[str, ...] = ("circle", "ellipse", "square", "triangle", "star", "cross")
ATTRIBUTE = "shape"
VIA_ATTRIBUTES = {
    "region": {
        ATTRIBUTE: {
            "type": "dropdown",
            "description": "What it is",
            "options": {name: name for name in CLASSES},
            "default_options": {},
        }
    },
    "file": {},
}
"""The attribute definitions of the VIA project file: VIA shows the classes as a dropdown."""

PICTURE_SIZES: tuple[tuple[int, int], ...] = ((256, 192), (288, 216), (320, 240), (256, 256), (320, 320), (240, 320))
RADII: dict[str, tuple[float, float]] = {"small": (10, 16), "medium": (22, 38), "large": (54, 84)}
"""Distance from the middle to the farthest corner, in pixels, for each of the three sizes."""

LEAST_VISIBLE = 0.45
"""Minimum visible fraction of the area of a shape."""


@dataclass(frozen=True)
class _Placed:
    """A shape in a picture: its whole outline `(N, 2)` and its visible part, in continuous pixels."""

    class_name: str
    outline: np.ndarray
    visible: shapely.Polygon
    upright: bool
    centre: tuple[float, float]
    radius: float

    @property
    def is_whole(self) -> bool:
        """Whether nothing hides a part of the shape."""
        return self.visible.area > 0.9999 * shapely.Polygon(self.outline).area


def draw(seed: int, index: int) -> tuple[np.ndarray, ImageRecord]:
    """Draw picture number `index` (from 0) of a seed: uint8 `(H, W, 3)` RGB, and its record with the labels.

    >>> picture, record = draw(seed=1, index=0)
    >>> record.file_name, picture.dtype.name
    ('toy1-001.jpg', 'uint8')
    """
    rng = np.random.default_rng([seed, index])
    width, height = PICTURE_SIZES[int(rng.integers(len(PICTURE_SIZES)))]
    colours = random_scheme(rng)
    light = float(rng.uniform(0, 2 * math.pi))
    canvas = background(rng, height, width, colours)
    placed = _place(rng, width, height)
    for shape in placed:
        canvas = paint(rng, canvas, shape.outline, colours, light)
    regions = tuple(
        Region(_label(shape, simple_shapes=index % 2 == 0), shape.class_name, id=f"{seed}-{index}-{number}")
        for number, shape in enumerate(placed)
    )
    record = ImageRecord(f"toy{seed}-{index + 1:03d}.jpg", regions, width=width, height=height)
    return _camera_picture(rng, canvas), record


def outline_of(class_name: str, radius: float, angle: float, slimness: float = 1.0) -> np.ndarray:
    """Corners `(N, 2)` of a shape around (0, 0), turned by `angle` radians. `radius`: to the farthest corner.

    `slimness` scales the minor axis of an ellipse. A triangle is equilateral with 1, and has a narrower base with less;
    other classes do not use it. In polar coordinates, corners are at angles `turns` (1 is a full circle) and `radii`.
    """
    match class_name:
        case "circle":
            turns, radii = np.arange(48) / 48, np.full(48, radius)
        case "ellipse":
            around = 2 * math.pi * np.arange(48) / 48
            x, y = radius * np.cos(around), 0.65 * slimness * radius * np.sin(around)
            turns, radii = np.arctan2(y, x) / (2 * math.pi), np.hypot(x, y)
        case "square":
            turns, radii = np.arange(4) / 4 + 1 / 8, np.full(4, radius)
        case "triangle":
            side = 0.5 - slimness / 6  # from the top to a corner of the base; with slimness 1, a third of the circle
            turns, radii = np.array([0.0, side, 1 - side]) - 1 / 4, np.full(3, radius)
        case "star":
            turns, radii = np.arange(10) / 10 - 1 / 4, np.where(np.arange(10) % 2 == 0, radius, 0.45 * radius)
        case "cross":
            arm, long = 0.32, math.sqrt(1 - 0.32**2)
            quarter = np.array([(arm, -arm), (long, -arm), (long, arm)])
            corners = [quarter @ np.array([[c, s], [-s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
            points = radius * np.concatenate(corners)
            turns, radii = np.arctan2(points[:, 1], points[:, 0]) / (2 * math.pi), np.hypot(points[:, 0], points[:, 1])
        case _:
            raise ValueError(class_name)
    angles = 2 * math.pi * turns + angle
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _place(rng: np.random.Generator, width: int, height: int) -> list[_Placed]:
    """Four to nine random shapes, from back to front. Large shapes come first, so that they do not hide small ones."""
    frame = shapely.box(0, 0, width, height)
    wanted = int(rng.integers(4, 10))
    sizes = sorted(rng.choice(["large", "medium", "small"], size=wanted, p=[0.3, 0.4, 0.3]))  # l < m < s
    placed: list[_Placed] = []
    for size in sizes:
        for _ in range(30):
            candidate = _random_shape(rng, str(size), width, height)
            changed = _with_visible_parts(placed, candidate, frame)
            if changed is not None:
                placed = changed
                break
    return placed


def _random_shape(rng: np.random.Generator, size: str, width: int, height: int) -> _Placed:
    """A shape of random class, angle and position; `size` is a key of `RADII`."""
    class_name = CLASSES[int(rng.integers(len(CLASSES)))]
    radius = float(rng.uniform(*RADII[size]))
    upright = bool(rng.random() < 0.35)
    angle = 0.0 if upright else float(rng.uniform(0, 2 * math.pi))
    centre = float(rng.uniform(0.02, 0.98)) * width, float(rng.uniform(0.02, 0.98)) * height
    outline = outline_of(class_name, radius, angle, float(rng.uniform(0.75, 1.1))) + np.array(centre)
    return _Placed(class_name, outline, shapely.Polygon(outline), upright, centre, radius)


def _with_visible_parts(below: list[_Placed], top: _Placed, frame: shapely.Polygon) -> list[_Placed] | None:
    """The shapes `below` and `top` with their visible parts after `top` is drawn over them.

    None if a shape would be hidden too much, be split into parts or get a hole.
    """
    whole = shapely.Polygon(top.outline)
    after = []
    for shape, seen in [(s, s.visible.difference(whole)) for s in below] + [(top, whole.intersection(frame))]:
        if not isinstance(seen, shapely.Polygon) or seen.interiors or seen.is_empty:
            return None
        if seen.area < LEAST_VISIBLE * shapely.Polygon(shape.outline).area:
            return None
        after.append(replace(shape, visible=seen))
    return after


def _label(shape: _Placed, simple_shapes: bool) -> Shape:
    """The VIA shape of the visible part of a shape, in pixels rounded to 0.1."""
    if simple_shapes and shape.is_whole and shape.class_name == "circle":
        return Circle(*(round(value, 1) for value in (*shape.centre, shape.radius)))
    if simple_shapes and shape.is_whole and shape.class_name == "ellipse":
        end, side = shape.outline[[0, 12]] - shape.centre  # corners 0 and 12 of 48 are a quarter turn apart
        axes = round(shape.radius, 1), round(float(np.hypot(*side)), 1)
        centre = round(shape.centre[0], 1), round(shape.centre[1], 1)
        return Ellipse(*centre, *axes, theta=round(math.atan2(end[1], end[0]), 4))
    if simple_shapes and shape.is_whole and shape.class_name == "square" and shape.upright:
        (x0, y0), (x1, y1) = shape.outline.min(axis=0).tolist(), shape.outline.max(axis=0).tolist()
        return Rect(*(round(value, 1) for value in (x0, y0, x1 - x0, y1 - y0)))
    corners = list(shape.visible.exterior.coords)[:-1]
    return Polygon(tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners))


def _camera_picture(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """The canvas with shapes as a camera would record it, uint8: with random exposure and noise, sometimes blurred."""
    if rng.random() < 0.3:
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.5, 1.1)))
    canvas = 255 * np.power(np.clip(canvas / 255, 0, 1), float(rng.uniform(0.75, 1.35)))
    canvas = canvas + rng.normal(0, float(rng.uniform(1, 5)), canvas.shape)
    return np.clip(canvas, 0, 255).astype(np.uint8)
