"""How long a run takes, from what its parts cost: every number worked by hand."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from maskrcnn.config import Config
from maskrcnn.config.layer_schedule import layer_shares
from maskrcnn.errors import StudioError
from maskrcnn.runs.cost_estimate import Costs, estimate_of, estimate_parts_in_words
from maskrcnn.runs.epochs_and_passes import times_through

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


@pytest.mark.parametrize(
    ("minutes", "pictures", "steps", "passes"),
    # 2 s a step; a step learns from 4 pictures.
    [(1, 4000, 30, 120 / 4000), (0.5, 100, 15, 60 / 100), (0.01, 100, 1, 4 / 100), (1, 40, 10, 1)],
)
def test_a_run_that_ends_before_its_first_pass_says_how_far_it_comes(
    minutes: float, pictures: int, steps: int, passes: float
) -> None:
    found = estimate_of(replace(COSTS, first_read=0.0), config(layers="all", epochs=None, minutes=minutes), pictures, 0)
    assert (found.steps_per_epoch, found.passes) == (steps, pytest.approx(passes))
    assert found.seconds == 7 + 60 * minutes


def test_an_epoch_that_was_asked_for_and_does_not_fit_is_as_long_as_the_run() -> None:
    """60 s are 30 steps of 2 s, 24 where a picture takes 0.125 s more at first: 60 / (2 + 4 x 0.125)."""
    wanted = config(layers="all", epochs=None, minutes=1, steps_per_epoch=500)
    found = estimate_of(replace(COSTS, first_read=0.125), wanted, 4000, 0)
    assert (found.steps_per_epoch, found.epochs) == (24, 1)
    assert ", about 24 steps an epoch (0.024 times through the pictures), about 1 epoch, " in estimate_parts_in_words(
        found, wanted
    )


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        (1.0, "once through the pictures"),
        (0.97, "once through the pictures"),
        (1.6, "1.6 times through the pictures"),
        (0.3, "0.3 times through the pictures"),
        (0.017, "0.017 times through the pictures"),  # 1,000 steps of 2 pictures of COCO's 118,000
        (0.0021, "0.0021 times through the pictures"),
        (9.96, "10 times through the pictures"),
        (37.4, "37 times through the pictures"),
    ],
)
def test_how_often_an_epoch_goes_through_the_pictures(passes: float, said: str) -> None:
    assert times_through(passes) == said


def test_a_word_that_comes_twice_has_both_shares() -> None:
    shares = layer_shares(config(layers="heads:0.2,all:0.5,heads:0.3").stages)
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
