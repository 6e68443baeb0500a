"""What is learned from, against slow oracles: masks drawn one by one, and the trainer's own documents."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.learnable_objects import LearnableCounts, objects, tally, why_not
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)

SIZE = (64, 48)
TRIANGLE = Polygon(((5, 5), (40, 8), (20, 40)))
BOWTIE = Polygon(((5, 5), (25, 25), (25, 5), (5, 25)))


BOX, HOLE = (((low, low), (high, low), (high, high), (low, high)) for low, high in ((5, 25), (5.2, 24.8)))


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (Region(TRIANGLE, "cat"), None),
        (Region(BOWTIE, "cat"), None),
        (Region(Rect(63, 47, 9, 9), "cat"), None),  # its first pixel is inside
        (Region(Circle(30, 20, 5), "cat"), None),
        (Region(TRIANGLE, "cat", iscrowd=True), "crowd"),
        (Region(TRIANGLE, None), "no-class"),
        (Region(TRIANGLE, None, iscrowd=True), "no-class"),  # the trainer stops there
        (Region(Rect(64, 10, 9, 9), "cat"), "outside"),
        (Region(Rect(-20, -20, 9, 9), "cat"), "outside"),
        (Region(Rect(10.55, 10.55, 0.3, 0.3), "cat"), "outside"),  # between the middles of pixels
        (Region(MultiPolygon(((BOX, HOLE),)), "cat"), "outside"),  # the hole leaves no middle of a pixel
        (Region(Rect(64, 10, 9, 9), "cat", iscrowd=True), "crowd"),
        (Region(Polyline(((5, 5), (40, 8), (20, 40))), "cat"), "line"),
        (Region(Polyline(((5, 5), (40, 8))), None), "line"),
        (Region(Point(5, 5), "cat"), "point"),
        (Region(Polygon(((5, 5), (40, 40))), "cat"), "no-area"),
        (Region(Rect(5, 5, 0, 10), "cat"), "no-area"),
        (Region(RLE((48, 64), "PP1"), "cat"), "no-area"),
        (Region(Keypoints(((5, 5, 2), (20, 30, 1))), "cat"), "keypoints"),
    ],
)
def test_why_a_region_is_no_object(region: Region, expected: str | None) -> None:
    assert why_not(region, SIZE) == expected


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (((5, 5, 2), (20, 30, 1)), None),
        (((5, 5, 2),), "keypoints"),  # one place spans no box
        (((5, 5, 0), (20, 30, 0)), "keypoints"),  # nothing is labelled
        (((5, 5, 2), (5, 30, 2)), "keypoints"),
        (((100, 100, 2), (120, 130, 2)), "outside"),
    ],
)
def test_without_masks_keypoints_that_span_a_box_are_an_object(points: tuple, expected: str | None) -> None:
    assert why_not(Region(Keypoints(points), "cat"), SIZE, outlines=False) == expected


def test_where_nobody_knows_the_size_every_region_lies_inside() -> None:
    assert why_not(Region(Rect(500, 500, 9, 9), "cat"), None) is None


def test_a_pixel_inside_is_what_the_rasteriser_sets() -> None:
    """The quick look at one column against the whole mask, on 1,500 outlines of every kind: large, tiny, thin, crossing
    themselves, drawn twice, half outside."""
    draw = random.Random(0)

    def ring(scale: float) -> tuple[tuple[float, float], ...]:
        x, y = draw.uniform(-20, 80), draw.uniform(-20, 60)
        return tuple(
            (x + draw.uniform(0, scale), y + draw.uniform(0, scale * draw.choice([1, 0.02])))
            for _ in range(draw.randint(3, 7))
        )

    seen = set()
    for _ in range(1500):
        points = ring(draw.choice([0.5, 1.5, 3, 30]))
        kinds: list[Shape] = [
            Polygon(points),
            Polygon(points * 2),  # the even-odd rule leaves nothing of it
            MultiPolygon(((points,), (ring(2), ring(1)))),
            Rect(*points[0], abs(points[1][0] - points[0][0]), abs(points[1][1] - points[0][1])),
        ]
        shape = draw.choice(kinds)
        if raster.has_area(shape):
            expected = None if raster.mask(shape, SIZE[1], SIZE[0]).any() else "outside"
            seen.add(expected)
            assert why_not(Region(shape, "cat"), SIZE) == expected, shape
    assert seen == {None, "outside"}


def record(name: str, *regions: Region) -> ImageRecord:
    return ImageRecord(name, regions, None, *SIZE)


CAT, DOG = Region(TRIANGLE, "cat"), Region(BOWTIE, "dog")
LINE, CROWD = Region(Polyline(((5, 5), (9, 9), (5, 9))), "cat"), replace(DOG, iscrowd=True)


def test_a_tally_counts_objects_and_what_is_passed_over() -> None:
    found = tally([record("a.png", CAT, DOG, LINE), record("b.png", LINE), record("c.png"), record("d.png", CROWD)])
    assert found == LearnableCounts(
        pictures=4,
        objects={"cat": 1, "dog": 1},
        regions={"cat": 3, "dog": 2},
        left={("line", "cat"): 2, ("crowd", "dog"): 1},
        bare=("b.png", "d.png"),
    )
    assert (found.n_objects, found.n_regions, found.n_skipped(), found.n_skipped("line")) == (2, 5, 3, 2)
    assert found.in_short() == '2 objects on 4 pictures ("cat" 1, "dog" 1)'
    assert objects(record("a.png", CAT, LINE, CROWD)) == [CAT]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([record("a.png", CAT)], []),
        ([record("a.png", CAT, LINE)], ['1 region is a line and is not learned: 1 of 2 of "cat"']),
        ([record("a.png", CAT, CROWD)], ['1 region marks a crowd and is not learned: the only one of "dog"']),
        (
            [record("a.png", CROWD, CROWD)],
            [
                'all 2 regions mark a crowd and are not learned: all 2 of "dog"',
                "1 picture has nothing else and is learned as background: a.png",
            ],
        ),
        (
            [record("a.png", CAT), record("b.png", LINE), record("c.png", LINE, CROWD)],
            [
                '2 regions are lines and are not learned: 2 of 3 of "cat"',
                '1 region marks a crowd and is not learned: the only one of "dog"',
                "2 pictures have nothing else and are learned as background: b.png, c.png",
            ],
        ),
        ([record("a.png", CAT, Region(TRIANGLE))], ["1 region has no class, and training stops there"]),
        (
            [record("a.png", CAT, Region(Point(1, 1)))],
            ["1 region is a point and is not learned: the only one without a class"],
        ),
        (
            [record("a.png", CAT, Region(Rect(99, 9, 9, 9), "cat"))],
            ['1 region has no pixel inside its picture and is not learned: 1 of 2 of "cat"'],
        ),
        (
            [record("a.png", CAT, Region(Rect(9, 9, 9, 9), "cat", extras={"coco": {"segmentation": []}}))],
            ['1 object is a box without an outline, and as a mask the whole box is learned: 1 of 2 of "cat"'],
        ),
        # Where no object has an outline, masks are not learned at all; that is said elsewhere.
        ([record("a.png", Region(Rect(9, 9, 9, 9), "cat", extras={"coco": {"segmentation": []}}))], []),
        (
            [record("a.png", CAT, Region(Keypoints(((5, 5, 2), (20, 30, 1))), "cat"))],
            ['1 region has keypoints and no outline and is not learned: 1 of 2 of "cat"'],
        ),
        ([record(f"{n}.png", LINE) for n in range(7)] + [record("x.png", CAT)], [
            '7 regions are lines and are not learned: 7 of 8 of "cat"',
            "7 pictures have nothing else and are learned as background: 0.png, 1.png, 2.png, 3.png, 4.png "
            "and 2 more pictures",
        ]),
    ],
)  # fmt: skip
def test_what_is_passed_over_is_told_by_reason_and_class(records: list[ImageRecord], said: list[str]) -> None:
    assert tally(records).remarks() == said


@pytest.mark.parametrize(
    ("shape", "working", "number"),
    [
        (Rect(10, 10, 20, 1), (48, 64), 0),
        (Rect(10, 10, 20, 1), (24, 64), 1),  # half a pixel high
        (Rect(10, 10, 20, 3), (16, 64), 0),
        (Rect(10, 10, 20, 2), (24, 64), 0),
        (Rect(10, 10, 20, 2), (480, 21), 1),  # 64 px become 21
        (Polygon(((10, 10), (50, 10), (50, 12))), (20, 64), 1),
        (Polygon(((10, 10), (50, 10), (50, 40))), (20, 64), 0),
        (Rect(10, 45, 20, 30), (12, 64), 1),  # 3 px of it lie in the picture, and a quarter is left of them
    ],
)
def test_what_is_narrower_than_a_pixel_at_working_size(shape: Shape, working: tuple[int, int], number: int) -> None:
    assert tally([record("a.png", Region(shape, "cat"))]).vanishing(*working) == number


def test_keypoints_are_told_by_what_they_lack() -> None:
    """Where no masks are learned, those that span a box are objects, so an outline is not what the others lack."""
    seen, unseen = (Region(Keypoints(((5, 5, v), (20, 30, v))), "cat") for v in (2, 0))
    assert tally([record("a.png", seen, unseen)], outlines=False).remarks() == [
        '1 region has keypoints that span no box and is not learned: 1 of 2 of "cat"'
    ]


def test_pictures_that_wait_for_labels_are_told() -> None:
    (line,) = LearnableCounts(waiting=2).remarks()
    assert line.startswith("2 pictures are left out, because nobody has labelled them")
    (line,) = LearnableCounts(waiting=1).remarks()
    assert line.startswith("1 picture is left out, because nobody has labelled it:")


def test_sizes_that_the_record_does_not_have_can_be_given() -> None:
    far = ImageRecord("a.png", (Region(Rect(100, 0, 9, 9), "cat"),))
    assert tally([far]).n_objects == 1
    assert tally([far], sized=lambda record: SIZE).n_objects == 0
