"""`--class-attribute`, and labels of which each command is given several: they agree on what the class is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.__main__ import main
from maskrcnn.annotations import read
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.inference.dataset_evaluation import measurable
from maskrcnn.runs.readiness import remarks
from maskrcnn.runs.training_documents import training_documents
from tests import tiny


def squares(folder: Path, *attributes: dict[str, Any]) -> Path:
    """Pictures with one square each, which has these attributes."""
    labels = tiny.squares(folder, pictures=len(attributes))
    document = json.loads(labels.read_text())
    for image, said in zip(document.values(), attributes, strict=True):
        image["regions"][0]["region_attributes"] = said
    labels.write_text(json.dumps(document))
    return labels


A, B = {"what": "a"}, {"what": "b"}
KINDS = [{"name": f"p{number}", "type": kind} for number, kind in enumerate(["leaf", "stem", "leaf", "stem"])]
SIZES = [{**said, "category": size} for said, size in zip(KINDS, "ssls", strict=True)]


@pytest.mark.parametrize(
    ("train", "val", "asked", "classes", "held_back"),
    [
        (KINDS, [{"name": "p77", "type": "leaf"}], None, ("leaf", "stem"), ["leaf"]),
        (KINDS, [{"type": "stem", "class": "x"}] * 2, None, ("leaf", "stem"), ["stem", "stem"]),
        ([A, B, A, B], [A, B, B], None, ("a", "b"), ["a", "b", "b"]),  # too few for the rule
        (SIZES, [{"name": "p9", "type": "leaf", "category": "l"}], "category", ("l", "s"), ["l"]),
        (SIZES, [{"name": "p9", "type": "leaf", "category": "l"}], None, ("leaf", "stem"), ["leaf"]),
        ([{"label": "1"}, {"label": "2"}] * 2, [{"label": 2.0}], None, ("1", "2"), ["2"]),
        ([{"n": 1}, {"n": 2}], [{"n": 2}], "n", ("1", "2"), ["2"]),  # which the rule would never choose
    ],
)  # fmt: skip
def test_training_and_validation_agree(
    train: list[Any], val: list[Any], asked: str | None, classes: tuple[str, ...], held_back: list[str], tmp_path: Path
) -> None:
    data, held = squares(tmp_path / "t", *train), squares(tmp_path / "v", *val)
    documents = training_documents(data, held, None, tmp_path / "run", class_attribute=asked)
    assert documents["classes"] == classes
    names = {category["id"]: category["name"] for category in documents["val"]["categories"]}
    assert [names[entry["category_id"]] for entry in documents["val"]["annotations"]] == held_back


def test_what_was_read_otherwise_is_among_the_remarks_of_a_run(tmp_path: Path) -> None:
    data, held = squares(tmp_path / "t", *KINDS), squares(tmp_path / "v", {"name": "p77", "type": "leaf"})
    documents = training_documents(data, held, None, tmp_path / "run")
    said = f'{held}: the attribute "type" is the class there, not "name", as in {data}'
    assert said in list(remarks(Config.preset("classroom"), documents))


def test_a_validation_set_of_other_classes_is_refused_as_before(tmp_path: Path) -> None:
    data, held = squares(tmp_path / "t", *KINDS), squares(tmp_path / "v", {"name": "p1", "type": "root"})
    with pytest.raises(StudioError, match='class "root" is in the validation set but not in the training set'):
        training_documents(data, held, None, tmp_path / "run")


def test_several_attributes_that_name_classes_are_named_together(tmp_path: Path) -> None:
    data = squares(tmp_path / "t", *[{"mango": "mango"}, {"orange": "orange"}] * 2)
    with pytest.raises(StudioError, match=r'several attributes name classes; .*--class-attribute "mango,orange", or'):
        training_documents(data, None, None, tmp_path / "run")
    documents = training_documents(data, None, None, tmp_path / "run", class_attribute="mango,orange")
    assert documents["classes"] == ("mango", "orange")


@pytest.mark.parametrize("command", ["train", "doctor", "convert"])
@pytest.mark.parametrize("labels", ["via", "coco"])
def test_an_attribute_that_is_not_there_is_one_line(
    command: str, labels: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = squares(tmp_path / "t", *KINDS) if labels == "via" else tiny.kites(tmp_path / "t")
    words = {
        "train": ["train", "--data", str(data), "--out", str(tmp_path / "run"), *tiny.SETTINGS],
        "doctor": ["doctor", str(data)],
        "convert": ["convert", str(data), str(tmp_path / "out.json"), "--to", "via2"],
    }[command]
    assert main([*words, "--class-attribute", "colour"]) == 2
    said = capsys.readouterr().err
    wanted = (
        'no region has the attribute "colour"; choose "name", "type"'
        if labels == "via"
        else f'--class-attribute "colour": {data} is no VIA file, so its classes are given; leave it out'
    )
    assert wanted in said
    assert not (tmp_path / "out.json").exists()
    assert not (tmp_path / "run").exists()


def test_the_doctor_reads_both_sets_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, held = squares(tmp_path / "t", *KINDS), squares(tmp_path / "v", {"name": "p77", "type": "leaf"})
    assert main(["doctor", str(data), "--val", str(held)]) == 0
    printed = capsys.readouterr()
    assert f'warning: {held}: the attribute "type" is the class there' in printed.err
    assert "p77" not in printed.out
    assert (
        main(["doctor", str(data), "--class-attribute", "name", "--val", str(held), "--json", str(tmp_path / "j")]) == 0
    )
    assert "warning" not in capsys.readouterr().err


def test_what_is_evaluated_is_read_as_the_network_has_learned(tmp_path: Path) -> None:
    held = squares(tmp_path / "v", {"name": "p77", "type": "leaf"})
    config = Config.preset("classroom", class_names=("leaf", "stem"), num_classes=3)
    dataset = measurable(read(held), config)
    assert dataset.class_attribute == "type"
    assert "its values are classes of the network" in dataset.warnings[-1]
    assert measurable(read(held, None, "name"), config, "name").class_attribute == "name"
    with pytest.raises(ArgumentError, match='no region has the attribute "colour"'):
        read(held, None, "colour")


def test_a_run_that_is_resumed_has_its_class_attribute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--out", str(tmp_path / "run"), "--resume", "--class-attribute", "type"]) == 2
    assert "--class-attribute: a run is resumed with the choices that it has; leave it out" in capsys.readouterr().err


def test_a_project_has_chosen_already(tmp_path: Path) -> None:
    from maskrcnn.annotations.store import Project

    project = Project.create(tmp_path / "project")
    project.import_dataset(read(squares(tmp_path / "t", *KINDS), None, "type"), "train")
    held = squares(tmp_path / "v", {"name": "p77", "type": "leaf"})
    documents = training_documents(project.folder, held, None, project.runs_folder / "run")
    assert [entry["category_id"] for entry in documents["val"]["annotations"]] == [1]
    with pytest.raises(ArgumentError, match="the class attribute of a project is changed under Dataset > Classes"):
        training_documents(project.folder, None, None, project.runs_folder / "run", class_attribute="name")
