"""The network that is made ready for inference beside the one that it was made from."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model import build, detect, features, prepare, trace
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.channels_last_heads import ChannelsLastMaskPredictor
from maskrcnn.model.heads import last_head_layers
from maskrcnn.model.mixed_precision import bfloat16_training, supports_bfloat16
from tests import tiny
from tests.model.test_build import square
from tests.sweeps import one_in

SIZE = (64, 96)


def network(**changes: Any) -> StudioRCNN:
    """A tiny network in the state of a trained one: norms with statistics, answers that differ."""
    torch.manual_seed(0)
    fields = {**tiny.CONFIG, "num_classes": 4, "detection_min_confidence": 0.0, "detection_max_instances": 30}
    fields |= {"keypoint_head_width": 8, "keypoint_head_depth": 1, "num_keypoints": 3}
    model = build(Config.preset("classroom", **{**fields, **changes}))
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d | FrozenBatchNorm2d):
            for tensor, low, high in (
                (norm.weight, 0.5, 1.5),
                (norm.bias, -0.2, 0.2),
                (norm.running_mean, -0.2, 0.2),
                (norm.running_var, 0.5, 1.5),
            ):
                nn.init.uniform_(tensor, low, high)
    for layer in last_head_layers(model).values():
        nn.init.normal_(layer.weight, std=0.3)
    return model


def batch() -> Tensor:
    return torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)


def close(given: Tensor, expected: Tensor, share: float = 1e-5) -> None:
    """Equal up to a share of the largest value."""
    assert given.shape == expected.shape
    assert (given - expected).abs().max() <= share * expected.abs().max()


NETWORKS: dict[str, dict[str, Any]] = {
    "classroom": {},
    "frozen norms": {"norm": "frozen"},
    "group norm stays": {"norm": "group", "head_norm": "group"},
    "norms in pyramid and heads": {"head_norm": "batch", "box_head_depth": 2, "norm_eps": 1e-3},
    "mobilenet v2": {"backbone": "mobilenet_v2_fpn"},
    "mobilenet v3, two maps of stride 32": {"backbone": "mobilenet_v3_large_fpn32", "rpn_scales_at": "every-level"},
    "c4": {"backbone": "resnet18_c4", "tasks": "box,mask,keypoints"},
    "c5": {"backbone": "resnet18_c5", "head_norm": "batch"},
    "no norms": {"backbone": "alexnet_fpn"},
    "softmax masks": {"mask_kind": "softmax"},
    "agnostic masks": {"mask_kind": "agnostic"},
    "mlp masks": {"mask_head": "mlp"},
    "mlp masks on c4": {"mask_head": "mlp", "backbone": "resnet18_c4"},
    "keypoints": {"tasks": "box,keypoints"},
    "round boxes": {"pooling": "pool"},
    "legacy": {"pooling": "align-legacy"},
}


@pytest.mark.parametrize("changes", one_in(3, NETWORKS.values()), ids=NETWORKS.keys())
@torch.inference_mode()
def test_every_stage_is_the_same_up_to_rounding(changes: dict[str, Any]) -> None:
    first = network(**changes)
    second = prepare(first, precision="float32")
    expected, given = first.backbone(batch()), second.backbone(batch())
    assert list(given) == list(expected)
    for name in expected:
        close(given[name], expected[name])
    # From the same maps each, or the rounding of one stage would be counted to the next, on maps close to 0.
    by_cell = [level.contiguous(memory_format=torch.channels_last) for level in expected.values()]
    for ours, theirs in zip(second.rpn.head(by_cell), first.rpn.head(list(expected.values())), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            close(one, other)

    rois = torch.tensor([[4.0, 6.0, 40.0, 50.0], [30.0, 2.0, 90.0, 60.0], [10.0, 20.0, 15.0, 31.0]])
    labels = torch.tensor([1, 3, 2])
    before, after = first.roi_heads, second.roi_heads
    grids = before.box_roi_pool(expected, [rois], [SIZE])
    layout = grids.contiguous(memory_format=torch.channels_last)
    for given_grids in (grids, layout):
        for one, other in zip(
            after.box_predictor(after.box_head(given_grids)), before.box_predictor(before.box_head(grids)), strict=True
        ):
            close(one, other)
    if before.has_mask():
        theirs = before.mask_logits(expected, [rois], [SIZE])
        close(after.mask_logits(expected, [rois], [SIZE]), theirs)
        if isinstance(after.mask_predictor, ChannelsLastMaskPredictor) and before.mask_kind == "sigmoid":
            cells = after.mask_head(after.mask_roi_pool(expected, [rois], [SIZE]))
            close(after.mask_predictor.of_class(cells, labels), theirs[torch.arange(3), labels][:, None])
    if before.has_keypoint():
        theirs = before.keypoint_logits(expected, [rois], [SIZE])
        close(after.keypoint_logits(expected, [rois], [SIZE]), theirs)


def test_norms_with_statistics_are_gone_and_others_stay() -> None:
    ready = prepare(network(head_norm="batch", box_head_depth=2), precision="float32")
    assert not [name for name, part in ready.named_modules() if isinstance(part, nn.BatchNorm2d | FrozenBatchNorm2d)]
    grouped = prepare(network(norm="group"), precision="float32")
    assert [name for name, part in grouped.named_modules() if isinstance(part, nn.GroupNorm)]


def test_the_first_network_is_left_as_it_is() -> None:
    first = network(norm="batch").train()
    parts = {name: (part, id(part)) for name, part in first.named_modules()}
    tensors = {
        name: (tensor, tensor.clone(), tensor.stride()) for name, tensor in first.state_dict(keep_vars=True).items()
    }
    prepare(first, precision="bfloat16")
    assert {name: (part, id(part)) for name, part in first.named_modules()} == parts
    for name, tensor in first.state_dict(keep_vars=True).items():
        same, copied, stride = tensors[name]
        assert tensor is same
        assert torch.equal(tensor, copied)
        assert tensor.stride() == stride
    assert first.training
    picture, target = square()
    sum(first([picture], [target]).values()).backward()


def test_masks_of_the_prepared_network_are_those_of_the_first() -> None:
    first = network(pooling="align-legacy")
    expected, found = detect(first, noise()), detect(prepare(first, precision="float32"), noise())
    assert len(found) == len(expected) > 10
    for one, other in zip(found, expected, strict=True):
        assert one["category_id"] == other["category_id"]
        assert one["bbox"] == pytest.approx(other["bbox"], abs=1e-2)
        overlap = coco_mask.iou([one["segmentation"]], [other["segmentation"]], [0])[0, 0]
        assert overlap >= 0.98 or coco_mask.area(other["segmentation"]) == 0


@pytest.mark.parametrize("name", ["classroom", "group norm stays", "c4", "mlp masks on c4", "keypoints"])
@torch.inference_mode()
def test_bfloat16_in_the_wide_parts_and_float32_where_decisions_are_taken(name: str) -> None:
    first = network(**NETWORKS[name])
    ready = prepare(first, precision="bfloat16")
    maps = ready.backbone(ready.transform.batch_images(list(batch())))
    assert {value.dtype for value in maps.values()} == {torch.bfloat16}
    for key, value in first.backbone(batch()).items():
        close(maps[key].float(), value, 0.1)
    objectness, deltas = ready.rpn.head(list(maps.values()))
    rois, heads = torch.tensor([[4.0, 6.0, 40.0, 50.0], [30.0, 2.0, 90.0, 60.0]]), ready.roi_heads
    answers = [*objectness, *deltas, *heads.box_predictor(heads.box_head(heads.box_roi_pool(maps, [rois], [SIZE])))]
    answers += [heads.mask_logits(maps, [rois], [SIZE])] if heads.has_mask() else []
    answers += [heads.keypoint_logits(maps, [rois], [SIZE])] if heads.has_keypoint() else []
    assert {answer.dtype for answer in answers} == {torch.float32}
    assert detect(ready, noise())


def test_auto_is_bfloat16_where_the_processor_has_it() -> None:
    wanted = torch.bfloat16 if supports_bfloat16(torch.device("cpu")) else torch.float32
    assert next(prepare(network()).backbone.parameters()).dtype == wanted


def test_a_network_that_trains_in_bfloat16_can_be_prepared_in_float32() -> None:
    plain = network()
    training = copy.deepcopy(plain)
    with torch.inference_mode(), bfloat16_training(training):
        expected = prepare(plain, precision="float32").backbone(batch())
        given = prepare(training, precision="float32").backbone(batch())
    assert all(torch.equal(given[name], expected[name]) for name in expected)


def test_a_prepared_network_can_be_looked_into() -> None:
    first = network()
    ready = prepare(first, precision="bfloat16")
    shown = trace(ready, noise())
    assert shown.maps["P2"].dtype == np.float32
    assert shown.detections.soft_masks is not None
    close(
        torch.from_numpy(features(ready, noise()).maps["P3"]),
        torch.from_numpy(features(first, noise()).maps["P3"]),
        0.1,
    )


def test_a_machine_where_torch_compile_fails_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(function: object) -> None:
        raise RuntimeError("No working C++ compiler found\nand much more")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(StudioError, match=r"^torch.compile .*No working C\+\+ compiler found.*; install") as caught:
        prepare(network(), compile=True)
    assert "\n" not in str(caught.value)


def test_compile_is_for_the_backbone_of_the_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    # A real compilation takes a minute: here it is enough that the backbone has been handed to the compiler.
    compiled: list[object] = []
    monkeypatch.setattr(torch, "compile", lambda function, **more: function)
    monkeypatch.setattr(nn.Module, "compile", lambda part: compiled.append(part))
    first = network()
    ready = prepare(first, compile=True)
    assert compiled == [ready.backbone]
    assert ready.backbone is not first.backbone
