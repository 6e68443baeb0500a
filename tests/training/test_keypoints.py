"""Learning keypoints, and boxes alone: from labels to targets, losses and the best epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from maskrcnn.annotations.skeletons import KeypointLabels
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.model import build
from maskrcnn.runs.best_epoch import finest_ap
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import config_with_labels
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.training import validation
from maskrcnn.training.augmentation import mirror_order
from maskrcnn.training.labelled_samples import LabelledSamples
from maskrcnn.training.loop import train
from maskrcnn.training.losses import batch_losses
from maskrcnn.training.validation import validation_losses
from tests import tiny

CONFIG: dict[str, Any] = {
    **tiny.CONFIG,
    "backbone": "mobilenet_v3_small_fpn",
    "keypoint_head_width": 8,
    "keypoint_head_depth": 1,
    "class_names": ("kite",),
}
POSE: dict[str, Any] = {**CONFIG, "tasks": ("box", "keypoints"), "keypoint_names": tiny.KEYPOINTS}


# Labels


def documents(labels: Path, tasks: tuple[str, ...], val: Path | None = None) -> dict[str, Any]:
    return training_documents(labels, val, None, labels.parent / "run", tasks)


def test_the_snapshot_carries_keypoints_and_the_config_gets_their_names(tmp_path: Path) -> None:
    found = documents(tiny.kites(tmp_path), ("box", "mask", "keypoints"))
    limbs = ((0, 4), (1, 4), (2, 4), (3, 4))
    assert found["keypoints"] == KeypointLabels(5, tiny.KEYPOINTS, limbs)
    assert found["train"]["categories"][0]["keypoints"] == list(tiny.KEYPOINTS)
    assert found["train"]["categories"][0]["skeleton"] == [[1, 5], [2, 5], [3, 5], [4, 5]]
    assert [annotation["num_keypoints"] for annotation in found["train"]["annotations"]] == [5, 5, 5]

    config = config_with_labels(Config.preset("classroom", tasks="box,keypoints", keypoint_sigmas=[0.1] * 5), found)
    assert (config.num_keypoints, config.keypoint_names, config.keypoint_edges) == (5, tiny.KEYPOINTS, limbs)
    assert config.sigmas == (0.1,) * 5
    assert (config.class_names, config.num_classes) == (("kite",), 2)


def test_without_the_task_the_config_knows_no_keypoints(tmp_path: Path) -> None:
    found = documents(tiny.kites(tmp_path), ("box", "mask"))
    assert found["keypoints"] is None
    assert config_with_labels(Config.preset("classroom"), found).keypoint_names == ()


def test_sigmas_must_be_as_many_as_the_keypoints_of_the_labels(tmp_path: Path) -> None:
    found = documents(tiny.kites(tmp_path), ("box", "keypoints"))
    with pytest.raises(ArgumentError, match="keypoint_sigmas has 3 entries, but num_keypoints is 5"):
        config_with_labels(Config.preset("classroom", tasks="box,keypoints", keypoint_sigmas=[0.1] * 3), found)


def changed(labels: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    document = json.loads(labels.read_text())
    change(document)
    labels.write_text(json.dumps(document))
    return labels


def no_keypoints(document: dict[str, Any]) -> None:
    for annotation in document["annotations"]:
        del annotation["keypoints"]


def no_boxes(document: dict[str, Any]) -> None:
    for annotation in document["annotations"]:
        del annotation["bbox"]


def other_names(document: dict[str, Any]) -> None:
    document["categories"][0]["keypoints"] = ["a", "b", "c", "d", "e"]


def another_class(document: dict[str, Any]) -> None:
    document["categories"].append({"id": 2, "name": "bird", "keypoints": ["beak", "tail"]})
    document["annotations"][0] |= {"category_id": 2, "keypoints": [1, 1, 2, 9, 9, 2]}


@pytest.mark.parametrize(
    ("outlines", "tasks", "change", "says"),
    [
        (True, ("box", "keypoints"), no_keypoints, "no object has keypoints to learn; .* --tasks box,mask$"),
        (False, ("box", "mask"), None, "no object has an outline to learn masks from; .* --tasks box,keypoints$"),
        (False, ("box", "mask"), no_keypoints, "no object has an outline to learn masks from; .* --tasks box$"),
        (False, ("box", "mask", "keypoints"), no_keypoints, "outline to learn masks from or keypoints .* --tasks box$"),
        (True, ("box", "keypoints"), another_class, '"kite" and "bird" have different keypoints .5: top, .*; 2: beak'),
    ],
)
def test_labels_that_do_not_serve_a_task_are_one_line_with_the_mend(
    outlines: bool, tasks: tuple[str, ...], change: Callable[[dict[str, Any]], None] | None, says: str, tmp_path: Path
) -> None:
    labels = changed(tiny.kites(tmp_path, outlines=outlines), change or (lambda document: None))
    with pytest.raises(StudioError, match=says) as raised:
        documents(labels, tasks)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("tasks", [("box",), ("box", "keypoints")])
@pytest.mark.parametrize("change", [None, no_boxes])
def test_boxes_or_keypoints_alone_can_be_learned(
    tasks: tuple[str, ...], change: Callable[[dict[str, Any]], None] | None, tmp_path: Path
) -> None:
    labels = changed(tiny.kites(tmp_path, outlines=False), change or (lambda document: None))
    annotations = documents(labels, tasks)["train"]["annotations"]
    assert len(annotations) == 3
    assert all(annotation["bbox"][2] >= 28 for annotation in annotations)


def test_validation_must_have_the_same_keypoints(tmp_path: Path) -> None:
    other = changed(tiny.kites(tmp_path / "val"), other_names)
    with pytest.raises(StudioError, match="other keypoints"):
        documents(tiny.kites(tmp_path / "train"), ("box", "keypoints"), other)


# Targets


def one_picture(folder: Path, pose: list[float], width: int = 192, height: int = 128, **fields: Any) -> dict[str, Any]:
    """A document of one object over [40, 100] x [20, 60], in a picture twice as large as the working size."""
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(folder / "a.png")
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [40, 20, 60, 40], "keypoints": pose}
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": width, "height": height, "path": "a.png"}],
        "annotations": [annotation | fields],
        "categories": [{"id": 1, "name": "kite"}],
    }


def target(document: dict[str, Any], folder: Path, augment: bool = False, **changes: Any) -> dict[str, torch.Tensor]:
    config = Config.preset("classroom", **{**POSE, "scale_jitter": 0.0, "colour_jitter": 0.0, **changes})
    return LabelledSamples(document, lambda image: folder / "a.png", config, augment)[0][1]


#        top         left        right       bottom     middle
SHOWN = [70, 20, 2, 40, 30, 2, 100, 30, 1, 70, 60, 2, 0, 0, 0]


def test_keypoints_shrink_with_their_picture(tmp_path: Path) -> None:
    found = target(one_picture(tmp_path, SHOWN), tmp_path)
    assert found["boxes"].tolist() == [[20, 10, 50, 30]]
    assert found["keypoints"].tolist() == [[[35, 10, 2], [20, 15, 2], [50, 15, 1], [35, 30, 2], [0, 0, 0]]]
    assert found["keypoints"].dtype == torch.float32
    assert type(found["keypoints"]) is torch.Tensor
    assert set(found) == {"boxes", "labels", "keypoints"}


def test_a_mirrored_left_is_a_right(tmp_path: Path) -> None:
    """The picture is 96 px wide: x becomes 96 - x, as a box's does, and left and right change places."""
    found = target(one_picture(tmp_path, SHOWN), tmp_path, augment=True, flip=1.0)
    assert found["boxes"].tolist() == [[46, 10, 76, 30]]
    assert found["keypoints"].tolist() == [[[61, 10, 2], [46, 15, 1], [76, 15, 2], [61, 30, 2], [0, 0, 0]]]


def test_without_names_nothing_is_mirrored(tmp_path: Path) -> None:
    nameless = {"keypoint_names": (), "num_keypoints": 5}
    found = target(one_picture(tmp_path, SHOWN), tmp_path, augment=True, flip=1.0, **nameless)
    assert found["boxes"].tolist() == [[20, 10, 50, 30]]
    assert mirror_order(Config.preset("classroom", **POSE | nameless)) is None
    assert mirror_order(Config.preset("classroom", **CONFIG)) == ()


def test_scaled_keypoints_stay_in_their_place_of_the_box(tmp_path: Path) -> None:
    torch.manual_seed(0)
    for _ in range(5):
        found = target(one_picture(tmp_path, SHOWN), tmp_path, augment=True, flip=0.0, scale_jitter=0.4)
        x1, y1, x2, y2 = found["boxes"][0].tolist()
        top, left, right, _, middle = found["keypoints"][0].tolist()
        assert top[:2] == pytest.approx([(x1 + x2) / 2, y1], abs=1e-4)
        assert left[:2] == pytest.approx([x1, y1 + (y2 - y1) / 4], abs=1e-4)
        assert right == pytest.approx([x2, y1 + (y2 - y1) / 4, 1], abs=1e-4)
        assert middle == [0, 0, 0]


@pytest.mark.parametrize("place", [(-4, 30), (70, 200), (193, 30)])
def test_a_keypoint_outside_the_picture_is_not_labelled(place: tuple[float, float], tmp_path: Path) -> None:
    found = target(one_picture(tmp_path, [*place, 2, *SHOWN[3:]]), tmp_path)
    assert found["keypoints"][0, 0].tolist() == [0, 0, 0]
    assert found["keypoints"][0, 1].tolist() == [20, 15, 2]


@pytest.mark.parametrize("keypoints", [None, []])
def test_an_object_without_keypoints_has_rows_of_zeros(keypoints: Any, tmp_path: Path) -> None:
    assert not target(one_picture(tmp_path, [], keypoints=keypoints), tmp_path)["keypoints"].any()


def test_a_box_that_leaves_the_picture_is_cut_off(tmp_path: Path) -> None:
    found = target(one_picture(tmp_path, SHOWN, bbox=[-20, 20, 60, 200]), tmp_path)
    assert found["boxes"].tolist() == [[0, 10, 20, 64]]


@pytest.mark.parametrize("tasks", [("box",), ("box", "mask"), ("box", "keypoints"), ("box", "mask", "keypoints")])
def test_only_what_is_learned_is_made(tasks: tuple[str, ...], tmp_path: Path) -> None:
    document = one_picture(tmp_path, SHOWN, segmentation=[[40, 20, 100, 20, 100, 60, 40, 60]])
    found = target(document, tmp_path, augment=True, flip=1.0, scale_jitter=0.3, tasks=tasks)
    made = {"masks" if task == "mask" else task for task in tasks if task != "box"}
    assert set(found) == {"boxes", "labels"} | made
    assert {len(value) for value in found.values()} == {1}


# Training


class Prepared:
    """A tiny run on kites, ready to train."""

    def __init__(self, folder: Path, tasks: str, empty: int = 0, **changes: Any) -> None:
        self.run = RunFolder.create(folder / "run")
        wanted = Config.preset("classroom", **{**CONFIG, "tasks": tasks, "epochs": 1, **changes})
        outlines = "mask" in wanted.tasks
        labels = tiny.kites(folder / "train", outlines=outlines, empty=empty)
        held_back = tiny.kites(folder / "val", pictures=2, seed=1, outlines=outlines)
        found = training_documents(labels, held_back, None, self.run.path, wanted.tasks)
        self.config = config_with_labels(wanted, found)
        self.run.write_json("config.json", self.config.model_dump())
        torch.manual_seed(0)
        self.model = build(self.config)
        self.training = LabelledSamples(found["train"], self.run.picture_path, self.config, augment=True)
        self.validation = LabelledSamples(found["val"], self.run.picture_path, self.config)


@pytest.mark.parametrize(
    ("tasks", "aps", "finest"),
    [
        ("box", ("bbox_ap", "bbox_ap50"), "bbox_ap"),
        ("box,keypoints", ("bbox_ap", "bbox_ap50", "keypoints_ap", "keypoints_ap50"), "keypoints_ap"),
        (
            "box,mask,keypoints",
            ("bbox_ap", "bbox_ap50", "segm_ap", "segm_ap50", "segm_ap75", "keypoints_ap", "keypoints_ap50"),
            "segm_ap",
        ),
    ],
)
def test_a_run_records_the_losses_and_the_ap_of_its_tasks(
    tasks: str, aps: tuple[str, ...], finest: str, tmp_path: Path
) -> None:
    prepared = Prepared(tmp_path, tasks)
    rows: list[dict[str, Any]] = []
    train(prepared.model, prepared.training, prepared.validation, prepared.run, rows.append)
    step, epoch = rows[0], rows[-1]
    assert {name for name in step if name.endswith("_loss")} == set(prepared.config.losses)
    assert step["loss"] == pytest.approx(sum(step[name] for name in prepared.config.losses), rel=1e-5)
    assert all(math.isfinite(epoch[f"val_{name}"]) for name in (*prepared.config.losses, "loss"))
    assert {name for name in epoch if "_ap" in name} == set(aps)
    assert finest_ap(epoch) == finest
    assert all("keypoints" not in found or len(found["keypoints"]) == 15 for found in prepared.run.detections(1))
    if "keypoints" in tasks:
        # Nothing is known yet, so each of 56 x 56 places is as likely as any other.
        assert step["mrcnn_keypoint_loss"] == pytest.approx(math.log(56 * 56), abs=0.3)


def test_the_best_epoch_is_the_one_with_the_best_keypoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes get better and keypoints worse: without masks the keypoints decide."""
    figures = iter([{"bbox_ap": 0.1, "keypoints_ap": 0.6}, {"bbox_ap": 0.9, "keypoints_ap": 0.5}])
    monkeypatch.setattr(validation, "average_precision", lambda *documents: next(figures))
    prepared = Prepared(tmp_path, "box,keypoints", epochs=2)
    assert train(prepared.model, prepared.training, prepared.validation, prepared.run)["best_epoch"] == 1


def test_a_weight_of_zero_takes_a_loss_out_of_the_sum(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, "box,keypoints", loss_weights={"mrcnn_keypoint_loss": 0.0})
    prepared.model.transform.resized = True
    values = validation_losses(prepared.model, prepared.validation)
    others = [name for name in prepared.config.losses if name != "mrcnn_keypoint_loss"]
    assert values["val_loss"] == pytest.approx(sum(values[f"val_{name}"] for name in others))
    assert values["val_mrcnn_keypoint_loss"] > 1


@pytest.mark.parametrize("channels_last", [False, True])
def test_pictures_without_objects_have_no_keypoint_loss(channels_last: bool, tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, "box,mask,keypoints", empty=2)
    model, samples = prepared.model.train(), prepared.training
    model.transform.resized = True
    if channels_last:
        model.to(memory_format=torch.channels_last)
    parts = batch_losses(model, [samples[0], samples[1]])
    for name in ("rpn_bbox_loss", "mrcnn_bbox_loss", "mrcnn_mask_loss", "mrcnn_keypoint_loss"):
        assert parts[name].item() == 0, name
    assert all(math.isfinite(value.item()) for value in parts.values())
    sum(parts.values()).backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in model.parameters())
    mixed = batch_losses(model, [samples[0], samples[2]])
    assert mixed["mrcnn_keypoint_loss"].item() > 1


def test_cocos_people_become_targets(real_data: Path, tmp_path: Path) -> None:
    """17 keypoints and 19 limbs; every labelled one is still labelled and lies where it did, scaled to 320 px."""
    labels = real_data / "coco/pose_minicoco/annotations/person_keypoints_val2017.json"
    written = json.loads(labels.read_text())
    found = training_documents(labels, None, None, tmp_path / "run", ("box", "keypoints"))
    changes = {"keypoint_names": (), "image_min_dim": 320, "image_max_dim": 320}
    config = config_with_labels(Config.preset("classroom", **{**POSE, **changes}), found)
    assert (config.num_keypoints, len(config.keypoint_edges)) == (17, 19)
    assert config.sigmas[:2] == (0.026, 0.025)

    run = RunFolder(tmp_path / "run")
    pictures = LabelledSamples(found["train"], run.picture_path, config)
    chosen = [index for index, image in enumerate(written["images"]) if image["id"] in (279541, 293625)]
    for index in chosen:
        image = written["images"][index]
        objects = [entry for entry in written["annotations"] if entry["image_id"] == image["id"]]
        target = pictures[index][1]
        scale = 320 / max(image["width"], image["height"])
        expected = np.array([entry["keypoints"] for entry in objects], np.float32).reshape(-1, 17, 3)
        assert target["keypoints"].numpy() == pytest.approx(expected * [scale, scale, 1], abs=0.5)
        assert len(target["boxes"]) == len(objects)
