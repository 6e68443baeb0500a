"""Candidates of a picture: the last filters, repeated without the network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from torchvision.ops import batched_nms

from maskrcnn.annotations import pictures
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.inference import load
from maskrcnn.install_folders import DATA
from maskrcnn.model import build, detect
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.candidates import NMS_STEPS, Candidates, Selection, find_candidates, nms
from maskrcnn.model.heads import last_head_layers
from tests import tiny

PICTURES = sorted((DATA / "shapes" / "val").glob("*.jpg"))[:3]


def network(**changes: object) -> StudioRCNN:
    """A tiny network with many answers, sure and unsure ones."""
    torch.manual_seed(0)
    fields = {**tiny.CONFIG, "num_classes": 3, "detection_min_confidence": 0.05, "detection_max_instances": 30}
    fields |= {"keypoint_head_width": 8, "keypoint_head_depth": 1, "num_keypoints": 5}
    model = build(Config.preset("classroom", **{**fields, **changes}))
    for name, layer in last_head_layers(model).items():
        torch.nn.init.normal_(layer.weight, std=3.0 if "mask" in name else 0.3)
    return model


def require_same(found: list[dict], expected: list[dict], least_iou: float = 0.995) -> None:
    assert [entry["category_id"] for entry in found] == [entry["category_id"] for entry in expected]
    assert len(found) > 0
    for one, other in zip(found, expected, strict=True):
        assert one["bbox"] == pytest.approx(other["bbox"], abs=1e-3)
        assert one["score"] == pytest.approx(other["score"], abs=1e-6)
        if "segmentation" in other:
            overlap = coco_mask.iou([one["segmentation"]], [other["segmentation"]], [0])[0, 0]
            both_empty = coco_mask.area(one["segmentation"]) + coco_mask.area(other["segmentation"]) == 0
            assert overlap >= least_iou or both_empty
        assert one.get("keypoints", []) == pytest.approx(other.get("keypoints", []), abs=1e-3)
        assert one.get("pose_score", 0) == pytest.approx(other.get("pose_score", 0), abs=1e-6)
        assert one.keys() == other.keys()


def test_the_networks_own_values_give_what_detect_gives() -> None:
    toy = load(DATA / "weights" / "toy", device="cpu", precision="float32")
    for path in PICTURES:
        picture = pictures.load(path)
        require_same(find_candidates(toy, picture).select(Selection.of(toy.config)), detect(toy, picture))


@pytest.mark.parametrize("tasks", [("box",), ("box", "mask", "keypoints")])
@pytest.mark.parametrize("pooling", ["align", "align-legacy"])
def test_other_values_give_what_a_network_with_them_gives(tasks: tuple[str, ...], pooling: str) -> None:
    """The oracle is the network itself, with the values in its own filters."""
    model = network(tasks=tasks, pooling=pooling)
    picture = np.random.default_rng(1).integers(0, 255, (100, 140, 3), np.uint8)
    candidates, own = find_candidates(model, picture), model.config.post_nms_rois_inference
    for iou, proposals, score, most in [(0.1, own, 0.05, 30), (0.8, 20, 0.05, 100), (0.35, 5, 0.3, 7)]:
        model.roi_heads.nms_thresh, model.roi_heads.score_thresh = iou, score
        model.roi_heads.detections_per_img = most
        model.rpn._post_nms_top_n["testing"] = proposals
        selection = Selection(score, iou, proposals=proposals, most=most)
        require_same(candidates.select(selection), detect(model, picture), least_iou=0.98)


def test_nms_is_torchvisions() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        low = rng.uniform(0, 60, (80, 2))
        boxes = np.concatenate([low, low + rng.uniform(1, 40, (80, 2))], axis=1).astype(np.float32)
        labels, scores = rng.integers(1, 4, 80), np.sort(rng.random(80))[::-1].astype(np.float32).copy()
        iou = float(rng.choice(NMS_STEPS))
        expected = batched_nms(torch.from_numpy(boxes), torch.from_numpy(scores), torch.from_numpy(labels), iou)
        assert nms(boxes, labels, iou).tolist() == expected.tolist()


def test_mask_threshold_and_classes_by_hand() -> None:
    """One box of 4 x 4 pixels whose soft mask is 0.3 in its left half and 0.9 in its right half."""
    soft = np.full((1, 4, 4), 0.3, np.float16)
    soft[:, :, 2:] = 0.9
    one = np.array([1])
    candidates = Candidates(6, 8, np.float32([[2, 1, 6, 5]]), one, np.float32([0.7]), np.array([3]), masks=soft)
    area = lambda **values: [int(coco_mask.area(e["segmentation"])) for e in candidates.select(Selection(**values))]  # noqa: E731
    assert area(mask_threshold=0.5) == [8]
    assert area(mask_threshold=0.25) == [16]
    assert area(mask_threshold=0.95) == [0]
    assert area(classes=frozenset({2})) == []
    assert area(min_score=0.71) == []
    assert area(proposals=3) == []  # its proposal is the fourth
    assert area(proposals=4) == [8]


def test_a_file_comes_back_as_it_was(tmp_path: Path) -> None:
    candidates = find_candidates(network(), pictures.load(PICTURES[0]))
    candidates.save(tmp_path / "a.npz")
    again = Candidates.open(tmp_path / "a.npz")
    assert again.select(Selection()) == candidates.select(Selection())
    assert (again.height, again.width, again.legacy, again.poses) == (
        candidates.height,
        candidates.width,
        candidates.legacy,
        candidates.poses,
    )


def test_a_file_that_is_not_sound_is_refused(tmp_path: Path) -> None:
    none, path = np.zeros(0, np.int64), tmp_path / "a.npz"
    sound = {"height": 6, "width": 8, "boxes": np.zeros((1, 4), np.float32), "labels": np.array([1])}
    sound |= {"scores": np.float32([0.5]), "ranks": np.array([0])}
    np.savez(path, **sound)
    assert len(Candidates.open(path).scores) == 1
    for name, value in {
        "boxes": np.zeros((2, 4), np.float32),
        "labels": np.array([0]),
        "scores": np.float32([np.nan]),
        "ranks": none,
        "height": -3,
        "masks": np.zeros((1, 28), np.float16),
        "keypoints": np.zeros((1, 5, 3), np.float32),  # without their scores
    }.items():
        np.savez(path, **{**sound, name: value})
        with pytest.raises(StudioError, match="no file of candidates, or damaged"):
            Candidates.open(path)
    np.savez(path, **{**sound, "boxes": np.array([{"a": 1}], dtype=object)})  # a pickle
    with pytest.raises(StudioError, match="no file of candidates"):
        Candidates.open(path)
    path.write_bytes(b"PK")
    with pytest.raises(StudioError, match="no file of candidates"):
        Candidates.open(path)
    with pytest.raises(StudioError, match="not there any more"):
        Candidates.open(tmp_path / "b.npz")
