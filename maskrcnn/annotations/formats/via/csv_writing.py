"""Write VIA's CSV: one row for each region, with its shape and attributes as JSON in cells; see `csv_reading`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats import spreadsheet
from maskrcnn.annotations.formats.dropped_info import DroppedInfo
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.formats.json_values import Json
from maskrcnn.annotations.formats.via import (
    picture_entry_writing,
    write_back_notes,
)
from maskrcnn.annotations.formats.via.csv_reading import (
    CELLS_WITHOUT_REGION,
    COLUMNS,
    FLAVOUR,
    JSON_COLUMNS,
    csv_column_names,
)
from maskrcnn.annotations.regions import Region
from maskrcnn.errors import StudioError

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_SPECIAL = re.compile(r'[",\r\n]|^\s|\s$')


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
        keeps_attributes = not record.extras.get("via", {}).get(write_back_notes.CHANGED)
        for number, region in enumerate(record.regions):
            kept = write_back_notes.via_notes(region.extras, FLAVOUR)
            cells = {
                **cells_of_picture,
                "region_id": str(number),
                **_region_cells(region, class_attribute, dataset.extras),
            }
            yield (
                kept.get("row"),
                {**cells, **_valid_kept_cells(kept.get("cells", {}), cells, keeps_count, keeps_attributes)},
            )
        # The rows without a region that the picture had in the file: `rows`, if others had one, else `alone`.
        empty_rows = notes.get("rows", [])
        if not count and not empty_rows:
            one_usual_row: list[Json] = [{}]
            empty_rows = notes.get("alone", one_usual_row)
        cells = {**cells_of_picture, **CELLS_WITHOUT_REGION}
        for kept in empty_rows:
            yield kept.get("row"), {**cells, **_valid_kept_cells(kept.get("cells", {}), cells, True, keeps_attributes)}


def _valid_kept_cells(
    kept: Mapping[str, str], cells: Mapping[str, str], keeps_count: bool, keeps_attributes: bool
) -> dict[str, str]:
    """Return those of the cells `kept` from reading that are still valid for the new row `cells` of a CSV file.

    An empty attributes cell is not valid if the new row has attributes. The number of regions is valid only if
    `keeps_count` is true, and the file attributes only if `keeps_attributes` is true.
    """
    valid = dict(kept)
    for name in ("file_attributes", "region_attributes"):
        if name in valid and not valid[name].strip() and cells[name] != "{}":
            del valid[name]
    if not keeps_count:
        valid.pop("region_count", None)
    if not keeps_attributes:
        valid.pop("file_attributes", None)
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
