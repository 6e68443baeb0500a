"""The settings of a YOLO dataset: class names, the pictures of each split, keypoints.

Three kinds of files have them: Ultralytics' `data.yaml` (also written by Roboflow and CVAT), Darknet's `obj.data` with
`obj.names` (CVAT's "YOLO 1.1"), and a plain list of class names, `classes.txt`, which Label Studio and LabelImg write
beside `images/` and `labels/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names
from maskrcnn.annotations.folder_walk import files_in
from maskrcnn.annotations.formats import text_encodings
from maskrcnn.annotations.formats.json_values import Complaint, brief
from maskrcnn.annotations.formats.yolo.text_file_kinds import (
    LARGEST_SETTINGS,
    MOST_EXAMINED,
    holds_yolo_label_files,
    is_class_list,
    is_class_list_name,
    numbered_yolo_class_names,
    small_text,
    yolo_class_list_rank,
    yolo_text_folders,
)
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

SPLITS = ("train", "val", "test")
_OTHER_WORDS = {"train": ("training",), "val": ("valid", "validation"), "test": ("testing",)}
"""Other names of a split in Darknet and CVAT, in any case (`Validation`)."""

MEND = "mend that file"
_USUAL_SETTINGS_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
"""Names of settings files that are read first if a folder has several. Others, such as `coco8.yaml`, are usually left
over from another dataset."""


@dataclass(frozen=True)
class YoloSettings:
    """The settings of the dataset in `folder`, read from `file`.

    `splits` are the entries of each split as written; empty if the file only names classes. `base` is the written
    `path`. `keypoints` is (number of keypoints, 2 or 3 numbers for each).
    """

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
        """Return the Complaint for errors in the settings file."""
        return Complaint(str(self.file), "the file", MEND)


def has_yolo_settings(path: Path) -> bool:
    """Whether a folder holds the settings of a YOLO dataset, or a file is one."""
    return _settings_content(path) is not None


def read_yolo_settings(path: Path) -> YoloSettings:
    """Return the settings of a YOLO dataset, from its folder or its settings file. Raises `StudioError` if they are
    invalid."""
    found = _settings_content(path)
    if found is None:
        raise StudioError(f"{path}: there is no data.yaml with class names; write one")
    file, folder, content = found
    complain = Complaint(str(file), "the file", MEND)
    if isinstance(content, StudioError):
        raise content
    names = _class_names(content["names"], complain)
    warnings = []
    count = content.get("nc", content.get("classes"))
    if isinstance(count, str) and re.fullmatch(r"[0-9]{1,9}", count) and int(count) != len(names):
        warnings.append(
            f"{file}: says that there are {counted(int(count), 'class', 'classes')} (nc) and names {len(names)}; "
            "the names were taken"
        )
    splits = {split: entries for split in SPLITS if (entries := _split_entries(content, split, complain))}
    keypoints = _kpt_shape(content.get("kpt_shape"), complain)
    base = content.get("path")
    return YoloSettings(
        file,
        folder,
        names,
        splits,
        base if isinstance(base, str) else "",
        keypoints,
        _keypoint_names(content.get("kpt_names"), keypoints, names),
        tuple(warnings),
    )


# Finding

_SettingsContent = tuple[Path, Path, dict[str, Any] | StudioError]
"""The settings file, the folder of the dataset, and the content of the file, or the error why it cannot be read."""


def _settings_content(path: Path) -> _SettingsContent | None:
    """Return the settings of a folder or file: of the first settings file, or else of a list of class names; None if
    there is none."""
    if not path.is_dir():
        return _content_of_file(path)
    for suffixes in ((".yaml", ".yml"), (".data",)):
        for file in sorted(files_in(path, suffixes).values(), key=_is_unusual_settings_name)[:MOST_EXAMINED]:
            if found := _content_of_file(file):
                return found
    for folder in (path, *yolo_text_folders(path, ("labels", "images"))):
        texts = [
            file for file in files_in(folder, (".txt", ".names", ".labels")).values() if is_class_list_name(file.name)
        ]
        for file in sorted(texts, key=yolo_class_list_rank):
            if is_class_list(file) and holds_yolo_label_files(path):
                return _content_of_class_list(file, path)
    return None


def _is_unusual_settings_name(file: Path) -> bool:
    """The sorting key of settings files: the usual names come first (False before True)."""
    return file.name.lower() not in _USUAL_SETTINGS_NAMES


def _content_of_file(file: Path) -> _SettingsContent | None:
    """Return (file, folder, settings) of one file; None if it is not a settings file.

    For a settings file that is invalid YAML, the error stands in the place of the settings.
    """
    suffix = file.suffix.lower()
    if suffix in (".yaml", ".yml"):
        text = small_text(file) or ""
        try:
            content = _with_lower_case_keys(_parsed_yaml(text))
        except yaml.MarkedYAMLError as error:
            if all(re.search(key, text, re.MULTILINE) for key in (r"^names\s*:", r"^(train|val|path|nc)\s*:")):
                return file, file.parent, _not_yaml_error(file, error)
            return None
        if "names" in content and _SETTINGS & set(content):
            return _content_if_utf8(file, file.parent, content)
    elif suffix == ".data":
        lines = [line.partition("=") for line in (small_text(file) or "").splitlines()]
        content = _with_lower_case_keys({key.strip(): value.strip() for key, equals, value in lines if equals})
        if "names" in content and {"train", "valid", "classes"} & set(content):
            named = class_name_file(file.parent, content["names"])
            if named is not None:
                return _content_if_utf8(
                    named, file.parent, {**content, "names": numbered_yolo_class_names(named)}, settings=file
                )
    elif is_class_list_name(file.name) and is_class_list(file):
        folder = file.parent.parent if file.parent.name.lower() in ("labels", "images") else file.parent
        if holds_yolo_label_files(folder):
            return _content_of_class_list(file, folder)
    return None


_SETTINGS = {*SPLITS, *(word for words in _OTHER_WORDS.values() for word in words), "path", "nc", "kpt_shape"}
"""Keys of which at least one must be present: `names` alone may be in any file."""


def _with_lower_case_keys(content: Any) -> dict[str, Any]:
    """Return the settings with lower-case keys added; empty if the content is not a mapping."""
    if not isinstance(content, dict):
        return {}
    lowered = {key.lower(): value for key, value in content.items() if isinstance(key, str)}
    return {**lowered, **content}


def _not_yaml_error(file: Path, error: yaml.MarkedYAMLError) -> StudioError:
    """Return the error for an invalid YAML file, with the place and how to fix it."""
    mark, problem = error.problem_mark, error.problem or "it is cut off"
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    mend = MEND
    if "'\\t'" in problem:
        mend = "indent its lines with blanks, not tabs"
    elif "escape" in problem:
        mend = "write paths with / or without quotes"
    return StudioError(f"{file}: is no YAML: {where}{problem}; {mend}")


def _content_of_class_list(file: Path, folder: Path) -> _SettingsContent:
    """Return the settings of a dataset that has only a list of class names."""
    return _content_if_utf8(file, folder, {"names": numbered_yolo_class_names(file)})


def _content_if_utf8(
    names_file: Path, folder: Path, content: dict[str, Any], settings: Path | None = None
) -> _SettingsContent:
    """Return the settings file, the folder and `content`; the error in place of `content` if the file with the class
    names, `names_file`, is not UTF-8. Letters such as ä would otherwise be read as others."""
    file = settings or names_file
    try:
        text_encodings.decoded_text(untrusted_files.read_bytes(names_file, most=LARGEST_SETTINGS), names_file)
    except StudioError as error:
        return file, folder, error
    return file, folder, content


def _parsed_yaml(text: str) -> Any:
    """Return the content of a YAML text; None if it is invalid. Scalars stay strings, so that a class "no" does not
    become false.

    Raises `yaml.MarkedYAMLError` if the place of the mistake is known.
    """
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError:
        raise
    except (ValueError, RecursionError, yaml.YAMLError):
        return None


# Content


def _class_names(given: Any, complain: Complaint) -> dict[int, str]:
    """Return the class names by number. Raises `StudioError` if they are invalid."""
    numbered = dict(enumerate(given)) if isinstance(given, list) else given
    if not isinstance(numbered, dict):
        raise complain(f'has {brief(given)} as "names", neither a list nor a numbered one')
    names = {}
    for number, name in numbered.items():
        if not re.fullmatch(r"[0-9]{1,9}", str(number)) or not isinstance(name, str) or not name.strip():
            raise complain(f'has {brief(name)} as name of class {brief(number)} in "names"')
        names[int(number)] = name
    return names


def _split_entries(content: dict[str, Any], split: str, complain: Complaint) -> tuple[str, ...]:
    """Return the entries of a split as written. Raises `StudioError` if one is not a string."""
    given: Any = next((content[word] for word in (split, *_OTHER_WORDS.get(split, ())) if content.get(word)), [])
    entries = given if isinstance(given, list) else [given]
    for entry in entries:
        if not isinstance(entry, str):
            raise complain(f'has {brief(entry)} as "{split}", not a folder or a list of pictures')
    return tuple(entries)


def _kpt_shape(given: Any, complain: Complaint) -> tuple[int, int] | None:
    """Return (number of keypoints, 2 or 3 numbers for each) of `kpt_shape`; None if it is missing."""
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
    """Return the keypoint names of each class, if their number agrees with `kpt_shape`."""
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


def class_name_file(folder: Path, written: str) -> Path | None:
    """Return the file of class names that Darknet's settings (`obj.data`) refer to. Leading folders of the path may be
    missing (`data/obj.names`)."""
    parts = [part for part in file_names.parts(written) if part != ".."]
    for start in range(len(parts)):
        inside = folder.joinpath(*parts[start:-1])
        if untrusted_files.is_confined(inside, [folder]):
            there = files_in(inside, (file_names.suffix(parts[-1]),))
            if parts[-1] in there:
                return there[parts[-1]]
    return None
