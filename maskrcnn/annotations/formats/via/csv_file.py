"""Read and write VIA's CSV: one row for each region, with its shape and attributes as JSON in cells.

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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from maskrcnn.annotations.formats import spreadsheet
from maskrcnn.annotations.formats.dropped_info import DroppedInfo
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, require_few_regions
from maskrcnn.annotations.formats.via import attribute_tally, class_attributes, dataset_building, reading, writing
from maskrcnn.annotations.regions import Dataset, ImageRecord, Region
from maskrcnn.errors import StudioError

FLAVOUR = "via-csv"
COLUMNS = (
    *("filename", "file_size", "file_attributes", "region_count", "region_id"),
    *("region_shape_attributes", "region_attributes"),
)
_JSON_COLUMNS = ("file_attributes", "region_shape_attributes", "region_attributes")
_SPECIAL = re.compile(r'[",\r\n]|^\s|\s$')
_MEND = "export it from VIA again, or mend that line"
_SEPARATORS = (",", ";", "\t")
_STRING_OR_BARE_WORD = re.compile(r'"(?:[^"\\]|\\.)*+"|\b(?:undefined|NaN|Infinity)\b')
"""A JSON string, or one of JavaScript's words for values that JSON does not have."""
_EMPTY = ("", "{}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LONGEST_HEADER = 10_000
_MOST_ROWS = 500_000
"""Maximum number of rows. Even a short row takes more than 1 kB of memory."""


def is_csv(text: str) -> bool:
    """Whether a text is VIA's CSV, judged by its header."""
    return {"filename", "region_shape_attributes"} <= {*_column_names(_csv_header(text)[0])}


def parse(text: str, source: Path | str, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of VIA's CSV. `source` is its file, for messages; `class_attribute` as in `via.parse`.

    Raises `StudioError` that names the line if the file is invalid.
    """
    complain = Complaint(str(source), "the file", _MEND)
    header, rows = _csv_table(text, complain)
    pictures = _rows_by_picture(rows)
    is_mixed = any(
        later.position != earlier.position + 1 for picture in pictures for earlier, later in pairwise(picture)
    )
    reader = reading.ViaReader(complain, FLAVOUR)
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


def encode(dataset: Dataset) -> Encoded:
    """Return the dataset as VIA's CSV, with a warning for each kind of information that is lost."""
    dropped = DroppedInfo(dataset.source)
    found = writing.survey_regions(dataset, FLAVOUR, dropped)
    header = dataset.extras.get("via", {}).get("csv", {}).get("header", list(COLUMNS))
    columns = _column_names(header)
    lines = [",".join(map(_quoted_cell, header))]
    _count_formulas(dataset, found.class_attribute, header, dropped)
    for cells in _in_original_order(_csv_rows(dataset, found.class_attribute)):
        lines.append(",".join(_quoted_cell(cells.get(column, ""), column in _JSON_COLUMNS) for column in columns))
    try:
        content = "\n".join([*lines, ""]).encode("utf-8")
        n_regions = sum(len(writing.without_empty_shapes(record).regions) for record in dataset.images)
        return Encoded({"via.csv": content}, n_regions, dropped.warnings())
    except UnicodeEncodeError:
        source = dataset.source or "the dataset"
        raise StudioError(f"{source}: a name has a broken character, which CSV cannot hold; give it another") from None


# Reading


@dataclass(frozen=True)
class _CsvRow:
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
        return self.cells["region_shape_attributes"].strip() not in _EMPTY


@dataclass
class _CsvCell:
    """The JSON value of a cell, and its attributes whose value is `undefined`."""

    value: Json
    undefined: list[str] = field(default_factory=list)


def _csv_header(text: str) -> tuple[list[str], str]:
    """Return the column names as in the first line, and the separator."""
    beginning = text[:_LONGEST_HEADER].removeprefix("\ufeff")
    first = re.split(r"[\r\n]", beginning[_end_of_separator_line(beginning) :], maxsplit=1)[0]
    separator = max(_SEPARATORS, key=first.count)
    return next(csv.reader([first], delimiter=separator), []), separator


def _end_of_separator_line(text: str) -> int:
    """Return where the table begins: after the line `sep=;`, which tells Excel the separator, if there is one."""
    found = re.match(r"sep=.\r?\n", text, re.IGNORECASE)
    return found.end() if found else 0


def _column_names(header: Sequence[str]) -> list[str]:
    """Return the column names. VIA's own names are recognised in any case, because spreadsheets and scripts change
    it."""
    names = [name.strip().removeprefix("#").strip() for name in header]
    return [name.lower() if name.lower() in COLUMNS else name for name in names]


def _csv_table(text: str, complain: Complaint) -> tuple[list[str], list[_CsvRow]]:
    """Return the column names of the header and the rows. Raises `StudioError` that names the line if the table is
    invalid."""
    header, separator = _csv_header(text)
    columns = _column_names(header)
    first = complain.at("line 1")
    for column in COLUMNS:
        if columns.count(column) != 1:
            raise first(f'has {"no" if column not in columns else "more than one"} column "{column}"')
    # The csv module's default limit is 128 kB; an outline of several thousand vertices is longer.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    text = text.removeprefix("\ufeff")
    before = bool(start := _end_of_separator_line(text))
    reader = csv.reader(io.StringIO(text[start:], newline=""), delimiter=separator, strict=True)
    rows: list[_CsvRow] = []
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
            row = _CsvRow(dict(zip(columns, values, strict=True)), len(rows), line)
            rows.append(row)
            of_picture[row.picture] += 1
            require_few_regions(of_picture[row.picture], complain.at(f"picture {brief(row.picture[0], 80)}"))
    except StopIteration:
        return header, rows
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise complain.at(f"line {line}")("has a quote that nothing closes, so the file may be cut off") from None
        raise complain.at(f"line {line}")(f"is not CSV ({error})") from None


def _rows_by_picture(rows: Sequence[_CsvRow]) -> list[list[_CsvRow]]:
    """Return the rows of each picture, in the order of their first rows."""
    pictures: dict[tuple[str, str], list[_CsvRow]] = {}
    for row in rows:
        pictures.setdefault(row.picture, []).append(row)
    return list(pictures.values())


def _record_of_rows(reader: reading.ViaReader, index: int, rows: Sequence[_CsvRow], is_mixed: bool) -> ImageRecord:
    """Return the record of a picture from its rows."""
    places = [f"line {row.line}" for row in rows]
    first, *others = (_parsed_cell(row, "file_attributes", reader.complain) for row in rows)
    cells = rows[0].cells
    size: Any = cells["file_size"]
    size = int(size) if re.fullmatch(r"0|[1-9][0-9]{0,15}", size) else size
    image: Json = {"filename": cells["filename"], "size": size, "file_attributes": first.value, "regions": []}
    drawn = []
    for row in rows:
        if row.has_region:
            shape, attributes = (
                _parsed_cell(row, column, reader.complain)
                for column in ("region_shape_attributes", "region_attributes")
            )
            drawn.append((row, shape.undefined, attributes.undefined))
            image["regions"].append({"shape_attributes": shape.value, "region_attributes": attributes.value})
    key = reading.picture_key(cells["filename"], size)
    record = reader.record(index, key, image, places[0], [f"line {row.line}" for row, _, _ in drawn])

    differ = any(other != first for other in others)
    regions = []
    wrong_counts = False
    for number, (region, (row, in_shape, in_attributes)) in enumerate(zip(record.regions, drawn, strict=True)):
        odd = _unusual_cells(row, str(len(drawn)), str(number), differ)
        wrong_counts = wrong_counts or "region_count" in odd
        undefined = {"shape": in_shape, "attributes": in_attributes}
        own: Json = {
            **({"cells": odd} if odd else {}),
            **({"row": row.position} if is_mixed else {}),
            **({"undefined": undefined} if in_shape or in_attributes else {}),
        }
        regions.append(
            replace(region, extras=reading.with_via_notes(region.extras, FLAVOUR, own, {})) if own else region
        )
    empty = [_notes_of_empty_row(row, is_mixed, differ) for row in rows if not row.has_region]
    own = {
        **({"rows" if drawn else "alone": empty} if empty and (drawn or empty != [{}]) else {}),
        **({"read": len(drawn)} if wrong_counts else {}),
        **({"undefined": first.undefined} if first.undefined else {}),
    }
    return replace(record, regions=tuple(regions), extras=reading.with_via_notes(record.extras, FLAVOUR, own, {}))


def _unusual_cells(row: _CsvRow, count: str, number: str, differ: bool) -> dict[str, str]:
    """Return the cells of a row that differ from what would be written, or that the studio does not know."""
    usual = {"region_count": count, "region_id": number}
    odd = {name: text for name, text in row.cells.items() if name not in COLUMNS or usual.get(name, text) != text}
    for name in ("file_attributes", "region_attributes"):
        if not row.cells[name].strip() or (differ and name == "file_attributes"):
            odd[name] = row.cells[name]
    return odd


def _notes_of_empty_row(row: _CsvRow, is_mixed: bool, differ: bool) -> Json:
    """Return what differs from the usual output in a row without a region."""
    usual = {"region_count": "0", "region_id": "0", "region_shape_attributes": "{}", "region_attributes": "{}"}
    odd = {name: text for name, text in row.cells.items() if name not in COLUMNS or usual.get(name, text) != text}
    if not row.cells["file_attributes"].strip() or differ:
        odd["file_attributes"] = row.cells["file_attributes"]
    return {**({"cells": odd} if odd else {}), **({"row": row.position} if is_mixed else {})}


def _parsed_cell(row: _CsvRow, column: str, complain: Complaint) -> _CsvCell:
    """Return the parsed JSON of a cell; an empty cell gives an empty object."""
    text, here = row.cells[column], complain.at(f"line {row.line}")
    if not text.strip():
        return _CsvCell({})
    undefined = object()
    try:
        if "undefined" in text or "N" in text or "I" in text:
            text = _STRING_OR_BARE_WORD.sub(_as_json_constant, text)
        value = json.loads(text, parse_constant=lambda _: undefined)
    except (ValueError, RecursionError):
        why = " but Python, in single quotes" if text.lstrip().startswith("{'") else ""
        raise here(f'has {brief(text)} as "{column}", which is no JSON{why}') from None
    if not isinstance(value, dict):
        raise here(f'has {brief(value)} as "{column}", not an object in braces')
    names = [name for name, inner in value.items() if inner is undefined]
    defined = {name: inner for name, inner in value.items() if inner is not undefined}
    if _holds(defined, undefined):
        raise here(f'has {brief(text)} as "{column}", which is no JSON')
    return _CsvCell(defined, names)


def _as_json_constant(found: re.Match[str]) -> str:
    """Return a match of `_STRING_OR_BARE_WORD` for the JSON parser: a string unchanged, `undefined` as NaN, which the parser passes
    to `parse_constant`, and any other word as invalid JSON."""
    word = found[0]
    return word if word.startswith('"') else "NaN" if word == "undefined" else "?"


def _holds(value: Any, wanted: object) -> bool:
    """Whether a nested value contains the object `wanted`."""
    inside = [value]
    while inside:
        holder = inside.pop()
        if holder is wanted:
            return True
        inside += holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ()
    return False


# Writing


def _count_formulas(dataset: Dataset, class_attribute: str | None, header: Sequence[str], dropped: DroppedInfo) -> None:
    """Count the cells that a spreadsheet would run as formulas. They are not changed, because VIA could not read
    them back."""
    names = {record.file_name for record in dataset.images if spreadsheet.is_formula(record.file_name)}
    dropped.add(f"{{pictures}} whose name {_WOULD_RUN}", len(names))
    for _, cells in _csv_rows(dataset, class_attribute):
        others = (text for column, text in cells.items() if column not in _SAFE and not _NUMBER.fullmatch(text))
        if any(map(spreadsheet.is_formula, others)):
            dropped.add(f"{{regions}} with a cell that {_WOULD_RUN}")
    if any(map(spreadsheet.is_formula, header)):
        dropped.add(f"a column whose name {_WOULD_RUN}")


_SAFE = ("filename", *_JSON_COLUMNS)
"""Columns that are counted by picture, or whose cells begin with a brace."""
_WOULD_RUN = "a spreadsheet takes for a formula, kept as VIA needs it; do not open the file in a spreadsheet"


def _csv_rows(dataset: Dataset, class_attribute: str | None) -> Iterator[tuple[int | None, Mapping[str, str]]]:
    """Yield the cells of every row, with the row's position in the original file if rows of several pictures are
    mixed."""
    for record in map(writing.without_empty_shapes, dataset.images):
        kept_notes = reading.via_notes(record.extras, FLAVOUR)
        size = writing.file_size_to_write(record, kept_notes)
        attributes = _cell_json(record.attributes, kept_notes.get("undefined", ()))
        count = len(record.regions)
        whole = {"filename": record.file_name, "file_size": str("" if size is None else size)}
        whole |= {"file_attributes": attributes, "region_count": str(count)}
        for number, region in enumerate(record.regions):
            odd = reading.via_notes(region.extras, FLAVOUR)
            cells = {**whole, "region_id": str(number), **_region_cells(region, class_attribute, dataset.extras)}
            yield (
                odd.get("row"),
                {**cells, **_valid_kept_cells(odd.get("cells", {}), cells, kept_notes.get("read") in (None, count))},
            )
        nothing = {"region_id": "0", "region_shape_attributes": "{}", "region_attributes": "{}"}
        for row in kept_notes.get("rows", []) if count else kept_notes.get("rows") or kept_notes.get("alone", [{}]):
            cells = {**whole, **nothing, "region_count": "0"}
            yield row.get("row"), {**cells, **_valid_kept_cells(row.get("cells", {}), cells, True)}


def _valid_kept_cells(odd: Mapping[str, str], cells: Mapping[str, str], counts: bool) -> dict[str, str]:
    """Return the differing cells that are still valid: an empty cell only if it is still empty, a wrong count only
    if `counts`."""
    kept = dict(odd)
    for name in ("file_attributes", "region_attributes"):
        if name in kept and not kept[name].strip() and cells[name] != "{}":
            del kept[name]
    if not counts:
        kept.pop("region_count", None)
    return kept


def _region_cells(region: Region, class_attribute: str | None, extras: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a region's row: its shape and its attributes as JSON."""
    document = writing.region_entry(region, class_attribute, extras, FLAVOUR)
    undefined = reading.via_notes(region.extras, FLAVOUR).get("undefined", {})
    return {
        "region_shape_attributes": _cell_json(document["shape_attributes"], undefined.get("shape", ())),
        "region_attributes": _cell_json(document.get("region_attributes", {}), undefined.get("attributes", ())),
    }


def _cell_json(values: Mapping[str, Any], undefined: Sequence[str]) -> str:
    """Return an object as VIA writes it into a cell: undefined values bare, everything else as JSON."""
    try:
        parts = {
            name: json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            for name, value in values.items()
        }
    except (ValueError, TypeError, RecursionError):
        raise StudioError("the dataset: an attribute holds what JSON cannot; remove it") from None
    parts |= {name: "undefined" for name in undefined if name not in parts}
    return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{part}" for name, part in parts.items()) + "}"


def _quoted_cell(text: str, always: bool = False) -> str:
    """Return a cell's text, in quotes if `always` (VIA quotes JSON) or if it has special characters."""
    return '"' + text.replace('"', '""') + '"' if always or _SPECIAL.search(text) else text


def _in_original_order(rows: Iterator[tuple[int | None, Mapping[str, str]]]) -> Iterator[Mapping[str, str]]:
    """Yield the rows in their original order if pictures were mixed. New rows follow the row before them."""
    placed = []
    last = -1
    for place, cells in rows:
        last = last if place is None else place
        placed.append((last, cells))
    for _, cells in sorted(placed, key=lambda row: row[0]):
        yield cells
