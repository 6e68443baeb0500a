"""What the Launch page works out, without the page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations.skeletons import KeypointLabels
from maskrcnn.cli import train
from maskrcnn.config import BACKBONES, LAYERS, LOSSES, MASK_HEADS, MASK_KINDS, POOLINGS, PRESETS, Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs import initial_weights, project_runs, torchvision_catalogue, weights_misfit
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.torchvision_catalogue import COCO_DETECTORS, require_coco_detector
from maskrcnn.studio.launch import initial_weights_inputs, network_inputs, request_from_inputs, summary, training_inputs
from maskrcnn.workspace import folder_name
from tests.shipping import ship


def test_names_count_on(tmp_path: Path) -> None:
    assert project_runs.free_run_name(tmp_path / "none", "My cells!") == "my-cells-0001"
    for name in ("cells-0002", "cells-0009", "cells-x", "other-0044"):
        (tmp_path / name).mkdir()
    assert project_runs.free_run_name(tmp_path, "cells") == "cells-0010"


@pytest.mark.parametrize("name", ["", "  ", "a/b", "..", ".hidden", "a\\b", "ends."])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError):
        folder_name(name, "run")


def test_every_field_of_the_config_is_offered_once() -> None:
    offered = [
        *training_inputs.MAIN_FIELDS,
        *(name for names in training_inputs.MORE_FIELDS.values() for name in names),
    ]
    assert sorted([*offered, *training_inputs.FOLLOWING_FIELDS]) == sorted(Config.model_fields)


def test_every_choice_has_words() -> None:
    for labels, keys in (
        (network_inputs.PRESET_WORDS, PRESETS),
        (network_inputs.POOLING_WORDS, POOLINGS),
        (network_inputs.MASK_HEAD_WORDS, MASK_HEADS),
        (network_inputs.MASK_KIND_WORDS, MASK_KINDS),
        (training_inputs.LAYER_WORDS, LAYERS),
        (training_inputs.LEARNING_WORDS, LAYERS),
        (network_inputs.BODY_WORDS, network_inputs.BODIES),
    ):
        assert set(labels) == set(keys)


def test_body_and_kind_make_every_backbone_and_no_other() -> None:
    assert [f"{body}_{kind}" for body, kinds in network_inputs.BODIES.items() for kind in kinds] == list(BACKBONES)
    assert {kind for kinds in network_inputs.BODIES.values() for kind in kinds} == set(network_inputs.KIND_WORDS)


def page_request(preset: str, changes: dict[str, Any], start: str = "none", path: str = "") -> TrainingRequest:
    """The request of the page where these inputs were changed and all others hold what they held at first."""
    tasks = tuple(changes.get("tasks", Config.preset(preset).tasks))
    request = request_from_inputs.request_of_start(preset, tasks, start, path)
    shown = request_from_inputs.config_of_start(request).model_dump(exclude=set(training_inputs.FOLLOWING_FIELDS))
    return request_from_inputs.with_changes(request, {**shown, **changes})


LABELS: dict[str, Any] = {"classes": ("a", "b"), "keypoints": None}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"epochs": 3},
        {"epochs": None, "minutes": 2.5},
        {"epochs": 100, "patience": 5, "layers": "heads:0.4,4+:0.2,all:0.4:0.2"},
        {"layers": "heads,all", "ema": 0.99, "crop": 0.3, "copy_paste": 0.5, "tensorboard": True},
        {"picture_cache_mb": 0, "loader_threads": 2, "checkpoints_kept": 0},
        {"pooling": "warp", "layers": "4+", "backbone": "resnet18_c4", "seed": 7, "compile": True},
        {"tasks": ("box", "mask", "keypoints"), "mask_head": "mlp", "mask_kind": "softmax", "keypoint_head_depth": 2},
        {"learning_rate": 0.001, "optimiser": "sgd", "batch_size": 1, "norm": "batch"},
        {"rpn_anchor_scales": (16, 32, 64, 128, 256), "rpn_anchor_ratios": (1.0,), "pre_nms_limit_training": 900},
        {"mask_pool_size": 7, "steps_per_epoch": None, "loss_weights": {**dict.fromkeys(LOSSES, 1.0), LOSSES[0]: 2.0}},
    ],
)
@pytest.mark.parametrize("start", ["none", "imagenet"])
def test_the_command_line_means_the_same_config(preset: str, changes: dict[str, Any], start: str) -> None:
    """The page shows these values; the options that it hands on are read by the trainer's own parser."""
    request = page_request(preset, changes, start)
    shown = request_from_inputs.shown_config(request, LABELS)
    for name, value in changes.items():
        assert getattr(shown, name) == value
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    read = TrainingRequest.from_options(vars(parser.parse_args([*request.to_argv(), "--out", "x"])))
    assert read == request
    assert read.config(LABELS) == shown


@pytest.mark.parametrize("preset", ["classroom", "standard"])
@pytest.mark.parametrize(
    "changes", [{}, {"norm": "batch", "layers": "heads"}, {"pooling": "pool", "image_min_dim": 100}]
)
def test_a_model_that_ships_brings_its_network_to_the_command_line(
    preset: str, changes: dict[str, Any], weights_folder: Path
) -> None:
    """The page shows the network of the toy; the trainer's reading of what it passes on must be that network."""
    ship(weights_folder, backbone="resnet18_slim_fpn", fpn_channels=64)
    request = page_request(preset, changes, "toy")
    request.require_files()
    options = request.to_argv()
    assert options[options.index("--init") + 1] == "toy"
    read = TrainingRequest.from_argv(options).config(LABELS)
    assert (read.backbone, read.fpn_channels) == ("resnet18_slim_fpn", 64)
    assert read.image_max_dim == Config.preset(preset).image_max_dim
    assert read == request_from_inputs.shown_config(request, LABELS)
    request.require_fit(read)
    other = page_request(preset, {**changes, "fpn_channels": 32}, "toy")
    with pytest.raises(ArgumentError, match="toy needs fpn_channels = 64, here it is 32"):
        other.require_fit(request_from_inputs.shown_config(other, LABELS))


def test_the_eps_of_coco_weights_is_shown_and_trained_with() -> None:
    """The first generation was trained with 0; a norm that learns has at least the usual one."""
    shown = {
        (preset, norm): request_from_inputs.shown_config(
            page_request(preset, {"norm": norm, "norm_eps": eps}, "coco")
        ).norm_eps
        for preset, norm, eps in (
            ("torchvision", "frozen", 0.0),
            ("torchvision", "batch", 1e-5),
            ("torchvision-v2", "batch", 1e-5),
        )
    }
    assert shown == {("torchvision", "frozen"): 0.0, ("torchvision", "batch"): 1e-5, ("torchvision-v2", "batch"): 1e-5}
    assert (
        request_from_inputs.config_of_start(
            request_from_inputs.request_of_start("torchvision", ("box",), "coco", "")
        ).norm_eps
        == 0.0
    )
    # Whoever sets another one gets it.
    chosen = page_request("torchvision", {"norm_eps": 1e-5}, "coco")
    assert chosen.changed["norm_eps"] == request_from_inputs.shown_config(chosen).norm_eps == 1e-5


def test_the_preset_for_small_machines_starts_from_what_ships(weights_folder: Path) -> None:
    classroom = Config.preset("classroom")
    assert "toy" not in initial_weights_inputs.offered_weights()
    ship(weights_folder, backbone="resnet18_slim_fpn")
    assert list(initial_weights_inputs.offered_weights()) == ["imagenet", "coco", "toy", "file", "network", "none"]
    assert initial_weights_inputs.default_weights("classroom", classroom) == "toy"
    assert initial_weights_inputs.default_weights("standard", Config.preset("standard")) == "none"
    assert "mask AP 0.700" in initial_weights_inputs.weights_note("toy", classroom)
    # A model that is not in the list is a whole network by its name.
    ship(weights_folder, "toy-other")
    assert initial_weights_inputs.weights_and_init("network", " toy-other ") == ("none", "toy-other")


def test_what_was_not_changed_is_not_passed_on() -> None:
    default = Config.preset("classroom")
    values = {"epochs": 20, "minutes": None, "pooling": "pool", "learning_rate": default.learning_rate}
    request = request_from_inputs.request_of_start("classroom", default.tasks, "none", "")
    assert request_from_inputs.with_changes(request, values).changed == {"pooling": "pool"}


@pytest.mark.parametrize("field", ["layers", "norm"])
@pytest.mark.parametrize("start", ["none", "imagenet"])
def test_a_choice_that_is_the_preset_s_holds_against_the_usual_one(field: str, start: str) -> None:
    value = getattr(Config.preset("classroom"), field)
    assert getattr(request_from_inputs.shown_config(page_request("classroom", {field: value}, start)), field) == value


@pytest.mark.parametrize("path", ["", "/no/run"])
def test_a_file_that_is_not_there_yet_leaves_the_page_as_the_preset_says(path: str) -> None:
    for start in ("file", "network"):
        request = page_request("classroom", {}, start, path)
        assert not request.has_files()
        assert request_from_inputs.shown_config(request) == Config.preset("classroom", layers="3+")


def test_a_file_that_holds_no_network_is_an_error_of_the_request(tmp_path: Path) -> None:
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    request = page_request("classroom", {}, "network", str(tmp_path / "junk.safetensors"))  # the inputs are drawn
    with pytest.raises(StudioError, match="cannot be read as a checkpoint"):
        request_from_inputs.shown_config(request)


def test_a_run_can_be_what_the_whole_network_knows(tmp_path: Path) -> None:
    request = request_from_inputs.request_of_start("classroom", ("box",), "network", f" {tmp_path} ")
    request.require_files()
    options = request.to_argv()
    assert options[options.index("--init") + 1] == str(tmp_path.resolve())
    assert options[options.index("--backbone-weights") + 1] == "none"


def test_what_the_labels_say_of_keypoints_is_in_the_config() -> None:
    five = KeypointLabels(5, ("a", "b", "c", "d", "e"), ((0, 1), (3, 4)))
    request = page_request("classroom", {"tasks": ("box", "keypoints")})
    config = request.config({"classes": ("leaf",), "keypoints": five})
    assert (config.num_keypoints, config.keypoint_names, config.keypoint_edges) == (5, five.names, five.edges)
    assert summary.network_in_short(config).startswith("Keypoint R-CNN")
    assert summary.network_in_short(config).endswith("5 keypoints")


@pytest.mark.parametrize(
    ("preset", "tasks", "builder"),
    [
        ("torchvision", ("box", "mask"), "maskrcnn_resnet50_fpn"),
        ("torchvision", ("box",), "fasterrcnn_resnet50_fpn"),
        ("torchvision", ("box", "keypoints"), "keypointrcnn_resnet50_fpn"),
        ("standard", ("box", "mask", "keypoints"), "maskrcnn_resnet50_fpn"),  # its smaller keypoint head starts afresh
        ("standard", ("box", "mask"), "maskrcnn_resnet50_fpn"),
        ("torchvision-v2", ("box", "mask"), "maskrcnn_resnet50_fpn_v2"),
        ("torchvision-v2", ("box",), "fasterrcnn_resnet50_fpn_v2"),
        ("torchvision-mobilenet", ("box",), "fasterrcnn_mobilenet_v3_large_fpn"),
        ("torchvision-mobilenet-320", ("box",), "fasterrcnn_mobilenet_v3_large_320_fpn"),
    ],
)
def test_coco_weights_are_those_that_the_trainer_takes(
    preset: str, tasks: tuple[str, ...], builder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """torchvision is the oracle for how their file is called."""
    from torchvision.models import get_model_weights

    request = page_request(preset, {"tasks": tasks}, "coco")
    config = request.config(LABELS)
    request.require_fit(config)
    assert torchvision_catalogue.nearest_coco_detector(config) == require_coco_detector(config) == builder
    assert torchvision_catalogue.coco_network_fields(builder)[0] == COCO_DETECTORS[builder][0]
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    keep(tmp_path, get_model_weights(builder)["COCO_V1"].url)
    assert initial_weights.usual_weights(config).init == "coco"


@pytest.mark.parametrize("number", [None, 0, -1])
def test_a_run_has_a_length(number: float | None) -> None:
    with pytest.raises(StudioError, match="length of the run"):
        training_inputs.fields_of_length_inputs("minutes", number)
    with pytest.raises(StudioError, match="patience of the run"):
        training_inputs.fields_of_length_inputs("until", 100, number)


def test_the_three_lengths() -> None:
    assert training_inputs.fields_of_length_inputs("epochs", 20) == {"epochs": 20, "minutes": None, "patience": None}
    assert training_inputs.fields_of_length_inputs("minutes", 2.5) == {"epochs": None, "minutes": 2.5, "patience": None}
    assert training_inputs.fields_of_length_inputs("until", 100, 5) == {"epochs": 100, "minutes": None, "patience": 5}
    assert training_inputs.length_in_seconds(training_inputs.fields_of_length_inputs("minutes", 2.5)) == 150
    assert training_inputs.length_in_seconds(training_inputs.fields_of_length_inputs("epochs", 20)) is None


def test_a_schedule_is_explained() -> None:
    assert training_inputs.schedule_in_words("heads:0.4,4+:0.2,all:0.4:0.5") == (
        "The heads for 40% of the run, then stage 4 and up for 20% of the run at 0.1 of the learning rate, then all "
        "layers for 40% of the run at 0.5 of the learning rate."
    )
    assert training_inputs.schedule_in_words("all") == ""
    assert training_inputs.schedule_in_words("heads,nonsense") == ""
    for schedule in training_inputs.SCHEDULE_WORDS:
        assert training_inputs.schedule_in_words(schedule)


def test_what_the_machine_can_do_decides_the_preset() -> None:
    assert network_inputs.recommended_preset(["cpu"]) == network_inputs.recommended_preset(["mps"]) == "classroom"
    assert network_inputs.recommended_preset(["cuda:0", "cuda:1"]) == "standard"
    assert "no graphics card" in network_inputs.machine_in_words(["cpu"])
    assert "2 graphics cards" in network_inputs.machine_in_words(["cuda:0", "cuda:1"])


def keep(torch_home: Path, url: str) -> None:
    """As if torch had downloaded that file."""
    folder = torch_home / "hub" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / url.rsplit("/", 1)[1]).touch()


def test_what_is_proposed_needs_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    small, large = Config.preset("classroom"), Config.preset("torchvision")
    assert initial_weights_inputs.default_weights("classroom", small) == "none"
    assert initial_weights_inputs.default_weights("torchvision", large) == "none"
    assert "will be downloaded" in initial_weights_inputs.weights_note("imagenet", small)
    keep(tmp_path, "x/mobilenet_v2-b0353104.pth")
    assert initial_weights_inputs.default_weights("classroom", small) == "imagenet"
    assert initial_weights_inputs.default_weights("torchvision", large) == "none"
    assert "on this machine" in initial_weights_inputs.weights_note("imagenet", small)
    keep(tmp_path, "x/maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth")
    assert initial_weights_inputs.default_weights("classroom", small) == "imagenet"
    assert initial_weights_inputs.default_weights("torchvision", large) == "coco"


@pytest.mark.parametrize("body", [body for body in network_inputs.BODIES if body not in weights_misfit.NEVER_TRAINED])
def test_torchvision_keeps_its_files_where_we_look(body: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """torch and torchvision themselves are the oracle: the folder, and the names of the files."""
    import torch
    from torchvision.models import get_model_weights

    from maskrcnn.model.backbones import BODIES

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert Path(torch.hub.get_dir()) == tmp_path / "hub"
    config = Config.preset("classroom", backbone=f"{body}_c4")
    assert initial_weights.usual_weights(config).weights == "none"
    keep(tmp_path, get_model_weights(BODIES[body].network)["IMAGENET1K_V1"].url)
    assert initial_weights.usual_weights(config).weights == "imagenet"
