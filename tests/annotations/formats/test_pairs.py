"""Every pair of formats: what both can carry survives the way through both, and what one cannot is named in a warning.

`CARRIES` says of each format what it can hold; the tests below draw datasets and hold the formats to it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from maskrcnn.annotations import raster, read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.writing import FORMATS, encode, write_encoded
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
    Skeleton,
)
from maskrcnn.errors import StudioError
from tests.sweeps import examples, one_in, wider

WIDTH, HEIGHT = 48, 36

EXACT, OUTLINE, MASK, LOST = "exact", "outline", "mask", "lost"
"""How a shape comes back: itself; as one outline with the same mask; as that mask; not at all."""


@dataclass(frozen=True)
class Carries:
    """What a format can hold. `tolerance` is that of vertices, in pixels; `shapes` how each comes back."""

    tolerance: float
    shapes: dict[str, str]
    crowd: bool = True
    attributes: bool = True
    keypoints: bool = True
    model: bool = True
    picture_attributes: bool = True
    split: bool = True
    skeletons: bool = True
    unclassed: bool = True


def shapes(**others: str) -> dict[str, str]:
    return {kind.__name__.lower(): EXACT for kind in (Polygon, Rect, Circle, Ellipse, Polyline, Point, RLE)} | {
        "parts": EXACT,
        "holes": EXACT,
        "keypoints": EXACT,
        **others,
    }


VIA = Carries(1e-9, shapes(parts=OUTLINE, holes=OUTLINE, rle=OUTLINE), split=False, skeletons=False)
CARRIES: dict[str, Carries] = {
    "via1": VIA,
    "via2": VIA,
    "via-project": replace(VIA, skeletons=True),
    "via-csv": VIA,
    "coco": Carries(
        1e-9,
        shapes(rect=OUTLINE, circle=OUTLINE, ellipse=OUTLINE, holes=MASK, polyline=LOST, point=LOST),
        unclassed=False,
    ),
    "labelme": Carries(1e-9, shapes(ellipse=OUTLINE, holes=MASK), skeletons=False),
    "yolo": Carries(
        1e-6,
        shapes(rect=OUTLINE, circle=OUTLINE, ellipse=OUTLINE, parts=OUTLINE, holes=OUTLINE, rle=OUTLINE)
        | dict.fromkeys(("polyline", "point", "keypoints"), LOST),
        **dict.fromkeys(("crowd", "attributes", "keypoints", "model"), False),
        **dict.fromkeys(("picture_attributes", "skeletons", "unclassed"), False),
    ),
    "masks": Carries(
        0,
        dict.fromkeys(("polygon", "rect", "circle", "ellipse", "parts", "holes"), MASK)
        | {"rle": EXACT}
        | dict.fromkeys(("polyline", "point", "keypoints"), LOST),
        **dict.fromkeys(("attributes", "keypoints", "model"), False),
        **dict.fromkeys(("picture_attributes", "skeletons", "unclassed"), False),
    ),
}


def kind_of(shape: Shape) -> str:
    if isinstance(shape, MultiPolygon):
        return "holes" if any(len(part) > 1 for part in shape.parts) else "parts"
    return type(shape).__name__.lower()


# Drawing datasets. Objects stand in cells of a grid, so that none covers another.

CELL = 12
xs = st.integers(1, CELL * 10 - 10).map(lambda tenths: tenths / 10)


def moved(points: list[tuple[float, float]], corner: tuple[int, int]) -> tuple[tuple[float, float], ...]:
    return tuple((x + corner[0], y + corner[1]) for x, y in points)


@st.composite
def outlines(draw: Any, corner: tuple[int, int]) -> tuple[tuple[float, float], ...]:
    """A polygon of three to six corners, which may cross itself, with an area of some pixels."""
    points = draw(st.lists(st.tuples(xs, xs), min_size=3, max_size=6, unique=True))
    return moved([(1, 1), (10, 2), *points], corner)


@st.composite
def drawn(draw: Any, kind: str, corner: tuple[int, int]) -> Shape:
    x, y = corner
    match kind:
        case "polygon":
            return Polygon(draw(outlines(corner)))
        case "rect":
            return Rect(x + 1, y + draw(st.floats(1, 3)), draw(st.floats(3, 6)), draw(st.floats(3, 6)))
        case "circle":
            return Circle(x + 6, y + draw(st.floats(5, 7)), draw(st.floats(2, 4)))
        case "ellipse":
            return Ellipse(x + 6, y + 6, draw(st.floats(3, 5)), draw(st.floats(2, 4)), draw(st.floats(0, 3)))
        case "polyline":
            return Polyline(moved(draw(st.lists(st.tuples(xs, xs), min_size=2, max_size=4)), corner))
        case "point":
            return Point(x + draw(xs), y + draw(xs))
        case "keypoints":
            places = draw(st.lists(st.tuples(xs, xs, st.integers(1, 2)), min_size=2, max_size=2, unique=True))
            return Keypoints(tuple((x + a, y + b, visibility) for a, b, visibility in places))
        case "parts":
            right = draw(st.floats(7, 8))  # clear of the left part
            left = moved([(1, 1), (5, 1), (5, draw(st.floats(4, 9))), (1, 4)], corner)
            return MultiPolygon(((left,), (moved([(right, 2), (11, 2), (11, 9)], corner),)))
        case "holes":
            hole = moved([(4, 4), (7, 4), (7, draw(st.floats(6, 7))), (4, 7)], corner)
            return MultiPolygon(((moved([(1, 1), (10, 1), (10, 10), (1, 10)], corner), hole),))
        case "rle":
            pixels = np.zeros((HEIGHT, WIDTH), bool)
            bits = draw(st.lists(st.booleans(), min_size=25, max_size=25))
            pixels[y + 2 : y + 7, x + 2 : x + 7] = np.array(bits).reshape(5, 5)
            pixels[y + 3, x + 3] = True
            return raster.from_mask(pixels)
    raise AssertionError(kind)


@st.composite
def datasets(draw: Any, kinds: list[str], attributes: bool = False) -> Dataset:
    """A picture with an object of some of the kinds, one in each cell, and an empty picture."""
    cells = [(x, y) for y in range(0, HEIGHT, CELL) for x in range(0, WIDTH, CELL)]
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=len(cells)))
    regions = [
        Region(
            draw(drawn(kind, corner)),
            draw(st.sampled_from(["cat", "dog <b>", "Ünïcode"])),
            {"note": draw(st.text("ab,\"'{ é", max_size=4)), "track": draw(st.integers(0, 3))} if attributes else {},
        )
        for kind, corner in zip(chosen, cells, strict=False)
    ]
    picture = ImageRecord("a.png", tuple(regions), PICTURE, WIDTH, HEIGHT)
    return Dataset((picture, ImageRecord("b.png", (), PICTURE, WIDTH, HEIGHT)), ("cat", "dog <b>", "Ünïcode"))


_FOLDER = Path(tempfile.gettempdir()) / f"pairs-{os.getpid()}"  # made when the tests run
PICTURE = _FOLDER / "a.png"


@pytest.fixture(autouse=True, scope="module")
def _picture_on_disk() -> Any:
    """The pictures of all the datasets; and no waiting for the disk."""
    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fsync", lambda _: None)
    _FOLDER.mkdir()
    Image.new("RGB", (WIDTH, HEIGHT)).save(PICTURE)
    Image.new("RGB", (WIDTH, HEIGHT)).save(_FOLDER / "b.png")
    yield
    patch.undo()
    shutil.rmtree(_FOLDER)


def through(dataset: Dataset, format: str) -> tuple[Dataset, list[str]]:
    """What comes back of a dataset that was written in a format and read again, and the warnings."""
    with tempfile.TemporaryDirectory(dir=_FOLDER) as folder:
        path = Path(folder) / f"labels{FORMATS[format].suffix or ''}"
        encoded = encode(dataset, format)
        warnings = write_encoded(encoded, path, format)
        again = read(path, None if path.is_dir() else _FOLDER)
        assert encoded.n_regions == again.n_regions
        sized = [replace(record, width=WIDTH, height=HEIGHT, path=PICTURE) for record in again.images]
        return replace(again, images=tuple(sized)), warnings


def assert_survives(before: Region, after: Region, how: str, tolerance: float) -> None:
    assert before.class_name == after.class_name
    if how == EXACT:
        assert type(before.shape) is type(after.shape)
        np.testing.assert_allclose(numbers(after.shape), numbers(before.shape), rtol=0, atol=max(tolerance, 1e-9))
        return
    ours, theirs = (raster.mask(region.shape, HEIGHT, WIDTH) for region in (before, after))
    if tolerance <= 1e-9:
        assert (ours == theirs).all()
        return
    # A vertex that moved by a millionth may fall to the other side of the rasteriser's grid of 0.2 px.
    edge = shapely.MultiLineString([shapely.LinearRing(ring) for ring in raster.rings(before.shape)])
    changed = np.argwhere(ours != theirs)[:, ::-1] + 0.5
    assert all(edge.distance(shapely.Point(place)) < 0.3 for place in changed)


def numbers(shape: Shape) -> list[float]:
    if isinstance(shape, RLE):
        return raster.mask(shape, HEIGHT, WIDTH).ravel().tolist()
    if isinstance(shape, Polygon | Polyline | Keypoints):
        return [value for point in shape.points for value in point]
    if isinstance(shape, MultiPolygon):
        return [value for part in shape.parts for ring in part for point in ring for value in point]
    return list(vars(shape).values())


WEAKEST = [EXACT, OUTLINE, MASK]

FEW = settings(
    max_examples=examples(5),
    phases=[Phase.explicit, Phase.generate],  # shrinking goes through files, and takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@wider
@pytest.mark.parametrize(("first", "second"), one_in(4, permutations(CARRIES, 2)))
def test_what_both_formats_can_carry_survives_the_way_through_both(first: str, second: str) -> None:
    carries = [CARRIES[name] for name in (first, second)]
    kinds = [kind for kind in shapes() if all(each.shapes[kind] != LOST for each in carries)]
    with_attributes = all(each.attributes for each in carries)

    @FEW
    @given(datasets(kinds, with_attributes))
    def check(before: Dataset) -> None:
        after, _ = through(through(before, first)[0], second)
        assert [record.file_name.split("/")[-1] for record in after.images] == ["a.png", "b.png"]
        ways = [[each.shapes[kind_of(region.shape)] for each in carries] for region in before.images[0].regions]
        found = paired(before.images[0].regions, after.images[0].regions)
        for region, again, way in zip(before.images[0].regions, found, ways, strict=True):
            how = max(way, key=WEAKEST.index)
            assert_survives(region, again, how, max(each.tolerance for each in carries))
            if with_attributes:
                kept = {name: value for name, value in again.attributes.items() if name in region.attributes}
                assert kept == dict(region.attributes)

    check()


def paired(before: tuple[Region, ...], after: tuple[Region, ...]) -> list[Region]:
    """The regions found again, in the order of those before: masks are numbered by class, and lose it."""
    assert len(before) == len(after)
    cells = {cell(region.shape): region for region in after}
    return [cells[cell(region.shape)] for region in before]


def cell(shape: Shape) -> tuple[int, int]:
    x0, y0, x1, y1 = raster.bounds(shape)
    return int((x0 + x1) / 2 / CELL), int((y0 + y1) / 2 / CELL)


# What is lost is said.

SQUARE = [(1.0, 1.0), (10.0, 1.0), (10.0, 10.0), (1.0, 10.0)]
ONE_OF_EACH: dict[str, Callable[[tuple[int, int]], Shape]] = {
    "polygon": lambda corner: Polygon(moved(SQUARE[:3], corner)),
    "rect": lambda corner: Rect(corner[0] + 1, corner[1] + 1, 6, 5),
    "circle": lambda corner: Circle(corner[0] + 6, corner[1] + 6, 4),
    "ellipse": lambda corner: Ellipse(corner[0] + 6, corner[1] + 6, 4, 3, 0.5),
    "polyline": lambda corner: Polyline(moved(SQUARE[:2], corner)),
    "point": lambda corner: Point(corner[0] + 6, corner[1] + 6),
    "keypoints": lambda corner: Keypoints(tuple((x, y, 2) for x, y in moved(SQUARE[:3], corner))),
    "parts": lambda corner: MultiPolygon(
        ((moved([(1, 1), (4, 1), (4, 4)], corner),), (moved([(6, 6), (9, 6), (9, 9)], corner),))
    ),
    "holes": lambda corner: MultiPolygon(
        ((moved(SQUARE, corner), moved([(4.0, 4.0), (7.0, 4.0), (7.0, 7.0)], corner)),)
    ),
    "rle": lambda corner: raster.from_mask(raster.mask(Polygon(moved(SQUARE, corner)), HEIGHT, WIDTH)),
}


def three(kind: str, **fields: Any) -> Dataset:
    """A dataset of three objects of a kind, in three cells, on one picture."""
    regions = tuple(Region(ONE_OF_EACH[kind]((x, 0)), "cat", **fields) for x in (0, CELL, 2 * CELL))
    return Dataset((ImageRecord("a.png", regions, PICTURE, WIDTH, HEIGHT),), ("cat",), source=Path("in.json"))


@pytest.mark.parametrize("kind", ONE_OF_EACH)
@pytest.mark.parametrize("format", CARRIES)
def test_a_shape_that_comes_back_as_another_or_not_at_all_is_counted_in_a_warning(format: str, kind: str) -> None:
    how = CARRIES[format].shapes[kind]
    # The four corners of a rectangle are all there is to it: no loss worth a line.
    silent = how == EXACT or (kind == "rect" and how == OUTLINE)
    after, warnings = through(three(kind), format)
    assert len(after.images[0].regions) == (0 if how == LOST else 3)
    assert len(warnings) == (0 if silent else 1)
    for warning in warnings:
        assert warning.startswith("in.json: 3 regions ")
        assert ("left out" in warning) == (how == LOST)


def facts(dataset: Dataset) -> dict[str, Any]:
    """What `Carries` has a name for, as a dataset says it."""
    regions = [region for record in dataset.images for region in record.regions]
    return {
        "crowd": [region.iscrowd for region in regions],
        "attributes": [dict(region.attributes) for region in regions],
        "keypoints": [region.keypoints for region in regions],
        "model": [(region.source, region.score) for region in regions],
        "picture_attributes": [dict(record.attributes) for record in dataset.images],
        "split": [record.split for record in dataset.images],
        "skeletons": dict(dataset.skeletons),
    }


def with_split() -> Dataset:
    (record,) = three("rle").images
    other = replace(record, file_name="b.png", split="val")
    return replace(three("rle"), images=(replace(record, split="train"), other))


def with_skeleton() -> Dataset:
    points = Keypoints(((2, 2, 2), (3, 3, 1)))
    return replace(three("rle", keypoints=points), skeletons={"cat": Skeleton(("head", "tail"), ((0, 1),))})


def three_crowds() -> Dataset:
    """Of three classes, as masks have one crowd for each."""
    dataset, classes = three("rle", iscrowd=True), ("cat", "cow", "dog")
    regions = zip(dataset.images[0].regions, classes, strict=True)
    named = tuple(replace(region, class_name=name) for region, name in regions)
    return replace(dataset, images=(replace(dataset.images[0], regions=named),), classes=classes)


LOSSES: dict[str, tuple[Callable[[], Dataset], str]] = {
    "crowd": (three_crowds, "3 regions"),
    "attributes": (lambda: three("rle", attributes={"note": "x", "n": 3}), "3 regions"),
    "keypoints": (lambda: three("rle", keypoints=Keypoints(((2, 2, 2), (3, 3, 1), (0, 0, 0)))), "3 regions"),
    "model": (lambda: three("rle", source="model", score=0.5), "3 regions"),
    "split": (with_split, "which pictures are for training"),
    "skeletons": (with_skeleton, "of keypoints|of their keypoints"),
    "picture_attributes": (
        lambda: replace(three("rle"), images=(replace(three("rle").images[0], attributes={"seen": "x"}),)),
        "1 picture",
    ),
}
"""A dataset that has the thing, and what the warning says of its loss."""


@pytest.mark.parametrize("fact", LOSSES)
@pytest.mark.parametrize("format", CARRIES)
def test_what_a_format_cannot_carry_is_named_and_what_it_can_comes_back(format: str, fact: str) -> None:
    make, said = LOSSES[fact]
    before = make()
    after, warnings = through(before, format)
    named = [warning for warning in warnings if re.search(said, warning) and "drawn as masks" not in warning]
    if getattr(CARRIES[format], fact):
        assert facts(after)[fact] == facts(before)[fact]
        assert named == []
    else:
        assert facts(after)[fact] != facts(before)[fact]
        assert len(named) == 1


@pytest.mark.parametrize("format", CARRIES)
def test_an_object_without_a_class_is_carried_or_refused(format: str) -> None:
    region = replace(three("rle").images[0].regions[0], class_name=None, attributes={"note": "x"})
    dataset = replace(three("rle"), images=(replace(three("rle").images[0], regions=(region,)),))
    if CARRIES[format].unclassed:
        assert through(dataset, format)[0].images[0].regions[0].class_name in (None, "x")
    else:
        with pytest.raises(StudioError, match=r'in\.json: region 1 of "a\.png" has no class'):
            through(dataset, format)


def test_every_format_is_in_the_table() -> None:
    assert set(CARRIES) == set(FORMATS)
