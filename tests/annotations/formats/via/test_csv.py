"""VIA's CSV: real files and awkward ones come back with equal rows, and mistakes are named by their line."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import via, writing
from maskrcnn.annotations.formats.via import csv_reading, csv_writing
from maskrcnn.annotations.regions import Circle, Ellipse, Point, Polygon, Rect, Region
from maskrcnn.annotations.store import region_json
from maskrcnn.errors import ArgumentError, StudioError
from tests.sweeps import examples

HEADER = ",".join(csv_reading.COLUMNS)
REAL = (
    "via_official/v1_unit/unit_test_annotation1.csv",
    "via_official/v2_basic_demo/annotations.csv",
    "via_official/v2_face_demo/sherlock_ep01_tracks_FRCNN.csv",
    "car_damage/train/via_region_data.csv",
    "car_damage/val/via_region_data.csv",
)


def cell(text: str) -> Any:
    """A cell taken apart; a bare `undefined` becomes a text that nobody writes."""
    return json.loads(re.sub(r'("(?:[^"\\]|\\.)*")|undefined', lambda found: found[1] or '"\\u0000undefined"', text))


def rows(text: str) -> list[list[Any]]:
    """The table, with cells that hold JSON taken apart."""
    header, *others = (row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")) if row)
    holds_json = ["attributes" in name for name in header]
    return [
        header,
        *(
            [cell(text) if json_ and text else text for text, json_ in zip(row, holds_json, strict=True)]
            for row in others
        ),
    ]


def written(dataset: Dataset) -> str:
    for record in dataset.images:
        assert region_json.loads(region_json.dumps(record.regions)) == record.regions
        assert json.loads(json.dumps(dict(record.extras))) == record.extras
    (content,) = csv_writing.encode(dataset).files.values()
    return content.decode("utf-8")


def table(*lines: str) -> str:
    return "\n".join([HEADER, *lines])


RECT = '"{""name"":""rect"",""x"":1,""y"":2,""width"":3,""height"":4}"'
POINT = '"{""name"":""point"",""cx"":1,""cy"":2}"'


@pytest.mark.parametrize("file", REAL)
def test_real_files_come_back_with_equal_rows(real_data: Path, tmp_path: Path, file: str) -> None:
    dataset = read(real_data / file)
    assert dataset.extras["flavour"] == "via-csv"
    assert writing.write(dataset, tmp_path / "again.csv", "via-csv") == []
    again = (tmp_path / "again.csv").read_text("utf-8")
    assert rows(again) == rows((real_data / file).read_text("utf-8"))
    assert len(rows(again)) == dataset.n_regions + 1  # none of these has a picture without regions


def test_every_real_file_is_in_the_table(real_data: Path) -> None:
    folders = [real_data / name for name in ("via_official", "balloon", "car_damage")]
    assert {f.relative_to(real_data).as_posix() for folder in folders for f in folder.rglob("*.csv")} == set(REAL)


def test_a_1x_file_says_what_it_says(real_data: Path) -> None:
    dataset = read(real_data / REAL[0])
    assert [len(record.regions) for record in dataset.images] == [8, 1, 3]
    assert dataset.images[1].attributes == {"caption": 'a swan in geneve lake"'}
    swan = dataset.images[1].regions[0]
    assert len(swan.shape.points) == 11  # twelve in the file, the last of them the first
    assert dataset.class_attribute == "name"
    assert dataset.images[0].regions[0].class_name == 'ellipse "red"'
    assert dataset.images[0].regions[0].shape == Ellipse(252, 190, 27, 26)
    assert dataset.images[0].regions[5].shape == Circle(148, 268, 43)


def test_the_csv_says_the_same_as_the_json(real_data: Path) -> None:
    for folder in ("car_damage/train", "car_damage/val"):
        table, document = (read(real_data / folder / f"via_region_data.{kind}") for kind in ("csv", "json"))
        for a, b in zip(table.images, document.images, strict=True):
            assert (a.file_name, a.file_size, a.attributes) == (b.file_name, b.file_size, b.attributes)
            assert [(r.shape, r.class_name, r.attributes) for r in a.regions] == [
                (r.shape, r.class_name, r.attributes) for r in b.regions
            ]


AWKWARD = {
    "nothing": table(),
    "a picture without regions": table('a.jpg,5,"{}",0,0,"{}","{}"', 'b.jpg,6,"{""c"":1}",0,0,"{}","{}"'),
    "oddly empty": table("a.jpg,5,,0,,,", 'b.jpg,6,"{}",0,1,"{}","{""x"":1}"', 'c.jpg,7,"{}",3,0,,"{}"'),
    "an empty row beside others": table(f'a.jpg,5,"{{}}",1,0,{RECT},"{{}}"', 'a.jpg,5,"{}",0,0,"{}","{}"'),
    "an empty row between others": table(
        f'a.jpg,5,"{{}}",2,0,{RECT},"{{}}"', 'a.jpg,5,"{}",0,0,"{}","{}"', f'b.jpg,5,"{{}}",1,0,{RECT},"{{}}"',
        f'a.jpg,5,"{{}}",2,1,{RECT},"{{}}"',
    ),
    "no attributes": table(f"a.jpg,5,,1,0,{RECT},"),
    "sizes": table(*(f'a.jpg,{size},"{{}}",1,0,{RECT},"{{}}"' for size in ("5", "05", "-1", "", " 5", "5.0"))),
    "wrong counts": table(f'a.jpg,5,"{{}}",1,0,{RECT},"{{}}"', f'a.jpg,5,"{{}}",7,0,{POINT},"{{}}"'),
    "mixed": table(
        f'a.jpg,5,"{{}}",2,0,{RECT},"{{}}"', f'b.jpg,5,"{{}}",2,0,{RECT},"{{}}"', f'a.jpg,5,"{{}}",2,1,{POINT},"{{}}"',
        f'c.jpg,5,"{{}}",1,0,{POINT},"{{}}"', f'b.jpg,5,"{{}}",2,1,{POINT},"{{}}"',
    ),
    "file attributes that differ": table(
        f'a.jpg,5,"{{""c"":1}}",2,0,{RECT},"{{}}"', f'a.jpg,5,"{{""c"":2}}",2,1,{RECT},"{{}}"'
    ),
    "undefined": table(
        f'a.jpg,5,"{{""c"":undefined}}",2,0,{RECT},"{{""type"":undefined,""name"":""undefined""}}"',
        'a.jpg,5,"{""c"":undefined}",2,1,"{""name"":""ellipse"",""cx"":1,""cy"":1,""rx"":1,""ry"":1,""theta"":undefined}"'
        ',"{""a"":undefined,""b"":undefined}"',
    ),
    "quotes": table(
        '"a, ""b"".jpg",5,"{}",1,0,' + RECT + r',"{""name"":""say \""undefined\"" \\\\"",""n"":""x\ny""}"',
        r'<b>.jpg,5,"{""a"":""é \u00e9 \ud83d\ude00 💡""}",1,0,' + RECT + ',"{""name"":""\'); DROP TABLE x; --""}"',
    ),
    "further shape fields": table('a.jpg,5,"{}",1,0,"{""name"":""point"",""cx"":1,""cy"":1,""z"":[1]}","{}"'),
    "closed": table(
        'a.jpg,5,"{}",2,0,"{""name"":""polygon"",""all_points_x"":[1,5,3,1],""all_points_y"":[1,1,5,1]}","{}"',
        'a.jpg,5,"{}",2,1,"{""name"":""polygon"",""all_points_x"":[1,5,3],""all_points_y"":[1,1,5]}","{}"',
    ),
    "no theta": table('a.jpg,5,"{}",1,0,"{""name"":""ellipse"",""cx"":1,""cy"":1,""rx"":1,""ry"":1}","{}"'),
    "other columns": f"note,#{HEADER},more\n"
    f'n,a.jpg,5,"{{}}",1,0,{RECT},"{{}}",m\n,b.jpg,5,"{{}}",0,0,"{{}}","{{}}",',
    "columns moved": f"region_attributes,{HEADER.removesuffix(',region_attributes')}\n"
    f'"{{""a"":1}}",a.jpg,5,"{{}}",1,0,{RECT}',
    "classes": table(
        *(f'a.jpg,5,"{{}}",5,{n},{RECT},"{{""type"":{v}}}"' for n, v in enumerate(("3", '""3""', "3", "null", "3.50")))
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_awkward_files_come_back_with_equal_rows(text: str, newline: str) -> None:
    given = "\ufeff" + text.replace("\n", newline)
    assert csv_reading.is_csv(given)
    assert rows(written(csv_reading.parse(given, "labels.csv"))) == rows(text)


def test_a_name_with_a_comma_is_taken_together() -> None:
    (record,) = csv_reading.parse(table(f'a, b, c.jpg,5,"{{}}",1,0,{RECT},"{{}}"'), "labels.csv").images
    assert (record.file_name, record.file_size) == ("a, b, c.jpg", 5)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_spreadsheet_may_have_saved_it(separator: str) -> None:
    lines = [HEADER.split(","), ["a.jpg", "5", "{}", "1", "0", '{"name":"point","cx":1,"cy":2}', '{"class":"cat"}']]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerows(lines)
    (record,) = csv_reading.parse(buffer.getvalue(), "labels.csv").images
    assert [(r.shape, r.class_name) for r in record.regions] == [(Point(1, 2), "cat")]


@pytest.mark.parametrize(
    "header",
    [
        f"sep=,\n{HEADER}",
        f"\ufeffSEP=,\r\n{HEADER}",
        HEADER.upper(),
        HEADER.title(),
        f"{HEADER},,",
        f",{HEADER},",  # with the number of the row, as pandas writes it
    ],
)
def test_what_spreadsheets_and_scripts_add_is_passed_over(header: str) -> None:
    before, after = ("," * header.startswith(",")), "," * (len(header) - len(header.rstrip(",")))
    row = f'{before}a.jpg,5,"{{}}",1,0,{RECT},"{{""class"":""cat""}}"{after}'
    cells = next(csv.reader([row]))
    text = "\n".join([header, row, "," * (len(cells) - 1), "", "  "])
    dataset = csv_reading.parse(text, "labels.csv")
    assert [(record.file_name, record.regions[0].class_name) for record in dataset.images] == [("a.jpg", "cat")]
    (again,) = csv_reading.parse(written(dataset), "again.csv").images
    assert again.regions[0].shape == Rect(1, 2, 3, 4)


def test_lines_are_counted_from_the_line_that_names_the_separator() -> None:
    with pytest.raises(StudioError, match=r"^labels\.csv: line 3 has an empty "):
        csv_reading.parse(f'sep=,\n{HEADER}\n ,5,"{{}}",1,0,{RECT},"{{}}"', "labels.csv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEADER, True),
        ("#" + HEADER + "\n", True),
        ("\ufeff# " + HEADER, True),
        (HEADER.replace(",", ";"), True),
        ("", False),
        ("\n" + HEADER, False),
        ('{"filename": "region_shape_attributes"}', False),
        ("filename,width,height,class,xmin,ymin,xmax,ymax", False),
        ('"' * 100_000, False),
    ],
)
def test_it_is_told_by_its_header(text: str, expected: bool) -> None:
    assert csv_reading.is_csv(text) is expected


BAD_RECT = RECT.replace('""x"":1', '""x"":NaN')


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([f'a.jpg,5,"{{}}",1,0,{RECT},"{{}}"', 'a.jpg,5,"{}",1,0'], "line 3 has 5 cells, not 7"),
        ([f'a.jpg,5,"{{}}",1,0,{BAD_RECT},"{{}}"'], "line 2 has"),
        ([f'a.jpg,5,"{{}}",1,0,{RECT},"{{""a"":[undefined]}}"'], 'as "region_attributes", which is no JSON'),
        ([f'a.jpg,5,"{{}}",1,0,{RECT},"{{""a"":Infinity}}"'], 'as "region_attributes", which is no JSON'),
        ([f'a.jpg,5,"{{}}",1,0,{RECT},"[]"'], 'line 2 has a list of 0 as "region_attributes", not an object'),
        ([f'a.jpg,5,"{{}}",1,0,{RECT.replace("rect", "blob")},"{{}}"'], 'line 2 has the shape "blob"'),
        ([f'a.jpg,5,"{{}}",1,0,{RECT.replace("4", "-4")},"{{}}"'], 'line 2 has a negative "height"'),
        ([f'a.jpg,5,"{{}}",1,0,{RECT.replace("4", "1e308")},"{{}}"'], "which is no place in a picture"),
        ([f' ,5,"{{}}",1,0,{RECT},"{{}}"'], 'line 2 has an empty "filename"'),
        (["", "", f'a.jpg,5,"{{}}",1,0,{RECT},"{{}}"', 'b.jpg,5,{,0,0,"{}","{}"'], 'line 5 has "{" as "file_attr'),
        ([f'a.jpg,5,"{{}}",1,0,{RECT},"{{}}'], "line 2 has a quote that nothing closes, so the file may be cut off"),
        (["a.jpg,5,{},1,0,\"{'name': 'rect'}\",{}"], "which is no JSON but Python, in single quotes"),
        (['a.jpg,5,"{""a"":' + "[" * 2000 + '}",0,0,"{}","{}"'], "line 2 has "),
        (['a.jpg,5,"{""a"":' + "[" * 90 + "]" * 90 + '}",0,0,"{}","{}"'], "line 2 has file attributes nested more"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_line(lines: list[str], complaint: str) -> None:
    with pytest.raises(StudioError, match=r"^labels\.csv: line \d ") as caught:
        csv_reading.parse(table(*lines), "labels.csv")
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_missing_column_is_named() -> None:
    with pytest.raises(StudioError, match='line 1 has no column "file_size"'):
        csv_reading.parse(HEADER.replace("file_size,", ""), "labels.csv")


def test_the_class_attribute_can_be_named() -> None:
    text = table(f'a.jpg,5,"{{}}",1,0,{RECT},"{{""name"":""x"",""kind"":""cat""}}"')
    assert csv_reading.parse(text, "labels.csv").class_attribute == "name"
    assert csv_reading.parse(text, "labels.csv", "kind").classes == ("cat",)
    with pytest.raises(ArgumentError, match='no region has the attribute "colour"; choose "kind", "name"'):
        csv_reading.parse(text, "labels.csv", "colour")


def test_edited_regions_are_written_as_via_would() -> None:
    dataset = csv_reading.parse(AWKWARD["wrong counts"], "labels.csv")
    (record,) = dataset.images
    moved = record.regions[0].with_shape(Rect(0, 0, 9, 9))
    edited = replace(dataset, images=(replace(record, regions=(moved, *record.regions[1:], Region(Point(3, 3)))),))
    assert [row[3:5] for row in rows(written(edited))[1:]] == [["3", "0"], ["3", "0"], ["3", "2"]]
    cleared = replace(dataset, images=(replace(record, regions=()),))
    assert rows(written(cleared))[1:] == [["a.jpg", "5", {}, "0", "0", {}, {}]]


def test_what_csv_cannot_hold_is_said() -> None:
    document = {
        "a": {
            **{"filename": "a.jpg", "size": 1, "base64_img_data": "AAAA", "fileref": "", "file_attributes": {}},
            "regions": [{"shape_attributes": {"name": "point", "cx": 1, "cy": 1}, "region_attributes": {}, "z": 1}],
        }
    }
    assert csv_writing.encode(via.parse(document, "labels.json")).warnings == (
        "labels.json: further fields of 1 picture (an embedded picture, say) left out, as VIA CSV has no place for "
        "them",
        "labels.json: further fields of 1 region left out, as VIA CSV has no place for them",
    )


def test_a_very_long_outline_is_one_cell() -> None:
    points = tuple((n % 1000, n % 777) for n in range(40_000))
    dataset = Dataset((ImageRecord("a.jpg", (Region(Polygon(points)),), file_size=1),))
    (record,) = csv_reading.parse(written(dataset), "labels.csv").images
    assert record.regions[0].shape == Polygon(points)


texts = st.text(st.characters(codec="utf-8"), max_size=6)
shapes = st.builds(Rect, *[st.integers(0, 9) | st.floats(0, 9)] * 4) | st.builds(
    lambda points: Polygon(tuple(points)),
    st.lists(st.tuples(st.integers(0, 9), st.floats(0, 9)), min_size=3, max_size=4),
)
regions = st.builds(Region, shapes, st.none() | texts.filter(str.strip), st.dictionaries(texts, texts, max_size=2))
records = st.builds(
    lambda name, regions, attributes: ImageRecord(name, tuple(regions), attributes=attributes),
    texts.filter(str.strip), st.lists(regions, max_size=3), st.dictionaries(texts, texts, max_size=1),
)  # fmt: skip


@settings(max_examples=examples(150))
@given(st.lists(records, max_size=3, unique_by=lambda record: record.file_name))
def test_any_dataset_goes_in_and_comes_out(images: list[ImageRecord]) -> None:
    dataset = Dataset(tuple(images), class_attribute="a class")
    text = written(dataset)
    named = any(r.class_name for record in images for r in record.regions)
    again = csv_reading.parse(text, "labels.csv", "a class" if named else None)
    assert rows(written(again)) == rows(text)
    for before, after in zip(images, again.images, strict=True):
        assert (after.file_name, after.attributes) == (before.file_name, before.attributes)
        for b, a in zip(before.regions, after.regions, strict=True):
            outline = b.shape
            while isinstance(outline, Polygon) and len(outline.points) > 1 and outline.points[0] == outline.points[-1]:
                outline = Polygon(outline.points[:-1])
            assert a.shape == outline
            if b.class_name is not None:
                assert (a.class_name, a.attributes) == (
                    b.class_name,
                    {k: v for k, v in b.attributes.items() if k != "a class"},
                )
