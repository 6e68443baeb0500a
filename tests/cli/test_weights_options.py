"""--init and --backbone-weights of `train`, and networks of torchvision's in the other commands."""

import argparse
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torchvision.models import get_model, resnet18

from maskrcnn.__main__ import main
from maskrcnn.annotations.trainable_check import unwatched
from maskrcnn.cli import train
from maskrcnn.config import Config
from maskrcnn.model.weights import detector_config, save, torch_file_network
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.training.distributed import Team
from maskrcnn.training.training_start import begin
from tests import tiny
from tests.model.small import network
from tests.shipping import CARD, ship


def options(*words: str) -> Any:
    """The parsed options of `train`."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(["--data", "d", "--out", "o", *words] if "--data" not in words else [*words])


def configure(args: argparse.Namespace) -> Config:
    """The Config that parsed options mean."""
    return TrainingRequest.from_options(vars(args)).config(torch_file=torch_file_network)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, a detector of torchvision's making and a body."""
    folder = tmp_path_factory.mktemp("files")
    ours = network(class_names=("cat", "square"), keypoint_names=("nose",), pooling="warp", mask_kind="softmax")
    save(ours, folder / "ours.safetensors", 3)
    torch.save(network(tasks=("box",), class_names=("cat",)).state_dict(), folder / "theirs.pth")
    torch.save(resnet18(weights=None).state_dict(), folder / "body.pth")
    return folder


def test_without_a_preset_init_says_which_network(files: Path) -> None:
    config = configure(options("--init", str(files / "ours.safetensors")))
    assert (config.backbone, config.fpn_channels, config.pooling) == ("mobilenet_v3_small_fpn", 8, "warp")
    assert (config.mask_kind, config.layers, config.norm) == ("softmax", "3+", "frozen")
    # Classes and keypoints will be those of the labels.
    assert (config.class_names, config.num_classes, config.keypoint_names) == ((), 2, ())


def test_what_is_set_holds_against_the_file(files: Path) -> None:
    words = ["--init", str(files / "ours.safetensors"), "--pooling", "pool", "--tasks", "box", "--minutes", "3"]
    config = configure(options(*words, "--layers", "heads", "--set", "learning_rate=0.125"))
    assert (config.pooling, config.tasks, config.minutes, config.epochs) == ("pool", ("box",), 3, None)
    assert (config.layers, config.learning_rate) == ("heads", 0.125)


def test_a_run_says_which_network_and_not_how_it_is_trained(tmp_path: Path) -> None:
    """Network, picture and limits of proposals are the run's; its length, seed and rate were for other labels."""
    chosen = {"image_min_dim": 80, "post_nms_rois_inference": 7, "minutes": 5, "epochs": None, "seed": 9, "ema": 0.5}
    save(network(**chosen, learning_rate=0.25, optimiser="sgd", batch_size=1), tmp_path / "a.safetensors", 1)
    config = configure(options("--init", str(tmp_path / "a.safetensors")))
    assert (config.fpn_channels, config.image_min_dim, config.post_nms_rois_inference) == (8, 80, 7)
    assert (config.minutes, config.epochs, config.seed, config.ema) == (None, 20, 0, 0.0)
    assert (config.learning_rate, config.optimiser, config.batch_size) == (0.0005, "adamw", 4)
    assert configure(options("--init", str(tmp_path / "a.safetensors"), "--epochs", "2")).epochs == 2


def test_a_bare_body_says_the_backbone(files: Path) -> None:
    config = configure(options("--init", str(files / "body.pth")))
    assert config == Config.preset("classroom", backbone="resnet18_fpn", layers="3+")


COCO = {
    "alone": ([], "maskrcnn_resnet50_fpn"),
    "boxes": (["--tasks", "box"], "fasterrcnn_resnet50_fpn"),
    "poses": (["--tasks", "box,keypoints"], "keypointrcnn_resnet50_fpn"),
    "light": (["--backbone", "mobilenet_v3_large_fpn32"], "fasterrcnn_mobilenet_v3_large_fpn"),
    "second": (["--preset", "torchvision-v2"], "maskrcnn_resnet50_fpn_v2"),
}


@pytest.mark.parametrize("kind", COCO)
def test_coco_is_the_network_that_fits(kind: str) -> None:
    words, builder = COCO[kind]
    config, theirs = configure(options("--init", "coco", *words)), detector_config(builder)
    labelled = {"class_names", "num_classes", "keypoint_names", "keypoint_edges", "num_keypoints"}
    assert config.model_dump(exclude=labelled | {"layers"}) == theirs.model_dump(exclude=labelled | {"layers"})


def test_a_preset_keeps_its_word_and_the_norm_keeps_its_eps() -> None:
    config = configure(options("--init", "coco", "--preset", "standard"))
    assert config == Config.preset("standard", layers="3+", norm_eps=0.0)
    assert configure(options("--init", "coco", "--preset", "standard", "--set", "norm_eps=0.5")).norm_eps == 0.5


def test_from_nothing_the_norms_learn_and_with_weights_the_first_layers_rest(files: Path) -> None:
    nothing = configure(options())
    assert (nothing.norm, nothing.layers) == ("batch", "all")
    with_body = configure(options("--backbone-weights", "imagenet"))
    assert (with_body.norm, with_body.layers) == ("frozen", "3+")


def prepared(folder: Path, *words: str, class_name: str = "square") -> tuple[RunFolder, Any, list[str]]:
    """The run that `train` begins with those options, its network, and what the log will say of its weights."""
    labels = tiny.squares(folder / "data", class_name=class_name)
    given = ["--data", str(labels), "--out", str(folder / "run"), "--device", "cpu", "--set", "precision=float32"]
    request = TrainingRequest.from_options(vars(options(*given, *words)))
    start = begin(request, folder / "run", torch.device("cpu"), Team(), unwatched)
    return start.run, start.model, start.lines


def test_what_starts_afresh_is_said(files: Path, tmp_path: Path) -> None:
    run, model, said = prepared(tmp_path, "--init", str(files / "ours.safetensors"), class_name="circle")
    assert said == ["kept ours.safetensors without what it knows of its own classes; 1 class starts afresh"]
    assert run.config() == model.config
    assert model.config.class_names == ("circle",)


def test_a_run_can_start_from_a_bare_body_under_either_name(files: Path, tmp_path: Path) -> None:
    body = str(files / "body.pth")
    _, first, said = prepared(tmp_path / "a", "--init", body, *tiny.SETTINGS)
    assert said == ["took the resnet18 body of body.pth; everything else starts afresh"]
    _, second, said = prepared(tmp_path / "b", "--backbone-weights", body, "--backbone", "resnet18_fpn", *tiny.SETTINGS)
    assert said == ["took the resnet18 body of body.pth; everything else starts afresh"]
    assert first.config == second.config
    # What starts afresh follows from the seed.
    assert all(torch.equal(tensor, second.state_dict()[name]) for name, tensor in first.state_dict().items())
    _, third, _ = prepared(tmp_path / "c", "--init", body, "--seed", "1", *tiny.SETTINGS)
    assert torch.equal(first.backbone.body.conv1.weight, third.backbone.body.conv1.weight)
    assert not torch.equal(first.rpn.head.conv[0][0].weight, third.rpn.head.conv[0][0].weight)


def test_the_log_says_what_was_kept(files: Path, tmp_path: Path) -> None:
    labels, out = tiny.squares(tmp_path / "data"), tmp_path / "run"
    words = ["--data", str(labels), "--out", str(out), "--init", str(files / "ours.safetensors"), "--device", "cpu"]
    assert main(["train", *words, "--epochs", "1"]) == 0
    assert "kept what ours.safetensors knows of square" in RunFolder.open(out).log_tail()


@pytest.fixture(scope="module")
def small_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model that ships, for `shipped_models.FOLDER`: a small network that knows squares."""
    folder = tmp_path_factory.mktemp("data") / "weights"
    torch.manual_seed(1)
    fields = {"norm": "batch", "image_min_dim": 80, "learning_rate": 0.125, "seed": 5, "pre_nms_limit": 33}
    ship(folder, network=network(**fields, class_names=("square", "star")), pictures=("a.png",))
    return folder


def test_a_model_that_ships_brings_its_network_and_nothing_else(
    small_toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", small_toy)
    config = configure(options("--init", "toy"))
    assert (config.backbone, config.fpn_channels, config.pool_size) == ("mobilenet_v3_small_fpn", 8, 3)
    assert (config.norm, config.layers) == (shipped_models.FINE_TUNE["norm"], shipped_models.FINE_TUNE["layers"])
    usual = Config.preset("classroom")
    for field in ("image_min_dim", "learning_rate", "seed", "pre_nms_limit", "num_classes", "keypoint_head_width"):
        assert getattr(config, field) == getattr(usual, field)
    chosen = configure(options("--init", "toy", "--layers", "heads", "--set", "norm=batch"))
    assert (chosen.norm, chosen.layers) == ("batch", "heads")


def test_where_nobody_chose_the_toy_is_the_start(small_toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", small_toy)
    assert configure(options()) == configure(options("--init", "toy"))
    nothing = Config.preset("classroom", norm="batch", layers="all")
    for words in (["--init", "none"], ["--backbone-weights", "none"], ["--preset", "classroom"]):
        assert configure(options(*words)) == nothing
    assert configure(options("--backbone", "resnet18_fpn")) == nothing.replace(backbone="resnet18_fpn")


def test_the_log_says_what_a_training_starts_from_and_why(
    small_toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", small_toy)
    run, model, (why, kept) = prepared(tmp_path / "a")
    assert why.startswith("starts from toy, which ships with the studio: no weights of photographs are at hand")
    assert kept == "kept what toy knows of square"
    known = load_file(small_toy / "toy" / "best.safetensors")["backbone.body.0.0.weight"]
    assert torch.equal(model.state_dict()["backbone.body.0.0.weight"], known.float())
    assert run.config().norm == "frozen"
    _, _, said = prepared(tmp_path / "b", "--init", "none", "--backbone", "mobilenet_v3_small_fpn", *tiny.SETTINGS)
    assert said == []
    _, _, (said,) = prepared(tmp_path / "c", "--backbone", "resnet18_fpn", *tiny.SETTINGS)
    assert said.startswith("starts from nothing: no weights that fit")


def test_the_body_of_a_model_that_ships_can_be_a_start(
    small_toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", small_toy)
    words = ["--backbone-weights", "toy", "--backbone", "mobilenet_v3_small_c5", "--set", "fpn_channels=16"]
    _, model, said = prepared(tmp_path, *words, "--set", "box_head_width=16", "--set", "mask_head_width=8")
    assert said == ["took the mobilenet_v3_small body of toy; everything else starts afresh"]
    known = load_file(small_toy / "toy" / "best.safetensors")["backbone.body.0.0.weight"]
    assert torch.equal(model.state_dict()["backbone.body.0.0.weight"], known.float())
    assert (model.config.norm, model.config.layers) == (
        shipped_models.FINE_TUNE["norm"],
        shipped_models.FINE_TUNE["layers"],
    )


def test_a_preset_of_another_network_does_not_fit_a_model_that_ships(
    small_toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", small_toy)
    words = ["train", "--data", str(tiny.squares(tmp_path / "data")), "--out", str(tmp_path / "run")]
    refused([*words, "--preset", "classroom", "--init", "toy"], 1, "toy does not fit", capsys, tmp_path / "run")
    refused([*words, "--init", "toys"], 2, "what ships with the studio: toy", capsys, tmp_path / "run")


def test_a_model_that_ships_predicts_and_says_so(
    small_toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", small_toy)
    tiny.squares(tmp_path / "toy", pictures=1)
    monkeypatch.chdir(tmp_path)  # a folder of that name is "./toy"
    assert main(["predict", "toy", "toy/square0.png", "--out", "out", "--device", "cpu"]) == 0
    said = "model: toy, ships with the studio, written after epoch 3: mobilenet_v3_small_fpn, finds square, star\n"
    assert said in capsys.readouterr().out
    assert Path("out/square0.png").is_file()
    refused(["predict", "./toy", "toy/square0.png", "--out", "o"], 2, "is not a run folder", capsys, Path("o"))


def test_info_prints_the_card_first(
    small_toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", small_toy)
    assert main(["info", "toy"]) == 0
    card, _, table = capsys.readouterr().out.partition("\n\n")
    lines = {line[:15].strip(): line[15:] for line in card.splitlines()}
    assert lines["toy"] == CARD["what"]
    assert lines["learned from"] == "10,000 pictures of the toy world shapes, seed 1000"
    assert lines["trained for"] == "3 epochs, seed 0, 1:08:20 on 2 cores of a laptop"
    assert lines["made by"] == "python -m maskrcnn.toys.weights toy"
    assert lines["masks"] == "AP 0.700 [0.680, 0.720],  AP50 0.875,  AP75 0.750"
    assert "keypoints" not in lines
    assert lines["limits"] == CARD["limits"]
    assert f"{'FPN_CHANNELS':29}8\n" in table
    assert main(["info", "toy", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["card"] == CARD
    assert about["config"]["fpn_channels"] == 8


def refused(words: list[str], status: int, part: str, capsys: pytest.CaptureFixture[str], out: Path) -> None:
    """The command ends with that status, one line that holds `part`, and no run folder."""
    capsys.readouterr()
    assert main(words) == status
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1, error
    assert part in error
    assert not out.exists()


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("exploded").touch, ())


@pytest.mark.parametrize("option", ["--init", "--backbone-weights"])
@pytest.mark.parametrize("kind", ["pickle", "cut", "empty", "missing"])
def test_a_bad_file_is_one_line_and_leaves_nothing(
    option: str, kind: str, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = tiny.squares(tmp_path / "data")
    content = {"pickle": pickle.dumps(Bomb()), "cut": (files / "body.pth").read_bytes()[:5000], "empty": b""}
    if kind in content:
        Path("bad.pth").write_bytes(content[kind])
    words = ["train", "--data", str(labels), "--out", "run", option, "bad.pth"]
    refused(words, 2 if kind == "missing" else 1, "bad.pth", capsys, Path("run"))
    assert not Path("exploded").exists()


def test_a_network_of_another_shape_is_listed(files: Path, tmp_path: Path, capsys: Any) -> None:
    words = ["train", "--data", str(tiny.squares(tmp_path / "data")), "--out", str(tmp_path / "run")]
    words += ["--init", str(files / "ours.safetensors"), "--set", "fpn_channels=16"]
    refused(words, 1, "(8, 16, 1, 1) in the file, (16, 16, 1, 1) here", capsys, tmp_path / "run")
    refused(words, 1, "it was trained with fpn_channels=8: set that too", capsys, tmp_path / "run")


def test_predict_and_info_take_a_file_of_torchvisions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The name makes it COCO's light network, with COCO's classes."""
    torch.manual_seed(0)
    model = get_model("fasterrcnn_mobilenet_v3_large_320_fpn", weights=None, weights_backbone=None)
    bias = torch.zeros(91)
    bias[18] = 20  # COCO's 18 is dog: the network sees nothing else
    model.roi_heads.box_predictor.cls_score.bias.data = bias
    path = tmp_path / "fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth"
    torch.save(model.state_dict(), path)
    tiny.squares(tmp_path, pictures=1)
    out = tmp_path / "out"
    assert main(["predict", str(path), str(tmp_path / "square0.png"), "--out", str(out), "--device", "cpu"]) == 0
    found = json.loads((out / "detections.json").read_text())
    assert {(entry["category_id"], entry["category_name"]) for entry in found} == {(18, "dog")}
    capsys.readouterr()
    assert main(["info", str(path)]) == 0
    assert "torchvision's fasterrcnn_mobilenet_v3_large_320_fpn, COCO_V1" in capsys.readouterr().out
