"""What is done to a picture, its objects follow: each is painted in a colour of its own and found again by it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from maskrcnn.annotations.polygon_outline import PolygonOutline
from maskrcnn.config import Config
from maskrcnn.training.augmentation import Augmentation, crop, mirror, paste, shrink
from maskrcnn.training.picture_objects import PictureObjects

HEIGHT, WIDTH = 360, 480
GREY, RED, GREEN, BLUE = (90, 90, 90), (250, 0, 0), (0, 250, 0), (0, 0, 250)
STAR = np.array([(r * np.cos(a), r * np.sin(a)) for a, r in zip(np.arange(10) * 0.6283, [78, 42] * 5, strict=True)])
BOX = np.array([(-60.0, -42), (60, -42), (60, 42), (-60, 42)])
HOLE = BOX * 0.5


def painted(
    *things: tuple[Any, tuple[float, float], tuple[int, int, int]], keypoints: bool = False, height: int = HEIGHT
) -> tuple[np.ndarray, PictureObjects]:
    """A grey picture of things (rings, where, colour) with their outlines, boxes and a keypoint in the middle and one
    at the right end of each."""
    picture = np.full((height, WIDTH, 3), GREY, np.uint8)
    outlines, boxes, points = [], [], []
    for rings, place, colour in things:
        outline = PolygonOutline((tuple(np.asarray(ring) + place for ring in rings),))
        picture[outline.bitmap(height, WIDTH).astype(bool)] = colour
        outlines.append(outline)
        boxes.append([*outline.parts[0][0].min(0), *outline.parts[0][0].max(0)])
        points.append([[*place, 2], [boxes[-1][2], place[1], 2]])
    labels = np.arange(1, len(things) + 1)
    return picture, PictureObjects(
        np.array(boxes, np.float32).reshape(-1, 4),
        labels,
        outlines,
        np.array(points, np.float32).reshape(-1, 2, 3) if keypoints else None,
    )


def scene(keypoints: bool = False) -> tuple[np.ndarray, PictureObjects]:
    return painted(((STAR,), (135.3, 150.6), RED), ((BOX, HOLE), (346.3, 240.2), GREEN), keypoints=keypoints)


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """The pixels that are nearer to a colour than to grey."""
    channel = int(np.argmax(colour))
    others = [other for other in range(3) if other != channel]
    return picture[..., channel].astype(int) - picture[..., others].max(-1) > 125


def follows(picture: np.ndarray, objects: PictureObjects, least: float = 0.97) -> None:
    """Every object lies on the pixels of its colour, within a box that is tight around them."""
    height, width = picture.shape[:2]
    seen = objects.visible(height, width)
    for place, label in enumerate(seen.labels):
        pixels = coloured(picture, (RED, GREEN, BLUE)[label - 1])
        bitmap = seen.outlines[place].bitmap(height, width).astype(bool)
        # Of an object of a few pixels most lie on its edge, and are mixed wherever the picture was scaled.
        assert (pixels ^ bitmap).sum() <= (1 - least) * (pixels | bitmap).sum() + 12, (label, bitmap.sum())
        rows, columns = np.nonzero(bitmap)
        tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(seen.boxes[place] - tight).max() <= 3  # the tips of a star are thinner than a pixel
        assert seen.boxes[place].min() >= 0
        assert (seen.boxes[place][2:] <= [width, height]).all()
    for label, colour in enumerate((RED, GREEN), 1):
        if label not in seen.labels:
            assert coloured(picture, colour).sum() < 60  # a sliver


def test_mirrored() -> None:
    picture, objects = scene()
    found, moved = mirror(picture, objects, ())
    assert np.array_equal(found, picture[:, ::-1])
    follows(found, moved)
    assert moved.boxes[1].tolist() == pytest.approx([480 - 406.3, 198.2, 480 - 286.3, 282.2], abs=1e-4)


def test_mirrored_keypoints_change_places() -> None:
    picture, objects = scene(keypoints=True)
    _, moved = mirror(picture, objects, (1, 0))
    assert moved.keypoints[0, 1].tolist() == pytest.approx([480 - 135.3, 150.6, 2])
    assert objects.keypoints[0, 0].tolist() == pytest.approx([135.3, 150.6, 2])


@pytest.mark.parametrize("factor", [1.0, 0.9, 0.55])
def test_shrunk(factor: float) -> None:
    picture, objects = scene(keypoints=True)
    found, moved = shrink(picture, objects, factor)
    assert found.shape[:2] == (round(360 * factor), round(480 * factor))
    follows(found, moved, 0.96)
    assert moved.keypoints[..., :2] == pytest.approx(objects.keypoints[..., :2] * factor, rel=0.01)


def test_cropped() -> None:
    """40 windows, each of which holds the middle of an object, on the same pixels as before."""
    picture, objects = scene(keypoints=True)
    sizes = set()
    for number in range(40):
        found, moved = crop(picture, objects, random.Random(number))
        follows(found, moved)
        height, width = found.shape[:2]
        sizes.add((height, width))
        assert 0.4 * 360 - 1 <= height <= 360
        assert 0.4 * 480 - 1 <= width <= 480
        middles = (moved.boxes[:, :2] + moved.boxes[:, 2:]) / 2
        assert ((middles >= -0.51) & (middles <= [width + 0.51, height + 0.51])).all(1).any()
        assert moved.keypoints[0, 0, :2] - moved.boxes[0, :2] == pytest.approx(
            objects.keypoints[0, 0, :2] - objects.boxes[0, :2], abs=1e-3
        )
    assert len(sizes) > 30


def test_pasted_objects_lie_on_top() -> None:
    """What was pasted has its pixels; what lies under it has what is left of it, or is gone."""
    picture, objects = scene()
    other = painted(((STAR * 1.2,), (180, 180), BLUE))
    gone = parted = 0
    for number in range(60):
        found, both = paste(picture, objects, *other, random.Random(number))
        renamed = PictureObjects(both.boxes, np.array([1, 2, 3]), both.outlines)
        follows(found, renamed)
        seen = renamed.visible(HEIGHT, WIDTH)
        assert len(both) == 3
        gone += len(seen) < 3
        parted += any((seen.boxes[i] - renamed.boxes[i]).any() for i in range(len(seen)) if seen.labels[i] < 3)
        # Somewhere in the picture, half of its box at least.
        x1, y1, x2, y2 = both.boxes[2]
        middle = (x1 + x2) / 2, (y1 + y2) / 2
        assert -1 <= middle[0] <= WIDTH + 1
        assert -1 <= middle[1] <= HEIGHT + 1
    assert parted > 3


def test_pasted_objects_keep_their_labels_and_keypoints() -> None:
    picture, objects = scene(keypoints=True)
    other, others = painted(((STAR,), (180, 180), BLUE), keypoints=True)
    others = PictureObjects(others.boxes, np.array([7]), others.outlines, others.keypoints)
    _, both = paste(picture, objects, other, others, random.Random(0))
    assert both.labels.tolist() == [1, 2, 7]
    assert both.keypoints.shape == (3, 2, 3)
    middle = (both.boxes[2, :2] + both.boxes[2, 2:]) / 2
    assert both.keypoints[2, 0, :2] == pytest.approx(middle, abs=12)
    assert both.keypoints[2, 1, 0] == pytest.approx(both.boxes[2, 2], abs=1e-3)  # not mirrored


def test_an_object_that_is_covered_whole_is_gone() -> None:
    _, objects = painted(((BOX * 0.3,), (240, 180), RED))
    _, cover = painted(((BOX * 2,), (240, 180), BLUE))
    seen = objects.under(cover).visible(HEIGHT, WIDTH)
    assert seen.boxes.tolist() == [[120, 96, 360, 264]]
    half = objects.under(cover.moved((1, 1), (120, 0))).visible(HEIGHT, WIDTH)
    assert half.boxes[0].tolist() == [222, 167, 240, 193]  # 18 px of it are left of the cover's edge, at 240


@pytest.mark.parametrize("height", [360, 40])
def test_to_paste_from_a_picture_with_nothing_is_to_paste_nothing(height: int) -> None:
    picture, objects = scene()
    found, same = paste(picture, objects, *painted(height=height), random.Random(0))
    assert found is picture
    assert same is objects


def test_objects_are_pasted_into_an_empty_picture() -> None:
    picture, objects = painted()
    found, both = paste(picture, objects, *painted(((STAR,), (180, 180), RED)), random.Random(3))
    assert len(both) == 1
    follows(found, both)


EVERYTHING = {"copy_paste": 1.0, "crop": 1.0, "flip": 1.0, "scale_jitter": 0.3, "colour_jitter": 0.0}


@pytest.mark.parametrize("colour_jitter", [0.0, 0.2])
def test_all_together(colour_jitter: float) -> None:
    augmentation = Augmentation(Config.preset("classroom", **{**EVERYTHING, "colour_jitter": colour_jitter}), ())
    given, other = scene(), painted(((STAR,), (180, 180), BLUE))
    kept = [given[0].copy(), other[0].copy(), given[1].boxes.copy(), other[1].boxes.copy()]
    for number in range(25):
        found, objects = augmentation(*given, random.Random(number), lambda: other)
        labels = np.where(np.arange(len(objects)) == 2, 3, objects.labels)
        if not colour_jitter:
            follows(found, PictureObjects(objects.boxes, labels, objects.outlines), 0.95)
        again, same = augmentation(*given, random.Random(number), lambda: other)
        assert np.array_equal(found, again)
        assert np.array_equal(objects.boxes, same.boxes)
        assert found.dtype == np.uint8
    for one, same_one in zip(kept, [given[0], other[0], given[1].boxes, other[1].boxes], strict=True):
        assert np.array_equal(one, same_one)


def test_an_empty_picture_stays_empty() -> None:
    augmentation = Augmentation(Config.preset("classroom", **EVERYTHING), ())
    empty = painted()
    for number in range(10):
        found, objects = augmentation(*empty, random.Random(number), lambda: empty)
        assert len(objects.visible(*found.shape[:2])) == 0
        assert min(found.shape[:2]) >= 1


def test_where_keypoints_would_be_mislabelled_nothing_is_mirrored() -> None:
    fields = {"copy_paste": 0.0, "crop": 0.0, "flip": 1.0, "scale_jitter": 0.0, "colour_jitter": 0.0}
    picture, objects = scene(keypoints=True)
    found, same = Augmentation(Config.preset("classroom", **fields), None)(picture, objects, random.Random(0), scene)
    assert np.array_equal(found, picture)
    assert same.keypoints is objects.keypoints


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([10, 10, 20, 20], [10, 10, 20, 20]),
        ([-5, -5, 3, 4], [0, 0, 3, 4]),
        ([150, 100, 170, 130], [150, 100, 160, 120]),
        ([-5, 10, 0.9, 20], None),  # less than a pixel of it is to be seen
        ([200, 10, 220, 20], None),
    ],
)
def test_boxes_alone_are_cut_off_at_the_edge(box: list[float], expected: list[float] | None) -> None:
    seen = PictureObjects(np.array([box], np.float32), np.array([1])).visible(120, 160)
    assert seen.boxes.tolist() == ([] if expected is None else [expected])
