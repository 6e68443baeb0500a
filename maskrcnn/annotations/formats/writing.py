"""Writing label files: the table of formats, and files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from maskrcnn.annotations.formats import coco, labelme, mask_pngs, via, via_csv, yolo
from maskrcnn.annotations.formats.encoded import Encoded, inside
from maskrcnn.annotations.regions import Dataset
from maskrcnn.errors import ArgumentError


@dataclass(frozen=True)
class Format:
    """How a format is called on a button, what its files are called, and what makes them.

    `suffix` is that of its one file; None for a format that is a folder of files.
    """

    words: str
    suffix: str | None
    encode: Callable[[Dataset], Encoded]


FORMATS: dict[str, Format] = {
    "via2": Format("VIA 2.x", ".json", lambda dataset: via.encode(dataset, "via2")),
    "via-project": Format("VIA 2.x project", ".json", lambda dataset: via.encode(dataset, "via-project")),
    "via1": Format("VIA 1.x", ".json", lambda dataset: via.encode(dataset, "via1")),
    "via-csv": Format("VIA CSV", ".csv", via_csv.encode),
    "coco": Format("COCO", ".json", coco.encode),
    "labelme": Format("labelme", None, labelme.encode),
    "yolo": Format("YOLO segmentation", None, yolo.encode),
    "masks": Format("PNG masks", None, mask_pngs.encode),
}
"""Every format that can be written, by the name it has on the command line."""


def encode(dataset: Dataset, format: str) -> Encoded:
    """The dataset as label files of that format (see `FORMATS`).

    Raises `ArgumentError` for an unknown format, `StudioError` for a dataset that the format cannot hold at all.
    """
    if format not in FORMATS:
        raise ArgumentError(f'format "{format}" is unknown; choose {", ".join(FORMATS)}')
    encoded = FORMATS[format].encode(dataset)
    beside = {inside(record.file_name): record.path for record in dataset.images if record.path is not None}
    return encoded if encoded.pictures else replace(encoded, pictures=beside)


def write(dataset: Dataset, path: Path | str, format: str) -> list[str]:
    """Write the dataset as a file, or as a new folder, of that format; returns the warnings of `encode`.

    A file replaces the one that was there; a folder must be new or empty. Either is written whole or not at all.
    A folder gets copies of the pictures, as whoever reads such a folder looks for them there.
    Raises as `encode` does, and `ArgumentError` for a place that cannot be written.
    """
    path = Path(path)
    encoded = encode(dataset, format)
    whole_folder = FORMATS[format].suffix is None
    if path.is_dir() and not whole_folder:
        raise ArgumentError(f"{path}: this is a folder; name the file to write")
    if whole_folder and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ArgumentError(f"{path}: is there already, and {FORMATS[format].words} needs a folder of its own")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole_folder:
            for name, content in encoded.files.items():
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                _written(temporary / name, content)
            for name, picture in encoded.pictures.items():
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(picture, temporary / name)
        else:
            (content,) = encoded.files.values()
            _written(temporary, content)
        os.replace(temporary, path)
    except OSError as error:
        raise ArgumentError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(temporary) if temporary.is_dir() else temporary.unlink(missing_ok=True)
    return list(encoded.warnings)


def zipped(encoded: Encoded, pictures: bool) -> bytes:
    """Label files as one zip, for a download; with the pictures where they belong if asked for."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in encoded.files.items():
            archive.writestr(name, content)
        for name, picture in encoded.pictures.items() if pictures else ():
            archive.write(picture, name, zipfile.ZIP_STORED)
    return buffer.getvalue()


def _written(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
