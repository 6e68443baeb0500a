"""Pasting masks, and detections in the frame of the original picture."""

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from maskrcnn.config import Config
from maskrcnn.model import build, detect
from maskrcnn.model.pasting import paste
from maskrcnn.model.resize import working_size
from tests import tiny


def test_a_full_mask_fills_its_box_exactly() -> None:
    bitmap = paste(np.ones((4, 4), np.float32), np.array([2.0, 1.0, 6.0, 5.0]), 8, 10)
    expected = np.zeros((8, 10), np.uint8)
    expected[1:5, 2:6] = 1
    assert bitmap.tolist() == expected.tolist()


def test_a_box_beyond_the_picture_is_cut_off() -> None:
    bitmap = paste(np.ones((4, 4), np.float32), np.array([-3.0, -3.0, 3.0, 3.0]), 4, 5)
    assert bitmap.sum() == 9
    assert bitmap[:3, :3].all()


def test_an_edge_between_two_cells_stays_between_them() -> None:
    # The left half of the mask is 1, spread over 8 pixels: the edge lies at 4, so pixels 0..3 are in, 4..7 out.
    mask = np.array([[1, 1, 0, 0]] * 4, np.float32)
    bitmap = paste(mask, np.array([0.0, 0.0, 8.0, 8.0]), 8, 8)
    assert bitmap.sum(axis=0).tolist() == [8, 8, 8, 8, 0, 0, 0, 0]


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.49])
def test_a_box_is_not_rounded_before_the_mask_is_read(shift: float) -> None:
    # An edge at 4 + shift: pixel 4 (centre 4.5) is in only once the edge has passed its centre.
    mask = np.array([[1, 1, 0, 0]] * 4, np.float32)
    bitmap = paste(mask, np.array([shift, 0.0, 8 + shift, 8.0]), 8, 9)
    assert bitmap[4].tolist()[1:5] == [1, 1, 1, 0]
    assert paste(mask, np.array([0.6, 0.0, 8.6, 8.0]), 8, 9)[4, 4] == 1


def test_a_soft_edge_is_cut_at_one_half() -> None:
    # Values 1 and 0 at centres 2 and 6 of 8 pixels; the line between them crosses 0.5 at 4.
    bitmap = paste(np.array([[1, 0]] * 2, np.float32), np.array([0.0, 0.0, 8.0, 8.0]), 8, 8)
    assert bitmap[4].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    # shorter side to 64, unless the longer would pass 96
    [(32, 32, (64, 64)), (128, 160, (64, 80)), (100, 400, (24, 96)), (400, 100, (96, 24))],
)
def test_working_size(height: int, width: int, expected: tuple[int, int]) -> None:
    assert working_size(height, width, Config.preset("classroom", **tiny.CONFIG)) == expected


def test_detections_are_coco_results_in_the_original_frame() -> None:
    torch.manual_seed(0)
    config = Config.preset("classroom", **{**tiny.CONFIG, "num_classes": 3, "detection_min_confidence": 0.0})
    picture = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    found = detect(build(config), picture, image_id=7)
    assert found
    assert [entry["score"] for entry in found] == sorted((entry["score"] for entry in found), reverse=True)
    for entry in found:
        x, y, width, height = entry["bbox"]
        assert entry["image_id"] == 7
        assert entry["category_id"] in (1, 2)
        assert -1e-3 <= x <= x + width <= 300 + 1e-3
        assert -1e-3 <= y <= y + height <= 200 + 1e-3
        assert coco_mask.decode(entry["segmentation"]).shape == (200, 300)
