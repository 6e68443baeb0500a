"""Every data set, opened again by the program or the reader that it is for."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from maskrcnn.annotations import raster, read
from maskrcnn.annotations.regions import Keypoints, Rect, Region
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.inference.outputs import FoundPicture, as_dataset, write_set_files
from tests.inference.outputs import made

OUTLINES = ("via", "labelme", "yolo")


def written(kind: str, folder: Path, config: Config = made.CONFIG) -> tuple[Path, list[FoundPicture]]:
    found = made.found_pictures(folder / "photos")
    (place,) = write_set_files([kind], found, config, folder / "out")
    return place, found


def coco_of(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def iou(region: Region, mask: np.ndarray) -> float:
    pixels = raster.mask(region.shape, *mask.shape)
    return float((pixels & mask).sum() / (pixels | mask).sum())


def test_coco_is_opened_by_pycocotools_and_has_the_very_masks(tmp_path: Path) -> None:
    place, _ = written("coco", tmp_path)
    coco = coco_of(place)
    assert [image["file_name"] for image in coco.imgs.values()] == ["a.png", "b.png", "sub/a.png"]
    assert [entry["name"] for entry in coco.cats.values()] == ["nut", "../bolt_1"]
    entries = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    kept = [number for number, area in enumerate(made.AREAS) if area]  # COCO has no object without a pixel
    assert [entry["area"] for entry in entries] == [made.AREAS[number] for number in kept]
    for entry, number in zip(entries, kept, strict=True):
        assert np.array_equal(coco.annToMask(entry).astype(bool), made.MASKS[number])
        assert entry["area"] == coco.annToMask(entry).sum()
        assert entry["score"] == pytest.approx(0.95 - number / 10)
        assert (entry["category_id"], entry["iscrowd"]) == (1 + number % 2, 0)
    # Rows 0 to 47 and columns 44 to 63.
    assert entries[2]["bbox"] == [44, 0, 20, 48]
    assert coco.getAnnIds(imgIds=[2]) == []


def test_pycocotools_takes_its_annotations_as_results(tmp_path: Path) -> None:
    place, _ = written("coco", tmp_path)
    coco = coco_of(place)
    results = [
        {key: entry[key] for key in ("image_id", "category_id", "segmentation", "score")}
        for entry in json.loads(place.read_text())["annotations"]
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        again = coco.loadRes(results)
    assert [entry["area"] for entry in again.anns.values()] == [400, 416, 604, 24, 604]


@pytest.mark.parametrize("kind", ["coco", *OUTLINES])
def test_our_reader_opens_it_again(kind: str, tmp_path: Path) -> None:
    place, _ = written(kind, tmp_path)
    pictures = tmp_path / "photos" if kind in ("coco", "via") else None  # the others have the pictures beside them
    dataset = read(place, pictures)
    assert [line for line in dataset.warnings if "found" in line or "left out" in line] == []
    records = {record.file_name: record for record in dataset.images}
    assert set(records) == {"a.png", "b.png", "sub/a.png"}
    assert {name: len(record.regions) for name, record in records.items()} == {"a.png": 4, "b.png": 0, "sub/a.png": 1}
    masks = [made.MASKS[number] for number, area in enumerate(made.AREAS) if area]
    for region, mask, name in zip(records["a.png"].regions, masks, ("nut", "../bolt_1", "nut", "nut"), strict=True):
        assert region.class_name == name
        assert iou(region, mask) == 1.0  # masks with straight edges lose nothing
    for record in records.values():
        assert record.path is not None
        assert record.path.read_bytes() == (tmp_path / "photos" / record.file_name).read_bytes()


@pytest.mark.parametrize("kind", ["coco", "via", "labelme"])
def test_objects_stay_marked_as_a_networks(kind: str, tmp_path: Path) -> None:
    place, _ = written(kind, tmp_path)
    (record,) = (record for record in read(place, tmp_path / "photos").images if record.file_name == "a.png")
    assert [(region.source, region.score) for region in record.regions] == [
        ("model", score) for score in (0.95, 0.85, 0.75, 0.55)
    ]


def test_via_opens_its_project(tmp_path: Path) -> None:
    place, found = written("via", tmp_path)
    document = json.loads(place.read_text())
    assert set(document) == {
        *("_via_settings", "_via_img_metadata", "_via_attributes"),
        *("_via_data_format_version", "_via_image_id_list"),
    }
    sizes = [one.path.stat().st_size for one in found if one.path is not None]
    keys = [f"{one.name}{size}" for one, size in zip(found, sizes, strict=True)]
    assert document["_via_image_id_list"] == list(document["_via_img_metadata"]) == keys
    defined = document["_via_attributes"]["region"]
    assert defined["class"]["options"] == {"nut": "nut", "../bolt_1": "../bolt_1"}
    for entry in document["_via_img_metadata"].values():
        for region in entry["regions"]:
            shape = region["shape_attributes"]
            assert shape["name"] == "polygon"
            assert len(shape["all_points_x"]) == len(shape["all_points_y"]) >= 3
            assert set(region["region_attributes"]) <= set(defined)


def test_round_masks_lose_little(tmp_path: Path) -> None:
    rows, columns = np.mgrid[: made.HEIGHT, : made.WIDTH]
    discs = [(rows - 24) ** 2 + (columns - 32) ** 2 < radius**2 for radius in (2, 4, 8, 16, 23)]
    objects = tuple(made.detection(mask, 1, 0.9) for mask in discs)
    (record,) = as_dataset([FoundPicture("a.png", made.WIDTH, made.HEIGHT, objects)], made.CONFIG).images
    for region, mask in zip(record.regions, discs, strict=True):
        assert iou(region, mask) >= 0.92


def test_keypoints_have_their_names_and_limbs(tmp_path: Path) -> None:
    pose = {"keypoints": [10.0, 10.0, 2, 20.5, 20.25, 2], "keypoint_scores": [0.5, 0.9], "pose_score": 0.6}
    found = [FoundPicture("a.png", made.WIDTH, made.HEIGHT, (made.detection(made.MASKS[0], 1, 0.9, **pose),))]
    (place,) = write_set_files(["coco"], found, made.POSES, tmp_path)
    coco = coco_of(place)
    assert coco.cats[1]["keypoints"] == ["head", "tail"]
    assert coco.cats[1]["skeleton"] == [[1, 2]]
    assert coco.anns[1]["keypoints"] == [10.0, 10.0, 2, 20.5, 20.25, 2]
    (region,) = read(write_set_files(["via"], found, made.POSES, tmp_path)[0]).images[0].regions
    assert region.keypoints == Keypoints(((10.0, 10.0, 2), (20.5, 20.25, 2)))


def test_boxes_of_a_network_without_masks(tmp_path: Path) -> None:
    box = {"category_id": 1, "bbox": [10.25, 3.5, 20.5, 8.0], "score": 0.5}
    found = [FoundPicture("a.png", made.WIDTH, made.HEIGHT, (box,))]
    (place,) = write_set_files(["coco"], found, made.CONFIG, tmp_path)
    (entry,) = coco_of(place).anns.values()
    assert (entry["bbox"], entry["area"], entry["segmentation"]) == ([10.25, 3.5, 20.5, 8.0], 164.0, [])
    for kind in ("coco", "via"):
        (region,) = read(write_set_files([kind], found, made.CONFIG, tmp_path)[0]).images[0].regions
        assert region.shape == Rect(10.25, 3.5, 20.5, 8.0)


@pytest.mark.parametrize("kind", ["coco", *OUTLINES])
def test_pictures_of_one_name_and_frames_without_a_file(kind: str, tmp_path: Path) -> None:
    names = ["a.png", "a.png", "a.jpg", "../../out.png"]
    found = [FoundPicture(name, made.WIDTH, made.HEIGHT, made.detections()[:1]) for name in names]
    notes: list[str] = []
    (place,) = write_set_files([kind], found, made.CONFIG, tmp_path / "out", notice=notes.append)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}  # nothing lies outside
    if kind in ("coco", "via"):
        assert len(read(place).images) == 4
    else:
        suffix = {"labelme": ".json", "yolo": ".txt"}[kind]
        assert len([path for path in place.rglob(f"*{suffix}")]) == 4
        assert any("4 pictures left out" in note for note in notes)


@pytest.mark.parametrize("kind", ["coco", *OUTLINES, "csv"])
def test_the_second_time_replaces_the_first(kind: str, tmp_path: Path) -> None:
    for names in (["a.png", "b.png"], ["c.png"]):
        found = [FoundPicture(name, made.WIDTH, made.HEIGHT, made.detections()) for name in names]
        (place,) = write_set_files([kind], found, made.CONFIG, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    files = [place] if place.is_file() else [path for path in place.rglob("*.*") if path.is_file()]
    texts = " ".join([*(str(path) for path in files), *(path.read_text() for path in files)])
    assert "c" in texts
    assert "b.png" not in texts
    assert not [path for path in files if path.stem == "b"]


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [FoundPicture("a.png", made.WIDTH, made.HEIGHT, made.detections())]
    (place,) = write_set_files(["yolo"], found, made.CONFIG, tmp_path)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("maskrcnn.annotations.formats.writing.sync", full)
    with pytest.raises(ArgumentError, match="No space left on device"):
        write_set_files(["yolo"], [], made.CONFIG, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
