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

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from maskrcnn.annotations.formats import spreadsheet
from maskrcnn.annotations.formats.dropped_info import DroppedInfo
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.formats.json_values import Complaint, Json
from maskrcnn.annotations.formats.via import (
    attribute_tally,
    class_attributes,
    dataset_building,
    picture_entry_reading,
    picture_entry_writing,
    write_back_notes,
)
from maskrcnn.annotations.formats.via.csv_table import (
    COLUMNS,
    JSON_COLUMNS,
    CsvRow,
    cell_json,
    csv_column_names,
    csv_rows_by_picture,
    csv_rows_of_text,
    parsed_cell,
    quoted_cell,
)
from maskrcnn.annotations.regions import Dataset, ImageRecord, Region
from maskrcnn.errors import StudioError

FLAVOUR = "via-csv"
_MEND = "export it from VIA again, or mend that line"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


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


def encode(dataset: Dataset) -> Encoded:
    """Return the dataset as VIA's CSV, with a warning for each kind of information that is lost."""
    dropped = DroppedInfo(dataset.source)
    found = picture_entry_writing.survey_regions(dataset, FLAVOUR, dropped)
    header = dataset.extras.get("via", {}).get("csv", {}).get("header", list(COLUMNS))
    columns = csv_column_names(header)
    lines = [",".join(map(quoted_cell, header))]
    _count_formulas(dataset, found.class_attribute, header, dropped)
    for cells in _in_original_order(_rows_to_write(dataset, found.class_attribute)):
        lines.append(",".join(quoted_cell(cells.get(column, ""), column in JSON_COLUMNS) for column in columns))
    try:
        content = "\n".join([*lines, ""]).encode("utf-8")
        n_regions = sum(len(picture_entry_writing.without_empty_shapes(record).regions) for record in dataset.images)
        return Encoded({"via.csv": content}, n_regions, dropped.warnings())
    except UnicodeEncodeError:
        source = dataset.source or "the dataset"
        raise StudioError(f"{source}: a name has a broken character, which CSV cannot hold; give it another") from None


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
        extras = write_back_notes.with_via_notes(region.extras, FLAVOUR, notes, {})
        regions.append(replace(region, extras=extras) if notes else region)

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
    """Return the cells of a region's row that are kept as text, because they would be written differently: unknown
    columns, another count or number, and empty attributes. With `attributes_differ`, the rows of the picture have
    different file attributes, and these are kept too."""
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
    usual = {**row.cells, **_CELLS_WITHOUT_REGION}
    unusual = {name: text for name, text in row.cells.items() if name not in COLUMNS or usual[name] != text}
    if not row.cells["file_attributes"].strip() or attributes_differ:
        unusual["file_attributes"] = row.cells["file_attributes"]
    return {**({"cells": unusual} if unusual else {}), **({"row": row.position} if is_mixed else {})}


# Writing


def _count_formulas(dataset: Dataset, class_attribute: str | None, header: Sequence[str], dropped: DroppedInfo) -> None:
    """Count the cells that a spreadsheet would run as formulas. They are not changed, because VIA could not read
    them back."""
    names = {record.file_name for record in dataset.images if spreadsheet.is_formula(record.file_name)}
    dropped.add(f"{{pictures}} whose name {_WOULD_RUN}", len(names))
    for _, cells in _rows_to_write(dataset, class_attribute):
        others = (text for column, text in cells.items() if column not in _SAFE and not _NUMBER.fullmatch(text))
        if any(map(spreadsheet.is_formula, others)):
            dropped.add(f"{{regions}} with a cell that {_WOULD_RUN}")
    if any(map(spreadsheet.is_formula, header)):
        dropped.add(f"a column whose name {_WOULD_RUN}")


_SAFE = ("filename", *JSON_COLUMNS)
"""Columns that are counted by picture, or whose cells begin with a brace."""
_WOULD_RUN = "a spreadsheet takes for a formula, kept as VIA needs it; do not open the file in a spreadsheet"


def _rows_to_write(dataset: Dataset, class_attribute: str | None) -> Iterator[tuple[int | None, Mapping[str, str]]]:
    """Yield (position, cells) of every row. The position in the original file is None unless rows of several pictures
    are mixed there. Cells that were kept as text replace the usual ones where they are still valid."""
    for record in map(picture_entry_writing.without_empty_shapes, dataset.images):
        notes = write_back_notes.via_notes(record.extras, FLAVOUR)
        size = picture_entry_writing.file_size_to_write(record, notes)
        count = len(record.regions)
        cells_of_picture = {
            "filename": record.file_name,
            "file_size": str("" if size is None else size),
            "file_attributes": cell_json(record.attributes, notes.get("undefined", ())),
            "region_count": str(count),
        }
        keeps_count = notes.get("read") in (None, count)  # the picture has as many regions as when it was read
        for number, region in enumerate(record.regions):
            kept = write_back_notes.via_notes(region.extras, FLAVOUR)
            cells = {
                **cells_of_picture,
                "region_id": str(number),
                **_region_cells(region, class_attribute, dataset.extras),
            }
            yield kept.get("row"), {**cells, **_valid_kept_cells(kept.get("cells", {}), cells, keeps_count)}
        # The rows without a region that the picture had in the file: `rows`, if others had one, else `alone`.
        empty_rows = notes.get("rows", [])
        if not count and not empty_rows:
            one_usual_row: list[Json] = [{}]
            empty_rows = notes.get("alone", one_usual_row)
        cells = {**cells_of_picture, **_CELLS_WITHOUT_REGION}
        for kept in empty_rows:
            yield kept.get("row"), {**cells, **_valid_kept_cells(kept.get("cells", {}), cells, True)}


_CELLS_WITHOUT_REGION = {
    "region_count": "0",
    "region_id": "0",
    "region_shape_attributes": "{}",
    "region_attributes": "{}",
}
"""The cells that VIA writes into a row without a region."""


def _valid_kept_cells(kept: Mapping[str, str], cells: Mapping[str, str], keeps_count: bool) -> dict[str, str]:
    """Return the cells `kept` from reading that replace those of the new row `cells`: all, except an empty cell for
    attributes if there are attributes now, and the number of regions if `keeps_count` is false."""
    valid = dict(kept)
    for name in ("file_attributes", "region_attributes"):
        if name in valid and not valid[name].strip() and cells[name] != "{}":
            del valid[name]
    if not keeps_count:
        valid.pop("region_count", None)
    return valid


def _region_cells(region: Region, class_attribute: str | None, extras: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a region's row: its shape and its attributes as JSON."""
    document = picture_entry_writing.region_entry(region, class_attribute, extras, FLAVOUR)
    undefined = write_back_notes.via_notes(region.extras, FLAVOUR).get("undefined", {})
    return {
        "region_shape_attributes": cell_json(document["shape_attributes"], undefined.get("shape", ())),
        "region_attributes": cell_json(document.get("region_attributes", {}), undefined.get("attributes", ())),
    }


def _in_original_order(rows: Iterator[tuple[int | None, Mapping[str, str]]]) -> Iterator[Mapping[str, str]]:
    """Yield the rows in their original order if pictures were mixed. New rows follow the row before them."""
    placed = []
    last = -1
    for place, cells in rows:
        last = last if place is None else place
        placed.append((last, cells))
    for _, cells in sorted(placed, key=lambda row: row[0]):
        yield cells
