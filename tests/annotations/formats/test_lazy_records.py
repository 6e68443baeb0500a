"""A large VIA file is read picture by picture, and means what it means when it is read whole."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskrcnn.annotations import read, reading
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import json_mistakes, label_file, lazy_records, via
from maskrcnn.annotations.formats.via import class_attributes, large_files
from maskrcnn.errors import ArgumentError, StudioError
from tests.annotations.formats.test_lossless import ANY, AWKWARD, REAL, lists_of_images, one_x_files, projects


def large(text: str, class_attribute: str | None = None) -> Dataset | None:
    """A text read as if it were large."""
    return large_files.parse(text, "labels.json", class_attribute, refuse=json_mistakes.refuse_constant, large=0)


def alike(records: Any) -> list[ImageRecord]:
    """Records without the ids of their regions, which are fresh each time a file is read."""
    return [replace(r, regions=tuple(replace(region, id="") for region in r.regions)) for r in records]


def assert_same(lazily: Dataset, whole: Dataset) -> None:
    assert isinstance(lazily.images, lazy_records.LazyRecords)
    assert alike(lazily.images) == alike(whole.images)
    assert replace(lazily, images=()) == replace(whole, images=())
    assert list(lazily.images.file_names) == [record.file_name for record in whole.images]
    assert class_attributes.class_candidates(lazily) == class_attributes.class_candidates(whole)
    assert class_attributes.class_candidates(lazily) == class_attributes.class_candidates(
        replace(lazily, images=tuple(lazily.images))
    )


@ANY
@given(lists_of_images | one_x_files | projects, st.sampled_from([None, 2]), st.booleans())
def test_any_file_is_the_same_read_lazily(document: dict[str, Any], indent: int | None, ascii: bool) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii)
    lazily = large(text)
    if not next(iter(document)).startswith("_via_") and "_via_img_metadata" in document:
        assert lazily is None  # a project that begins with something else is read whole
    else:
        assert lazily is not None
        assert_same(lazily, via.parse(json.loads(text), "labels.json"))


@pytest.mark.parametrize("document", [document for _, document in AWKWARD.values()], ids=AWKWARD)
def test_awkward_files_are_the_same_read_lazily(document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1)
    lazily = large(text)
    assert lazily is not None
    assert_same(lazily, via.parse(json.loads(text), "labels.json"))


@pytest.mark.parametrize("file", [file for file, _ in REAL])
def test_real_files_are_the_same_read_lazily(real_data: Path, file: str) -> None:
    text = (real_data / file).read_text("utf-8")
    lazily = large(text)
    assert lazily is not None
    assert_same(lazily, via.parse(json.loads(text), "labels.json"))


RECT = '{"shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 2, "height": 2}, "region_attributes": {}}'
ONE = f'"a": {{"filename": "a.jpg", "regions": [{RECT}]}}'
BAD = '"a": {"filename": "a.jpg", "regions": [{"shape_attributes": {"name": "blob"}}]}'


@pytest.mark.parametrize(
    "text",
    [
        f"{{{ONE}, {ONE}}}",
        f"{{{BAD}, {ONE}}}",
        f"{{{ONE}, {BAD}}}",
        f'{{{ONE}, "_via_img_metadata": {{}}}}',
        f'{{{ONE}, "\\u0061": {{"filename": "b.jpg"}}}}',
        f'{{"_via_settings": {{}}, "_via_img_metadata": {{{ONE}}}, "_via_img_metadata": {{}}}}',
        f'{{"_via_settings": {{"a": 1}}, "_via_settings": {{"b": 1}}, "_via_img_metadata": {{{ONE}}}}}',
        f'{{"other": 1, "_via_img_metadata": {{{ONE}}}}}',
        '{"_via_img_metadata": {"a": {"filename": "a.jpg"}, "b": {"filename": "b.jpg"}}, "_via_x": "}"}',
        '{"_via_img_metadata": []}',
        '{"_via_settings": {}}',
        '{"_via_settings": {}, "b": {"filename": "a.jpg"}}',
        f"{{{ONE}}} x",
        f"{{{ONE},}}",
        f"{{{ONE} {ONE}}}",
        f'{{{ONE}, b": {{}}}}',
        f'{{{ONE}, "b" {{}}}}',
        f"{{{ONE}",
        f"{{{ONE}, ",
        f'{{{ONE}, "b": ',
        f'{{{ONE}, "b": {{"filename": "b.jpg", "size": NaN}}}}',
        f'{{{ONE}, "b": {{"filename": "b.jpg", "x": {"[" * 80}{"]" * 80}}}}}',
        f"{{{BAD}, ",
        f'{{{BAD}, "b": NaN}}',
        f'{{{ONE}, "b": 3}}',
        f'{{{ONE}, "b": {{"filename": 3}}}}',
        '{"a": 3, "b": {"filename": "b.jpg"}}',
        '{"a": "filename"}',
        '{"a": {"b": "filename"}}',
        '{"images": [], "annotations": []}',
        '{"region": {}, "file": {}}',
        "",
        " ",
        "[]",
        "3",
        "{}",
        "{ }",
        '{"',
        "{1: 2}",
        '{"_via_img_metadata": {}, "_via_attributes": 3}',
        f" \n{{\t{ONE.replace(': ', ' :  ')}  }}\r\n ",
    ],
)
def test_a_text_means_what_it_means_when_read_whole(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome(least: int) -> Any:
        monkeypatch.setattr(large_files.parse, "__kwdefaults__", {"refuse": None, "large": least})
        try:
            dataset = label_file.dataset_of_text(text, "labels.json", None)
        except StudioError as error:
            return str(error)
        return alike(dataset.images), replace(dataset, images=())

    assert outcome(0) == outcome(10**9)


def some(n: int) -> Dataset:
    entries = {f"{i}": {"filename": f"{i}.jpg", "size": i, "regions": [json.loads(RECT)]} for i in range(n)}
    dataset = large(json.dumps(entries))
    assert dataset is not None
    return dataset


def test_records_are_a_sequence() -> None:
    records = some(5).images
    assert len(records) == 5
    assert [record.file_name for record in records] == [f"{i}.jpg" for i in range(5)]
    assert records[-1] == records[4]
    assert records[4].file_name == "4.jpg"
    assert [record.file_name for record in records[1:4:2]] == ["1.jpg", "3.jpg"]
    with pytest.raises(IndexError):
        records[5]
    assert records == tuple(records)
    assert tuple(records) == records
    assert records != tuple(records)[:4]
    assert records[2] in records


def test_a_record_is_the_same_each_time() -> None:
    records = some(3).images
    first = records[1]
    assert records[2].regions[0].id != first.regions[0].id
    assert records[1] == first
    ids = {region.id for record in records for region in record.regions}
    assert len(ids) == 3
    assert not ids & {region.id for record in some(3).images for region in record.regions}


def test_changes_are_made_on_demand() -> None:
    records = some(3).images
    changed = lazy_records.change_each(records, lambda record: replace(record, split="val"))
    assert isinstance(changed, lazy_records.LazyRecords)
    assert [record.split for record in changed] == ["val"] * 3
    assert lazy_records.change_each(tuple(records), lambda record: replace(record, split="val")) == changed
    paths = [Path("0.jpg"), None, Path("2.jpg")]
    placed = lazy_records.with_paths(records, paths)
    assert [record.path for record in placed] == paths
    assert tuple(placed) == lazy_records.with_paths(tuple(records), paths)


def test_records_can_be_pickled(tmp_path: Path) -> None:
    dataset = reading.with_pictures(some(3), tmp_path / "labels.json")
    assert isinstance(dataset.images, lazy_records.LazyRecords)
    assert pickle.loads(pickle.dumps(dataset)) == dataset


def test_the_class_attribute_can_be_named_and_changed() -> None:
    entries = {"k": {"filename": "a.jpg", "regions": [json.loads(RECT) for _ in range(4)]}}
    for number, region in enumerate(entries["k"]["regions"]):
        region["region_attributes"] = {"name": "cat", "kind": f"kind {number % 2}"}
    text = json.dumps(entries)
    lazily, named = large(text), large(text, "kind")
    assert lazily is not None
    assert named is not None
    assert (lazily.class_attribute, named.class_attribute) == ("name", "kind")
    again = class_attributes.reclassified(lazily, "kind")
    assert isinstance(again.images, lazy_records.LazyRecords)
    assert alike(again.images) == alike(named.images)
    assert replace(again, images=()) == replace(named, images=())
    with pytest.raises(ArgumentError, match='no region has the attribute "colour"; choose "kind", "name"'):
        large(text, "colour")


def test_a_large_file_is_read_so_and_a_small_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(b"\xef\xbb\xbf" + f"{{{ONE}}}".encode())
    assert isinstance(read(path).images, tuple)
    monkeypatch.setattr(large_files.parse, "__kwdefaults__", {"refuse": None, "large": 10})
    images = read(path).images
    assert isinstance(images, lazy_records.LazyRecords)
    assert alike(images) == alike(via.parse(json.loads(f"{{{ONE}}}"), path).images)
