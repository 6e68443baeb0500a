"""Reading YOLO data sets; see `yolo` for what becomes what."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from maskrcnn import foreign
from maskrcnn.annotations import pictures
from maskrcnn.annotations.formats.encoded import inside
from maskrcnn.annotations.formats.json_values import Complaint, brief, coordinate, require_few_regions
from maskrcnn.annotations.regions import Dataset, ImageRecord, Points, Polygon, Rect, Region
from maskrcnn.errors import StudioError

SPLITS = ("train", "val", "test")

_MEND = "mend that file"
_LARGEST_YAML = 250_000
_MOST_YAMLS = 20
"""Settings are looked for in that many files of a folder."""
_LARGEST_LABELS = 20_000_000
_NO_LABELS = ("classes.txt",)
"""What labelling programs put among the label files."""


@dataclass(frozen=True)
class _Place:
    """A folder of pictures of one split, and that of their labels; either may be missing."""

    split: str
    pictures: Path
    labels: Path


def is_yolo(path: Path) -> bool:
    """Whether a folder holds a YOLO data set, or a file is the `data.yaml` of one."""
    return _settings(path) is not None


def read_folder(path: Path | str, images: Path | str | None = None) -> Dataset:
    """The data set of a folder with a `data.yaml`, or of that file; `path` of every record is set.

    Pictures are looked for in the data set and in `images`. Raises `StudioError` for a label file without its picture
    (coordinates are fractions of its size), and for rows that cannot be objects.
    """
    found = _settings(Path(path))
    if found is None:
        raise StudioError(f"{path}: there is no data.yaml with class names; write one")
    file, settings = found
    complain = Complaint(str(file), "the file", _MEND)
    names = _names(settings["names"], complain)
    records: list[ImageRecord] = []
    for place in _places(file, settings, complain):
        records += _records(place, file.parent, names, Path(images) if images is not None else None)
    classes = tuple(dict.fromkeys(names[number] for number in sorted(names)))
    return Dataset(tuple(_told_apart(records)), classes, source=file, extras={"flavour": "yolo"})


# data.yaml


def _settings(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """The file that names the classes, and its content."""
    try:
        files = sorted(_in(path, (".yaml", ".yml"))) if path.is_dir() else [path]
    except OSError:
        return None
    for file in files[:_MOST_YAMLS]:
        content = _parsed(file)
        if isinstance(content, dict) and "names" in content and (set(SPLITS) | {"path", "nc"}) & set(content):
            return file, content
    return None


def _in(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files of these suffixes directly in a folder; no link that leads out of it."""
    for entry in folder.iterdir():
        if entry.suffix.lower() in suffixes and (not entry.is_symlink() or foreign.is_confined(entry, [folder])):
            yield entry


def _parsed(file: Path) -> Any:
    """The content of a YAML file with every scalar as its text (so that a class "no" stays one); None if it is none."""
    try:
        if file.suffix not in (".yaml", ".yml"):
            return None
        content = foreign.read_bytes(file, most=_LARGEST_YAML).decode("utf-8-sig")
        return yaml.load(content, Loader=yaml.BaseLoader)
    except (OSError, ValueError, RecursionError, StudioError, yaml.YAMLError):
        return None


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


def _places(file: Path, settings: dict[str, Any], complain: Complaint) -> list[_Place]:
    places: dict[Path, _Place] = {}
    for split in SPLITS:
        given = settings.get(split) or []
        for entry in given if isinstance(given, list) else [given]:
            if not isinstance(entry, str):
                raise complain(f'has {brief(entry)} as "{split}", not a folder')
            if entry.endswith(".txt"):
                raise complain(f'has the list {brief(entry)} as "{split}"; name the folder of the pictures')
            if place := _place(split, entry, settings.get("path"), file.parent):
                places.setdefault(place.pictures.resolve(), place)
    if not places:
        raise complain("names no folder of pictures that is there, as train, val or test")
    return list(places.values())


def _place(split: str, entry: str, path: Any, folder: Path) -> _Place | None:
    """The first folder inside the data set that fits the end of what is written."""
    base, parts = _parts(path), _parts(entry)
    for b in range(len(base) + 1):
        for p in range(max(len(parts), 1)):
            below = [*base[b:], *parts[p:]]
            labels = list(below)
            if "images" in below:
                labels[len(below) - 1 - below[::-1].index("images")] = "labels"
            place = _Place(split, folder.joinpath(*below), folder.joinpath(*labels))
            found = [there for there in (place.pictures, place.labels) if there.is_dir()]
            # A link to a folder elsewhere is not followed; `--images` names one.
            if found and all(foreign.is_confined(there, [folder]) for there in found):
                return place
    return None


def _parts(written: Any) -> list[str]:
    """The folders of a path, none of which leads out of where it is put; none for the folder itself."""
    return inside(written).split("/") if isinstance(written, str) and written.strip("./\\ ") else []


# Pictures and labels


def _records(place: _Place, folder: Path, names: dict[int, str], images: Path | None) -> Iterator[ImageRecord]:
    shown = dict(_pictures(place.pictures))
    labels = {
        name: file
        for name, file in _files(place.labels, (".txt",))
        if PurePosixPath(f"{name}.txt").name not in _NO_LABELS or name in shown
    }
    elsewhere = dict(_pictures(images)) if images is not None else {}
    for name in sorted({*shown, *labels}):
        picture = shown.get(name) or elsewhere.get(name) or elsewhere.get(PurePosixPath(name).name)
        if picture is None:
            raise StudioError(
                f"{labels[name]}: its picture is not in {place.pictures.relative_to(folder)}, and YOLO's fractions "
                "need its size; put it there, or pass --images DIR"
            )
        width, height = pictures.size(picture)
        regions = _regions(labels[name], names, width, height) if name in labels else ()
        yield ImageRecord(
            f"{name}{picture.suffix}",
            tuple(regions),
            picture,
            width,
            height,
            split="train" if place.split == "train" else "val" if place.split == "val" else None,
            extras={"yolo": {"split": place.split}},
        )


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Files by their path below the folder, without suffix."""
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.suffix.lower() not in suffixes or file.name.startswith(".") or not file.is_file():
            continue
        if not file.is_symlink() or foreign.is_confined(file, [folder]):
            yield file.relative_to(folder).with_suffix("").as_posix(), file


def _pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    before: Path | None = None
    for name, file in _files(folder, pictures.SUFFIXES):
        if before is not None and before.with_suffix("") == file.with_suffix(""):
            raise StudioError(f"{file}: {before.name} has the same name, and so the same labels; rename one of them")
        before = file
        yield name, file


def _told_apart(records: list[ImageRecord]) -> Iterator[ImageRecord]:
    """Pictures that have one name in two splits get that of their split, too."""
    seen: dict[str, int] = {}
    for record in records:
        seen[record.file_name] = seen.get(record.file_name, 0) + 1
    for record in records:
        twice = seen[record.file_name] > 1
        yield replace(record, file_name=f"{record.extras['yolo']['split']}/{record.file_name}") if twice else record


def _regions(file: Path, names: dict[int, str], width: int, height: int) -> Iterator[Region]:
    try:
        content = foreign.read_bytes(file, most=_LARGEST_LABELS, mend="check the file").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StudioError(f"{file}: this is not text; replace it by YOLO rows") from None
    except FileNotFoundError:
        raise StudioError(f"{file}: is gone; check the file") from None
    # Line by line, for a file of line breaks alone would be tens of millions of texts.
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate(io.StringIO(content), start=1):
        if values := line.split():
            rows.append((number, values))
            require_few_regions(len(rows), Complaint(str(file), "the picture", _MEND))
    for number, values in rows:
        yield _region(values, names, width, height, Complaint(str(file), f"line {number}", _MEND))


def _region(values: list[str], names: dict[int, str], width: int, height: int, complain: Complaint) -> Region:
    try:
        number, *fractions = (float(value) for value in values)
    except ValueError:
        raise complain("has something that is no number") from None
    if number not in names:
        raise complain(f"has class {brief(values[0])}, but data.yaml names {len(names)} classes")
    if len(fractions) != 4 and (len(fractions) < 6 or len(fractions) % 2):
        raise complain(f"has {len(fractions)} numbers after its class, neither a box (4) nor an outline (6, 8, ...)")
    # To the millionth of a pixel: what ten decimals of a fraction say, without the noise of the multiplication.
    places: Points = tuple(
        (coordinate(round(x * width, 6), "x", complain), coordinate(round(y * height, 6), "y", complain))
        for x, y in zip(fractions[0::2], fractions[1::2], strict=True)
    )
    name = names[int(number)]
    if len(fractions) > 4:
        return Region(Polygon(places), name)
    (cx, cy), (across, down) = places
    if across < 0 or down < 0:
        raise complain("has a box of negative size")
    return Region(Rect(cx - across / 2, cy - down / 2, across, down), name)
