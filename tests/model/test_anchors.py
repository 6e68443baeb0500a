"""Anchors: how many, where and how large; counted from the network's own generator on maps of the right shapes."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList

from maskrcnn.config import Config
from maskrcnn.model import build
from maskrcnn.model.build import StudioRCNN
from tests import tiny


@cache
def network(**changes: object) -> StudioRCNN:
    return build(Config.preset("classroom", **{**tiny.CONFIG, **changes}))


def anchors_of(model: StudioRCNN, size: int) -> list[Tensor]:
    """xyxy `(cells * anchors per cell, 4)` for each map of a square picture of `size` pixels, finest map first."""
    maps = [torch.zeros(1, 1, size // stride, size // stride) for stride in model.config.backbone_strides]
    picture = ImageList(torch.zeros(1, 3, size, size), [(size, size)])
    (anchors,) = model.rpn.anchor_generator(picture, maps)
    per_cell = model.rpn.anchor_generator.num_anchors_per_location()
    return list(anchors.split([m.shape[2] * m.shape[3] * n for m, n in zip(maps, per_cell, strict=True)]))


def test_a_pyramid_over_1024_pixels_has_261_888_anchors() -> None:
    model = network(rpn_anchor_scales=(32, 64, 128, 256, 512), rpn_anchor_ratios=(0.5, 1, 2))
    levels = anchors_of(model, 1024)
    # 3 ratios at each of 256^2, 128^2, 64^2, 32^2 and 16^2 cells.
    assert [len(level) for level in levels] == [196608, 49152, 12288, 3072, 768]
    assert sum(len(level) for level in levels) == 261888


def test_a_single_level_has_nine_anchors_per_location() -> None:
    model = network(backbone="resnet18_c4", rpn_anchor_scales=(128, 256, 512), rpn_anchor_ratios=(0.5, 1, 2))
    assert model.rpn.anchor_generator.num_anchors_per_location() == [9]
    (anchors,) = anchors_of(model, 1024)
    assert len(anchors) == 9 * 64 * 64
    # The RPN says one objectness and one refinement for each of them.
    objectness, deltas = model.rpn.head([torch.zeros(1, 256, 64, 64)])
    assert objectness[0].shape == (1, 9, 64, 64)
    assert deltas[0].shape == (1, 36, 64, 64)


def test_every_level_can_have_every_scale() -> None:
    model = network(rpn_scales_at="every-level", rpn_anchor_scales=(16, 32), rpn_anchor_ratios=(0.5, 1, 2))
    assert [len(level) for level in anchors_of(model, 64)] == [6 * cells for cells in (256, 64, 16, 4, 1)]


def test_the_anchors_of_one_location_by_hand() -> None:
    # Scale 64, so an area of 4096, as height / width = 1/2, 1, 2. The sides are 64 * 2^(1/2) = 90.5 and 64 / 2^(1/2) =
    # 45.3; half of a side is rounded to whole pixels: 45 and 23.
    model = network(backbone="resnet18_c5", rpn_anchor_scales=(64,), rpn_anchor_ratios=(0.5, 1, 2), image_max_dim=128)
    (anchors,) = anchors_of(model, 96)
    at_first_cell = anchors[:3].tolist()
    assert at_first_cell == [[-45, -23, 45, 23], [-32, -32, 32, 32], [-23, -45, 23, 45]]
    # One cell to the right is 32 pixels to the right, one row of three cells down 32 pixels down.
    right, down = torch.tensor([32, 0, 32, 0]), torch.tensor([0, 32, 0, 32])
    assert torch.equal(anchors[3:6], anchors[:3] + right)
    assert torch.equal(anchors[9:12], anchors[:3] + down)


def test_anchors_of_all_scales_and_ratios_share_their_centres() -> None:
    model = network(backbone="resnet18_c4", rpn_anchor_scales=(16, 32, 64), rpn_anchor_ratios=(0.5, 1, 2))
    (anchors,) = anchors_of(model, 64)
    centres = ((anchors[:, :2] + anchors[:, 2:]) / 2).reshape(4, 4, 9, 2)
    for row in range(4):
        for column in range(4):
            assert centres[row, column].tolist() == [[16 * column, 16 * row]] * 9
    sides = (anchors[:9, 2:] - anchors[:9, :2]).prod(dim=1).sqrt()
    # torchvision's order: scale runs fastest, then ratio; rounding moves a side of 16 by up to a pixel and a half.
    torch.testing.assert_close(sides, torch.tensor([16.0, 32, 64] * 3), atol=1.5, rtol=0)


def test_strides_follow_from_picture_and_map() -> None:
    # A picture whose sides are no multiple of 64 is padded to one of 32 first; the last map is half the one before it.
    model = network()
    picture = torch.zeros(1, 3, 96, 160)
    with torch.inference_mode():
        maps = list(model.backbone(picture).values())
    (anchors,) = model.rpn.anchor_generator(ImageList(picture, [(96, 160)]), maps)
    assert [tuple(m.shape[2:]) for m in maps] == [(24, 40), (12, 20), (6, 10), (3, 5), (2, 3)]
    assert len(anchors) == 3 * (24 * 40 + 12 * 20 + 6 * 10 + 3 * 5 + 2 * 3)


@pytest.mark.parametrize(
    ("width", "height", "level"),
    [
        (224, 224, 4),  # ImageNet's side is read from P4
        (112, 112, 3),  # half of it one level down
        (448, 448, 5),  # twice one up
        (223, 223, 3),  # floor: just below
        (112, 448, 4),  # the side of a square of the same area
        (56, 56, 2),
        (10, 10, 2),  # P2 is the finest there is
        (2000, 2000, 5),  # P6 is not for RoIs
    ],
)
def test_the_level_of_a_box(width: int, height: int, level: int) -> None:
    """Lin et al. 2017, eq. 1: k = floor(4 + log2(sqrt(w h) / 224)), seen at which of four flat maps is read."""
    pooler = network().roi_heads.box_roi_pool
    maps = {str(k - 2): torch.full((1, 1, 2048 // 2**k, 2048 // 2**k), float(k)) for k in (2, 3, 4, 5)}
    box = torch.tensor([[20.0, 20, 20 + width, 20 + height]])
    grid = pooler(maps, [box], [(2048, 2048)])
    torch.testing.assert_close(grid, torch.full_like(grid, level))


@pytest.mark.parametrize(("k0", "level"), [(3, 3), (4, 4), (5, 5)])
def test_the_level_of_a_box_can_be_moved(k0: int, level: int) -> None:
    pooler = network(fpn_roi_level=k0).roi_heads.mask_roi_pool
    maps = {str(k - 2): torch.full((1, 1, 512 // 2**k, 512 // 2**k), float(k)) for k in (2, 3, 4, 5)}
    grid = pooler(maps, [torch.tensor([[20.0, 20, 244, 244]])], [(512, 512)])
    torch.testing.assert_close(grid, torch.full_like(grid, level))
