"""Tell the text files of a YOLO dataset apart: label files with rows, lists of class names, and other texts."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.folder_walk import files_in
from maskrcnn.annotations.formats import text_encodings
from maskrcnn.errors import StudioError

CLASS_LISTS = (
    *("classes.txt", "obj.names", "classes.names", "_darknet.labels"),
    *("predefined_classes.txt", "class_names.txt", "labels.txt"),
)
"""Files with one class name per line, the first is class 0. Any other `.names` file is one too. The first existing
file is used."""
NO_LABELS = (*CLASS_LISTS, "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt", "notes.txt")
"""Text files that are not label files, unless a picture has the same name."""
LARGEST_SETTINGS = 250_000
MOST_EXAMINED = 20
"""Maximum number of files in a folder that are searched for settings, and of text files that are checked for rows."""
_FIRST_ROW = 4096


def has_yolo_rows(file: Path) -> bool:
    """Whether a text file begins with a YOLO row: a class number and at least four fractions."""
    try:
        with untrusted_files.opened(file) as opened:
            lines = opened.read(_FIRST_ROW).decode("ascii").splitlines()
    except (OSError, ValueError, StudioError):
        return False
    values = next((line.split() for line in lines if line.strip()), [])
    is_class = len(values) >= 5 and re.fullmatch(r"[0-9]{1,9}(\.0*)?", values[0])
    return bool(is_class) and all(map(_is_row_number, values[1:-1]))


def is_class_list_name(name: str) -> bool:
    """Whether a file has the name of a list of YOLO's class names."""
    last = file_names.parts(name)[-1].lower()
    return last in CLASS_LISTS or last.endswith(".names")


def _is_row_number(value: str) -> bool:
    """Whether a value of a text file is a number, as in a YOLO row."""
    try:
        float(value)
    except ValueError:
        return False
    return True


def yolo_class_list_rank(file: Path) -> int:
    """Return the sorting key of a list of YOLO's class names: its place in `CLASS_LISTS`."""
    name = file.name.lower()
    return CLASS_LISTS.index(name) if name in CLASS_LISTS else len(CLASS_LISTS)


def is_class_list(file: Path) -> bool:
    """Whether a text file that is named like a list of class names holds such a list: it is not empty, and has no YOLO
    rows and no picture names."""
    lines = [line.strip().lower() for line in (small_text(file) or "").splitlines()]
    return (
        any(lines)
        and not has_yolo_rows(file)
        and not any(file_names.suffix(line) in pictures.SUFFIXES for line in lines)
    )


def yolo_text_folders(folder: Path, called: tuple[str, ...]) -> list[Path]:
    """Return the sub folders that may hold text files of YOLO: those with the names `called` (`labels`, `images`), in
    any case. Links are skipped."""
    try:
        there = [p for p in sorted(folder.iterdir()) if p.name.lower() in called and p.is_dir() and not p.is_symlink()]
    except OSError:
        return []
    return sorted(there, key=lambda place: called.index(place.name.lower()))


def holds_yolo_label_files(folder: Path) -> bool:
    """Whether a folder, its `labels/` or `images/`, or a folder in these has YOLO label files."""
    places = [folder]
    for labels in yolo_text_folders(folder, ("labels", "images")):
        places += [labels, *(p for p in sorted(labels.iterdir()) if p.is_dir() and not p.is_symlink())][:MOST_EXAMINED]
    for place in places:
        texts = [file for name, file in files_in(place, (".txt",)).items() if name.lower() not in NO_LABELS]
        # In a video, the first hundred frames may have no objects.
        if any(map(has_yolo_rows, list(islice(filter(_is_not_empty, texts), MOST_EXAMINED)))):
            return True
    return False


def _is_not_empty(file: Path) -> bool:
    """Whether a text file has any content. An empty file does not show whether it is a label file of YOLO."""
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def small_text(file: Path) -> str | None:
    """Return the text of a settings file or list of class names, as Latin-1 if it is not UTF-8; None if it is not
    text."""
    try:
        content = untrusted_files.read_bytes(file, most=LARGEST_SETTINGS)
    except (OSError, ValueError, StudioError):
        return None
    try:
        return text_encodings.decoded_text(content, file)
    except StudioError:
        return None if b"\0" in content else content.decode("latin-1")


def numbered_yolo_class_names(file: Path) -> dict[str, str]:
    """Return the class names in a list of YOLO, one in each line: line number, from 0 -> class name."""
    lines = [line.strip() for line in (small_text(file) or "").splitlines()]
    return {str(number): line for number, line in enumerate(lines) if line}


def is_not_a_label_file(name: str) -> bool:
    """Whether a text file is known not to hold labels: a list of classes or pictures, or a readme."""
    return file_names.parts(name)[-1].lower() in NO_LABELS or is_class_list_name(name)
