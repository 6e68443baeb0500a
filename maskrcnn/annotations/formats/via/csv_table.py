"""The table of VIA's CSV: its header, its rows, and cells that hold JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, require_few_regions
from maskrcnn.errors import StudioError

COLUMNS = (
    *("filename", "file_size", "file_attributes", "region_count", "region_id"),
    *("region_shape_attributes", "region_attributes"),
)
JSON_COLUMNS = ("file_attributes", "region_shape_attributes", "region_attributes")
_SPECIAL = re.compile(r'[",\r\n]|^\s|\s$')
_SEPARATORS = (",", ";", "\t")
_STRING_OR_BARE_WORD = re.compile(r'"(?:[^"\\]|\\.)*+"|\b(?:undefined|NaN|Infinity)\b')
"""A JSON string, or one of JavaScript's words for values that JSON does not have."""
_NO_SHAPE = ("", "{}")
_LONGEST_HEADER = 10_000
_MOST_ROWS = 500_000
"""Maximum number of rows. Even a short row takes more than 1 kB of memory."""


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


def cell_json(values: Mapping[str, Any], undefined: Sequence[str]) -> str:
    """Return an object as VIA writes it into a cell of its CSV: undefined values bare, everything else as JSON."""
    try:
        parts = {
            name: json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            for name, value in values.items()
        }
    except (ValueError, TypeError, RecursionError):
        raise StudioError("the dataset: an attribute holds what JSON cannot; remove it") from None
    parts |= {name: "undefined" for name in undefined if name not in parts}
    return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{part}" for name, part in parts.items()) + "}"


def quoted_cell(text: str, always: bool = False) -> str:
    """Return a cell's text, in quotes if `always` (VIA quotes JSON) or if it has special characters."""
    return '"' + text.replace('"', '""') + '"' if always or _SPECIAL.search(text) else text


def is_csv(text: str) -> bool:
    """Whether a text is the table of VIA's CSV: its header has VIA's column names."""
    return {"filename", "region_shape_attributes"} <= {*csv_column_names(csv_header(text)[0])}


def csv_rows_by_picture(rows: Sequence[CsvRow]) -> list[list[CsvRow]]:
    """Return the rows of each picture in the CSV table, in the order of their first rows."""
    pictures: dict[tuple[str, str], list[CsvRow]] = {}
    for row in rows:
        pictures.setdefault(row.picture, []).append(row)
    return list(pictures.values())
