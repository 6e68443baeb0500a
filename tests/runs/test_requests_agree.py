"""One request, one Config: the Launch page, the command line, JSON and stored options give the same, and it is what the
trainer writes into `config.json`. Random requests, for each kind of initial weights."""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from maskrcnn.annotations.progress_callback import unwatched
from maskrcnn.annotations.skeletons import KeypointLabels
from maskrcnn.cli import train
from maskrcnn.config import LOSSES, MASK_KINDS, POOLINGS, PRESETS, Config
from maskrcnn.model import weights
from maskrcnn.model.weights import transfer
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.initial_weights import fields_of_network
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.launch import request_from_inputs
from maskrcnn.studio.launch.training_inputs import FOLLOWING_FIELDS
from maskrcnn.training import training_start
from maskrcnn.training.distributed import Team
from tests import tiny
from tests.model.small import FIELDS, classifier, network
from tests.sweeps import FUZZ, sweep, wider

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 300 if FUZZ else 48
"""Of all starts together."""

SMALL = ("classroom", "standard")
FIRST, SECOND = "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"


@dataclass(frozen=True)
class Start:
    """Initial weights as the page offers them: its word, the path that is typed for it (a file of `files`, or a word),
    the presets that it is tried with, and fields without which it could not be."""

    word: str
    path: str = ""
    presets: tuple[str, ...] = tuple(PRESETS)
    fields: tuple[tuple[str, Any], ...] = ()


STARTS: dict[str, Start] = {
    "none": Start("none"),
    "imagenet": Start("imagenet"),
    "COCO, first generation": Start("coco", presets=("torchvision", "standard")),
    "COCO, second generation": Start("coco", presets=("torchvision-v2",)),
    "toy": Start("toy", presets=SMALL),
    "toy-people": Start("toy-people", presets=SMALL),
    "toy-c5-align": Start("network", "toy-c5-align", SMALL),
    "toy-c5-pool": Start("network", "toy-c5-pool", SMALL),
    "a body in a file": Start("file", "body.pth", SMALL, (("backbone", "resnet18_fpn"),)),
    "a body as the network": Start("network", "body.pth", SMALL, (("backbone", "resnet18_fpn"),)),
    "a detector in a file": Start("network", "theirs.pth", SMALL),
    "torchvision's file, first generation": Start("network", FIRST, ("torchvision",)),
    "torchvision's file, second generation": Start("network", SECOND, ("torchvision-v2",)),
    "a checkpoint": Start("network", "ours.safetensors", SMALL),
    "a run": Start("network", "run", SMALL),
}

VALUES: dict[str, list[Any]] = {
    "tasks": [("box",), ("box", "mask"), ("box", "keypoints"), ("box", "mask", "keypoints")],
    "epochs": [3, 100],
    "minutes": [2.5, 30.0],
    "patience": [4],
    "layers": ["heads", "4+", "all", "heads,all", "heads:0.4,4+:0.2,all:0.4:0.2"],
    "norm": ["frozen", "batch", "group"],
    "norm_eps": [0.0, 1e-5, 1e-3],
    "pooling": list(POOLINGS),
    "mask_kind": list(MASK_KINDS),
    "learning_rate": [1e-3, 0.00025],
    "optimiser": ["sgd", "adamw"],
    "batch_size": [1, 2],
    "seed": [7],
    "ema": [0.0, 0.99],
    "crop": [0.5],
    "image_min_dim": [64, 320],
    "mean_pixel": [(0.5, 0.5, 0.5)],
    "rpn_anchor_ratios": [(1.0,), (0.5, 1.0, 2.0)],
    "pre_nms_limit_training": [None, 900],
    "bbox_std_dev": [(0.1, 0.1, 0.2, 0.2), (1.0, 1.0, 1.0, 1.0)],
    "loss_weights": [{**dict.fromkeys(LOSSES, 1.0), LOSSES[0]: 2.0}],
    "compile": [True],
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of weights: random tensors in the names of torchvision and of ours."""
    folder = tmp_path_factory.mktemp("files")
    torch.save(classifier("resnet18"), folder / "body.pth")
    torch.save(network(tasks=("box",), class_names=("cat",)).state_dict(), folder / "theirs.pth")
    # A file of torchvision's own is known by its name.
    for name in (FIRST, SECOND):
        torch.save({"roi_heads.box_predictor.cls_score.weight": torch.rand(91, 4)}, folder / name)
    ours = network(class_names=("cat",), norm_eps=0.0, learning_rate=0.125, seed=9)
    weights.save(ours, folder / "ours.safetensors", 3)
    run = RunFolder.create(folder / "run")
    batch = network(class_names=("cat",), norm_eps=0.002, norm="batch", pooling="warp")
    run.write_json("config.json", batch.config.model_dump())
    weights.save(batch, run.best, 3)
    return folder


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.kites(tmp_path_factory.mktemp("kites"), pictures=1)


@pytest.fixture(autouse=True)
def ships(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models that really ship."""
    monkeypatch.setattr(shipped_models, "FOLDER", ROOT / "data" / "weights")


def from_the_page(start: Start, files: Path, draw: random.Random) -> TrainingRequest:
    """What the page makes of a random preset and some changed inputs, where the others hold what they held at first."""
    preset = draw.choice(start.presets)
    names = draw.sample(sorted(VALUES), draw.randint(0, 6))
    chosen = dict(start.fields) | {name: draw.choice(VALUES[name]) for name in names}
    if "minutes" in chosen:
        chosen["epochs"] = None
    tasks = tuple(chosen.get("tasks", Config.preset(preset).tasks))
    path = str(files / start.path) if (files / start.path).exists() and start.path else start.path
    request = request_from_inputs.request_of_start(preset, tasks, start.word, path)
    default = request_from_inputs.config_of_start(request)
    if "norm" in chosen:
        default = default.replace(norm_eps=request_from_inputs.default_eps_for_norm(request, chosen["norm"]))
    values = {**default.model_dump(exclude=set(FOLLOWING_FIELDS)), **chosen}
    if "keypoints" in tasks:
        values["num_keypoints"] = len(tiny.KEYPOINTS)
    request = request_from_inputs.with_changes(request, values)
    # What was chosen is what the page trains with; and so is what it showed.
    shown = request_from_inputs.shown_config(request).model_dump()
    assert {name: shown[name] for name in values} == values
    return request


def parsed(argv: list[str]) -> TrainingRequest:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return TrainingRequest.from_options(vars(parser.parse_args([*argv, "--out", "x"])))


def written(request: TrainingRequest, out: Path) -> Config:
    """The Config in the run folder that the trainer makes of a request."""
    start = training_start.begin(request, out, torch.device("cpu"), Team(), unwatched)
    return RunFolder(start.run.path).config()


@pytest.fixture
def no_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer as it is, but that no network is built and no tensor copied, which takes a second each time."""
    monkeypatch.setattr(training_start, "build", lambda config: SimpleNamespace(config=config))
    monkeypatch.setattr(training_start, "moved_to_device", lambda model, device: model)
    for fill in ("load_body", "initialise"):
        monkeypatch.setattr(training_start.weights, fill, lambda model, source: weights.Transfer(0))


@wider
@pytest.mark.parametrize("name", STARTS)
@pytest.mark.usefixtures("no_tensors")
def test_all_ways_give_one_config(name: str, files: Path, labels: Path, tmp_path: Path) -> None:
    posed = KeypointLabels(len(tiny.KEYPOINTS), tiny.KEYPOINTS, ((0, 4), (1, 4), (2, 4), (3, 4)))
    equal = 0
    for number in range(REQUESTS // len(STARTS)):
        request = replace(from_the_page(STARTS[name], files, random.Random(f"{name} {number}")), data=str(labels))
        tasks = request_from_inputs.shown_config(request).tasks
        found = {"classes": ("kite",), "keypoints": posed if "keypoints" in tasks else None}
        page = request_from_inputs.shown_config(request, found)
        ways: dict[str, TrainingRequest] = {
            "command line": parsed(request.to_argv()),
            "argv": TrainingRequest.from_argv(request.to_argv()),
            "JSON": TrainingRequest.from_json(request.to_json()),
        }
        for way, other in ways.items():
            assert other == request, (way, number)
            assert other.config(found, weights.torch_file_network) == page, (way, number)
        assert written(ways["command line"], tmp_path / str(number)) == page, number
        equal += 1
    assert equal == REQUESTS // len(STARTS) > 2


@pytest.mark.parametrize(
    "name",
    ["none", "toy", "a body in a file", "a run"]
    + [pytest.param(name, marks=sweep) for name in STARTS if name not in ("none", "toy", "a body in a file", "a run")],
)
def test_the_trainer_writes_it_with_its_tensors_too(
    name: str, files: Path, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left out: the network is built and filled, where torchvision would download from random tensors."""
    start = STARTS[name]
    if start.path in (FIRST, SECOND):
        pytest.skip("those files hold no whole network here")
    monkeypatch.setattr(transfer, "download_state", lambda found, what: classifier(what.rpartition(" ")[2]))
    monkeypatch.setattr(transfer, "coco_state", random_detector)
    path = str(files / start.path) if start.path and (files / start.path).exists() else start.path
    preset = start.presets[0]
    request = request_from_inputs.request_of_start(preset, ("box", "mask"), start.word, path)
    fields = dict(start.fields)
    if start.path in ("ours.safetensors", "run", "theirs.pth"):  # a person chooses the same network
        fields = fields_of_network(Config.preset("classroom", **FIELDS), ("box", "mask"))
    request = request_from_inputs.with_changes(
        request, {**request_from_inputs.config_of_start(request).model_dump(exclude=set(FOLLOWING_FIELDS)), **fields}
    )
    request = replace(request, data=str(labels))
    page = request_from_inputs.shown_config(request, {"classes": ("kite",), "keypoints": None})
    assert written(parsed(request.to_argv()), tmp_path / "run") == page


def random_detector(builder: str) -> dict[str, torch.Tensor]:
    """Random tensors in the names of one of torchvision's detectors."""
    from torchvision.models import get_model

    with torch.device("meta"):
        state = get_model(builder, weights=None, weights_backbone=None).state_dict()
    return {name: torch.rand(tensor.shape).to(tensor.dtype) for name, tensor in state.items()}


@pytest.mark.parametrize("words", [[], ["--init", "coco"], ["--init", "toy"], ["--backbone-weights", "imagenet"]])
@pytest.mark.usefixtures("no_tensors")
def test_without_a_preset_too(words: list[str], labels: Path, tmp_path: Path) -> None:
    """No page makes such a request; a person on the command line does."""
    request = parsed(["--data", str(labels), *words])
    config = TrainingRequest.from_json(request.to_json()).config({"classes": ("kite",), "keypoints": None})
    assert written(request, tmp_path / "run") == config
    assert (config.backbone == "resnet50_fpn") is ("coco" in words)
