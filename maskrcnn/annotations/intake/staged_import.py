"""A staged import (`Staged`): files that are read, and shown to the user before they are imported."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.folder_walk import files_in
from maskrcnn.annotations.formats import picture_folders
from maskrcnn.annotations.formats.lazy_records import file_names_of
from maskrcnn.annotations.formats.via import class_attribute_across_files, class_attributes
from maskrcnn.annotations.formats.via.class_attributes import Candidate
from maskrcnn.annotations.intake import refused_folders, temporary_folders
from maskrcnn.annotations.intake.combined_dataset import combine_to_dataset
from maskrcnn.annotations.intake.dropped_files import DroppedDataset, DroppedFiles, write_uploads
from maskrcnn.annotations.intake.temporary_folders import (
    temporary_folder,
    temporary_folder_if_needed,
    without_temporary_folder,
)
from maskrcnn.annotations.intake.zip_unpacking import first_bytes, is_zip, unpack
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.store import original_places
from maskrcnn.annotations.store.database_files import is_project
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.name_order import natural_key

Upload = tuple[str, bytes]
"""File name as the browser sent it, and content."""

MOST_CLASSES = 200
"""Maximum number of new classes without a question. COCO has 80; free text used as the class has thousands."""


@dataclass(frozen=True)
class Staged:
    """An import that waits for the user's confirmation: `project.import_dataset(staged.dataset, split)`, then
    `discard()`.

    - `dataset`: the pictures with their paths. A picture without labels is a record without regions. A labelled picture
      that is missing has no path. A record's `split` is set if folders or files are named train, val and so on, and at
      least two of these occur.
    - `format`: the name of the format.
    - `label_files`: the names of the label files.
    - `missing`: the names of missing pictures.
    - `unlabelled`: the number of pictures without labels.
    - `warnings`: what was skipped.
    - `folder`: where uploads are stored until `discard()`; None for files on this computer.
    - `named`: the number of pictures that the label files name.
    - `near`: missing picture -> files with similar names. `with_similar_files` uses such files.
    """

    dataset: Dataset
    format: str
    label_files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unlabelled: int = 0
    warnings: tuple[str, ...] = ()
    folder: Path | None = None
    named: int = 0
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: DroppedFiles | None = field(default=None, repr=False, compare=False)

    @property
    def finds_none(self) -> bool:
        """Whether there are labels and none of their pictures was found."""
        return self.named > 0 and len(self.missing) == self.named

    def found_none_message(self) -> str:
        """Return the message that no labelled picture was found, with examples of names; empty if any was found."""
        if not self.finds_none:
            return ""
        which = "its picture was not" if self.named == 1 else f"none of its {self.named:,} pictures was"
        others = [record.file_name for record in self.dataset.images if record.path is not None]
        there = f"; here are {names.listed(sorted(others, key=natural_key))}" if others else ""
        return f"{which} found: {names.listed(sorted(self.missing, key=natural_key))}{there}"

    def with_similar_files(self, files: Mapping[str, str]) -> Staged:
        """Return the import with files of similar names for missing pictures: `files` is missing picture -> file that
        the user chose from `near`. The class attribute stays as it is.

        Raises `StudioError` as `stage_uploads` does.
        """
        assert self.dropped is not None
        dropped = replace(self.dropped, taken={**self.dropped.taken, **files})
        again = _staged(combine_to_dataset(dropped), self.folder, dropped)
        attribute = self.dataset.class_attribute
        if again.dataset.class_attribute != attribute and again.candidates:
            return again.with_class_attribute(attribute)
        return again

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The attributes of a VIA file that are or could be the class; empty for formats that have classes."""
        is_via = str(self.dataset.extras.get("flavour", "")).startswith("via")
        return class_attributes.class_candidates(self.dataset) if is_via else ()

    @cached_property
    def rivals(self) -> tuple[str, ...]:
        """The attributes of a VIA file that each name the class of different regions; see `class_attributes`."""
        return class_attributes.rival_attributes(self.dataset) if self.candidates else ()

    def with_class_attribute(self, name: str | None) -> Staged:
        """Return the import with another class attribute.

        None gives every region the same class. Several names with commas between them are combined: the one that is set
        on a region is the class. Raises `ArgumentError` if no region has the attribute.
        """
        return replace(self, dataset=class_attributes.reclassified(self.dataset, name))

    def with_project_attribute(self, attribute: str | None, classes: Collection[str]) -> Staged:
        """Return the import with the class attribute of the project, which has this `attribute` and these `classes`.

        The project's attribute is preferred if some of its values are classes of the project, or if the import has no
        class attribute yet. Otherwise only the classes are compared: see `as_in_other_labels` without an `attribute`.
        A warning is added if the attribute changes.
        """
        own = self.dataset.class_attribute
        if attribute is not None and own is not None:
            same = (entry for entry in self.candidates if entry.name.strip().lower() == attribute.strip().lower())
            if not any(set(entry.values) & set(classes) for entry in same):
                attribute = None
        dataset = class_attribute_across_files.as_in_other_labels(self.dataset, attribute, classes, "this project")
        added = dataset.warnings[len(self.dataset.warnings) :]
        return replace(self, dataset=dataset, warnings=(*self.warnings, *added)) if added else self

    def new_classes(self, known: Collection[str] = ()) -> list[str]:
        """Return the classes that the import would add to the known ones."""
        there = set(known)
        return [name for name in self.dataset.classes if name not in there]

    def require_few_classes(self, known: Collection[str] = ()) -> None:
        """Raise `StudioError` if the import would add more than `MOST_CLASSES` classes."""
        new = self.new_classes(known)
        if len(new) > MOST_CLASSES:
            by = f'by "{names.brief(self.dataset.class_attribute)}" ' if self.dataset.class_attribute else ""
            name = names.brief(self.label_files[0] if self.label_files else str(self.dataset.source))
            raise StudioError(
                f"{name}: makes {len(new)} classes {by}(such as {names.listed(new)}), more than {MOST_CLASSES}; import "
                "it into a project, under Dataset, where you can choose the class"
            )

    def discard(self) -> None:
        """Remove the unpacked files. The dataset's pictures are then gone."""
        if self.folder is not None:
            temporary_folders.remove_temporary_folder(self.folder)

    def __enter__(self) -> Staged:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.discard()


def stage_uploads(
    uploads: Sequence[Upload],
    *,
    beside: Path | None = None,
    base: Path | None = None,
    progress: Progress | None = None,
) -> Staged:
    """Read uploaded files: pictures, label files, zips of these, or a zip of a project.

    `beside` is a folder with further pictures that the labels may refer to (those of the project). The temporary folder
    is created in `base` (default: the system's temporary folder). Raises `StudioError` with a one-line message if the
    files cannot be imported, and then leaves no files behind.
    """
    if not uploads:
        raise ArgumentError("the upload: no file was chosen; choose a label file, pictures, a zip, or several of these")
    with temporary_folder(base) as folder:
        files = write_uploads(uploads, folder)
        name = names.brief(uploads[0][0]) if len(uploads) == 1 else "the upload"
        project = beside.parent if beside is not None and is_project(beside.parent) else None
        known = {}
        if beside is not None:
            known = (
                original_places.pictures_by_original_name(project) if project else files_in(beside, pictures.SUFFIXES)
            )
        packed = sum(len(content) for _, content in uploads)
        dropped = DroppedFiles(files, folder, name, lambda: folder, known=known, progress=progress, packed=packed)
        combined = combine_to_dataset(dropped)
        if beside and project and combined.missing:
            named = file_names_of(combined.dataset.images)
            if original_places.has_non_original_name(project, named):
                # An export uses the project's names for pictures whose original name is not unique. Find the pictures
                # by the project's names, then.
                dropped = replace(dropped, known=files_in(beside, pictures.SUFFIXES))
                combined = combine_to_dataset(dropped)
        return _staged(combined, folder, dropped)


def stage_path(
    path: Path | str,
    *,
    base: Path | None = None,
    progress: Progress | None = None,
    workspace: Path | None = None,
) -> Staged:
    """Read a path on this computer: a label file, a picture, a folder, a zip or a project.

    A folder is read in place, with its sub folders. A zip is unpacked below `base`. Raises as `stage_uploads`, and
    `ArgumentError` for a path that does not exist or is neither a file nor a folder, and for a folder that holds far
    more than a dataset, such as the studio's `workspace` (None: the default one).
    """
    path = Path(str(path).strip().strip("\"'")).expanduser()
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
        exists = path.exists()
    except (OSError, ValueError):  # the file system does not allow this name
        is_folder = is_file = exists = False
    if not exists or path == Path():
        raise ArgumentError(f"{names.brief(str(path))}: does not exist on this computer; give a folder or a file")
    if not is_folder and not is_file:
        raise ArgumentError(f"{path}: is neither a file nor a folder; give a label file, a picture, a zip or a folder")
    refused_folders.refuse_virtual_file(path)
    if is_file and is_zip(path.name, first_bytes(path)):
        with temporary_folder(base) as folder:
            packed = path.stat().st_size
            files = unpack(path, packed, path.name, folder)
            dropped = DroppedFiles(files, folder, path.name, lambda: folder, progress=progress, packed=packed)
            return _staged(combine_to_dataset(dropped), folder, dropped)
    with temporary_folder_if_needed(base) as (folder_for_embedded, created):
        if is_folder:
            refused_folders.require_dataset_folder(path, workspace)
            files, warnings = refused_folders.walk_dataset_folder(path)
            known, lines = picture_folders.pictures_beside_labels(path)
            dropped = DroppedFiles(files, path, str(path), folder_for_embedded, [*warnings, *lines], known=known)
        elif names.suffix(path.name) in pictures.SUFFIXES:
            dropped = DroppedFiles({path.name: path}, path.parent, path.name, folder_for_embedded)
        else:
            there = picture_folders.pictures_around_labels(path)
            label_file = there.label_file  # relative to the searched folder, such as `labels/a.json`
            searched_folder = path.parents[label_file.count("/")]
            files = {**there.index.files, label_file: path}
            dropped = DroppedFiles(
                files, searched_folder, path.name, folder_for_embedded, there.warnings, only=label_file
            )
        dropped = replace(dropped, progress=progress)
        combined = combine_to_dataset(dropped)
        return _staged(combined, created[0] if created else None, dropped)


def _staged(combined: DroppedDataset, folder: Path | None, dropped: DroppedFiles) -> Staged:
    """Return the import, with messages that do not mention the temporary folder."""
    return Staged(
        combined.dataset,
        combined.format,
        combined.label_files,
        combined.missing,
        combined.unlabelled,
        tuple(without_temporary_folder(line, folder) for line in combined.warnings),
        folder,
        combined.named,
        combined.near,
        replace(dropped, progress=None),
    )
