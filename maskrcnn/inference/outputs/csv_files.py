"""Writing of a large CSV table row by row, with texts that no spreadsheet runs as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from maskrcnn.annotations.formats.spreadsheet import harmless
from maskrcnn.atomic_files import replacing
from maskrcnn.output_files import writing


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a table as UTF-8, atomically and row by row. Makes missing folders. Returns the path.

    Texts that a spreadsheet could run get an apostrophe (`formats.spreadsheet.harmless`). Raises `ArgumentError` if the
    file cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("x", encoding="utf-8", errors="replace", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([harmless(name) for name in header])
            table.writerows([harmless(value) for value in row] for row in rows)
    return path
