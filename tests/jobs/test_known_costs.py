"""What is known of a training's speed, without the page: which runs count, what is kept, when it is unknown again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.config import Config
from maskrcnn.jobs import known_costs
from maskrcnn.runs.cost_estimate import Costs, estimate_of
from maskrcnn.runs.folder import CONFIG, METRICS, RunFolder
from maskrcnn.runs.project_runs import runs_in

CONFIGURATION = Config.preset("classroom", class_names=("cell",), layers="all", batch_size=4)
COSTS = Costs(step={"all": 2.0}, first_read=0.1, validation=0.25, epoch=0.5, start=7.0, memory_mb=1900.0)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "p"


def made_run(
    project: Path, name: str, paces: list[float], *, words: str = "all", device: str | None = "cpu", **changes: Any
) -> RunFolder:
    """A run whose steps were that fast, with one validation of two pictures in 3 s."""
    run = RunFolder(project / "runs" / name)
    run.path.mkdir(parents=True)
    run.write_json(CONFIG, CONFIGURATION.replace(**changes).model_dump())
    os.utime(run.path / CONFIG, (1012.0, 1012.0))
    if device is not None:
        run.write_json("process.json", {"pid": 1, "create_time": 1.0, "started": 1000.0, "device": device})
    empty = {"annotations": [], "categories": []}
    pictures = [{"id": number, "file_name": f"{number}.png", "width": 8, "height": 8} for number in (1, 2)]
    run.write_json("dataset.json", {"train": {"images": [], **empty}, "val": {"images": pictures, **empty}})
    for step, pace in enumerate(paces, start=1):
        run.append_metrics(
            {
                "event": "step",
                "step": step,
                "epoch": 1,
                "images_per_second": pace,
                "layers": words,
                "memory_mb": 1000.0 + step,
            }
        )
    run.append_metrics({"event": "epoch", "step": len(paces), "epoch": 1, "layers": words, "validation_seconds": 3.0})
    return run


def known(project: Path, config: Config = CONFIGURATION, device: str = "cpu") -> known_costs.KnownCosts | None:
    return known_costs.newest_known_costs(config, project, device, runs_in(project / "runs"), project / "store")


def test_a_run_tells_what_its_parts_cost(project: Path) -> None:
    made_run(project, "a", [0.1, 0.1, 2.0, 2.0, 1.0, 4.0, 2.0])
    found = known(project)
    assert found is not None
    assert found.run == "a"
    # The first two steps do not count, the median of the others is 2 pictures a second: 2 s for a batch of 4.
    assert found.costs == Costs({"all": 2.0}, 0.0, validation=1.5, epoch=0.0, start=12.0, memory_mb=1007.0)


@pytest.mark.parametrize(("pictures", "seconds"), [(1, 0.5), (3, 1.5), (4, 2.0), (5, 2.0), (40, 2.0)])
def test_a_run_on_few_pictures_tells_how_long_a_step_on_more_takes(
    project: Path, pictures: int, seconds: float
) -> None:
    """3 pictures made batches of 3 where 4 were asked for, 2 pictures a second all the same."""
    run = made_run(project, "a", [2.0] * 5)
    image = {"file_name": "a.png", "width": 8, "height": 8}
    split = {"images": [{**image, "id": n, "file_name": f"{n}.png"} for n in range(3)]}
    run.write_json("dataset.json", {"train": {**split, "annotations": [], "categories": []}, "val": None})
    found = known(project)
    assert found is not None
    estimate = estimate_of(found.costs, CONFIGURATION, pictures, 0)
    assert (estimate.seconds_per_step, estimate.images_per_second) == (seconds, 2.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.01},
        {"epochs": 3},
        {"epochs": None, "minutes": 4.0},
        {"seed": 5},
        {"patience": 3, "weight_decay": 0.0},
    ],
)
def test_what_no_step_feels_makes_no_difference(project: Path, changes: dict[str, Any]) -> None:
    made_run(project, "a", [1.0] * 5)
    assert known(project, CONFIGURATION.replace(**changes)) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"image_min_dim": 128},
        {"backbone": "resnet18_fpn"},
        {"batch_size": 2},
        {"layers": "heads"},
        {"layers": "heads,all"},
        {"tasks": ("box",)},
    ],
)
def test_another_training_is_unknown(project: Path, changes: dict[str, Any]) -> None:
    made_run(project, "a", [1.0] * 5)
    known_costs.save_measured_costs(
        COSTS, known_costs.timing_key(CONFIGURATION, project, "cpu"), project / "store", 5.0, False
    )
    assert known(project) is not None
    assert known(project, CONFIGURATION.replace(**changes)) is None


def test_another_device_or_project_is_unknown(project: Path) -> None:
    made_run(project, "a", [1.0] * 5)
    assert known(project, device="cuda:0") is None
    assert known_costs.timing_key(CONFIGURATION, project, "cpu") != known_costs.timing_key(
        CONFIGURATION, Path("q"), "cpu"
    )
    made_run(project, "b", [8.0] * 5, device="cuda:1")
    found = known(project, device="cuda:0")  # cards of one machine are equal
    assert found is not None
    assert found.costs.step["all"] == 0.5


def test_runs_of_elsewhere_damaged_ones_and_short_ones_do_not_count(project: Path) -> None:
    made_run(project, "elsewhere", [1.0] * 5, device=None)
    made_run(project, "short", [1.0] * 2)
    (made_run(project, "damaged", [1.0] * 5).path / CONFIG).write_text("{")
    assert known(project) is None


def test_a_measurement_is_kept_and_another_stage_is_put_beside_it(project: Path) -> None:
    key, store = known_costs.timing_key(CONFIGURATION, project, "cpu"), project / "store"
    known_costs.save_measured_costs(COSTS, key, store, when=5.0, beside_training=True)
    assert known(project) == known_costs.KnownCosts(COSTS, None, 5.0, beside_training=True)
    known_costs.save_measured_costs(
        Costs({"heads": 1.0}, 0.2, 0.3, 0.6, 8.0, 1800.0), key, store, when=6.0, beside_training=False
    )
    found = known(project, CONFIGURATION.replace(layers="heads,all"))
    assert found is not None
    assert found.costs == Costs({"all": 2.0, "heads": 1.0}, 0.2, 0.3, 0.6, 8.0, 1800.0)


def test_the_newer_of_run_and_measurement_counts(project: Path) -> None:
    run = made_run(project, "a", [1.0] * 5)
    key, store = known_costs.timing_key(CONFIGURATION, project, "cpu"), project / "store"
    os.utime(run.path / METRICS, (100.0, 100.0))
    known_costs.save_measured_costs(COSTS, key, store, when=99.0, beside_training=False)
    assert known(project).run == "a"  # type: ignore[union-attr]
    known_costs.save_measured_costs(COSTS, key, store, when=101.0, beside_training=False)
    assert known(project).run is None  # type: ignore[union-attr]


def test_a_torn_measurement_is_none(project: Path) -> None:
    key, store = known_costs.timing_key(CONFIGURATION, project, "cpu"), project / "store"
    store.mkdir(parents=True)
    (store / f"{key}.json").write_text('{"costs": {"step"')
    assert known(project) is None
    known_costs.save_measured_costs(COSTS, key, store, when=5.0, beside_training=False)
    assert known(project) is not None
