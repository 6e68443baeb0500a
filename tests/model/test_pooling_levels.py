"""Which map a box is read from, and torchvision's `MultiScaleRoIAlign` as the peer."""

import pytest
import torch
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign

from maskrcnn.model.pooling import RoIPooler

SHAPE = (512, 512)


def pyramid(strides: tuple[int, ...], channels: int = 3, pictures: int = 1) -> dict[str, Tensor]:
    """Maps "0", "1", ... of random values, and "pool", which RoIs are never read from."""
    maps = {str(i): torch.rand(pictures, channels, SHAPE[0] // s, SHAPE[1] // s) for i, s in enumerate(strides)}
    return maps | {"pool": torch.full((pictures, channels, 4, 4), torch.nan)}


def boxes_of_all_sizes(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(count, 2, generator=generator) * 400
    sides = torch.exp(torch.rand(count, 2, generator=generator) * 4 + 2)  # 7 to 400 px
    return torch.cat([corner, (corner + sides).clamp(max=512)], dim=1)


def peer(strides: tuple[int, ...], size: int, samples: int, roi_level: int = 4) -> MultiScaleRoIAlign:
    return MultiScaleRoIAlign([str(i) for i in range(len(strides))], size, samples, canonical_level=roi_level)


@pytest.mark.parametrize("roi_level", [3, 4, 5])
@pytest.mark.parametrize("samples", [0, 2])
@pytest.mark.parametrize("strides", [(4, 8, 16, 32), (8, 16), (32, 32), (16,), (32,)])
def test_align_legacy_is_torchvisions_pooler_bit_for_bit(
    strides: tuple[int, ...], samples: int, roi_level: int
) -> None:
    maps = pyramid(strides, pictures=2)
    # Among them an empty box, one turned round in x and one in both.
    odd = torch.tensor([[40.0, 40, 40, 90], [90, 40, 40, 90], [300, 300, 40, 40], [-30, -20, 600, 700]])
    boxes = [torch.cat([boxes_of_all_sizes(40), odd]), boxes_of_all_sizes(7)]
    ours = RoIPooler("align-legacy", 7, samples, strides=strides, roi_level=roi_level)(maps, boxes, [SHAPE] * 2)
    theirs = peer(strides, 7, samples, roi_level)(maps, boxes, [SHAPE] * 2)
    assert torch.equal(ours, theirs)


def test_maps_in_channels_last_give_the_same_up_to_rounding() -> None:
    strides, boxes = (4, 8, 16, 32), [boxes_of_all_sizes(60)]
    maps = pyramid(strides, channels=5)
    by_cell = {name: one.to(memory_format=torch.channels_last) for name, one in maps.items()}
    theirs = peer(strides, 7, 2)(maps, boxes, [SHAPE])
    ours = RoIPooler("align-legacy", 7, 2)(by_cell, boxes, [SHAPE])
    assert torch.allclose(ours, theirs, atol=1e-6)
    # Not turned around: the convolutions of the mask head read grids in the same order.
    assert ours.is_contiguous(memory_format=torch.channels_last)
    rois = torch.cat([torch.zeros(60, 1), *boxes], dim=1)
    one = RoIPooler("align", 7, 2).pool(by_cell["0"], rois, 4)
    assert one.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("roi_level", "levels"),
    # floor(4 + log2(side / 224)): 112 -> level 3, 223 -> 3, 224 -> 4, 500 -> 5, 20 -> 0, clamped to 2.
    [(4, [2, 3, 3, 4, 5]), (3, [2, 2, 2, 3, 4]), (5, [2, 4, 4, 5, 5])],
)
def test_each_box_is_read_from_the_level_that_fits_its_size(roi_level: int, levels: list[int]) -> None:
    maps = {str(i): torch.full((1, 1, 512 // s, 512 // s), float(i + 2)) for i, s in enumerate((4, 8, 16, 32))}
    boxes = torch.tensor([[0.0, 0.0, side, side] for side in (20, 112, 223, 224, 500)])
    grids = RoIPooler("align", 2, 2, roi_level=roi_level)(maps, [boxes], [SHAPE])
    assert grids.mean(dim=(1, 2, 3)).tolist() == pytest.approx(levels)


@pytest.mark.parametrize("pooling", ["align", "align-legacy", "pool", "warp"])
def test_one_map_is_read_by_boxes_of_every_size(pooling: str) -> None:
    feature_map, boxes = torch.rand(2, 3, 32, 32), [boxes_of_all_sizes(5), boxes_of_all_sizes(3)]
    pooler = RoIPooler(pooling, 7, 2, strides=(16,))
    rois = torch.cat([torch.tensor([[0.0]] * 5 + [[1.0]] * 3), torch.cat(boxes)], dim=1)
    assert torch.equal(pooler({"0": feature_map}, boxes, [SHAPE] * 2), pooler.pool(feature_map, rois, 16))


def test_boxes_keep_their_order_over_pictures_and_levels() -> None:
    maps = {
        str(i): torch.stack([torch.full((1, 64 // 2**i, 64 // 2**i), value) for value in (1.0, 2.0)]) for i in range(4)
    }
    first, second = torch.tensor([[0.0, 0, 250, 250], [0, 0, 30, 30]]), torch.tensor([[10.0, 10, 200, 200]])
    grids = RoIPooler("pool", 1, 0)(maps, [first, second], [(256, 256)] * 2)
    assert grids.flatten().tolist() == [1.0, 1.0, 2.0]


@pytest.mark.parametrize("by_cell", [False, True])
@pytest.mark.parametrize("strides", [(4, 8, 16, 32), (16,)])
@pytest.mark.parametrize("mode", ["average", "max"])
@pytest.mark.parametrize("pooling", ["align", "align-legacy", "pool", "warp"])
def test_no_boxes_give_an_empty_grid(pooling: str, mode: str, strides: tuple[int, ...], by_cell: bool) -> None:
    maps = pyramid(strides)
    if by_cell:
        maps = {name: one.to(memory_format=torch.channels_last) for name, one in maps.items()}
    grids = RoIPooler(pooling, 7, 2, mode, strides)(maps, [torch.zeros(0, 4)], [SHAPE])
    assert grids.shape == (0, 3, 7, 7)


def test_under_autocast_maps_of_a_pyramid_may_differ_in_dtype() -> None:
    maps = pyramid((4, 8, 16, 32))
    mixed = maps | {"0": maps["0"].bfloat16(), "2": maps["2"].bfloat16()}
    boxes = [boxes_of_all_sizes(30)]
    for pooling in ("align", "pool", "warp"):
        pooler = RoIPooler(pooling, 7, 2)
        with torch.autocast("cpu", torch.bfloat16):
            grids = pooler(mixed, boxes, [SHAPE])
        assert grids.dtype == torch.bfloat16
        assert torch.allclose(grids.float(), pooler(maps, boxes, [SHAPE]), atol=2**-8)
