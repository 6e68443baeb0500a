"""The measurement of a training: what is timed, by a clock that the test moves, and that nothing is left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from maskrcnn.cli.train import estimate_command
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.runs.cost_estimate import Costs, estimate_in_words, estimate_of
from maskrcnn.runs.request import config_with_labels
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.training import trial_steps as measuring
from maskrcnn.training.labelled_samples import LabelledSamples
from tests import tiny


class Clock:
    """A clock that moves by itself only when told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time

    def takes(self, *seconds: float) -> Callable[[], None]:
        """An action that takes so many seconds each time, the last of them from then on."""
        left = list(seconds)

        def action() -> None:
            self.time += left.pop(0) if len(left) > 1 else left[0]

        return action


def test_the_first_steps_are_not_counted() -> None:
    clock = Clock()
    assert measuring.mean_seconds(clock.takes(9, 9, 1), clock) == 1.0
    assert clock.time == 2 * 9 + measuring.TIMED_STEPS * 1


def test_slow_steps_are_timed_for_so_long_only() -> None:
    clock = Clock()
    assert measuring.mean_seconds(clock.takes(8.0), clock) == 8.0
    assert clock.time == (2 + 2) * 8  # two to warm up; 16 s are enough


def pictures(folder: Path, count: int = 5, **changes: Any) -> tuple[StudioRCNN, LabelledSamples]:
    labels = tiny.squares(folder, count)
    run = folder / "run"
    documents = training_documents(labels, None, None, run)
    config = config_with_labels(Config.preset("classroom", **{**tiny.CONFIG, "epochs": 3, **changes}), documents)
    samples = LabelledSamples(documents["train"], lambda image: run / image["path"], config, augment=True)
    return build(config), samples


def test_some_pictures_are_taken_from_all_over_the_set(tmp_path: Path) -> None:
    _, samples = pictures(tmp_path, 5)
    some = samples.subset(2)
    assert [image["file_name"] for image in some.images] == ["square0.png", "square2.png"]
    assert [annotation["image_id"] for annotation in some.document["annotations"]] == [
        image["id"] for image in some.images
    ]
    assert len(samples.subset(12)) == 5


def test_what_memory_cannot_keep_is_a_share_of_the_set(tmp_path: Path) -> None:
    """A working size of 80 x 120 px (64 x 96, a quarter more for scale jitter) is 28,800 bytes and the outline; 36 of
    them fill a megabyte."""
    _, samples = pictures(tmp_path, 2, picture_cache_mb=1)
    assert measuring.share_without_room(samples, 20) == 0.0
    assert measuring.share_without_room(samples, 72) == pytest.approx(0.5, abs=0.02)


def test_a_measurement_of_a_tiny_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Steps of milliseconds: what else the machine does would decide which takes longer by the clock.
    monkeypatch.setattr(measuring, "trial_clock", lambda device: time.process_time)
    model, samples = pictures(tmp_path, layers="heads,all")
    before = sorted(tmp_path.rglob("*"))
    assert estimate_command(model, samples, samples) == 0
    *lines, for_people, for_machines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "heads" in line]
    assert [line for line in lines if "all" in line]
    found = json.loads(for_machines)
    costs = Costs.parse(found["costs"])
    assert set(costs.step) == {"heads", "all"}
    assert 0 < costs.step["heads"] < costs.step["all"]  # the body's backward pass
    assert found == json.loads(json.dumps(estimate_of(costs, model.config, 5, 5).as_json()))
    assert "3 epochs" in for_people
    assert sorted(tmp_path.rglob("*")) == before  # no run folder, nothing else


def test_a_step_is_timed_as_one_of_a_network_that_has_learned(tmp_path: Path) -> None:
    """Of 8 RoIs at most a quarter is positive: 2 for each picture with its one object, where a network that knows
    nothing has 1, the object's own box."""
    model, samples = pictures(tmp_path, 4)
    model.transform.resized = True
    torch.manual_seed(0)
    measuring.seconds_per_step(model, samples, "heads", Clock())
    drawn = model.samplers["roi"]
    assert drawn.positives == 2 * drawn.pictures
    assert "add_gt_proposals" not in vars(model.roi_heads)


def test_running_out_of_memory_says_what_to_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, samples = pictures(tmp_path, 2)

    def forward(*args: Any, **kwargs: Any) -> Any:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(model, "forward", forward)
    with pytest.raises(StudioError, match="lower batch_size"):
        measuring.estimate(model, samples, None)


@pytest.mark.parametrize(
    ("minutes", "said"), [(1, "about 60 seconds: "), (12, "about 12 minutes: "), (300, "about 5 hours: ")]
)
def test_it_is_said_in_words(minutes: float, said: str) -> None:
    costs = Costs({"all": 0.9}, 0.0, 0.25, 0.5, 7.0, 1900.0)
    config = Config.preset("classroom", layers="all", epochs=None, minutes=minutes)
    assert estimate_in_words(estimate_of(costs, config, 61, 12), config).startswith(said)
