"""The settings of a YOLO data set: class names, the pictures of each split, keypoints.

Three kinds of files say it: Ultralytics' `data.yaml` (Roboflow and CVAT write it too), Darknet's `obj.data` with
`obj.names`, as CVAT's "YOLO 1.1" has them, and a bare list of class names, `classes.txt`, as Label Studio and LabelImg
write it beside `images/` and `labels/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.folder_walk import files_in
from maskrcnn.annotations.formats import text_encodings
from maskrcnn.annotations.formats.json_values import Complaint, brief
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

SPLITS = ("train", "val", "test")
_OTHER_WORDS = {"train": ("training",), "val": ("valid", "validation"), "test": ("testing",)}
"""What Darknet, and the subsets of CVAT, call a split; in any case (`Validation`)."""

CLASS_LISTS = (
    *("classes.txt", "obj.names", "classes.names", "_darknet.labels"),
    *("predefined_classes.txt", "class_names.txt", "labels.txt"),
)
"""Files of class names, one a line, the first is 0; and so is any other `.names`. The first that is there is taken."""
NO_LABELS = (*CLASS_LISTS, "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt", "notes.txt")
"""Text files beside labels that are none, unless a picture is called the same."""

MEND = "mend that file"
_LARGEST = 250_000
_MOST_FILES = 20
"""Settings are looked for in that many files of a folder; as many text files are looked at for rows."""
_FIRST_ROW = 4096
_FIRST_SETTINGS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
"""Of several settings in one folder, these are the set's; others came with it, such as `coco8.yaml`."""


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
    if _TROUBLE in content:
        raise content[_TROUBLE]
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
        with untrusted_files.opened(file) as opened:
            lines = opened.read(_FIRST_ROW).decode("ascii").splitlines()
    except (OSError, ValueError, StudioError):
        return False
    values = next((line.split() for line in lines if line.strip()), [])
    is_class = len(values) >= 5 and re.fullmatch(r"[0-9]{1,9}(\.0*)?", values[0])
    return bool(is_class) and all(map(_is_number, values[1:-1]))


def is_class_list(name: str) -> bool:
    """Whether a file is called as lists of class names are."""
    last = file_names.parts(name)[-1].lower()
    return last in CLASS_LISTS or last.endswith(".names")


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


# Finding

_Content = tuple[Path, Path, dict[str, Any]]
"""The file that names the classes, the folder of the set, and what stands in the file."""
_TROUBLE = "\0"
"""In place of what stands in a file: the error that says why it cannot be read."""


def _content(path: Path) -> _Content | None:
    if not path.is_dir():
        return _of_file(path)
    for suffixes in ((".yaml", ".yml"), (".data",)):
        for file in sorted(files_in(path, suffixes).values(), key=_is_not_first)[:_MOST_FILES]:
            if found := _of_file(file):
                return found
    for folder in (path, *_folders_in(path, ("labels", "images"))):
        texts = [file for file in files_in(folder, (".txt", ".names", ".labels")).values() if is_class_list(file.name)]
        for file in sorted(texts, key=_rank):
            if _names_classes(file) and _has_rows(path):
                return _of_class_list(file, path)
    return None


def _is_not_first(file: Path) -> bool:
    return file.name.lower() not in _FIRST_SETTINGS


def _rank(file: Path) -> int:
    name = file.name.lower()
    return CLASS_LISTS.index(name) if name in CLASS_LISTS else len(CLASS_LISTS)


def _names_classes(file: Path) -> bool:
    """Whether a text file called as a list of classes is one: neither rows, nor a list of pictures."""
    lines = [line.strip().lower() for line in (_text(file) or "").splitlines()]
    return any(lines) and not is_row(file) and not any(file_names.suffix(line) in pictures.SUFFIXES for line in lines)


def _folders_in(folder: Path, called: tuple[str, ...]) -> list[Path]:
    """The folders in one that are called so, in any case; no link."""
    try:
        there = [p for p in sorted(folder.iterdir()) if p.name.lower() in called and p.is_dir() and not p.is_symlink()]
    except OSError:
        return []
    return sorted(there, key=lambda place: called.index(place.name.lower()))


def _of_file(file: Path) -> _Content | None:
    suffix = file.suffix.lower()
    if suffix in (".yaml", ".yml"):
        text = _text(file) or ""
        try:
            content = _lowered(_parsed(text))
        except yaml.MarkedYAMLError as error:
            if all(re.search(key, text, re.MULTILINE) for key in (r"^names\s*:", r"^(train|val|path|nc)\s*:")):
                return file, file.parent, {_TROUBLE: _not_yaml(file, error)}
            return None
        if "names" in content and _SETTINGS & set(content):
            return _checked(file, file.parent, content)
    elif suffix == ".data":
        lines = [line.partition("=") for line in (_text(file) or "").splitlines()]
        content = _lowered({key.strip(): value.strip() for key, equals, value in lines if equals})
        if "names" in content and {"train", "valid", "classes"} & set(content):
            named = _named(file.parent, content["names"])
            if named is not None:
                return _checked(named, file.parent, {**content, "names": _lines(named)}, settings=file)
    elif is_class_list(file.name) and _names_classes(file):
        folder = file.parent.parent if file.parent.name.lower() in ("labels", "images") else file.parent
        if _has_rows(folder):
            return _of_class_list(file, folder)
    return None


_SETTINGS = {*SPLITS, *(word for words in _OTHER_WORDS.values() for word in words), "path", "nc", "kpt_shape"}
"""One of these stands beside `names`, which alone any file may have."""


def _lowered(content: Any) -> dict[str, Any]:
    """The settings by their keys in small letters; none for what holds no keys."""
    if not isinstance(content, dict):
        return {}
    lowered = {key.lower(): value for key, value in content.items() if isinstance(key, str)}
    return {**lowered, **content}


def _named(folder: Path, written: str) -> Path | None:
    """The file of class names that Darknet's settings name, with more or fewer of its folders (`data/obj.names`)."""
    parts = [part for part in file_names.parts(written) if part != ".."]
    for start in range(len(parts)):
        inside = folder.joinpath(*parts[start:-1])
        if untrusted_files.is_confined(inside, [folder]):
            there = files_in(inside, (file_names.suffix(parts[-1]),))
            if parts[-1] in there:
                return there[parts[-1]]
    return None


def _not_yaml(file: Path, error: yaml.MarkedYAMLError) -> StudioError:
    mark, problem = error.problem_mark, error.problem or "it is cut off"
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    mend = MEND
    if "'\\t'" in problem:
        mend = "indent its lines with blanks, not tabs"
    elif "escape" in problem:
        mend = "write paths with / or without quotes"
    return StudioError(f"{file}: is no YAML: {where}{problem}; {mend}")


def _of_class_list(file: Path, folder: Path) -> _Content:
    return _checked(file, folder, {"names": _lines(file)})


def _checked(text: Path, folder: Path, content: dict[str, Any], settings: Path | None = None) -> _Content:
    """The content, or why the text that it is from is no UTF-8 (umlauts would be other letters)."""
    try:
        text_encodings.decoded(untrusted_files.read_bytes(text, most=_LARGEST), text)
    except StudioError as error:
        return settings or text, folder, {_TROUBLE: error}
    return settings or text, folder, content


def _has_rows(folder: Path) -> bool:
    """Whether there are label files in a folder or its `labels/`, or one below that."""
    places = [folder]
    for labels in _folders_in(folder, ("labels", "images")):
        places += [labels, *(p for p in sorted(labels.iterdir()) if p.is_dir() and not p.is_symlink())][:_MOST_FILES]
    for place in places:
        texts = [file for name, file in files_in(place, (".txt",)).items() if name.lower() not in NO_LABELS]
        # Of a film, the first hundred pictures may be without objects.
        if any(map(is_row, list(islice(filter(_holds_something, texts), _MOST_FILES)))):
            return True
    return False


def _holds_something(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def _text(file: Path) -> str | None:
    """The text of a small file, by guess where it is no UTF-8; None for what is no text."""
    try:
        content = untrusted_files.read_bytes(file, most=_LARGEST)
    except (OSError, ValueError, StudioError):
        return None
    try:
        return text_encodings.decoded(content, file)
    except StudioError:
        return None if b"\0" in content else content.decode("latin-1")


def _lines(file: Path) -> dict[str, str]:
    """Class names by the number of their line, from 0."""
    lines = [line.strip() for line in (_text(file) or "").splitlines()]
    return {str(number): line for number, line in enumerate(lines) if line}


def _parsed(text: str) -> Any:
    """The content of a YAML text with every scalar as its text (so that a class "no" stays one); None if it is none.

    Raises `yaml.MarkedYAMLError` where a place in the text is the trouble.
    """
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError:
        raise
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
