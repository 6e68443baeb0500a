"""The Launch page without a browser. Nothing is trained here: what it would start is caught."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.regions import Keypoints, Polygon, Region
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config, parse_settings
from maskrcnn.jobs import cost_measurement, devices, known_costs, queue
from maskrcnn.jobs.backend import Training
from maskrcnn.runs.cost_estimate import Costs
from maskrcnn.runs.trainer_process import TRAINER
from maskrcnn.studio.launch import doctor_summary, duration_estimate
from maskrcnn.studio.launch.training_inputs import MORE
from tests.shipping import ship

LAUNCH = "pages/train/launch.py"


def make_project(folder: Path, class_name: str | None = "cell", regions: bool = True) -> Project:
    project = Project.create(folder)
    project.add_pictures([("a.png", cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())], "train")
    image = project.images()[0]
    if regions:
        project.save(image.id, [Region(Polygon(((5, 5), (40, 8), (20, 40))), class_name)], image.revision)
    return project


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer without a graphics card, whatever the tests run on."""
    monkeypatch.setattr(devices, "available", lambda: ("cpu",))


def open_launch(root: Path, more: bool = True) -> AppTest:
    """`more`: with the section of further fields open."""
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    if more:
        app.session_state[MORE] = True
    app = app.switch_page(LAUNCH).run()
    assert not app.exception
    return app


def widget(widgets: Sequence[Any], label: str) -> Any:
    return next(element for element in widgets if element.label == label)


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def press_start(app: AppTest) -> AppTest:
    return app.button(key="launch-start").click().run()


def option(options: list[str], name: str) -> str:
    return options[options.index(name) + 1]


def test_it_says_what_it_learns_from(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    [table] = app.dataframe
    assert table.value.values.tolist() == [["pictures", "1", "0"], ["objects", "1", "0"], ["cell", "⚠ 1", "0"]]
    assert "there is one picture only" in app.warning[0].value.lower()
    assert "there is no validation set" in app.warning[0].value.lower()
    assert widget(app.text_input, "Name of the run").value == "cells-0001"


def test_a_validation_set_is_kept_back_in_one_click_and_given_back(root: Path, workspace: Path) -> None:
    project = make_project(workspace / "cells")
    noise = np.random.default_rng(0).integers(0, 255, (14, 48, 64, 3), dtype=np.uint8)
    project.add_pictures([(f"b{n}.png", cv2.imencode(".png", noise[n])[1].tobytes()) for n in range(14)], "train")
    for image in project.images()[1:10]:
        project.save(image.id, [Region(Polygon(((5, 5), (40, 8), (20, 40))), "cell")], image.revision)
    app = open_launch(root)
    assert "Nothing to validate on" in words(app)
    widget(app.button, "Keep 2 of 10 pictures back").click().run()  # a fifth of the labelled ones; 5 wait for labels
    assert not app.exception
    kept = [image for image in project.images() if image.split == "val"]
    assert (len(kept), all(image.n_regions for image in kept)) == (2, True)
    assert "Nothing to validate on" not in words(app)
    assert "2 of 10 pictures are kept back to validate on." in [element.value for element in app.success]
    widget(app.button, "Undo this split").click().run()
    assert {image.split for image in project.images()} == {"train"}
    assert "Nothing to validate on" in words(app)


@pytest.mark.parametrize("preset", ["classroom", "torchvision-v2"])
def test_fields_that_are_not_opened_have_the_values_that_they_would_show(
    root: Path, workspace: Path, started: list[Training], preset: str
) -> None:
    make_project(workspace / "cells")
    inputs = []
    for more in (True, False):
        app = open_launch(root, more)
        widget(app.selectbox, "Preset").set_value(preset).run()
        inputs.append(len(app.number_input))
        assert not press_start(app).exception
    assert inputs[0] > inputs[1] + 20
    opened, folded = started
    assert folded.request.to_argv() == opened.request.to_argv()


def test_what_was_entered_stays_when_the_section_is_folded(
    root: Path, workspace: Path, started: list[Training]
) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.number_input, "image_min_dim").set_value(128).run()
    app.session_state[MORE] = False
    app.run()
    press_start(app)
    assert "image_min_dim=128" in started[0].request.to_argv()


def test_start_passes_the_choices_on_and_goes_to_runs(root: Path, workspace: Path, started: list[Training]) -> None:
    project = make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.number_input, "Epochs").set_value(2).run()
    widget(app.selectbox, "Backbone").set_value("resnet18").run()
    app.button_group(key="launch-classroom-fpn-c4-c5").set_value("c4").run()
    widget(app.selectbox, "Initial weights").set_value("none").run()
    widget(app.number_input, "image_min_dim").set_value(128).run()
    widget(app.text_input, "Name of the run").input("first try").run()
    app = press_start(app)
    assert not app.exception
    [call] = started
    options = call.request.to_argv()
    assert call.run.path == project.runs_folder / "first try"
    assert option(options, "--data") == str(project.folder)
    assert option(options, "--preset") == "classroom"
    assert option(options, "--epochs") == "2"
    assert option(options, "--backbone") == "resnet18_c4"
    assert "--tasks" not in options
    assert option(options, "--backbone-weights") == "none"
    assert option(options, "--layers") == "all"
    assert [options[at + 1] for at, word in enumerate(options) if word == "--set"] == [
        'norm="batch"',
        "image_min_dim=128",
    ]
    # The run was not really made, so the page of runs has nothing to show yet.
    assert "Nothing was trained" in words(app)


def test_only_kinds_of_maps_that_exist_are_offered(root: Path, workspace: Path) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.selectbox, "Backbone").set_value("alexnet").run()
    assert app.button_group(key="launch-classroom-fpn-c4").options == ["pyramid", "one map, stride 16"]
    widget(app.selectbox, "Backbone").set_value("mobilenet_v3_large").run()
    app.button_group(key="launch-classroom-fpn-fpn32-c4-c5").set_value("fpn32").run()
    assert not app.exception
    assert not app.error  # five anchor scales on three maps: every scale on each


def test_what_is_found_decides_what_is_asked(root: Path, workspace: Path, started: list[Training]) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    boxes, masks, keypoints = app.toggle
    assert (boxes.value, boxes.disabled) == (True, True)
    assert (masks.value, masks.disabled) == (True, False)
    assert (keypoints.value, keypoints.disabled) == (False, True)
    assert "has keypoints" in keypoints.help
    assert [element for element in app.number_input if element.label == "mask_head_width"]
    assert not [element for element in app.number_input if element.label == "keypoint_head_width"]
    masks.set_value(False).run()
    assert not [element for element in app.number_input if element.label == "mask_head_width"]
    assert "Faster R-CNN" in words(app)
    press_start(app)
    options = started[0].request.to_argv()
    assert option(options, "--tasks") == "box"


def test_keypoints_can_be_learned_where_there_are_some(root: Path, workspace: Path, started: list[Training]) -> None:
    project = make_project(workspace / "cells")
    (region,), revision = project.regions(project.images()[0].id)
    posed = replace(region, keypoints=Keypoints(((10, 10, 2), (20, 20, 1), (30, 12, 2))))
    project.save(project.images()[0].id, [posed], revision)
    app = open_launch(root)
    keypoints = app.toggle[2]
    assert (keypoints.value, keypoints.disabled) == (False, False)
    keypoints.set_value(True).run()
    widget(app.text_input, "keypoint_sigmas").input("0.1, 0.1").run()
    assert ["keypoint_sigmas has 2 entries, but num_keypoints is 3" in error.value for error in app.error] == [True]
    widget(app.text_input, "keypoint_sigmas").input("0.1, 0.1, 0.2").run()
    assert not app.error
    press_start(app)
    options = started[0].request.to_argv()
    assert option(options, "--tasks") == "box,mask,keypoints"
    assert "num_keypoints=3" in options
    assert "keypoint_sigmas=[0.1, 0.1, 0.2]" in options


def test_more_choices_hold_every_kind_of_value(root: Path, workspace: Path, started: list[Training]) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.checkbox, "compile").set_value(True).run()
    widget(app.number_input, "mrcnn_mask_loss").set_value(2.5).run()
    widget(app.selectbox, "rpn_scales_at").set_value("every-level").run()
    widget(app.text_input, "rpn_anchor_ratios").input("0.5, 1, 1.5").run()
    widget(app.number_input, "norm_eps").set_value(0.0).run()
    press_start(app)
    assert not app.error
    options = started[0].request.to_argv()
    changes = [options[at + 1] for at, word in enumerate(options) if word == "--set"]
    config = Config.preset("classroom", **parse_settings(changes))
    assert (config.compile, config.rpn_scales_at, config.norm_eps) == (True, "every-level", 0.0)
    assert config.rpn_anchor_ratios == (0.5, 1.0, 1.5)
    assert config.loss_weights["mrcnn_mask_loss"] == 2.5
    assert config.loss_weights["mrcnn_bbox_loss"] == 1.0
    assert len(changes) == 6  # these five and the norm


def test_a_preset_brings_its_own_values(
    root: Path, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth").touch()
    make_project(workspace / "cells")
    app = open_launch(root)
    assert widget(app.selectbox, "Initial weights").value == "none"
    widget(app.selectbox, "Preset").set_value("torchvision").run()
    assert not app.exception
    assert widget(app.number_input, "Learning rate").value == 0.005
    assert widget(app.number_input, "image_min_dim").value == 800
    assert widget(app.selectbox, "Initial weights").value == "coco"


def test_the_eps_of_coco_weights_is_shown_and_follows_the_norm(
    root: Path, workspace: Path, started: list[Training]
) -> None:
    """torchvision's first COCO weights were trained with 0, which a norm that learns cannot have."""
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.selectbox, "Preset").set_value("torchvision").run()
    assert widget(app.number_input, "norm_eps").value == 1e-5
    widget(app.selectbox, "Initial weights").set_value("coco").run()
    assert widget(app.number_input, "norm_eps").value == 0.0
    press_start(app)
    app = open_launch(root)
    widget(app.selectbox, "Preset").set_value("torchvision").run()
    widget(app.selectbox, "Initial weights").set_value("coco").run()
    widget(app.selectbox, "norm").set_value("batch").run()
    assert widget(app.number_input, "norm_eps").value == 1e-5
    assert not app.error
    press_start(app)
    configs = [call.request.config() for call in started]
    assert [(config.norm, config.norm_eps) for config in configs] == [("frozen", 0.0), ("batch", 1e-5)]


def test_minutes_instead_of_epochs(root: Path, workspace: Path, started: list[Training]) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    app.button_group(key="launch-classroom-unit").set_value("minutes").run()
    widget(app.number_input, "Minutes").set_value(3.0).run()
    press_start(app)
    options = started[0].request.to_argv()
    assert option(options, "--minutes") == "3.0"
    assert "--epochs" not in options


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("Name of the run", "a/b", "cannot be the name"),
        ("Name of the run", " ", "has no name"),
        ("rpn_anchor_scales", "1, two", "is no list of numbers"),
        ("rpn_anchor_scales", "1, 2", "rpn_anchor_scales has 2 entries"),
    ],
)
def test_a_wrong_value_is_one_red_box_and_starts_nothing(
    root: Path, workspace: Path, started: list[Training], label: str, value: str, said: str
) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.text_input, label).input(value).run()
    if not app.error:
        app = press_start(app)
    assert not app.exception
    assert [said in error.value for error in app.error] == [True]
    assert not started


def test_a_weights_file_that_is_not_there_starts_nothing(root: Path, workspace: Path, started: list[Training]) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.selectbox, "Initial weights").set_value("file").run()
    widget(app.text_input, "Weights file of the backbone").input("/no/such.pth").run()
    app = press_start(app)
    assert ["/no/such.pth: there is no such file" in error.value for error in app.error] == [True]
    assert not started


@pytest.mark.parametrize(("class_name", "regions", "said"), [(None, True, "no class"), ("cell", False, "no object")])
def test_what_cannot_be_trained_cannot_be_started(
    root: Path, workspace: Path, class_name: str | None, regions: bool, said: str
) -> None:
    make_project(workspace / "cells", class_name, regions)
    app = open_launch(root)
    assert [said in error.value for error in app.error] == [True]
    assert app.button(key="launch-start").disabled
    assert "How long" not in words(app)


def test_until_it_no_longer_improves(root: Path, workspace: Path, started: list[Training]) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    app.button_group(key="launch-classroom-unit").set_value("until").run()
    widget(app.number_input, "Epochs without a better one").set_value(7).run()
    assert "Patience needs a validation set" in app.warning[0].value
    press_start(app)
    options = started[0].request.to_argv()
    assert option(options, "--epochs") == "100"
    assert "patience=7" in options


def test_layers_one_after_the_other(root: Path, workspace: Path, started: list[Training]) -> None:
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.selectbox, "Which layers learn").set_value("heads,all").run()
    assert "The heads for 50% of the run, then all layers for 50% of the run at 0.1 of the learning rate" in words(app)
    widget(app.text_input, "Schedule of layers").input("heads:0.3,al").run()
    assert ['"al" is none of heads' in error.value for error in app.error] == [True]
    widget(app.text_input, "Schedule of layers").input("heads:0.3,all:0.7:0.5").run()
    assert not app.error
    press_start(app)
    assert option(started[0].request.to_argv(), "--layers") == "heads:0.3,all:0.7:0.5"


# A step on a full batch of 4 pictures; the project has one.
COSTS = Costs(step={"all": 12.0}, first_read=0.0, validation=0.0, epoch=0.0, start=0.0, memory_mb=2048.0)


def test_a_known_time_is_told_and_given_to_the_queue(
    root: Path, workspace: Path, started: list[Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(workspace / "cells")
    config = Config.preset("classroom", norm="batch", class_names=("cell",))
    key = known_costs.timing_key(config, project.folder, "cpu")
    app = open_launch(root)
    assert "Not known yet" in words(app)
    known_costs.save_measured_costs(COSTS, key, workspace / duration_estimate.STORE, 0.0, beside_training=False)
    app.run()
    assert "#### about 60 seconds" in words(app)  # 20 epochs of one step of 3 s
    assert (
        "3.0 s a step, 1 step an epoch (once through the pictures), 20 epochs, 0 ms to start, 2.1 GB of memory"
        in words(app)
    )
    assert "if it starts now" in words(app)
    widget(app.number_input, "Epochs").set_value(40).run()
    assert "#### about 2 minutes" in words(app)  # nothing has to be measured anew
    widget(app.number_input, "image_min_dim").set_value(128).run()
    assert "Not known yet" in words(app)
    widget(app.number_input, "image_min_dim").set_value(384).run()
    press_start(app)
    assert started[0].expected_seconds == 120.0


def test_measuring_goes_on_beside_the_page(root: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the trainer says two lines and waits to be asked for the last one."""
    program = "import sys, time, pathlib; print('reading pictures', flush=True); stop = pathlib.Path(sys.argv[1])\n"
    program += "while not stop.exists(): time.sleep(0.02)\n"
    program += 'print(\'{"costs": {"step": {"all": 12.0}, "first_read": 0, "validation": 0, "epoch": 0, '
    program += '"start": 0, "memory_mb": 0}}\')'
    stop = workspace / "stop"
    monkeypatch.setattr(cost_measurement, "MEASURER", (sys.executable, "-c", program, str(stop), *TRAINER))
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.button, "Measure it here").click().run()
    assert "Measuring" in words(app)
    other = open_launch(root)  # another tab, or the same one after a visit elsewhere
    assert "Measuring" in words(other)
    stop.touch()
    wait_until(lambda: "about 60 seconds" in words(other.run()))
    assert not list((workspace / duration_estimate.STORE).glob("measuring-*"))


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_where_one_trains_the_next_one_waits(
    root: Path, workspace: Path, started: list[Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project(workspace / "cells")
    monkeypatch.setattr(queue, "turn", lambda workspace, device: (600.0, ("cells-0007",)))
    app = open_launch(root)
    assert app.button(key="launch-start").label == "Add to the queue"
    assert "when **cells-0007** has ended, in about 10 minutes" in words(app)
    press_start(app)
    assert (started[0].device, started[0].expected_seconds) == ("any", None)


def test_a_device_is_chosen_where_there_are_several(
    root: Path, workspace: Path, started: list[Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "available", lambda: ("cuda:0", "cuda:1"))
    make_project(workspace / "cells")
    app = open_launch(root)
    assert widget(app.selectbox, "Preset").value == "standard"
    widget(app.selectbox, "Device").set_value("cuda:1").run()
    press_start(app)
    assert not app.exception
    assert started[0].device == "cuda:1"


def test_the_doctor_speaks_up(root: Path, workspace: Path) -> None:
    project = make_project(workspace / "cells")
    (region,), revision = project.regions(project.images()[0].id)
    project.save(project.images()[0].id, [region, region], revision)
    app = open_launch(root)
    assert "The doctor found" in words(app)
    assert "Region drawn twice (1)" in words(app)


def test_the_doctor_asks_before_a_long_examination(
    root: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_summary, "AT_ONCE", 0.0)
    make_project(workspace / "cells")
    app = open_launch(root)
    assert "The doctor found" not in words(app)
    app.button(key="launch_examine").click().run()
    assert "The doctor found nothing" in words(app)
    assert "The doctor found nothing" in words(app.run())  # it is not asked again


def test_where_nothing_was_downloaded_the_toy_is_proposed_with_its_network(
    root: Path, workspace: Path, started: list[Training], weights_folder: Path
) -> None:
    ship(weights_folder, backbone="resnet18_slim_fpn", fpn_channels=64)
    make_project(workspace / "cells")
    app = open_launch(root)
    start, body = widget(app.selectbox, "Initial weights"), widget(app.selectbox, "Backbone")
    assert start.value == "toy"
    assert start.options[:3] == ["ImageNet backbone", "COCO, the whole network", "Toy shapes (ships with the studio)"]
    assert (body.value, body.disabled) == ("resnet18_slim", True)
    assert "mask AP 0.700 [0.680, 0.720] on 500 others" in words(app)
    assert widget(app.number_input, "fpn_channels").value == 64
    assert not app.error
    press_start(app)
    options = started[0].request.to_argv()
    assert (option(options, "--init"), option(options, "--backbone")) == ("toy", "resnet18_slim_fpn")
    assert "fpn_channels=64" in options
    assert 'norm="frozen"' in options


def test_another_start_brings_the_presets_network_back(
    root: Path, workspace: Path, started: list[Training], weights_folder: Path
) -> None:
    ship(weights_folder, backbone="resnet18_slim_fpn", fpn_channels=64)
    make_project(workspace / "cells")
    app = open_launch(root)
    widget(app.selectbox, "Initial weights").set_value("none").run()
    body = widget(app.selectbox, "Backbone")
    assert (body.value, body.disabled) == ("mobilenet_v2", False)
    body.set_value("resnet18").run()
    assert widget(app.selectbox, "Initial weights").value == "none"
    assert widget(app.number_input, "fpn_channels").value == 128
    press_start(app)
    options = started[0].request.to_argv()
    assert (option(options, "--init"), option(options, "--backbone")) == ("none", "resnet18_fpn")


def test_people_are_proposed_for_keypoints(root: Path, workspace: Path, weights_folder: Path) -> None:
    ship(weights_folder)
    ship(weights_folder, "toy-people", tasks=("box", "mask", "keypoints"))
    project = make_project(workspace / "cells")
    (region,), revision = project.regions(project.images()[0].id)
    posed = replace(region, keypoints=Keypoints(((10, 10, 2), (20, 20, 1), (30, 12, 2))))
    project.save(project.images()[0].id, [posed], revision)
    app = open_launch(root)
    assert widget(app.selectbox, "Initial weights").value == "toy"
    app.toggle[2].set_value(True).run()
    assert widget(app.selectbox, "Initial weights").value == "toy-people"
    assert not app.error
    widget(app.selectbox, "Preset").set_value("standard").run()
    assert widget(app.selectbox, "Initial weights").value == "none"
