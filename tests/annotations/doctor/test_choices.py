"""Nothing is mended unasked that could be meant: every kind of mend that can be wrong, each on labels where it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maskrcnn.annotations.doctor import apply, choose, examine
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Dataset,
    ImageRecord,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)
from maskrcnn.errors import ArgumentError
from tests.annotations.doctor import made_up
from tests.annotations.doctor.made_up import DENT, HEIGHT, PAIR, SCRATCH, WIDTH, polygon

BOX = Rect(20, 100, 60, 40)
STAR = polygon((50, 95), (75, 155), (20, 115), (80, 115), (25, 155))  # in one line: its middle is run around twice
LOOP = polygon((20, 100), (80, 100), (80, 150), (30, 150), (30, 120), (60, 120), (60, 152), (20, 152))


def alone(tmp_path: Path, *regions: Region, **fields: object) -> Dataset:
    """One picture with these regions."""
    return made_up.dataset(made_up.record(tmp_path, "a.png", *regions), **fields)


# A class that is invented


@pytest.mark.parametrize(
    ("attributes", "offered"),
    [
        ({"orange": "orange"}, "orange"),  # an attribute for each class
        ({"orange": "1"}, "orange"),
        ({"fruit": "pear"}, "pear"),
        ({"Label": "Dent"}, "Dent"),
        ({"note": "not a dent"}, "not a dent"),
        ({"kind": {"dent": True, "scratch": True}}, None),  # two boxes ticked
    ],
)
def test_no_class_is_given_to_a_region_that_says_something_else(
    attributes: dict, offered: str | None, tmp_path: Path
) -> None:
    dataset = alone(tmp_path, Region(DENT, "mango"), Region(SCRATCH, None, attributes))
    assert [region.class_name for region in apply(dataset, examine(dataset)).images[0].regions] == ["mango", None]
    (finding,) = [finding for finding in examine(dataset) if finding.check == "no-class"]
    assert finding.fix is None
    called = [(choice.called, choice.value) for choice in finding.choices if choice.action == "rename"]
    own = [("own-attribute", offered)] if offered else []
    assert called == [*own, ("mango", "mango")]
    if offered:
        (record,) = apply(dataset, choose(examine(dataset), {"no-class": "own-attribute"})).images
        assert [region.class_name for region in record.regions] == ["mango", offered]


def test_the_only_class_is_given_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    dataset = alone(tmp_path, Region(DENT, "mango"), Region(SCRATCH, None, {"note": "", "done": {}, "iscrowd": 0}))
    (record,) = apply(dataset, examine(dataset)).images
    assert [region.class_name for region in record.regions] == ["mango", "mango"]


def test_several_attributes_that_name_classes_are_told(tmp_path: Path) -> None:
    found = examine(made_up.MADE_UP["several-attributes"](tmp_path))
    assert [finding.check for finding in found] == ["several-attributes", "no-class"]
    assert (
        found[0].what == 'the attributes "mango", "orange" each name classes, and the class is read from "mango" alone'
    )


# Classes that only look alike


@pytest.mark.parametrize(
    ("rare", "common"),
    [("Dent", "dent"), ("red light", "red-light"), ("goat", "boat"), ("ship", "shop"), ("US car", "us car")],
)
def test_classes_that_look_alike_are_not_merged_unasked(rare: str, common: str, tmp_path: Path) -> None:
    places = [Rect(20 * column, 40 * row, 18, 38) for row in range(3) for column in range(10)]
    regions = [Region(place, common) for place in places[:20]]
    dataset = alone(tmp_path, *regions, Region(places[25], rare))
    assert apply(dataset, examine(dataset)).images == dataset.images
    merged = apply(dataset, choose(examine(dataset), {"class-typo": "rename"}))
    assert {region.class_name for region in merged.images[0].regions} == {common}


@pytest.mark.parametrize("odd", [" dent", "dent ", "rear  dent", "d\u0065\u0301nt"])
def test_names_that_nobody_can_tell_apart_are_one(odd: str, tmp_path: Path) -> None:
    plain = {"rear  dent": "rear dent", "d\u0065\u0301nt": "d\u00e9nt"}.get(odd, "dent")
    dataset = alone(tmp_path, Region(DENT, plain), Region(SCRATCH, plain), Region(BOX, odd))
    assert {region.class_name for region in apply(dataset, examine(dataset)).images[0].regions} == {plain}


# Regions that are deleted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Region(DENT, "dent"), Region(DENT, "scratch")),
        (Region(DENT, "dent"), Region(DENT, "Dent")),
        (Region(DENT, "dent"), Region(DENT, None, {"part": "door"})),
        (Region(DENT, "dent", {"track": "1"}), Region(DENT, "dent", {"track": "2"})),
        (Region(DENT, "dent"), Region(DENT, "dent", keypoints=Keypoints(((30, 30, 2), (50, 60, 2))))),
        (Region(BOX, "dent"), Region(replace(BOX, height=41), "dent")),  # IoU 40 / 41: a lid on a tin
    ],
)
def test_a_region_on_another_is_not_dropped_unless_it_says_the_same(one: Region, other: Region, tmp_path: Path) -> None:
    dataset = alone(tmp_path, one, other, Region(SCRATCH, "scratch"))
    found = examine(dataset)
    assert apply(dataset, found).images == dataset.images
    for option, left in (("drop", [one, other][:1]), ("drop-other", [other])):
        (record,) = apply(dataset, choose(found, {"duplicate": option})).images
        expected = left if other.class_name is not None else ([one] if option == "drop" else [other])
        assert [region.id for region in record.regions[:-1]] == [region.id for region in expected]


@pytest.mark.parametrize(
    "shape",
    [
        Rect(20, 100, 5, 3),  # 15 px: a ball far away
        Circle(50, 120, 2),
        Rect(20, 100, 60, 0.5),
        polygon((20, 100), (80, 150)),  # two corners of a box
        polygon((20, 100), (50, 120), (80, 140)),  # a line that was closed
        Rect(300, 300, 50, 50),  # on a larger copy it may lie inside
        Polyline(((20, 100), (80, 100), (80, 140))),
        Point(30, 120),
        polygon((20, 100), (80, 150), (20, 100)),
    ],
)
def test_no_region_is_dropped_unasked_that_somebody_may_have_meant(shape: Shape, tmp_path: Path) -> None:
    dataset = made_up.with_region(tmp_path, shape)
    found = examine(dataset)
    assert apply(dataset, found).images == dataset.images
    options = [choice.called for finding in found for choice in finding.choices]
    assert options[-1] == "drop"
    assert apply(dataset, choose(found, {found[0].check: "drop"})).n_regions == dataset.n_regions - 1


@pytest.mark.parametrize(
    "shape", [Circle(50, 120, 0), polygon((20, 100), (20, 100)), MultiPolygon(()), RLE((HEIGHT, WIDTH), "PPZ1")]
)
def test_what_encloses_nothing_and_has_no_extent_goes(shape: Shape, tmp_path: Path) -> None:
    dataset = made_up.with_region(tmp_path, shape)
    assert apply(dataset, examine(dataset)).n_regions == dataset.n_regions - 1
    pointed = made_up.with_region(tmp_path, shape, keypoints=Keypoints(((30, 30, 2), (50, 60, 2))))
    assert apply(pointed, examine(pointed)).n_regions == pointed.n_regions  # its keypoints are labels too


def test_two_corners_can_become_the_box_between_them(tmp_path: Path) -> None:
    dataset = made_up.with_region(tmp_path, polygon((80, 150), (20, 100)))
    mended = apply(dataset, choose(examine(dataset), {"few-vertices": "box"}))
    assert mended.images[0].regions[-1].shape == Rect(20, 100, 60, 50)


# Outlines that can be read in two ways


@pytest.mark.parametrize(
    ("shape", "inside"),
    [
        (STAR, (50, 125)),
        (LOOP, (45, 135)),
        (MultiPolygon(((STAR.points,),)), (50, 125)),
        (polygon((20, 100), (80, 100), (80, 150), (20, 150), (20, 100), (60, 110), (60, 140), (20, 150)), (50, 125)),
        (polygon((20, 100), (60, 100), (60, 150), (20, 150), (20, 120), (80, 120), (80, 140), (20, 140)), (40, 130)),
    ],
)
def test_an_outline_with_two_readings_is_left_as_it_is(shape: Shape, inside: tuple[int, int], tmp_path: Path) -> None:
    from maskrcnn.annotations import raster

    def covers(dataset: Dataset) -> bool:
        return bool(raster.mask(dataset.images[0].regions[-1].shape, HEIGHT, WIDTH)[inside[1], inside[0]])

    dataset = made_up.with_region(tmp_path, shape)
    found = examine(dataset)
    assert apply(dataset, found).images == dataset.images
    assert not covers(apply(dataset, choose(found, {"self-crossing": "untangle"})))  # as training sees it now
    assert covers(apply(dataset, choose(found, {"self-crossing": "fill"})))


# Places that are moved, cut off or scaled


@pytest.mark.parametrize(
    ("shape", "sure"),
    [
        (polygon((150, 110), (210, 110), (210, 150), (150, 150)), True),  # 10 of 60 px are cut off
        (Rect(180, 20, 60, 60), False),  # most of it lies outside
        (Rect(40, 20, 220, 60), False),  # 60 of 200 px beyond: labels of a larger copy?
        (Rect(-70, -60, 160, 200), False),
        (polygon((150, 110), (255, 110), (255, 150), (150, 150)), False),
        (Keypoints(((100, 100, 2), (203, 100, 1))), True),  # a slip of 3 px
        (Keypoints(((100, 100, 2), (240, 100, 1))), False),  # a foot out of the picture
    ],
)
def test_labels_that_leave_the_picture_far_are_not_moved_unasked(shape: Shape, sure: bool, tmp_path: Path) -> None:
    dataset = made_up.with_region(tmp_path, shape)
    found = [finding for finding in examine(dataset) if finding.check == "outside-picture"]
    assert [finding.fix is not None for finding in found] == [sure]
    assert (apply(dataset, found).images == dataset.images) != sure


def test_one_region_far_outside_makes_all_of_its_picture_unsure(tmp_path: Path) -> None:
    first, second = made_up.healthy(tmp_path).images
    slightly, far = Region(Rect(150, 120, 60, 20), "dent"), Region(Rect(230, 100, 60, 40), "dent")
    found = examine(made_up.dataset(replace(first, regions=(*first.regions, slightly, far)), second))
    assert [(finding.region_number, finding.fix) for finding in found] == [(3, None), (4, None)]


def test_labels_in_shares_of_the_picture_are_offered_in_pixels(tmp_path: Path) -> None:
    dataset = made_up.MADE_UP["normalised"](tmp_path)
    mended = apply(dataset, choose(examine(dataset), {"normalised": "scale"}))
    for region, drawn in zip(mended.images[2].regions, PAIR, strict=True):
        assert [v for p in region.shape.points for v in p] == pytest.approx([v for p in drawn.shape.points for v in p])


@pytest.mark.parametrize("factor", [0.5, 0.3, 0.25])
def test_labels_of_smaller_copies_are_noticed(factor: float, tmp_path: Path) -> None:
    small = [Region(polygon(*((x * factor, y * factor) for x, y in r.shape.points)), r.class_name) for r in PAIR]
    few = made_up.dataset(*(made_up.record(tmp_path, f"{n}.png", *small, seed=n) for n in range(3)))
    assert "one-corner" not in {finding.check for finding in examine(few)}  # six regions may lie there by chance
    many = made_up.dataset(*(made_up.record(tmp_path, f"{n}.png", *small, seed=n) for n in range(4)))
    assert "one-corner" in {finding.check for finding in examine(many)}


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ([20, 100, 60, 50], None),
        ([18, 98, 64, 54], None),
        ([20, 100, 80, 150], "as the box is written as two corners"),
        ([100, 20, 50, 60], "overlap by 0% only"),  # y before x
        ([20, 100, 20, 20], "overlap by 13% only"),  # 400 of 3,000 px²
        ([2, 10, 6, 5], "overlap by 0% only"),  # a tenth as large
    ],
)
def test_a_box_that_its_outline_disagrees_with_is_told(box: list[float], says: str | None, tmp_path: Path) -> None:
    outline = polygon((20, 100), (80, 100), (80, 150), (20, 150))
    found = examine(made_up.with_region(tmp_path, outline, extras={"coco": {"bbox": box}}))
    assert [finding.check for finding in found] == (["box-mismatch"] if says else [])
    assert says is None or says in found[0].what


def test_a_box_that_fits_as_two_corners_is_not_cut_off_unasked(tmp_path: Path) -> None:
    dataset = made_up.with_region(tmp_path, Rect(60, 100, 145, 150), extras={"coco": {"segmentation": []}})
    found = examine(dataset)
    assert [choice.called for choice in found[0].choices] == ["corners", "clip", "drop"]
    assert apply(dataset, found).images == dataset.images
    mended = apply(dataset, choose(found, {"outside-picture": "corners"}))
    assert mended.images[0].regions[-1].shape == Rect(60, 100, 85, 50)


# Pictures that leave


def test_a_copy_in_validation_leaves_only_where_it_is_labelled_the_same(tmp_path: Path) -> None:
    first, second = made_up.healthy(tmp_path).images
    for number, (regions, leaves) in enumerate([(PAIR, True), (PAIR[::-1], True), (PAIR[:1], False), ((), False)]):
        copy = made_up.record(tmp_path, f"copy{number}.png", *regions, seed=1, split="val")
        dataset = made_up.dataset(first, second, copy)
        found = [finding for finding in examine(dataset) if finding.check == "in-both-splits"]
        assert [finding.fix is not None for finding in found] == [leaves]
        assert len(choose(found, {} if leaves else {"in-both-splits": "leave-out"})) == 1


# What is not learned, and made learnable where somebody chooses that


def test_crowds_are_told_with_what_is_lost(tmp_path: Path) -> None:
    crowd = Region(BOX, "window", iscrowd=True)
    first, second = made_up.healthy(tmp_path).images
    alone = made_up.record(tmp_path, "c.png", Region(DENT, "dent", iscrowd=True), seed=3)
    dataset = made_up.dataset(replace(first, regions=(*first.regions, crowd)), second, alone)
    found = examine(dataset)
    assert [(finding.file_name, finding.severity, finding.what) for finding in found] == [
        ("a.png", "warning", 'it marks a crowd and is not learned; no region of "window" is learned'),
        (
            "c.png",
            "warning",
            "it marks a crowd and is not learned; the picture has nothing else and is learned as background",
        ),
    ]
    assert apply(dataset, found).images == dataset.images
    mended = apply(dataset, choose(found, {"crowd": "make-object"}))
    assert not any(region.iscrowd for record in mended.images for region in record.regions)
    assert examine(mended) == []


@pytest.mark.parametrize(
    ("points", "closes"),
    [
        (((20, 100), (80, 100), (80, 140)), polygon((20, 100), (80, 100), (80, 140))),
        (((20, 100), (80, 100), (80, 140), (20, 140), (20, 100)), polygon((20, 100), (80, 100), (80, 140), (20, 140))),
        (((20, 100), (80, 140)), None),
        (((20, 100), (50, 120), (80, 140)), None),
        (((20, 100),), None),
    ],
)
def test_a_line_can_be_closed_where_it_runs_around_something(
    points: tuple, closes: Polygon | None, tmp_path: Path
) -> None:
    dataset = made_up.with_region(tmp_path, Polyline(points))
    found = [finding for finding in examine(dataset) if finding.check == "line-or-point"]
    assert [choice.called for choice in found[0].choices] == (["close", "drop"] if closes else ["drop"])
    if closes:
        mended = apply(dataset, choose(found, {"line-or-point": "close"}))
        assert mended.images[0].regions[-1].shape == closes


def test_keypoints_with_a_place_can_be_counted_as_labelled(tmp_path: Path) -> None:
    dataset = made_up.MADE_UP["unlabelled-keypoints"](tmp_path)
    mended = apply(dataset, choose(examine(dataset), {"unlabelled-keypoints": "label-keypoints"}))
    assert mended.images[0].regions[-1].keypoints == Keypoints(((30, 110, 1), (60, 120, 2), (0, 0, 0)))


@pytest.mark.parametrize("wanted", [{"crowd": "close"}, {"nonsense": "drop"}, {"tiny": "drop"}])
def test_a_choice_that_nothing_offers_is_refused_with_those_that_are(wanted: dict[str, str], tmp_path: Path) -> None:
    found = examine(made_up.MADE_UP["crowd"](tmp_path))
    with pytest.raises(ArgumentError, match="no finding offers that; choose of crowd=make-object"):
        choose(found, wanted)


def test_a_choice_changes_only_the_findings_that_offer_it(tmp_path: Path) -> None:
    lines = [Region(Polyline(((20, 100), (80, 100), (80, 140))), "dent"), Region(Point(5, 5), "dent")]
    dataset = made_up.dataset(made_up.record(tmp_path, "a.png", *PAIR, *lines))
    (record,) = apply(dataset, choose(examine(dataset), {"line-or-point": "close"})).images
    assert isinstance(record.regions[2].shape, Polygon)
    assert record.regions[3] == lines[1]


def test_a_picture_without_any_label_has_no_place_to_be_wrong(tmp_path: Path) -> None:
    assert examine(Dataset((ImageRecord("a.png", (), made_up.picture(tmp_path / "a.png")),)))[0].check == "no-regions"
