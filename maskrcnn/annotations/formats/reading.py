"""Reading label files: what a path holds is found out from its content, not from its name."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn import foreign
from maskrcnn.annotations.formats import (
    coco,
    encodings,
    json_mistakes,
    labelme,
    mask_pngs,
    other_formats,
    via,
    via_csv,
    via_text,
    yolo,
)
from maskrcnn.annotations.formats.lazy import with_paths
from maskrcnn.annotations.regions import Dataset
from maskrcnn.annotations.store.schema import DATABASE
from maskrcnn.errors import ArgumentError, StudioError

LARGEST_FILE = 150 * 2**20
"""Bytes; a label file beyond this is refused before it is read. Ten thousand pictures with ten outlines are 70 MB."""

MOST_GROUPS = 8_000_000
"""Lists and groups in one JSON file. Each takes at least 60 bytes of memory, and two characters of the file."""

_EXPECTED = json_mistakes.EXPECTED
_LABEL_SUFFIXES = (".json", ".csv")


def read(path: Path | str, images: Path | str | None = None, class_attribute: str | None = None) -> Dataset:
    """The dataset of a label file, of a folder that holds labels of one kind, or of a project folder (all splits).

    Files: VIA JSON or CSV, COCO, labelme, YOLO's `data.yaml`. Folders: one such file, a labelme file for each picture,
    a YOLO data set, or PNG masks. `class_attribute` names the VIA attribute that is the class, where the rule of
    `via_classes` would choose another.

    Pictures are looked for in `images` if given, else beside the file and in `images/` beside it; for COCO's own
    layout, `annotations/instances_val2017.json`, also in `val2017/` beside `annotations/`. A picture that is not found
    has `path` None, which is no error here (`trainable.require_trainable` makes it one). A name that leads out of the
    folder (`../a.jpg`, `/a.jpg`, `C:\\a.jpg`, a URL) is looked up by its last part only.

    Raises `ArgumentError` for a path that does not exist, `StudioError` for content that is not what it should be.
    """
    path = Path(path)
    if images is not None and not Path(images).is_dir():
        raise ArgumentError(f"{images}: there is no such folder; give --images the folder that holds the pictures")
    if not path.exists():
        raise ArgumentError(f"{path}: there is no such file or folder; check the path")
    folders = [Path(images)] if images is not None else _folders_beside(path)
    if (path / DATABASE).is_file():
        from maskrcnn.annotations.store import Project  # the store reads datasets itself

        return Project.open(path).dataset()
    if yolo.is_yolo(path):
        return yolo.read_folder(path, images)
    if not path.is_dir():
        return with_pictures(_dataset_of_file(path, class_attribute), folders)
    return _dataset_of_folder(path, images, folders, class_attribute)


def parse(document: Any, source: Path | str, class_attribute: str | None = None) -> Dataset:
    """The dataset of a parsed JSON document of any kind; no pictures are looked for. `source` is for messages."""
    if not via.is_project(document) and (other := other_formats.of_document(document)):
        raise StudioError(f"{source}: this is {other}")
    if via.is_via(document):
        return via.parse(document, source, class_attribute)
    if via.is_attribute_definitions(document):
        raise via.only_definitions(source)
    if coco.is_coco(document):
        return coco.parse(document, source)
    if labelme.is_labelme(document):
        return labelme.parse({Path(source).name: document}, source)
    raise StudioError(f"{source}: this JSON holds no labels that the studio knows; {_EXPECTED}")


def with_pictures(dataset: Dataset, folders: list[Path]) -> Dataset:
    """The dataset with `path` set for each picture that is in one of the folders."""
    real = [(folder, os.path.realpath(folder)) for folder in folders]
    return replace(dataset, images=with_paths(dataset.images, lambda name: _found(name, real)))


def find_picture(file_name: str, folders: list[Path]) -> Path | None:
    """Where the picture of that name lies in the folders, never outside them, also not by a link; None where it is
    not."""
    return _found(file_name, [(folder, os.path.realpath(folder)) for folder in folders])


def _found(file_name: str, folders: list[tuple[Path, str]]) -> Path | None:
    parts = [part for part in re.split(r"[\\/]+", file_name) if part not in ("", ".")]
    leads_out = file_name.startswith(("/", "\\")) or ".." in parts or any(":" in part for part in parts)
    names = [parts[-1:]] if leads_out else [parts, parts[-1:]]
    for name in names:
        for folder, real in folders:
            candidate = folder.joinpath(*name)
            try:
                if name and name[-1] != ".." and candidate.is_file() and foreign.is_confined(candidate, [real]):
                    return candidate
            except (OSError, ValueError):  # a name that no file system would take
                continue
    return None


def _folders_beside(path: Path) -> list[Path]:
    """Where the pictures of a label file, or of a folder of labels, usually lie; no link to a folder elsewhere."""
    base = path if path.is_dir() else path.parent
    folders = [base, base / "images"]
    if path != base and base.name == "annotations" and "_" in path.stem:
        base, split = base.parent, path.stem.rsplit("_", 1)[1]
        folders += [base / split, base / "images" / split]
    return [folder for folder in folders if foreign.is_confined(folder, [base])]


def _dataset_of_file(path: Path, class_attribute: str | None) -> Dataset:
    return _text_dataset(_text(path), path, class_attribute)


def _dataset_of_folder(
    folder: Path, images: Path | str | None, folders: list[Path], class_attribute: str | None
) -> Dataset:
    """The dataset of a folder with labels of one kind."""
    if (folder / mask_pngs.CLASSES).is_file() and mask_pngs.is_mask_pngs(folder):
        return mask_pngs.read_folder(folder, images)
    found = []
    has_labelme = False
    candidates = sorted(entry for entry in folder.iterdir() if entry.is_file() and entry.suffix in _LABEL_SUFFIXES)
    for candidate in candidates:
        try:
            dataset = _dataset_of_file(candidate, class_attribute)
        except StudioError:
            if len(candidates) == 1:
                raise
            continue
        if dataset.extras.get("flavour") == "labelme":
            has_labelme = True  # one of many, and with its picture inside: not kept here
        else:
            found.append(dataset)
    if not found and not has_labelme and mask_pngs.is_mask_pngs(folder):
        return mask_pngs.read_folder(folder, images)
    if not found or has_labelme:
        found += _labelme_of_folder(folder)
    if not found:
        raise StudioError(f"{folder}: no label file is in this folder; {_EXPECTED}, or a project folder")
    if len(found) > 1:
        names = ", ".join(dataset.source.name for dataset in found if dataset.source)
        raise StudioError(f"{folder}: several label files are in this folder ({names}); name the one you mean")
    return with_pictures(found[0], folders)


def _labelme_of_folder(folder: Path) -> list[Dataset]:
    """The one dataset of all labelme files in a folder and below it, if there are any."""

    def documents() -> Iterator[tuple[str, Any]]:
        for file in sorted(folder.rglob("*.json")):
            if file.is_file() and labelme.is_labelme(document := _document(_text(file), file)):
                yield file.relative_to(folder).as_posix(), document

    dataset = labelme.parse(documents(), folder)
    return [dataset] if dataset.images else []


def _text_dataset(text: str, source: Path | str, class_attribute: str | None) -> Dataset:
    if via_csv.is_csv(text):
        return via_csv.parse(text, source, class_attribute)
    if text.count("{") + text.count("[") > MOST_GROUPS:
        raise StudioError(f"{source}: holds more than {MOST_GROUPS} lists and groups, too many for one file; split it")
    with _without_collector():
        with _json_mistakes_named(text, source):
            large = via_text.parse(text, source, class_attribute, refuse=_refuse)
        return large if large is not None else parse(_document(text, source), source, class_attribute)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Python looks for circles among all objects again and again while millions are made, which takes longer than to
    make them; what is read here has none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _text(path: Path) -> str:
    """What a label file holds, if it is text and not too much of it."""
    try:
        if not path.is_file():
            raise StudioError(f"{path}: this is no file that could be read; {_EXPECTED}")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise StudioError(
                f"{path}: {size / 2**20:.0f} MB are too much for one label file (at most {LARGEST_FILE / 2**20:.0f}); "
                "split it"
            )
        return encodings.decoded(foreign.read_bytes(path, most=LARGEST_FILE, mend="split it"), path)
    except OSError as error:
        raise StudioError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from None


def _document(text: str, source: Path | str) -> Any:
    with _json_mistakes_named(text, source):
        return json.loads(text, parse_constant=_refuse)


@contextlib.contextmanager
def _json_mistakes_named(text: str, source: Path | str) -> Iterator[None]:
    try:
        yield
    except json.JSONDecodeError as error:
        raise json_mistakes.mistake(text, error, source) from None
    except RecursionError:
        raise StudioError(f"{source}: the JSON is nested too deep to be a label file; {_EXPECTED}") from None
    except _NoNumber as error:
        raise json_mistakes.no_number(text, str(error), source) from None
    except ValueError as error:
        raise StudioError(f"{source}: not JSON ({error}); {_EXPECTED}") from None


class _NoNumber(ValueError):
    """NaN or Infinity, where JSON knows numbers only."""


def _refuse(constant: str) -> Any:
    raise _NoNumber(constant)
