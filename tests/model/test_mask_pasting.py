"""Soft masks into the picture, and their run lengths."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from torchvision.models.detection.roi_heads import paste_masks_in_image

from maskrcnn.model.mask_pasting import MaskCrop, crop_mask, encode_crop, paste_mask
from tests.sweeps import examples


def test_a_full_mask_fills_its_box_exactly() -> None:
    bitmap = paste_mask(np.ones((4, 4), np.float32), np.array([2.0, 1.0, 6.0, 5.0]), 8, 10)
    expected = np.zeros((8, 10), np.uint8)
    expected[1:5, 2:6] = 1
    assert bitmap.tolist() == expected.tolist()


def test_a_box_beyond_the_picture_is_cut_off() -> None:
    bitmap = paste_mask(np.ones((4, 4), np.float32), np.array([-3.0, -3.0, 3.0, 3.0]), 4, 5)
    assert bitmap.sum() == 9
    assert bitmap[:3, :3].all()


def test_an_edge_between_two_cells_stays_between_them() -> None:
    # The left half of the mask is 1, spread over 8 pixels: the edge lies at 4, so pixels 0..3 are in, 4..7 out.
    mask = np.array([[1, 1, 0, 0]] * 4, np.float32)
    bitmap = paste_mask(mask, np.array([0.0, 0.0, 8.0, 8.0]), 8, 8)
    assert bitmap.sum(axis=0).tolist() == [8, 8, 8, 8, 0, 0, 0, 0]


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.49])
def test_a_box_is_not_rounded_before_the_mask_is_read(shift: float) -> None:
    # An edge at 4 + shift: pixel 4 (centre 4.5) is in only once the edge has passed its centre.
    mask = np.array([[1, 1, 0, 0]] * 4, np.float32)
    bitmap = paste_mask(mask, np.array([shift, 0.0, 8 + shift, 8.0]), 8, 9)
    assert bitmap[4].tolist()[1:5] == [1, 1, 1, 0]
    assert paste_mask(mask, np.array([0.6, 0.0, 8.6, 8.0]), 8, 9)[4, 4] == 1


def test_a_soft_edge_is_cut_at_one_half() -> None:
    # Values 1 and 0 at centres 2 and 6 of 8 pixels; the line between them crosses 0.5 at 4.
    bitmap = paste_mask(np.array([[1, 0]] * 2, np.float32), np.array([0.0, 0.0, 8.0, 8.0]), 8, 8)
    assert bitmap[4].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_rows_and_columns_are_not_confused() -> None:
    # Three quarters of the rows, one half of the columns, in a box of 8 x 4 pixels at (3, 1).
    mask = np.zeros((4, 4), np.float32)
    mask[:3, :2] = 1
    for legacy in (False, True):
        rows, columns = np.nonzero(paste_mask(mask, np.array([3.0, 1.0, 11.0, 5.0]), 9, 13, legacy))
        assert abs(int(rows.max()) - 3) <= legacy  # torchvision's box is a pixel larger
        assert abs(int(columns.max()) - 6) <= legacy
        assert (rows.min(), columns.min()) == (1, 3)


BOXES = {
    "within": [3.2, 4.7, 20.1, 15.9],
    "whole pixels": [3, 4, 20, 15],
    "the whole picture": [0, 0, 32, 24],
    "over the top left": [-5.5, -3.2, 10.5, 9.9],
    "over the bottom right": [20.3, 10.1, 40.8, 30.2],
    "over everything": [-10, -10, 50, 50],
    "just before 0, where truncation rounds up": [-0.4, -0.9, 7.3, 6.1],
    "thinner than a pixel": [5.1, 5.1, 5.4, 18],
    "smaller than a pixel": [5.1, 5.1, 5.2, 5.2],
    "outside": [40, 30, 50, 44],
    "far outside": [-50, -60, -40, -44],
}


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES.keys())
def test_the_legacy_placing_is_torchvisions(box: list[float]) -> None:
    mask = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
    check_against_torchvision(mask, box, 24, 32)


@settings(max_examples=examples(150))
@given(
    corner=st.tuples(st.floats(-40, 60, width=32), st.floats(-40, 60, width=32)),
    sides=st.tuples(st.floats(0, 70, width=32), st.floats(0, 70, width=32)),
    seed=st.integers(0, 10**6),
)
def test_the_legacy_placing_is_torchvisions_for_any_box(
    corner: tuple[float, float], sides: tuple[float, float], seed: int
) -> None:
    mask = torch.rand(7, 7, generator=torch.Generator().manual_seed(seed))
    box = [*corner, corner[0] + sides[0], corner[1] + sides[1]]
    check_against_torchvision(mask, box, 30, 40)


def check_against_torchvision(mask: torch.Tensor, box: list[float], height: int, width: int) -> None:
    try:
        expected = paste_masks_in_image(mask[None, None], torch.tensor([box]), (height, width))[0, 0] > 0.5
    except RuntimeError:  # torchvision fails for a box that lies wholly outside; nothing is what it covers
        expected = torch.zeros(height, width, dtype=torch.bool)
    bitmap = paste_mask(mask.numpy(), np.array(box, np.float32), height, width, legacy=True)
    assert np.array_equal(bitmap.astype(bool), expected.numpy())


def filled(height: int, width: int, *runs: tuple[int, int]) -> np.ndarray:
    """A bitmap with these runs [first, after) set, counted down the columns."""
    flat = np.zeros(height * width, bool)
    for first, after in runs:
        flat[first:after] = True
    return flat.reshape(width, height).T


RUNS = {
    "nothing": (),
    "all": ((0, 20),),
    "the first pixel": ((0, 1),),
    "the last pixel": ((19, 20),),
    "to the end of a column": ((1, 4),),
    "over the end of a column": ((2, 6),),
    "whole columns": ((4, 12),),
    "one after the other with a gap of a pixel": ((0, 3), (4, 8), (9, 20)),
}


@pytest.mark.parametrize("runs", RUNS.values(), ids=RUNS.keys())
def test_run_lengths_of_a_crop_as_large_as_the_picture(runs: tuple[tuple[int, int], ...]) -> None:
    bitmap = filled(4, 5, *runs)
    check_run_lengths(MaskCrop(np.ascontiguousarray(bitmap.T), 0, 0), bitmap)


def test_run_lengths_worked_by_hand() -> None:
    # Rows 1 and 2 of columns 2 and 3 in 4 rows, 5 columns: 2 x 4 + 1 = 9 zeros, two ones, two zeros, two ones, 5 zeros.
    code = encode_crop(MaskCrop(np.ones((2, 2), bool), left=2, top=1), 4, 5)
    assert code["size"] == [4, 5]
    assert code == as_json(coco_mask.frPyObjects({"size": [4, 5], "counts": [9, 2, 2, 2, 5]}, 4, 5))


@settings(max_examples=examples(150))
@given(st.data())
def test_run_lengths_are_those_of_the_whole_bitmap(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    rows, columns = data.draw(st.integers(0, height - top)), data.draw(st.integers(0, width - left))
    share, seed = data.draw(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])), data.draw(st.integers(0, 10**6))
    inside = np.random.default_rng(seed).random((columns, rows)) < share
    bitmap = np.zeros((height, width), bool)
    bitmap[top : top + rows, left : left + columns] = inside.T
    check_run_lengths(MaskCrop(inside, left, top), bitmap)


def check_run_lengths(part: MaskCrop, bitmap: np.ndarray) -> None:
    assert encode_crop(part, *bitmap.shape) == as_json(coco_mask.encode(np.asfortranarray(bitmap.astype(np.uint8))))


def as_json(code: dict) -> dict:
    return {"size": [int(side) for side in code["size"]], "counts": code["counts"].decode("ascii")}


def test_only_the_box_is_kept() -> None:
    part = crop_mask(np.ones((28, 28), np.float32), np.array([1000.2, 2000.2, 1010.1, 2020.1]), 4000, 3000)
    assert part.inside.shape == (11, 21)
    assert (part.left, part.top) == (1000, 2000)
