"""Detections in the frame of the original picture."""

import sys

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from maskrcnn.config import Config
from maskrcnn.model import build, detect, prepare
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.detect import find
from maskrcnn.model.heads import last_head_layers
from maskrcnn.model.mask_pasting import paste_mask
from maskrcnn.model.resize import resize, to_tensor, working_size
from tests import tiny

module = sys.modules["maskrcnn.model.detect"]  # by its name: in the package, `detect` is the function


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


def network(**changes: object) -> StudioRCNN:
    """A tiny network whose answers differ from place to place."""
    torch.manual_seed(0)
    fields = {**tiny.CONFIG, "num_classes": 3, "detection_min_confidence": 0.0, "detection_max_instances": 12}
    fields |= {"keypoint_head_width": 8, "keypoint_head_depth": 1, "num_keypoints": 5}
    model = build(Config.preset("classroom", **{**fields, **changes}))
    for name, layer in last_head_layers(model).items():
        torch.nn.init.normal_(layer.weight, std=3.0 if "mask" in name else 0.3)
    return model


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def test_masks_of_a_legacy_network_are_those_that_torchvision_pastes() -> None:
    model = network(pooling="align-legacy")
    picture = noise(64, 96)  # its working size, so that nothing is resized
    expected = model([to_tensor(picture)])[0]
    found = detect(model, picture)
    assert len(found) == len(expected["masks"]) == 12
    masks = (expected["masks"][:, 0] > 0.5).numpy()
    assert 0 < masks.mean() < 1
    for detection, box, mask in zip(found, expected["boxes"].tolist(), masks, strict=True):
        assert np.array_equal(coco_mask.decode(detection["segmentation"]), mask)
        x, y, width, height = detection["bbox"]
        assert [x, y, x + width, y + height] == pytest.approx(box, abs=1e-4)


def test_masks_of_another_network_are_pasted_at_exact_places() -> None:
    model, picture = network(pooling="align"), noise(64, 96)
    soft = find(model, to_tensor(picture))
    for number, detection in enumerate(detect(model, picture)):
        expected = paste_mask(soft["masks"][number, 0].numpy(), soft["boxes"][number].numpy(), 64, 96)
        assert np.array_equal(coco_mask.decode(detection["segmentation"]), expected)


def test_keypoints_come_in_pixels_of_the_picture() -> None:
    model = network(tasks="box,keypoints")
    picture = noise(128, 192)  # twice the working size
    inner = find(model, to_tensor(resize(picture, (64, 96))))
    found = detect(model, picture)
    assert len(found) == len(inner["keypoints"]) > 0
    for detection, points, sure in zip(found, inner["keypoints"], inner["keypoints_scores"], strict=True):
        assert detection["keypoints"] == pytest.approx((points * torch.tensor([2, 2, 2])).flatten().tolist())
        assert detection["keypoints"][2::3] == [2.0] * 5
        assert detection["keypoint_scores"] == pytest.approx(sure.tolist())
        assert detection["pose_score"] == pytest.approx(detection["score"] * np.mean(sure.tolist()))
        assert "segmentation" not in detection


def test_keypoints_at_their_peaks_have_no_pose_score() -> None:
    model = network(tasks="box,keypoints", keypoint_decode="argmax")
    picture = noise(64, 96)  # its working size, so that nothing is resized
    expected = model([to_tensor(picture)])[0]["keypoints"].detach()
    found = detect(model, picture)
    assert len(found) == len(expected) > 0
    for detection, points in zip(found, expected, strict=True):
        assert torch.tensor(detection["keypoints"]).view(5, 3)[:, :2].numpy() == pytest.approx(points[:, :2].numpy())
        assert "pose_score" not in detection


def test_boxes_alone_have_neither_masks_nor_keypoints() -> None:
    (detection, *_) = detect(network(tasks="box"), noise(64, 96))
    assert set(detection) == {"image_id", "category_id", "bbox", "score"}


@pytest.mark.parametrize("tasks", ["box", "box,mask", "box,keypoints", "box,mask,keypoints"])
def test_nothing_found_is_an_empty_list(tasks: str) -> None:
    model = network(tasks=tasks)
    model.roi_heads.score_thresh = 1.0
    assert detect(model, noise(64, 96)) == []
    assert detect(prepare(model), noise(64, 96)) == []


@pytest.mark.parametrize("tasks", ["box,mask", "box,mask,keypoints"])
def test_many_detections_in_groups_are_those_of_all_at_once(tasks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, picture = network(tasks=tasks), to_tensor(noise(64, 96))
    whole = find(model, picture)
    monkeypatch.setattr(module, "PROPOSALS_AT_ONCE", 7)
    monkeypatch.setattr(module, "DETECTIONS_AT_ONCE", 5)
    parts = find(model, picture)
    assert whole.keys() == parts.keys()
    for name, values in whole.items():
        torch.testing.assert_close(parts[name], values, rtol=1e-4, atol=1e-4)
