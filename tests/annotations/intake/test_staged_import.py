"""What was understood of what was dropped: as files, as a zip and as a folder."""

from __future__ import annotations

import base64
import json
import os
import time
import unicodedata
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats.lazy_records import LazyRecords
from maskrcnn.annotations.formats.via import large_files
from maskrcnn.annotations.formats.writing import encode
from maskrcnn.annotations.intake import (
    Staged,
    label_files,
    refused_folders,
    stage_path,
    stage_uploads,
    temporary_folders,
)
from maskrcnn.annotations.regions import Polygon
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError

TRIANGLE = Polygon(((1, 1), (30, 2), (15, 25)))


@pytest.fixture(params=["files", "zip", "folder", "zipped folder"])
def stage(
    request: pytest.FixtureRequest, zipped: Callable[..., bytes], laid_out: Callable[..., Path], waiting: Path
) -> Any:
    """`stage(files)` takes them in, in four ways that must come to the same; discards at the end."""
    made: list[Staged] = []

    def take(files: dict[str, bytes]) -> Staged:
        match request.param:
            case "files":
                made.append(stage_uploads(list(files.items()), base=waiting))
            case "zip":
                made.append(stage_uploads([("all.zip", zipped(files))], base=waiting))
            case "folder":
                made.append(stage_path(laid_out(files), base=waiting))
            case "zipped folder":
                inside = {f"my set/{name}": content for name, content in files.items()}
                made.append(stage_uploads([("all.zip", zipped(inside))], base=waiting))
        return made[-1]

    yield take
    for staged in made:
        assert all(record.path is None or record.path.is_file() for record in staged.dataset.images)
        staged.discard()
    assert not list(waiting.iterdir())


def summary(staged: Staged) -> dict[str, tuple[str | None, int]]:
    """File name -> split and number of regions, of the pictures that were found."""
    return {
        record.file_name: (record.split, len(record.regions))
        for record in staged.dataset.images
        if record.path is not None
    }


def test_labels_with_pictures_some_missing_some_without_labels(stage: Any, via: Any, jpeg: Any) -> None:
    staged = stage(
        {"labels.json": via("a.jpg", "gone.jpg", kind="leaf"), "a.jpg": jpeg(1), "images/b.png": jpeg(2, "PNG")}
    )
    assert staged.format == "VIA 2.x"
    assert [Path(name).name for name in staged.label_files] == ["labels.json"]
    assert summary(staged) == {"a.jpg": (None, 1), "b.png": (None, 0)}
    assert staged.missing == ("gone.jpg",)
    assert staged.unlabelled == 1
    assert staged.warnings == ()
    first = staged.dataset.images[0]
    assert (first.width, first.height) == (40, 30)
    assert first.regions[0].shape == TRIANGLE
    assert first.path is not None
    assert first.path.read_bytes() == jpeg(1)


def test_pictures_only(stage: Any, jpeg: Any) -> None:
    staged = stage({"a.jpg": jpeg(1), "sub/b.jpg": jpeg(2), "readme.txt": b"hello", "LICENSE": b"MIT"})
    assert staged.format == "pictures only"
    assert staged.label_files == ()
    assert summary(staged) == {"a.jpg": (None, 0), "b.jpg": (None, 0)}
    assert staged.unlabelled == 2


def test_two_folders_with_a_label_file_each_are_one_dataset_with_splits(stage: Any, via: Any, jpeg: Any) -> None:
    """The layout of the balloon set, and of most that follow it."""
    files = {"train/via_region_data.json": via("1.jpg", "2.jpg", kind="leaf"), "val/via_region_data.json": via("3.jpg")}
    files |= {"train/1.jpg": jpeg(1), "train/2.jpg": jpeg(2), "val/3.jpg": jpeg(3)}
    staged = stage(files)
    assert staged.format == "VIA 2.x"
    assert len(staged.label_files) == 2
    assert summary(staged) == {"1.jpg": ("train", 1), "2.jpg": ("train", 1), "3.jpg": ("val", 1)}
    assert (staged.dataset.class_attribute, staged.dataset.classes[0]) == ("kind", "leaf")


def test_one_name_in_two_folders_is_two_pictures(stage: Any, via: Any, jpeg: Any) -> None:
    files = {"train/labels.json": via("1.jpg", kind="leaf"), "val/labels.json": via("1.jpg", kind="cell")}
    staged = stage({**files, "train/1.jpg": jpeg(1), "val/1.jpg": jpeg(2)})
    train, val = staged.dataset.images
    assert (train.split, val.split) == ("train", "val")
    assert (train.path.read_bytes(), val.path.read_bytes()) == (jpeg(1), jpeg(2))
    assert train.file_name.endswith("train/1.jpg")
    assert val.file_name.endswith("val/1.jpg")
    assert staged.dataset.classes == ("leaf", "cell")


def test_one_name_in_two_folders_and_labels_that_do_not_say_which(stage: Any, via: Any, jpeg: Any) -> None:
    staged = stage({"labels.json": via("1.jpg", kind="leaf"), "one/1.jpg": jpeg(1), "two/1.jpg": jpeg(2)})
    assert staged.missing == ("1.jpg",)
    assert sorted(regions for _, regions in summary(staged).values()) == [0, 0]
    assert "2 pictures have this name" in staged.warnings[0]


def test_one_name_in_two_folders_and_labels_that_say_which(stage: Any, via: Any, jpeg: Any) -> None:
    staged = stage({"labels.json": via("two/1.jpg", kind="leaf"), "one/1.jpg": jpeg(1), "two/1.jpg": jpeg(2)})
    assert staged.missing == ()
    assert staged.dataset.images[0].path.read_bytes() == jpeg(2)
    assert staged.unlabelled == 1


def coco(*names: str) -> bytes:
    images = [{"id": number, "file_name": name, "width": 40, "height": 30} for number, name in enumerate(names)]
    annotations = [
        {
            **{"id": number, "image_id": number, "category_id": 5, "iscrowd": 0, "bbox": [1, 1, 29, 24], "area": 300},
            "segmentation": [[1, 1, 30, 2, 15, 25]],
        }
        for number in range(len(names))
    ]
    categories = [{"id": 5, "name": "leaf"}]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories}).encode()


def test_the_layout_of_coco(stage: Any, jpeg: Any) -> None:
    files = {"annotations/instances_train2017.json": coco("1.jpg"), "annotations/instances_val2017.json": coco("1.jpg")}
    staged = stage({**files, "images/train2017/1.jpg": jpeg(1), "images/val2017/1.jpg": jpeg(2)})
    assert staged.format == "COCO"
    train, val = staged.dataset.images
    assert (train.split, train.path.read_bytes()) == ("train", jpeg(1))
    assert (val.split, val.path.read_bytes()) == ("val", jpeg(2))
    assert staged.dataset.classes == ("leaf",)


def test_pictures_of_a_test_split_come_to_validation_and_that_is_said(stage: Any, via: Any, jpeg: Any) -> None:
    staged = stage({"train/labels.json": via("1.jpg"), "train/1.jpg": jpeg(1), "test/2.jpg": jpeg(2)})
    assert summary(staged) == {"1.jpg": ("train", 1), "2.jpg": ("val", 0)}
    assert "1 picture of the test split" in staged.warnings[0]


def test_a_single_folder_called_val_does_not_decide_the_split(stage: Any, via: Any, jpeg: Any) -> None:
    assert summary(stage({"val/labels.json": via("1.jpg"), "val/1.jpg": jpeg(1)})) == {"1.jpg": (None, 1)}


def labelme(picture: str, data: bytes | None = None) -> bytes:
    shape = {
        "label": "leaf",
        "points": [[1, 1], [30, 2], [15, 25]],
        "shape_type": "polygon",
        "flags": {},
        "group_id": None,
    }
    document = {
        "version": "5.0.1",
        "flags": {},
        "shapes": [shape],
        "imagePath": picture,
        "imageHeight": 30,
        "imageWidth": 40,
    }
    return json.dumps({**document, "imageData": base64.b64encode(data).decode() if data else None}).encode()


def test_a_labelme_file_for_each_picture(stage: Any, jpeg: Any) -> None:
    staged = stage({"a.json": labelme("a.jpg"), "b.json": labelme("b.jpg"), "a.jpg": jpeg(1), "b.jpg": jpeg(2)})
    assert staged.format == "labelme"
    assert len(staged.label_files) == 2
    assert summary(staged) == {"a.jpg": (None, 1), "b.jpg": (None, 1)}
    assert staged.dataset.classes == ("leaf",)


def test_a_picture_inside_a_labelme_file(stage: Any, jpeg: Any) -> None:
    staged = stage({"a.json": labelme("..\\photos\\a.jpg", jpeg(1))})
    assert staged.missing == ()
    assert staged.dataset.images[0].path.read_bytes() == jpeg(1)


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_a_picture_inside_a_via_file(prefix: str, stage: Any, via: Any, jpeg: Any) -> None:
    document = json.loads(via("a.jpg", "bad.jpg", kind="leaf"))
    document["a.jpg"]["base64_img_data"] = prefix + base64.b64encode(jpeg(1)).decode()
    document["bad.jpg"]["base64_img_data"] = "no base64!"
    staged = stage({"labels.json": json.dumps(document).encode()})
    assert summary(staged) == {"a.jpg": (None, 1)}
    assert staged.dataset.images[0].path.read_bytes() == jpeg(1)
    assert staged.missing == ("bad.jpg",)
    assert "not base64" in staged.warnings[0]


def test_what_via_saves_three_times_is_read_once(stage: Any, via: Any, jpeg: Any, tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_bytes(via("a.jpg", kind="leaf", note="x"))
    dataset = read(tmp_path / "labels.json")
    files = {
        f"{format}{suffix}": next(iter(encode(dataset, format).files.values()))
        for format, suffix in (("via2", ".json"), ("via-project", ".json"), ("via-csv", ".csv"))
    }
    staged = stage({**files, "attributes.json": b'{"region": {}, "file": {}}', "a.jpg": jpeg(1)})
    assert staged.format == "VIA 2.x project"
    assert [Path(name).name for name in staged.label_files] == ["via-project.json"]
    assert summary(staged) == {"a.jpg": (None, 1)}
    said = "\n".join(staged.warnings)
    assert "via2.json: says nothing that" in said
    assert "via-csv.csv: says nothing that" in said
    assert "attributes.json" in said


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("via", "several label files .*one.json.*two.json.* are for the same picture"),
        ("coco", "same picture|several kinds"),
    ],
)
def test_two_opinions_on_one_picture_are_refused(other: str, said: str, stage: Any, via: Any, jpeg: Any) -> None:
    second = via("a.jpg", kind="cell") if other == "via" else coco("a.jpg")
    with pytest.raises(StudioError, match=said):
        stage({"one.json": via("a.jpg", kind="leaf"), "two.json": second, "a.jpg": jpeg(1)})


def test_label_files_of_two_kinds_are_refused(stage: Any, via: Any, jpeg: Any) -> None:
    with pytest.raises(StudioError, match=r"several kinds \(VIA 2.x, COCO\)|several kinds \(COCO, VIA 2.x\)"):
        stage({"one.json": via("a.jpg"), "two.json": coco("b.jpg"), "a.jpg": jpeg(1), "b.jpg": jpeg(2)})


def test_a_broken_label_file_among_good_ones_is_named(stage: Any, via: Any, jpeg: Any) -> None:
    staged = stage({"good.json": via("a.jpg"), "broken.json": b"{", "a.jpg": jpeg(1)})
    assert summary(staged) == {"a.jpg": (None, 1)}
    assert len(staged.warnings) == 1
    assert staged.warnings[0].startswith("passed over: ")
    assert "broken.json: not JSON" in staged.warnings[0]


def test_what_systems_leave_in_folders_is_passed_over_in_silence(stage: Any, via: Any, jpeg: Any) -> None:
    junk = {
        "__MACOSX/._a.jpg": b"x",
        ".DS_Store": b"x",
        "Thumbs.db": b"x",
        "._labels.json": b"{",
        ".git/b.jpg": jpeg(2),
    }
    staged = stage({"labels.json": via("a.jpg"), "a.jpg": jpeg(1), **junk})
    assert summary(staged) == {"a.jpg": (None, 1)}
    assert staged.warnings == ()


@pytest.mark.parametrize("format", ["yolo", "masks", "labelme", "coco", "via1", "via-csv"])
def test_our_own_exports_come_back(format: str, stage: Any, via: Any, jpeg: Any, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    for name, seed in (("a.jpg", 1), ("b.jpg", 2)):
        (tmp_path / "source" / name).write_bytes(jpeg(seed))
    (tmp_path / "source" / "labels.json").write_bytes(via("a.jpg", "b.jpg", kind="leaf"))
    encoded = encode(read(tmp_path / "source" / "labels.json"), format)
    suffix = ".csv" if format == "via-csv" else ".json"
    files = {name if "." in name else f"{name}{suffix}": content for name, content in encoded.files.items()}
    files |= {place: source.read_bytes() for place, source in encoded.pictures.items()}
    names = {Path(place).name for place in encoded.pictures}
    files |= {name: jpeg(seed) for name, seed in (("a.jpg", 1), ("b.jpg", 2)) if name not in names}
    staged = stage(files)
    split = "train" if format == "yolo" else None  # YOLO always says
    assert summary(staged) == {"a.jpg": (split, 1), "b.jpg": (split, 1)}
    assert staged.dataset.classes == ("leaf",)
    assert staged.missing == ()


@pytest.mark.parametrize("sidecar", ["a.jpg.json", "a.jpg.supplemental-metadata.json"])
def test_what_a_photo_service_says_of_photographs_is_passed_over(sidecar: str, stage: Any, jpeg: Any) -> None:
    staged = stage({"a.jpg": jpeg(1), sidecar: b'{"title": "a.jpg"}', "metadata.json": b'{"title": "Garden"}'})
    assert summary(staged) == {"a.jpg": (None, 0)}
    assert sum(line.startswith("passed over: ") and "holds no labels" in line for line in staged.warnings) == 2


def test_zips_in_a_zip_are_named(zipped: Any, jpeg: Any, waiting: Path) -> None:
    content = zipped({"train.zip": zipped({"a.jpg": jpeg(1)}), "val.zip": zipped({"b.jpg": jpeg(2)})})
    with pytest.raises(
        StudioError, match=r"set\.zip: holds neither .* but 2 zips \(train\.zip, val\.zip\); unpack them"
    ):
        stage_uploads([("set.zip", content)], base=waiting)


def test_what_is_of_no_use_is_named(stage: Any, jpeg: Any) -> None:
    """A phone's photos, say, and YOLO labels without the file that names their classes."""
    staged = stage(
        {"a.jpg": jpeg(1), "a.txt": b"0 .1 .1 .5 .5 .1 .5", "b.cr2": b"x", "a.xml": b"<x/>", "notes.txt": b""}
    )
    assert summary(staged) == {"a.jpg": (None, 0)}
    texts, others = staged.warnings
    assert texts.startswith("passed over: ")
    assert "a.txt is of YOLO, and nothing names its classes; write a data.yaml" in texts
    assert "notes.txt" not in texts
    assert "b.cr2" in others
    assert "a.xml" in others


@pytest.mark.parametrize(
    "names",
    [
        ["1.jpg", "2.jpg", "10.jpg"],
        ["IMG_9.jpg", "img_10.jpg", "IMG_11.jpg"],
        ["a/2.jpg", "a/10.jpg", "b/1.jpg"],
        ["x 7.jpg", "x 08.jpg", "x 9.jpg"],
        ["p2/1.jpg", "p10/2.jpg", "p10/03.jpg"],
    ],
)
def test_pictures_come_in_natural_order(names: list[str], stage: Any, jpeg: Any) -> None:
    staged = stage({name: jpeg(seed) for seed, name in enumerate(sorted(names, reverse=True))})
    assert [record.file_name for record in staged.dataset.images] == [name.rpartition("/")[2] for name in names]


# Which attribute is the class


def test_the_class_attribute_can_be_changed_and_back(stage: Any, via: Any, jpeg: Any) -> None:
    staged = stage({"labels.json": via("a.jpg", kind="leaf", age="old"), "a.jpg": jpeg(1), "b.jpg": jpeg(2)})
    assert {candidate.name: dict(candidate.values) for candidate in staged.candidates} == {
        "kind": {"leaf": 1},
        "age": {"old": 1},
    }
    changed = staged.with_class_attribute("age")
    assert changed.dataset.classes == ("old",)
    assert changed.dataset.images[0].regions[0].attributes == {"kind": "leaf"}
    assert summary(changed) == summary(staged)
    assert changed.with_class_attribute("kind").dataset.classes == ("leaf",)
    assert changed.with_class_attribute(None).dataset.classes == ("object",)
    with pytest.raises(StudioError, match="nonsense"):
        staged.with_class_attribute("nonsense")


def test_coco_has_no_attribute_to_choose(stage: Any, jpeg: Any) -> None:
    assert stage({"labels.json": coco("a.jpg"), "a.jpg": jpeg(1)}).candidates == ()


def test_records_on_demand_are_the_same_as_records_at_once(
    via: Any, jpeg: Any, laid_out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large VIA files make their records when they are asked for; here, small ones do."""
    files = {
        f"{split}/labels.json": via("1.jpg", "2.jpg", "gone.jpg", kind=split, age="old") for split in ("train", "val")
    }
    files |= {f"{split}/{n}.jpg": jpeg(seed) for seed, (split, n) in enumerate(product(("train", "val"), (1, 2, 3)))}
    files["val/2.jpg"] = b"no picture"
    folder = laid_out(files)
    at_once = stage_path(folder)

    def on_demand(path: Path) -> Dataset | None:
        return large_files.parse(path.read_text(), path, large=0)

    monkeypatch.setattr(label_files, "labels_of_file", on_demand)
    staged = stage_path(folder)
    assert isinstance(staged.dataset.images, LazyRecords)
    assert isinstance(at_once.dataset.images, tuple)
    for one, other in (
        (staged, at_once),
        (staged.with_class_attribute("age"), at_once.with_class_attribute("age")),
    ):
        assert summary(one) == summary(other)
        assert len(one.dataset.images) == len(other.dataset.images) == 7
        for left, right in zip(one.dataset.images, other.dataset.images, strict=True):
            assert (left.file_name, left.path, left.width) == (right.file_name, right.path, right.width)
            assert [(region.class_name, region.attributes) for region in left.regions] == [
                (region.class_name, region.attributes) for region in right.regions
            ]
        assert (one.missing, one.warnings, one.candidates) == (other.missing, other.warnings, other.candidates)
        assert one.dataset.classes == other.dataset.classes


# Projects


def test_a_project_as_a_folder_and_as_a_zip(via: Any, jpeg: Any, tmp_path: Path, waiting: Path) -> None:
    project = Project.create(tmp_path / "leaves")
    uploads = [("labels.json", via("a.jpg", kind="leaf")), ("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))]
    with stage_uploads(uploads, base=waiting) as staged:
        project.import_dataset(staged.dataset, "val")
    project.set_split(project.images()[0].id, "train")
    with zipfile.ZipFile(tmp_path / "leaves.zip", "w") as archive:
        for path in project.folder.rglob("*"):
            archive.write(path, path.relative_to(tmp_path))
    for source in (project.folder, tmp_path / "leaves.zip"):
        with stage_path(source, base=waiting) as staged:
            assert "project" in staged.format
            assert summary(staged) == {"a.jpg": ("train", 1), "b.jpg": ("val", 0)}
            assert staged.dataset.classes == ("leaf",)
            other = Project.create(tmp_path / f"other-{source.suffix}")
            other.import_dataset(staged.dataset, None)
            assert [(image.file_name, image.split) for image in other.images()] == [
                ("a.jpg", "train"),
                ("b.jpg", "val"),
            ]
    assert not list(waiting.iterdir())


# Uploads


def test_labels_alone_for_pictures_that_are_known(via: Any, jpeg: Any, waiting: Path, laid_out: Any) -> None:
    beside = laid_out({"a.jpg": jpeg(1), "b.jpg": jpeg(2)})
    with stage_uploads([("labels.json", via("a.jpg"))], beside=beside, base=waiting) as staged:
        assert summary(staged) == {"a.jpg": (None, 1)}  # and not b.jpg, which nobody dropped
        assert staged.dataset.images[0].path == beside / "a.jpg"


def test_two_uploads_of_one_name(jpeg: Any, waiting: Path) -> None:
    with stage_uploads([("a.jpg", jpeg(1)), ("a.jpg", jpeg(1))], base=waiting) as staged:
        assert len(staged.dataset.images) == 1
    with stage_uploads([("a.jpg", jpeg(1)), ("a.jpg", jpeg(2))], base=waiting) as staged:
        assert sorted(record.path.read_bytes() for record in staged.dataset.images) == sorted([jpeg(1), jpeg(2)])


def test_a_zip_for_each_split(via: Any, jpeg: Any, waiting: Path, zipped: Any) -> None:
    train = zipped({"labels.json": via("1.jpg"), "1.jpg": jpeg(1)})
    val = zipped({"labels.json": via("1.jpg"), "1.jpg": jpeg(2)})
    with stage_uploads([("train.zip", train), ("val.zip", val)], base=waiting) as staged:
        assert [record.split for record in staged.dataset.images] == ["train", "val"]


def test_a_zip_of_pictures_and_the_labels_beside_it(via: Any, jpeg: Any, waiting: Path, zipped: Any) -> None:
    uploads = [("photos.zip", zipped({"a.jpg": jpeg(1)})), ("labels.json", via("a.jpg"))]
    with stage_uploads(uploads, base=waiting) as staged:
        assert summary(staged) == {"a.jpg": (None, 1)}


def test_a_zip_is_known_by_its_content(jpeg: Any, waiting: Path, zipped: Any) -> None:
    with stage_uploads([("photos", zipped({"a.jpg": jpeg(1)}))], base=waiting) as staged:
        assert summary(staged) == {"a.jpg": (None, 0)}


def without_utf8_flag(content: bytes) -> bytes:
    changed = bytearray(content)
    for mark, offset in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
        place = changed.find(mark)
        while place >= 0:
            changed[place + offset] &= 0xFF - 0x08
            place = changed.find(mark, place + 4)
    return bytes(changed)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("flagged", [True, False])
def test_names_in_a_zip_that_does_not_say_it_is_utf_8(
    form: Any, flagged: bool, via: Any, jpeg: Any, zipped: Any, waiting: Path
) -> None:
    """macOS writes UTF-8 without a flag, and é in two characters."""
    name = unicodedata.normalize(form, "Übung é.jpg")
    content = zipped({"labels.json": via("Übung é.jpg"), name: jpeg(1)})
    if not flagged:
        content = without_utf8_flag(content)
    with stage_uploads([("a.zip", content)], base=waiting) as staged:
        assert staged.missing == ()
        assert staged.dataset.images[0].path.read_bytes() == jpeg(1)


def test_a_name_in_cp437(jpeg: Any, zipped: Any, waiting: Path) -> None:
    """0x82 is é there, and no UTF-8."""
    content = without_utf8_flag(zipped({"cafø.jpg": jpeg(1)})).replace("ø".encode(), b"\x82_")
    with stage_uploads([("a.zip", content)], base=waiting) as staged:
        assert [record.file_name for record in staged.dataset.images] == ["café_.jpg"]


def test_a_staging_folder_is_removed_and_old_ones_are_swept(jpeg: Any, waiting: Path) -> None:
    staged = stage_uploads([("a.jpg", jpeg(1))], base=waiting)
    assert staged.folder is not None
    assert staged.folder.parent == waiting
    old, young, other = (
        waiting / f"{temporary_folders.PREFIX}old",
        waiting / f"{temporary_folders.PREFIX}young",
        waiting / "other",
    )
    for folder in (old, young, other):
        (folder / "sub").mkdir(parents=True)
    for folder, hours in ((old, 25), (young, 23), (other, 99)):
        os.utime(folder, (time.time() - hours * 3600,) * 2)
    stage_uploads([("a.jpg", jpeg(1))], base=waiting).discard()
    staged.discard()
    staged.discard()
    assert sorted(path.name for path in waiting.iterdir()) == [young.name, "other"]


# Paths


def test_a_label_file_brings_only_its_own_pictures(via: Any, jpeg: Any, laid_out: Any) -> None:
    folder = laid_out({"labels.json": via("a.jpg"), "a.jpg": jpeg(1), "b.jpg": jpeg(2), "other.json": via("b.jpg")})
    staged = stage_path(folder / "labels.json")
    assert staged.label_files == ("labels.json",)
    assert summary(staged) == {"a.jpg": (None, 1)}
    assert staged.folder is None


def test_a_label_file_in_the_layout_of_coco(jpeg: Any, laid_out: Any) -> None:
    folder = laid_out({"annotations/instances_val2017.json": coco("1.jpg"), "val2017/1.jpg": jpeg(1)})
    assert summary(stage_path(folder / "annotations" / "instances_val2017.json")) == {"1.jpg": (None, 1)}


def test_one_picture(jpeg: Any, laid_out: Any) -> None:
    folder = laid_out({"a.jpg": jpeg(1), "b.jpg": jpeg(2)})
    assert summary(stage_path(f" '{folder / 'a.jpg'}' ")) == {"a.jpg": (None, 0)}


def test_too_many_files_and_too_deep(laid_out: Any, jpeg: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "/".join("d" for _ in range(30))
    folder = laid_out({"a.jpg": jpeg(1), f"{deep}/b.jpg": jpeg(2)})
    staged = stage_path(folder)
    assert summary(staged) == {"a.jpg": (None, 0)}
    assert "folders deep and was passed over" in staged.warnings[0]
    monkeypatch.setattr(refused_folders, "MOST_FILES", 3)
    with pytest.raises(StudioError, match="more than 3 files"):
        stage_path(laid_out({f"{n}.jpg": b"" for n in range(5)}))


# Real data


def test_the_balloon_set_comes_in_as_one(real_data: Path) -> None:
    staged = stage_path(real_data / "balloon")
    assert staged.format == "VIA 1.x"
    assert staged.dataset.n_regions == 255 + 50
    splits = [record.split for record in staged.dataset.images]
    assert (splits.count("train"), splits.count("val")) == (61, 13)
    assert staged.missing == staged.warnings == ()


def test_tinycoco_comes_in_as_one(real_data: Path) -> None:
    staged = stage_path(real_data / "coco" / "tinycoco")
    assert staged.dataset.n_regions == 288 + 136
    splits = [record.split for record in staged.dataset.images]
    assert (splits.count("train"), splits.count("val")) == (32, 6)
    assert staged.missing == staged.warnings == ()
    assert staged.unlabelled == 2


def test_car_damage_has_two_opinions(real_data: Path) -> None:
    with pytest.raises(StudioError, match=r"car-damage-train\.json, train_multiclass\.json"):
        stage_path(real_data / "car_damage" / "train")
    staged = stage_path(real_data / "car_damage" / "train" / "train_multiclass.json")
    assert len(staged.dataset.images) == 62
    assert len(staged.dataset.classes) == 5


def test_it_tells_how_far_it_is(laid_out: Any, jpeg: Any, waiting: Path) -> None:
    told: list[tuple[int, int]] = []
    folder = laid_out({f"{number}.jpg": jpeg(number) for number in range(3)})
    with stage_path(folder, base=waiting, progress=lambda done, total: told.append((done, total))):
        assert told == [(1, 3), (2, 3), (3, 3)]


def test_pictures_that_are_missing_are_named_as_a_person_counts() -> None:
    staged = Staged(Dataset(()), "VIA", missing=("10.jpg", "2.jpg", "1.jpg", "11.jpg"), named=4)
    assert staged.found_none_message() == "none of its 4 pictures was found: 1.jpg, 2.jpg, 10.jpg and 1 more"
