"""What a YOLO data set says of itself: class names, the pictures of each split, keypoints.

Three kinds of files say it: Ultralytics' `data.yaml` (Roboflow and CVAT write it too), Darknet's `obj.data` with
`obj.names`, as CVAT's "YOLO 1.1" has them, and a bare list of class names, `classes.txt`, as Label Studio and LabelImg
write it beside `images/` and `labels/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from maskrcnn import foreign
from maskrcnn.annotations import file_names
from maskrcnn.annotations.folder_walk import files_in
from maskrcnn.annotations.formats.json_values import Complaint, brief
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

SPLITS = ("train", "val", "test")
_OTHER_WORDS = {"val": ("valid", "validation")}
"""What Darknet calls a split."""

CLASS_LISTS = ("classes.txt", "obj.names", "classes.names", "_darknet.labels")
"""Files of class names, one a line, the first is 0."""
NO_LABELS = (*CLASS_LISTS, "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt", "labels.txt", "notes.txt")
"""Text files beside labels that are none, unless a picture is called the same."""

MEND = "mend that file"
_LARGEST = 250_000
_MOST_FILES = 20
"""Settings are looked for in that many files of a folder; as many text files are looked at for rows."""
_FIRST_ROW = 4096


@dataclass(frozen=True)
class Settings:
    """`file` says it of the set in `folder`. `splits` are the entries as they were written; empty where the file only
    names classes. `base` is what it has as `path`. `keypoints` is (how many, 2 or 3 numbers each)."""

    file: Path
    folder: Path
    names: Mapping[int, str]
    splits: Mapping[str, tuple[str, ...]]
    base: str = ""
    keypoints: tuple[int, int] | None = None
    keypoint_names: Mapping[int, tuple[str, ...]] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def complain(self) -> Complaint:
        return Complaint(str(self.file), "the file", MEND)


def is_there(path: Path) -> bool:
    """Whether a folder holds the settings of a YOLO data set, or a file is that."""
    return _content(path) is not None


def read(path: Path) -> Settings:
    """The settings of a YOLO data set, or of the folder of one. Raises `StudioError` naming what is wrong in them."""
    found = _content(path)
    if found is None:
        raise StudioError(f"{path}: there is no data.yaml with class names; write one")
    file, folder, content = found
    complain = Complaint(str(file), "the file", MEND)
    names = _names(content["names"], complain)
    warnings = []
    count = content.get("nc", content.get("classes"))
    if isinstance(count, str) and re.fullmatch(r"[0-9]{1,9}", count) and int(count) != len(names):
        warnings.append(
            f"{file}: says that there are {counted(int(count), 'class', 'classes')} (nc) and names {len(names)}; "
            "the names were taken"
        )
    splits = {split: entries for split in SPLITS if (entries := _entries(content, split, complain))}
    keypoints = _kpt_shape(content.get("kpt_shape"), complain)
    base = content.get("path")
    return Settings(
        file,
        folder,
        names,
        splits,
        base if isinstance(base, str) else "",
        keypoints,
        _keypoint_names(content.get("kpt_names"), keypoints, names),
        tuple(warnings),
    )


def is_row(file: Path) -> bool:
    """Whether a text file begins with what YOLO writes: a class number and at least four fractions."""
    try:
        with foreign.opened(file) as opened:
            lines = opened.read(_FIRST_ROW).decode("ascii").splitlines()
    except (OSError, ValueError, StudioError):
        return False
    values = next((line.split() for line in lines if line.strip()), [])
    return len(values) >= 5 and bool(re.fullmatch(r"[0-9]{1,9}", values[0])) and all(map(_is_number, values[1:-1]))


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


# Finding

_Content = tuple[Path, Path, dict[str, Any]]
"""The file that names the classes, the folder of the set, and what stands in the file."""


def _content(path: Path) -> _Content | None:
    if not path.is_dir():
        return _of_file(path)
    for suffixes in ((".yaml", ".yml"), (".data",)):
        for file in list(files_in(path, suffixes).values())[:_MOST_FILES]:
            if found := _of_file(file):
                return found
    for folder in (path, path / "labels"):
        if folder == path or foreign.is_confined(folder, [path]):
            there = {name.lower(): file for name, file in files_in(folder, (".txt", ".names", ".labels")).items()}
            for name in CLASS_LISTS:
                if name in there and _has_rows(path):
                    return _of_class_list(there[name], path)
    return None


def _of_file(file: Path) -> _Content | None:
    suffix = file.suffix.lower()
    if suffix in (".yaml", ".yml"):
        content = _parsed(file)
        known = set(SPLITS) | {"path", "nc", "kpt_shape"}
        if isinstance(content, dict) and "names" in content and known & set(content):
            return file, file.parent, content
    elif suffix == ".data":
        lines = [line.partition("=") for line in (_text(file) or "").splitlines()]
        content = {key.strip(): value.strip() for key, equals, value in lines if equals}
        if "names" in content and {"train", "valid", "classes"} & set(content):
            last = (file_names.parts(content["names"]) or [""])[-1]
            there = files_in(file.parent, (file_names.suffix(last),))
            if last in there:
                return file, file.parent, {**content, "names": _lines(there[last])}
    elif file.name.lower() in CLASS_LISTS:
        folder = file.parent.parent if file.parent.name.lower() == "labels" else file.parent
        if _has_rows(folder):
            return _of_class_list(file, folder)
    return None


def _of_class_list(file: Path, folder: Path) -> _Content:
    return file, folder, {"names": _lines(file)}


def _has_rows(folder: Path) -> bool:
    """Whether there are label files in a folder or its `labels/`, or one below that."""
    places = [folder]
    labels = folder / "labels"
    if labels.is_dir() and foreign.is_confined(labels, [folder]):
        places += [labels, *(p for p in sorted(labels.iterdir()) if p.is_dir() and not p.is_symlink())][:_MOST_FILES]
    for place in places:
        texts = [file for name, file in files_in(place, (".txt",)).items() if name.lower() not in NO_LABELS]
        if any(map(is_row, texts[:_MOST_FILES])):
            return True
    return False


def _text(file: Path) -> str | None:
    try:
        return foreign.read_bytes(file, most=_LARGEST).decode("utf-8-sig")
    except (OSError, ValueError, StudioError):
        return None


def _lines(file: Path) -> dict[str, str]:
    """Class names by the number of their line, from 0."""
    lines = [line.strip() for line in (_text(file) or "").splitlines()]
    return {str(number): line for number, line in enumerate(lines) if line}


def _parsed(file: Path) -> Any:
    """The content of a YAML file with every scalar as its text (so that a class "no" stays one); None if it is none."""
    try:
        return yaml.load(_text(file) or "", Loader=yaml.BaseLoader)
    except (ValueError, RecursionError, yaml.YAMLError):
        return None


# What stands in it


def _names(given: Any, complain: Complaint) -> dict[int, str]:
    """Class names by number."""
    numbered = dict(enumerate(given)) if isinstance(given, list) else given
    if not isinstance(numbered, dict):
        raise complain(f'has {brief(given)} as "names", neither a list nor a numbered one')
    names = {}
    for number, name in numbered.items():
        if not re.fullmatch(r"[0-9]{1,9}", str(number)) or not isinstance(name, str) or not name.strip():
            raise complain(f'has {brief(name)} as name of class {brief(number)} in "names"')
        names[int(number)] = name
    return names


def _entries(content: dict[str, Any], split: str, complain: Complaint) -> tuple[str, ...]:
    given: Any = next((content[word] for word in (split, *_OTHER_WORDS.get(split, ())) if content.get(word)), [])
    entries = given if isinstance(given, list) else [given]
    for entry in entries:
        if not isinstance(entry, str):
            raise complain(f'has {brief(entry)} as "{split}", not a folder or a list of pictures')
    return tuple(entries)


def _kpt_shape(given: Any, complain: Complaint) -> tuple[int, int] | None:
    if given is None:
        return None
    values: list[Any] = given if isinstance(given, list) else str(given).strip("()").split(",")
    numbers = [int(value) for value in values if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,4}\s*", value)]
    if len(values) != 2 or len(numbers) != 2 or numbers[0] < 1 or numbers[1] not in (2, 3):
        raise complain(
            f'has {brief(given)} as "kpt_shape", not how many keypoints and 2 or 3 numbers for each: [17, 3]'
        )
    return numbers[0], numbers[1]


def _keypoint_names(
    given: Any, keypoints: tuple[int, int] | None, names: Mapping[int, str]
) -> Mapping[int, tuple[str, ...]] | None:
    """The names of the keypoints by class, where there are as many as `kpt_shape` says."""
    if keypoints is None or not given:
        return None
    by_class = given if isinstance(given, dict) else dict.fromkeys(map(str, names), given)
    return {
        int(number): tuple(listed)
        for number, listed in by_class.items()
        if re.fullmatch(r"[0-9]{1,9}", str(number))
        and isinstance(listed, list)
        and len(listed) == len({str(name) for name in listed}) == keypoints[0]
        and all(isinstance(name, str) and name.strip() for name in listed)
    }
