"""The mask head given a box: where its mask lies in the picture, which class it is, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from maskrcnn.annotations import raster
from maskrcnn.annotations.hints.drawn_already import without_drawn
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.inference import load
from maskrcnn.inference.prompted_masks import outline_of_soft_mask, picture_maps, prompted_mask
from maskrcnn.inference.suggestions import suggested_regions
from maskrcnn.install_folders import DATA
from maskrcnn.model import build, prepare
from maskrcnn.model.build import StudioRCNN
from tests import tiny

NAMES = ("nut", "bolt")


def network(**changes: Any) -> StudioRCNN:
    torch.manual_seed(0)
    return build(Config.preset("classroom", **tiny.CONFIG | {"num_classes": 3, "class_names": NAMES} | changes))


@pytest.fixture(scope="module")
def model() -> StudioRCNN:
    return network()


def with_known_masks(model: StudioRCNN, monkeypatch: pytest.MonkeyPatch, logits: torch.Tensor) -> None:
    """Make the mask head answer `logits (masks, M, M)` for each box."""
    monkeypatch.setattr(
        type(model.roi_heads), "mask_logits", lambda _, maps, boxes, sizes: logits.expand(len(boxes[0]), -1, -1, -1)
    )


def test_a_mask_lies_where_the_box_is_in_the_full_picture(model: StudioRCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head finds the left half of the box, in a picture that the network sees at a third of its size."""
    logits = torch.full((3, 28, 28), -20.0)
    logits[1, :, :14] = 20
    with_known_masks(model, monkeypatch, logits)
    maps = picture_maps(model, np.zeros((192, 288, 3), np.uint8))
    assert maps.size == (64, 96)
    found = prompted_mask(model, maps, (60.0, 30.0, 172.0, 142.0), "nut")
    shape = outline_of_soft_mask(found.soft)
    assert shape is not None
    assert raster.bounds(shape) == pytest.approx((60, 30, 116, 142), abs=1.5)


@pytest.mark.parametrize(("pooling", "shift"), [("align", 0.0), ("align-legacy", 1.5)])
def test_masks_of_torchvision_lie_half_a_pixel_of_the_network_further(
    pooling: str, shift: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a pixel of the network is 1.5 of the picture."""
    model = network(pooling=pooling)
    with_known_masks(model, monkeypatch, torch.full((3, 28, 28), 20.0))
    maps = picture_maps(model, np.zeros((192, 288, 3), np.uint8))
    soft = prompted_mask(model, maps, (60.0, 30.0, 120.0, 90.0), "nut").soft
    assert soft.box == pytest.approx((60 + shift, 30 + shift, 120 + shift, 90 + shift))


def test_the_maps_of_a_picture_serve_many_boxes(model: StudioRCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = picture_maps(model, np.zeros((64, 96, 3), np.uint8))
    monkeypatch.setattr(model.backbone, "forward", None)  # it is not needed again
    for x in (0.0, 10.0, 20.0):
        prompted_mask(model, maps, (x, 5.0, x + 30, 40.0))


def test_the_mask_is_that_of_the_class_or_of_the_likeliest_one(
    model: StudioRCNN, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = picture_maps(model, np.zeros((64, 96, 3), np.uint8))
    monkeypatch.setattr(model.roi_heads.box_predictor, "forward", lambda _: (torch.tensor([[3.0, 0.0, 2.0]]), None))
    box = (10.0, 10.0, 50.0, 50.0)
    assert prompted_mask(model, maps, box, "nut").class_name == "nut"
    assert prompted_mask(model, maps, box, "washer").class_name == "bolt"
    assert prompted_mask(model, maps, box).class_name == "bolt"


def test_a_network_that_is_prepared_gives_the_same_mask(model: StudioRCNN) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    box, fast = (10.0, 10.0, 50.0, 50.0), prepare(model, precision="float32")
    slow = prompted_mask(model, picture_maps(model, picture), box, "nut").soft.values
    assert prompted_mask(fast, picture_maps(fast, picture), box, "nut").soft.values == pytest.approx(slow, abs=1e-4)


def test_what_has_no_mask_is_refused(model: StudioRCNN) -> None:
    maps = picture_maps(model, np.zeros((64, 96, 3), np.uint8))
    with pytest.raises(StudioError, match="outside the picture"):
        prompted_mask(model, maps, (100.0, 0.0, 120.0, 20.0))
    boxes_only = network(tasks=("box",))
    with pytest.raises(StudioError, match="finds no masks"):
        prompted_mask(boxes_only, picture_maps(boxes_only, np.zeros((64, 96, 3), np.uint8)), (0.0, 0.0, 20.0, 20.0))


def drawn_picture() -> tuple[np.ndarray, list[np.ndarray]]:
    """Two flat discs, as `toy` has learned them, and their masks."""
    rows, columns = np.mgrid[:256, :320] + 0.5
    masks = [(rows - 128) ** 2 + (columns - x) ** 2 <= 50**2 for x in (80, 230)]
    picture = np.full((256, 320, 3), (90, 120, 90), np.uint8)
    for inside, colour in zip(masks, ((220, 60, 60), (60, 60, 220)), strict=True):
        picture[inside] = colour
    return picture, masks


def test_suggestions_are_simple_outlines_of_what_the_network_sees() -> None:
    picture, masks = drawn_picture()
    steps: list[tuple[int, int]] = []
    regions = suggested_regions(
        load(DATA / "weights" / "toy", device="cpu"), picture, 0.5, lambda done, total: steps.append((done, total))
    )
    assert {region.source for region in regions} == {"model"}
    assert steps[-1] == (len(steps), len(steps))
    assert [region.score for region in regions] == sorted((region.score or 0 for region in regions), reverse=True)
    for inside in masks:
        found = [raster.mask(region.shape, 256, 320) for region in regions]
        assert max((mask & inside).sum() / (mask | inside).sum() for mask in found) > 0.85
    left = [region for region in regions if raster.bounds(region.shape)[2] < 160]
    assert without_drawn(regions, left, 256, 320) == [region for region in regions if region not in left]
