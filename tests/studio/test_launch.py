"""What the Launch page works out, without the page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.regions import Point, Polygon, Region
from maskrcnn.annotations.store import Project
from maskrcnn.cli import train
from maskrcnn.config import LOSSES, PRESETS, Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.studio import launch, session
from maskrcnn.studio.launch import Choices
from maskrcnn.training.labels import training_documents

TRIANGLE = Polygon(((5, 5), (40, 8), (20, 40)))


def project(folder: Path, **splits: list[list[Region]]) -> Project:
    """A project with one grey picture per list of regions."""
    made = Project.create(folder)
    for split, pictures in splits.items():
        data = cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
        made.add_pictures([(f"{split}{number}.png", data) for number in range(len(pictures))], split)  # type: ignore[arg-type]
        for image, regions in zip(made.images(split), pictures, strict=True):  # type: ignore[arg-type]
            if regions:
                made.save(image.id, regions, image.revision)
    return made


def test_material_counts_what_can_be_learned_from(tmp_path: Path) -> None:
    cell, leaf, point = Region(TRIANGLE, "cell"), Region(TRIANGLE, "leaf"), Region(Point(3, 3), "cell")
    made = project(tmp_path / "p", train=[[cell, leaf], [], [point], []], val=[[cell]])
    made.set_done(made.images("train")[3].id, True)
    found = launch.material(made)
    assert found.train == launch.Split(pictures=3, regions=2, left_out=1)
    assert found.val == launch.Split(pictures=1, regions=1, left_out=0)
    assert (found.classes, found.nameless, found.unknown, found.lines) == (("cell", "leaf"), 0, (), 1)
    assert found.obstacles() == []
    assert [warning for warning in found.warnings() if "1 point or line has" in warning]
    assert "1 picture is left out" in launch.in_words(found)


def test_material_is_what_the_trainer_takes(tmp_path: Path) -> None:
    cell = Region(TRIANGLE, "cell")
    made = project(tmp_path / "p", train=[[cell, cell], [], []], val=[[cell], []])
    made.set_done(made.images("train")[1].id, True)
    taken = training_documents(made.folder, None, None, made.runs_folder / "x")
    found = launch.material(made)
    assert found.classes == taken["classes"]
    for split, document in ((found.train, taken["train"]), (found.val, taken["val"])):
        assert (split.pictures, split.regions) == (len(document["images"]), len(document["annotations"]))


@pytest.mark.parametrize(
    ("training", "validation", "said"),
    [
        ([], [], "no training picture"),
        ([[]], [], "no region to learn from"),
        ([[Region(Point(3, 3), "cell")]], [], "no region to learn from"),
        ([[Region(TRIANGLE, None)]], [], "1 region has no class"),
        ([[Region(TRIANGLE, "cell")]], [[Region(TRIANGLE, "leaf")]], 'Class "leaf" is in the validation pictures'),
    ],
)
def test_what_stands_in_the_way_is_said_with_its_mend(
    tmp_path: Path, training: list[list[Region]], validation: list[list[Region]], said: str
) -> None:
    found = launch.material(project(tmp_path / "p", train=training, val=validation))
    assert any(said in obstacle for obstacle in found.obstacles())


def test_no_validation_pictures_is_a_warning_only(tmp_path: Path) -> None:
    found = launch.material(project(tmp_path / "p", train=[[Region(TRIANGLE, "cell")]]))
    assert found.obstacles() == []
    assert "no labelled validation picture" in found.warnings()[0]


def test_names_count_on(tmp_path: Path) -> None:
    assert launch.free_name(tmp_path / "none", "My cells!") == "my-cells-0001"
    for name in ("cells-0002", "cells-0009", "cells-x", "other-0044"):
        (tmp_path / name).mkdir()
    assert launch.free_name(tmp_path, "cells") == "cells-0010"


@pytest.mark.parametrize("name", ["", "  ", "a/b", "..", ".hidden", "a\\b", "ends."])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError):
        session.folder_name(name, "run")


def test_every_field_of_the_config_is_offered_once() -> None:
    offered = [*launch.MAIN_FIELDS, *(name for names in launch.MORE_FIELDS.values() for name in names)]
    assert sorted([*offered, *launch.FOLLOWING_FIELDS]) == sorted(Config.model_fields)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"epochs": 3},
        {"epochs": None, "minutes": 2.5},
        {"pooling": "pool", "layers": "4+", "backbone": "resnet18_fpn", "seed": 7},
        {"learning_rate": 0.001, "optimiser": "sgd", "batch_size": 1, "norm": "batch"},
        {"rpn_anchor_scales": (16, 32, 64, 128, 256), "rpn_anchor_ratios": (1.0,), "pre_nms_limit_training": 900},
        {"mask_pool_size": 7, "steps_per_epoch": None, "loss_weights": {**dict.fromkeys(LOSSES, 1.0), LOSSES[0]: 2.0}},
    ],
)
@pytest.mark.parametrize("start", ["none", "imagenet"])
def test_the_command_line_means_the_same_config(preset: str, changes: dict[str, Any], start: str) -> None:
    """The trainer's own reading of the options is the oracle."""
    choices = Choices(preset, changes, *launch.weights_and_init(start, ""))
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    read = train.configure(parser.parse_args([*choices.options(Path("p")), "--out", "x"]))
    assert read.replace(class_names=("a", "b"), num_classes=3) == choices.config(("a", "b"))


def test_what_was_not_changed_is_not_passed_on() -> None:
    default = Config.preset("classroom")
    values = {"epochs": 20, "minutes": None, "pooling": "pool", "learning_rate": default.learning_rate}
    assert launch.changed("classroom", values) == {"pooling": "pool"}


def test_without_any_weights_everything_learns() -> None:
    scratch, known = (
        Choices("classroom", {}).config(("a",)),
        Choices("classroom", {}, weights="imagenet").config(("a",)),
    )
    assert (scratch.norm, scratch.layers) == ("batch", "all")
    assert (known.norm, known.layers) == ("frozen", "3+")
    chosen = Choices("classroom", {"norm": "frozen", "layers": "heads"}).config(("a",))
    assert (chosen.norm, chosen.layers) == ("frozen", "heads")


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (Choices("classroom", {"learning_rate": -1}), "learning_rate"),
        (Choices("classroom", {"epochs": None}), "either epochs or minutes"),
        (Choices("classroom", {"image_min_dim": 2000}), "image_min_dim"),
        (Choices("classroom", {}, weights="/no/such.pth"), "/no/such.pth: there is no such file"),
        (Choices("classroom", {}, weights=""), "there is no such file"),
        (Choices("classroom", {}, init="coco"), "COCO weights need backbone = resnet50_fpn"),
        (Choices("torchvision", {"mask_head_width": 128}, init="coco"), "COCO weights need mask_head_width"),
    ],
)
def test_choices_that_cannot_be_are_refused_before_the_start(choices: Choices, said: str) -> None:
    with pytest.raises(StudioError, match=said):
        choices.config(("a",))


@pytest.mark.parametrize("field", ["layers", "norm"])
@pytest.mark.parametrize("start", ["none", "imagenet"])
def test_a_choice_that_is_the_preset_s_holds_against_the_usual_one(field: str, start: str) -> None:
    value = getattr(Config.preset("classroom"), field)
    choices = Choices("classroom", launch.changed("classroom", {field: value}), weights=start)
    assert getattr(choices.config(("a",)), field) == value


def test_coco_weights_fit_the_presets_of_their_shape() -> None:
    for preset in ("torchvision", "standard"):
        assert Choices(preset, {}, init="coco").config(("a",)).backbone == "resnet50_fpn"


@pytest.mark.parametrize("number", [None, 0, -1])
def test_a_run_has_a_length(number: float | None) -> None:
    with pytest.raises(StudioError, match="length of the run"):
        launch.length("minutes", number)


def test_what_is_proposed_needs_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert launch.usual_start("classroom", "mobilenet_v2_fpn") == "none"
    assert "will be downloaded" in launch.start_note("imagenet", "mobilenet_v2_fpn")
    kept = tmp_path / "hub" / "checkpoints"
    kept.mkdir(parents=True)
    (kept / "mobilenet_v2-b0353104.pth").touch()
    assert launch.usual_start("classroom", "mobilenet_v2_fpn") == "imagenet"
    assert launch.usual_start("classroom", "resnet50_fpn") == "none"
    assert "on this machine" in launch.start_note("imagenet", "mobilenet_v2_fpn")
    (kept / "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth").touch()
    assert launch.usual_start("torchvision", "resnet50_fpn") == "coco"
    assert launch.usual_start("classroom", "resnet50_fpn") == "none"


def test_torchvision_keeps_its_files_where_we_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """torch and torchvision themselves are the oracle: the folder, and the names of the files."""
    import torch
    from torchvision.models import get_model_weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    kept = Path(torch.hub.get_dir()) / "checkpoints"
    kept.mkdir(parents=True)
    for network, name in (
        ("mobilenet_v2", "IMAGENET1K_V1"),
        ("resnet18", "IMAGENET1K_V1"),
        ("resnet50", "IMAGENET1K_V1"),
        ("maskrcnn_resnet50_fpn", "COCO_V1"),
    ):
        known = launch.COCO_WEIGHTS if name == "COCO_V1" else network
        assert not launch.is_downloaded(known)
        (kept / get_model_weights(network)[name].url.rsplit("/", 1)[1]).touch()
        assert launch.is_downloaded(known)
