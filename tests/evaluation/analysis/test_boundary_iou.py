"""Boundary IoU: by hand on a grid of 6 x 6 pixels, and crops against whole pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from maskrcnn.evaluation import measure
from maskrcnn.evaluation.analysis.boundary_iou import boundary, boundary_iou, boundary_ious, boundary_width
from maskrcnn.evaluation.analysis.mask_cutouts import Cutout, cut_out
from maskrcnn.run_length_codes import run_lengths
from tests.evaluation.random_sets import random_set
from tests.evaluation.squares import FIRST, TWO, found


def grid(*rows: str) -> np.ndarray:
    """A picture from rows of "#" and "."."""
    return np.array([[sign == "#" for sign in row] for row in rows], dtype=np.uint8)


# A label of 5 x 5 pixels, and a detection that lacks its last column and has one on the left instead.
LABEL = grid(
    ".#####",
    ".#####",
    ".#####",
    ".#####",
    ".#####",
    "......",
)
FOUND = grid(
    "#####.",
    "#####.",
    "#####.",
    "#####.",
    "#####.",
    "......",
)
# Their boundaries, one pixel wide. The first row is at the edge of the picture, which is an edge of the mask.
LABEL_EDGE = grid(
    ".#####",
    ".#...#",
    ".#...#",
    ".#...#",
    ".#####",
    "......",
)
FOUND_EDGE = grid(
    "#####.",
    "#...#.",
    "#...#.",
    "#...#.",
    "#####.",
    "......",
)


def test_a_grid_of_6_by_6_pixels() -> None:
    """Mask IoU is 20 / 30. The boundaries have 16 pixels each and share 4 in the first and 4 in the fifth row.

    So boundary IoU is 8 / (16 + 16 - 8) = 1/3.
    """
    assert boundary(LABEL, 1).tolist() == LABEL_EDGE.tolist()
    assert boundary(FOUND, 1).tolist() == FOUND_EDGE.tolist()
    masks = [cut_out(coco_mask.encode(np.asfortranarray(mask))) for mask in (LABEL, FOUND)]
    assert (LABEL & FOUND).sum() / (LABEL | FOUND).sum() == 20 / 30
    assert boundary_iou(*masks, width=1) == 8 / 24


def test_a_boundary_that_fills_the_mask_gives_the_mask_iou() -> None:
    """The middle of 5 x 5 pixels is 3 pixels from the outside.

    2 pixels wide, each boundary lacks its own middle, which is in the other one: they share 20 - 2 of 30 pixels.
    """
    masks = [cut_out(coco_mask.encode(np.asfortranarray(mask))) for mask in (LABEL, FOUND)]
    assert boundary_iou(*masks, width=2) == 18 / 30
    assert boundary_iou(*masks, width=3) == 20 / 30


def test_the_width_is_a_fiftieth_of_the_diagonal() -> None:
    """A picture of 300 x 400 has a diagonal of 500, so 10 pixels; one of 6 x 6 has 8.5, which is at least 1."""
    assert boundary_width(300, 400) == 10
    assert boundary_width(6, 6) == 1


def test_masks_apart_share_nothing() -> None:
    square = np.ones((3, 3), dtype=np.uint8)
    assert boundary_iou(Cutout(square, 0, 0, 3, 3), Cutout(square, 5, 0, 8, 3), width=1) == 0.0


def test_only_true_positives_have_one() -> None:
    """The pictures have 200 x 200 pixels, a diagonal of 282.8: the boundary is 6 wide.

    The first object is found exactly: 1. Moved by 4 of 40 pixels, boundary IoU is far below the mask IoU of 36 / 44.
    """
    detections = [found(0, 1, *FIRST, 0.9), found(0, 1, 104, 100, 40, 0.8), found(0, 1, 10, 100, 40, 0.7)]
    measured = measure(TWO, detections)
    first, moved, nowhere = boundary_ious(measured, measured.match()).tolist()
    # Each boundary is 40^2 - 28^2 = 816. They share two strips of 36 x 6, and in the 28 rows between 2 columns on each
    # side, where they overlap: 2 * 216 + 28 * 4 = 544.
    assert (first, moved) == (1.0, pytest.approx(544 / (816 + 816 - 544)))
    assert np.isnan(nowhere)


def test_without_masks_there_is_none() -> None:
    box = {key: value for key, value in found(0, 1, *FIRST, 0.9).items() if key != "segmentation"}
    measured = measure(TWO, [box], tasks=["box"])
    assert np.isnan(boundary_ious(measured, measured.match())).all()


def whole_boundary_iou(one: np.ndarray, other: np.ndarray) -> float:
    """Boundary IoU from whole pictures, as the authors' program has it: pad, erode, cut, subtract."""
    height, width = one.shape
    dilation = max(1, round(0.02 * float(np.sqrt(height**2 + width**2))))
    edges = []
    for mask in (one, other):
        padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        eroded = cv2.erode(padded, np.ones((3, 3), dtype=np.uint8), iterations=dilation)
        edges.append((mask - eroded[1 : height + 1, 1 : width + 1]).astype(bool))
    return (edges[0] & edges[1]).sum() / (edges[0] | edges[1]).sum()


def test_crops_give_what_whole_pictures_give() -> None:
    document, detections = random_set(3, images=30, objects=8, extra=2)
    measured = measure(document, detections)
    matches = measured.match(min_score=0.0, iou=0.2)
    values = boundary_ious(measured, matches)
    hits = np.flatnonzero(~np.isnan(values))
    assert len(hits) > 50
    for detection in hits.tolist():
        pair = (measured.detection_entries[detection], measured.object_entries[matches.detection_partner[detection]])
        expected = whole_boundary_iou(*(coco_mask.decode(entry["segmentation"]) for entry in pair))
        assert values[detection] == pytest.approx(expected, abs=1e-12)


def test_ragged_masks_at_the_edges_of_the_picture() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        height, width = rng.integers(1, 60, 2).tolist()
        masks = [(cv2.blur(rng.random((height, width)), (5, 5)) > 0.5).astype(np.uint8) for _ in range(2)]
        if not masks[0].any() or not masks[1].any():
            continue
        codes = [coco_mask.encode(np.asfortranarray(mask)) for mask in masks]
        value = boundary_iou(*map(cut_out, codes), boundary_width(width, height))
        assert value == pytest.approx(whole_boundary_iou(*masks), abs=1e-12)


def test_a_cutout_is_the_mask_within_its_box() -> None:
    rng = np.random.default_rng(1)
    for density in (0.001, 0.02, 0.5, 0.999):
        for height, width in ((1, 1), (1, 90), (70, 1), (33, 47), (500, 700)):
            mask = np.asfortranarray(rng.random((height, width)) < density, dtype=np.uint8)
            code = coco_mask.encode(mask)
            whole = np.zeros((height, width), dtype=np.uint8)
            cut = cut_out(code)
            whole[cut.top : cut.bottom, cut.left : cut.right] = cut.pixels.T
            assert (whole == mask).all()
            assert cut_out({**code, "counts": code["counts"].decode()}).pixels.tolist() == cut.pixels.tolist()
            assert run_lengths(code["counts"]).sum() == mask.size
