"""The words for how long a training takes, and for what the doctor found, on the Launch page."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from maskrcnn import durations
from maskrcnn.config import Config
from maskrcnn.jobs.known_costs import KnownCosts
from maskrcnn.runs.cost_estimate import Costs, estimate_of
from maskrcnn.studio.launch import doctor_summary, duration_estimate

COSTS = Costs(step={"all": 0.9}, first_read=0.1, validation=0.25, epoch=0.5, start=7.0, memory_mb=1945.6)


def test_the_answer_in_words() -> None:
    config = Config.preset("classroom", layers="all", epochs=20)
    found = estimate_of(COSTS, config, pictures=61, validated=12)
    # 1900 x 2**20 bytes are 1.99 GB
    assert duration_estimate.estimate_parts_in_words(found, config) == (
        "0.9 s a step, 16 steps an epoch (once through the pictures), 20 epochs, 3.0 s of validation each, "
        "7.0 s to start, 2.0 GB of memory"
    )
    # 6.1 + 20 x (16 x 0.9 + 3 + 0.5) = 364 s, and 7 to start
    assert (found.seconds_of_training, found.seconds) == (pytest.approx(364.1), pytest.approx(371.1))


@pytest.mark.parametrize(
    ("pictures", "batch", "changes", "said"),
    [
        # 120 s, a twentieth is 6 s or 6 steps of 1 s; a pass of 8 pictures by twos is 4 steps, so 1.5 are rounded to 2
        (8, 2, {"minutes": 2}, "about 8 steps an epoch (2 times through the pictures), about 15 epochs"),
        (61, 4, {"minutes": 2}, "about 16 steps an epoch (once through the pictures), about 8 epochs"),
        (1, 4, {"epochs": 1}, "1 step an epoch (once through the pictures), 1 epoch,"),
        (5, 4, {"epochs": 2}, "2 steps an epoch (1.6 times through the pictures), 2 epochs"),
        (40, 4, {"epochs": 3, "steps_per_epoch": 5}, "5 steps an epoch (0.5 times through the pictures), 3 epochs"),
        (40, 4, {"minutes": 2, "steps_per_epoch": 100}, "s a step, 100 steps an epoch (10 times through the pictures)"),
    ],
)
def test_how_long_an_epoch_is(pictures: int, batch: int, changes: dict[str, float], said: str) -> None:
    config = Config.preset("classroom", layers="all", batch_size=batch, **changes)
    costs = Costs({"all": 1.0}, 0.0, 0.0, 0.0, 7.0, 0.0)
    assert said in duration_estimate.estimate_parts_in_words(estimate_of(costs, config, pictures, 0), config)


def test_a_moment_in_words() -> None:
    now = datetime.now().replace(hour=14, minute=5)
    assert durations.time_of_day_words(now) == "about 14:05"
    assert durations.time_of_day_words(now + timedelta(days=1)) == "tomorrow about 14:05"
    assert durations.time_of_day_words(now + timedelta(days=3)).startswith("on ")


def test_where_the_figures_are_from() -> None:
    assert duration_estimate.source_in_words(KnownCosts(COSTS, "shapes-3", 0.0)) == "as fast as the run shapes-3"
    beside = KnownCosts(COSTS, None, time.time(), beside_training=True)
    assert duration_estimate.source_in_words(beside).endswith("rather less")


def test_the_doctor_in_short(tmp_path: Path) -> None:
    """Errors before warnings, of these the more frequent ones first, hints not at all."""
    from maskrcnn.annotations.doctor import Finding

    def finding(check: str, severity: str) -> Finding:
        return Finding(check, severity, "x", picture=0)  # type: ignore[arg-type]

    found = [
        *[finding("below-anchor", "hint")] * 9,
        *[finding("tiny", "warning")] * 2,
        *[finding("duplicate", "warning")] * 3,
        finding("no-class", "error"),
    ]
    assert doctor_summary.worst(found) == [
        ("error", "Region without a class", 1),
        ("warning", "Region drawn twice", 3),
        ("warning", "Region of fewer than 16 pixels", 2),
    ]
