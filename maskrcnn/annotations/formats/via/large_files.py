"""Read large VIA JSON files picture by picture from their text, so that the parsed document is never in memory as a
whole.

One pass decodes each picture, checks it, counts its attributes and discards it. The records are then created from the
text on access (`lazy_records.LazyJsonRecords`). The pictures are read and checked by the same code as in small files,
so the result does not depend on the file size, and nothing is read from a damaged file.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.json_values import Complaint, Json
from maskrcnn.annotations.formats.lazy_records import LazyJsonRecords
from maskrcnn.annotations.formats.via import (
    class_attributes,
    dataset_building,
    json_file,
    picture_entry_reading,
    project_parts,
)
from maskrcnn.annotations.formats.via.attribute_tally import Tally
from maskrcnn.errors import StudioError

LARGE = 8_000_000
"""Characters. Smaller files are parsed as a whole, which is faster."""

_skip = re.compile(r"[ \t\n\r]*").match


def parse(
    text: str,
    source: Path | str,
    class_attribute: str | None = None,
    refuse: Callable[[str], Any] | None = None,
    *,
    large: int = LARGE,
) -> Dataset | None:
    """Return the dataset of a large VIA JSON text; None if it is small or does not begin as a VIA file.

    `refuse` is called for numbers that JSON does not allow (NaN), as `parse_constant` of `json.loads`. Raises the same
    errors as `json.loads` and `via.parse`.
    """
    if len(text) < large:
        return None
    complain = Complaint(str(source), "the file", picture_entry_reading.MEND)
    scan = _LargeFileScan(text, complain, json.JSONDecoder(parse_constant=refuse).raw_decode)
    try:
        if not scan.scan_text():
            return None
    except _UnusualLayout:
        return None
    if scan.complaint is not None:
        raise scan.complaint

    flavour = "via-project" if scan.parts is not None else "via1" if scan.is_via1 else "via2"
    keys = project_parts.ordered_picture_keys(scan.starts, scan.parts)
    reader = picture_entry_reading.ViaReader(
        complain, flavour, project_parts.unlisted_picture_keys(keys, scan.parts), is_checked=True
    )

    def classified(choice: class_attributes.ClassChoice) -> LazyJsonRecords:
        starts = array("q", (scan.starts[key] for key in keys))
        return LazyJsonRecords(
            text, starts, _RecordFromEntry(reader, keys, choice), [scan.names[key] for key in keys], scan.tally
        )

    return dataset_building.built_dataset(reader, keys, scan.parts, scan.tally, class_attribute, classified)


@dataclass(frozen=True)
class _RecordFromEntry:
    """Creates the record of a picture from its parsed entry."""

    reader: picture_entry_reading.ViaReader
    keys: Sequence[str]
    choice: class_attributes.ClassChoice

    def __call__(self, index: int, entry: Any) -> ImageRecord:
        return self.choice.applied(self.reader.record(index, self.keys[index], entry))


class _UnusualLayout(Exception):
    """Raised if the text may be a VIA file with an unusual layout. Such a text is parsed as a whole."""


class _LargeFileScan:
    """One pass over the text: the position of each picture, and everything that is needed before the first record is
    created."""

    def __init__(self, text: str, complain: Complaint, decode: Callable[[str, int], tuple[Any, int]]) -> None:
        self.text, self._decode = text, decode
        self._reader = picture_entry_reading.ViaReader(complain, "via2")  # the flavour does not affect this pass
        self.starts: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.parts: Json | None = None
        self.tally = Tally()
        self.is_via1 = False
        self._has_images = False
        self.complaint: StudioError | None = None
        """The first error. It is raised only if the JSON is valid up to its end, as for a small file."""

    def scan_text(self) -> bool:
        """Scan the whole text: the parts of a project, or the pictures of another file. Returns False if it does not
        begin as a VIA file."""
        start = self._after(0)
        if self.text[start : start + 1] != "{":
            return False
        first = self._after(start + 1)
        if self.text[first : first + 1] != '"':
            return False
        key, end = self._decode(self.text, first)
        if key.startswith("_via_"):
            self.parts = {}
            end = self._scan_object(start, self._read_part)
            if not self._has_images:
                return False
        else:
            value = self._after(self._after(end) + 1)
            if self.text[value : value + 1] != "{" or "filename" not in self._decode(self.text, value)[0]:
                return False
            end = self._scan_object(start, self._read_picture)
        if (rest := self._after(end)) != len(self.text):
            raise json.JSONDecodeError("Extra data", self.text, rest)
        return True

    def _scan_object(self, at: int, read_value: Callable[[str, int], int]) -> int:
        """Scan the JSON object that begins at `at` and return where it ends. `read_value(key, start)` is called for
        each of its values and returns where the value ends."""
        text = self.text
        at = self._after(at + 1)
        if text[at : at + 1] == "}":
            return at + 1
        while True:
            if text[at : at + 1] != '"':
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
            key, at = self._decode(text, at)
            at = self._after(at)
            if text[at : at + 1] != ":":
                raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
            at = self._after(read_value(key, self._after(at + 1)))
            if text[at : at + 1] == "}":
                return at + 1
            if text[at : at + 1] != ",":
                raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
            at = self._after(at + 1)

    def _after(self, at: int) -> int:
        """Return where the blanks at `at` end."""
        found = _skip(self.text, at)
        assert found is not None
        return found.end()

    def _read_part(self, name: str, start: int) -> int:
        """Read one part of a project and return where it ends."""
        assert self.parts is not None
        if name == project_parts.IMAGES:
            if self._has_images or self.text[start : start + 1] != "{":
                raise _UnusualLayout
            self._has_images = True
            return self._scan_object(start, self._read_picture)
        self.parts[name], end = self._decode(self.text, start)
        return end

    def _read_picture(self, key: str, start: int) -> int:
        """Read and count one picture, and return where its entry ends. Raises `_UnusualLayout` for a key that occurs
        twice, and if the text turns out to be a project, though it does not begin as one."""
        entry, end = self._decode(self.text, start)
        is_repeated = key in self.starts  # JSON readers use the later of two equal keys
        is_project_after_all = self.parts is None and key == project_parts.IMAGES
        if is_repeated or is_project_after_all:
            raise _UnusualLayout
        self.starts[key] = start
        self.is_via1 = self.is_via1 or json_file.is_via1_entry(entry)
        if self.complaint is None:
            try:
                record = self._reader.record(0, key, entry)
            except StudioError as complaint:
                self.complaint = complaint
            else:
                self.names[key] = record.file_name
                for region in record.regions:
                    self.tally.add(region.attributes)
        return end
