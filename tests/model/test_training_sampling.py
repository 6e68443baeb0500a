"""The draw of anchors and RoIs: torchvision's, or one that follows from a seed for each picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler

from maskrcnn.model.training_sampling import TrainingSampler


def labels(count: int = 3) -> list[Tensor]:
    """Of each picture 20 positives, 100 negatives, and 10 that are neither."""
    return [torch.tensor([1] * 20 + [0] * 100 + [-1] * 10)[torch.randperm(130)] for _ in range(count)]


def sampler() -> TrainingSampler:
    return TrainingSampler(BalancedPositiveNegativeSampler(16, 0.25))


def drawn(picked: tuple[list[Tensor], list[Tensor]], picture: int) -> list[int]:
    return [*torch.where(picked[0][picture])[0].tolist(), *torch.where(picked[1][picture])[0].tolist()]


def test_without_seeds_it_is_torchvisions_draw() -> None:
    given = labels()
    torch.manual_seed(7)
    theirs = BalancedPositiveNegativeSampler(16, 0.25)(given)
    after = torch.get_rng_state()
    torch.manual_seed(7)
    ours = sampler()(given)
    assert all(
        torch.equal(a, b) for one, other in zip(ours, theirs, strict=True) for a, b in zip(one, other, strict=True)
    )
    assert torch.equal(torch.get_rng_state(), after)


def test_with_a_seed_it_is_torchvisions_draw_after_that_seed() -> None:
    """On 130 anchors, and where there are fewer positives, fewer negatives, or none, than there is room for."""
    for given in (
        *labels(),
        torch.tensor([1, 0, 0, -1, 0]),
        torch.tensor([2, 2, 2, 0]),
        torch.zeros(40),
        torch.ones(0),
    ):
        for seed in (0, 5, 2**60 - 1):
            torch.manual_seed(seed)
            theirs = BalancedPositiveNegativeSampler(16, 0.25)([given])
            picked = sampler()
            picked.seeds = [seed]
            ours = picked([given])
            for mine, other in zip(ours, theirs, strict=True):
                assert torch.equal(mine[0], other[0])
                assert mine[0].dtype == other[0].dtype
            assert (picked.positives, picked.negatives) == tuple(int(masks[0].sum()) for masks in theirs)


def test_with_seeds_the_draw_of_a_picture_is_its_own() -> None:
    """Whatever is beside it in the batch, wherever it stands, and whatever was drawn before."""
    first, second, third = labels()
    picked = sampler()
    picked.seeds = [10, 20, 30]
    together = picked([first, second, third])
    torch.rand(5)
    picked.seeds = [30, 20]
    again = picked([third, second])
    assert drawn(again, 0) == drawn(together, 2)
    assert drawn(again, 1) == drawn(together, 1)
    picked.seeds = [11]
    assert drawn(picked([first]), 0) != drawn(together, 0)


def test_with_seeds_the_global_state_is_left_alone() -> None:
    picked = sampler()
    picked.seeds = [1, 2, 3]
    given = labels()
    before = torch.get_rng_state()
    picked(given)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_was_drawn_is_counted() -> None:
    picked = sampler()
    for seeds in (None, [1, 2, 3]):
        picked.seeds = seeds
        picked(labels())
        # A quarter of 16 positives and the rest negatives, of each of three pictures.
        assert (picked.positives, picked.negatives, picked.pictures) == (12, 36, 3)
    picked.seeds = [1, 2]
    positives, negatives = picked([torch.tensor([1, 0, 0, -1]), torch.zeros(0)])
    assert (picked.positives, picked.negatives, picked.pictures) == (1, 2, 2)
    assert [mask.tolist() for mask in positives] == [[1, 0, 0, 0], []]
    assert [mask.tolist() for mask in negatives] == [[0, 1, 1, 0], []]
