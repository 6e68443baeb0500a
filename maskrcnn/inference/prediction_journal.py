"""The journal of an output folder of predict: one line for each finished picture, so that a stopped run goes on.

The first line says which network and which options made the predictions. A line is written after the files of its
picture. It is flushed at once, so it survives a killed process, and is on the disk after at most `SYNC_SECONDS`, so a
power failure costs some seconds of work. A last line that was cut off is dropped when the journal is opened.

Detections are read back one picture at a time: memory holds the place of each line, not its content.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from maskrcnn.errors import ArgumentError
from maskrcnn.output_files import writing

JOURNAL = "journal.jsonl"
"""Name of the journal in the output folder of predict."""

SYNC_SECONDS = 5.0

_FORMAT = "maskrcnn predict 1"
_START = f'{{"journal":"{_FORMAT}"'.encode()
"""The first bytes of a journal."""


@dataclass(frozen=True)
class Stamp:
    """The size in bytes and the time of change in nanoseconds of a file: another one means another picture."""

    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """The stamp of a file; zeros if it cannot be asked for, which no finished picture has."""
        try:
            found = os.stat(path)
        except OSError:
            return cls(0, 0)
        return cls(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class JournalEntry:
    """A finished picture, or a finished frame of a video.

    `key` is the name of its files in the output folder, without suffix; it is unique there. `name` is the name of the
    picture. `detections` are COCO results of any score, best first. `frame` and `time` (seconds) are of frames only.
    """

    key: str
    name: str
    stamp: Stamp
    width: int
    height: int
    detections: Sequence[dict[str, Any]] = field(default=(), repr=False)
    frame: int | None = None
    time: float | None = None


class Journal:
    """An open journal. `append` adds a finished picture; `entry` reads one; `key in journal` asks for one."""

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path = path
        self.places: set[str] = set()
        """Files and folders of the output folder, relative to it, that predict has made or is about to make."""
        self._header = header
        self._files: tuple[FileIO, BinaryIO] | None = None
        self._lines: dict[str, tuple[Stamp, int]] = {}
        self._synced = time.monotonic()
        self._lock = threading.RLock()

    @classmethod
    def open(
        cls, path: Path, network: Mapping[str, str], options: Mapping[str, object], again: bool = False
    ) -> Journal:
        """Open the journal `path` for a run with this network and these options, or begin one.

        `network` has its `name` and its `digest`. A new journal, or with `again` one that forgets the finished
        pictures of an older one, is written with its first entry. Raises `ArgumentError` if an older journal is of
        another network or of other options, if the file is not a journal, or if it cannot be written.
        """
        journal = cls(path, {"journal": _FORMAT, "network": dict(network), "options": dict(options)})
        if path.exists():
            old = _read_header(path)
            if old is None:  # the process was killed before the first line was whole
                return journal
            if not again:
                _require_same(path, old, network, options)
            journal._open("ab")
            journal.places.update(map(str, old["places"]))
            journal._read()
            if again:
                journal.close()
                journal._lines.clear()
        return journal

    def __contains__(self, key: object) -> bool:
        return key in self._lines

    def __len__(self) -> int:
        return len(self._lines)

    def has(self, key: str, stamp: Stamp) -> bool:
        """Whether a picture with this key is finished, and its file has not changed since."""
        found = self._lines.get(key)
        return found is not None and found[0] == stamp

    def entry(self, key: str) -> JournalEntry:
        """Read a finished picture. Raises `KeyError` if there is none."""
        _, place = self._lines[key]
        assert self._files is not None
        self._files[1].seek(place)
        return _entry(json.loads(self._files[1].readline()))

    def append(self, entry: JournalEntry) -> None:
        """Add a finished picture, in place of an older entry with its key. Raises `ArgumentError` on a full disk."""
        place = self._write_line({**vars(entry), "stamp": vars(entry.stamp)})
        self._lines[entry.key] = (entry.stamp, place)

    def add_places(self, places: Sequence[str]) -> None:
        """Remember, before they are made, that predict makes these files and folders. Any thread may call it."""
        with self._lock:
            if new := sorted(set(places) - self.places):
                self._write_line({"places": new})
                self.places.update(new)

    def close(self) -> None:
        """Close the file, when all is on the disk."""
        if self._files is not None:
            end, whole = self._files
            self._files = None
            whole.close()
            with writing(self.path):
                try:
                    os.fsync(end.fileno())
                finally:
                    end.close()

    def _open(self, mode: str) -> None:
        """Open the file for writing at its end, and for reading."""
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._files = (FileIO(self.path, mode), self.path.open("rb"))

    def _write_line(self, content: Mapping[str, Any]) -> int:
        """Append a line, and return its place. If that fails, the file is as it was."""
        with self._lock:
            if self._files is None:
                self._open("wb")
                self._append({**self._header, "places": sorted(self.places)})
            return self._append(content)

    def _append(self, content: Mapping[str, Any]) -> int:
        assert self._files is not None
        end = self._files[0]
        rest = memoryview(json.dumps(content, allow_nan=False, separators=(",", ":")).encode() + b"\n")
        place = os.fstat(end.fileno()).st_size
        with writing(self.path):
            try:
                while rest:
                    rest = rest[end.write(rest) or 0 :]
                if time.monotonic() - self._synced > SYNC_SECONDS:
                    os.fsync(end.fileno())
                    self._synced = time.monotonic()
            except OSError:
                end.truncate(place)
                raise
        return place

    def _read(self) -> None:
        """Note the places of all whole lines, and cut off what follows them."""
        assert self._files is not None
        place = 0
        for line in self._files[1]:
            if not line.endswith(b"\n"):
                self._files[0].truncate(place)
                break
            # A damaged line is left out, so that its picture is predicted again.
            with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
                content = json.loads(line)
                if "places" in content:
                    self.places.update(map(str, content["places"]))
                else:
                    entry = _entry(content)
                    self._lines[entry.key] = (entry.stamp, place)
            place += len(line)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, by which a journal recognises a network. Raises `ArgumentError` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArgumentError(f"{path}: cannot be read ({error.strerror}); check the file's permissions") from None


def _read_header(path: Path) -> dict[str, Any] | None:
    """The first line of a journal, None if it is cut off. Raises `ArgumentError` if the file is no journal."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        with path.open("rb") as file:
            line = file.readline(1_000_000)
        if not line.endswith(b"\n") and (line.startswith(_START) or _START.startswith(line)):
            return None
        header = json.loads(line)
        if header["journal"] == _FORMAT and isinstance(header["options"], dict) and isinstance(header["places"], list):
            return {**header, "network": {key: str(header["network"][key]) for key in ("name", "digest")}}
    raise ArgumentError(f"{path}: is there already and is no journal of predict; give --out another folder")


def _require_same(
    path: Path, header: Mapping[str, Any], network: Mapping[str, str], options: Mapping[str, object]
) -> None:
    """Raise `ArgumentError` if a journal is of another network or of other options."""
    mend = "give --again to start over, or --out another folder"
    if header["network"]["digest"] != network["digest"]:
        old = header["network"]["name"]
        raise ArgumentError(
            f"{path.parent}: holds predictions of another network ({old}, now {network['name']}); {mend}"
        )
    for name, value in options.items():
        if (before := header["options"].get(name)) != value:
            raise ArgumentError(f"{path.parent}: was predicted with {name} {before}, and not {value}; {mend}")


def _entry(content: Mapping[str, Any]) -> JournalEntry:
    """The entry of a line. Raises `KeyError`, `TypeError` or `ValueError` if it is damaged."""
    stamp = Stamp(int(content["stamp"]["size"]), int(content["stamp"]["changed"]))
    return JournalEntry(**{**content, "stamp": stamp, "detections": tuple(content["detections"])})
