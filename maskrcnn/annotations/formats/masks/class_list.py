"""The class names beside masks: `classes.json` (written by the studio), `classes.txt` or Roboflow's `_classes.csv`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskrcnn import untrusted_files
from maskrcnn.annotations.formats import text_encodings
from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, mapping, text
from maskrcnn.errors import StudioError

CLASSES = "classes.json"
_CLASSES_AS_TEXT = "classes.txt"
CLASSES_AS_TABLE = "_classes.csv"
"""Roboflow's list for semantic masks: one row for each class, `1, leaf`, after the header `Pixel Value, Class`."""

DIVISOR = 1000
LARGEST_VALUE = 65535
"""Largest value of 16 bits."""

MEND = "mend that file"
_LARGEST_JSON = 20_000_000


def classes_json_content(file: Path) -> Any:
    """Return the content of the `classes.json` of a mask folder; None if it is not JSON."""
    try:
        return json.loads(untrusted_files.read_bytes(file, file.parent, _LARGEST_JSON).decode("utf-8-sig"))
    except (OSError, StudioError, ValueError, RecursionError):
        return None


def read_settings(folder: Path) -> tuple[dict[int, str] | None, int, Mapping[str, Json]]:
    """Return class names by number (None without a list), the divisor, and the entry of each mask in `classes.json`."""
    file = folder / CLASSES
    if file.is_file():
        complain = Complaint(str(file), "the file", MEND)
        settings = mapping(classes_json_content(file), "its content", complain)
        divisor = settings.get("divisor", DIVISOR)
        if type(divisor) is not int or not 1 < divisor <= LARGEST_VALUE:
            raise complain(f'has {brief(divisor)} as "divisor"')
        classes = settings.get("classes")
        numbered = dict(enumerate(classes, start=1)) if isinstance(classes, list) else classes
        names = {}
        for number, name in mapping(numbered, '"classes"', complain).items():
            if not re.fullmatch(r"[0-9]{1,9}", str(number)) or not text(name, "a class", complain).strip():
                raise complain(f"has {brief(name)} as class {brief(number)}")
            names[int(number)] = name
        listed = mapping(settings.get("pictures", {}), '"pictures"', complain)
        for name, entry in listed.items():
            here = complain.at(f"the mask {brief(name)}")
            text(mapping(entry, "its entry", here).get("file_name", ""), '"file_name"', here)
        return names, divisor, listed
    file = folder / _CLASSES_AS_TEXT
    if file.is_file():
        try:
            content = untrusted_files.read_bytes(file, folder, _LARGEST_JSON, "write one class name a line")
            lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
        except (OSError, UnicodeDecodeError):
            raise StudioError(f"{file}: cannot be read as text; write one class name a line") from None
        return {number: line for number, line in enumerate(lines, start=1) if line}, DIVISOR, {}
    file = folder / CLASSES_AS_TABLE
    if file.is_file():
        try:
            lines = text_encodings.decoded_text(
                untrusted_files.read_bytes(file, folder, _LARGEST_JSON), file
            ).splitlines()
        except OSError:
            raise StudioError(f"{file}: cannot be read; check its permissions") from None
        rows = (re.fullmatch(r"\s*([0-9]{1,5})\s*,\s*(.*\S)\s*", line) for line in lines)
        return {int(row[1]): row[2] for row in rows if row and int(row[1]) > 0}, DIVISOR, {}
    return None, DIVISOR, {}
