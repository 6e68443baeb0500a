"""How long a run takes, from what its parts cost: every number worked by hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.training.duration import Costs, estimate_of, shares_of

COSTS = Costs(step={"heads": 0.5, "all": 2.0}, first_read=0.1, validation=0.25, epoch=0.5, start=7.0, memory_mb=1900.0)


def config(**changes: Any) -> Config:
    return Config.preset("classroom", batch_size=4, **changes)


def test_epochs_of_whole_passes() -> None:
    found = estimate_of(COSTS, config(layers="all", epochs=20), pictures=61, validated=12)
    assert found.steps_per_epoch == 16  # 61 pictures by fours
    assert found.validation_seconds == 3.0  # 12 x 0.25
    # 7 to start, 61 x 0.1 of reading, 20 x (16 x 2 + 3 + 0.5)
    assert found.seconds == pytest.approx(7 + 6.1 + 710)
    assert (found.epochs, found.seconds_per_step, found.images_per_second) == (20, 2.0, 2.0)


def test_each_stage_takes_its_share_of_the_steps() -> None:
    found = estimate_of(COSTS, config(layers="heads:0.4,all:0.6", epochs=5, steps_per_epoch=10), 40, 0)
    assert found.seconds_per_step == pytest.approx(0.4 * 0.5 + 0.6 * 2.0)
    assert found.seconds == pytest.approx(7 + 4 + 5 * (10 * 1.4 + 0.5))


def test_with_minutes_a_stage_takes_its_share_of_the_time() -> None:
    """10 minutes, half of them each: 300 s / 0.5 s + 300 s / 2 s = 750 steps, 0.8 s each."""
    found = estimate_of(COSTS, config(layers="heads:0.5,all:0.5", epochs=None, minutes=10), 40, 0)
    assert found.seconds_per_step == pytest.approx(0.8)
    assert found.seconds == 7 + 600
    # A twentieth of 600 s is 37.5 steps, nearest to 4 passes of 10.
    assert (found.steps_per_epoch, found.passes) == (40, 4.0)
    # 600 s less 4 s of reading, by 40 x 0.8 s + 0.5 s
    assert found.epochs == round(596 / 32.5) == 18


def test_an_epoch_of_a_short_run_is_still_one_pass() -> None:
    found = estimate_of(COSTS, config(layers="all", epochs=None, minutes=1), 40, 4)
    assert found.steps_per_epoch == 10
    assert found.epochs == round((60 - 4) / (10 * 2 + 1 + 0.5)) == 3


def test_a_word_that_comes_twice_has_both_shares() -> None:
    shares = shares_of(config(layers="heads:0.2,all:0.5,heads:0.3"))
    assert shares == {"heads": pytest.approx(0.5), "all": pytest.approx(0.5)}


def test_costs_survive_the_disk() -> None:
    assert Costs.parse(json.loads(json.dumps(asdict(COSTS)))) == COSTS
    assert Costs.parse(estimate_of(COSTS, config(layers="all"), 4, 0).as_json()["costs"]) == COSTS


@pytest.mark.parametrize(
    "fields",
    [
        None,
        [],
        {},
        {**asdict(COSTS), "step": {}},
        {**asdict(COSTS), "step": {"all": 0}},
        {**asdict(COSTS), "start": None},
    ],
)
def test_what_is_no_measurement_is_refused(fields: Any) -> None:
    with pytest.raises(StudioError, match="measure it again"):
        Costs.parse(fields)
