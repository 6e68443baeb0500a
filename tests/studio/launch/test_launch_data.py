"""What a training of a project would learn from, without the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.regions import Keypoints, Point, Polygon, Polyline, Rect, Region, Skeleton
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.config import Config
from maskrcnn.runs.readiness import remarks
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.studio.launch import launch_data

TRIANGLE = Polygon(((5, 5), (40, 8), (20, 40)))
LINE = Polyline(TRIANGLE.points)
MASKS = ("box", "mask")


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
    found = launch_data.count_labels(made).data_for(MASKS)
    assert found.train == launch_data.LaunchSplit(3, objects=2, left_out=1, of_class={"cell": 1, "leaf": 1})
    assert found.val == launch_data.LaunchSplit(1, objects=1, left_out=0, of_class={"cell": 1})
    assert (found.classes, found.nameless, found.unknown) == (("cell", "leaf"), 0, ())
    assert found.obstacles() == []
    assert [warning for warning in warnings(found) if "1 region is a point and is not learned" in warning]
    assert [warning for warning in warnings(found) if "1 picture has nothing else and is learned as backgr" in warning]
    assert "1 picture is left out" in found.left_out()


def test_material_is_what_the_trainer_takes(tmp_path: Path) -> None:
    cell = Region(TRIANGLE, "cell")
    made = project(tmp_path / "p", train=[[cell, cell], [], []], val=[[cell], []])
    made.set_done(made.images("train")[1].id, True)
    taken = training_documents(made.folder, None, None, made.runs_folder / "x")
    found = launch_data.count_labels(made).data_for(MASKS)
    assert found.classes == taken["classes"]
    for split, document in ((found.train, taken["train"]), (found.val, taken["val"])):
        assert (split.pictures, split.objects) == (len(document["images"]), len(document["annotations"]))


@pytest.mark.parametrize(
    ("training", "validation", "said"),
    [
        ([], [], "no training picture"),
        ([[]], [], "no object to learn from"),
        ([[Region(Point(3, 3), "cell")]], [], "no object to learn from in the training pictures: the only region is a"),
        ([[Region(TRIANGLE, "cell", iscrowd=True)] * 2], [], "all 2 regions mark a crowd and are not learned"),
        (
            [[Region(LINE, "cell")], [Region(TRIANGLE, "leaf", iscrowd=True)]],
            [],
            'pictures: 1 region is a line and is not learned: the only one of "cell"; 1 region marks a crowd',
        ),
        ([[Region(TRIANGLE, None)]], [], "1 region has no class"),
        ([[Region(TRIANGLE, "cell")]], [[Region(TRIANGLE, "leaf")]], 'Class "leaf" is in the validation pictures'),
    ],
)
def test_what_stands_in_the_way_is_said_with_its_mend(
    tmp_path: Path, training: list[list[Region]], validation: list[list[Region]], said: str
) -> None:
    found = launch_data.count_labels(project(tmp_path / "p", train=training, val=validation)).data_for(MASKS)
    assert any(said in obstacle for obstacle in found.obstacles())


@pytest.mark.parametrize("other", [Region(TRIANGLE, "leaf", iscrowd=True), Region(LINE, "leaf")])
def test_what_is_no_object_brings_no_class_into_validation(tmp_path: Path, other: Region) -> None:
    made = project(tmp_path / "p", train=[[Region(TRIANGLE, "cell")]], val=[[Region(TRIANGLE, "cell"), other]])
    assert launch_data.count_labels(made).data_for(MASKS).obstacles() == []
    held_back = training_documents(made.folder, None, None, made.runs_folder / "x")["val"]
    assert [category["name"] for category in held_back["categories"]] == ["cell"]
    assert [annotation["category_id"] for annotation in held_back["annotations"]] == [1]


def test_no_validation_pictures_is_a_warning_only(tmp_path: Path) -> None:
    found = launch_data.count_labels(project(tmp_path / "p", train=[[Region(TRIANGLE, "cell")]])).data_for(MASKS)
    assert found.obstacles() == []
    assert [warning for warning in warnings(found) if "There is no validation set" in warning]


def test_the_page_says_what_the_trainer_says(tmp_path: Path) -> None:
    """The trainer's own remarks on the labels that it takes are the oracle."""
    cell, leaf, nut = (Region(TRIANGLE, name) for name in ("cell", "leaf", "nut"))
    for name, splits in {
        "one": {"train": [[cell]]},
        "rare": {"train": [[cell] * 5, [leaf] * 4], "val": [[leaf]]},
        "whole": {"train": [[cell] * 5, [leaf] * 5, [nut] * 6], "val": [[cell, leaf, nut]]},
        "crowds": {"train": [[cell, replace(cell, iscrowd=True)], [Region(Point(3, 3), "nut")]], "val": [[cell]]},
        "nothing held back": {"train": [[cell] * 5, [leaf] * 5], "val": [[replace(cell, iscrowd=True)]]},
    }.items():
        made = project(tmp_path / name, **splits)
        found = launch_data.count_labels(made).data_for(MASKS)
        documents = training_documents(made.folder, None, None, made.runs_folder / "x")
        config = config_of(found.classes)
        said = [warning.casefold().rstrip(".") for warning in found.warnings(config)]
        assert said == [remark.casefold().rstrip(".") for remark in remarks(config, documents)]
        assert bool(said) == (name != "whole")


def test_a_class_of_the_project_that_nobody_has_drawn_is_told(tmp_path: Path) -> None:
    made = project(tmp_path / "p", train=[[Region(TRIANGLE, "cell")]])
    made.set_classes([*made.classes(), ProjectClass("basophil", "#cc79a7")])
    found = launch_data.count_labels(made).data_for(MASKS)
    assert found.unused == ("basophil",)
    assert any('No training object of "basophil"' in warning for warning in warnings(found))


def test_the_table_shows_the_rarest_classes_and_what_is_too_few(tmp_path: Path) -> None:
    names = [f"class{number}" for number in range(10)]
    regions = [Region(TRIANGLE, name) for number, name in enumerate(names) for _ in range(number)]  # none of class0
    made = project(tmp_path / "p", train=[regions], val=[[Region(TRIANGLE, "class9"), Region(TRIANGLE, "class5")]])
    rows = launch_data.count_labels(made).data_for(MASKS).table()
    assert rows[:3] == [("pictures", "1", "1"), ("objects", "45", "2"), ("1 other class", "", "")]
    assert rows[3] == ("class8", "8", "⚠ 0")
    assert rows[6] == ("class5", "5", "1")
    assert rows[-1] == ("class1", "⚠ 1", "⚠ 0")


def config_of(classes: tuple[str, ...]) -> Config:
    return Config.preset("classroom", class_names=classes)


def warnings(found: launch_data.LaunchData) -> list[str]:
    return found.warnings(config_of(found.classes))


FACE = Keypoints(((10, 10, 2), (20, 10, 2), (15, 30, 1)))
EYES = Skeleton(("left_eye", "right_eye", "chin"), ((0, 1),))


def test_keypoints_are_learned_without_outlines_where_no_masks_are_asked_for(tmp_path: Path) -> None:
    """The trainer is the oracle: a region of keypoints alone is an object for boxes, not for masks."""
    both, alone = Region(TRIANGLE, "face", keypoints=FACE), Region(FACE, "face")
    made = project(tmp_path / "p", train=[[both, alone]], val=[[both]])
    made.set_classes([ProjectClass("face", "#e69f00", skeleton=EYES)])
    found = launch_data.count_labels(made)
    assert found.keypoints is not None
    assert (found.keypoints.count, found.keypoints.names, found.keypoints.edges) == (3, EYES.names, EYES.edges)
    for tasks, regions in ((("box", "keypoints"), 2), (("box", "mask", "keypoints"), 1)):
        taken = training_documents(made.folder, None, None, made.runs_folder / "x", tasks)
        assert found.data_for(tasks).train.objects == len(taken["train"]["annotations"]) == regions
        assert taken["keypoints"] == found.keypoints


def test_labels_without_keypoints_say_why_none_can_be_learned(tmp_path: Path) -> None:
    found = launch_data.count_labels(project(tmp_path / "a", train=[[Region(TRIANGLE, "cell")]]))
    assert found.keypoints is None
    assert "No object in the training pictures has keypoints" in found.no_keypoints
    two = Region(Keypoints(((1, 1, 2), (9, 9, 2))), "leaf")
    odd = launch_data.count_labels(project(tmp_path / "b", train=[[Region(FACE, "face"), two]]))
    assert odd.keypoints is None
    assert "different keypoints" in odd.no_keypoints


def test_boxes_alone_teach_no_masks(tmp_path: Path) -> None:
    only_a_box = Region(Rect(5, 5, 20, 20), "cell", extras={"coco": {"segmentation": []}})
    found = launch_data.count_labels(project(tmp_path / "p", train=[[only_a_box]]))
    assert any("switch masks off" in obstacle for obstacle in found.data_for(MASKS).obstacles())
    assert found.data_for(("box",)).obstacles() == []
