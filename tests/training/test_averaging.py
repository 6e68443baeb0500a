"""The running mean of the weights, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from maskrcnn.training.averaging import RunningMean


class One(nn.Module):
    """A weight, a statistic and a counter."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value]))
        self.register_buffer("statistic", torch.tensor([10 * value]))
        self.register_buffer("counter", torch.tensor(3))

    def become(self, value: float) -> None:
        self.weight.data.fill_(value)
        self.statistic.fill_(10 * value)


def test_by_hand() -> None:
    """In its first steps it forgets 1 - 2/11, 1 - 3/12, ...; later 1 - decay, here 1 - 0.25."""
    model = One(1.0)
    mean = RunningMean(model, 0.2)
    model.become(2.0)
    mean.update()  # 2/11 of 1 and 9/11 of 2
    assert mean.mean[0].item() == pytest.approx(2 / 11 + 18 / 11)
    model.become(4.0)
    mean.update()  # min(0.2, 3/12) = 0.2
    assert mean.mean[0].item() == pytest.approx(0.2 * 20 / 11 + 0.8 * 4)
    assert mean.mean[1].item() == pytest.approx(10 * mean.mean[0].item())


def test_within_instead_the_network_has_the_mean_and_after_it_its_own() -> None:
    model = One(1.0)
    mean = RunningMean(model, 0.5)
    model.become(3.0)
    mean.update()
    expected = 1 * 2 / 11 + 3 * 9 / 11
    seen_before = model.weight
    with mean.in_place():
        assert model.weight.item() == pytest.approx(expected)
        assert model.state_dict()["statistic"].item() == pytest.approx(10 * expected)
        assert model.counter.item() == 3
    assert model.weight is seen_before  # the optimiser still holds it
    assert (model.weight.item(), model.statistic.item()) == (3.0, 30.0)
    assert mean.mean[0].item() == pytest.approx(expected)


def test_what_goes_wrong_within_gives_the_weights_back_too() -> None:
    model = One(1.0)
    mean = RunningMean(model, 0.5)
    model.become(3.0)
    with pytest.raises(ZeroDivisionError), mean.in_place():
        raise ZeroDivisionError
    assert model.weight.item() == 3.0


def test_without_decay_nothing_is_kept() -> None:
    model = One(1.0)
    mean = RunningMean(model, 0.0)
    model.become(3.0)
    mean.update()
    with mean.in_place():
        assert model.weight.item() == 3.0
    assert mean.state() == {"updates": 0, "mean": []}


def test_it_goes_on_bit_by_bit_from_its_state() -> None:
    torch.manual_seed(0)
    values = torch.rand(12).tolist()
    one, other = One(0.3), One(0.3)
    whole = RunningMean(one, 0.6)
    for value in values:
        one.become(value)
        whole.update()
    first = RunningMean(other, 0.6)
    for value in values[:5]:
        other.become(value)
        first.update()
    second = RunningMean(other, 0.6)
    second.restore(first.state())
    for value in values[5:]:
        other.become(value)
        second.update()
    assert second.updates == 12
    assert all(torch.equal(a, b) for a, b in zip(whole.mean, second.mean, strict=True))
