"""Find and read the label files among dropped files; `formats.label_file` reads each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats import format_table, masks, unreadable_folders, yolo
from maskrcnn.annotations.formats.label_file import LABEL_SUFFIXES, NO_LABELS, labels_of_file
from maskrcnn.annotations.formats.masks import mask_pairs
from maskrcnn.annotations.formats.masks.class_list import CLASSES, CLASSES_AS_TABLE
from maskrcnn.annotations.formats.via import class_attribute_across_files
from maskrcnn.annotations.formats.yolo.reading import yolo_without_class_names
from maskrcnn.annotations.formats.yolo.text_file_kinds import is_class_list_name
from maskrcnn.annotations.regions import Shape
from maskrcnn.errors import StudioError
from maskrcnn.name_order import natural_key

_KNOWN = (*LABEL_SUFFIXES, *pictures.SUFFIXES, ".txt", ".md", "")
"""Suffixes of files that cause no warning: they are read, or are readmes and licences."""


@dataclass(frozen=True)
class FoundLabels:
    """One label file or folder of labels with its dataset. `name` is relative to the dropped files."""

    name: str
    dataset: Dataset

    @property
    def flavour(self) -> str:
        """The name of the format, as in `Dataset.extras`."""
        return str(self.dataset.extras.get("flavour", ""))

    @property
    def is_folder(self) -> bool:
        """Whether the format is a folder of files, whose reader finds the pictures itself."""
        return self.flavour in format_table.folder_formats()

    @property
    def words(self) -> str:
        """The name of the format for messages."""
        return (
            format_table.WRITERS[self.flavour].words
            if self.flavour in format_table.WRITERS
            else self.flavour or "a label file"
        )


def find_labels(
    files: Mapping[str, Path], root: Path, images: Path | None = None, further: Mapping[str, Path] | None = None
) -> tuple[list[FoundLabels], list[str]]:
    """Read all label files and folders of labels among `files` (relative name -> path), which are below `root`.

    Return the labels, and warnings: those of the readers, and a warning "passed over: ..." for files that cannot be
    read as labels.

    `images` is a folder that the user named for the pictures. `further` are pictures that the labels may refer to as
    well. Raises `StudioError` if there are label files, and none can be read.
    """
    known = {**(further or {}), **files}
    found = list(_label_folders(files, root, images, known))
    refused: list[StudioError] = []
    inside = tuple(f"{entry.name}/" if entry.name else "" for entry in found)
    for name, path in files.items():
        if names.suffix(name) not in LABEL_SUFFIXES or (inside and name.startswith(inside)):
            continue
        if names.parts(name)[-1].lower() == CLASSES_AS_TABLE:
            continue
        try:
            found.append(FoundLabels(name, labels_of_file(path)))
        except StudioError as error:
            refused.append(error)
    if not found:
        found = list(_label_folders(files, root, images, known, without_class_list=True))
    if refused and not found:
        hold_no_labels = all(NO_LABELS in str(error) for error in refused)  # other JSON files, such as notes.json
        if hold_no_labels and (yolo_error := yolo_without_class_names(files)):
            raise StudioError(f"{root}: {yolo_error}")
        are_photo_sidecars = hold_no_labels and unreadable_folders.have_photo_sidecars(files)
        if not are_photo_sidecars:
            # Of several errors, report one about a label file rather than one about another file.
            raise min(refused, key=lambda error: NO_LABELS in str(error))
    warnings = [line for entry in found for line in entry.dataset.warnings]
    warnings += [f"passed over: {error}" for error in refused]
    texts = [] if found else unreadable_folders.texts_named_like_pictures(files)
    if texts:
        why = yolo_without_class_names(files) or "if these are labels of YOLO, add the data.yaml that names the classes"
        warnings.append(f"passed over: {names.listed(texts)}; {why}")
    if not found:
        warnings += unreadable_folders.coloured_mask_warnings(files, root)
    others = [name for name in files if names.suffix(name) not in _KNOWN and not (inside and name.startswith(inside))]
    if others:
        what = unreadable_folders.unsupported_files({name: files[name] for name in others})
        why = what or "these are neither pictures nor labels that can be read"
        warnings.append(f"passed over: {names.listed(others)}; {why}")
    return found, warnings


def _label_folders(
    files: Mapping[str, Path],
    root: Path,
    images: Path | None,
    known: Mapping[str, Path],
    without_class_list: bool = False,
) -> Iterator[FoundLabels]:
    """Yield the labels of each folder whose files together are one dataset, such as a YOLO folder.

    `known` are the files that the labels may refer to. Masks without a class list are recognised only by their pixels,
    so they are searched only with `without_class_list`. Folders inside a found folder are not searched.
    """
    other_readers = [
        format.folder
        for format in format_table.LABEL_FORMATS
        if format.folder is not None and format not in (yolo.FORMAT, masks.FORMAT)
    ]
    suffixes_in: dict[str, set[str]] = {}
    for name in files:
        suffixes_in.setdefault(names.folder(name), set()).add(names.suffix(name))
    lists = {names.folder(name) for name in files if is_class_list_name(name)}
    # A class list in labels/ or images/ belongs to the parent folder, which may hold no files itself.
    lists |= {
        names.folder(folder) for folder in lists if "".join(names.parts(folder)[-1:]).lower() in ("labels", "images")
    }
    for folder in lists:
        suffixes_in.setdefault(folder, set())
    found_folders: list[str] = []
    for folder, suffixes in sorted(suffixes_in.items(), key=lambda entry: natural_key(entry[0])):
        is_in_found_folder = any(
            other in ("", folder) or folder.startswith(f"{other}/")  # "": the root of the dropped files
            for other in found_folders
        )
        if is_in_found_folder:
            continue
        # For YOLO and masks, the file names already exclude most folders without opening a file.
        may_be_yolo = folder in lists or not suffixes.isdisjoint((".yaml", ".yml", ".data"))
        has_mask_classes = f"{folder}/{CLASSES}".lstrip("/") in files
        may_be_masks = has_mask_classes or (without_class_list and ".png" in suffixes)
        place = root / folder
        if reader := next((reader for reader in other_readers if reader.is_one(place)), None):
            dataset = reader.read(place, images)
        elif may_be_yolo and yolo.is_yolo(place):
            dataset = yolo.read_folder(place, images, skip_unusable=True, among=known)
        elif may_be_masks and not mask_pairs.is_class_mask_folder(place) and masks.is_mask_folder(place):
            # Only the class list can name pictures in other folders.
            dataset = masks.read_folder(place, images, among=known if has_mask_classes else None)
        else:
            continue
        found = FoundLabels(folder, dataset)
        if found.is_folder and any(record.path is not None for record in dataset.images):
            found_folders.append(folder)
            yield found


def without_twins(labels: Sequence[FoundLabels]) -> tuple[list[FoundLabels], list[str]]:
    """Return the label files without those that only repeat another one, because VIA can save the same regions in three
    formats.

    The file of the format that holds the most information is kept. A warning names each removed file.
    """
    kept: list[FoundLabels] = []
    warnings = []
    richest_first = sorted(
        labels, key=lambda entry: _RICHEST_FIRST.index(entry.flavour) if entry.flavour in _RICHEST_FIRST else 0
    )
    for entry in richest_first:
        twin = next((other for other in kept if _repeats_label_file(entry, other)), None)
        if twin is None:
            kept.append(entry)
        else:
            warnings.append(
                f"{names.brief(entry.name)}: says nothing that {names.brief(twin.name)} does not, and was passed over"
            )
    return sorted(kept, key=lambda entry: natural_key(entry.name)), warnings


_RICHEST_FIRST = ("via-project", "via2", "via1", "via-csv")
"""VIA formats, those that hold the most information first."""

_ShapesAndAttributes = list[tuple[Shape, dict[str, Any]]]


def _repeats_label_file(one: FoundLabels, other: FoundLabels) -> bool:
    """Whether a label file of VIA only repeats another: it has the same regions, and no attribute that the other does
    not have."""
    if names.folder(one.name) != names.folder(other.name) or len(one.dataset.images) != len(other.dataset.images):
        return False
    if not one.flavour.startswith("via") or not other.flavour.startswith("via"):
        return False
    of_one, of_other = _regions_with_attributes(one.dataset), _regions_with_attributes(other.dataset)
    return of_one.keys() == of_other.keys() and all(
        len(regions) == len(of_other[name])
        and all(
            shape == other_shape and attributes.items() <= other_attributes.items()
            for (shape, attributes), (other_shape, other_attributes) in zip(regions, of_other[name], strict=True)
        )
        for name, regions in of_one.items()
    )


def _regions_with_attributes(dataset: Dataset) -> dict[str, _ShapesAndAttributes]:
    """Return picture name -> (shape, attributes) of each region, to compare two label files (`_repeats_label_file`).

    The class is added to the attributes under the name of the class attribute, because another file of the same
    regions may use another attribute as the class.
    """
    name = dataset.class_attribute
    return {
        record.file_name: [
            (region.shape, {**region.attributes, **({name: region.class_name} if name and region.class_name else {})})
            for region in record.regions
        ]
        for record in dataset.images
    }


def shared_format_name(labels: Sequence[FoundLabels]) -> str:
    """Return the name of the format that all label files have. Raises `StudioError` if they have several formats."""
    kinds = dict.fromkeys(entry.words for entry in labels)
    if len(kinds) > 1:
        raise StudioError(
            f"{names.listed([entry.name for entry in labels])}: label files of several kinds "
            f"({', '.join(kinds)}); import those of one kind"
        )
    return next(iter(kinds))


def with_one_class_attribute(labels: Sequence[FoundLabels]) -> list[FoundLabels]:
    """Return VIA files that belong together with the same class attribute.

    It is the one that the rule for a single file (`class_attributes`) finds in the regions of all files together, else
    that of the file with the most regions, else the only class attribute of any file.
    """
    chosen = class_attribute_across_files.attribute_for_all([entry.dataset for entry in labels])
    if chosen is None:
        chosen = max(labels, key=lambda entry: entry.dataset.n_regions).dataset.class_attribute
    if chosen is None and len(others := {entry.dataset.class_attribute for entry in labels} - {None}) == 1:
        (chosen,) = others
    return [
        replace(entry, dataset=class_attribute_across_files.reclassified_ignoring_case(entry.dataset, chosen))
        for entry in labels
    ]


def with_class_attribute(labels: Sequence[FoundLabels], name: str) -> list[FoundLabels]:
    """Return VIA files that belong together with the class attribute that the user names
    (`class_attribute_across_files.with_asked_attribute`)."""
    datasets = class_attribute_across_files.with_asked_attribute([entry.dataset for entry in labels], name)
    return [replace(entry, dataset=dataset) for entry, dataset in zip(labels, datasets, strict=True)]
