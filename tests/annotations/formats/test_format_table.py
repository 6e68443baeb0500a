"""The table of formats: all that a new format needs is an entry."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import format_table
from maskrcnn.annotations.formats.format_interface import (
    DocumentReader,
    Encoded,
    FolderReader,
    LabelFormat,
    TextReader,
    Writer,
)
from maskrcnn.annotations.formats.json_values import json_bytes
from maskrcnn.annotations.intake import stage_path
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.errors import StudioError

DATASET = Dataset((ImageRecord("a.jpg", (Region(Rect(1, 2, 3, 4), "cat"),)),), ("cat",), extras={"flavour": "boxes"})


def boxes(document: Any, source: object, class_attribute: str | None) -> Dataset:
    """A made-up format: `{"boxes of": "a.jpg"}`, and every picture has the same box."""
    return Dataset((ImageRecord(document["boxes of"], DATASET.images[0].regions),), ("cat",), source=Path(str(source)))


def encode(dataset: Dataset) -> Encoded:
    return Encoded({"boxes.json": json_bytes({"boxes of": dataset.images[0].file_name}, "boxes")}, dataset.n_regions)


def is_boxes(document: Any) -> bool:
    return isinstance(document, dict) and "boxes of" in document


def add(monkeypatch: pytest.MonkeyPatch, format: LabelFormat) -> None:
    monkeypatch.setattr(format_table, "LABEL_FORMATS", (*format_table.LABEL_FORMATS, format))


def test_a_format_in_the_table_is_read_from_a_file_and_from_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer("Boxes", ".json", encode)
    (tmp_path / "sub").mkdir()
    for place in (tmp_path / "x.json", tmp_path / "sub" / "y.json"):
        place.write_bytes(next(iter(writer.encode(DATASET).files.values())))
    with pytest.raises(StudioError, match="no labels that the studio knows"):
        read(tmp_path / "x.json")
    add(monkeypatch, LabelFormat({"boxes": writer}, document=DocumentReader(is_boxes, boxes)))
    for place in (tmp_path / "x.json", tmp_path / "sub"):
        assert [record.regions[0].shape for record in read(place).images] == [Rect(1, 2, 3, 4)]


def test_a_format_of_text_and_a_format_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("boxes of;a.jpg\n")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "boxes.txt").write_text("b.jpg")

    def of_text(text: str, source: object, class_attribute: str | None) -> Dataset:
        return boxes({"boxes of": text.strip().partition(";")[2]}, source, None)

    def of_folder(folder: Path, images: Path | None) -> Dataset:
        dataset = boxes({"boxes of": (folder / "boxes.txt").read_text()}, folder, None)
        record = replace(dataset.images[0], path=folder / dataset.images[0].file_name)
        return replace(dataset, images=(record,), extras={"flavour": "boxes"})

    add(
        monkeypatch,
        LabelFormat(
            {"boxes": Writer("Boxes", None, encode)},
            text=TextReader(lambda text: text.startswith("boxes of;"), of_text),
            folder=FolderReader(lambda path: (path / "boxes.txt").is_file(), of_folder),
        ),
    )
    assert read(tmp_path / "a.csv").images[0].file_name == "a.jpg"
    (tmp_path / "a.csv").unlink()
    assert read(tmp_path / "set").images[0].file_name == "b.jpg"
    Image.new("RGB", (20, 20)).save(tmp_path / "set" / "b.jpg")
    with stage_path(tmp_path) as staged:  # as it is dropped: the set lies in a folder of the folder
        assert [(record.file_name, record.path is not None) for record in staged.dataset.images] == [("b.jpg", True)]
        assert staged.dataset.n_regions == 1


def test_no_two_formats_share_a_name() -> None:
    names = [name for format in format_table.LABEL_FORMATS for name in format.writers]
    assert len(names) == len(set(names)) == len(format_table.WRITERS)
    assert sorted(format_table.folder_formats()) == ["masks", "yolo"]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"a.jpg1": {"filename": "a.jpg", "size": 1, "regions": []}}, "via2"),
        ({"_via_img_metadata": {}, "images": [], "annotations": []}, "via-project"),
        ({"images": [], "annotations": []}, "coco"),
        ({"shapes": [], "imagePath": "a.jpg"}, "labelme"),
        ({"something": "else"}, None),
        ([1, 2], None),
    ],
)
def test_a_document_has_one_reader(document: Any, name: str | None) -> None:
    reader = format_table.document_reader(json.loads(json.dumps(document)))
    expected = next((format.document for format in format_table.LABEL_FORMATS if name in format.writers), None)
    assert reader is expected
