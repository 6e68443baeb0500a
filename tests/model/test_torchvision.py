"""torchvision's seven R-CNN builders and ours: their weights load strictly, and both see and lose the same.

Each is compared twice, like with like:

- `fresh`: theirs as built without weights, which has BatchNorms that learn, against ours with `norm = batch`;
- `COCO`: theirs as built with its COCO weights, for which a random state is handed to it in place of the download. Its
  norms are frozen then, and torchvision sets their eps to 0 after it has loaded the first COCO weights of the ResNets.

Pictures are small and RoIs few, so that 28 networks are done in a minute; `test_the_presets_are_the_builders_defaults`
compares the numbers that this leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import get_model
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

from maskrcnn.config import LOSS_NAMES, Config
from maskrcnn.model import build
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.weights import detector_config
from maskrcnn.runs.torchvision_catalogue import COCO_DETECTORS
from tests.sweeps import FUZZ, sweep, wider

# Our field -> torchvision's argument and a value that is cheap.
SMALL: dict[str, tuple[str, Any]] = {
    "image_min_dim": ("min_size", 60),
    "image_max_dim": ("max_size", 90),
    "post_nms_rois_training": ("rpn_post_nms_top_n_train", 16),
    "post_nms_rois_inference": ("rpn_post_nms_top_n_test", 16),
    "train_rois_per_image": ("box_batch_size_per_image", 8),
    "detection_min_confidence": ("box_score_thresh", 0.001),
    "detection_max_instances": ("box_detections_per_img", 2),
}
SIZES = ((60, 60), (70, 110), (90, 60), (60, 80), (64, 64), (50, 70), (101, 90), (200, 120), (50, 110), (33, 37))
"""Height and width of ten pictures: enlarged, kept and shrunk, upright and flat."""


def pictures() -> list[Tensor]:
    """Ten pictures of large soft spots, so that places differ."""
    generator = torch.Generator().manual_seed(1)
    spots = (torch.rand(1, 3, 6, 6, generator=generator) for _ in SIZES)
    return [
        functional.interpolate(spot, size=size, mode="bilinear")[0] for spot, size in zip(spots, SIZES, strict=True)
    ]


def targets(classes: int) -> list[dict[str, Tensor]]:
    """Two objects for each of the first three pictures, and none for the fourth."""
    generator = torch.Generator().manual_seed(3)
    made = []
    for (height, width), count in zip(SIZES, (2, 2, 2, 0), strict=False):
        masks = torch.zeros(2, height, width, dtype=torch.uint8)
        masks[0, 10:40, 8:45] = 1
        masks[1, 15:50, 25:55] = 1
        points = 50 * torch.rand(2, 17, 3, generator=generator)
        points[..., 2] = 2 * (points[..., 2] > 10)
        target = {
            "boxes": torch.tensor([[5.0, 6, 50, 48], [20, 10, 60, 58]]),
            "labels": torch.tensor([1, classes - 1]),
            "masks": masks,
            "keypoints": points,
        }
        made.append({name: tensor[:count] for name, tensor in target.items()})
    return made


def give_it_something_to_say(network: GeneralizedRCNN) -> None:
    """Norms with factors and statistics of their own, and class scores that differ from box to box."""
    generator = torch.Generator().manual_seed(2)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    seen = []
    classifier = network.roi_heads.box_predictor.cls_score
    hook = classifier.register_forward_hook(lambda module, given, logits: seen.append(logits))
    network.eval()
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.6, 1.4, generator=generator)
            norm.bias.normal_(0, 0.2, generator=generator)
            norm.momentum = 1.0  # take over what these pictures have, or the maps grow from block to block
            norm.train()
        network(pictures()[:3])
        for norm in norms:
            norm.eval()
            norm.momentum = 0.1
            spread = norm.running_var.sqrt()
            norm.running_mean.add_(0.1 * spread * torch.randn(len(spread), generator=generator))
            norm.running_var.mul_(torch.empty_like(spread).uniform_(0.8, 1.25, generator=generator))
        network(pictures()[:3])
        spread, mean = seen[-1].std(dim=0), seen[-1].mean(dim=0)
        classifier.weight.mul_(2 / spread[:, None])
        classifier.bias.copy_(2 * (classifier.bias - mean) / spread)
    hook.remove()


def their_network(name: str, weights: str | None = None) -> GeneralizedRCNN:
    return get_model(name, weights=weights, weights_backbone=None, **dict(SMALL.values()))


def our_fields() -> dict[str, Any]:
    return {field: value for field, (_, value) in SMALL.items()}


@cache
def random_state(name: str) -> dict[str, Tensor]:
    torch.manual_seed(0)
    network = their_network(name)
    give_it_something_to_say(network)
    return network.state_dict()


Pair = tuple[GeneralizedRCNN, StudioRCNN]


ALWAYS = {
    ("maskrcnn_resnet50_fpn", "COCO"),
    ("keypointrcnn_resnet50_fpn", "COCO"),
    ("fasterrcnn_mobilenet_v3_large_320_fpn", "fresh"),
}
"""One of each kind; the others are a sweep."""
PAIRS = [(name, norms) for name in COCO_DETECTORS for norms in ("fresh", "COCO")]


@pytest.fixture(
    scope="module",
    params=[pytest.param(each, id="-".join(each), marks=[] if each in ALWAYS else [sweep]) for each in PAIRS],
)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Theirs and ours with the same weights."""
    name, norms = request.param
    state = random_state(name)
    if norms == "fresh":
        preset, fields = COCO_DETECTORS[name]
        theirs, ours = their_network(name), build(Config.preset(preset, **fields, **our_fields(), norm="batch"))
        theirs.load_state_dict(state)
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: state)
            theirs = their_network(name, weights="COCO_V1")
        ours = build(detector_config(name, **our_fields()))
    ours.load_state_dict(state, strict=True)
    yield theirs, ours
    if norms == "COCO":
        random_state.cache_clear()


@wider
def test_both_find_the_same(pair: Pair) -> None:
    """On two pictures; `make fuzz` takes ten."""
    theirs, ours = pair
    batch = pictures()[: 10 if FUZZ else 2]
    with torch.inference_mode():
        expected, found = theirs.eval()(batch), ours.eval()(batch)
    assert sum(len(one["boxes"]) for one in expected) >= 2 * len(batch)
    assert len({int(label) for one in expected for label in one["labels"]}) > (1 if ours.config.num_classes > 2 else 0)
    for mine, one in zip(found, expected, strict=True):
        assert mine.keys() == one.keys()
        assert mine["labels"].tolist() == one["labels"].tolist()
        for part in one:
            torch.testing.assert_close(mine[part], one[part], atol=1e-5, rtol=0)


def test_both_have_the_same_losses(pair: Pair) -> None:
    theirs, ours = pair
    given = targets(ours.config.num_classes)
    losses = []
    for network in (theirs, ours):
        torch.manual_seed(5)  # anchors and RoIs are sampled
        with torch.no_grad():
            losses.append(network.train()(pictures()[:4], [dict(target) for target in given]))
    expected, found = losses
    assert {LOSS_NAMES[name] for name in found} == set(ours.config.losses)
    assert found.keys() == expected.keys()
    for name, loss in expected.items():
        assert loss > 0
        torch.testing.assert_close(found[name], loss, atol=1e-5, rtol=0)


def settings(network: GeneralizedRCNN) -> dict[str, Any]:
    """Every number of a detector that is not a weight."""
    rpn, heads, anchors = network.rpn, network.roi_heads, network.rpn.anchor_generator
    numbers = {
        "shorter side": max(network.transform.min_size),
        "longer side": network.transform.max_size,
        "mean": tuple(network.transform.image_mean),
        "std": tuple(network.transform.image_std),
        "size of a batch divides by": network.transform.size_divisible,
        "anchor sizes": tuple(map(tuple, anchors.sizes)),
        "anchor ratios": tuple(map(tuple, anchors.aspect_ratios)),
        "before NMS": rpn._pre_nms_top_n,
        "after NMS": rpn._post_nms_top_n,
        "RPN NMS": (rpn.nms_thresh, rpn.score_thresh, rpn.min_size),
        "box coders": (rpn.box_coder.weights, tuple(heads.box_coder.weights)),
        "detections": (heads.score_thresh, heads.nms_thresh, heads.detections_per_img),
    }
    for name, part in (("anchors", rpn), ("RoIs", heads)):
        matcher, sampler = part.proposal_matcher, getattr(part.fg_bg_sampler, "inner", part.fg_bg_sampler)
        numbers[f"{name} matched"] = (matcher.low_threshold, matcher.high_threshold, matcher.allow_low_quality_matches)
        numbers[f"{name} sampled"] = (sampler.batch_size_per_image, sampler.positive_fraction)
    for task in ("box", "mask", "keypoint"):
        pooler = getattr(heads, f"{task}_roi_pool")
        numbers[f"{task} pooling"] = pooler and (tuple(pooler.output_size), pooler.sampling_ratio)
    return numbers


@pytest.mark.parametrize("name", COCO_DETECTORS)
def test_the_presets_are_the_builders_defaults(name: str) -> None:
    # Keypoint R-CNN is trained at several shorter sides, of which 800, the largest, is the one for predicting.
    preset, fields = COCO_DETECTORS[name]
    with torch.device("meta"):
        theirs, ours = get_model(name, weights=None, weights_backbone=None), build(Config.preset(preset, **fields))
    assert settings(ours) == settings(theirs)
    assert {key: tensor.shape for key, tensor in ours.state_dict().items() if "num_batches" not in key} == {
        key: tensor.shape for key, tensor in theirs.state_dict().items() if "num_batches" not in key
    }
