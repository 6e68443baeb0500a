"""torchvision's own builder loads the exported state dict strictly, and finds the same."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision.models import detection
from torchvision.ops import FrozenBatchNorm2d

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.inference.export import torchvision_file
from maskrcnn.inference.export.source import export_source
from maskrcnn.inference.export.torchvision_file import builder_of, export_torchvision
from maskrcnn.model import build
from maskrcnn.model.weights import save
from tests.model.test_torchvision import give_it_something_to_say
from tests.sweeps import sweep

SMALL: dict[str, Any] = {
    "image_min_dim": 96,
    "image_max_dim": 128,
    "num_classes": 4,
    "class_names": ("nut", "bolt", 'a "gear"'),
    "pre_nms_limit": 50,
    "post_nms_rois_inference": 30,
    "detection_min_confidence": 0.2,
    "detection_max_instances": 10,
}


@pytest.mark.parametrize(
    ("preset", "fields", "builder"),
    [
        pytest.param("torchvision", {"norm_eps": 0.0}, "maskrcnn_resnet50_fpn", marks=sweep),
        pytest.param("torchvision-v2", {}, "maskrcnn_resnet50_fpn_v2", marks=sweep),
        pytest.param("torchvision", {"tasks": "box", "norm": "batch"}, "fasterrcnn_resnet50_fpn", marks=sweep),
        pytest.param("torchvision-v2", {"tasks": "box"}, "fasterrcnn_resnet50_fpn_v2", marks=sweep),
        pytest.param(
            "torchvision",
            {"tasks": "box,keypoints", "num_keypoints": 5, "keypoint_decode": "oks"},
            "keypointrcnn_resnet50_fpn",
            marks=sweep,
        ),
        ("torchvision-mobilenet", {"norm_eps": 0.001}, "fasterrcnn_mobilenet_v3_large_320_fpn"),
    ],
)
def test_torchvision_loads_it_and_finds_the_same(
    preset: str, fields: dict[str, Any], builder: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = Config.preset(preset, **{**SMALL, **fields})
    model = build(config)
    give_it_something_to_say(build_with_batch_norm(model, config))
    save(model, tmp_path / "weights.safetensors", epoch=1)

    made = export_torchvision(export_source(tmp_path / "weights.safetensors"), tmp_path / "detector.pth")

    assert made.builder == builder
    assert made.agreement.objects > 0
    assert made.agreement.fault() is None
    # By hand, without any code of the studio: the builder's default arguments and the number of classes.
    sizes = {"num_keypoints": 5} if "keypoints" in config.tasks else {}
    with torch.device("meta"):
        plain = getattr(detection, builder)(weights=None, weights_backbone=None, num_classes=4, **sizes)
    state = torch.load(made.file, weights_only=True)
    assert {name: value.shape for name, value in plain.state_dict().items()} == {
        name: value.shape for name, value in state.items()
    }
    spec = importlib.util.spec_from_file_location("made_script", made.script)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.CLASSES == ("background", "nut", "bolt", 'a "gear"')
    assert script.__file__ == str(made.script)


def build_with_batch_norm(model: Any, config: Config) -> Any:
    """The network itself; for frozen norms one with BatchNorm, whose statistics it gets."""
    if not any(isinstance(module, FrozenBatchNorm2d) for module in model.modules()):
        return model
    learned = build(config.replace(norm="batch", norm_eps=1e-5))
    give_it_something_to_say(learned)
    state = learned.state_dict()
    model.load_state_dict({name: state[name] for name in model.state_dict()})
    return learned


@pytest.mark.parametrize(
    ("preset", "fields", "words"),
    [
        ("classroom", {}, "backbone is mobilenet_v2_fpn, and resnet50_fpn in maskrcnn_resnet50_fpn"),
        ("paper", {}, "backbone is resnet101_fpn"),
        ("torchvision", {"pooling": "align"}, "pooling is align, and align-legacy in maskrcnn_resnet50_fpn"),
        ("torchvision", {"pooling_mode": "max"}, "pooling_mode is max, and average"),
        ("torchvision", {"mask_kind": "softmax"}, "mask_kind is softmax, and sigmoid"),
        ("torchvision", {"tasks": "box,mask,keypoints"}, "tasks is box,mask,keypoints, and box,mask"),
        ("torchvision", {"box_head_width": 512}, "box_head_width is 512, and 1024"),
        ("torchvision", {"norm": "group"}, "norm is group, and batch"),
        ("torchvision", {"rpn_anchor_ratios": (0.5, 1.0)}, "rpn_anchor_ratios is 0.5,1.0, and 0.5,1.0,2.0"),
        ("torchvision-mobilenet", {"fpn_channels": 128}, "fpn_channels is 128, and 256"),
    ],
)
def test_what_no_builder_makes_is_refused_by_name(preset: str, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(StudioError) as refused:
        builder_of(Config.preset(preset, **fields))
    assert words in str(refused.value)
    assert "take --to onnx or --to bundle" in str(refused.value)


def test_a_head_that_the_network_does_not_have_does_not_matter() -> None:
    config = Config.preset("torchvision", tasks="box", mask_head_width=64, keypoint_head_depth=2)
    assert builder_of(config) == "fasterrcnn_resnet50_fpn"


def test_another_eps_of_the_norms_computes_the_same() -> None:
    norm = FrozenBatchNorm2d(3, eps=0.0)
    norm.weight[:] = torch.tensor([2.0, 1.0, 3.0])
    norm.running_var[:] = torch.tensor([4.0, 1e-6, 1e-5])  # the last two are not above the new eps
    changed = torchvision_file._with_eps(norm, 1e-5)
    gain = changed["weight"] / (changed["running_var"] + 1e-5).sqrt()
    assert torch.allclose(gain, torch.tensor([1.0, 1000.0, 3 / 1e-5**0.5]), rtol=1e-5)
    assert changed["weight"][0] == 2  # where it can, only the variance changes
