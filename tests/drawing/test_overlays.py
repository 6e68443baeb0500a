"""Drawings, on a grey picture where everything that is not grey was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from maskrcnn.drawing import label_chips, overlays
from maskrcnn.drawing.overlays import Mark
from maskrcnn.evaluation import match_image

# pycocotools 2.0.11 decodes masks through a numpy call that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

GREY = 128


def picture(height: int = 120, width: int = 160) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def rle(x: int, y: int, width: int, height: int, shape: tuple[int, int] = (120, 160)) -> dict[str, Any]:
    bitmap = np.zeros(shape, np.uint8, order="F")
    bitmap[y : y + height, x : x + width] = 1
    return coco_mask.encode(bitmap)


def drawn(canvas: np.ndarray) -> np.ndarray:
    """Where the canvas is no longer plain grey."""
    return (canvas != GREY).any(axis=2)


def mark(style: Any = "solid", label: str = "", mask: bool = True) -> Mark:
    return Mark((40, 30, 60, 50), "#00ff00", label, style, rle(40, 30, 60, 50) if mask else None)


@pytest.mark.parametrize(("height", "width"), [(120, 160), (1000, 500), (3000, 4000), (7, 9)])
def test_every_picture_is_drawn_at_the_display_size(height: int, width: int) -> None:
    canvas = overlays.draw(picture(height, width), [], longest=640)
    assert max(canvas.shape) == 640
    assert canvas.shape[1] / canvas.shape[0] == pytest.approx(width / height, rel=0.01)


def test_the_picture_itself_is_not_painted_on() -> None:
    before = picture()
    overlays.draw(before, [mark(label="cat")], longest=160)
    assert not drawn(before).any()


@pytest.mark.parametrize("longest", [80, 160, 640, 1280])
def test_a_mask_lies_where_it_was_drawn_at_any_size(longest: int) -> None:
    scale = longest / 160
    found = drawn(overlays.draw(picture(), [mark()], boxes=False, longest=longest))
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    edges = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    # The outline is a few display pixels wide and centred on the edge.
    assert edges == pytest.approx(np.array([40, 30, 100, 80]) * scale, abs=5)
    assert found[round(55 * scale), round(70 * scale)]


def test_opacity_blends_the_fill() -> None:
    canvas = overlays.draw(picture(), [mark()], boxes=False, opacity=0.5, longest=160)
    assert canvas[55, 70].tolist() == [64, 192, 64]


def test_a_hole_stays_open() -> None:
    bitmap = coco_mask.decode([rle(40, 30, 60, 50)])[..., 0]
    bitmap[45:65, 60:80] = 0
    ring = Mark((40, 30, 60, 50), "#00ff00", rle=coco_mask.encode(np.asfortranarray(bitmap)))
    assert not drawn(overlays.draw(picture(), [ring], boxes=False, longest=160))[55, 70]


def test_line_styles_are_told_apart_without_colour() -> None:
    solid, dashed, hatched = (
        overlays.draw(picture(), [mark(style)], boxes=False, longest=640) for style in ("solid", "dashed", "hatched")
    )
    # Along the upper edge a solid line is never interrupted, a dashed one is.
    along = slice(4 * 45, 4 * 95)
    edge = slice(4 * 30 - 1, 4 * 30 + 2)
    line, dashes = (
        (canvas[edge, along, 1].astype(int) - canvas[edge, along, 0]).max(axis=0) > 150 for canvas in (solid, dashed)
    )
    assert line.all()
    assert 0.3 < dashes.mean() < 0.8
    assert np.count_nonzero(np.diff(dashes.astype(int))) >= 6
    # A solid fill is even, a hatched one comes and goes.
    assert np.ptp(solid[4 * 55, along, 1]) == 0
    assert np.ptp(hatched[4 * 55, along, 1]) > 40


def test_a_hatched_mark_stays_hatched_without_its_mask() -> None:
    canvas = overlays.draw(picture(), [mark("hatched")], masks=False, longest=640)
    assert np.ptp(canvas[4 * 55, 4 * 45 : 4 * 95, 1]) > 40
    plain = overlays.draw(picture(), [mark("solid")], masks=False, longest=640)
    assert not drawn(plain)[4 * 55, 4 * 70]


def test_switches() -> None:
    marks = [mark(label="cat")]
    nothing = overlays.draw(picture(), marks, masks=False, boxes=False, labels=False, longest=320)
    assert not drawn(nothing).any()
    with_label = overlays.draw(picture(), marks, masks=False, boxes=False, longest=320)
    assert drawn(with_label).any()


def posed(keypoints: list[float], edges: Any = (), style: Any = "solid") -> np.ndarray:
    """A pose alone, at four display pixels per picture pixel."""
    pose = Mark((20, 20, 100, 80), "#00ff00", style=style, keypoints=keypoints, edges=edges)
    return overlays.draw(picture(), [pose], boxes=False, longest=640)


def test_keypoints_are_discs_where_they_are_visible_and_rings_where_they_are_hidden() -> None:
    canvas = posed([40, 30, 2, 100, 30, 1, 0, 0, 0])
    assert canvas[4 * 30, 4 * 40].tolist() == [0, 255, 0]
    assert canvas[4 * 30, 4 * 100].tolist() == [255, 255, 255]
    ring = canvas[4 * 30, 4 * 100 - 6 : 4 * 100]
    assert ((ring[:, 1] == 255) & (ring[:, 0] < 60)).any()
    found = drawn(canvas)
    assert not found[:40, :40].any()  # nobody labelled the third, which is not at the corner
    rows, columns = np.nonzero(found[:, : 4 * 70])
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((4 * 40, 4 * 30), abs=0.3)


def test_limbs_join_labelled_keypoints() -> None:
    keypoints = [40.0, 60, 2, 100, 60, 1, 0, 0, 0]
    middle = (4 * 60, 4 * 70)
    assert not drawn(posed(keypoints))[middle]
    canvas = posed(keypoints, [(0, 1), (1, 2)])
    assert canvas[middle].tolist() == [0, 255, 0]
    assert not drawn(canvas)[: 4 * 50].any()  # nothing goes to the corner
    along = posed(keypoints, [(0, 1)], "dashed")[4 * 60, 4 * 45 : 4 * 95]
    assert 0.3 < (along == (0, 255, 0)).all(axis=1).mean() < 0.8


def test_keypoints_can_be_switched_off_and_lie_over_masks() -> None:
    pose = Mark((40, 30, 60, 50), "#ff0000", keypoints=(70, 55, 2))
    over = Mark((60, 45, 20, 20), "#00ff00", rle=rle(60, 45, 20, 20))
    assert overlays.draw(picture(), [pose, over], longest=640)[4 * 55, 4 * 70].tolist() == [255, 0, 0]
    assert not drawn(overlays.draw(picture(), [pose], boxes=False, keypoints=False, longest=640)).any()


def test_an_empty_mask_and_a_box_off_the_picture_do_no_harm() -> None:
    empty = coco_mask.encode(np.zeros((120, 160), np.uint8, order="F"))
    marks = [
        Mark((0, 0, 0, 0), "#ff0000", "gone", rle=empty),
        Mark((-50, -50, 20, 20), "#ff0000", "far", "hatched"),
        Mark((150, 110, 90, 90), "#ff0000", "half", "dashed"),
    ]
    assert overlays.draw(picture(), marks, longest=320).shape == (240, 320, 3)


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 30, 30),
        (290, 0, 320, 30),
        (0, 210, 30, 240),
        (290, 210, 320, 240),
        (0, 0, 320, 240),
        (150, 110, 160, 120),
    ],
)
def test_a_chip_stays_in_the_picture(box: label_chips.Place) -> None:
    left, top, right, bottom = label_chips.place(box, (80, 24), (320, 240), [], [box])
    assert 0 <= left < right <= 320
    assert 0 <= top < bottom <= 240


def test_chips_do_not_cover_each_other() -> None:
    box = (100.0, 100.0, 140.0, 140.0)
    taken: list[label_chips.Place] = []
    for _ in range(6):
        chip = label_chips.place(box, (80, 24), (320, 240), taken, [box])
        for other in taken:
            assert min(chip[2], other[2]) <= max(chip[0], other[0]) or min(chip[3], other[3]) <= max(chip[1], other[1])
        taken.append(chip)


def test_a_chip_keeps_off_the_objects() -> None:
    """A neighbour lies right above the box, so the chip goes elsewhere."""
    box, above = (100.0, 100.0, 200.0, 140.0), (60.0, 60.0, 260.0, 100.0)
    left, top, right, bottom = label_chips.place(box, (80, 24), (320, 240), [], [box, above])
    for other in (box, above):
        assert min(right, other[2]) <= max(left, other[0]) or min(bottom, other[3]) <= max(top, other[1])


def test_matches_become_marks() -> None:
    outline = [[10, 10, 50, 10, 50, 50, 10, 50]]
    elsewhere = [[80, 80, 120, 80, 120, 110, 80, 110]]
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 160, "height": 120}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 1, "segmentation": shape}
            for n, shape in enumerate([outline, elsewhere])
        ],
    }
    found = [
        {"image_id": 1, "category_id": 1, "score": 0.934, "segmentation": outline},
        {"image_id": 1, "category_id": 1, "score": 0.7, "segmentation": [[100, 0, 150, 0, 150, 30, 100, 30]]},
    ]
    matches = match_image(document, found, 1)
    names = {1: "cat"}

    truths, predictions = overlays.truth_marks(matches, names), overlays.prediction_marks(matches, names)
    assert [(m.style, m.colour) for m in truths] == [
        ("solid", overlays.MATCH_COLOURS["tp"]),
        ("dashed", overlays.MATCH_COLOURS["fn"]),
    ]
    assert [(m.style, m.label) for m in predictions] == [("solid", "cat 0.93"), ("hatched", "cat 0.70")]
    by_class = overlays.prediction_marks(matches, names, {1: "#e69f00"})
    assert {(m.style, m.colour) for m in by_class} == {("solid", "#e69f00")}


def test_keypoints_of_both_documents_become_marks() -> None:
    pose = [12.0, 14.0, 2, 0.0, 0.0, 0, 30.0, 40.0, 1]
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 160, "height": 120}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, "keypoints": pose}
        ],
    }
    found = [{"image_id": 1, "category_id": 1, "score": 0.9, "bbox": [10, 10, 40, 40], "keypoints": pose}]
    matches = match_image(document, found, 1, tasks=("box", "keypoints"))
    for marks in (overlays.truth_marks, overlays.prediction_marks):
        (only,) = marks(matches, {1: "person"}, edges=((0, 2),))
        assert list(only.keypoints) == pose
        assert only.edges == ((0, 2),)
        assert only.rle is None
        assert only.colour == overlays.MATCH_COLOURS["tp"]  # matched by its box
