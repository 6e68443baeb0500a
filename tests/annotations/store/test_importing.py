"""Labels and pictures into a project: every byte of them, and all or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import via
from maskrcnn.annotations.regions import Keypoints, Polygon, Rect, Region, Skeleton
from maskrcnn.annotations.store import Project, import_staging
from maskrcnn.errors import StudioError

BOX = Region(Rect(1, 2, 3, 4), "cat")


def dataset_of(*paths: Path, regions: tuple[Region, ...] = (BOX,)) -> Dataset:
    return Dataset(tuple(ImageRecord(path.name, regions, path) for path in paths), ("cat",))


def test_importing_copies_the_bytes(project: Project, picture) -> None:
    path = picture("a.jpg", 33, 22)
    report = project.import_dataset(dataset_of(path), "val")
    assert (report.added, report.regions, report.new_classes) == (1, 1, ("cat",))
    (image,) = project.images()
    assert (image.file_name, image.width, image.height, image.split, image.n_regions) == ("a.jpg", 33, 22, "val", 1)
    assert project.picture(image.id).read_bytes() == path.read_bytes()
    assert project.picture(image.id).parent == project.folder / "images"
    assert project.images("train") == []


def test_the_same_picture_again_keeps_its_regions(project: Project, picture) -> None:
    path = picture("a.jpg")
    project.import_dataset(dataset_of(path), "train")
    other = Region(Rect(9, 9, 9, 9), "dog")
    report = project.import_dataset(dataset_of(path, regions=(other,)), "val")
    assert (report.added, report.updated, report.unchanged, report.regions) == (0, 0, 1, 0)
    assert len(report.warnings) == 2
    assert project.images("train")[0].n_regions == 1
    assert project.regions(1)[0] == (BOX,)
    assert project.import_dataset(dataset_of(path), "train").warnings == ()


def test_a_picture_without_regions_gets_those_of_an_import(project: Project, picture, image_id: int) -> None:
    report = project.import_dataset(dataset_of(picture("a.jpg")), "train")
    assert (report.added, report.updated, report.regions) == (0, 1, 1)
    assert project.regions(image_id) == ((BOX,), 2)
    project.undo(image_id)
    assert project.regions(image_id)[0] == ()


def test_another_picture_of_the_same_name_gets_a_number(project: Project, picture) -> None:
    paths = [picture(f"{folder}/a.jpg", seed=seed) for seed, folder in enumerate(("one", "two", "three"))]
    for path in paths:
        report = project.import_dataset(dataset_of(path), "train")
    assert [image.file_name for image in project.images()] == ["a.jpg", "a (2).jpg", "a (3).jpg"]
    assert "it became a (3).jpg" in report.warnings[0]
    assert project.import_dataset(dataset_of(*paths), "train").unchanged == 3
    for image, path in zip(project.images(), paths, strict=True):
        assert project.picture(image.id).read_bytes() == path.read_bytes()


def test_what_cannot_be_imported_is_named(project: Project, picture, tmp_path: Path) -> None:
    good, cut = picture("good.jpg", 300, 200), picture("cut.jpg", 300, 200)
    cut.write_bytes(cut.read_bytes()[:-900])
    (tmp_path / "text.jpg").write_text("no picture")
    wrong_size = ImageRecord("size.jpg", (BOX,), picture("size.jpg", 30, 20), width=60, height=40)
    dataset = dataset_of(good, cut, tmp_path / "text.jpg", tmp_path / "gone.jpg")
    dataset = Dataset((*dataset.images, wrong_size, ImageRecord("missing.jpg")), ("cat",))
    report = project.import_dataset(dataset, "train")
    assert (report.added, report.missing) == (1, ("missing.jpg",))
    assert [line.split(": ")[1] for line in report.warnings] == ["cut.jpg", "text.jpg", "gone.jpg", "size.jpg"]
    assert os.listdir(project.folder / "images") == ["good.jpg"]


def test_a_via_project_goes_in_and_comes_out_as_it_was(project: Project, root: Path) -> None:
    source = root / "data/shapes/val"
    project.import_dataset(read(source), "val")
    written = via.document(project.dataset("val"), "via-project")
    original = json.loads((source / "via_project.json").read_text())
    assert written == original


def test_two_pictures_of_one_name_in_two_folders_keep_their_own_labels(project: Project, picture, tmp_path) -> None:
    first, second = picture("one/a.jpg", 40, 30, seed=1), picture("two/a.jpg", 50, 20, seed=2)
    records = (
        ImageRecord("one/a.jpg", (BOX,), first, 40, 30),
        ImageRecord("two/a.jpg", (Region(Rect(5, 5, 5, 5), "dog"),), second, 50, 20),
    )
    report = project.import_dataset(Dataset(records, ("cat", "dog")), "train")
    assert report.warnings == ("a.jpg: another picture has this name; it became a (2).jpg",)
    for image, path, name in zip(project.images(), (first, second), ("cat", "dog"), strict=True):
        assert project.picture(image.id).read_bytes() == path.read_bytes()
        assert [region.class_name for region in project.regions(image.id)[0]] == [name]
    assert [image.file_name for image in project.images()] == ["a.jpg", "a (2).jpg"]


@pytest.mark.parametrize("second", ["A.JPG", "a.jpg", "A.jpg"])
def test_names_that_some_disk_takes_for_the_same_are_kept_apart(project: Project, picture, second: str) -> None:
    content = picture("b.jpg", seed=5).read_bytes()
    project.add_pictures([picture("a.jpg")], "train")
    project.add_pictures([(second, content)], "train")
    names = [image.file_name for image in project.images()]
    assert len({name.casefold() for name in names}) == 2


def test_a_file_that_somebody_put_into_the_folder_is_not_overwritten(project: Project, picture) -> None:
    (project.images_folder / "a.jpg").write_text("not ours")
    project.add_pictures([picture("a.jpg")], "train")
    assert (project.images_folder / "a.jpg").read_text() == "not ours"
    assert [image.file_name for image in project.images()] == ["a (2).jpg"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../evil.jpg", "evil.jpg"),
        ("C:\\photos\\b.jpg", "b.jpg"),
        ("/etc/passwd", "passwd"),
        ("..", "picture"),
        ("", "picture"),
        (".hidden.jpg", "hidden.jpg"),
        ('it\'s "one" & <b>.jpg', 'it\'s "one" & <b>.jpg'),
        ("'; DROP TABLE image; --.jpg", "'; DROP TABLE image; --.jpg"),
        ("Zürich 東京 Ελλάδα.jpg", "Zürich 東京 Ελλάδα.jpg"),
        ("two\nlines\0.jpg", "two lines .jpg"),
        ("broken\udcff.jpg", "broken?.jpg"),
    ],
)
def test_any_name_becomes_a_file_in_the_folder(project: Project, picture, given: str, kept: str) -> None:
    content = picture("a.jpg").read_bytes()
    project.add_pictures([(given, content)], "val")
    assert [image.file_name for image in project.images()] == [kept]
    assert os.listdir(project.images_folder) == [kept]
    assert (project.images_folder / kept).read_bytes() == content


def test_a_name_that_is_too_long_is_cut(project: Project, picture) -> None:
    content = picture("a.jpg").read_bytes()
    project.add_pictures([("ü" * 300 + ".jpg", content)], "val")
    (name,) = os.listdir(project.images_folder)
    assert name.endswith("üü.jpg")
    assert len(name.encode()) <= 200


def test_records_bring_their_split_unless_another_is_named(project: Project, picture) -> None:
    paths = [picture(f"{number}.jpg", seed=number) for number in range(3)]
    splits = ("val", "train", None)
    records = [ImageRecord(p.name, path=p, split=split) for p, split in zip(paths, splits, strict=True)]
    project.import_dataset(Dataset(records), None)
    assert [image.split for image in project.images()] == ["val", "train", "train"]
    # Without an opinion on the split there is nothing to warn of.
    again = [replace(record, split=None) for record in records]
    assert project.import_dataset(Dataset(again), None).warnings == ()
    other = Project.create(project.folder.parent / "other")
    other.import_dataset(Dataset(records), "val")
    assert [image.split for image in other.images()] == ["val"] * 3


def test_progress_is_told_up_to_the_end(project: Project, picture) -> None:
    said: list[tuple[int, int]] = []
    paths = [picture(f"{number}.jpg", seed=number) for number in range(5)]
    project.import_dataset(dataset_of(*paths), "train", progress=lambda done, total: said.append((done, total)))
    assert said == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_a_picture_that_was_removed_comes_back_with_an_import(project: Project, picture) -> None:
    path = picture("a.jpg")
    project.import_dataset(dataset_of(path), "train")
    project.set_removed(1, True)
    report = project.import_dataset(dataset_of(path), "train")
    assert "had been removed" in report.warnings[0]
    assert [image.n_regions for image in project.images()] == [1]


# What a label file says comes out as it went in


def test_extras_keypoints_and_skeletons_survive(project: Project, picture) -> None:
    skeleton = Skeleton(("nose", "tail"), ((0, 1),))
    region = Region(
        Polygon(((1, 1), (9, 1), (5, 8))),
        "dog",
        {"note": {"deep": [1, None]}},
        keypoints=Keypoints(((3.5, 4, 2), (0, 0, 0))),
        extras={"coco": {"id": 1234, "area": 31.5}},
    )
    record = ImageRecord(
        "a.jpg", (region,), picture("a.jpg"), attributes={"who": "me"}, split="val", extras={"coco": {"id": 77}}
    )
    coco = {"coco": {"info": {"year": 2017}}}
    project.import_dataset(Dataset([record], ("dog",), extras=coco, skeletons={"dog": skeleton}), None)

    dataset = Project.open(project.folder).dataset()
    (out,) = dataset.images
    assert out.regions == (region,)
    assert out.extras == {"coco": {"id": 77}, "project": {"id": 1, "revision": 1}}
    assert (out.attributes, out.split) == ({"who": "me"}, "val")
    assert dataset.skeletons == {"dog": skeleton}
    assert dataset.extras == coco

    # The numbers of one project say nothing in another.
    other = Project.create(project.folder.parent / "other")
    other.add_pictures([picture("z.jpg", seed=9)], "train")
    other.import_dataset(dataset, None)
    assert other.dataset().images[0].extras == {"coco": {"id": 77}, "project": {"id": 2, "revision": 1}}


def test_a_known_class_gets_the_skeleton_of_an_import_and_keeps_its_own(project: Project, picture) -> None:
    first, second = Skeleton(("nose",)), Skeleton(("tail",))
    project.import_dataset(Dataset([ImageRecord("a.jpg", (BOX,), picture("a.jpg"))], ("cat",)), "train")
    for skeleton in (first, second):
        project.import_dataset(Dataset([], ("cat",), skeletons={"cat": skeleton}), "train")
        assert project.classes()[0].skeleton == first


def regions_and_attributes(document: dict[str, Any]) -> dict[str, Any]:
    """File name -> what was drawn on it and said of it."""
    images = document.get("_via_img_metadata", document)
    return {image["filename"]: (image["regions"], image["file_attributes"]) for image in images.values()}


@pytest.mark.parametrize(
    ("source", "flavour"),
    [
        ("car_damage/train/car-damage-train.json", "via-project"),
        ("car_damage/train/via_region_data.json", "via2"),
        ("balloon/val/via_region_data.json", "via1"),
    ],
)
def test_real_via_files_come_out_as_they_went_in(project: Project, real_data: Path, source: str, flavour: str) -> None:
    path = real_data / source
    if not path.is_file():
        pytest.skip(f"{source} is not among the real data")
    report = project.import_dataset(read(path), "train")
    assert report.warnings == ()
    written = regions_and_attributes(via.document(project.dataset(), flavour))
    original = regions_and_attributes(json.loads(path.read_text()))
    assert written == {name: entry for name, entry in original.items() if name not in report.missing}
    assert written


# All or nothing


def failing(paths: list[Path], error: BaseException) -> Dataset:
    """A dataset that breaks in the middle of being read."""

    class Records(list[ImageRecord]):
        def __iter__(self) -> Iterator[ImageRecord]:
            yield from list.__iter__(self)
            raise error

    return Dataset(Records(ImageRecord(path.name, (BOX,), path) for path in paths), ("cat",))


def nothing_was_taken(project: Project) -> bool:
    empty = os.listdir(project.images_folder) == [] and project.images() == [] and project.classes() == []
    return empty and project.dataset().extras == {}


@pytest.mark.parametrize("error", [StudioError("b.json: broken"), RuntimeError("a defect"), KeyboardInterrupt()])
def test_an_import_that_breaks_leaves_nothing(project: Project, picture, error: BaseException) -> None:
    paths = [picture(f"{number}.jpg", seed=number) for number in range(20)]
    with pytest.raises(type(error)):
        project.import_dataset(failing(paths, error), "train")
    assert nothing_was_taken(project)
    assert project.import_dataset(dataset_of(*paths), "train").added == 20  # and the way is free


def test_an_import_that_breaks_after_the_pictures_were_moved_leaves_nothing(
    project: Project, picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [picture(f"{number}.jpg", seed=number) for number in range(4)]
    moved: list[str] = []

    def broken(self: import_staging.ImportStaging) -> None:
        move(self)
        moved.extend(os.listdir(project.images_folder))
        raise StudioError("the very last moment")

    move = import_staging.ImportStaging.move
    monkeypatch.setattr(import_staging.ImportStaging, "move", broken)
    with pytest.raises(StudioError, match="last moment"):
        project.import_dataset(dataset_of(*paths), "train")
    assert len(moved) == 5  # the pictures, and the waiting room
    assert nothing_was_taken(project)


def test_two_imports_at_once_both_arrive(project: Project, picture, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = picture("a.jpg", seed=1), picture("b/a.jpg", seed=2)

    def slow(*args: Any) -> list[str]:
        warnings = stage(*args)
        monkeypatch.setattr(import_staging, "stage_pictures", stage)
        # The first import has staged its pictures; now the second comes in between, and sweeps before and after.
        assert Project.open(project.folder).import_dataset(dataset_of(second), "train").added == 1
        return warnings

    stage = import_staging.stage_pictures
    monkeypatch.setattr(import_staging, "stage_pictures", slow)
    assert project.import_dataset(dataset_of(first), "train").added == 1
    assert [project.picture(image.id).read_bytes() for image in project.images()] == [
        second.read_bytes(),
        first.read_bytes(),
    ]
    assert sorted(os.listdir(project.images_folder)) == ["a (2).jpg", "a.jpg"]
