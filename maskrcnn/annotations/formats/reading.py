"""Reading label files: what a path holds is found out from its content, not from its name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations.formats import coco, via
from maskrcnn.annotations.regions import Dataset
from maskrcnn.annotations.store.schema import DATABASE
from maskrcnn.errors import ArgumentError, StudioError

_EXPECTED = "expected a VIA 1.x, VIA 2.x or COCO file"


def read(path: Path | str, images: Path | str | None = None) -> Dataset:
    """The dataset of a VIA or COCO JSON file, of a folder that holds exactly one, or of a project folder (all splits).

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
