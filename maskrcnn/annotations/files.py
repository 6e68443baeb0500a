"""Reading and writing label files: what a path holds is found out from its content, not from its name."""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations import coco, pictures, raster, via, via_classes
from maskrcnn.annotations.regions import Dataset, ImageRecord, classes_in
from maskrcnn.annotations.store_schema import DATABASE
from maskrcnn.errors import ArgumentError, StudioError

FORMATS: tuple[str, ...] = ("via1", "via2", "via-project", "coco")

_EXPECTED = "expected a VIA 1.x, VIA 2.x or COCO file"


def read(path: Path | str, images: Path | str | None = None) -> Dataset:
    """The dataset of a VIA or COCO JSON file, of a folder that holds exactly one, or of a project folder (all splits).

    Pictures are looked for in `images` if given, else beside the file and in `images/` beside it; for COCO's own
    layout, `annotations/instances_val2017.json`, also in `val2017/` beside `annotations/`. A picture that is not found
    has `path` None, which is no error here (`require_trainable` makes it one). A name that leads out of the folder
    (`../a.jpg`, `/a.jpg`, `C:\\a.jpg`, a URL) is looked up by its last part only.

    Raises `ArgumentError` for a path that does not exist, `StudioError` for content that is not what it should be.
    """
    path = Path(path)
    if images is not None and not Path(images).is_dir():
        raise ArgumentError(f"{images}: there is no such folder; give --images the folder that holds the pictures")
    if not path.exists():
        raise ArgumentError(f"{path}: there is no such file or folder; check the path")
    if path.is_dir():
        if (path / DATABASE).is_file():
            from maskrcnn.annotations.store import Project  # the store reads datasets itself

            return Project.open(path).dataset()
        path = _only_label_file(path)
    dataset = parse(_json(path), path)
    return with_pictures(dataset, [Path(images)] if images is not None else _folders_beside(path))


def parse(document: Any, source: Path | str) -> Dataset:
    """The dataset of a parsed JSON document, VIA or COCO; no pictures are looked for. `source` is for messages."""
    if via.is_via(document):
        return via.parse(document, source)
    if coco.is_coco(document):
        return coco.parse(document, source)
    raise StudioError(f"{source}: this JSON is neither a VIA nor a COCO file; {_EXPECTED}")


def parse_text(content: bytes | str, source: Path | str) -> Dataset:
    """The dataset of a file's content (an upload, say); no pictures are looked for. Raises `StudioError`."""
    return parse(_parsed(content, source), source)


def with_pictures(dataset: Dataset, folders: list[Path]) -> Dataset:
    """The dataset with `path` set for each picture that is in one of the folders."""
    found = tuple(replace(record, path=find_picture(record.file_name, folders)) for record in dataset.images)
    return replace(dataset, images=found)


def find_picture(file_name: str, folders: list[Path]) -> Path | None:
    """Where the picture of that name lies in the folders, never outside them; None where it is not."""
    parts = [part for part in re.split(r"[\\/]+", file_name) if part not in ("", ".")]
    leads_out = file_name.startswith(("/", "\\")) or ".." in parts or any(":" in part for part in parts)
    names = [parts[-1:]] if leads_out else [parts, parts[-1:]]
    for folder in folders:
        for name in names:
            candidate = folder.joinpath(*name)
            try:
                if name and name[-1] != ".." and candidate.is_file():
                    return candidate
            except (OSError, ValueError):  # a name that no file system would take
                continue
    return None


def write(dataset: Dataset, path: Path | str, format: str) -> list[str]:
    """Write a label file of that format (see `FORMATS`); returns a warning line for what the format cannot hold.

    The file is written whole or not at all. Raises `ArgumentError` for an unknown format or a place that cannot be
    written, `StudioError` for a dataset that the format cannot hold.
    """
    path = Path(path)
    document, warnings = encode(dataset, format)
    try:
        content = json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError):
        raise StudioError(f"{dataset.source or path}: an attribute holds what JSON cannot; remove it") from None
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise ArgumentError(f"{path}: this is a folder; name the file to write")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise ArgumentError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    return warnings


def encode(dataset: Dataset, format: str) -> tuple[dict[str, Any], list[str]]:
    """The JSON document that `write` writes, and its warnings."""
    if format not in FORMATS:
        raise ArgumentError(f'format "{format}" is unknown; choose {", ".join(FORMATS)}')
    if format == "coco":
        return coco.encode(dataset)
    warnings = []
    if joined := via.joined_regions(dataset):
        warnings.append(
            f"{dataset.source or 'the dataset'}: {joined} region{'s' if joined > 1 else ''} in several parts or drawn "
            "as masks became one outline each, as VIA has no other"
        )
    return via.document(dataset, format), warnings


def require_trainable(dataset: Dataset) -> Dataset:
    """The dataset with all sizes filled in, after making sure that it can be trained on.

    Each picture must be there and decode to its end, and be as large as the label file says (if it does); each region
    with area must have a class; at least one region must have a pixel inside its picture. Raises `StudioError` naming
    file, picture and mend. Reads every picture once (JPEGs at an eighth of their size).
    """
    source = dataset.source or "the dataset"
    for record in dataset.images:
        if record.path is None:
            raise StudioError(f'{source}: image "{record.file_name}" not found beside it; pass --images DIR')
        _require_classes(dataset, record)
    checked = []
    something = False
    for record in dataset.images:
        assert record.path is not None
        width, height = pictures.check(record.path)
        if record.width is not None and (record.width, record.height) != (width, height):
            raise StudioError(
                f'{source}: "{record.file_name}" is {record.width} x {record.height} px there, but {record.path} is '
                f"{width} x {height} px; use the picture that was labelled"
            )
        checked.append(replace(record, width=width, height=height))
        drawn = (region.shape for region in record.regions if raster.has_area(region.shape))
        something = something or any(raster.area(shape, height, width) for shape in drawn)
    if not something:
        raise StudioError(f"{source}: there is no region with an area to learn from; draw at least one")
    classes = (*dataset.classes, *(name for name in classes_in(checked) if name not in dataset.classes))
    return replace(dataset, images=tuple(checked), classes=classes)


def _require_classes(dataset: Dataset, record: ImageRecord) -> None:
    source = dataset.source or "the dataset"
    for number, region in enumerate(record.regions, start=1):
        if region.class_name is not None or not raster.has_area(region.shape):
            continue
        raise via_classes.no_class(f'{source}: region {number} of "{record.file_name}"', dataset, region)


def _folders_beside(path: Path) -> list[Path]:
    """Where the pictures of a label file usually lie."""
    folders = [path.parent, path.parent / "images"]
    if path.parent.name == "annotations" and "_" in path.stem:
        split = path.stem.rsplit("_", 1)[1]
        folders += [path.parent.parent / split, path.parent.parent / "images" / split]
    return folders


def _only_label_file(folder: Path) -> Path:
    candidates = sorted(entry for entry in folder.glob("*.json") if entry.is_file())
    documents = []
    for candidate in candidates:
        try:
            document = _json(candidate)
        except StudioError:
            if len(candidates) == 1:
                raise
            continue
        if via.is_via(document) or coco.is_coco(document):
            documents.append(candidate)
    if not documents:
        raise StudioError(f"{folder}: no label file is in this folder; {_EXPECTED}, or a project folder")
    if len(documents) > 1:
        names = ", ".join(document.name for document in documents)
        raise StudioError(f"{folder}: several label files are in this folder ({names}); name the one you mean")
    return documents[0]


def _json(path: Path) -> Any:
    try:
        return _parsed(path.read_bytes(), path)
    except OSError as error:
        raise StudioError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from None


def _parsed(content: bytes | str, source: Path | str) -> Any:
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise StudioError(f"{source}: not JSON (line {error.lineno}: {error.msg}); {_EXPECTED}") from None
    except RecursionError:
        raise StudioError(f"{source}: the JSON is nested too deep to be a label file; {_EXPECTED}") from None
    except UnicodeDecodeError:
        raise StudioError(f"{source}: not JSON (it is not even text); {_EXPECTED}") from None
    except ValueError as error:
        raise StudioError(f"{source}: not JSON ({error}); {_EXPECTED}") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")
