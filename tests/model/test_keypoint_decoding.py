"""Places of keypoints by the OKS to expect, by hand and against all of them tried."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints

from maskrcnn.config import Config
from maskrcnn.model import build
from maskrcnn.model.keypoint_decoding import by_expected_oks
from maskrcnn.model.roi_heads import StudioRoIHeads
from tests import tiny

BOX = torch.tensor([[10.0, 20.0, 26.0, 44.0]])
"""16 x 24 pixels, so a cell of a heatmap of 8 x 8 has 2 x 3."""

SIGMA = 0.1
"""k = 0.2, and the size of the object is sqrt(.53 x 16 x 24) = 14.266: s k is 2.853 pixels."""


def heatmap(**chances: float) -> torch.Tensor:
    """Logits `(1, 1, 8, 8)` whose softmax has these chances, by cell: `x3y5=0.5`."""
    chance = torch.full((8, 8), 1e-12)
    for cell, value in chances.items():
        chance[int(cell[3]), int(cell[1])] = value
    return chance.log()[None, None]


@pytest.mark.parametrize(
    ("chances", "place", "worth"),
    [
        # The middle of the cell: 10 + 5.5 x 2, 20 + 3.5 x 3.
        pytest.param({"x5y3": 1.0}, (21.0, 30.5), 1.0, id="certain"),
        # Between the two; where either is, the other is 2 pixels away: (1 + exp(-2^2 / (2 x 2.853^2))) / 2.
        pytest.param({"x4y3": 0.5, "x5y3": 0.5}, (20.0, 30.5), 0.8911, id="two neighbours"),
        pytest.param({"x2y3": 0.5, "x2y4": 0.5}, (15.0, 32.0), 0.7876, id="one above the other"),
        # The lone .4 is 12 pixels left of the others and 15 above, too far to count with them. Between the two it is
        # as above, and of a cell's own place .3 (1 + exp(-.2457)) = .5347 is expected.
        pytest.param({"x0y0": 0.4, "x6y5": 0.3, "x7y5": 0.3}, (24.0, 36.5), 0.5347, id="two against a peak"),
        # A corner has no neighbours to bend towards.
        pytest.param({"x7y7": 1.0}, (25.0, 42.5), 1.0, id="corner"),
    ],
)
def test_the_place_by_hand(chances: dict[str, float], place: tuple[float, float], worth: float) -> None:
    places, worths = by_expected_oks(heatmap(**chances), BOX, (SIGMA,))
    assert places[0, 0].tolist() == pytest.approx([*place, 1.0], abs=0.01)
    assert worths.tolist() == [[pytest.approx(worth, abs=1e-3)]]


def test_no_cell_is_worth_more() -> None:
    """Random heatmaps of 20 boxes, more than are looked at at once: every cell's expected OKS, summed in a loop."""
    random = np.random.default_rng(0)
    sigmas = (0.026, 0.1, 0.3)
    logits = random.normal(0, 2, (20, 3, 6, 6))
    corners, sizes = random.uniform(0, 50, (20, 2)), random.uniform(5, 90, (20, 2))
    boxes = torch.tensor(np.hstack([corners, corners + sizes]), dtype=torch.float32)
    places, worths = by_expected_oks(torch.tensor(logits, dtype=torch.float32), boxes, sigmas)
    assert (places.shape, worths.shape) == ((20, 3, 3), (20, 3))
    for box in range(20):
        cell = sizes[box] / 6
        for keypoint, sigma in enumerate(sigmas):
            chance = np.exp(logits[box, keypoint])
            chance /= chance.sum()
            spread = 2 * (2 * sigma) ** 2 * 0.53 * sizes[box].prod()
            expected = {
                (x, y): sum(
                    chance[v, u] * math.exp(-(((u - x) * cell[0]) ** 2 + ((v - y) * cell[1]) ** 2) / spread)
                    for u in range(6)
                    for v in range(6)
                )
                for x in range(6)
                for y in range(6)
            }
            best = max(expected, key=expected.__getitem__)
            assert worths[box, keypoint].item() == pytest.approx(expected[best], rel=1e-4)
            beside = (places[box, keypoint, :2].numpy() - corners[box]) / cell - np.array(best) - 0.5
            assert np.abs(beside).max() <= 0.5 + 1e-4


def test_nothing_found_and_a_box_without_extent() -> None:
    places, worths = by_expected_oks(torch.zeros(0, 3, 8, 8), torch.zeros(0, 4), (SIGMA,) * 3)
    assert (places.shape, worths.shape) == ((0, 3, 3), (0, 3))
    places, worths = by_expected_oks(heatmap(x5y3=1.0), torch.tensor([[5.0, 7.0, 5.0, 7.0]]), (SIGMA,))
    assert torch.isfinite(places).all()
    assert 0 <= worths.item() <= 1


def test_where_every_cell_is_worth_the_same_the_place_is_in_the_box() -> None:
    """With an OKS that forgives everything, neighbours differ by no more than float32 can tell apart."""
    for seed in range(4):
        logits = torch.randn(2, 1, 56, 56, generator=torch.Generator().manual_seed(seed))
        places, worths = by_expected_oks(logits, torch.tensor([[0.0, 0.0, 50.0, 80.0], [3.0, 4.0, 60.0, 30.0]]), (1e3,))
        assert (places[0, 0, :2] >= 0).all()
        assert (places[0, 0, :2] <= torch.tensor([50, 80])).all()
        assert (places[1, 0, :2] >= torch.tensor([3, 4])).all()
        assert (places[1, 0, :2] <= torch.tensor([60, 30])).all()
        assert worths.flatten().tolist() == pytest.approx([1, 1], abs=1e-4)


def heads(decode: str, *sigmas: float) -> StudioRoIHeads:
    """The RoI heads of a network whose keypoints have these sigmas."""
    fields = {"keypoint_head_width": 8, "keypoint_head_depth": 1, "keypoint_sigmas": sigmas, "keypoint_decode": decode}
    return build(Config.preset("classroom", **{**tiny.CONFIG, **fields, "tasks": "box,keypoints"})).roi_heads


def test_the_peak_is_another_place() -> None:
    """What a test above calls two against a peak, as the paper reads it."""
    lone_and_two = heatmap(x0y0=0.4, x6y5=0.3, x7y5=0.3)
    (place,), _ = heads("argmax", SIGMA).read_keypoints(lone_and_two, [BOX])
    assert place[0, 0, :2].tolist() == pytest.approx([11.0, 21.5], abs=1)
    (place,), _ = heads("oks", SIGMA).read_keypoints(lone_and_two, [BOX])
    assert place[0, 0, :2].tolist() == pytest.approx([24.0, 36.5], abs=0.01)


@pytest.mark.parametrize("decode", ["oks", "argmax"])
def test_a_network_reads_its_heatmaps_as_its_config_says(decode: str) -> None:
    logits = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    boxes = BOX.expand(3, 4)
    places, sure = heads(decode, 0.05, 0.2).read_keypoints(logits, [boxes[:1], boxes[1:]])
    expected = {"oks": by_expected_oks(logits, boxes, (0.05, 0.2)), "argmax": heatmaps_to_keypoints(logits, boxes)}
    assert [len(picture) for picture in places] == [len(picture) for picture in sure] == [1, 2]
    torch.testing.assert_close((torch.cat(places), torch.cat(sure)), expected[decode])
