"""Which of torchvision's COCO detectors a network is. torchvision itself is asked in `tests/model`."""

from __future__ import annotations

from typing import Any

import pytest

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.torchvision_catalogue import require_coco_detector

COCO: dict[str, tuple[str, dict[str, Any]]] = {
    "maskrcnn_resnet50_fpn": ("torchvision", {}),
    "fasterrcnn_resnet50_fpn": ("torchvision", {"tasks": "box"}),
    "keypointrcnn_resnet50_fpn": ("torchvision", {"tasks": "box,keypoints"}),
    "maskrcnn_resnet50_fpn_v2": ("torchvision-v2", {}),
    "fasterrcnn_resnet50_fpn_v2": ("torchvision-v2", {"tasks": "box"}),
    "fasterrcnn_mobilenet_v3_large_fpn": ("torchvision-mobilenet", {}),
    "fasterrcnn_mobilenet_v3_large_320_fpn": ("torchvision-mobilenet-320", {}),
}


@pytest.mark.parametrize("builder", COCO)
def test_coco_is_the_builder_that_fits_preset_and_tasks(builder: str) -> None:
    preset, changes = COCO[builder]
    assert require_coco_detector(Config.preset(preset, **changes)) == builder


def test_with_masks_and_keypoints_coco_is_the_one_with_masks() -> None:
    assert require_coco_detector(Config.preset("torchvision", tasks="box,mask,keypoints")) == "maskrcnn_resnet50_fpn"


def test_a_body_without_coco_weights_is_named() -> None:
    with pytest.raises(StudioError, match="no COCO weights with the backbone mobilenet_v2_fpn; choose resnet50_fpn"):
        require_coco_detector(Config.preset("classroom"))
