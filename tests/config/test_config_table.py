"""The table of a Config. The figures are worked by hand from the definitions, or seen on the network itself."""

from __future__ import annotations

import pytest
import torch

from maskrcnn.config import PRESETS, Config
from maskrcnn.config.config_table import table_cell, table_lines
from maskrcnn.config.derived_shapes import anchor_count, anchors_per_location, backbone_shapes, image_shape
from maskrcnn.model.build import build

SQUARE = {"image_min_dim": 1024, "image_max_dim": 1024}

OF_THE_NOTEBOOKS = """
BACKBONE BACKBONE_SHAPES BACKBONE_STRIDES BATCH_SIZE BBOX_STD_DEV DETECTION_MAX_INSTANCES DETECTION_MIN_CONFIDENCE
DETECTION_NMS_THRESHOLD FPN_CLASSIF_FC_LAYERS_SIZE GRADIENT_CLIP_NORM IMAGE_MAX_DIM IMAGE_MIN_DIM IMAGE_SHAPE
LEARNING_MOMENTUM LEARNING_RATE LOSS_WEIGHTS MASK_POOL_SIZE MASK_SHAPE MEAN_PIXEL NUM_CLASSES POOL_SIZE
POST_NMS_ROIS_INFERENCE POST_NMS_ROIS_TRAINING PRE_NMS_LIMIT ROI_POSITIVE_RATIO RPN_ANCHOR_RATIOS RPN_ANCHOR_SCALES
RPN_ANCHOR_STRIDE RPN_BBOX_STD_DEV RPN_NMS_THRESHOLD RPN_TRAIN_ANCHORS_PER_IMAGE STEPS_PER_EPOCH TOP_DOWN_PYRAMID_SIZE
TRAIN_ROIS_PER_IMAGE WEIGHT_DECAY
"""
"""What matterport's `config.display()` prints, where ours has the same thing."""


def test_a_pyramid_over_1024_pixels() -> None:
    """256 x 256 + 128 x 128 + 64 x 64 + 32 x 32 + 16 x 16 = 87,296 places, with three ratios each."""
    config = Config.preset("torchvision", **SQUARE)
    assert image_shape(config) == (1024, 1024, 3)
    assert backbone_shapes(config) == ((256, 256), (128, 128), (64, 64), (32, 32), (16, 16))
    assert anchors_per_location(config) == (3, 3, 3, 3, 3)
    assert anchor_count(config) == 261_888


def test_one_map_has_nine_anchors_everywhere() -> None:
    """The Faster R-CNN of 2015: 64 x 64 places of stride 16, three scales and three ratios."""
    config = Config.preset("torchvision", **SQUARE, backbone="resnet50_c4", rpn_anchor_scales=(128, 256, 512))
    assert backbone_shapes(config) == ((64, 64),)
    assert anchors_per_location(config) == (9,)
    assert anchor_count(config) == 64 * 64 * 9


def test_the_picture_is_padded_to_32_pixels() -> None:
    """1333 pixels are 41.7 times 32, so 42 x 32 = 1344; the coarsest map has half of 25 rows, rounded up."""
    config = Config.preset("torchvision")
    assert image_shape(config) == (800, 1344, 3)
    assert backbone_shapes(config)[-2:] == ((25, 42), (13, 21))


@pytest.mark.parametrize(
    "backbone", ["resnet18_fpn", "resnet18_c4", "resnet18_c5", "mobilenet_v3_large_fpn32", "alexnet_fpn", "alexnet_c4"]
)
def test_the_network_has_maps_of_these_shapes(backbone: str) -> None:
    config = Config.preset(
        "classroom", backbone=backbone, image_min_dim=100, image_max_dim=160, rpn_scales_at="every-level"
    )
    with torch.device("meta"):
        maps = build(config).backbone(torch.zeros(1, 3, *image_shape(config)[:2]))
    assert tuple(tuple(found.shape[-2:]) for found in maps.values()) == backbone_shapes(config)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_table_has_every_field_and_the_names_of_the_notebooks(preset: str) -> None:
    table = {line.name: line for line in table_lines(Config.preset(preset))}
    assert list(table) == sorted(table)
    assert {name.upper() for name in Config.model_fields} | set(OF_THE_NOTEBOOKS.split()) <= set(table)
    assert all(line.value and line.why.endswith(".") for line in table.values())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((), "-"),
        (None, "-"),
        (((2, 3), (1, 2)), "((2, 3), (1, 2))"),
        ({"a": 1.0, "b": 1.0}, "1 each"),
        ({"a": 1.0, "b": 0.5}, "a 1, b 0.5"),
        (False, "False"),
    ],
)
def test_values_in_a_cell(value: object, text: str) -> None:
    assert table_cell(value) == text
