"""The files of each split of a YOLO dataset: its pictures, and their label files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names, pictures, predefined_splits
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.file_names import path_inside
from maskrcnn.annotations.folder_walk import files_below, folders_of_files, walk
from maskrcnn.annotations.formats import text_encodings
from maskrcnn.annotations.formats.yolo import label_rows, text_file_kinds
from maskrcnn.annotations.formats.yolo.settings import SPLITS, YoloSettings
from maskrcnn.annotations.formats.yolo.text_file_kinds import is_not_a_label_file
from maskrcnn.annotations.picture_index import PictureIndex
from maskrcnn.annotations.similar_file_names import similar_files
from maskrcnn.errors import StudioError
from maskrcnn.words import counted, first_names, shortened_remarks

IMAGES, _LABELS = "images", "labels"
_LARGEST_LIST = 20_000_000
_SHOWN = 5


@dataclass(frozen=True)
class YoloSplitEntry:
    """One entry of a split: its pictures, and label files without a picture (`labels_without_picture`).

    Both are mappings from the name in the dataset without suffix to the name of the file. Picture names are relative to
    the folder `within`. `words` describes the entry for messages.
    """

    split: str
    pictures: Mapping[str, str]
    labels_without_picture: Mapping[str, str]
    within: str
    words: str
    lines: tuple[str, ...] = ()


class YoloFiles:
    """The files of a YOLO dataset from which the splits are made, by name relative to the folder of the settings."""

    mend = "put it there, or pass --images DIR"
    """How to fix a missing picture, for messages."""
    near: Mapping[str, tuple[str, ...]] = {}
    """Missing picture -> pictures with a similar name."""

    def __init__(self, settings: YoloSettings, images: Path | None) -> None:
        self.settings, self.folder, self.images = settings, settings.folder, images
        self.around: dict[str, Path] = {}
        files, _ = walk(self.folder)
        self._files = files
        self.pictures = {name: path for name, path in files.items() if file_names.suffix(name) in pictures.SUFFIXES}
        self.texts = {_without_suffix(name): path for name, path in files.items() if file_names.suffix(name) == ".txt"}

    @cached_property
    def index(self) -> PictureIndex:
        """Index of the pictures of the dataset."""
        return PictureIndex(self.pictures)

    @cached_property
    def elsewhere(self) -> PictureIndex:
        """Index of the pictures in the folder `--images`."""
        return PictureIndex(files_below(self.images, pictures.SUFFIXES) if self.images is not None else {})

    @cached_property
    def elsewhere_by_stem(self) -> dict[str, Path]:
        """The pictures of `--images`, by name without suffix."""
        found: dict[str, Path] = {}
        for file, path in self.elsewhere.files.items():
            found.setdefault(_without_suffix(file), path)
        return found

    @cached_property
    def elsewhere_by_spelling(self) -> dict[str, list[Path]]:
        """The pictures of `--images` by the normalised spelling of their name without suffix: once with its folders,
        once without."""
        found: dict[str, list[Path]] = {}
        for file, path in self.elsewhere.files.items():
            plain = file_names.normalised_file_name(_without_suffix(file))
            for name in dict.fromkeys((plain, plain.rpartition("/")[2])):
                found.setdefault(name, []).append(path)
        return found

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """The folders that contain files, by their normalised spelling."""
        there = {
            "/".join(parts[:n]) for name in self._files for parts in [name.split("/")] for n in range(1, len(parts))
        }
        found: dict[str, list[str]] = {}
        for folder in sorted(there):
            found.setdefault(file_names.normalised_file_name(folder), []).append(folder)
        return found

    @cached_property
    def texts_by_spelling(self) -> dict[str, list[str]]:
        """The text files, as names without suffix, by the normalised spelling of the name."""
        found: dict[str, list[str]] = {}
        for name in self.texts:
            found.setdefault(file_names.normalised_file_name(name), []).append(name)
        return found

    def places(self) -> tuple[list[YoloSplitEntry], list[str]]:
        """Return the pictures of each split, and warnings about missing splits. Raises `StudioError` if no split has
        pictures or labels."""
        if not self.settings.splits:
            return [self._split_of_folder("", "", "the folder")], []
        places: list[YoloSplitEntry] = []
        missing: list[str] = []
        for split in SPLITS:
            for entry in self.settings.splits.get(split, ()):
                place = (
                    self._split_of_list(split, entry)
                    if entry.lower().endswith(".txt")
                    else self._split_of_entry(split, entry)
                )
                if place is None:
                    kind = "list" if entry.lower().endswith(".txt") else "folder"
                    missing.append(f'"{file_names.brief(entry)}" as {split}, a {kind} that is not there')
                else:
                    places.append(place)
        if not any(place.pictures or place.labels_without_picture for place in places):
            missing += [f"{place.words} as {place.split}, and no picture of it is there" for place in places]
            if missing:
                raise self.settings.complain(
                    f"names no pictures that are there: {'; '.join(missing[:3])}. {self._what_is_there()}"
                )
        lines = [f"{self.settings.file}: has {line}. {self._what_is_there()}" for line in missing]
        lines += [line for place in places for line in place.lines]
        lines += [
            f"{self.settings.file}: has {place.words} as {place.split}, which holds no pictures"
            for place in places
            if not place.pictures and not place.labels_without_picture
        ]
        return places, lines

    def picture_and_text(self, name: str, place: YoloSplitEntry) -> tuple[Path, str | None]:
        """Return a picture and its label file. `name` is the picture's name without suffix, or for a missing picture
        its expected name. Raises `StudioError` if the picture is missing."""
        if name in place.pictures:
            return self.pictures[place.pictures[name]], self._label_file_of(name)
        text = place.labels_without_picture[name]
        if (picture := self._elsewhere(name, place.within)) is None:
            where = place.within or self.folder
            is_there = f' ("{file_names.brief(self.near[name][0])}" is there)' if name in self.near else ""
            raise StudioError(
                f"{self.texts[text]}: its picture is not in {where}{is_there}, and YOLO's fractions need its size; "
                f"{self.mend}"
            )
        return picture, text

    def look_around(self, places: Sequence[YoloSplitEntry], among: Mapping[str, Path] | None) -> None:
        """Set `around` (name of a missing picture -> its file) if no split has any picture: the pictures of all label
        files are then searched anywhere in the dataset, or in `among`.

        Some programs export label files alone; the user's photos then lie in a folder that no split names. They are
        matched by name and folders; ambiguous matches are ignored.
        """
        if self.images is not None or any(place.pictures for place in places):
            return
        by_stem: dict[str, list[Path]] = {}
        for file, path in (self.pictures if among is None else among).items():
            if file_names.suffix(file) in pictures.SUFFIXES:
                by_stem.setdefault(_without_suffix(file), []).append(path)
        single = PictureIndex({stem: paths[0] for stem, paths in by_stem.items() if len(paths) == 1})
        matched: dict[str, str] = {}
        for place in places:
            settings_file = f"{place.split}.yaml"  # any name: it only says that names begin at the dataset's folder
            files, _ = single.match_all(place.labels_without_picture, settings_file)
            matched |= {
                name: file for name, file in zip(place.labels_without_picture, files, strict=True) if file is not None
            }
        times = Counter(matched.values())
        self.around = {name: single.files[file] for name, file in matched.items() if times[file] == 1}

    def look_for_near_names(self, places: Sequence[YoloSplitEntry]) -> None:
        """Set `near`: pictures with a similar name for label files without a picture."""
        missing = [
            name
            for place in places
            for name in place.labels_without_picture
            if self._elsewhere(name, place.within) is None
        ]
        if missing:
            used = {place.pictures[n] for place in places for n in place.pictures if self._label_file_of(n) is not None}
            unused = [name for name in self.pictures if name not in used]
            self.near = similar_files(missing, [*unused, *self.elsewhere.files])

    def record(
        self, name: str, place: YoloSplitEntry, picture: Path, text: str | None, size: tuple[int, int]
    ) -> ImageRecord:
        """Return the record of a picture with its regions."""
        width, height = size
        regions = (
            label_rows.regions_of_label_file(self.texts[text], self.settings, width, height) if text is not None else ()
        )
        return ImageRecord(
            f"{_name_below(name, place.within)}{picture.suffix}",
            tuple(regions),
            picture,
            width,
            height,
            split=studio_split_of_yolo(place.split),
            extras={"yolo": {"split": place.split}} if place.split else {},
        )

    def labelled_elsewhere(self, taken: Mapping[str, str]) -> list[str]:
        """Return labelled pictures that are in no folder of a split. Empty if a split is a list, because a list may
        leave out pictures on purpose."""
        entries = [entry for listed in self.settings.splits.values() for entry in listed]
        if not entries or any(entry.lower().endswith(".txt") for entry in entries):
            return []
        return [
            name
            for name in self.pictures
            if _without_suffix(name) not in taken
            and self._label_file_of(_without_suffix(name), only_with_rows=True) is not None
        ]

    # Folders

    def _split_of_entry(self, split: str, entry: str) -> YoloSplitEntry | None:
        """Return the split of an entry that names a folder; None if that is not in the dataset.

        The path may be that of another computer (`/home/me/set/train/images`). So leading folders are dropped from the
        base path and from the entry, as few as possible, until the rest is a folder in the dataset.
        """
        base, written = _folders_of_split_entry(self.settings.base), _folders_of_split_entry(entry)
        for n_of_base in range(len(base) + 1):
            for n_of_entry in range(_n_droppable_folders(written) + 1):
                folder = "/".join([*base[n_of_base:], *written[n_of_entry:]])
                labels = _with_folder_replaced(f"{folder}/", IMAGES, _LABELS).rstrip("/")
                found = [there for there in (self.folder / folder, self.folder / labels) if there.is_dir()]
                # Links to a folder outside are not followed; use `--images` for these.
                if found and all(untrusted_files.is_confined(there, [self.folder]) for there in found):
                    return self._split_of_folder(split, folder, f'"{file_names.brief(entry)}"')
                if not found and (spelled := self._spelled_here(folder) or self._spelled_here(labels)):
                    return self._split_of_folder(split, spelled, f'"{file_names.brief(entry)}"')
        return None

    def _spelled_here(self, folder: str) -> str | None:
        """Return the only existing folder with the same normalised spelling (`Images/Train`, or ü as two
        characters); None otherwise."""
        alike = self.folders.get(file_names.normalised_file_name(folder), [])
        return alike[0] if len(alike) == 1 else None

    def _split_of_folder(self, split: str, folder: str, words: str) -> YoloSplitEntry:
        """Return the entry of a split that is a folder, with its pictures and label files without a picture."""
        labels = _with_folder_replaced(f"{folder}/", IMAGES, _LABELS).rstrip("/")
        if not (self.folder / labels).is_dir():
            labels = self._spelled_here(labels) or labels
        shown: dict[str, str] = {}
        for name, path in self.pictures.items():
            if _lies_in(name, folder) and (other := shown.setdefault(_without_suffix(name), name)) != name:
                other = file_names.parts(other)[-1]
                raise StudioError(f"{path}: {other} has the same name, and so the same labels; rename one of them")
        used = {self._label_file_of(name) for name in shown}
        labels_without_picture = {
            _picture_of_label_file(text, folder, labels): text
            for text, path in self.texts.items()
            if (_lies_in(text, folder) or _lies_in(text, labels))
            and text not in used
            and not is_not_a_label_file(f"{text}.txt")
            and (_LABELS in map(str.lower, text.split("/")[:-1]) or text_file_kinds.has_yolo_rows(path))
        }
        # Readmes or logs among the labels.
        others = [
            t
            for t in labels_without_picture.values()
            if self.texts[t].stat().st_size and not text_file_kinds.has_yolo_rows(self.texts[t])
        ]
        lines = [
            f"{self.texts[text]}: was passed over, as it has no rows of YOLO and no picture is called so"
            for text in others
        ]
        labels_without_picture = {name: text for name, text in labels_without_picture.items() if text not in others}
        return YoloSplitEntry(split, shown, labels_without_picture, folder, words, shortened_remarks(lines))

    # Lists

    def _split_of_list(self, split: str, entry: str) -> YoloSplitEntry | None:
        """Return the split of a text file that lists one picture per line; None if the file is missing. The pictures
        are searched in the dataset, whatever folders precede their names."""
        lists = {name: path for name, path in files_below(self.folder, (".txt",)).items()}
        found = PictureIndex(lists).match(entry, "data.yaml", self.settings.base).file
        if found is None:
            return None
        try:
            content = untrusted_files.read_bytes(lists[found], most=_LARGEST_LIST, mend="check the file")
        except FileNotFoundError:
            raise StudioError(f"{lists[found]}: is gone; check the file") from None
        written = [
            line.strip() for line in text_encodings.decoded_text(content, lists[found]).splitlines() if line.strip()
        ]
        matched, remarks = self.index.match_all(written, found)
        lines = [*shortened_remarks(remarks)]
        shown: dict[str, str] = {}
        labels_without_picture: dict[str, str] = {}
        missing: list[str] = []
        for line, name in zip(written, matched, strict=True):
            if name is not None:
                shown[_without_suffix(name)] = name
            elif (text := self._label_file_of_line(line)) is not None:
                labels_without_picture[_with_folder_replaced(text, _LABELS, IMAGES)] = text
            else:
                missing.append(line)
        if missing and (shown or labels_without_picture):
            some, of_all = counted(len(missing), "picture"), counted(len(written), "line")
            lines.append(f"{lists[found]}: {some} not found of {of_all} ({file_names.listed(missing)})")
        folders = [name.rpartition("/")[0] for name in (*shown, *labels_without_picture)]
        within = os.path.commonpath(folders) if folders and all(folders) else ""
        return YoloSplitEntry(
            split, shown, labels_without_picture, within, f'the list "{file_names.brief(entry)}"', tuple(lines)
        )

    def _label_file_of_line(self, line: str) -> str | None:
        """Return the label file of a missing picture that a list of a split names in `line`; None if there is none.
        Leading folders of the line may be missing too."""
        parts = [part for part in file_names.parts(_without_suffix(file_names.without_query(line))) if part != ".."]
        for start in range(len(parts)):
            if (text := self._label_file_of("/".join(parts[start:]))) is not None:
                return text
        return None

    # Labels

    def _label_file_of(self, name: str, only_with_rows: bool = False) -> str | None:
        """Return the label file of a picture (both without suffix); None if there is none.

        These paths are tried in order: the last folder `images` replaced by `labels`, as YOLO programs do; the last
        folder with this name in any case (`Images`) replaced; the path of the picture. With `only_with_rows`, the file
        must begin with a YOLO row.
        """
        as_in_yolo = _with_folder_replaced(name, IMAGES, _LABELS)
        in_any_case = _with_folder_replaced(name, IMAGES, _LABELS, in_any_case=True)
        for text in dict.fromkeys((as_in_yolo, in_any_case, name)):
            alike = (
                [text] if text in self.texts else self.texts_by_spelling.get(file_names.normalised_file_name(text), [])
            )
            if len(alike) == 1 and (not only_with_rows or text_file_kinds.has_yolo_rows(self.texts[alike[0]])):
                return alike[0]
        return None

    def _elsewhere(self, name: str, within: str) -> Path | None:
        """Return the picture of a label file in `--images`, or as found by `look_around`; None if there is none."""
        if name in self.around:
            return self.around[name]
        wanted = _name_below(name, within)
        by_stem = self.elsewhere_by_stem
        if (picture := by_stem.get(wanted) or by_stem.get(PurePosixPath(wanted).name)) is not None:
            return picture
        plain = file_names.normalised_file_name(wanted)
        alike = self.elsewhere_by_spelling.get(plain) or self.elsewhere_by_spelling.get(plain.rpartition("/")[2], [])
        return alike[0] if len(alike) == 1 else None

    def _what_is_there(self) -> str:
        """Return a sentence about the folders that contain pictures, for messages."""
        folders = folders_of_files(self.pictures)
        if not folders:
            return f"No folder of {self.folder} holds pictures"
        names = folders_in_words([name if name != "." else "the folder itself" for name in folders])
        return f"Folders of pictures here: {names}"


def _without_suffix(name: str) -> str:
    """Return the path of a picture or label file of a YOLO split without its suffix."""
    return name[: len(name) - len(file_names.suffix(name))]


def _lies_in(name: str, folder: str) -> bool:
    """Whether a file of the dataset lies in or below a folder; `folder` may be empty for the dataset itself."""
    return not folder or name.startswith(f"{folder}/")


def _name_below(name: str, folder: str) -> str:
    """Return the name of a picture relative to the folder of its split, without a leading `images/`, which Ultralytics
    ignores."""
    short = name[len(folder) + 1 :] if folder and name.startswith(f"{folder}/") else name
    return short[len(IMAGES) + 1 :] if short.lower().startswith(f"{IMAGES}/") else short


def _with_folder_replaced(name: str, old: str, new: str, in_any_case: bool = False) -> str:
    """Return the path of a file with the last folder called `old` replaced by `new`; unchanged if there is none.

    Upper and lower case are ignored with `in_any_case`, and if no folder is spelled exactly `old`.
    """
    *folders, file = name.split("/")
    spelled = folders if old in folders and not in_any_case else [folder.lower() for folder in folders]
    if old in spelled:
        folders[len(folders) - 1 - spelled[::-1].index(old)] = new
    return "/".join([*folders, file])


def _picture_of_label_file(label_path: str, pictures: str, labels: str) -> str:
    """Return the path where the picture of a YOLO label file is expected; both paths are without suffix.

    `pictures` and `labels` are the folders of a split. A label file elsewhere has its picture in the `images` folder
    beside its `labels` folder.
    """
    if pictures and labels != pictures and _lies_in(label_path, labels):
        return f"{pictures}{label_path[len(labels) :]}"
    return _with_folder_replaced(label_path, _LABELS, IMAGES)


def _folders_of_split_entry(written: str) -> list[str]:
    """Return the folders of the path of a split, without those that lead outside the dataset. Empty for the folder of
    the dataset itself."""
    return path_inside(written).split("/") if written.strip("./\\ ") else []


def _n_droppable_folders(parts: Sequence[str]) -> int:
    """Return how many leading parts of the path of a YOLO split may be dropped, if it was written on another computer.
    `images` and the name of the split must stay, because `images/train` would otherwise match `train/`, which holds
    other files."""
    n_droppable = max(len(parts) - 1, 0)
    at_images = [number for number, part in enumerate(parts) if part.lower() == IMAGES]
    if at_images:
        n_droppable = min(n_droppable, at_images[-1])
    at_split = [number for number, part in enumerate(parts) if predefined_splits.split_word(part) is not None]
    return min(n_droppable, at_split[-1]) if at_split else n_droppable


def folders_in_words(folders: Sequence[str]) -> str:
    """Return the folders of a YOLO dataset as text for a message, the first five at most."""
    return first_names(folders, _SHOWN, file_names.brief)


def studio_split_of_yolo(split: str) -> Literal["train", "val"] | None:
    """Return the studio's split for the files of a YOLO split: train, val or None (`test`)."""
    return "train" if split == "train" else "val" if split == "val" else None
