"""Unpack an untrusted zip.

A zip made on a user's own computer holds plain files inside one folder, and pictures, which hardly shrink. Any other
zip is refused completely, before or during unpacking: names that lead outside, links, encryption, entries that share
their bytes, and more bytes than its size lets expect. Bytes are counted while they are unpacked; the sizes that the zip
states are never trusted. A zip inside the zip is an ordinary file.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path
from typing import IO, Any

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations.unused_names import unused_path
from maskrcnn.errors import ArgumentError, StudioError

MOST_ENTRIES = 100_000
MOST_BYTES = 20_000_000_000
MOST_TIMES = 100
"""Largest accepted unpacked size, as a multiple of the zip's size."""
ALWAYS_BYTES = 100_000_000
"""Unpacked size that is accepted for a zip of any size."""
_MOST_AT_ONCE = 64_000_000
_PIECE = 1 << 20


def unpack(source: Path | IO[bytes], size: int, name: str, folder: Path) -> dict[str, Path]:
    """Unpack a zip of `size` bytes into the folder, and return the path of each file by its name in the zip.

    Files that operating systems add by themselves are left out. Raises `StudioError` with the zip's `name` if the zip
    is damaged or suspicious; the folder may then hold some of its files.
    """
    name = names.brief(name)
    try:
        opened = source.open("rb") if isinstance(source, Path) else source
        with opened as file, zipfile.ZipFile(_LimitedReads(file)) as archive:
            entries = _checked(archive, name)
            return _written(archive, entries, min(MOST_BYTES, max(ALWAYS_BYTES, MOST_TIMES * size)), name, folder)
    except StudioError:
        raise
    except OSError as error:
        raise StudioError(
            f"{name}: cannot be unpacked ({error.strerror or 'the file is damaged'}); make space, or unpack it yourself"
        ) from None
    except NotImplementedError:
        raise StudioError(f"{name}: is packed in a way that is not known here; make a plain zip") from None
    except Exception:  # zipfile, zlib, bz2 and lzma raise various errors on damage
        raise StudioError(f"{name}: the zip is damaged; make or download it again") from None


class _LimitedReads:
    """A file whose reads are limited in size, because zipfile reads a zip's table of contents in one piece."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes; -1: the next `_MOST_AT_ONCE` bytes instead of the whole rest.

        Raises `BadZipFile` for a larger `size`: it is the stated size of a table of contents that no plain zip has.
        """
        if size > _MOST_AT_ONCE:
            raise zipfile.BadZipFile
        return self.file.read(size if size >= 0 else _MOST_AT_ONCE)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _checked(archive: zipfile.ZipFile, name: str) -> list[tuple[str, zipfile.ZipInfo]]:
    """Return the files to unpack, by name. Raises `StudioError` if any entry is not as in a plain zip."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise StudioError(f"{name}: holds {len(entries)} files, more than {MOST_ENTRIES}; unpack it yourself")
    checked: dict[str, zipfile.ZipInfo] = {}
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        inside = _name(entry)
        if names.leads_out(inside) or "\0" in entry.orig_filename:
            raise StudioError(f'{name}: holds "{names.brief(inside)}", which leads out of the zip; make a plain zip')
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise StudioError(f'{name}: "{names.brief(inside)}" is a link, not a file; put the file itself in the zip')
        if entry.flag_bits & 1:
            raise StudioError(f"{name}: is encrypted; unpack it yourself, or make one without a password")
        if entry.header_offset < end:
            raise StudioError(f"{name}: its files lie over each other; make a plain zip")
        end = entry.header_offset + 30 + len(entry.orig_filename) + entry.compress_size
        if entry.is_dir() or inside.endswith("\\") or names.is_junk(inside) or not names.parts(inside):
            continue
        plain = "/".join(names.parts(inside))
        if plain in checked:
            raise StudioError(f'{name}: holds "{names.brief(plain)}" twice; leave one of them')
        checked[plain] = entry
    return list(checked.items())


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the entry's name. macOS and other systems write UTF-8 without marking it, which zipfile reads as cp437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _written(
    archive: zipfile.ZipFile, entries: list[tuple[str, zipfile.ZipInfo]], most: int, name: str, folder: Path
) -> dict[str, Path]:
    """Unpack the entries and return name -> path. Raises `StudioError` after more than `most` bytes."""
    written: dict[str, Path] = {}
    total = 0
    for plain, entry in entries:
        path = unused_path(folder / names.storable(plain))
        with archive.open(entry) as packed, path.open("xb") as file:
            while piece := packed.read(_PIECE):
                total += len(piece)
                if total > most:
                    raise StudioError(
                        f"{name}: unpacks to more than {most // 1_000_000} MB, far more than its size lets expect; "
                        "unpack it yourself and give the folder"
                    )
                file.write(piece)
        written[plain] = path
    return written


def is_zip(name: str, content: bytes) -> bool:
    """Whether a file is a zip, by its suffix or its first bytes."""
    return names.suffix(name) == ".zip" or content[:4] in (b"PK\3\4", b"PK\5\6")


def first_bytes(path: Path) -> bytes:
    """Return the first four bytes of a file to import, which tell if it is a zip (`is_zip`).

    Raises `ArgumentError` if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise ArgumentError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
