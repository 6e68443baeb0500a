"""Pictures that changed their names in a project: exports fit the original photographs all the same."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import intake, raster, read
from maskrcnn.annotations.dataset import Dataset, ImageRecord, Split
from maskrcnn.annotations.formats import original_names, writing
from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project
from tests.sweeps import one_in

WIDTH, HEIGHT = 40, 30


def outline(number: int) -> Polygon:
    x, y = 2.0 + number % 20, 3.0
    return Polygon(((x, y), (x + 12, y), (x + 12, y + 20), (x, y + 20)))


def photograph(place: Path, number: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT), (10 + 3 * number, 100, 200 - number)).save(place)


def labelled(names: list[str], first: int) -> Dataset:
    return Dataset(
        tuple(
            ImageRecord(name, (Region(outline(first + n), "cat"),), None, WIDTH, HEIGHT) for n, name in enumerate(names)
        ),
        ("cat",),
    )


def write_labels(path: Path, names: list[str], first: int, format: str) -> None:
    for name, content in writing.encode(labelled(names, first), format).files.items():
        place = path if writing.FORMATS[format].suffix else path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


@dataclass(frozen=True)
class Layout:
    """Photographs by their places, and what labels lie where: (file or folder, names in it, number of the first region,
    format)."""

    photographs: list[str]
    labels: list[tuple[str, list[str], int, str]]


LAYOUTS: dict[str, Layout] = {
    "two folders with a VIA file each": Layout(
        ["train/1.png", "train/2.png", "train/10.png", "val/1.png", "val/2.png"],
        [("train/via.json", ["1.png", "2.png", "10.png"], 0, "via2"), ("val/via.json", ["1.png", "2.png"], 3, "via2")],
    ),
    "deeper, with a space": Layout(
        ["my set/v 1/train/a b.png", "my set/v 1/val/a b.png", "my set/v 1/val/c.png"],
        [
            ("my set/v 1/train/labels.json", ["a b.png"], 0, "via-project"),
            ("my set/v 1/val/labels.json", ["a b.png", "c.png"], 1, "via-project"),
        ],
    ),
    "one COCO file that names folders": Layout(
        ["train/1.png", "val/1.png", "val/3.png"], [("coco.json", ["train/1.png", "val/1.png", "val/3.png"], 0, "coco")]
    ),
    "labelme beside each picture": Layout(
        ["train/x.png", "val/x.png", "val/y.png"],
        [("train", ["x.png"], 0, "labelme"), ("val", ["x.png", "y.png"], 1, "labelme")],
    ),
    "names that differ by case": Layout(
        ["train/IMG_1.png", "val/img_1.png"],
        [("train/via.csv", ["IMG_1.png"], 0, "via-csv"), ("val/via.csv", ["img_1.png"], 1, "via-csv")],
    ),
    "three of one name": Layout(
        ["train/a/1.png", "train/b/1.png", "val/c/1.png"],
        [("all.json", ["train/a/1.png", "train/b/1.png", "val/c/1.png"], 0, "via2")],
    ),
    "a name that the project would have made": Layout(
        ["train/1.png", "val/1.png", "val/1 (2).png"],
        [("train/t.json", ["1.png"], 0, "via1"), ("val/v.json", ["1.png", "1 (2).png"], 1, "via1")],
    ),
}


@dataclass(frozen=True)
class Imported:
    layout: Layout
    root: Path
    project: Project
    regions: dict[bytes, tuple[float, ...]]
    """Bytes of a photograph -> the box of the one region on it."""


@pytest.fixture(scope="module", params=LAYOUTS)
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fsync", lambda _: None)
    layout = LAYOUTS[request.param]
    root = tmp_path_factory.mktemp("photographs")
    for number, place in enumerate(layout.photographs):
        photograph(root / place, number)
    for where, names, first, format in layout.labels:
        write_labels(root / where, names, first, format)
    project = Project.create(tmp_path_factory.mktemp("work") / "cells")
    with intake.stage_path(root, workspace=project.folder) as staged:
        report = project.import_dataset(staged.dataset, None)
    assert report.added == len(layout.photographs)
    boxes = {(root / place).read_bytes(): raster.bounds(outline(n)) for n, place in enumerate(layout.photographs)}
    yield Imported(layout, root, project, boxes)
    patch.undo()


def found(dataset: Dataset) -> dict[bytes, tuple[float, ...]]:
    """What `Imported.regions` is, of what was read again; every picture must be there, with its region."""
    result: dict[bytes, tuple[float, ...]] = {}
    for record in dataset.images:
        assert record.path is not None, f"{record.file_name} is missing"
        if record.regions:
            (region,) = record.regions
            assert region.class_name == "cat"
            result[record.path.read_bytes()] = tuple(raster.bounds(region.shape))
    return result


def same(ours: dict[bytes, tuple[float, ...]], theirs: dict[bytes, tuple[float, ...]]) -> bool:
    return ours.keys() == theirs.keys() and all(np.allclose(ours[key], theirs[key], atol=1e-4) for key in ours)


def photographs_only(imported: Imported, folder: Path, split: str | None) -> Path:
    """A copy of the original photographs, without any labels; of one split those alone."""
    for place in imported.layout.photographs:
        if split is None or split in Path(place).parts:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(imported.root / place, folder / place)
    return folder


@pytest.mark.parametrize(("format", "split"), one_in(2, product(writing.FORMATS, (None, "train", "val"))))
def test_what_is_exported_fits_the_original_photographs(
    imported: Imported, format: str, split: str | None, tmp_path: Path
) -> None:
    """Put where they lie (files of a folder format with their pictures), and read by the page: all is there again."""
    encoded = writing.encode(imported.project.dataset(split), format)  # type: ignore[arg-type]
    suffix = writing.FORMATS[format].suffix
    root = tmp_path / "out"
    if format in ("yolo", "masks"):
        with zipfile.ZipFile(io.BytesIO(writing.zipped_export(encoded, True))) as file:
            file.extractall(root)
    else:
        root = photographs_only(imported, root, split)
        # A file for one split belongs into its folder, the others above all folders.
        inner = [place for place in imported.layout.photographs if split is None or split in Path(place).parts]
        common = os.path.commonpath([str(Path(place).parent) for place in inner])
        base = next(
            folder
            for folder in [root / common, *(root / common).parents]
            if all((folder / name).is_file() for name in encoded.pictures)
        )
        for name, content in encoded.files.items():
            place = base / (f"cells-{split or 'all'}{suffix}" if suffix else name)
            assert not place.exists()
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    with intake.stage_path(root, workspace=imported.project.folder) as staged:
        assert staged.missing == ()
        again = found(staged.dataset)
    wanted = {
        content: box
        for (content, box), place in zip(imported.regions.items(), imported.layout.photographs, strict=True)
        if split is None or split in Path(place).parts
    }
    assert same(again, wanted)


@pytest.mark.parametrize("format", ["via1", "via2", "via-project", "via-csv", "coco"])
def test_the_command_line_finds_them_too(imported: Imported, format: str, tmp_path: Path) -> None:
    """`read` of a label file that lies above the photographs' folders."""
    root = photographs_only(imported, tmp_path / "out", None)
    encoded = writing.encode(imported.project.dataset(), format)
    (content,) = encoded.files.values()
    base = next(
        folder
        for folder in [root, *root.rglob("*")]
        if folder.is_dir() and all((folder / n).is_file() for n in encoded.pictures)
    )
    (base / f"all{writing.FORMATS[format].suffix}").write_bytes(content)
    assert same(found(read(base / f"all{writing.FORMATS[format].suffix}")), imported.regions)


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_key_of_via_has_name_and_bytes_of_the_photograph(imported: Imported, split: str) -> None:
    (content,) = writing.encode(imported.project.dataset(split), "via2").files.values()  # type: ignore[arg-type]
    sizes = {
        place.name: place.stat().st_size
        for place in imported.root.rglob("*.png")
        if split in place.relative_to(imported.root).parts
    }
    for key, entry in json.loads(content).items():
        assert entry["size"] == sizes[entry["filename"].rpartition("/")[2]]
        assert key == f"{entry['filename']}{entry['size']}"


def test_a_name_too_long_for_a_disk_is_kept_by_an_upload(tmp_path: Path) -> None:
    name = f"{'x' * 220}.png"
    photograph(tmp_path / "1.png", 1)
    labels = writing.encode(labelled([name], 0), "coco").files["coco.json"]
    project = Project.create(tmp_path / "cells")
    with intake.stage_uploads([(name, (tmp_path / "1.png").read_bytes()), ("a.json", labels)], base=tmp_path) as staged:
        project.import_dataset(staged.dataset, None)
    assert [entry.file_name for entry in original_names.with_original_names(project.dataset())[0].images] == [name]


def test_a_project_imported_into_another_keeps_the_names(imported: Imported, tmp_path: Path) -> None:
    other = Project.create(tmp_path / "other")
    other.import_dataset(imported.project.dataset(), None)
    for split in ("train", "val"):
        ours, theirs = (
            {record.file_name for record in original_names.with_original_names(project.dataset(split))[0].images}
            for project in (imported.project, other)
        )
        assert ours == theirs


def test_the_same_labels_into_the_same_project_change_nothing(imported: Imported, tmp_path: Path) -> None:
    """The label file of one split alone, whose pictures are in the project: none of the other is taken."""
    for split in ("train", "val"):
        encoded = writing.encode(imported.project.dataset(split), "via2")
        (content,) = encoded.files.values()
        with intake.stage_uploads(
            [(f"cells-{split}-via2.json", content)], beside=imported.project.images_folder, base=tmp_path
        ) as staged:
            wanted = {record.path for record in imported.project.dataset(split).images}
            assert {record.path for record in staged.dataset.images} == wanted
            report = imported.project.import_dataset(staged.dataset, None)
        assert (report.added, report.updated, report.unchanged) == (0, 0, len(wanted))
        assert not [line for line in report.warnings if "stay" in line]


@pytest.mark.parametrize("format", writing.FORMATS)
def test_names_of_a_project_of_an_older_studio(format: str, tmp_path: Path) -> None:
    """It kept the name of each file, but no folders."""
    project = Project.create(tmp_path / "cells")
    contents = []
    for number, split in enumerate(("train", "val")):
        photograph(tmp_path / f"{number}" / "1.png", number)
        contents.append((tmp_path / f"{number}" / "1.png").read_bytes())
        project.add_pictures([("1.png", contents[-1])], split)  # type: ignore[arg-type]
    assert [image.file_name for image in project.images()] == ["1.png", "1 (2).png"]
    for split, content in zip(("train", "val"), contents, strict=True):
        encoded = writing.encode(project.dataset(split), format)  # type: ignore[arg-type]
        with zipfile.ZipFile(io.BytesIO(writing.zipped_export(encoded, True))) as file:
            (name,) = [name for name in file.namelist() if name.endswith("/1.png") or name == "1.png"][-1:]
            assert file.read(name) == content or format == "masks"
        assert encoded.notes == ()
    both = writing.encode(project.dataset(), format)
    if format != "yolo":
        assert "1 picture is called as in the project" in both.notes[0]
        assert "one by one" in both.notes[0]
    else:
        assert sorted(both.pictures) == ["images/train/1.png", "images/val/1.png"]


def test_labels_by_the_names_of_the_project_go_where_they_came_from(tmp_path: Path) -> None:
    """An export of training and validation together, of pictures whose folders nobody knows, calls them as the project
    does. It says so by `1 (2).png`, so its `1.png` is the project's; a file with `1.png` alone may mean either."""
    project = Project.create(tmp_path / "cells")
    for number, split in enumerate(("train", "val")):
        photograph(tmp_path / f"{number}" / "1.png", number)
        project.add_pictures([("1.png", (tmp_path / f"{number}" / "1.png").read_bytes())], split)  # type: ignore[arg-type]
    both = labelled(["1.png", "1 (2).png"], 0)
    for dataset, found in ((both, ["1.png", "1 (2).png"]), (replace(both, images=both.images[:1]), [None])):
        (content,) = writing.encode(dataset, "via2").files.values()
        with intake.stage_uploads([("labels.json", content)], beside=project.images_folder, base=tmp_path) as staged:
            assert [record.path and record.path.name for record in staged.dataset.images] == found


def test_a_yolo_set_of_equal_names_comes_back_as_it_was(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val")):
        photograph(tmp_path / "set" / "images" / split / "1.png", number)
        labels = tmp_path / "set" / "labels" / split / "1.txt"
        labels.parent.mkdir(parents=True)
        labels.write_text(f"0 0.1 0.1 0.{5 + number} 0.1 0.5 0.9\n")
    (tmp_path / "set" / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat]\n")
    project = Project.create(tmp_path / "cells")
    with intake.stage_path(tmp_path / "set", workspace=project.folder) as staged:
        project.import_dataset(staged.dataset, None)
    for dataset in (project.dataset(), read(tmp_path / "set")):
        writing.write(dataset, tmp_path / "out", "yolo")
        files = sorted(file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*.*"))
        names = ["images/train/1.png", "images/val/1.png", "labels/train/1.txt", "labels/val/1.txt"]
        assert files == ["data.yaml", *names]
        for name in names[:2]:
            assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "set" / name).read_bytes()
        shutil.rmtree(tmp_path / "out")
    via = writing.encode(project.dataset(), "via2")
    assert sorted(via.pictures) == ["train/1.png", "val/1.png"]


# The rule alone


def record(file_name: str, name: str | None = None, place: str | None = None, split: str = "train") -> ImageRecord:
    origin = {key: value for key, value in (("name", name), ("place", place)) if value is not None}
    return ImageRecord(file_name, split=split, extras={"origin": origin} if origin else {})  # type: ignore[arg-type]


NAMED: dict[str, tuple[list[ImageRecord], bool, list[str], str | None]] = {
    "nothing is noted": ([record("a.jpg"), record("b.jpg")], False, ["a.jpg", "b.jpg"], None),
    "alone, its own name": ([record("1 (2).jpg", "1.jpg", "val/1.jpg")], False, ["1.jpg"], None),
    "with the folders of the label file": (
        [record("1.jpg", "val/1.jpg", "set/val/1.jpg"), record("2.jpg", "val/2.jpg", "set/val/2.jpg")],
        False,
        ["val/1.jpg", "val/2.jpg"],
        None,
    ),
    "two of one name by their folders": (
        [
            record("1.jpg", None, "s/train/1.jpg"),
            record("1 (2).jpg", "1.jpg", "s/val/1.jpg"),
            record("2.jpg", None, "s/val/2.jpg"),
        ],
        False,
        ["train/1.jpg", "val/1.jpg", "val/2.jpg"],
        '3 pictures are called with their folders ("train/1.jpg")',
    ),
    "in formats with a folder for each split they need none": (
        [record("1.jpg", None, "train/1.jpg"), record("1 (2).jpg", "1.jpg", "val/1.jpg", "val")],
        True,
        ["1.jpg", "1.jpg"],
        None,
    ),
    "no folder is known: one keeps the project's name": (
        [record("1.jpg"), record("1 (2).jpg", "1.jpg")],
        False,
        ["1.jpg", "1 (2).jpg"],
        '1 picture is called as in the project ("1 (2).jpg" instead of "1.jpg"), as another picture of this '
        "export has the same name",
    ),
    "so too, and the splits would do": (
        [record("1.jpg"), record("1 (2).jpg", "1.jpg", split="val")],
        False,
        ["1.jpg", "1 (2).jpg"],
        "export training and validation one by one to keep it",
    ),
    "the project's name is another's own": (
        [record("1.jpg"), record("1 (2).jpg", "1.jpg"), record("1 (2) (2).jpg", "1 (2).jpg")],
        False,
        ["1.jpg", "1 (2).jpg", "1 (2) (2).jpg"],
        "2 pictures are called as in the project",
    ),
    "names of other computers keep their last part": (
        [record("1 (2).jpg", "C:\\me\\1.jpg"), record("2 (2).jpg", "../../2.jpg"), record("3 (2).jpg", "/etc/3.jpg")],
        False,
        ["1.jpg", "2.jpg", "3.jpg"],
        None,
    ),
    "control characters and halves of characters": (
        [record("1 (2).jpg", "a\tb.jpg"), record("2 (2).jpg", "\ud83d.jpg"), record("3.jpg", "c\nd/3.jpg")],
        False,
        ["a b.jpg", "?.jpg", "c d/3.jpg"],
        None,
    ),
    "two that YOLO would have one label file for": (
        [record("a.heic"), record("A.JPG", "IMG.JPG"), record("img.heic"), record("a.png", split="val")],
        True,
        ["a.heic", "IMG.JPG", "img (2).heic", "a.png"],
        '1 picture is called anew ("img (2).heic" instead of "img.heic")',
    ),
    "a colon, in a folder of any computer": (
        [record("2024 12:00.png"), record("b.png")],
        True,
        ["2024 12_00.png", "b.png"],
        '1 picture is called without the colon ("2024 12_00.png" instead of "2024 12:00.png")',
    ),
    "a note that is none": (
        [record("a.jpg", 5, ["x"]), record("b.jpg", "", "../../b.jpg")],  # type: ignore[arg-type]
        False,
        ["a.jpg", "b.jpg"],
        None,
    ),
}


@pytest.mark.parametrize("case", NAMED)
def test_the_names_of_an_export(case: str) -> None:
    records, split_folders, wanted, line = NAMED[case]
    dataset, lines = original_names.with_original_names(Dataset(tuple(records)), split_folders)
    assert [entry.file_name for entry in dataset.images] == wanted
    assert len(lines) == (line is not None)
    assert line is None or line in lines[0]


# Labels alone, put above the folders of the photographs

ABOVE: dict[str, tuple[list[str], list[str] | None]] = {
    "PNGs, of which a mask could take the name": (["s/a.png", "s/b.png"], None),
    "a folder that is called images": (["images/1.jpg", "images/2.png"], ["images/1.jpg", "images/2.png"]),
    "train and val": (["train2017/1.jpg", "val2017/1.jpg"], ["train2017/1.jpg", "val2017/1.jpg"]),
    "names that differ by case, in one folder": (["s/IMG.png", "s/img.png", "s/Img.PNG"], None),
    "an accent in two spellings, in one folder": (["s/\u00e9.jpg", "s/e\u0301.jpg"], None),
    "a colon, as of screenshots": (["s/2024-01-01 12:00:00.png", "s/2024-01-01 12_00_00.png"], None),
    "a line break": (["s/a\nb.jpg", "s/c\td.jpg"], None),
    "names that file systems hardly take": ([f"s/{'x' * 210}{number}.jpg" for number in "12"], None),
}


@pytest.mark.skipif(sys.platform != "linux", reason="other disks do not hold these names")
@pytest.mark.parametrize("format", writing.FORMATS)
@pytest.mark.parametrize("case", ABOVE)
def test_labels_fit_photographs_in_folders_below(case: str, format: str, tmp_path: Path) -> None:
    """Labels alone fit the photographs of which they were made, and with pictures in a zip they fit these."""
    places, names = ABOVE[case]
    records: list[ImageRecord] = []
    for number, place in enumerate(places):
        photograph(tmp_path / "in" / place, number)
        name = names[number] if names else Path(place).name
        split: Split = "val" if place.startswith("val") else "train"
        kept = record(
            f"{number}{Path(place).suffix}", name, place, split
        )  # what a project calls it has no part in this
        region = Region(outline(number), "cat")
        records.append(replace(kept, regions=(region,), path=tmp_path / "in" / place, width=WIDTH, height=HEIGHT))
    dataset = Dataset(tuple(records), ("cat",))
    wanted = {entry.path.read_bytes(): tuple(raster.bounds(entry.regions[0].shape)) for entry in records if entry.path}
    alone = writing.encode(dataset, format, pictures=False)
    is_told = format == "yolo" and any(word in case for word in ("case", "accent", "colon"))
    (above := tmp_path / "above").mkdir()
    for place in places:
        (above / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "in" / place, above / place)
    for name, content in alone.files.items():
        place = above / (f"labels{writing.FORMATS[format].suffix}" if writing.FORMATS[format].suffix else name)
        assert not place.exists()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    if is_told:
        assert "called as in the project" in alone.notes[0], "two would share a label file"
    else:
        with intake.stage_path(above, workspace=tmp_path / "work") as staged:
            assert (staged.missing, same(found(staged.dataset), wanted)) == ((), True)
    packed = writing.encode(dataset, format, pictures=True)
    if writing.FORMATS[format].suffix:
        (content,) = packed.files.values()
        packed = replace(packed, files={f"labels{writing.FORMATS[format].suffix}": content})
    assert len({name.casefold() for name in packed.pictures}) == len(places)
    (tmp_path / "all.zip").write_bytes(writing.zipped_export(packed, True))
    with intake.stage_path(tmp_path / "all.zip", base=tmp_path) as staged:
        assert (staged.missing, same(found(staged.dataset), wanted)) == ((), True)


@pytest.mark.parametrize("format", writing.FORMATS)
def test_labels_alone_find_the_pictures_that_a_project_has_or_that_come_along(format: str, tmp_path: Path) -> None:
    """The zip of the page's export without pictures: into a project that has them, and together with photographs."""
    records = []
    for number, place in enumerate(("train/1.png", "val/1.png", "val/2.png")):
        photograph(tmp_path / place, number)
        kept = ImageRecord(place, (Region(outline(number), "cat"),), tmp_path / place, WIDTH, HEIGHT)
        records.append(replace(kept, split="val" if number else "train"))
    project = Project.create(tmp_path / "cells")
    project.import_dataset(Dataset(tuple(records), ("cat",)), None)
    encoded = writing.encode(project.dataset(), format, pictures=False)
    if writing.FORMATS[format].suffix:
        encoded = replace(encoded, files={f"a{writing.FORMATS[format].suffix}": next(iter(encoded.files.values()))})
    labels = ("labels.zip", writing.zipped_export(encoded, False))
    photographs = [(place, (tmp_path / place).read_bytes()) for place in ("train/1.png", "val/1.png", "val/2.png")]
    for uploads, beside in (([labels], project.images_folder), ([labels, *photographs], None)):
        with intake.stage_uploads(uploads, beside=beside, base=tmp_path) as staged:
            again = found(staged.dataset)
        assert same(again, found(project.dataset()))
