"""`apply`: after all mends nothing is left to mend, whatever was drawn; and nothing else is touched."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.doctor import apply, examine
from maskrcnn.annotations.formats.lazy_records import LazyRecords
from maskrcnn.annotations.regions import (
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
)
from maskrcnn.errors import StudioError
from tests.annotations.doctor import made_up
from tests.sweeps import examples

SIDE = 40
# On a coarse grid edges often run over one another, and through vertices.
COARSE = st.integers(-2, 10).map(lambda value: 5 * value)
FINE = st.one_of(COARSE, st.floats(-15, 55).map(lambda value: round(value, 2)))
PLACE = st.tuples(FINE, FINE)
RING = st.lists(PLACE, min_size=1, max_size=9).map(tuple)
LENGTH = st.one_of(st.integers(0, 40), st.floats(0, 40).map(lambda value: round(value, 2)))
SHAPE = st.one_of(
    RING.map(Polygon),
    st.lists(st.lists(RING, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple).map(MultiPolygon),
    st.builds(Rect, FINE, FINE, LENGTH, LENGTH),
    st.builds(Circle, FINE, FINE, LENGTH),
    st.builds(Ellipse, FINE, FINE, LENGTH, LENGTH, st.floats(0, 3)),
    st.builds(Point, FINE, FINE),
    RING.map(Polyline),
    st.lists(st.tuples(FINE, FINE, st.integers(0, 2)), min_size=1, max_size=4).map(tuple).map(Keypoints),
)
CLASS = st.sampled_from([None, "dent", "dent", "dent", "Dent", "scratch", "scrach"])
REGION = st.builds(
    lambda shape, name, crowd, pointed: Region(
        shape, name, iscrowd=crowd, keypoints=Keypoints(((50, 5, 2),)) if pointed else None
    ),
    SHAPE,
    CLASS,
    st.booleans(),
    st.booleans(),
)


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up.picture(tmp_path_factory.mktemp("square") / "a.png", size=(SIDE, SIDE))


# What sure mends take away (an outline or a region of one vertex, a sliver) does not say how far out a region lies.
CORNER = ((0, 0), (5, 0), (-5, 5))
SLIVER = ((-30, -30), (-29.9, -30), (0, 20), (0, 20), (-30, -30))

LEFT, SHARE = Polygon(((0, 0), (20, 0), (20, 20))), Rect(-0.2, 0.1, 0.7, 0.3)
POINTED = Keypoints(((5, 15, 2),))
FLAT = Region(Rect(-2, 30, 20, 8), "dent")


@settings(max_examples=examples(60))
@example([[Region(MultiPolygon(((((0, -5),),), (CORNER,))), None)]], True)
@example([[Region(Polygon(((-30, -30),)), "dent"), Region(Rect(-5, 0, 20, 20), "dent")]], True)
@example([[Region(MultiPolygon(((SLIVER,), (((-4, 0), (20, 0), (20, 20)),))), "dent")]], True)
@example([[Region(Rect(10, 10, 30, 20), "dent"), Region(Rect(10, 10, 45, 20), "dent"), FLAT]], True)
# A region without a class that may be another one is not given that one's class; labels in shares are no pixels.
@example([[Region(LEFT, keypoints=POINTED), Region(LEFT, "scratch")]], True)
@example([[Region(SHARE, "dent"), Region(SHARE)]], True)
@given(st.lists(st.lists(REGION, max_size=6), min_size=1, max_size=2), st.booleans())
def test_after_all_mends_nothing_is_left_to_mend(square: Path, drawn: list[list[Region]], found: bool) -> None:
    path = square if found else None
    images = [ImageRecord(f"{n}.png", tuple(regions), path) for n, regions in enumerate(drawn)]
    images.append(ImageRecord("far.png", (Region(Rect(0, 0, 30, 30), "scratch"),), square))
    dataset = made_up.dataset(*images)
    mended = apply(dataset, examine(dataset))
    assert [(finding.check, finding.what) for finding in examine(mended) if finding.fix is not None] == []
    assert {r.class_name for i in mended.images for r in i.regions} - {None} <= set(mended.classes)


@settings(max_examples=examples(80))
@given(RING.map(Polygon))
def test_a_mended_polygon_covers_what_it_covered(square: Path, shape: Polygon) -> None:
    dataset = made_up.dataset(ImageRecord("a.png", (Region(shape, "dent"),), square))
    (record,) = apply(dataset, examine(dataset)).images
    before = raster.mask(shape, SIDE, SIDE)
    after = raster.mask(record.regions[0].shape, SIDE, SIDE) if record.regions else np.zeros_like(before)
    # Nearer to the outline the rasteriser rounds, and slivers and tiny regions have nothing that is farther from it.
    edges = [shapely.LineString([*shape.points, shape.points[0]]), shapely.box(0, 0, SIDE, SIDE).exterior]
    ys, xs = np.mgrid[:SIDE, :SIDE] + 0.5
    far = shapely.distance(shapely.union_all(edges), shapely.points(xs, ys)) > (1.2 if record.regions else 2.3)
    assert (before == after)[far].all() or not before[far].any()  # what was drawn twice all round comes back


def test_the_order_of_findings_does_not_matter_and_nothing_changes_in_place(tmp_path: Path) -> None:
    regions = [
        Region(made_up.polygon((150, 100), (230, 140), (230, 100), (150, 140)), "dent"),
        Region(made_up.SCRATCH, "Scratch", keypoints=Keypoints(((300, 100, 2),)), extras={"coco": {"id": 3}}),
        Region(made_up.SCRATCH, "scratch"),
        Region(Rect(10, 10, 3, 3), "scratch"),
        Region(Rect(10, 100, 50, 30), "scratch", extras={"coco": {"id": 4}}),
    ]
    dataset = made_up.dataset(
        made_up.record(tmp_path, "a.png", *regions), made_up.record(tmp_path, "b.png", *made_up.PAIR, seed=5)
    )
    kept = repr(dataset)
    found = examine(dataset)
    assert [(finding.check, finding.region_number) for finding in found] == [
        ("outside-picture", 1),
        ("outside-picture", 2),
        ("self-crossing", 1),
        ("tiny", 4),
        ("duplicate", 3),
        ("class-typo", 2),
    ]
    found = made_up.decided(found)
    mended = apply(dataset, found)
    shuffled = list(found)
    random.Random(1).shuffle(shuffled)
    assert apply(dataset, shuffled) == mended
    assert repr(dataset) == kept
    assert mended.images[1] is dataset.images[1]
    first, second, third = mended.images[0].regions
    assert [region.id for region in (first, second, third)] == [regions[n].id for n in (0, 1, 4)]
    assert isinstance(first.shape, MultiPolygon)
    assert (second.keypoints, second.class_name, second.extras) == (Keypoints(((200, 100, 2),)), "scratch", {})
    assert third is regions[4]


def test_each_mend_alone(tmp_path: Path) -> None:
    """Of several findings on one region some may be mended, the others stay."""
    dataset = made_up.with_region(tmp_path, made_up.polygon((150, 100), (230, 140), (230, 100), (150, 140)), "Dent")
    found = {finding.check: finding for finding in made_up.decided(examine(dataset))}
    assert list(found) == ["outside-picture", "self-crossing", "class-typo"]
    left = {check: [f.check for f in examine(apply(dataset, [finding]))] for check, finding in found.items()}
    assert left == {
        "outside-picture": ["class-typo"],  # where it is cut off, it is drawn anew
        "self-crossing": ["outside-picture", "class-typo"],
        "class-typo": ["outside-picture", "self-crossing"],
    }


def test_nothing_to_mend_gives_the_same(tmp_path: Path) -> None:
    dataset = made_up.healthy(tmp_path)
    assert apply(dataset, []) == dataset
    dataset = made_up.MADE_UP["below-anchor"](tmp_path)
    assert apply(dataset, examine(dataset)) == dataset


def test_findings_of_labels_that_changed_meanwhile_are_refused(tmp_path: Path) -> None:
    dataset = made_up.MADE_UP["tiny"](tmp_path)
    found = made_up.decided(examine(dataset))
    first, second = dataset.images
    gone = replace(dataset, images=(replace(first, regions=first.regions[:2]), second))
    for other in (gone, replace(dataset, images=(second, first)), replace(dataset, images=())):
        with pytest.raises(StudioError, match=r'"a\.png" has changed since it was examined; examine it again'):
            apply(other, found)
    lost = made_up.MADE_UP["picture-missing"](tmp_path)
    with pytest.raises(StudioError, match=r'"b\.png" has changed'):
        apply(replace(lost, images=lost.images[::-1]), made_up.decided(examine(lost)))
    # A region that only moved to another place is found by its id.
    moved = replace(dataset, images=(replace(first, regions=first.regions[::-1]), second))
    assert len(apply(moved, found).images[0].regions) == 2
    assert examine(apply(moved, found)) == []


def test_records_that_are_made_on_demand(tmp_path: Path) -> None:
    """Their regions have another id each time they are asked for."""
    sick = made_up.MADE_UP["tiny"](tmp_path)

    class Fresh(LazyRecords):
        def __len__(self) -> int:
            return len(sick.images)

        def create_record(self, index: int) -> ImageRecord:
            record = sick.images[index]
            return replace(record, regions=tuple(Region(r.shape, r.class_name) for r in record.regions))

    dataset = Dataset(Fresh(), sick.classes)
    found = made_up.decided(examine(dataset))
    assert [finding.check for finding in found] == ["tiny"]
    assert [len(record.regions) for record in apply(dataset, found).images] == [2, 2]
