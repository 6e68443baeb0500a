"""Which labels a run learns from."""

from pathlib import Path

import pytest

from maskrcnn.annotations import read, write
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.runs.training_documents import training_documents
from tests import tiny


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.create(tmp_path / "project")
    project.import_dataset(read(tiny.squares(tmp_path / "t", pictures=4)), "train")
    return project


def names(documents: dict) -> list[str]:
    return [image["file_name"] for image in documents["train"]["images"]]


def test_pictures_that_nobody_labelled_are_left_out_but_done_and_empty_ones_stay(project: Project) -> None:
    first, second, *_ = project.images()
    for image in (first, second):
        project.save(image.id, [], image.revision)
    project.set_done(second.id, True)
    documents = training_documents(project.folder, None, None, project.runs_folder / "run")
    assert names(documents) == ["square1.png", "square2.png", "square3.png"]
    assert [annotation["image_id"] for annotation in documents["train"]["annotations"]] == [2, 3]


def test_a_project_without_a_validation_split_trains_without(project: Project) -> None:
    documents = training_documents(project.folder, None, None, project.runs_folder / "run")
    assert documents["val"] is None
    assert documents["classes"] == ("square",)


def test_another_validation_set_may_be_named(project: Project, tmp_path: Path) -> None:
    other = tiny.squares(tmp_path / "v", pictures=2)
    documents = training_documents(project.folder, other, None, project.runs_folder / "run")
    assert len(documents["val"]["images"]) == 2


def test_a_project_keeps_a_snapshot_of_what_each_run_learned_from(project: Project, tmp_path: Path) -> None:
    learned = training_documents(project.folder, None, None, project.runs_folder / "run-1")["train"]
    image = project.images()[0]
    project.save(image.id, [], image.revision)
    training_documents(project.folder, tiny.squares(tmp_path / "v", pictures=1), None, project.runs_folder / "run-2")

    second, first = project.snapshots()
    assert (first.name, second.name) == ("run run-1", "run run-2")
    assert first.regions == len(learned["annotations"]) == second.regions + 1
    assert [len(record.regions) for record in project.dataset(snapshot=first.id).images] == [1, 1, 1, 1]


def test_class_numbers_are_the_training_sets_also_in_validation(tmp_path: Path) -> None:
    both = Project.create(tmp_path / "both")
    both.import_dataset(read(tiny.squares(tmp_path / "a", pictures=1, class_name="ant")), "train")
    both.import_dataset(read(tiny.squares(tmp_path / "z", pictures=1, seed=3, class_name="zebra")), "train")
    only_zebra = tiny.squares(tmp_path / "v", pictures=1, class_name="zebra")
    documents = training_documents(both.folder, only_zebra, None, tmp_path / "run")
    assert documents["classes"] == ("ant", "zebra")
    assert documents["val"]["annotations"][0]["category_id"] == 2


def test_an_unlabelled_project_is_refused(tmp_path: Path) -> None:
    tiny.squares(tmp_path / "t")
    project = Project.create(tmp_path / "project")
    project.add_pictures(sorted((tmp_path / "t").glob("*.png")), "train")
    with pytest.raises(StudioError, match="there is no region to learn from"):
        training_documents(project.folder, None, None, project.runs_folder / "run")


def test_pictures_outside_a_project_are_named_whole(tmp_path: Path) -> None:
    documents = training_documents(tiny.squares(tmp_path / "t", pictures=1), None, None, tmp_path / "runs" / "a" / "b")
    assert documents["train"]["images"][0]["path"] == str(tmp_path / "t" / "square0.png")


@pytest.mark.parametrize("val", ["none", "another"])
def test_labels_with_a_split_of_their_own_are_not_learned_from_whole(val: str, tmp_path: Path) -> None:
    """A YOLO set: its pictures to validate on are measured on, not learned, and so are those of the test split."""
    write(read(tiny.squares(tmp_path / "t", pictures=4)), tmp_path / "set", "yolo")
    for split, name in (("val", "square1"), ("test", "square2")):
        for kind, suffix in (("images", ".png"), ("labels", ".txt")):
            (tmp_path / "set" / kind / split).mkdir(parents=True)
            file = tmp_path / "set" / kind / "train" / f"{name}{suffix}"
            file.rename(tmp_path / "set" / kind / split / file.name)
    with (tmp_path / "set" / "data.yaml").open("a") as settings:
        settings.write("test: images/test\n")
    other = tiny.squares(tmp_path / "v", pictures=2) if val == "another" else None
    documents = training_documents(tmp_path / "set", other, None, tmp_path / "run")
    assert names(documents) == ["square0.png", "square3.png"]
    measured = ["square1.png"] if other is None else ["square0.png", "square1.png"]
    assert [image["file_name"] for image in documents["val"]["images"]] == measured
    [line] = [line for line in documents["notes"] if "a split of its own" in line]
    assert line.endswith("2 pictures to learn from, 1 to validate on, 1 of the test split left out")
