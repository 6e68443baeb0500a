"""The trace is the network itself, stage by stage; and its bookkeeping is right."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model import build, detect, features, prepare, trace
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.resize import resize, to_tensor, working_size
from maskrcnn.model.tracing.filters import Filter, Suppression
from maskrcnn.model.tracing.trace import Trace
from tests import tiny
from tests.sweeps import one_in

PICTURE = np.random.default_rng(0).integers(0, 255, (100, 150, 3), np.uint8)
"""Worked on at 64 x 96: 0.64 resized pixels per pixel."""

SMALL: dict[str, Any] = {
    **tiny.CONFIG,
    "num_classes": 4,
    "detection_min_confidence": 0.0,
    "detection_max_instances": 15,
    "num_keypoints": 3,
    "keypoint_head_width": 8,
    "keypoint_head_depth": 1,
}

NETWORKS: dict[str, dict[str, Any]] = {
    "fpn, align": {"backbone": "mobilenet_v2_fpn", "tasks": ("box", "mask", "keypoints")},
    "fpn, align-legacy, softmax": {"pooling": "align-legacy", "mask_kind": "softmax", "norm": "frozen"},
    "fpn32, agnostic": {
        "backbone": "mobilenet_v3_large_fpn32",
        "rpn_scales_at": "every-level",
        "rpn_anchor_scales": (16, 32),
        "mask_kind": "agnostic",
    },
    "c4, pool, shared stage 5": {"backbone": "resnet18_c4", "pooling": "pool", "tasks": ("box", "mask", "keypoints")},
    "c4 without a stage 5": {"backbone": "alexnet_c4", "pooling_mode": "max"},
    "c5, warp, mlp": {"backbone": "mobilenet_v3_small_c5", "pooling": "warp", "mask_head": "mlp"},
    "boxes alone, group norm": {"tasks": ("box",), "norm": "group", "head_norm": "batch", "rpn_head_depth": 2},
    "filters that bite": {
        "backbone": "resnet18_fpn",
        "pre_nms_limit": 7,
        "rpn_min_score": 0.54,
        "rpn_nms_threshold": 0.5,
        "post_nms_rois_inference": 4,
        "detection_min_confidence": 0.03,
        "detection_nms_threshold": 0.4,
        "detection_max_instances": 2,
    },
}


def network(seed: int = 0, **fields: Any) -> StudioRCNN:
    """A network whose last layers have large weights, so that scores and boxes differ."""
    torch.manual_seed(seed)
    model = build(Config.preset("classroom", **{**SMALL, **fields}))
    torch.nn.init.normal_(model.rpn.head.cls_logits.weight, std=1)
    torch.nn.init.normal_(model.rpn.head.bbox_pred.weight, std=0.03)
    torch.nn.init.normal_(model.roi_heads.box_predictor.cls_score.weight, std=1)
    torch.nn.init.normal_(model.roi_heads.box_predictor.bbox_pred.weight, std=0.1)
    return model


@pytest.fixture(scope="module")
def model() -> StudioRCNN:
    """A pyramid with masks."""
    return network(backbone="resnet18_fpn")


@pytest.mark.parametrize("fields", one_in(2, NETWORKS.values()), ids=NETWORKS)
def test_it_is_the_network_itself(fields: dict[str, Any]) -> None:
    model = network(**fields)
    found = trace(model, PICTURE)
    with torch.inference_mode():
        images, _ = model.transform([to_tensor(resize(PICTURE, working_size(100, 150, model.config)))])
        maps = model.backbone(images.tensors)
        (proposals,), _ = model.rpn(images, maps)
        (expected,), _ = model.roi_heads(maps, [proposals], images.image_sizes)
    assert found.input.shape == tuple(images.tensors.shape[1:])
    assert list(found.maps) == list(model.level_names.values())
    for key, name in model.level_names.items():
        assert np.array_equal(found.maps[name], maps[key][0])
    assert len(proposals) > 1
    assert len(expected["boxes"]) > 1
    assert np.array_equal(found.rpn.boxes, proposals)
    ours = found.detections
    pairs = {"boxes": ours.boxes, "labels": ours.labels, "scores": ours.scores, "keypoints": ours.keypoints}
    for name, array in pairs.items():
        assert (array is None) == (name not in expected)
        if array is not None:
            assert np.array_equal(array, expected[name]), name
    assert (ours.soft_masks is None) == ("masks" not in expected)
    if ours.soft_masks is not None:
        assert np.array_equal(ours.soft_masks, expected["masks"][:, 0])
        assert ours.soft_masks.shape[1:] == (model.config.mask_shape,) * 2
    if ours.heatmaps is not None:
        assert ours.heatmaps.shape[1:] == (3, *(model.config.keypoint_shape,) * 2)


def test_it_is_what_detect_says(model: StudioRCNN) -> None:
    found, expected = trace(model, PICTURE), detect(model, PICTURE)
    boxes = found.to_picture(found.detections.boxes)
    assert [entry["category_id"] for entry in expected] == found.detections.labels.tolist()
    np.testing.assert_allclose([entry["score"] for entry in expected], found.detections.scores, atol=1e-6)
    sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    np.testing.assert_allclose([entry["bbox"] for entry in expected], sizes, atol=1e-3)
    masks = np.stack([coco_mask.decode(entry["segmentation"]) for entry in expected]).astype(bool)
    assert found.pasted_masks.shape == (len(expected), 100, 150)
    assert (found.pasted_masks != masks).mean() < 1e-3
    assert found.pasted_masks.any()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_network_made_ready_for_inference(model: StudioRCNN, precision: Any) -> None:
    ready = prepare(model, precision=precision)
    found, expected = trace(ready, PICTURE), detect(ready, PICTURE)
    assert found.detections.scores.tolist() == pytest.approx([entry["score"] for entry in expected], abs=1e-6)
    arrays = [*found.body.values(), *found.maps.values(), found.heads.features, found.detections.soft_masks]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_it_leaves_nothing_behind(model: StudioRCNN) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first, second = trace(model, PICTURE), trace(model, PICTURE)
    assert np.array_equal(first.detections.boxes, second.detections.boxes)
    assert not [module for module in model.modules() if module._forward_hooks]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("backbone", "stages"),
    [
        ("resnet18_fpn", {"C2": (64, 16, 24), "C3": (128, 8, 12), "C4": (256, 4, 6), "C5": (512, 2, 3)}),
        ("resnet18_c4", {"C2": (64, 16, 24), "C3": (128, 8, 12), "C4": (256, 4, 6)}),
        ("alexnet_fpn", {"C2": (64, 16, 24), "C3": (192, 8, 12), "C4": (256, 4, 6), "C5": (256, 2, 3)}),
        (
            "mobilenet_v3_large_fpn32",
            {
                "C2": (24, 16, 24),
                "C3": (40, 8, 12),
                "C4": (112, 4, 6),
                "C5 first": (160, 2, 3),
                "C5 last": (960, 2, 3),
            },
        ),
    ],
)
def test_maps_of_the_body(backbone: str, stages: dict[str, tuple[int, int, int]]) -> None:
    more = {"rpn_scales_at": "every-level"} if backbone.endswith("32") else {}
    found = trace(network(backbone=backbone, tasks=("box",), **more), PICTURE)
    assert {name: array.shape for name, array in found.body.items()} == stages


def test_frames(model: StudioRCNN) -> None:
    found = trace(model, PICTURE)
    assert (found.picture_size, found.size, found.scale) == ((100, 150), (64, 96), (0.64, 0.64))
    # 64 resized pixels are 100 of the picture.
    np.testing.assert_allclose(found.to_picture(np.array([[64, 32, 96, 64.0]])), [[100, 50, 150, 100]])
    # 100 x 151 is worked on at 64 x 96: each side is rounded for itself.
    wider = trace(model, np.zeros((100, 151, 3), np.uint8))
    assert wider.scale == (96 / 151, 64 / 100)
    np.testing.assert_allclose(wider.to_picture(np.array([0, 0, 96, 64.0])), [0, 0, 151, 100], rtol=1e-6)
    assert found.strides == features(model, PICTURE).strides
    inside = found.detections.boxes
    assert (inside >= 0).all()
    assert (inside[:, 2] <= 96).all()
    assert (inside[:, 3] <= 64).all()


def test_anchors_and_their_numbers(model: StudioRCNN) -> None:
    rpn = trace(model, PICTURE).rpn
    assert {level: grid.shape for level, grid in rpn.anchors.items()} == {
        "P2": (16, 24, 3, 4),
        "P3": (8, 12, 3, 4),
        "P4": (4, 6, 3, 4),
        "P5": (2, 3, 3, 4),
        "P6": (1, 2, 3, 4),
    }
    # P3: scale 64, ratio 1, at row 2 and column 5 of stride 8; torchvision centres anchors on the cell's corner.
    assert rpn.anchors["P3"][2, 5, 1].tolist() == [40 - 32, 16 - 32, 40 + 32, 16 + 32]
    number = 16 * 24 * 3 + (2 * 12 + 5) * 3 + 1
    assert rpn.place(number) == ("P3", 2, 5, 1)
    assert rpn.all_anchors[number].tolist() == rpn.anchors["P3"][2, 5, 1].tolist()
    assert len(rpn.all_anchors) == 3 * (16 * 24 + 8 * 12 + 4 * 6 + 2 * 3 + 2)
    with pytest.raises(IndexError):
        rpn.place(len(rpn.all_anchors))


def test_a_decoded_box_by_hand(model: StudioRCNN) -> None:
    # Ren et al. 2015, eq. 2: the centre moves by dx w and dy h, the sides grow by exp(dw) and exp(dh).
    rpn = trace(model, PICTURE).rpn
    number = 16 * 24 * 3 + (2 * 12 + 5) * 3 + 1
    dx, dy, dw, dh = rpn.deltas["P3"][2, 5, 1].tolist()
    x, y, w, h = 40 + 64 * dx, 16 + 64 * dy, 64 * np.exp(dw), 64 * np.exp(dh)
    decoded = rpn.filters[0]
    np.testing.assert_allclose(decoded.boxes[number], [x - w / 2, y - h / 2, x + w / 2, y + h / 2], rtol=1e-5)
    assert decoded.scores[number] == pytest.approx(1 / (1 + np.exp(-rpn.objectness["P3"][2, 5, 1])))
    assert decoded.groups[number] == 1


@pytest.fixture(scope="module")
def biting() -> Trace:
    """A trace in which every filter drops something."""
    model = network(**NETWORKS["filters that bite"])
    model.rpn.min_size = 28
    return trace(model, PICTURE)


def test_filters_only_take_away(biting: Trace) -> None:
    for steps in (biting.rpn.filters, biting.heads.filters):
        for before, after in pairwise(steps):
            assert set(after.survivors) <= set(before.survivors)
            assert after.count == len(after.boxes) == len(after.scores) == len(after.groups)
    counts = {step.name: step.count for step in biting.rpn.filters + biting.heads.filters}
    # At most 7 of each of 5 levels (P6 has 6), later at most 4; 3 classes each; at most 2 detections.
    assert counts["best per level"] == counts["clipped"] == 7 + 7 + 7 + 7 + 6
    assert counts["clipped"] > counts["large enough"] > counts["objectness"] > counts["RPN NMS"] > 4
    assert counts["refined"] == 3 * counts["best proposals"] == 12
    assert counts["refined"] > counts["score"] > counts["detection NMS"] > counts["best detections"] == 2


def test_survivors_satisfy_the_limit_and_the_others_do_not(biting: Trace) -> None:
    steps = {step.name: step for step in biting.rpn.filters + biting.heads.filters}
    for name, before, values in (
        ("large enough", "clipped", lambda step: (step.boxes[:, 2:] - step.boxes[:, :2]).min(axis=1)),
        ("objectness", "large enough", lambda step: step.scores),
        ("score", "boxes clipped", lambda step: step.scores),
    ):
        step, previous = steps[name], steps[before]
        kept = np.isin(previous.survivors, step.survivors)
        assert values(step).min() >= step.limit > values(previous)[~kept].max()


def greedy(before: Filter, threshold: float) -> tuple[list[int], dict[int, tuple[int, float]]]:
    """NMS as it is told: take the best box, strike out what overlaps it, go on with what is left."""
    kept, struck = [], {}
    waiting = sorted(range(before.count), key=lambda i: -before.scores[i])
    while waiting:
        best = waiting.pop(0)
        kept.append(int(before.survivors[best]))
        for other in list(waiting):
            overlap = overlap_of(before.boxes[best].tolist(), before.boxes[other].tolist())
            if before.groups[other] == before.groups[best] and overlap > threshold:
                waiting.remove(other)
                struck[int(before.survivors[other])] = (int(before.survivors[best]), overlap)
    return kept, struck


def overlap_of(one: list[float], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)


@pytest.mark.parametrize("stage", ["rpn", "heads"])
def test_nms_against_a_slow_one(model: StudioRCNN, stage: str) -> None:
    part = getattr(trace(model, PICTURE), stage)
    before, after = part.filters[-3], part.filters[-2]
    kept, struck = greedy(before, after.limit)
    nms: Suppression = part.nms
    assert after.survivors.tolist() == kept
    assert dict(zip(nms.dropped.tolist(), nms.by.tolist(), strict=True)) == {one: by for one, (by, _) in struck.items()}
    assert nms.ious.tolist() == pytest.approx([struck[one][1] for one in nms.dropped.tolist()], abs=1e-5)
    assert len(kept) > 10
    assert len(struck) > 10
    groups = [nms.dropped_for(winner) for winner in kept]
    assert sum(len(dropped) for dropped, _ in groups) == len(struck)
    assert all((ious > after.limit).all() for _, ious in groups)


def test_stages_of_the_heads(model: StudioRCNN) -> None:
    found = trace(model, PICTURE)
    heads, count = found.heads, len(found.rpn.boxes)
    assert heads.features.shape == (count, 8, 7, 7)
    assert heads.probabilities.shape == (count, 4)
    np.testing.assert_allclose(heads.probabilities.sum(axis=1), 1, atol=1e-5)
    assert heads.deltas.shape == heads.refined.shape == (count, 4, 4)
    assert found.detections.mask_features.shape[1:] == (8, 14, 14)
    assert found.detections.mask_logits.shape[1:] == (4, 28, 28)
    # A detection is its proposal, refined for its class and clipped.
    for box, proposal, label in zip(
        found.detections.boxes, found.detections.proposals, found.detections.labels, strict=True
    ):
        assert box.tolist() == heads.refined[proposal, label].clip(0, [96, 64, 96, 64]).tolist()


@pytest.mark.parametrize("level", [2, 4, 6])
def test_level_of_each_proposal(level: int) -> None:
    # Lin et al. 2017, eq. 1: k0 + log2(sqrt(w h) / 224), rounded down, between P2 and P5.
    found = trace(network(backbone="resnet18_fpn", fpn_roi_level=level), PICTURE)
    width, height = (found.rpn.boxes[:, 2:] - found.rpn.boxes[:, :2]).T
    wanted = np.clip(np.floor(level + np.log2(np.sqrt(width * height) / 224)), 2, 5).astype(int)
    assert found.heads.levels.tolist() == [f"P{number}" for number in wanted]


@pytest.mark.parametrize(("backbone", "level"), [("resnet18_c4", "C4"), ("mobilenet_v2_c5", "C5")])
def test_one_map_has_one_level(backbone: str, level: str) -> None:
    assert set(trace(network(backbone=backbone), PICTURE).heads.levels) == {level}


def test_a_picture_in_which_nothing_is_proposed() -> None:
    found = trace(
        network(rpn_min_score=0.999, tasks=("box", "mask", "keypoints")),
        PICTURE,
        {"boxes": [[0, 0, 9, 9]], "labels": [1]},
    )
    assert found.rpn.filters[-1].count == len(found.detections.boxes) == 0
    assert found.pasted_masks.shape == (0, 100, 150)
    assert found.detections.keypoints.shape == (0, 3, 3)
    assert found.assignment.labels.shape == (0,)


def test_masks_of_a_network_without_masks() -> None:
    found = trace(network(tasks=("box",)), PICTURE)
    with pytest.raises(LookupError, match="mask task"):
        found.pasted_mask(0)


# Targets


def test_what_training_asks(model: StudioRCNN) -> None:
    boxes, labels = np.array([[20, 20, 80, 80], [100, 10, 140, 60.0]]), np.array([2, 3])
    masks = np.zeros((2, 100, 150), np.uint8)
    masks[0, 20:80, 20:80] = 1
    found = trace(model, PICTURE, {"boxes": boxes, "labels": labels, "masks": masks})
    asked = found.assignment
    np.testing.assert_allclose(asked.boxes, boxes * 0.64, rtol=1e-6)

    # By hand: the rules of Ren et al. 2015, section 3.1.2.
    resized = boxes * 0.64
    overlaps = np.array(
        [[overlap_of(a, b) for b in resized.tolist()] for a in found.rpn.all_anchors.astype(float).tolist()]
    )
    best = overlaps.max(axis=1)
    positive = (best >= 0.7) | np.isclose(overlaps, overlaps.max(axis=0), atol=1e-6).any(axis=1)
    wanted = np.where(positive, 1, np.where(best < 0.3, 0, -1))
    assert asked.anchor_labels.tolist() == wanted.tolist()
    assert set(wanted) == {1, 0, -1}
    assert np.array_equal(asked.anchor_objects, np.where(positive, overlaps.argmax(axis=1), -1))
    assert np.isnan(asked.anchor_deltas).any(axis=1).tolist() == (~positive).tolist()
    for number in np.flatnonzero(positive):
        anchor, target = found.rpn.all_anchors[number], resized[asked.anchor_objects[number]]
        assert asked.anchor_deltas[number].tolist() == pytest.approx(deltas(anchor, target), abs=1e-4)


def deltas(box: np.ndarray, target: np.ndarray) -> list[float]:
    """What leads from a box to its target; Ren et al. 2015, eq. 2."""
    size, wanted = box[2:] - box[:2], target[2:] - target[:2]
    shift = ((target[2:] + target[:2]) - (box[2:] + box[:2])) / 2 / size
    return [*shift.tolist(), *np.log(wanted / size).tolist()]


def test_what_training_asks_of_proposals() -> None:
    model = network(backbone="resnet18_fpn", tasks=("box", "mask", "keypoints"))
    proposal = trace(model, PICTURE).rpn.boxes[0]
    # An object where the first proposal is, left half masked, with a keypoint in its middle, one outside, one unseen.
    x1, y1, x2, y2 = (proposal / 0.64).tolist()
    masks = np.zeros((1, 100, 150), bool)
    masks[0, :, : round((x1 + x2) / 2)] = True
    keypoints = np.array([[[(x1 + x2) / 2 + 0.01, (y1 + y2) / 2 + 0.01, 2], [x2 + 5, y1, 2], [x1 + 1, y1 + 1, 0]]])
    found = trace(model, PICTURE, {"boxes": [[x1, y1, x2, y2]], "labels": [2], "masks": masks, "keypoints": keypoints})
    asked, resized = found.assignment, found.assignment.boxes[0].tolist()
    overlaps = [overlap_of(box, resized) for box in found.rpn.boxes.tolist()]
    assert asked.labels.tolist() == [2 if overlap >= 0.5 else 0 for overlap in overlaps]
    assert asked.objects.tolist() == [0 if overlap >= 0.5 else -1 for overlap in overlaps]
    assert asked.positives.tolist() == [number for number, overlap in enumerate(overlaps) if overlap >= 0.5]
    for number in asked.positives:
        wanted = np.array(deltas(found.rpn.boxes[number], np.array(resized))) / (0.1, 0.1, 0.2, 0.2)
        assert asked.deltas[number].tolist() == pytest.approx(wanted.tolist(), abs=1e-4)
    assert np.isnan(asked.deltas[asked.labels == 0]).all()

    assert asked.masks.shape == (len(asked.positives), 28, 28)
    # 14 of 28 columns, give or take the pixel at the edge.
    assert asked.masks[0].mean() == pytest.approx(0.5, abs=0.05)
    assert asked.masks[0][:, :12].min() == 1
    assert asked.masks[0][:, 16:].max() == 0
    # The middle of 56 x 56 cells is where row 28 and column 28 begin.
    assert asked.keypoint_cells[0].tolist() == [28 * 56 + 28, -1, -1]


def test_a_picture_without_objects_is_all_background(model: StudioRCNN) -> None:
    asked = trace(model, PICTURE, {"boxes": [], "labels": [], "masks": np.zeros((0, 100, 150))}).assignment
    assert set(asked.anchor_labels) == set(asked.labels) == {0}
    assert set(asked.anchor_objects) == set(asked.objects) == {-1}
    assert asked.masks.shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"boxes": [[0, 0, 9, 9]], "labels": []}, "1 box but 0 labels"),
        ({"boxes": [[0, 0, 9, 9]], "labels": [4]}, "object 0 has label 4; this network knows 1 to 3"),
        ({"boxes": [[0, 0, 9, 9], [5, 5, 5, 9]], "labels": [1, 1]}, "object 1 has no area"),
        ({"boxes": [[0, 0, float("nan"), 9]], "labels": [1]}, "object 0 has no area"),
        (
            {"boxes": [[0, 0, 9, 9]], "labels": [1], "masks": np.zeros((1, 64, 96))},
            r"masks have shape \(1, 64, 96\); \(1, 100, 150\) is needed",
        ),
    ],
)
def test_targets_that_do_not_fit(model: StudioRCNN, targets: dict[str, Any], message: str) -> None:
    with pytest.raises(StudioError, match=message):
        trace(model, PICTURE, targets)
