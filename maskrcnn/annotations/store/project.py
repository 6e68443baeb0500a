"""The project store: a folder with `project.db` (SQLite), `images/` (the original bytes) and `runs/`.

Pages and commands read and write projects through `Project` only. A save carries the revision it started from, so of
two people who edit the same picture the second learns of it, and nobody's work is overwritten. Every save is history;
undo and redo survive a restart.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from maskrcnn.annotations.regions import Dataset, ImageRecord, Region
from maskrcnn.annotations.store import region_json, schema, table_rows
from maskrcnn.annotations.store.importing import ImportReport, Incoming, plain_name, take_in
from maskrcnn.annotations.store.schema import DATABASE
from maskrcnn.annotations.store.table_rows import ProjectClass
from maskrcnn.errors import ArgumentError, StudioError

Split = Literal["train", "val"]
SPLITS: tuple[Split, ...] = ("train", "val")


class StaleSave(StudioError):
    """Somebody saved the same picture since it was opened. `regions` and `revision` are what is stored now."""

    def __init__(self, message: str, regions: tuple[Region, ...], revision: int) -> None:
        super().__init__(message)
        self.regions, self.revision = regions, revision


@dataclass(frozen=True)
class StoredImage:
    """One picture of a project; `width` and `height` are those of the displayed frame, in pixels."""

    id: int
    file_name: str
    width: int
    height: int
    split: Split
    done: bool
    revision: int
    n_regions: int


class Project:
    """A project folder. Make one with `Project.create` or `Project.open`; it holds no open files or connections."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path | str, name: str | None = None) -> Project:
        """A new, empty project; `ArgumentError` where the folder holds anything already."""
        folder = Path(folder)
        if (folder / DATABASE).exists():
            raise ArgumentError(f"{folder} already holds a project; open it, or choose another folder")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ArgumentError(f"{folder} is not an empty folder; choose another for the project")
        project = cls(folder)
        try:
            project.images_folder.mkdir(parents=True)
            project.runs_folder.mkdir()
            schema.create(project._database)
        except OSError as error:
            raise ArgumentError(f"{folder} cannot be made ({error.strerror}); choose another folder") from None
        with project._writing() as db:
            table_rows.set_meta(db, "name", name or folder.name)
        return project

    @classmethod
    def open(cls, folder: Path | str) -> Project:
        """An existing project; `ArgumentError` where there is none, `StudioError` where a newer studio wrote it."""
        project = cls(Path(folder))
        if not project._database.is_file():
            raise ArgumentError(f"{folder} is not a project (it has no {DATABASE}); choose a project folder")
        schema.check(project._database)
        return project

    @property
    def name(self) -> str:
        with self._reading() as db:
            return str(table_rows.meta(db, "name", self.folder.name))

    @property
    def images_folder(self) -> Path:
        return self.folder / "images"

    @property
    def runs_folder(self) -> Path:
        return self.folder / "runs"

    # Pictures and their regions

    def images(self, split: Split | None = None) -> list[StoredImage]:
        """The pictures in the order in which they came, of one split or of all."""
        query = """SELECT image.*, (SELECT count(*) FROM region WHERE image_id = image.id) AS n_regions
                   FROM image WHERE split = coalesce(?, split) ORDER BY id"""
        with self._reading() as db:
            rows = db.execute(query, (split,)).fetchall()
        return [
            StoredImage(
                row["id"],
                row["file_name"],
                row["width"],
                row["height"],
                row["split"],
                bool(row["done"]),
                row["revision"],
                row["n_regions"],
            )
            for row in rows
        ]

    def picture(self, image_id: int) -> Path:
        """Where the picture's file lies."""
        with self._reading() as db:
            return self.images_folder / self._row(db, image_id)["file_name"]

    def regions(self, image_id: int) -> tuple[tuple[Region, ...], int]:
        """The regions of a picture and the revision that they are, which `save` wants back."""
        with self._reading() as db:
            return table_rows.regions(db, image_id), self._row(db, image_id)["revision"]

    def save(self, image_id: int, regions: Iterable[Region], revision: int) -> int:
        """Store a picture's regions; returns the new revision. When this returns, the save is on disk.

        Raises `StaleSave` if the picture was saved since `revision`; then nothing is changed. Classes that the project
        does not know are added to it.
        """
        regions = table_rows.with_own_ids(regions)
        with self._writing() as db:
            row = self._row(db, image_id)
            if row["revision"] != revision:
                raise StaleSave(
                    f"{row['file_name']}: saved elsewhere since you opened it; load it again, then repeat your change",
                    table_rows.regions(db, image_id),
                    row["revision"],
                )
            return table_rows.save_state(db, row, regions)

    def undo(self, image_id: int) -> int:
        """Go back to the state before the last save; returns the revision (unchanged if there is nothing to undo)."""
        return self._step(image_id, "SELECT * FROM history WHERE id = (SELECT parent FROM history WHERE id = ?)")

    def redo(self, image_id: int) -> int:
        """Take back the last undo; returns the revision (unchanged if there is nothing to redo)."""
        return self._step(image_id, "SELECT * FROM history WHERE parent = ? ORDER BY id DESC LIMIT 1")

    def can_undo(self, image_id: int) -> bool:
        with self._reading() as db:
            state = self._row(db, image_id)["state"]
            return db.execute("SELECT parent FROM history WHERE id = ?", (state,)).fetchone()["parent"] is not None

    def can_redo(self, image_id: int) -> bool:
        with self._reading() as db:
            state = self._row(db, image_id)["state"]
            return db.execute("SELECT 1 FROM history WHERE parent = ?", (state,)).fetchone() is not None

    def set_done(self, image_id: int, done: bool) -> None:
        """Mark a picture as finished, or not."""
        with self._writing() as db:
            self._row(db, image_id)
            db.execute("UPDATE image SET done = ? WHERE id = ?", (int(done), image_id))

    def set_split(self, image_id: int, split: Split) -> None:
        """Move a picture to the other split."""
        with self._writing() as db:
            self._row(db, image_id)
            db.execute("UPDATE image SET split = ? WHERE id = ?", (_split(split), image_id))

    # Classes

    def classes(self) -> list[ProjectClass]:
        """The classes in their order, which is that of training."""
        with self._reading() as db:
            return table_rows.classes(db)

    def set_classes(self, classes: Sequence[ProjectClass]) -> None:
        """Replace the list of classes: order, colours, new ones. A class that regions use cannot be left out."""
        names = [entry.name for entry in classes]
        for name in names:
            table_rows.class_name(name)
            if names.count(name) > 1:
                raise StudioError(f'class "{name}" is in the list twice; leave one')
        for entry in classes:
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", entry.colour):
                raise StudioError(f'class "{entry.name}" has the colour "{entry.colour}"; write it like #e69f00')
        with self._writing() as db:
            used = "SELECT class_name, count(*) AS n FROM region WHERE class_name IS NOT NULL GROUP BY class_name"
            for row in db.execute(used):
                if row["class_name"] not in names:
                    raise StudioError(
                        f'class "{row["class_name"]}" is used by {row["n"]} regions; give them another class first'
                    )
            db.execute("DELETE FROM class")
            rows = [(entry.name, position, entry.colour) for position, entry in enumerate(classes)]
            db.executemany("INSERT INTO class VALUES (?, ?, ?)", rows)
            table_rows.keep_options(db, {name: name for name in names})

    def rename_class(self, old: str, new: str) -> None:
        """Give a class another name, in the list and in every region; each picture concerned gets a new revision."""
        new = table_rows.class_name(new)
        with self._writing() as db:
            known = [entry.name for entry in table_rows.classes(db)]
            if old not in known:
                raise StudioError(f'there is no class "{old}"; the classes are {", ".join(known) or "none yet"}')
            if new == old:
                return
            if new in known:
                raise StudioError(f'class "{new}" is there already; choose another name')
            db.execute("UPDATE class SET name = ? WHERE name = ?", (new, old))
            table_rows.keep_options(db, {name: new if name == old else name for name in known})
            concerned = "SELECT * FROM image WHERE id IN (SELECT image_id FROM region WHERE class_name = ?)"
            for row in db.execute(concerned, (old,)).fetchall():
                renamed = [
                    replace(region, class_name=new) if region.class_name == old else region
                    for region in table_rows.regions(db, row["id"])
                ]
                table_rows.save_state(db, row, renamed)

    # In and out

    def import_dataset(self, dataset: Dataset, split: Split) -> ImportReport:
        """Copy a dataset's pictures and regions into the project.

        A picture that is there already (same name, same bytes) keeps its regions; if it has none, it gets those of
        the dataset. Another picture of a name that is taken gets a name with a number. Pictures that are missing or
        cannot be read are passed over and named in the report. Where something is raised, nothing is stored.
        """
        incoming = [
            Incoming(Path(record.path).name, record.path.read_bytes, record)
            for record in dataset.images
            if record.path is not None
        ]
        missing = tuple(record.file_name for record in dataset.images if record.path is None)
        with self._writing() as db:
            known = {entry.name for entry in table_rows.classes(db)}
            table_rows.add_classes(db, dataset.classes)
            report = take_in(db, self.images_folder, incoming, _split(split))
            table_rows.merge_meta(db, dataset)
            new_classes = tuple(entry.name for entry in table_rows.classes(db) if entry.name not in known)
        return replace(report, missing=missing, new_classes=new_classes)

    def add_pictures(self, files: Iterable[Path | str | tuple[str, bytes]], split: Split) -> ImportReport:
        """Add pictures without regions, from paths or as `(name, content)` pairs (an upload)."""
        incoming = []
        for entry in files:
            if isinstance(entry, tuple):
                name, content = entry
                incoming.append(Incoming(plain_name(name), partial(bytes, content), ImageRecord(name)))
            else:
                path = Path(entry)
                incoming.append(Incoming(path.name, path.read_bytes, ImageRecord(path.name, path=path)))
        with self._writing() as db:
            return take_in(db, self.images_folder, incoming, _split(split))

    def dataset(self, split: Split | None = None) -> Dataset:
        """The pictures of one split, or all, with their regions; paths lead into `images/`."""
        with self._reading() as db:
            rows = db.execute("SELECT * FROM image WHERE split = coalesce(?, split) ORDER BY id", (split,)).fetchall()
            images = tuple(
                ImageRecord(
                    row["file_name"],
                    table_rows.regions(db, row["id"]),
                    self.images_folder / row["file_name"],
                    row["width"],
                    row["height"],
                    row["file_size"],
                    table_rows.attributes(row),
                )
                for row in rows
            )
            classes = tuple(entry.name for entry in table_rows.classes(db))
            return Dataset(
                images,
                classes,
                table_rows.meta(db, "class_attribute", None),
                self.folder,
                table_rows.meta(db, "extras", {}),
            )

    # Inside

    @property
    def _database(self) -> Path:
        return self.folder / DATABASE

    def _reading(self) -> Any:
        return schema.reading(self._database)

    def _writing(self) -> Any:
        return schema.writing(self._database)

    def _row(self, db: sqlite3.Connection, image_id: int) -> sqlite3.Row:
        row = db.execute("SELECT * FROM image WHERE id = ?", (image_id,)).fetchone()
        if row is None:
            raise StudioError(f"{self.folder}: there is no picture number {image_id}; choose one from the list")
        return row

    def _step(self, image_id: int, query: str) -> int:
        with self._writing() as db:
            row = self._row(db, image_id)
            state = db.execute(query, (row["state"],)).fetchone()
            if state is None:
                return row["revision"]
            regions = region_json.loads(state["regions"])
            return table_rows.show_state(db, row, state["id"], regions)


def _split(split: str) -> Split:
    for known in SPLITS:
        if split == known:
            return known
    raise ArgumentError(f'split "{split}" is unknown; choose {" or ".join(SPLITS)}')
