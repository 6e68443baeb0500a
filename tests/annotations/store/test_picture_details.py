"""One picture as an editor sees it: steps in its history by revision, and its (VIA file) attributes in every export."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Point, Region, Skeleton
from maskrcnn.annotations.store import Project, StaleSave, UnknownPicture
from maskrcnn.errors import StudioError

DOT, SPOT = (Region(Point(n, n), "cat", id=str(n)) for n in (1, 2))


def test_details_are_those_of_one_moment(project: Project, image_id: int) -> None:
    project.save(image_id, [DOT], 1)
    found = project.details(image_id)
    assert (found.id, found.file_name, found.split, found.done, found.removed) == (
        image_id, "a.jpg", "train", False, False,
    )  # fmt: skip
    assert (found.regions, found.revision, found.can_undo, found.can_redo) == ((DOT,), 2, True, False)
    assert found.attributes == {}
    with pytest.raises(UnknownPicture, match="no picture number 99"):
        project.details(99)


def test_a_step_says_what_it_changed(project: Project, image_id: int) -> None:
    project.save(image_id, [DOT, SPOT], project.save(image_id, [DOT], 1))
    step = project.step_in_history(image_id, "undo", 3)
    assert (step.before, step.after, step.revision) == ((DOT, SPOT), (DOT,), 4)
    assert (step.can_undo, step.can_redo) == (True, True)
    step = project.step_in_history(image_id, "undo", 4)
    assert (step.before, step.after, step.can_undo, step.can_redo) == ((DOT,), (), False, True)
    step = project.step_in_history(image_id, "undo", 5)
    assert (step.before, step.after, step.revision) == ((), (), 5)


def test_a_step_from_another_revision_is_refused(project: Project, image_id: int) -> None:
    project.save(image_id, [DOT], 1)
    for revision in (1, 3):
        with pytest.raises(StaleSave) as caught:
            project.step_in_history(image_id, "undo", revision)
        assert (caught.value.regions, caught.value.revision) == ((DOT,), 2)
    assert project.regions(image_id) == ((DOT,), 2)


@pytest.mark.parametrize("format", ["via2", "via-project", "via1"])
def test_changed_attributes_of_a_picture_are_in_an_export(
    project: Project, image_id: int, tmp_path: Path, format: str
) -> None:
    project.set_file_attributes(image_id, {"light": "dim"})
    writing.write(project.dataset(), tmp_path / "labels.json", format)
    document = json.loads((tmp_path / "labels.json").read_text())
    (entry,) = document.get("_via_img_metadata", document).values()
    assert entry["file_attributes"] == {"light": "dim"}


def test_changed_attributes_of_a_picture_replace_odd_cells_of_a_table(tmp_path: Path, picture: Any) -> None:
    """Its rows had different attributes, which are kept as text; also where a picture had none."""
    photo = picture("a.jpg")
    size = photo.stat().st_size
    rows = [
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes",
        *(
            f'a.jpg,{size},"{{""light"":""{light}""}}",2,{n},"{{""name"":""point"",""cx"":{n},""cy"":1}}","{{}}"'
            for n, light in enumerate(["day", "night"])
        ),
    ]
    table = photo.with_name("labels.csv")
    table.write_text("\n".join(rows) + "\n")
    project = Project.create(tmp_path / "project")
    project.import_dataset(read(table), "train")
    assert lights(project, tmp_path) == ["day", "night"]
    project.set_file_attributes(1, {"light": "day"})  # no change
    assert lights(project, tmp_path) == ["day", "night"]
    project.set_file_attributes(1, {"light": "night"})
    assert lights(project, tmp_path) == ["night", "night"]


def lights(project: Project, folder: Path) -> list[str]:
    writing.write(project.dataset(), folder / "out.csv", "via-csv")
    with (folder / "out.csv").open(newline="") as file:
        found = [json.loads(row["file_attributes"])["light"] for row in csv.DictReader(file)]
    (folder / "out.csv").unlink()
    return found


def test_attributes_that_are_nested_too_deep_are_refused(project: Project, image_id: int) -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(StudioError, match="nested"):
        project.set_file_attributes(image_id, {"x": deep})
    assert project.details(image_id).attributes == {}


def test_a_class_is_added_once_and_gets_its_first_skeleton(project: Project) -> None:
    pose = Skeleton(("nose", "tail"), ((0, 1),))
    project.add_class("cat")
    project.add_class("cat", pose)
    project.add_class("dog", pose)
    assert [(entry.name, entry.hotkey, entry.skeleton) for entry in project.classes()] == [
        ("cat", "1", pose),
        ("dog", "2", pose),
    ]
    with pytest.raises(StudioError, match='"cat" has other keypoints already'):
        project.add_class("cat", Skeleton(("nose",)))
    with pytest.raises(StudioError, match="without a name"):
        project.add_class(" ")


def test_a_dataset_has_the_attributes(project: Project, picture: Any) -> None:
    source = picture("b.jpg")
    project.import_dataset(Dataset([ImageRecord("b.jpg", path=source, attributes={"light": "dim"})]), "train")
    assert project.details(1).attributes == project.dataset().images[0].attributes == {"light": "dim"}
