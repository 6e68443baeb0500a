"""What counts as an object is the same on every page, in the doctor, in the trainer's documents and in its samples.

The oracle counts in the raw label file, shape by shape, by itself: no code of the studio.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations import learnable_objects, read
from maskrcnn.annotations.doctor import examine
from maskrcnn.annotations.splitting import shares
from maskrcnn.annotations.statistics import statistics
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.readiness import learnable_in_project, remarks
from maskrcnn.runs.request import config_with_labels
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.studio.dataset import split_view
from maskrcnn.studio.launch import launch_data
from maskrcnn.training.labelled_samples import LabelledSamples

WIDTH, HEIGHT = 96, 64


def rect(x: float, y: float, width: float, height: float) -> dict[str, Any]:
    return {"name": "rect", "x": x, "y": y, "width": width, "height": height}


def outline(*places: tuple[float, float], name: str = "polygon") -> dict[str, Any]:
    return {"name": name, "all_points_x": [x for x, _ in places], "all_points_y": [y for _, y in places]}


def region(shape: dict[str, Any], label: str | None, **more: str) -> dict[str, Any]:
    named = {} if label is None else {"label": label}
    return {"shape_attributes": shape, "region_attributes": {**named, **more}}


BASE = {
    "train1.png": [region(rect(4, 4, 40, 40), "cat"), region(rect(50, 8, 30, 50), "dog")],
    "train2.png": [region(rect(10, 10, 60, 40), "cat"), region(outline((5, 5), (60, 8), (30, 50)), "cat")],
    "val1.png": [region(rect(20, 10, 50, 50), "cat"), region(rect(2, 2, 10, 60), "dog")],
}
EXTRA: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "nothing": ("train1.png", []),
    "crowds": ("train1.png", [region(rect(4, 30, 80, 30), "dog", iscrowd="1")] * 2),
    "a class of crowds": ("train2.png", [region(rect(4, 30, 80, 30), "ant", iscrowd="1")]),
    "points": ("train1.png", [region({"name": "point", "cx": 5, "cy": 5}, "dog")] * 3),
    "an open line": ("train2.png", [region(outline((5, 5), (60, 8), (30, 50), name="polyline"), "cat")]),
    "lines without a class": ("train2.png", [region(outline((5, 5), (60, 8), name="polyline"), None)]),
    "outside": ("train1.png", [region(rect(WIDTH + 1, 3, 30, 30), "dog"), region(rect(-40, 3, 30, 30), "cat")]),
    "between the pixels": ("train2.png", [region(rect(20.55, 20.55, 0.3, 30), "cat")]),
    "only its edge inside": ("train2.png", [region(rect(WIDTH - 2, 3, 30, 30), "dog")]),
    "two corners": ("train1.png", [region(outline((5, 5), (60, 50)), "dog")]),
    "on one line": ("train1.png", [region(outline((5, 5.25), (20, 20.25), (50, 50.25)), "dog")]),
    "a flat box": ("train2.png", [region(rect(5, 5, 40, 0), "dog")]),
    "a picture of crowds": ("more.png", [region(rect(4, 4, 40, 40), "cat", iscrowd="1")]),
    "a picture of lines": ("more.png", [region(outline((5, 5), (60, 8), (30, 50), name="polyline"), "cat")]),
    "crowds in validation": ("val1.png", [region(rect(4, 4, 40, 40), "cat", iscrowd="1")] * 4),
    "points in validation": ("val1.png", [region({"name": "point", "cx": 5, "cy": 5}, "cat")]),
}


def encloses_a_pixel(shape: dict[str, Any]) -> bool:
    """Whether the middle of any pixel lies inside, by the even-odd rule, pixel by pixel."""
    if shape["name"] in ("point", "polyline"):
        return False
    if shape["name"] == "rect":
        x, y, right, bottom = shape["x"], shape["y"], shape["x"] + shape["width"], shape["y"] + shape["height"]
        places = [(x, y), (right, y), (right, bottom), (x, bottom)]
    else:
        places = list(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
    for row in range(HEIGHT):
        for column in range(WIDTH):
            px, py, inside = column + 0.5, row + 0.5, False
            for (ax, ay), (bx, by) in zip(places, [*places[1:], places[0]], strict=True):
                if (ay > py) != (by > py) and px < ax + (py - ay) / (by - ay) * (bx - ax):
                    inside = not inside
            if inside:
                return True
    return False


def oracle(raw: dict[str, list[dict[str, Any]]], split: str) -> Counter[str]:
    """Objects of each class in the raw label file, for the pictures of a split."""
    found: Counter[str] = Counter()
    for name, regions in raw.items():
        if name.startswith("val") != (split == "val"):
            continue
        for entry in regions:
            attributes = entry["region_attributes"]
            if "label" in attributes and attributes.get("iscrowd") != "1":
                found[attributes["label"]] += encloses_a_pixel(entry["shape_attributes"])
    return +found


def project_of(raw: dict[str, list[dict[str, Any]]], folder: Path) -> Project:
    """A project with these labels, imported as a VIA file for each split."""
    made = Project.create(folder / "project")
    noise = np.random.default_rng(0)
    for split in ("train", "val"):
        mine = {name: regions for name, regions in raw.items() if name.startswith("val") == (split == "val")}
        (folder / split).mkdir()
        for name in mine:
            cv2.imwrite(str(folder / split / name), noise.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8))
        document = {
            name: {"filename": name, "size": -1, "regions": regions, "file_attributes": {}}
            for name, regions in mine.items()
        }
        (folder / split / "via.json").write_text(json.dumps(document))
        made.import_dataset(read(folder / split / "via.json"), split)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("kind", EXTRA)
def test_one_number_of_objects_everywhere(kind: str, tmp_path: Path) -> None:
    where, more = EXTRA[kind]
    raw = {**BASE, where: [*BASE.get(where, []), *more]}
    project = project_of(raw, tmp_path)
    dataset = project.dataset()
    documents = training_documents(project.folder, None, None, project.runs_folder / "run")
    data = launch_data.count_labels(project).data_for(("box", "mask"))
    numbers, light = statistics(dataset), split_view._classes_of_objects(project, lambda done, total: None)
    config = config_with_labels(Config.preset("classroom", image_min_dim=64, image_max_dim=96), documents)
    for split in ("train", "val"):
        expected = oracle(raw, split)
        total = expected.total()
        half = getattr(data, split)
        rows = {row.name: row.objects for row in numbers.of(split).table() if row.objects}  # type: ignore[arg-type]
        divided = {row.name: getattr(row, f"{split}_objects") for row in shares(dataset)}
        divided_light = {row.name: getattr(row, f"{split}_objects") for row in shares(light)}
        document = documents[split]
        names = {category["id"]: category["name"] for category in document["categories"]}
        learns = Counter(names[entry["category_id"]] for entry in document["annotations"] if not entry["iscrowd"])
        run = RunFolder(project.runs_folder / "run", made_here=True)
        samples = LabelledSamples(document, run.picture_path, config)
        targets = Counter(names[int(label)] for index in range(len(samples)) for label in samples[index][1]["labels"])
        # Launch, Statistics, Split, the doctor's and the trainer's count, its documents and what the network is shown.
        assert (half.objects, half.of_class) == (total, expected)
        assert rows == expected
        assert +Counter(divided) == +Counter(divided_light) == expected
        counted = learnable_objects.tally([record for record in dataset.images if record.split == split])
        assert counted.objects == documents["learned"][split].objects == expected
        assert learns == targets == expected
        # And every region that is none of them is told, with its number.
        regions = sum(len(entries) for name, entries in raw.items() if name.startswith("val") == (split == "val"))
        assert counted.n_skipped() == regions - total == sum(numbers.of(split).left().values())  # type: ignore[arg-type]
        assert bool(counted.remarks()) == bool(regions - total)
        said = list(remarks(config, documents))
        assert all(any(line in remark for remark in said) for line in counted.remarks())
    told = [finding for finding in examine(dataset) if finding.check in ("crowd", "line-or-point")]
    assert len(told) == numbers.left().get("crowd", 0) + numbers.left().get("line", 0) + numbers.left().get("point", 0)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_region_without_a_class_is_counted_by_none_and_stops_the_training(split: str, tmp_path: Path) -> None:
    name = f"{split}1.png"
    raw = {**BASE, name: [*BASE[name], region(rect(30, 30, 20, 20), None)]}
    project = project_of(raw, tmp_path)
    expected = oracle(raw, split)
    data = launch_data.count_labels(project).data_for(("box", "mask"))
    assert getattr(data, split).of_class == expected
    assert statistics(project.dataset()).of(split).n_objects == expected.total()  # type: ignore[arg-type]
    assert any("1 region has no class" in obstacle for obstacle in data.obstacles())
    with pytest.raises(Exception, match="has no value for"):
        training_documents(project.folder, None, None, project.runs_folder / "run")


def test_pictures_that_wait_for_labels_are_told_by_the_trainer_and_on_launch(tmp_path: Path) -> None:
    project = project_of(BASE, tmp_path)
    project.add_pictures(sorted((tmp_path / "train").glob("*.png"))[:1], "train")
    grey = cv2.imencode(".png", np.full((HEIGHT, WIDTH, 3), 90, np.uint8))[1].tobytes()
    project.add_pictures([("new1.png", grey), ("new2.png", grey + b" ")], "train")
    waiting = sum(not image.n_regions and not image.done for image in project.images())
    documents = training_documents(project.folder, None, None, project.runs_folder / "run")
    config = config_with_labels(Config.preset("classroom"), documents)
    assert any(f"{waiting} pictures are left out" in line for line in remarks(config, documents))
    assert f"{waiting} pictures are left out" in launch_data.count_labels(project).data_for(("box", "mask")).left_out()
    assert learnable_in_project(project).waiting == waiting
