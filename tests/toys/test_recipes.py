"""How the models that ship are made: nothing twice, nothing from the start that was stopped half-way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskrcnn.cli import Parser, train
from maskrcnn.config import Config, parse_settings
from maskrcnn.errors import StudioError
from maskrcnn.toys import recipes
from maskrcnn.toys.recipes import HEADS_READ, SHIPS, Drawn, Recipe, measured, paired

FEW = Drawn("shapes", 2, 3)


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

    monkeypatch.setattr(recipes, "_command", command)
    return commands


def recipe(tmp_path: Path) -> Recipe:
    return Recipe("some", "Something.", "None.", FEW, FEW, tmp_path / "val", ("--epochs", "1"), seed=4)


def test_pictures_are_drawn_once(tmp_path: Path, said: list[list[str]]) -> None:
    folder = FEW.made(tmp_path)
    assert said == [["toy", "shapes", str(folder), "--pictures", "2", "--seed", "3"]]
    assert FEW.made(tmp_path) == folder
    assert len(said) == 1
    assert Drawn("shapes", 3, 3).made(tmp_path) != folder
    assert len(said) == 2


def test_a_training_begins_goes_on_and_is_left_alone(tmp_path: Path, said: list[list[str]]) -> None:
    run = recipe(tmp_path).trained(tmp_path)
    data = FEW.made(tmp_path)
    begun = [*("train", "--data", str(data), "--val", str(tmp_path / "val"), "--out", str(run)), "--seed", "4"]
    assert said[1:] == [[*begun, "--epochs", "1"]]

    run.mkdir(parents=True)
    (run / "state_last.pt").touch()
    recipe(tmp_path).trained(tmp_path)
    assert said[2:] == [["train", "--resume", "--out", str(run)]]

    (run / "result.json").write_text(json.dumps({"state": "cancelled"}))
    recipe(tmp_path).trained(tmp_path)
    assert said[3:] == [["train", "--resume", "--out", str(run)]]

    (run / "result.json").write_text(json.dumps({"state": "done"}))
    assert recipe(tmp_path).trained(tmp_path) == run
    assert len(said) == 4


def test_what_was_measured_is_read(tmp_path: Path, said: list[list[str]]) -> None:
    assert measured("toy", FEW, tmp_path, "toy") == {"segm": 1}
    assert measured("toy", FEW, tmp_path, "toy") == {"segm": 1}
    assert [line[0] for line in said] == ["toy", "evaluate"]
    assert said[1][1:4] == ["toy", "--data", str(FEW.made(tmp_path))]


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"this command failed: python -m maskrcnn toy shapes .* --pictures 0"):
        Drawn("shapes", 0, 1).made(tmp_path)


def configured(options: tuple[str, ...]) -> Config:
    """The Config that the options of a recipe mean, as far as it does not depend on labels or weights."""
    parser = Parser()
    train.add_arguments(parser)
    args = parser.parse_args(["--out", "run", *options])
    named = {name: getattr(args, name) for name in ("backbone", "pooling", "epochs", "layers", "tasks")}
    return Config.preset("classroom", **parse_settings(args.set), **{k: v for k, v in named.items() if v is not None})


@pytest.mark.parametrize("name", SHIPS)
def test_every_recipe_can_be_told_to_the_trainer(name: str) -> None:
    config = configured(SHIPS[name].options)
    assert config.epochs is not None
    assert ("keypoints" in config.tasks) is (name == "toy-people")


@pytest.mark.parametrize("name", SHIPS)
def test_what_is_measured_was_not_learned(name: str) -> None:
    seeds = {SHIPS[name].data.seed, SHIPS[name].test.seed, 1, 2}  # 1 and 2 are those of the sample data
    assert len(seeds) == 4


@pytest.mark.parametrize("kind", HEADS_READ)
def test_twins_differ_in_their_pooling_alone(kind: str) -> None:
    one, other = paired(kind, "align", 2), paired(kind, "pool", 2)
    assert (one.data, one.test, one.val, one.seed) == (other.data, other.test, other.val, 2)
    first, second = configured(one.options), configured(other.options)
    assert (first.pooling, second.pooling) == ("align", "pool")
    assert first.replace(pooling="pool") == second
    assert first.kind == kind
