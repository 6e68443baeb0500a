"""How the models that ship are made: nothing twice, nothing from the start that was stopped half-way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maskrcnn.__main__ import CommandLineParser
from maskrcnn.cli import train
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.toys import training_recipes
from maskrcnn.toys.training_recipes import HEADS_READ, SHIPS, PictureSet, Recipe, evaluation_report, paired

FEW = PictureSet("shapes", 2, 3)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have run; each leaves what it is asked for."""
    commands: list[list[str]] = []

    def command(*words: object) -> None:
        line = list(map(str, words))
        commands.append(line)
        if line[0] == "toy":
            Path(line[2]).mkdir(parents=True)
            (Path(line[2]) / "via_project.json").write_text("{}")
        elif line[0] == "evaluate":
            Path(line[line.index("--out") + 1]).parent.mkdir(exist_ok=True)
            Path(line[line.index("--out") + 1]).write_text('{"segm": 1}')

    monkeypatch.setattr(training_recipes, "_command", command)
    return commands


def recipe(tmp_path: Path) -> Recipe:
    fields = {"epochs": 1, "rpn_anchor_ratios": (0.5, 2.0)}
    return Recipe("some", "Something.", "None.", FEW, FEW, tmp_path / "val", fields, ("--init", "toy"), seed=4)


def test_pictures_are_drawn_once(tmp_path: Path, said: list[list[str]]) -> None:
    folder = FEW.drawn_folder(tmp_path)
    assert said == [["toy", "shapes", str(folder), "--pictures", "2", "--seed", "3"]]
    assert FEW.drawn_folder(tmp_path) == folder
    assert len(said) == 1
    assert PictureSet("shapes", 3, 3).drawn_folder(tmp_path) != folder
    assert len(said) == 2


def test_a_training_begins_goes_on_and_is_left_alone(tmp_path: Path, said: list[list[str]]) -> None:
    run = recipe(tmp_path).trained_run(tmp_path)
    data = FEW.drawn_folder(tmp_path)
    begun = [*("train", "--data", str(data), "--val", str(tmp_path / "val"), "--out", str(run)), "--epochs", "1"]
    begun += ["--init", "toy", "--seed", "4", "--set", "rpn_anchor_ratios=[0.5, 2.0]"]
    assert said[1:] == [begun]

    run.mkdir(parents=True)
    (run / "config.json").write_text("what there was before the first state was saved")
    recipe(tmp_path).trained_run(tmp_path)
    assert said.pop() == begun
    assert not run.exists()

    run.mkdir()
    (run / "state_last.pt").touch()
    learned(run, epochs=1, rpn_anchor_ratios=(0.5, 2.0), seed=4)
    recipe(tmp_path).trained_run(tmp_path)
    assert said[2:] == [["train", "--resume", "--out", str(run)]]

    (run / "result.json").write_text(json.dumps({"state": "cancelled"}))
    recipe(tmp_path).trained_run(tmp_path)
    assert said[3:] == [["train", "--resume", "--out", str(run)]]

    (run / "result.json").write_text(json.dumps({"state": "done"}))
    assert recipe(tmp_path).trained_run(tmp_path) == run
    assert len(said) == 4


def learned(run: Path, **fields: object) -> None:
    (run / "config.json").write_text(Config.preset("classroom", **fields).model_dump_json())


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"epochs": 2}, "epochs = 2, but the recipe says 1"),
        ({"rpn_anchor_ratios": (0.5, 3.0)}, "rpn_anchor_ratios = 0.5,3.0, but the recipe says 0.5,2.0"),
        ({"seed": 5}, "seed = 5, but the recipe says 4"),
    ],
)
@pytest.mark.parametrize("state", ["done", "cancelled"])
def test_a_run_by_another_recipe_is_named(
    tmp_path: Path, said: list[list[str]], fields: dict[str, object], says: str, state: str
) -> None:
    run = recipe(tmp_path).run_folder(tmp_path)
    run.mkdir(parents=True)
    (run / "state_last.pt").touch()
    (run / "result.json").write_text(json.dumps({"state": state}))
    learned(run, **{"epochs": 1, "rpn_anchor_ratios": (0.5, 2.0), "seed": 4, **fields})
    with pytest.raises(StudioError, match=rf"some-4 was trained with {says}; move it away"):
        recipe(tmp_path).trained_run(tmp_path)
    assert not said


def test_what_was_measured_is_read(tmp_path: Path, said: list[list[str]]) -> None:
    run = tmp_path / "some-4"
    run.mkdir()
    (run / "best.safetensors").write_text("weights")
    for _ in range(2):
        assert evaluation_report(run, FEW, tmp_path) == {"segm": 1}
    assert [line[0] for line in said] == ["toy", "evaluate"]
    assert said[1][1:4] == [str(run), "--data", str(FEW.drawn_folder(tmp_path))]

    evaluation_report(run, PictureSet("shapes", 3, 3), tmp_path)  # other pictures
    (run / "best.safetensors").write_text("others")
    evaluation_report(run, FEW, tmp_path)
    assert [line[0] for line in said[2:]] == ["toy", "evaluate", "evaluate"]


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"this command failed: python -m maskrcnn toy shapes .* --pictures 0"):
        PictureSet("shapes", 0, 1).drawn_folder(tmp_path)


@pytest.mark.parametrize("name", SHIPS)
def test_every_recipe_can_be_told_to_the_trainer(name: str) -> None:
    parser = CommandLineParser()
    train.add_arguments(parser)
    chosen = TrainingRequest.from_options(vars(parser.parse_args(["--out", "run", *SHIPS[name].options]))).changed
    assert chosen.keys() == {*SHIPS[name].fields, "seed"}
    meant = Config.preset("classroom", **SHIPS[name].fields, seed=SHIPS[name].seed)
    assert Config.preset("classroom", **chosen) == meant
    assert ("keypoints" in meant.tasks) is (name == "toy-people")


@pytest.mark.parametrize("name", SHIPS)
def test_what_is_measured_was_not_learned(name: str) -> None:
    seeds = {SHIPS[name].data.seed, SHIPS[name].test.seed, 1, 2}  # 1 and 2 are those of the sample data
    assert len(seeds) == 4


@pytest.mark.parametrize("kind", HEADS_READ)
def test_twins_differ_in_their_pooling_alone(kind: str) -> None:
    one, other = paired(kind, "align", 2), paired(kind, "pool", 2)
    assert (one.data, one.test, one.val, one.start, one.seed) == (other.data, other.test, other.val, other.start, 2)
    assert one.fields == {**other.fields, "pooling": "align"}
    assert other.fields["pooling"] == "pool"
    assert one.fields["backbone"] == f"resnet18_slim_{kind}"
    other = paired(kind, "pool", 2, "mobilenet_v2", "imagenet")
    assert (other.fields["backbone"], other.start) == (f"mobilenet_v2_{kind}", ("--backbone-weights", "imagenet"))
    assert other.run_folder(Path()) != paired(kind, "pool", 2).run_folder(Path())


def test_ctrl_c_waits_until_the_command_has_saved(tmp_path: Path) -> None:
    """The interrupt of a terminal reaches parent and child alike."""
    child = tmp_path / "child.py"
    child.write_text(
        "import signal, sys, time\n"
        "def save(*_):\n"
        "    time.sleep(1)\n"
        "    open(sys.argv[1], 'w').close()\n"
        "    sys.exit(1)\n"
        "signal.signal(signal.SIGINT, save)\n"
        "open(sys.argv[1] + '.ready', 'w').close()\n"
        "time.sleep(60)\n"
    )
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import sys\n"
        "from maskrcnn.toys import training_recipes\n"
        f"training_recipes._run_and_wait([sys.executable, {str(child)!r}, {str(tmp_path / 'saved')!r}])\n"
    )
    process = subprocess.Popen(
        [sys.executable, parent],
        env={**os.environ, "PYTHONPATH": str(training_recipes.ROOT)},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        ends = time.monotonic() + 60
        while not (tmp_path / "saved.ready").exists():
            assert time.monotonic() < ends
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) != 0
        assert (tmp_path / "saved").exists()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
