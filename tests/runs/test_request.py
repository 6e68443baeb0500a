"""One request of a training: to options and back, to JSON and back, and what it refuses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations.skeletons import KeypointLabels
from maskrcnn.cli import train
from maskrcnn.config import LOSSES, Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.jobs.trainer_command import checked
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.request_options import OPTIONS, options_from_argv

REQUESTS = {
    "nothing": TrainingRequest(),
    "everything": TrainingRequest(
        data="a project",
        val="val.json",
        images="pictures",
        class_attribute="mango,orange",
        preset="standard",
        backbone_weights="imagenet",
        init="none",
        changed={"epochs": 3, "seed": 7, "backbone": "resnet18_c4", "tasks": ("box",), "pooling": "pool", "ema": 0.9},
    ),
    "minutes": TrainingRequest(data="d", changed={"minutes": 2.5}),
    "a schedule": TrainingRequest(changed={"layers": "heads:0.4,all:0.6:0.2"}),
    "lists": TrainingRequest(changed={"rpn_anchor_ratios": [0.5, 1], "keypoint_edges": [[0, 1]], "class_names": []}),
    "a table": TrainingRequest(changed={"loss_weights": dict.fromkeys(LOSSES, 2.0)}),
    "empty values": TrainingRequest(changed={"pre_nms_limit_training": None, "patience": None, "minutes": None}),
    "no length": TrainingRequest(changed={"epochs": None}),
    "values of another type": TrainingRequest(changed={"epochs": 2.0, "seed": True, "backbone": 3}),
    "paths": TrainingRequest(data=Path("x") / "y", init=Path("run")),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", REQUESTS)
def test_options_and_json_give_the_request_back(name: str) -> None:
    request = REQUESTS[name]
    assert TrainingRequest.from_argv(request.to_argv()) == request
    assert TrainingRequest.from_json(request.to_json()) == request
    assert parsed(request.to_argv()) == request
    assert checked(request.to_argv()) == request.to_argv()  # as the queue keeps it


def parsed(argv: list[str]) -> TrainingRequest:
    """The request that the command line makes of these options."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return TrainingRequest.from_options(vars(parser.parse_args(["--out", "x", *argv])))


def test_the_options_are_those_of_the_command_line() -> None:
    assert REQUESTS["everything"].to_argv() == [
        *("--data", "a project", "--val", "val.json", "--images", "pictures", "--class-attribute", "mango,orange"),
        *("--preset", "standard", "--epochs", "3", "--backbone", "resnet18_c4", "--backbone-weights", "imagenet"),
        *("--init", "none", "--tasks", "box", "--pooling", "pool", "--seed", "7", "--set", "ema=0.9"),
    ]
    assert REQUESTS["minutes"].to_argv() == ["--data", "d", "--minutes", "2.5"]
    assert REQUESTS["no length"].to_argv() == ["--set", "epochs=null"]
    assert REQUESTS["values of another type"].to_argv() == [
        *("--set", "epochs=2.0", "--set", "seed=true", "--set", "backbone=3")
    ]


def test_an_option_of_its_own_comes_before_a_setting() -> None:
    """As the command line always did, in whatever order they stand."""
    for argv in (["--epochs", "5", "--set", "epochs=3"], ["--set", "epochs=3", "--epochs", "5"]):
        assert TrainingRequest.from_argv(argv).changed == parsed(argv).changed == {"epochs": 5}
    assert parsed(["--set", "layers=heads,all"]).changed == {"layers": "heads,all"}
    assert parsed(["--set", "tasks=box,mask"]).changed == {"tasks": ("box", "mask")}


def test_a_path_that_begins_with_a_hyphen_is_no_option() -> None:
    assert TrainingRequest(data="-odd").to_argv() == ["--data", "./-odd"]
    with pytest.raises(ArgumentError, match="no value for it"):
        options_from_argv(["--data", "-odd"])


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--epochs"], "pairs of a name and a value"),
        (["--out", "x"], "--out: is no choice of a training"),
        (["--epoch", "3"], "--epoch: is no choice"),  # argparse would take it for --epochs
        (["--epochs=3", "x"], "--epochs=3: is no choice"),
        (["--epochs", "many"], '--epochs: "many" is no value for it'),
        (["--pooling", "best"], '--pooling: "best" is no value for it'),
        (["--init", ""], '--init: "" is no value'),
        (["--set", "no_such_field=1"], 'there is no field "no_such_field"'),
        (["--set", "a=\0"], "is no value"),
        ([None, "x"], "None: is no choice"),
        (["--seed", 3], '--seed: "3" is no value'),
        (["--seed", "1"] * 300, "pairs"),
    ],
)
def test_foreign_options_are_refused_by_name(argv: list[Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        TrainingRequest.from_argv(argv)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "3", "{", '{"data": 3}', '{"command": "rm"}', '{"changed": []}', '{"init": "a\\u0000b"}'),
        *('{"changed": {"no_such_field": 1}}', "[" * 100_000),
        json.dumps({"data": "x" * 20_000}),
    ],
)
def test_a_text_that_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(StudioError, match=r"no request|no field"):
        TrainingRequest.from_json(text)


def test_every_option_is_one_of_the_request() -> None:
    for option in OPTIONS:
        of = Config.model_fields if option.is_field else TrainingRequest.__dataclass_fields__
        assert option.key in of


def test_with_absolute_paths_it_means_the_same_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    request = TrainingRequest(data="d", val="v.json", init="runs/a", backbone_weights="imagenet", preset="standard")
    moved = request.resolved()
    assert (moved.data, moved.val, moved.init) == tuple(str(tmp_path / name) for name in ("d", "v.json", "runs/a"))
    assert (moved.backbone_weights, moved.preset, moved.images) == ("imagenet", "standard", None)
    assert TrainingRequest(init="coco").resolved().init == "coco"
    assert TrainingRequest(init="").resolved().init == ""


LABELS: dict[str, Any] = {"classes": ("a",), "keypoints": None}


def test_without_any_weights_everything_learns() -> None:
    scratch = TrainingRequest(preset="classroom", init="none").config(LABELS)
    known = TrainingRequest(preset="classroom", backbone_weights="imagenet").config(LABELS)
    assert (scratch.norm, scratch.layers) == ("batch", "all")
    assert (known.norm, known.layers) == ("frozen", "3+")
    changed = {"norm": "frozen", "layers": "heads"}
    chosen = TrainingRequest(preset="classroom", init="none", changed=changed).config(LABELS)
    assert (chosen.norm, chosen.layers) == ("frozen", "heads")


def test_the_labels_say_classes_and_keypoints() -> None:
    five = KeypointLabels(5, ("a", "b", "c", "d", "e"), ((0, 1), (3, 4)))
    request = TrainingRequest(preset="classroom", init="none", changed={"tasks": ("box", "keypoints")})
    config = request.config({"classes": ("leaf", "bud"), "keypoints": five})
    assert (config.class_names, config.num_classes) == (("leaf", "bud"), 3)
    assert (config.num_keypoints, config.keypoint_names, config.keypoint_edges) == (5, five.names, five.edges)


def chosen(preset: str, changed: dict[str, Any], weights: str = "none", init: str = "none") -> TrainingRequest:
    return TrainingRequest(preset=preset, changed=changed, backbone_weights=weights, init=init)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (chosen("classroom", {"learning_rate": -1}), "learning_rate"),
        (chosen("classroom", {"no_such": -1}), 'there is no field "no_such"'),
        (chosen("enormous", {}), 'preset "enormous" is unknown'),
        (chosen("classroom", {"epochs": None}), "either epochs or minutes"),
        (chosen("classroom", {"image_min_dim": 2000}), "image_min_dim"),
        (chosen("classroom", {"backbone": "mobilenet_v3_large_fpn32"}), "mobilenet_v3_large_fpn32 has 3 levels"),
        (chosen("classroom", {}, init="coco"), "COCO weights need backbone = resnet50_fpn"),
        (chosen("torchvision", {"mask_head_width": 128}, init="coco"), "COCO weights need mask_head_width"),
        (chosen("torchvision-v2", {"head_norm": "none"}, init="coco"), 'the preset "torchvision-v2"'),
        (chosen("classroom", {"backbone": "resnet18_slim_fpn"}, weights="imagenet"), "none of resnet18_slim"),
    ],
)
def test_a_request_that_cannot_be_is_refused_before_the_start(request_: TrainingRequest, said: str) -> None:
    with pytest.raises(StudioError, match=said):
        request_.require_fit(request_.config(LABELS))


@pytest.mark.parametrize(
    ("weights", "init", "said"),
    [
        ("/no/such.pth", "none", "/no/such.pth: there is no such file; give the path of a .pth file"),
        ("", "none", "weights: no file was named"),
        ("none", "/no/run", "/no/run: there is no such file; give the path of a run"),
        ("none", "", "weights: no file was named"),
    ],
)
def test_a_file_that_is_not_there_is_refused(weights: str, init: str, said: str) -> None:
    request = chosen("classroom", {}, weights, init)
    assert not request.has_files()
    with pytest.raises(ArgumentError, match=said):
        request.require_files()


def test_only_torch_can_look_into_a_torch_file(tmp_path: Path) -> None:
    (tmp_path / "w.pth").touch()
    with pytest.raises(ValueError, match="pass torch_file"):
        TrainingRequest(init=str(tmp_path / "w.pth")).config()
    theirs = Config.preset("torchvision", norm_eps=0.25, num_classes=91)
    config = TrainingRequest(init=str(tmp_path / "w.pth")).config(LABELS, lambda path: theirs)
    assert config == theirs.replace(layers="3+", class_names=("a",), num_classes=2)
    bare = TrainingRequest(init=str(tmp_path / "w.pth")).config(LABELS, lambda path: "resnet18")
    assert bare.backbone == "resnet18_fpn"


def test_a_run_is_resumed_with_nothing_but_a_length() -> None:
    assert TrainingRequest().longer() == (None, None)
    assert TrainingRequest.from_argv(["--epochs", "3"]).longer() == (3, None)
    assert TrainingRequest.from_argv(["--minutes", "3"]).longer() == (None, 3.0)
    for argv, said in (
        (["--data", "d"], "--data: a run is resumed with the choices that it has; leave it out"),
        (["--class-attribute", "d"], "--class-attribute: a run is resumed"),
        (["--layers", "all"], "--layers: a run is resumed"),
        (["--set", "ema=0.5"], "--set, --init and --backbone-weights: a run is resumed"),
        (["--init", "coco"], "--set, --init and --backbone-weights: a run is resumed"),
    ):
        with pytest.raises(ArgumentError, match=said):
            TrainingRequest.from_argv(argv).longer()
