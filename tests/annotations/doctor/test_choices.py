"""Nothing is mended unasked that could be meant: every kind of mend that can be wrong, each on labels where it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maskrcnn.annotations import learnable_objects
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.doctor import apply, choose, examine
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
    called = [(choice.option_name, choice.value) for choice in finding.choices if choice.action == "rename"]
    own = [("own-attribute", offered)] if offered else []
    assert called == [*own, ("mango", "mango")]
    if offered:
        (record,) = apply(dataset, choose(examine(dataset), {"no-class": "own-attribute"})).images
        assert [region.class_name for region in record.regions] == ["mango", offered]


def test_the_only_class_is_given_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    dataset = alone(tmp_path, Region(DENT, "mango"), Region(SCRATCH, None, {"note": "", "done": {}, "iscrowd": 0}))
    (record,) = apply(dataset, examine(dataset)).images
    assert [region.class_name for region in record.regions] == ["mango", "mango"]


def test_a_category_without_a_name_is_not_the_one_that_has(tmp_path: Path) -> None:
    dataset = alone(tmp_path, Region(DENT, "mango"), Region(SCRATCH, None, extras={"coco": {"id": 2, "area": 9}}))
    (finding,) = examine(dataset)
    assert (finding.check, finding.fix) == ("no-class", None)
    assert [choice.option_name for choice in finding.choices] == ["mango", "drop"]


def test_several_attributes_that_name_classes_are_told(tmp_path: Path) -> None:
    found = examine(made_up.MADE_UP["several-attributes"](tmp_path))
    assert [finding.check for finding in found] == ["several-attributes", "no-class"]
    assert (
        found[0].what == 'the attributes "mango", "orange" each name classes, and the class is read from "mango" alone'
    )


# Classes that only look alike


@pytest.mark.parametrize(
    ("rare", "common"),
    [
        ("Dent", "dent"),
        ("red light", "red-light"),
        ("goat", "boat"),
        ("ship", "shop"),
        ("US car", "us car"),
        ("cars", "car"),
        ("redlight", "red light"),
    ],
)
def test_classes_that_look_alike_are_not_merged_unasked(rare: str, common: str, tmp_path: Path) -> None:
    places = [Rect(20 * column, 40 * row, 18, 38) for row in range(3) for column in range(10)]
    regions = [Region(place, common) for place in places[:20]]
    dataset = alone(tmp_path, *regions, Region(places[25], rare))
    assert apply(dataset, examine(dataset)).images == dataset.images
    merged = apply(dataset, choose(examine(dataset), {"class-typo": "rename"}))
    assert {region.class_name for region in merged.images[0].regions} == {common}


@pytest.mark.parametrize(
    "odd", [" dent", "dent ", "rear  dent", "d\u0065\u0301nt", "\ufeffdent", "dent\u200b", "de\u00adnt"]
)
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
    options = [choice.option_name for finding in found for choice in finding.choices]
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
        (Rect(30, 20, 180, 120), False),  # from (30, 20) to (180, 120), or 10 px over the edge
        (Rect(3, 2, 199, 158), True),  # two corners or not, it is nearly the same box
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


def test_a_region_is_no_copy_of_another_because_its_picture_ends(tmp_path: Path) -> None:
    """Of both, the picture holds the same: what lies beyond is to be decided first, and keeps a cut from being sure."""
    first, second = made_up.healthy(tmp_path).images
    edge, over = Region(Rect(120, 110, 80, 30), "dent"), Region(Rect(120, 110, 140, 30), "dent")
    slip = Region(Rect(-6, 130, 40, 20), "dent")
    found = examine(made_up.dataset(replace(first, regions=(*first.regions, edge, over, slip)), second))
    assert [(f.check, f.region_number, f.fix) for f in found] == [
        ("outside-picture", 4, None),
        ("outside-picture", 5, None),
        ("duplicate", 4, None),
    ]


# Labels that were drawn in another frame


def on_pictures(tmp_path: Path, *of_each: tuple[Shape, ...], **fields: object) -> Dataset:
    """A picture of 200 x 160 px for each group of shapes."""
    return made_up.dataset(
        *(
            made_up.record(tmp_path, f"{n}.png", *(Region(s, "dent") for s in shapes), seed=n, **fields)  # type: ignore[arg-type]
            for n, shapes in enumerate(of_each)
        )
    )


OVER = polygon((120, 20), (212, 20), (212, 60), (120, 60))  # 12 of 200 px, and a slip is 4 px
WITHIN = (SCRATCH, polygon((20, 20), (60, 20), (60, 50), (20, 50)))


@pytest.mark.parametrize(
    ("over", "of", "sure"), [(1, 2, True), (2, 2, True), (2, 8, True), (3, 3, False), (3, 12, False), (3, 13, True)]
)
def test_where_the_labels_of_many_pictures_leave_them_none_is_cut_off(
    over: int, of: int, sure: bool, tmp_path: Path
) -> None:
    dataset = on_pictures(tmp_path, *[(OVER, *WITHIN)] * over, *[WITHIN] * (of - over))
    found = examine(dataset)
    said = [finding for finding in found if finding.check == "size-mismatch"]
    assert [finding.fix is not None for finding in found if finding.check == "outside-picture"] == [sure] * over
    assert (apply(dataset, found).images == dataset.images) != sure
    assert [f"the labels of {over} of {of} pictures leave them" in finding.what for finding in said] == [True] * (
        not sure
    )


def test_a_copy_that_leaves_validation_does_not_make_them_many(tmp_path: Path) -> None:
    images = [
        made_up.record(tmp_path, f"{n}.png", Region(OVER, "dent"), Region(DENT, "dent"), seed=min(n, 1), split=split)
        for n, split in enumerate(["train", "train", "val"])
    ]
    dataset = made_up.dataset(*images)
    mended = apply(dataset, examine(dataset))
    assert len(mended.images) == 2
    assert [finding.check for finding in examine(mended)] == []


@pytest.mark.parametrize("drawn", [(OVER, *WITHIN), WITHIN])
def test_a_file_of_other_bytes_may_be_another_size(drawn: tuple[Shape, ...], tmp_path: Path) -> None:
    dataset = on_pictures(tmp_path, drawn, file_size=12)
    leaves = OVER in drawn
    found = {finding.check: finding for finding in examine(dataset)}
    assert {check: finding.fix is None for check, finding in found.items()} == (
        {"size-mismatch": True, "outside-picture": True} if leaves else {"size-mismatch": False}
    )
    if leaves:
        for check, option in (("size-mismatch", "true-size"), ("outside-picture", "clip")):
            mended = apply(dataset, choose(found.values(), {check: option}))
            assert check not in {finding.check for finding in examine(mended)}


# Drawn on 160 x 200 px, and fit nowhere else: x up to 150, y up to 190.
UPRIGHT = (polygon((10, 20), (60, 20), (60, 190)), polygon((90, 100), (150, 100), (90, 180)))


@pytest.mark.parametrize(
    ("option", "corner"),
    [("exchange", (20, 10)), ("turn-right", (180, 10)), ("turn-left", (20, 150))],  # of (10, 20), by hand
)
@pytest.mark.parametrize("declared", [{}, {"width": 160, "height": 200}, {"width": 200, "height": 160}])
def test_labels_of_a_picture_that_lies_on_its_side_are_offered_turned(
    declared: dict, option: str, corner: tuple[int, int], tmp_path: Path
) -> None:
    dataset = on_pictures(tmp_path, UPRIGHT, **declared)
    found = examine(dataset)
    assert apply(dataset, found).images == dataset.images
    check = "size-mismatch" if declared.get("width") == 160 else "turned-labels"
    mended = apply(dataset, choose(found, {check: option}))
    assert mended.images[0].regions[0].shape.points[0] == corner  # type: ignore[union-attr]
    assert examine(mended) == []


def test_one_region_over_the_lower_edge_is_cut_off(tmp_path: Path) -> None:
    dataset = on_pictures(tmp_path, (polygon((20, 100), (60, 100), (60, 175)), *WITHIN))
    assert [(f.check, f.fix is not None) for f in examine(dataset)] == [("outside-picture", True)]


@pytest.mark.parametrize("whole", [1, 100, 1000])
@pytest.mark.parametrize("reaches", [1.0, 1.005])
def test_shares_of_any_whole_are_offered_in_pixels(whole: int, reaches: float, tmp_path: Path) -> None:
    rings = ((2, 2), (190, 2), (200 * reaches, 158)), ((20, 20), (60, 20), (60, 50)), ((9, 90), (50, 90), (9, 150))
    drawn = [polygon(*((x * whole / 200, y * whole / 160) for x, y in ring)) for ring in rings]
    dataset = on_pictures(tmp_path, *[tuple(drawn)] * 3)
    dataset = replace(dataset, images=tuple(replace(r, path=large(tmp_path, r, whole)) for r in dataset.images))
    found = examine(dataset)
    assert apply(dataset, found).images == dataset.images
    assert [f.file_name for f in found if f.check == "normalised"] == ["0.png", "1.png", "2.png"]
    assert "one-corner" not in {finding.check for finding in found}
    mended = apply(dataset, choose(found, {"normalised": "scale"}))
    width, height = (200, 160) if whole != 100 else (400, 320)
    third = mended.images[2].regions[1].shape.points  # type: ignore[union-attr]
    assert [v for p in third for v in p] == pytest.approx(
        [v for x, y in ((20, 20), (60, 20), (60, 50)) for v in (x * width / 200, y * height / 160)]
    )


def large(tmp_path: Path, record: ImageRecord, whole: int) -> Path:
    """The record's picture; for percent, which lie inside 200 px, one of 400 x 320 px."""
    assert record.path is not None
    return made_up.picture(record.path, int(record.file_name[0]), size=(400, 320)) if whole == 100 else record.path


def test_boxes_of_two_corners_are_offered_as_such_all_together(tmp_path: Path) -> None:
    """(x, y, right, bottom) where x, y, width and height are read: one leaves its picture, the others do not."""
    corners = [Rect(60, 100, 145, 150), Rect(10, 10, 50, 60), Rect(20, 30, 90, 80)]
    dataset = on_pictures(tmp_path, (corners[0],), (*corners[1:], DENT))
    found = examine(dataset)
    assert [(f.check, f.file_name, f.region_number, f.fix) for f in found] == [
        ("outside-picture", "0.png", 1, None),
        ("outside-picture", "1.png", 1, None),
        ("outside-picture", "1.png", 2, None),
    ]
    mended = apply(dataset, choose(found, {"outside-picture": "corners"}))
    shapes = [region.shape for record in mended.images for region in record.regions]
    assert shapes == [Rect(60, 100, 85, 50), Rect(10, 10, 40, 50), Rect(20, 30, 70, 50), DENT]
    assert examine(mended) == []
    # A box that is none as two corners says that the others are none either.
    plain = on_pictures(tmp_path, (corners[0],), (*corners[1:], Rect(120, 90, 60, 40)))
    assert [(f.file_name, f.region_number) for f in examine(plain)] == [("0.png", 1)]


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
    assert [choice.option_name for choice in found[0].choices] == ["corners", "clip", "drop"]
    assert apply(dataset, found).images == dataset.images
    mended = apply(dataset, choose(found, {"outside-picture": "corners"}))
    assert mended.images[0].regions[-1].shape == Rect(60, 100, 85, 50)


@pytest.mark.parametrize(
    ("box", "check", "option"),
    [
        (Rect(150, 20, 60, 60), "outside-picture", ""),  # surely cut off
        (Rect(60, 100, 145, 150), "outside-picture", "corners"),
        (Rect(0.1, 0.2, 0.5, 0.4), "normalised", "scale"),
        (Rect(20, 10, 80, 170), "turned-labels", "exchange"),
    ],
)
def test_a_box_that_is_mended_is_no_outline_yet(box: Rect, check: str, option: str, tmp_path: Path) -> None:
    """From a COCO file with boxes alone no masks are learned, before a mend or after."""
    coco = {"segmentation": [], "area": 9, "bbox": [box.x, box.y, box.width, box.height]}
    dataset = alone(tmp_path, *[Region(replace(box, x=x), "dent", extras={"coco": coco}) for x in (box.x, box.x / 2)])
    found = examine(dataset)
    (record,) = apply(dataset, choose(found, {check: option} if option else {})).images
    assert [region.shape for region in record.regions] != [region.shape for region in dataset.images[0].regions]
    assert not any(learnable_objects.has_outline(region) for region in record.regions)
    assert all(region.extras in ({"coco": coco}, {"coco": {"segmentation": []}}) for region in record.regions)


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
    assert [choice.option_name for choice in found[0].choices] == (["close", "drop"] if closes else ["drop"])
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
