"""Everything that was found as one zip, written picture by picture."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.atomic_files import replacing
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.inference.outputs.file_stems import OutputStems
from maskrcnn.inference.outputs.found_dataset import FoundRecords
from maskrcnn.inference.outputs.found_picture import PICTURE_KINDS, FoundPicture, require_kinds
from maskrcnn.inference.outputs.found_spool import FoundSpool
from maskrcnn.inference.outputs.object_table import Scale
from maskrcnn.inference.outputs.picture_files import write_picture_files
from maskrcnn.inference.outputs.set_files import write_set_files
from maskrcnn.output_files import not_written, writing

NOTES = "notes.txt"
"""The file of the zip that says what is missing, or what a format cannot hold. Only there if there is such a thing."""

_PACKED = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".heic", ".heif", ".hif", ".avif", ".gif"}
"""Suffixes of files that are compressed already."""

_OUTLINED = {"via", "labelme", "yolo"}
"""Kinds that have outlines instead of masks."""


class TakeAwayStopped(Exception):
    """The person stopped; nothing was written."""


def take_away(
    kinds: Collection[str],
    found: Sequence[FoundPicture],
    load_picture: Callable[[FoundPicture], np.ndarray],
    config: Config,
    colours: Sequence[str] | None,
    target: Path,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = bool,
    scale: Scale | None = None,
) -> Path:
    """Write all outputs of these kinds into the zip `target`, whole or not at all. Returns `target`.

    `load_picture(found)` returns the pixels of a picture, uint8 `(H, W, 3)` RGB; it is called for one picture at a
    time, and only for kinds that need pixels. If it raises `StudioError`, the picture's own files are left out, and
    `notes.txt` in the zip says so. Each element of `found` is read once; one that raises `StudioError` is left out.
    Overlays are in the folder `overlays`. `colours`, `config` and `scale` are as in `write_picture_files` and
    `write_set_files`. `progress(done, total)` counts pictures, and one more for the rest.

    Raises `TakeAwayStopped` if `stopped()` becomes true, and `ArgumentError` for an unknown kind, for none, and if
    the zip cannot be written, for example because the disk is full.
    """
    require_kinds(kinds)
    if not kinds:
        raise ArgumentError("nothing is chosen; choose what to take away")
    notes: list[str] = []
    with _written(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            replacing(target) as temporary,
            TemporaryDirectory(prefix=".take-away.", suffix=".tmp", dir=target.parent) as scratch,
            zipfile.ZipFile(temporary, "x") as archive,
        ):
            folder, total = Path(scratch), len(found) + 1
            kept, stems = FoundSpool(target.parent), list[str]()
            outlines = FoundRecords(kept, config.names)

            def notice(line: str, folder: Path = folder) -> None:
                notes.append(line.replace(f"{folder}{os.sep}", ""))  # the place in the zip

            for stem, picture in _each(found, notes, progress, stopped):
                kept.append(picture)
                stems.append(stem)
                _add_picture(archive, folder, kinds, picture, load_picture, config, colours, stem, notes)
                if not _OUTLINED.isdisjoint(kinds):
                    outlines.keep_outlines(len(kept) - 1)  # here, where the progress is seen
            _continue(progress, len(found), total, stopped)
            for kind in kinds:  # one after the other, so that copies of pictures lie on the disk once
                write_set_files([kind], kept, config, folder, stems, scale, notice, outlines)
                _move_into(archive, folder, stopped)
            if notes:
                archive.writestr(NOTES, "".join(f"{line}\n" for line in dict.fromkeys(notes)), zipfile.ZIP_DEFLATED)
    if progress is not None:
        progress(total, total)
    return target


@contextmanager
def _written(target: Path) -> Iterator[None]:
    """Like `output_files.writing`; also a file that cannot be written before it goes into the zip names the zip."""
    try:
        with writing(target):
            yield
    except ArgumentError as error:
        if isinstance(error.__context__, OSError):
            raise not_written(target, error.__context__.strerror) from None
        raise


def _each(
    found: Sequence[FoundPicture], notes: list[str], progress: Progress | None, stopped: Callable[[], bool]
) -> Iterator[tuple[str, FoundPicture]]:
    """Each picture with the stem of its files, read once: that may take long. One that cannot be read is noted."""
    stems = OutputStems()
    for number in range(len(found)):
        _continue(progress, number, len(found) + 1, stopped)
        try:
            picture = found[number]
        except StudioError as error:
            notes.append(str(error))
            continue
        yield stems.take(picture.name), picture


def _add_picture(
    archive: zipfile.ZipFile,
    folder: Path,
    kinds: Collection[str],
    found: FoundPicture,
    load_picture: Callable[[FoundPicture], np.ndarray],
    config: Config,
    colours: Sequence[str] | None,
    stem: str,
    notes: list[str],
) -> None:
    """Add the files of one picture to the zip, as far as `kinds` has files of single pictures."""
    if set(kinds).isdisjoint(PICTURE_KINDS):
        return
    try:
        picture = load_picture(found)
    except StudioError as error:
        notes.append(str(error))
        return
    # Overlays get a folder of their own, so that a picture in a folder "masks" does not meet the label masks.
    others = [kind for kind in kinds if kind != "overlays"]
    for chosen, place in ((set(kinds) & {"overlays"}, folder / "overlays"), (others, folder)):
        write_picture_files(chosen, found, picture, config.names, colours, place, stem, config.keypoint_edges)
    _move_into(archive, folder)


def _move_into(archive: zipfile.ZipFile, folder: Path, stopped: Callable[[], bool] = bool) -> None:
    """Move all files below the folder into the zip, under their path in it."""
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        if stopped():
            raise TakeAwayStopped
        packed = file.suffix.lower() in _PACKED
        archive.write(file, file.relative_to(folder).as_posix(), zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED)
        file.unlink()


def _continue(progress: Progress | None, done: int, total: int, stopped: Callable[[], bool]) -> None:
    """Report the progress, and raise `TakeAwayStopped` if the person stopped."""
    if stopped():
        raise TakeAwayStopped
    if progress is not None:
        progress(done, total)
