"""Epochs: the best one by one rule for trainer and pages, how long they are, and passes."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.config import Config
from maskrcnn.runs import epochs_and_passes
from maskrcnn.runs.best_epoch import Best, ap_words, best_epoch
from maskrcnn.runs.cost_estimate import Costs, estimate_of
from maskrcnn.runs.folder import CONFIG, RunFolder
from maskrcnn.training.run_history import RunHistory
from maskrcnn.training.schedule import ScheduleClock

Rows = list[dict[str, Any]]


def rows(*scores: dict[str, float | None]) -> Rows:
    return [{"epoch": number, **score} for number, score in enumerate(scores, 1)]


def masks(*values: float | None) -> Rows:
    return rows(*({"segm_ap": value, "bbox_ap": 0.9 / number} for number, value in enumerate(values, 1)))


BEST: dict[str, tuple[Rows, Best | None]] = {
    "no epoch": ([], None),
    "highest": (masks(0.1, 0.3, 0.2), Best(2, 0.3, "segm_ap")),
    "first of equals": (masks(0.1, 0.3, 0.3, 0.3), Best(2, 0.3, "segm_ap")),
    "all zero": (masks(0.0, 0.0), Best(1, 0.0, "segm_ap")),
    "masks before boxes": (masks(0.1, 0.2), Best(2, 0.2, "segm_ap")),
    "keypoints before boxes": (
        rows({"keypoints_ap": 0.2, "bbox_ap": 0.1}, {"keypoints_ap": 0.1, "bbox_ap": 0.9}),
        Best(1, 0.2, "keypoints_ap"),
    ),
    "boxes alone": (rows({"bbox_ap": 0.2}, {"bbox_ap": 0.4}), Best(2, 0.4, "bbox_ap")),
    "nothing measured": (rows({"segm_ap": None, "bbox_ap": None}, {"segm_ap": None, "bbox_ap": None}), Best(2)),
    "no validation": (rows({}, {}, {}), Best(3)),
    "not a number": (masks(0.2, math.nan, 0.3, math.nan), Best(3, 0.3, "segm_ap")),
    "infinite": (masks(math.inf, 0.1), Best(2, 0.1, "segm_ap")),
    "none at first": (masks(None, None, 0.0), Best(3, 0.0, "segm_ap")),
    "none at the end": (masks(0.1, None), Best(1, 0.1, "segm_ap")),
    "no outlines to measure masks on": (masks(None, None), Best(1, 0.9, "bbox_ap")),
    "negative": (masks(-1.0, -0.5), Best(2, -0.5, "segm_ap")),
}


@pytest.mark.parametrize(("found", "best"), BEST.values(), ids=BEST)
def test_the_best_epoch(found: Rows, best: Best | None) -> None:
    assert best_epoch(found) == best


def test_what_an_epoch_is_the_best_by() -> None:
    assert (Best(2).judged_by, Best(1, 0.0, "bbox_ap").judged_by) == (None, "box AP")


def slow_best(found: Rows) -> int:
    """All epochs looked at once, the finest measure that any of them has."""
    for measure in ("segm_ap", "keypoints_ap", "bbox_ap"):
        measured = {
            row["epoch"]: row[measure]
            for row in found
            if isinstance(row.get(measure), float) and math.isfinite(row[measure])
        }
        if measured:
            return min(epoch for epoch, score in measured.items() if score == max(measured.values()))
    return found[-1]["epoch"]


@pytest.mark.parametrize("seed", range(40))
def test_the_trainer_and_the_pages_agree_after_each_epoch(seed: int) -> None:
    """The trainer knows one epoch after the other, a page all rows; both agree with a look at all at once."""
    draw = random.Random(seed)
    measures = draw.choice([("segm_ap", "bbox_ap"), ("bbox_ap",), ("keypoints_ap", "bbox_ap"), ()])
    values = [0.0, 0.1, 0.1, 0.2, 0.3, None, math.nan]
    course, found = RunHistory(), []
    for epoch in range(1, 13):
        row = {measure: draw.choice(values) for measure in measures}
        found.append({"epoch": epoch, **row})
        course.finish(Config.preset("classroom"), row, validated=bool(measures))
        again = RunHistory()
        again.restore(course.state())
        course = again
        assert course.best == best_epoch(found)
        assert course.best_epoch == slow_best(found)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("segm_ap", "mask AP"),
        ("segm_ap75", "mask AP75"),
        ("bbox_ap", "box AP"),
        ("bbox_ap50", "box AP50"),
        ("keypoints_ap", "keypoint AP"),
    ],
)
def test_an_ap_in_words(field: str, said: str) -> None:
    assert ap_words(field) == said


@pytest.mark.parametrize(
    ("steps", "batch", "pictures", "passes"),
    [
        (4, 2, 8, 1.0),
        (17, 2, 8, 4.25),
        (31, 2, 61, 62 / 61),  # the last batch of a pass is full, with a picture of the next
        (3, 8, 5, 3.0),  # a batch has no more pictures than there are
        (1000, 8, 10_000, 0.8),
        (0, 4, 9, 0.0),
    ],
)
def test_passes_are_pictures_seen_by_training_pictures(steps: int, batch: int, pictures: int, passes: float) -> None:
    assert epochs_and_passes.passes(steps, batch, pictures) == pytest.approx(passes)


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        (1.0, "1.0"),
        (12.84, "12.8"),
        (0.25, "0.2"),
        (0.099, "0.099"),
        (0.017, "0.017"),
        (0.0000423, "4.2e-05"),
        (0, "0.0"),
    ],
)
def test_few_steps_are_more_than_no_pass(passes: float, said: str) -> None:
    """1,000 steps of 2 of COCO's 118,000 pictures are 0.017 passes, not 0.0."""
    assert epochs_and_passes.passes_in_words(passes) == said


@pytest.mark.parametrize(
    ("changes", "pass_steps", "seconds", "steps"),
    [
        ({"epochs": 3}, 4, 1.0, 4),
        ({"epochs": 3, "steps_per_epoch": 7}, 4, 1.0, 7),
        ({"minutes": 1, "steps_per_epoch": 7}, 4, 1.0, 7),
        ({"minutes": 10}, 4, 1.77, 16),  # 30 s are 17 steps: 4 passes
        ({"minutes": 10}, 4, 0.6, 48),  # 50 steps: 12.5 passes, and 12 is the even one
        ({"minutes": 1}, 40, 2.0, 40),  # a pass takes longer than 3 s
        ({"minutes": 2}, 1, 0.5, 12),
    ],
)
def test_the_steps_of_an_epoch(changes: dict[str, Any], pass_steps: int, seconds: float, steps: int) -> None:
    assert epochs_and_passes.steps_per_epoch(Config.preset("classroom", **changes), pass_steps, seconds) == steps


@pytest.mark.parametrize("pictures", [1, 3, 8, 17, 61, 200])
@pytest.mark.parametrize("seconds", [0.11, 0.6, 3.7])
def test_the_trainer_does_what_launch_says(pictures: int, seconds: float) -> None:
    """At an even pace, which is what the estimate knows; the first steps, which read the pictures, take twice as
    long. Every epoch but the last is whole passes."""
    config = Config.preset("classroom", layers="all", minutes=5, batch_size=2)
    full = seconds * 2 / min(2, pictures)  # costs are those of a full batch, and a step on one picture is half of one
    said = estimate_of(Costs({"all": full}, 0.0, 0.0, 0.0, 5.0, 0.0), config, pictures, 0)
    now, taken = [0.0], []
    per_pass = epochs_and_passes.steps_per_pass(2, pictures)
    clock = ScheduleClock(config, per_pass, lambda: now[0])
    while clock.progress < 1:
        clock.next_epoch()
        while not clock.epoch_is_over:
            now[0] += seconds * (2 if clock.step < min(per_pass, 3) else 1)
            clock.tick()
        taken.append(clock.step_of_epoch)
    assert all(steps % per_pass == 0 for steps in taken[:-1])
    # Where a twentieth of the time is half a pass more than whole passes, either neighbour is right.
    assert all(abs(steps - said.steps_per_epoch) <= per_pass for steps in taken[1:-1])
    assert len(taken) == pytest.approx(said.epochs, abs=3)


WEIGHTS = Path(__file__).resolve().parents[2] / "data" / "weights"


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in WEIGHTS.glob("*/card.json")), ids=lambda path: path.name
)
def test_what_ships_says_the_same_of_its_best_epoch(folder: Path) -> None:
    best = best_epoch(RunFolder(folder).epochs())
    assert best is not None
    said = {json.loads((folder / name).read_text("utf-8"))["best_epoch"] for name in ("result.json", "card.json")}
    assert said == {best.epoch}


def run_with(folder: Path, **changes: Any) -> RunFolder:
    folder.mkdir()
    run = RunFolder(folder)
    run.write_json(CONFIG, Config.preset("classroom", **changes).model_dump())
    return run


def test_the_first_epoch_is_once_through_the_pictures_or_what_the_config_says(tmp_path: Path) -> None:
    run = run_with(tmp_path / "a", batch_size=4)
    assert epochs_and_passes.first_epoch_steps(run, pictures=10) == 3  # four at a time
    assert epochs_and_passes.first_epoch_steps(run, pictures=0) is None
    assert epochs_and_passes.first_epoch_steps(run_with(tmp_path / "b", steps_per_epoch=7), pictures=10) == 7
    assert epochs_and_passes.first_epoch_steps(RunFolder(tmp_path / "none"), pictures=0) is None


@pytest.mark.parametrize(
    ("batch", "pictures", "steps"),
    [(2, 8, 4.0), (2, 61, 30.5), (8, 5, 1.0), (4, 10, 2.5), (1, 7, 7.0), (4, 0, None)],
)
def test_the_steps_of_a_pass(batch: int, pictures: int, steps: float | None, tmp_path: Path) -> None:
    """Pictures by pictures of a step, of which there are no more than there are."""
    assert epochs_and_passes.mean_pass_steps(run_with(tmp_path / "a", batch_size=batch), pictures) == steps
