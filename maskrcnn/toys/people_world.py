"""The toy world *people*: pictures of drawn people with their masks and COCO's 17 keypoints, drawn from a seed.

Each picture has one to four people with faces and clothes on a cluttered background. They stand, walk, run, wave, sit,
crouch or bend, and are seen from the front, from behind or from a side. People and other objects hide parts of people,
and the border of the picture cuts some. The labels follow from the rendering: a mask holds the pixels at which its
person is the front object, and a keypoint is visible (2) if its body part is the front surface there.

A keypoint that is covered is labelled as hidden (1). Keypoints of a face that is turned away and keypoints outside the
picture are not labelled (0), as in COCO.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import shapely

from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.regions import Keypoints, MultiPolygon, Points, Polygon, Region, Skeleton
from maskrcnn.toys.backgrounds import background
from maskrcnn.toys.body_geometry import Figure, posed, random_build
from maskrcnn.toys.body_rendering import Layer, render
from maskrcnn.toys.clothes import random_outfit
from maskrcnn.toys.colour_schemes import ColourScheme, random_people_scheme
from maskrcnn.toys.poses import random_pose, random_view
from maskrcnn.toys.shape_painting import paint
from maskrcnn.toys.shapes_world import outline_of

CLASSES: tuple[str, ...] = ("person",)
SKELETON = Skeleton(
    (
        *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
        *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
        *("left_knee", "right_knee", "left_ankle", "right_ankle"),
    ),
    (
        *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8)),
        *((7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
    ),
)
"""The names of COCO's keypoints and its limbs (pairs of keypoint indices), in COCO's order."""

PICTURE_SIZES: tuple[tuple[int, int], ...] = ((256, 256), (320, 240), (240, 320), (288, 288), (256, 320), (320, 320))
STATURES = (110.0, 270.0)
"""Smallest and largest height of a person who stands straight, in pixels."""

LEAST_VISIBLE = 0.42
"""Minimum visible fraction of the area of a person."""

LEAST_KEYPOINTS = 5
"""Minimum number of visible keypoints of a person."""

FINE = 2
"""Supersampling factor: people are rendered at this many times the resolution, for smooth edges."""

_SHOWN_BY = {
    "nose": (("nose",), 0.02),
    "eye": (("head",), 0.02),
    "ear": (("{side} ear",), 0.03),
    "shoulder": (("{side} upper arm", "chest"), 0.078),
    "elbow": (("{side} upper arm", "{side} fore-arm"), 0.06),
    "wrist": (("{side} fore-arm", "{side} hand"), 0.05),
    "hip": (("{side} thigh", "pelvis"), 0.088),
    "knee": (("{side} thigh", "{side} shin"), 0.075),
    "ankle": (("{side} shin", "{side} foot"), 0.06),
}
"""Joint -> the body parts that make it visible if they are in front, and its largest depth under their surface.

The depth is a fraction of the body height."""


@dataclass(frozen=True)
class _Sighting:
    """A keypoint of a person that nothing else covers yet.

    `x`, `y` is its position in the layer. `visible_pixels` are the pixels (row, column) next to it at which the body
    does not hide it. `is_turned_away` tells whether it belongs to a face that is turned away.
    """

    x: float
    y: float
    visible_pixels: tuple[tuple[int, int], ...]
    is_turned_away: bool


@dataclass(frozen=True)
class _Person:
    """A rendered person. The layer, and its top left corner `x`, `y` in the picture, are in pixels of the fine grid."""

    figure: Figure
    layer: Layer
    stature: float
    sightings: tuple[_Sighting, ...]
    x: int = 0
    y: int = 0

    @property
    def body(self) -> np.ndarray:
        """The mask of the person in the layer, bool `(H, W)`."""
        return self.layer.part >= 0


@dataclass(frozen=True)
class _Thing:
    """An object that can hide people: an outline `(N, 2)` in pixels, painted like a shape of the world *shapes*."""

    outline: np.ndarray


@dataclass
class _Scene:
    """The people and things of a picture, in drawing order.

    `layout` is sorted from back to front. `owner` holds for each pixel of the fine grid the number (from 1) of the
    front item of `layout`, or 0 for the background.
    """

    owner: np.ndarray
    layout: list[_Person | _Thing]


def draw(seed: int, index: int) -> tuple[np.ndarray, ImageRecord]:
    """Draw picture number `index` (from 0) of a seed: uint8 `(H, W, 3)` RGB, and its record with the labels."""
    rng = np.random.default_rng([seed, index])
    width, height = PICTURE_SIZES[int(rng.integers(len(PICTURE_SIZES)))]
    light = float(rng.uniform(0, 2 * math.pi))
    scene = _arrange(rng, height, width, light)
    scheme = random_people_scheme(rng)
    canvas = background(rng, height, width, scheme).astype(np.float32)
    for item in scene.layout:
        if isinstance(item, _Person):
            _paint_person(canvas, item, light)
        else:
            _paint_thing(rng, canvas, item, scheme, light)
    canvas = float(rng.uniform(0.85, 1.15)) * (canvas - 128) + 128 + float(rng.normal(0, 8))
    canvas += rng.uniform(1, 6) * rng.standard_normal(canvas.shape, np.float32)
    regions: list[Region] = []
    for number, item in enumerate(scene.layout, start=1):
        if isinstance(item, _Person) and (shape := _person_outline(scene.owner == number)) is not None:
            keypoints = Keypoints(_coco_keypoints(scene, number, item))
            regions.append(Region(shape, CLASSES[0], keypoints=keypoints, id=f"{seed}-{index}-{len(regions)}"))
    record = ImageRecord(f"people{seed}-{index + 1:04d}.jpg", tuple(regions), width=width, height=height)
    return np.clip(canvas, 0, 255).astype(np.uint8), record


def _arrange(rng: np.random.Generator, height: int, width: int, light: float) -> _Scene:
    """Place random people and things so that all people stay visible enough; an item that does not fit is left out."""
    scene = _Scene(np.zeros((FINE * height, FINE * width), np.int16), [])
    wanted = int(rng.choice([1, 2, 3, 4], p=[0.25, 0.35, 0.25, 0.15]))
    tallest = min(STATURES[1], 0.98 * height)
    statures = np.exp(rng.uniform(np.log(STATURES[0]), np.log(tallest), wanted) * np.ones(wanted))
    order: list[float | None] = sorted(statures.tolist())  # small people are far away, so they are placed first
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.3, 0.3, 0.25, 0.15]))):
        order.insert(int(rng.integers(len(order) + 1)), None)
    for stature in order:
        if stature is None:
            _add_first_fitting(scene, [_random_thing(rng, height, width) for _ in range(4)])
        else:
            person = _random_person(rng, stature, light)
            _add_first_fitting(scene, [_moved_at_random(rng, person, height, width) for _ in range(12)])
    return scene


def _add_first_fitting(scene: _Scene, candidates: Iterable[_Person | _Thing]) -> None:
    """Add the first candidate that leaves all people of the scene visible enough; add none if there is no such."""
    for candidate in candidates:
        owner = scene.owner.copy()
        number = len(scene.layout) + 1
        if isinstance(candidate, _Person):
            window, part = _clipped_slices((candidate.x, candidate.y), candidate.body.shape, owner.shape)
            owner[window][candidate.body[part]] = number
        else:
            corners = np.round((candidate.outline * FINE - 0.5) * 16).astype(np.int32)
            cv2.fillPoly(owner, [corners], number, shift=4)
        after = _Scene(owner, [*scene.layout, candidate])
        if all(
            _is_visible_enough(after, n, item)
            for n, item in enumerate(after.layout, start=1)
            if isinstance(item, _Person)
        ):
            scene.owner, scene.layout = after.owner, after.layout
            return


def _is_visible_enough(scene: _Scene, number: int, person: _Person) -> bool:
    """Whether item `number` of the scene has the `LEAST_VISIBLE` area and `LEAST_KEYPOINTS` visible keypoints."""
    window, _ = _clipped_slices((person.x, person.y), person.body.shape, scene.owner.shape)
    if np.count_nonzero(scene.owner[window] == number) < LEAST_VISIBLE * np.count_nonzero(person.body):
        return False
    return sum(v == 2 for _, _, v in _coco_keypoints(scene, number, person)) >= LEAST_KEYPOINTS


def _random_person(rng: np.random.Generator, stature: float, light: float) -> _Person:
    """Render a person of the given height in pixels with random pose, proportions, clothes and viewing direction."""
    figure = posed(random_pose(rng), random_build(rng))
    figure = figure.projected(random_view(rng), FINE * stature)
    low, high = figure.extent()
    figure = figure.moved(np.array([*(-low[:2] + rng.uniform(0, FINE, 2)), 0]))
    size = np.ceil((high - low)[:2] / FINE).astype(int) + 1
    towards = np.array([0.6 * math.cos(light), 0.6 * math.sin(light), 0.8])
    layer = render(figure.parts, random_outfit(rng).colours, towards, FINE * int(size[1]), FINE * int(size[0]))
    return _Person(figure, layer, stature, _joint_sightings(figure, layer, stature))


def _moved_at_random(rng: np.random.Generator, person: _Person, height: int, width: int) -> _Person:
    """The person at a random position in a picture `(height, width)`; one in four may be cut by the border."""
    tall, wide = (side // FINE for side in person.body.shape)
    beyond = 0.5 if rng.random() < 0.25 else 0.0

    def random_start(room: int, size: int) -> int:
        """A random coordinate in the fine grid for a person of `size` pixels in a picture of `room` pixels."""
        low, high = sorted((-beyond * size, room - size + beyond * size))
        return FINE * round(float(rng.uniform(low, high)))

    return replace(person, x=random_start(width, wide), y=random_start(height, tall))


def _random_thing(rng: np.random.Generator, height: int, width: int) -> _Thing:
    """A box, a post, a ball or a plant at a random position in a picture `(height, width)`."""
    kind = str(rng.choice(["box", "post", "ball", "plant"]))
    size = float(rng.uniform(16, 60))
    match kind:
        case "box":
            outline = outline_of("square", size, rng.normal(0, 0.15)) * rng.uniform(0.6, 1.4, 2)
        case "post":
            turned = rng.choice([0, math.pi / 2]) + rng.normal(0, 0.3)
            c, s = math.cos(turned), math.sin(turned)
            outline = outline_of("square", 1, 0) * (rng.uniform(4, 14), rng.uniform(50, 170)) @ [[c, s], [-s, c]]
        case "ball":
            outline = outline_of("circle", 0.7 * size, 0)
        case _:
            outline = outline_of(str(rng.choice(["star", "cross", "triangle"])), size, rng.uniform(0, 6))
            outline = outline * rng.uniform(0.6, 1.3, 2)
    return _Thing(outline + rng.uniform(0, 1, 2) * (width, height))


def _clipped_slices(
    corner: tuple[int, int], size: Sequence[int], grid: Sequence[int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The part of a person's layer inside a grid, as slices (rows, columns) of the grid and as slices of the layer.

    `corner` is the top left corner (x, y) of the layer in the grid. `size` and `grid` are (height, width) of the layer
    and of the grid. The slices are empty if the layer is outside the grid.
    """
    x, y = corner
    top, bottom = (min(max(v, 0), grid[0]) for v in (y, y + size[0]))
    left, right = (min(max(v, 0), grid[1]) for v in (x, x + size[1]))
    return (slice(top, bottom), slice(left, right)), (slice(top - y, bottom - y), slice(left - x, right - x))


def _paint_person(canvas: np.ndarray, person: _Person, light: float) -> None:
    """Paint a person and their shadow onto the canvas, in place."""
    tall, wide = (side // FINE for side in person.body.shape)
    cover = cv2.resize(person.body.astype(np.float32), (wide, tall), interpolation=cv2.INTER_AREA)
    colour = cv2.resize(person.layer.colour, (wide, tall), interpolation=cv2.INTER_AREA)
    x, y = person.x // FINE, person.y // FINE
    # The shadow is the cover, shifted away from the light and blurred, in a frame with a margin around the person.
    margin = round(0.06 * person.stature) + 4
    shadow = np.zeros((tall + 2 * margin, wide + 2 * margin), np.float32)
    away = -np.array([math.cos(light), math.sin(light)]) * 0.025 * person.stature
    across, down = (margin + away).round().astype(int)
    shadow[down : down + tall, across : across + wide] = cover
    shadow = cv2.GaussianBlur(shadow, (0, 0), 1 + 0.012 * person.stature)
    window, part = _clipped_slices((x - margin, y - margin), shadow.shape, canvas.shape)
    canvas[window] *= 1 - np.float32(0.4) * shadow[part][:, :, None]
    window, part = _clipped_slices((x, y), cover.shape, canvas.shape)
    canvas[window] += colour[part] - cover[part][:, :, None] * canvas[window]


def _paint_thing(
    rng: np.random.Generator, canvas: np.ndarray, thing: _Thing, scheme: ColourScheme, light: float
) -> None:
    """Paint a thing among the people onto the canvas, in place; only the pixels around it are processed."""
    margin = 4 + 0.2 * float(np.ptp(thing.outline, axis=0).max())
    low = np.floor(thing.outline.min(axis=0) - margin).astype(int).clip(0)
    high = np.ceil(thing.outline.max(axis=0) + margin).astype(int).clip(None, canvas.shape[1::-1])
    if (high > low).all():
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        canvas[window] = paint(rng, canvas[window], thing.outline - low, scheme, light)


def _joint_sightings(figure: Figure, layer: Layer, stature: float) -> tuple[_Sighting, ...]:
    """A `_Sighting` of each keypoint of a rendered person, with those of the 3 x 3 pixels around it that show it.

    A pixel shows a keypoint if one of its body parts (`_SHOWN_BY`) is in front there, and the keypoint lies at most a
    little behind the surface of that part. (Larger depths are nearer to the viewer.) `stature`: height of the body.

    A keypoint of the face that no pixel shows is turned away in two cases: it lies behind the middle of the ears, or
    nothing is in front of it but head, neck, chest and background.
    """
    numbers = {part.name: number for number, part in enumerate(figure.parts)}
    around_face = [-1, *(numbers[name] for name in ("head", "nose", "left ear", "right ear", "neck", "chest"))]
    middle_of_ears = (figure.joints["left_ear"][2] + figure.joints["right_ear"][2]) / 2
    found = []
    for name in SKELETON.names:
        side, _, joint = name.rpartition("_")
        shown_by, max_depth = _SHOWN_BY[joint]
        shown = [numbers[part.format(side=side)] for part in shown_by]
        x, y, depth = figure.joints[name]
        pixels = [
            (row, column)
            for row in range(max(int(y) - 1, 0), min(int(y) + 2, layer.part.shape[0]))
            for column in range(max(int(x) - 1, 0), min(int(x) + 2, layer.part.shape[1]))
        ]
        visible = tuple(
            pixel
            for pixel in pixels
            if layer.part[pixel] in shown and layer.near[pixel] - depth <= max_depth * stature * FINE
        )
        is_behind_ears = bool(depth < middle_of_ears)
        is_hidden_by_head = all(layer.part[pixel] in around_face for pixel in pixels)
        is_hidden_face = joint in ("nose", "eye", "ear") and not visible
        is_turned_away = is_hidden_face and (is_behind_ears or is_hidden_by_head)
        found.append(_Sighting(float(x), float(y), visible, is_turned_away))
    return tuple(found)


def _coco_keypoints(scene: _Scene, number: int, person: _Person) -> tuple[tuple[float, float, int], ...]:
    """COCO keypoints (x, y, visibility) of item `number` of the scene, in picture pixels, rounded to 0.01."""
    height, width = scene.owner.shape
    found = []
    for seen in person.sightings:
        x, y = seen.x + person.x, seen.y + person.y
        if seen.is_turned_away or not (0 <= x < width and 0 <= y < height):
            found.append((0.0, 0.0, 0))
            continue
        places = ((row + person.y, column + person.x) for row, column in seen.visible_pixels)
        on_top = any(0 <= r < height and 0 <= c < width and scene.owner[r, c] == number for r, c in places)
        found.append((round(x / FINE, 2), round(y / FINE, 2), 2 if on_top else 1))
    return tuple(found)


def _person_outline(mask: np.ndarray) -> Polygon | MultiPolygon | None:
    """The outline that labels a person of the people world, from the mask on the fine grid; None for an empty mask.

    It is in picture pixels, rounded to 0.1. Parts and holes smaller than a pixel are left out.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    piece = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    # OpenCV contours run through the centres of the border pixels. Doubling the mask keeps parts of one pixel.
    piece = piece.repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)
    contours, tree = cv2.findContours(piece, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings = [((contour[:, 0] + 0.5) / 2 + (left, top)) / FINE for contour in contours]
    outer_of = tree[0][:, 3] if len(contours) else []
    seen = [
        shapely.Polygon(ring, [rings[n] for n, outer in enumerate(outer_of) if outer == place])
        for place, ring in enumerate(rings)
        if outer_of[place] < 0
    ]
    # If two parts touch only at a corner, the contour crosses itself; `buffer(0)` splits it there. The other `buffer`
    # adds the half pixel between the centres and the edges of the border pixels.
    whole = shapely.union_all([part if part.is_valid else part.buffer(0) for part in seen])
    whole = whole.simplify(0.2).buffer(0.25 / FINE, join_style="mitre")
    parts = [
        (
            _ring_points(part.exterior),
            *(_ring_points(hole) for hole in part.interiors if shapely.Polygon(hole).area >= 1),
        )
        for part in shapely.get_parts(shapely.set_precision(whole, 0.1))
        if part.area >= 1
    ]
    if len(parts) == 1 and len(parts[0]) == 1:
        return Polygon(parts[0][0])
    return MultiPolygon(tuple(parts)) if parts else None


def _ring_points(ring: shapely.LinearRing) -> Points:
    """The vertices of one ring of a `_person_outline`, in picture pixels, rounded to 0.1."""
    return tuple((x, y) for x, y in np.round(shapely.get_coordinates(ring)[:-1], 1).tolist())
