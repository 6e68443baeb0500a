"""Read VIA's CSV: one row for each region, with its shape and attributes as JSON in cells. `csv_writing` writes it.

    filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes
    a.jpg,1234,"{}",2,0,"{""name"":""rect"",""x"":1,...}","{""class"":""cat""}"

The format is detected by its header, which begins with `#` in VIA 1.x. The separator may also be a semicolon or a tab,
as spreadsheets write it. A picture without regions has one row with the shape `{}`. Rows with the same file name and
size are one picture. VIA writes a value that was never filled in as a bare `undefined`, which is not JSON. Such an
attribute is left out, and is written back as `undefined`.

A file that is read and written has equal rows again. Whatever differs from VIA's usual output is kept in
`extras["via"]`, in addition to what `via` keeps there: `cells` (column -> text, for a region whose cells differ), `row`
(if rows of several pictures are mixed), `undefined` (names of such attributes), and for a picture `rows` or `alone`
(rows without a region, with or without other rows) and `read` (the number of regions, if the counts in the file
differed).
`Dataset.extras["via"]["csv"]` has the `header` if it is not the usual one.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, require_few_regions
from maskrcnn.annotations.formats.via import (
    attribute_tally,
    class_attributes,
    dataset_building,
    picture_entry_reading,
    write_back_notes,
)
from maskrcnn.errors import StudioError

FLAVOUR = "via-csv"
_MEND = "export it from VIA again, or mend that line"
CELLS_WITHOUT_REGION = {
    "region_count": "0",
    "region_id": "0",
    "region_shape_attributes": "{}",
    "region_attributes": "{}",
}
"""The cells that VIA writes into a row without a region."""
COLUMNS = (
    *("filename", "file_size", "file_attributes", "region_count", "region_id"),
    *("region_shape_attributes", "region_attributes"),
)
JSON_COLUMNS = ("file_attributes", "region_shape_attributes", "region_attributes")
_SEPARATORS = (",", ";", "\t")
_STRING_OR_BARE_WORD = re.compile(r'"(?:[^"\\]|\\.)*+"|\b(?:undefined|NaN|Infinity)\b')
"""A JSON string, or one of JavaScript's words for values that JSON does not have."""
_NO_SHAPE = ("", "{}")
_LONGEST_HEADER = 10_000
_MOST_ROWS = 500_000
"""Maximum number of rows. Even a short row takes more than 1 kB of memory."""


def parse(text: str, source: Path | str, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of VIA's CSV. `source` is its file, for messages; `class_attribute` as in `via.parse`.

    Raises `StudioError` that names the line if the file is invalid.
    """
    complain = Complaint(str(source), "the file", _MEND)
    header, rows = csv_rows_of_text(text, complain)
    pictures = csv_rows_by_picture(rows)
    is_mixed = any(
        later.position != earlier.position + 1 for picture in pictures for earlier, later in pairwise(picture)
    )
    reader = picture_entry_reading.ViaReader(complain, FLAVOUR)
    records = [_record_of_rows(reader, index, picture, is_mixed) for index, picture in enumerate(pictures)]

    def classified(choice: class_attributes.ClassChoice) -> tuple[ImageRecord, ...]:
        return tuple(choice.applied(record) for record in records)

    keys = [str(number) for number in range(len(records))]
    dataset = dataset_building.built_dataset(
        reader, keys, None, attribute_tally.tally_of_records(records), class_attribute, classified
    )
    if header != list(COLUMNS):
        dataset = replace(dataset, extras={**dataset.extras, "via": {"csv": {"header": header}}})
    return dataset


def _record_of_rows(
    reader: picture_entry_reading.ViaReader, index: int, rows: Sequence[CsvRow], is_mixed: bool
) -> ImageRecord:
    """Return the record of a picture from its rows in the CSV file. `is_mixed` is true if rows of several pictures are
    mixed.

    Notes about unusual rows are kept in `extras`, for writing the file back. Of a region: `cells` (texts that would be
    written differently), `row` (position, if mixed), `undefined` (attributes). Of the picture: `rows` (its rows without
    a region, if others have one), `alone` (its rows without a region, if it has no others and they are not VIA's one
    usual row), `read` (number of regions, if the file counts them wrong), `undefined`.
    """
    file_attributes = [parsed_cell(row, "file_attributes", reader.complain) for row in rows]
    attributes_differ = any(other != file_attributes[0] for other in file_attributes)
    cells = rows[0].cells
    size: Any = cells["file_size"]
    size = int(size) if re.fullmatch(r"0|[1-9][0-9]{0,15}", size) else size
    entry: Json = {
        "filename": cells["filename"],
        "size": size,
        "file_attributes": file_attributes[0].value,
        "regions": [],
    }
    rows_of_regions = [row for row in rows if row.has_region]
    undefined_names = []
    for row in rows_of_regions:
        shape = parsed_cell(row, "region_shape_attributes", reader.complain)
        attributes = parsed_cell(row, "region_attributes", reader.complain)
        entry["regions"].append({"shape_attributes": shape.value, "region_attributes": attributes.value})
        undefined_names.append({"shape": shape.undefined, "attributes": attributes.undefined})
    key = picture_entry_reading.picture_key(cells["filename"], size)
    lines = [f"line {row.line}" for row in rows_of_regions]
    record = reader.record(index, key, entry, f"line {rows[0].line}", lines)

    regions = []
    has_wrong_count = False
    for number, (region, row, undefined) in enumerate(
        zip(record.regions, rows_of_regions, undefined_names, strict=True)
    ):
        unusual = _unusual_cells(row, str(len(rows_of_regions)), str(number), attributes_differ)
        has_wrong_count = has_wrong_count or "region_count" in unusual
        notes: Json = {}
        if unusual:
            notes["cells"] = unusual
        if is_mixed:
            notes["row"] = row.position
        if any(undefined.values()):
            notes["undefined"] = undefined
        if notes:
            region = replace(region, extras=write_back_notes.with_via_notes(region.extras, FLAVOUR, notes, {}))
        regions.append(region)

    notes = {}
    empty_rows = [_notes_of_empty_row(row, is_mixed, attributes_differ) for row in rows if not row.has_region]
    one_usual_row: list[Json] = [{}]  # as VIA writes a picture without regions: nothing to note about it
    if rows_of_regions and empty_rows:
        notes["rows"] = empty_rows
    elif not rows_of_regions and empty_rows != one_usual_row:
        notes["alone"] = empty_rows
    if has_wrong_count:
        notes["read"] = len(rows_of_regions)
    if file_attributes[0].undefined:
        notes["undefined"] = file_attributes[0].undefined
    extras = write_back_notes.with_via_notes(record.extras, FLAVOUR, notes, {})
    return replace(record, regions=tuple(regions), extras=extras)


def _unusual_cells(row: CsvRow, count: str, number: str, attributes_differ: bool) -> dict[str, str]:
    """Return the cells of a region's row that are kept as text, because they would be written differently.

    These are unknown columns, a `region_count` other than `count`, a `region_id` other than `number`, and empty
    attributes. With `attributes_differ`, the rows of the picture have different file attributes, and these are kept
    too.
    """
    usual = {"region_count": count, "region_id": number}
    kept = {name: text for name, text in row.cells.items() if name not in COLUMNS or usual.get(name, text) != text}
    for name in ("file_attributes", "region_attributes"):
        if not row.cells[name].strip() or (attributes_differ and name == "file_attributes"):
            kept[name] = row.cells[name]
    return kept


def _notes_of_empty_row(row: CsvRow, is_mixed: bool, attributes_differ: bool) -> Json:
    """Return the notes about a row without a region, for writing the CSV file back. Empty for a row as VIA writes it.

    `cells` are those that differ from VIA's row without a region: other texts, unknown columns, and file attributes if
    they are empty or differ between the rows of the picture. `row` is the position, if rows of several pictures are
    mixed.
    """
    usual = {**row.cells, **CELLS_WITHOUT_REGION}
    unusual = {name: text for name, text in row.cells.items() if name not in COLUMNS or usual[name] != text}
    if not row.cells["file_attributes"].strip() or attributes_differ:
        unusual["file_attributes"] = row.cells["file_attributes"]
    return {**({"cells": unusual} if unusual else {}), **({"row": row.position} if is_mixed else {})}


@dataclass(frozen=True)
class CsvRow:
    """One row of the table: its cells by column, its position among the rows, and its line in the file."""

    cells: dict[str, str]
    position: int
    line: int

    @property
    def picture(self) -> tuple[str, str]:
        """File name and size, which identify the picture."""
        return self.cells["filename"], self.cells["file_size"]

    @property
    def has_region(self) -> bool:
        """Whether the row has a region; a picture without regions has one row with an empty shape."""
        return self.cells["region_shape_attributes"].strip() not in _NO_SHAPE


@dataclass
class CsvCell:
    """The JSON value of a cell, and its attributes whose value is `undefined`."""

    value: Json
    undefined: list[str] = field(default_factory=list)


def csv_header(text: str) -> tuple[list[str], str]:
    """Return the column names as in the first line, and the separator."""
    beginning = text[:_LONGEST_HEADER].removeprefix("\ufeff")
    first = re.split(r"[\r\n]", beginning[_end_of_separator_line(beginning) :], maxsplit=1)[0]
    separator = max(_SEPARATORS, key=first.count)
    return next(csv.reader([first], delimiter=separator), []), separator


def _end_of_separator_line(text: str) -> int:
    """Return where the table begins: after the line `sep=;`, which tells Excel the separator, if there is one."""
    found = re.match(r"sep=.\r?\n", text, re.IGNORECASE)
    return found.end() if found else 0


def csv_column_names(header: Sequence[str]) -> list[str]:
    """Return the column names. VIA's own names are recognised in any case, because spreadsheets and scripts change
    it."""
    names = [name.strip().removeprefix("#").strip() for name in header]
    return [name.lower() if name.lower() in COLUMNS else name for name in names]


def csv_rows_of_text(text: str, complain: Complaint) -> tuple[list[str], list[CsvRow]]:
    """Return the column names of the header and the rows. Raises `StudioError` that names the line if the table is
    invalid."""
    header, separator = csv_header(text)
    columns = csv_column_names(header)
    first = complain.at("line 1")
    for column in COLUMNS:
        if columns.count(column) != 1:
            raise first(f'has {"no" if column not in columns else "more than one"} column "{column}"')
    # The csv module's default limit is 128 kB; an outline of several thousand vertices is longer.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    text = text.removeprefix("\ufeff")
    before = bool(start := _end_of_separator_line(text))
    reader = csv.reader(io.StringIO(text[start:], newline=""), delimiter=separator, strict=True)
    rows: list[CsvRow] = []
    of_picture: Counter[tuple[str, str]] = Counter()
    line = 1
    try:
        next(reader)
        while True:
            line = reader.line_num + 1 + before
            values = next(reader)
            if not any(value.strip() for value in values):  # an empty line, which spreadsheets write with separators
                continue
            if len(values) > len(columns) and columns[0] == "filename":  # VIA does not quote file names
                names = len(values) - len(columns) + 1
                values = [separator.join(values[:names]), *values[names:]]
            if len(values) != len(columns):
                raise complain.at(f"line {line}")(f"has {len(values)} cells, not {len(columns)}")
            if len(rows) == _MOST_ROWS:
                raise StudioError(f"{complain.source}: more than {_MOST_ROWS} rows are too many for one file; split it")
            row = CsvRow(dict(zip(columns, values, strict=True)), len(rows), line)
            rows.append(row)
            of_picture[row.picture] += 1
            require_few_regions(of_picture[row.picture], complain.at(f"picture {brief(row.picture[0], 80)}"))
    except StopIteration:
        return header, rows
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise complain.at(f"line {line}")("has a quote that nothing closes, so the file may be cut off") from None
        raise complain.at(f"line {line}")(f"is not CSV ({error})") from None


def parsed_cell(row: CsvRow, column: str, complain: Complaint) -> CsvCell:
    """Return the parsed JSON of a cell; an empty cell gives an empty object."""
    text, here = row.cells[column], complain.at(f"line {row.line}")
    if not text.strip():
        return CsvCell({})
    undefined = object()
    try:
        if any(word in text for word in ("undefined", "NaN", "Infinity")):
            text = _STRING_OR_BARE_WORD.sub(_as_json_constant, text)
        value = json.loads(text, parse_constant=lambda _: undefined)
    except (ValueError, RecursionError):
        why = " but Python, in single quotes" if text.lstrip().startswith("{'") else ""
        raise here(f'has {brief(text)} as "{column}", which is no JSON{why}') from None
    if not isinstance(value, dict):
        raise here(f'has {brief(value)} as "{column}", not an object in braces')
    names = [name for name, inner in value.items() if inner is undefined]
    defined = {name: inner for name, inner in value.items() if inner is not undefined}
    if _cell_value_holds(defined, undefined):
        raise here(f'has {brief(text)} as "{column}", which is no JSON')
    return CsvCell(defined, names)


def _as_json_constant(found: re.Match[str]) -> str:
    """Return the replacement for a match of `_STRING_OR_BARE_WORD` in a cell of the CSV table, for the JSON parser.

    A string stays as it is. `undefined` becomes NaN, because the parser refuses the word `undefined`, but calls
    `parse_constant` for NaN. A NaN or Infinity in the file must be refused, and becomes `?`, which is no JSON.
    """
    word = found[0]
    if word.startswith('"'):
        return word
    return "NaN" if word == "undefined" else "?"


def _cell_value_holds(value: Any, wanted: object) -> bool:
    """Whether the parsed JSON value of a cell of the CSV table has the object `wanted` anywhere inside."""
    inside = [value]
    while inside:
        holder = inside.pop()
        if holder is wanted:
            return True
        inside += holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ()
    return False


def is_csv(text: str) -> bool:
    """Whether a text is the table of VIA's CSV: its header has VIA's column names."""
    return {"filename", "region_shape_attributes"} <= {*csv_column_names(csv_header(text)[0])}


def csv_rows_by_picture(rows: Sequence[CsvRow]) -> list[list[CsvRow]]:
    """Return the rows of each picture in the CSV table, in the order of their first rows."""
    pictures: dict[tuple[str, str], list[CsvRow]] = {}
    for row in rows:
        pictures.setdefault(row.picture, []).append(row)
    return list(pictures.values())
