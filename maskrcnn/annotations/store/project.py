"""The project store: a folder with `project.db` (SQLite), `images/` (the original bytes) and `runs/`.

Pages and commands read and write projects only through `Project`. A save includes the revision on which it is based. If
two people edit the same picture, the second save is refused, so no work is overwritten. Every save is kept in the
history; undo and redo work after a restart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from maskrcnn.annotations.dataset import Dataset, Split, require_split
from maskrcnn.annotations.progress_callback import Progress, progress_counter
from maskrcnn.annotations.regions import Region, Skeleton
from maskrcnn.annotations.store import (
    class_changes,
    class_rows,
    database,
    database_errors,
    dataset_changes,
    import_staging,
    importing,
    migrations,
    picture_details,
    picture_listing,
    picture_paths,
    picture_rows,
    project_meta,
    snapshots,
    stored_dataset,
    thumbnails,
)
from maskrcnn.annotations.store.class_rows import ProjectClass
from maskrcnn.annotations.store.database_files import DATABASE
from maskrcnn.annotations.store.folder_making import new_folder
from maskrcnn.annotations.store.import_staging import IncomingPicture
from maskrcnn.annotations.store.importing import ImportReport
from maskrcnn.annotations.store.label_review import decisions
from maskrcnn.annotations.store.label_review.decisions import LabelDecision
from maskrcnn.annotations.store.picture_details import Direction, HistoryStep, PictureDetails
from maskrcnn.annotations.store.picture_listing import Counts, Status, StoredImage
from maskrcnn.annotations.store.picture_rows import PictureState
from maskrcnn.annotations.store.snapshots import Snapshot
from maskrcnn.annotations.store.suggested import looks, next_list, suggestions
from maskrcnn.annotations.store.suggested.looks import KeptLook
from maskrcnn.annotations.store.suggested.next_list import NextPicture
from maskrcnn.annotations.store.suggested.suggestions import KeptSuggestions
from maskrcnn.errors import ArgumentError

_TRIES = 3
"""How often a change of all pictures is computed without a lock. After that, it is computed with a write lock."""


class Project:
    """A project folder. Make one with `Project.create` or `Project.open`; it holds no open files or connections."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path | str, name: str | None = None) -> Project:
        """Create an empty project in a new or empty folder. Raises `ArgumentError` if the folder is not empty.

        On an error, all created files are deleted.
        """
        folder = Path(folder)
        if (folder / DATABASE).exists():
            raise ArgumentError(f"{folder} already holds a project; open it, or choose another folder")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ArgumentError(f"{folder} is not an empty folder; choose another for the project")
        project = cls(folder)
        with new_folder(folder):
            project.images_folder.mkdir(parents=True)
            project.runs_folder.mkdir()
            database.create(project._database)
            with project._writing() as db:
                project_meta.write(db, "name", name or folder.name)
        return project

    @classmethod
    def open(cls, folder: Path | str) -> Project:
        """Open an existing project and migrate its database if necessary.

        Raises `ArgumentError` if the folder is not a project, `StudioError` if a newer studio wrote it.
        """
        project = cls(Path(folder))
        if not project._database.is_file():
            raise ArgumentError(f"{folder} is not a project (it has no {DATABASE}); choose a project folder")
        migrations.bring_up_to_date(project._database)
        import_staging.delete_abandoned_imports(project._database, project.images_folder)
        return project

    @property
    def name(self) -> str:
        """The name of the project, from its database."""
        with self._reading() as db:
            return str(project_meta.read(db, "name", self.folder.name))

    def set_name(self, name: str) -> None:
        """Set the name of the project. It may differ from the name of its folder."""
        with self._writing() as db:
            project_meta.write(db, "name", name)

    @property
    def images_folder(self) -> Path:
        """The folder of the picture files, `images/`."""
        return self.folder / "images"

    @property
    def runs_folder(self) -> Path:
        """The folder of the training runs, `runs/`."""
        return self.folder / "runs"

    # Pictures

    def images(
        self,
        split: Split | None = None,
        *,
        status: Status | None = None,
        class_name: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[StoredImage]:
        """Return the pictures in natural order of their names: `limit` pictures from `offset` on.

        `split`, `status` and `class_name` (pictures with a region of the class) are filters; None: any.
        """
        with self._reading() as db:
            return picture_listing.images(db, split, status, class_name, limit, offset)

    def removed(self) -> list[StoredImage]:
        """Return the removed pictures. `set_removed` can restore them."""
        with self._reading() as db:
            return picture_listing.images(db, removed=True)

    def counts(self) -> Counts:
        """Count pictures and regions. Takes a few milliseconds for 10,000 pictures."""
        with self._reading() as db:
            return picture_listing.counts(db)

    def picture_counts(self) -> picture_listing.PictureCounts:
        """Count the pictures by status, split and class."""
        with self._reading() as db:
            return picture_listing.picture_counts(db)

    def picture(self, image_id: int) -> Path:
        """Return the path of a picture's file. Raises `StudioError` if it is outside the project or not a file."""
        with self._reading() as db:
            name = picture_rows.image(db, image_id)["file_name"]
        return picture_paths.PicturePaths(self.folder).require(name)

    def thumbnail(self, image_id: int, side: int = 160) -> bytes:
        """Return a JPEG of the picture as displayed, with a longer side of at most `side` px.

        It is made once and stored in `thumbnails/`. Raises `StudioError` for a picture that cannot be read.
        """
        with self._reading() as db:
            row = picture_rows.image(db, image_id)
        picture = picture_paths.PicturePaths(self.folder).require(row["file_name"])
        return thumbnails.thumbnail(self.folder / "thumbnails", picture, row["sha256"], side)

    def details(self, image_id: int) -> PictureDetails:
        """Return everything about one picture, from one moment. Raises `UnknownPicture` if there is none."""
        with self._reading() as db:
            return picture_details.details(db, image_id)

    def set_file_attributes(self, image_id: int, attributes: Mapping[str, Any]) -> None:
        """Replace VIA's file attributes of a picture, as they are exported. They have no history."""
        with self._writing() as db:
            picture_details.set_file_attributes(db, image_id, attributes)

    def set_done(self, image_id: int, done: bool) -> None:
        """Mark a picture as done, or not."""
        with self._writing() as db:
            picture_rows.image(db, image_id)
            db.execute("UPDATE image SET done = ? WHERE id = ?", (int(done), image_id))

    def set_split(self, image_id: int, split: Split) -> None:
        """Move a picture to the other split."""
        self.set_splits({image_id: split})

    def set_splits(self, splits: Mapping[int, Split]) -> None:
        """Move pictures to other splits, given as {picture id: split}, in one transaction."""
        with self._writing() as db:
            for image_id, split in splits.items():
                picture_rows.image(db, image_id)
                db.execute("UPDATE image SET split = ? WHERE id = ?", (require_split(split), image_id))

    def set_removed(self, image_id: int, removed: bool) -> None:
        """Hide a picture everywhere, or restore it unchanged. Its file and regions are never deleted."""
        with self._writing() as db:
            picture_rows.set_removed(db, picture_rows.image(db, image_id), removed)

    # Regions

    def regions(self, image_id: int) -> tuple[tuple[Region, ...], int]:
        """Return the regions of a picture and their revision, which is an argument of `save`."""
        with self._reading() as db:
            row = picture_rows.image(db, image_id)
            return picture_rows.regions(db, row), row["revision"]

    def save(self, image_id: int, regions: Iterable[Region], revision: int) -> int:
        """Store a picture's regions durably. Return the new revision.

        Raises `StaleSave` if the picture was saved since `revision`; then nothing is changed. Unknown classes are added
        to the project.
        """
        state = PictureState.of(regions)
        with self._writing() as db:
            row = picture_rows.image(db, image_id)
            picture_rows.require_fresh(db, row, revision)
            return picture_rows.save_state(db, row, state)

    def undo(self, image_id: int) -> int:
        """Undo the last save. Return the revision (unchanged if there is nothing to undo)."""
        return self.step_in_history(image_id, "undo").revision

    def redo(self, image_id: int) -> int:
        """Redo the last undone save. Return the revision (unchanged if there is nothing to redo)."""
        return self.step_in_history(image_id, "redo").revision

    def step_in_history(self, image_id: int, direction: Direction, revision: int | None = None) -> HistoryStep:
        """Undo or redo the last save. Return the regions before and after, and the revision.

        With `revision`, raises `StaleSave` if the picture has another one now; then nothing is changed.
        """
        with self._writing() as db:
            before, after, result = picture_details.step(db, image_id, direction, revision)
        regions = picture_details.regions_of
        return replace(result, before=regions(before), after=regions(after))

    def can_undo(self, image_id: int) -> bool:
        """Whether there is a save of the picture to undo."""
        with self._reading() as db:
            return picture_details.has_step(db, picture_rows.image(db, image_id)["state"], "undo")

    def can_redo(self, image_id: int) -> bool:
        """Whether there is an undone save of the picture to redo."""
        with self._reading() as db:
            return picture_details.has_step(db, picture_rows.image(db, image_id)["state"], "redo")

    # Decisions about suspected label errors

    def label_decisions(self) -> list[LabelDecision]:
        """Return what was decided about suspected label errors, the oldest first."""
        with self._reading() as db:
            return decisions.every(db)

    def decide_label(self, image_id: int, kind: str, class_name: str, box: decisions.Box, decision: str) -> int:
        """Store a decision about a place in a picture. Return its number. Raises as `decisions.add`."""
        with self._writing() as db:
            return decisions.add(db, image_id, kind, class_name, box, decision)

    def take_label_decision_back(self, decision_id: int) -> bool:
        """Delete a decision, so that the place is asked about again. Return whether there was one."""
        with self._writing() as db:
            return decisions.take_back(db, decision_id)

    # What networks suggest

    def keep_suggestions(self, network: str, suggested: Mapping[int, Sequence[Region]], stamp: str = "") -> None:
        """Keep what a network suggests, {picture id: regions}, until a person accepts it or throws it away.

        `network` is its name for the person, `stamp` the state of its checkpoint. It replaces what the same network
        suggested before for these pictures. Suggestions are no labels. Raises as `suggestions.keep`; then nothing is
        stored.
        """
        with self._writing() as db:
            suggestions.keep(db, network, suggested, stamp)

    def kept_suggestions(self, image_id: int, network: str | None = None) -> KeptSuggestions | None:
        """Return what a network (None: the one that was kept last) suggests for a picture, as `suggestions.kept`."""
        renamed = self.renamed_classes()
        with self._reading() as db:
            return suggestions.kept(db, image_id, network, renamed)

    def pictures_with_suggestions(self) -> list[int]:
        """Return the ids of the pictures with suggestions that nobody has decided yet."""
        with self._reading() as db:
            return suggestions.pictures(db)

    def decide_suggestions(self, image_id: int, ids: Collection[str]) -> int:
        """Note that suggestions were accepted or thrown away, by the ids of their regions. Return how many."""
        with self._writing() as db:
            return suggestions.decide(db, image_id, ids)

    def take_suggestions_back(self, image_id: int) -> None:
        """Open all kept suggestions of a picture again, also those that were accepted or thrown away."""
        with self._writing() as db:
            suggestions.take_back(db, image_id)

    def keep_look(
        self, image_id: int, network: str, stamp: str, look: KeptLook, suggested: Sequence[Region] | None = None
    ) -> None:
        """Keep what a network sees in a picture and, unless None, what it suggests there. Raises as `looks.keep`."""
        with self._writing() as db:
            looks.keep(db, image_id, network, stamp, look)
            if suggested is not None:
                suggestions.keep(db, network, {image_id: suggested}, stamp)

    def kept_looks(self, network: str, stamp: str) -> dict[int, KeptLook]:
        """Return {picture id: look} of a network whose checkpoint is in the state `stamp`."""
        with self._reading() as db:
            return looks.every(db, network, stamp)

    def looked_at(self, network: str, stamp: str) -> set[int]:
        """Return the ids of the pictures of which a network in this state has a look, removed ones included."""
        with self._reading() as db:
            return looks.ready(db, network, stamp)

    def next_pictures(self) -> list[NextPicture]:
        """Return the pictures that are to be labelled one after the other; empty if no list was made."""
        with self._reading() as db:
            return next_list.read(db)

    def set_next_pictures(self, pictures: Sequence[NextPicture]) -> None:
        """Replace the list of the pictures that are to be labelled. Raises as `next_list.write`."""
        with self._writing() as db:
            next_list.write(db, pictures)

    # Classes

    def classes(self) -> list[ProjectClass]:
        """Return the classes in order, which is also the order in training."""
        with self._reading() as db:
            return class_rows.classes(db)

    def add_class(self, name: str, skeleton: Skeleton | None = None) -> None:
        """Add a class with an unused colour and key, unless it exists. An existing class without a skeleton gets this.

        Raises `StudioError` for an invalid name or skeleton, and if the class has another skeleton.
        """
        with self._writing() as db:
            class_rows.add_one(db, name, skeleton)

    def set_classes(self, classes: Sequence[ProjectClass]) -> None:
        """Replace the list of classes (order, colours, keys, skeletons). New classes without a key get an unused digit.

        Raises `StudioError` if a class that regions use is missing in the list.
        """
        with self._writing() as db:
            class_rows.put(db, classes)
            project_meta.update_class_options(db, {entry.name: entry.name for entry in classes})

    def rename_class(self, old: str, new: str) -> None:
        """Rename a class, in the list and in all regions. Each changed picture gets a new revision."""
        with self._reading() as db:
            new_states = class_changes.renamed_states(db, old, new) if new != old else {}
        with self._writing() as db:
            class_rows.rename_in_list(db, old, new)
            if new == old:
                return
            names = {entry.name: entry.name for entry in class_rows.classes(db) if entry.name != new}
            project_meta.update_class_options(db, {**names, old: new})
            project_meta.note_renamed_class(db, old, new)
            class_changes.rename_in_regions(db, old, new, new_states)

    def merge_class(self, old: str, new: str) -> Snapshot:
        """Merge class `old` into the existing class `new`. Return a snapshot of the state before.

        Each changed picture gets a new revision. Raises `StudioError` for an unknown class, and if the two classes have
        different keypoints.
        """
        with self._reading() as db:
            new_states = class_changes.renamed_states(db, old, new)
        with self._writing() as db:
            snapshot = snapshots.take(db, f'before "{old}" became "{new}"')
            class_rows.prepare_merge(db, old, new)
            class_changes.rename_in_regions(db, old, new, new_states)
            class_rows.drop_unused(db, [old])
            unchanged_names = {entry.name: entry.name for entry in class_rows.classes(db)}  # all but `old`
            project_meta.update_class_options(db, unchanged_names)
            project_meta.note_renamed_class(db, old, new)
            return snapshot

    def renamed_classes(self) -> dict[str, str]:
        """Return old name -> present name of the classes that were renamed or merged.

        An old name that is in the list of classes again is a class of its own, and is left out.
        """
        with self._reading() as db:
            names = {entry.name for entry in class_rows.classes(db)}
            renamed: dict[str, str] = project_meta.read(db, "renamed_classes", {})
        return {old: now for old, now in renamed.items() if old not in names and now in names}

    @property
    def class_attribute(self) -> str | None:
        """The VIA attribute that gives the class; None if no attribute does."""
        with self._reading() as db:
            return project_meta.read(db, "class_attribute", None)

    def attribute_definitions(self, kind: Literal["region", "file"] = "region") -> dict[str, Any]:
        """Return VIA's definitions of region or file attributes by name, as in the imported label file."""
        with self._reading() as db:
            defined = project_meta.read(db, "extras", {}).get("via_attributes", {}).get(kind, {})
        return defined if isinstance(defined, dict) else {}

    def set_class_attribute(self, name: str | None) -> Snapshot:
        """Use another VIA attribute as the class (None: one class for all). Return a snapshot of the state before.

        Each changed picture gets a new revision. Raises `ArgumentError` for an attribute that no region has.
        """
        reason = f'before "{name}" became the class' if name else "before one class for all"
        for _ in range(_TRIES):
            with self._reading() as db:
                seen, before = class_changes.project_fingerprint(db), stored_dataset.dataset(db, self._paths)
            result = class_changes.reclassified(before, name)
            with self._writing() as db:
                if class_changes.project_fingerprint(db) == seen:
                    snapshot = snapshots.take(db, reason)
                    class_changes.reclassify(db, result)
                    return snapshot
        with self._writing() as db:  # others saved during each try, so compute the change with a write lock
            result = class_changes.reclassified(stored_dataset.dataset(db, self._paths), name)
            snapshot = snapshots.take(db, reason)
            class_changes.reclassify(db, result)
            return snapshot

    # Snapshots, and changes of many pictures

    def snapshot(self, name: str) -> Snapshot:
        """Make a named snapshot of the present labels. It is cheap, because no regions are copied."""
        with self._writing() as db:
            return snapshots.take(db, name)

    def snapshots(self) -> list[Snapshot]:
        """Return all snapshots, newest first."""
        with self._reading() as db:
            return snapshots.every(db)

    def restore(self, snapshot_id: int) -> Snapshot:
        """Restore all pictures of a snapshot. Return a snapshot of the state before.

        Each picture that differs is saved, so the restoration can be undone picture by picture, or completely by
        restoring the returned snapshot. Pictures and classes that were added later are kept.
        """
        with self._reading() as db:
            states = snapshots.states_to_restore(db, snapshot_id)
        with self._writing() as db:
            name = snapshots.snapshot_row(db, snapshot_id)["name"]
            before = snapshots.take(db, f"before going back to {name}")
            snapshots.restore(db, snapshot_id, states)
            return before

    def apply(self, before: Dataset, after: Dataset, reason: str) -> Snapshot:
        """Store the difference between two datasets from `dataset()`, in one transaction.

        Changed regions and splits are stored, and pictures that are missing in `after` are removed. Unused classes that
        are missing in `after` are deleted. Returns a snapshot of the state before, named `reason`. Raises `StaleSave`
        if a changed picture was saved in the meantime; then nothing is changed.
        """
        found = dataset_changes.between(before, after)
        states = dataset_changes.states_of(found)
        with self._writing() as db:
            snapshot = snapshots.take(db, reason)
            dataset_changes.apply(db, found, states, before, after)
            return snapshot

    def dataset(self, split: Split | None = None, snapshot: int | None = None) -> Dataset:
        """Return the pictures with their regions, now or in a snapshot, as a dataset. `split` None: all pictures.

        Paths point into `images/`. In a large project, records are loaded from the database on access.
        """
        with self._reading() as db:
            return stored_dataset.dataset(db, self._paths, split, snapshot)

    # Import

    def import_dataset(self, dataset: Dataset, split: Split | None, progress: Progress | None = None) -> ImportReport:
        """Copy a dataset's pictures and regions into the project. On an error, nothing is imported.

        With `split` None each picture gets the split of its record, else training. A picture that already exists (same
        name, same bytes) keeps its regions; if it has none, it gets those of the dataset. A different picture with an
        existing name gets a number in its name. Missing and unreadable pictures are skipped and listed in the report.
        """
        missing: list[str] = []
        incoming = importing.from_dataset(dataset.images, missing)
        report = self._import(incoming, split, dataset, progress, len(dataset.images))
        return replace(report, missing=tuple(missing))

    def add_pictures(
        self, files: Iterable[Path | str | tuple[str, bytes]], split: Split, progress: Progress | None = None
    ) -> ImportReport:
        """Add pictures without regions, from paths or `(name, content)` pairs (uploads), as `import_dataset` does."""
        files = list(files)
        return self._import(importing.from_files(files), split, None, progress, len(files))

    def _import(
        self,
        incoming: Iterator[IncomingPicture],
        split: Split | None,
        dataset: Dataset | None,
        progress: Progress | None,
        total: int,
    ) -> ImportReport:
        """Import pictures, all or none. `total` is their number, for `progress`."""
        wanted = None if split is None else require_split(split)
        with import_staging.staging(self._database, self.images_folder) as staging:
            warnings = import_staging.stage_pictures(staging, incoming, wanted, progress_counter(progress, total))
            with self._reading() as db:
                prepared = importing.prepare_import(db, staging, dataset)
            with self._writing() as db:
                report = importing.add_staged_pictures(db, self.images_folder, staging, dataset, prepared)
        return replace(report, warnings=(*warnings, *report.warnings))

    # The whole project

    def copy_database(self, folder: Path, name: str) -> None:
        """Copy the labels with their history to a new database in `folder`, for another project called `name`.

        The copy is one consistent state, even if others save meanwhile.
        """
        copy = Project(folder)
        making = database_errors.sqlite_errors_converted(copy._database)
        with self._reading() as db, making, closing(sqlite3.connect(copy._database)) as target:
            db.backup(target)
        copy.set_name(name)

    def is_importing(self) -> bool:
        """Whether an import into the project is running."""
        return import_staging.is_import_running(self.images_folder)

    # Inside

    @property
    def _database(self) -> Path:
        return self.folder / DATABASE

    @property
    def _paths(self) -> stored_dataset.ProjectPaths:
        return stored_dataset.ProjectPaths(self.folder, self._database, self.images_folder)

    def _reading(self) -> Any:
        return database.reading(self._database)

    def _writing(self) -> Any:
        return database.writing(self._database)
