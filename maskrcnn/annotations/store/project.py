"""The project store: a folder with `project.db` (SQLite), `images/` (the original bytes) and `runs/`.

Pages and commands read and write projects through `Project` only. A save carries the revision it started from, so of
two people who edit the same picture the second learns of it, and nobody's work is overwritten. Every save is history;
undo and redo survive a restart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from maskrcnn.annotations.regions import Dataset, Region
from maskrcnn.annotations.store import (
    class_rows,
    database,
    database_errors,
    dataset_changes,
    importing,
    migrations,
    path_confinement,
    picture_listing,
    picture_rows,
    project_meta,
    snapshots,
    stored_dataset,
    thumbnails,
    unsynced_files,
)
from maskrcnn.annotations.store.class_rows import ProjectClass
from maskrcnn.annotations.store.database import DATABASE
from maskrcnn.annotations.store.folder_making import new_folder
from maskrcnn.annotations.store.importing import ImportReport, Incoming, Progress
from maskrcnn.annotations.store.picture_listing import Counts, Split, Status, StoredImage, known_split
from maskrcnn.annotations.store.picture_rows import State
from maskrcnn.annotations.store.snapshots import Snapshot
from maskrcnn.errors import ArgumentError

_TRIES = 3
"""How often a change of all pictures is worked out while others may save, before they have to wait for it."""


class Project:
    """A project folder. Make one with `Project.create` or `Project.open`; it holds no open files or connections."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path | str, name: str | None = None) -> Project:
        """A new, empty project; `ArgumentError` where the folder holds anything. On an error nothing is left of it."""
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
        """An existing project, brought to this studio's schema; `ArgumentError` where there is none, `StudioError`
        where a newer studio wrote it."""
        project = cls(Path(folder))
        if not project._database.is_file():
            raise ArgumentError(f"{folder} is not a project (it has no {DATABASE}); choose a project folder")
        migrations.bring_up_to_date(project._database)
        unsynced_files.sweep(project._database, project.images_folder)
        return project

    @property
    def name(self) -> str:
        with self._reading() as db:
            return str(project_meta.read(db, "name", self.folder.name))

    def set_name(self, name: str) -> None:
        """What the project calls itself, which may differ from the name of its folder."""
        with self._writing() as db:
            project_meta.write(db, "name", name)

    @property
    def images_folder(self) -> Path:
        return self.folder / "images"

    @property
    def runs_folder(self) -> Path:
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
        """The pictures in the order in which they came, `limit` of them from `offset` on; all, or those of a split, of
        a status, with a region of a class."""
        with self._reading() as db:
            return picture_listing.images(db, split, status, class_name, limit, offset)

    def removed(self) -> list[StoredImage]:
        """The pictures that were removed; they can be restored."""
        with self._reading() as db:
            return picture_listing.images(db, removed=True)

    def counts(self) -> Counts:
        """How many pictures, regions and classes there are; takes a few milliseconds at 10,000 pictures."""
        with self._reading() as db:
            return picture_listing.counts(db)

    def picture_counts(self) -> picture_listing.PictureCounts:
        """How many pictures there are of each status, split and class."""
        with self._reading() as db:
            return picture_listing.picture_counts(db)

    def picture(self, image_id: int) -> Path:
        """Where the picture's file lies. `StudioError` where that is outside of the project, or no file."""
        with self._reading() as db:
            name = picture_rows.image(db, image_id)["file_name"]
        return path_confinement.Pictures(self.folder).require(name)

    def thumbnail(self, image_id: int, side: int = 160) -> bytes:
        """The picture as displayed, as JPEG of at most `side` pixels; it is made once and kept in `thumbnails/`.
        Raises `StudioError` for a picture that cannot be read."""
        with self._reading() as db:
            row = picture_rows.image(db, image_id)
        picture = path_confinement.Pictures(self.folder).require(row["file_name"])
        return thumbnails.thumbnail(self.folder / "thumbnails", picture, row["sha256"], side)

    def set_done(self, image_id: int, done: bool) -> None:
        """Mark a picture as finished, or not."""
        with self._writing() as db:
            picture_rows.image(db, image_id)
            db.execute("UPDATE image SET done = ? WHERE id = ?", (int(done), image_id))

    def set_split(self, image_id: int, split: Split) -> None:
        """Move a picture to the other split."""
        self.set_splits({image_id: split})

    def set_splits(self, splits: Mapping[int, Split]) -> None:
        """Move pictures to other splits, all of them or none."""
        with self._writing() as db:
            for image_id, split in splits.items():
                picture_rows.image(db, image_id)
                db.execute("UPDATE image SET split = ? WHERE id = ?", (known_split(split), image_id))

    def set_removed(self, image_id: int, removed: bool) -> None:
        """Hide a picture everywhere, or bring it back as it was; its file and regions are never deleted."""
        with self._writing() as db:
            picture_rows.hide(db, picture_rows.image(db, image_id), removed)

    # Regions

    def regions(self, image_id: int) -> tuple[tuple[Region, ...], int]:
        """The regions of a picture and the revision that they are, which `save` wants back."""
        with self._reading() as db:
            row = picture_rows.image(db, image_id)
            return picture_rows.regions(db, row), row["revision"]

    def save(self, image_id: int, regions: Iterable[Region], revision: int) -> int:
        """Store a picture's regions; returns the new revision. When this returns, the save is on disk.

        Raises `StaleSave` if the picture was saved since `revision`; then nothing is changed. Classes that the project
        does not know are added to it.
        """
        state = State.of(regions)
        with self._writing() as db:
            row = picture_rows.image(db, image_id)
            picture_rows.require_fresh(db, row, revision)
            return picture_rows.save_state(db, row, state)

    def undo(self, image_id: int) -> int:
        """Go back to the state before the last save; returns the revision (unchanged if there is nothing to undo)."""
        return self._step(image_id, "SELECT * FROM history WHERE id = (SELECT parent FROM history WHERE id = ?)")

    def redo(self, image_id: int) -> int:
        """Take back the last undo; returns the revision (unchanged if there is nothing to redo)."""
        return self._step(image_id, "SELECT * FROM history WHERE parent = ? ORDER BY id DESC LIMIT 1")

    def can_undo(self, image_id: int) -> bool:
        with self._reading() as db:
            state = picture_rows.image(db, image_id)["state"]
            query = "SELECT 1 FROM history WHERE id = ? AND parent IS NOT NULL"
            return db.execute(query, (state,)).fetchone() is not None

    def can_redo(self, image_id: int) -> bool:
        with self._reading() as db:
            state = picture_rows.image(db, image_id)["state"]
            return db.execute("SELECT 1 FROM history WHERE parent = ?", (state,)).fetchone() is not None

    # Classes

    def classes(self) -> list[ProjectClass]:
        """The classes in their order, which is that of training."""
        with self._reading() as db:
            return class_rows.classes(db)

    def set_classes(self, classes: Sequence[ProjectClass]) -> None:
        """Replace the list of classes: order, colours, keys, skeletons, new ones. A class that regions use cannot be
        left out; a new class without a key gets the next free digit."""
        with self._writing() as db:
            class_rows.put(db, classes)
            project_meta.follow_classes(db, {entry.name: entry.name for entry in classes})

    def rename_class(self, old: str, new: str) -> None:
        """Give a class another name, in the list and in every region; each picture concerned gets a new revision."""
        with self._reading() as db:
            known = dataset_changes.renamed(db, old, new) if new != old else {}
        with self._writing() as db:
            class_rows.rename(db, old, new)
            if new == old:
                return
            names = {entry.name: entry.name for entry in class_rows.classes(db) if entry.name != new}
            project_meta.follow_classes(db, {**names, old: new})
            dataset_changes.rename_in_regions(db, old, new, known)

    def merge_class(self, old: str, new: str) -> Snapshot:
        """Give every region of class `old` the class `new`, which is there already, and drop `old`; returns a snapshot
        of before. Each picture concerned gets a new revision.

        Raises `StudioError` for an unknown class, and for two classes whose keypoints are not the same.
        """
        with self._reading() as db:
            known = dataset_changes.renamed(db, old, new)
        with self._writing() as db:
            snapshot = snapshots.take(db, f'before "{old}" became "{new}"')
            class_rows.allow_merge(db, old, new)
            dataset_changes.rename_in_regions(db, old, new, known)
            class_rows.drop_unused(db, [old])
            project_meta.follow_classes(db, {entry.name: entry.name for entry in class_rows.classes(db)})
            return snapshot

    @property
    def class_attribute(self) -> str | None:
        """The VIA attribute that is the class; None where none is."""
        with self._reading() as db:
            return project_meta.read(db, "class_attribute", None)

    def attribute_definitions(self, kind: Literal["region", "file"] = "region") -> dict[str, Any]:
        """VIA's definitions of the attributes of regions or of pictures, by name, as they stood in their file."""
        with self._reading() as db:
            defined = project_meta.read(db, "extras", {}).get("via_attributes", {}).get(kind, {})
        return defined if isinstance(defined, dict) else {}

    def set_class_attribute(self, name: str | None) -> Snapshot:
        """Let another VIA attribute be the class (None: every region is of one class); returns a snapshot of before.

        Every picture concerned gets a new revision. Raises `ArgumentError` for an attribute that no region has.
        """
        reason = f'before "{name}" became the class' if name else "before one class for all"
        for _ in range(_TRIES):
            with self._reading() as db:
                seen, before = dataset_changes.seen(db), stored_dataset.dataset(db, self._place)
            worked_out = dataset_changes.reclassified(before, name)
            with self._writing() as db:
                if dataset_changes.seen(db) == seen:
                    snapshot = snapshots.take(db, reason)
                    dataset_changes.reclassify(db, worked_out)
                    return snapshot
        with self._writing() as db:  # somebody saves all the time: nobody may while this is worked out once more
            worked_out = dataset_changes.reclassified(stored_dataset.dataset(db, self._place), name)
            snapshot = snapshots.take(db, reason)
            dataset_changes.reclassify(db, worked_out)
            return snapshot

    # Snapshots, and changes of many pictures

    def snapshot(self, name: str) -> Snapshot:
        """Keep the labels as they are now under a name; nothing is copied, so it costs next to nothing."""
        with self._writing() as db:
            return snapshots.take(db, name)

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, the newest first."""
        with self._reading() as db:
            return snapshots.every(db)

    def restore(self, snapshot_id: int) -> Snapshot:
        """Bring every picture back to what it was in a snapshot; returns a snapshot of what was there before.

        Going back is a save of each picture that differs, so it can be undone picture by picture, or as a whole by
        restoring the snapshot that is returned. Pictures and classes that came later stay.
        """
        with self._reading() as db:
            known = snapshots.states_of(db, snapshot_id)
        with self._writing() as db:
            name = stored_dataset.snapshot_row(db, snapshot_id)["name"]
            before = snapshots.take(db, f"before going back to {name}")
            snapshots.restore(db, snapshot_id, known)
            return before

    def apply(self, before: Dataset, after: Dataset, reason: str) -> Snapshot:
        """Store the difference of two datasets that came from `dataset()`, in one transaction; returns a snapshot of
        what was there, named `reason`.

        Changed regions are saved, a changed split is set, and a picture that is missing in `after` is removed. Classes
        that `after` has no more are dropped where no region uses them. Raises `StaleSave` if a picture concerned was
        saved since; then nothing is changed.
        """
        found = dataset_changes.between(before, after)
        states = dataset_changes.states_of(found)
        with self._writing() as db:
            snapshot = snapshots.take(db, reason)
            dataset_changes.apply(db, found, states, before, after)
            return snapshot

    def dataset(self, split: Split | None = None, snapshot: int | None = None) -> Dataset:
        """The pictures of one split, or all, with their regions, as they are now or were in a snapshot; paths lead
        into `images/`. Large projects give records that are read when they are asked for."""
        with self._reading() as db:
            return stored_dataset.dataset(db, self._place, split, snapshot)

    # In

    def import_dataset(self, dataset: Dataset, split: Split | None, progress: Progress | None = None) -> ImportReport:
        """Copy a dataset's pictures and regions into the project; all that can be taken, or, on an error, nothing.

        With `split` None each picture goes where its record says, else into training. A picture that is there already
        (same name, same bytes) keeps its regions; if it has none, it gets those of the dataset. Another picture of a
        name that is taken gets a name with a number. Pictures that are missing or cannot be read are passed over and
        named in the report.
        """
        missing: list[str] = []
        incoming = importing.from_dataset(dataset.images, missing)
        report = self._take(incoming, split, dataset, progress, len(dataset.images))
        return replace(report, missing=tuple(missing))

    def add_pictures(
        self, files: Iterable[Path | str | tuple[str, bytes]], split: Split, progress: Progress | None = None
    ) -> ImportReport:
        """Add pictures without regions, from paths or as `(name, content)` pairs (an upload), as `import_dataset`."""
        files = list(files)
        return self._take(importing.from_files(files), split, None, progress, len(files))

    def _take(
        self,
        incoming: Iterator[Incoming],
        split: Split | None,
        dataset: Dataset | None,
        progress: Progress | None,
        total: int,
    ) -> ImportReport:
        wanted = None if split is None else known_split(split)
        with unsynced_files.staging(self._database, self.images_folder) as room:
            warnings = importing.stage(room, incoming, wanted, importing.counting(progress, total))
            with self._reading() as db:
                arrival = importing.prepared(db, room, dataset)
            with self._writing() as db:
                report = importing.take_in(db, self.images_folder, room, dataset, arrival)
        return replace(report, warnings=(*warnings, *report.warnings))

    # As a whole

    def copy_database(self, folder: Path, name: str) -> None:
        """Write the labels with all their history as the database of another project in `folder`, which is called
        `name` and has none yet. What others save meanwhile is in it or not, never half."""
        copy = Project(folder)
        making = database_errors.complaining(copy._database)
        with self._reading() as db, making, closing(sqlite3.connect(copy._database)) as target:
            db.backup(target)
        copy.set_name(name)

    def is_importing(self) -> bool:
        """Whether an import into the project is running."""
        return unsynced_files.is_in_use(self.images_folder)

    # Inside

    @property
    def _database(self) -> Path:
        return self.folder / DATABASE

    @property
    def _place(self) -> stored_dataset.Place:
        return stored_dataset.Place(self.folder, self._database, self.images_folder)

    def _reading(self) -> Any:
        return database.reading(self._database)

    def _writing(self) -> Any:
        return database.writing(self._database)

    def _step(self, image_id: int, query: str) -> int:
        with self._writing() as db:
            return picture_rows.step(db, picture_rows.image(db, image_id), query)
