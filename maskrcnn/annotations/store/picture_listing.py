"""List the pictures of a project, with filters and paging, and count pictures, regions and classes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from maskrcnn.annotations.dataset import SPLITS, Split, require_split
from maskrcnn.annotations.file_names import cached_natural_key
from maskrcnn.errors import ArgumentError

Status = Literal["new", "in progress", "done"]
STATUSES: tuple[Status, ...] = ("new", "in progress", "done")

_TOUCHED = "(n_regions > 0 OR revision > 1)"
_IS: dict[str, str] = {
    "new": f"done = 0 AND NOT {_TOUCHED}",
    "in progress": f"done = 0 AND {_TOUCHED}",
    "done": "done = 1",
}
"""Status -> SQL condition on image rows, equal to `StoredImage.status`."""


@dataclass(frozen=True)
class StoredImage:
    """One picture in the list of a project's pictures; `width` and `height` are in pixels, as displayed."""

    id: int
    file_name: str
    width: int
    height: int
    split: Split
    done: bool
    revision: int
    n_regions: int
    sha256: str
    """SHA-256 of the file's content when it was added."""

    @property
    def status(self) -> Status:
        """ "done" if marked as done; else "in progress" if it has a region or was ever saved; else "new"."""
        if self.done:
            return "done"
        return "in progress" if self.n_regions or self.revision > 1 else "new"


@dataclass(frozen=True)
class PictureCounts:
    """Numbers of pictures, without removed ones.

    `pictures`: by (status, split). `with_class`: pictures with a region of a class, by (status, split, class).
    `classes`: the classes of the project in order.
    """

    pictures: Mapping[tuple[Status, Split], int]
    with_class: Mapping[tuple[Status, Split, str], int]
    classes: tuple[str, ...]

    def count(self, status: Status | None = None, split: Split | None = None, class_name: str | None = None) -> int:
        """Return how many pictures `Project.images` lists for the same filter. None: any."""
        return sum(
            self.pictures.get((a, b), 0) if class_name is None else self.with_class.get((a, b, class_name), 0)
            for a in (STATUSES if status is None else (status,))
            for b in (SPLITS if split is None else (split,))
        )


@dataclass(frozen=True)
class Counts:
    """Numbers of pictures and regions of a project, without removed pictures.

    `pictures` = `done` + `in_progress` + `new` = `train` + `val`. `classes` has the number of regions of every class,
    in order, including 0. A region without a class counts only in `regions`.
    """

    pictures: int
    done: int
    in_progress: int
    new: int
    train: int
    val: int
    regions: int
    classes: Mapping[str, int]


def images(
    db: sqlite3.Connection,
    split: str | None = None,
    status: str | None = None,
    class_name: str | None = None,
    limit: int | None = None,
    offset: int = 0,
    removed: bool = False,
) -> list[StoredImage]:
    """Return the pictures that match the filters, in natural order of their names. `removed`: only removed ones."""
    if status is not None and status not in STATUSES:
        raise ArgumentError(f'status "{status}" is unknown; choose {", ".join(STATUSES[:-1])} or {STATUSES[-1]}')
    rows = db.execute(
        f"""SELECT id, file_name, width, height, split, done, revision, n_regions, sha256 FROM image
            WHERE removed = :removed AND split = coalesce(:split, split) {f"AND {_IS[status]}" if status else ""}
            {"AND id IN (SELECT image_id FROM region WHERE class_name = :class_name)" if class_name is not None else ""}
            ORDER BY id""",
        {
            "removed": removed,
            "split": None if split is None else require_split(split),
            "class_name": class_name,
        },
    ).fetchall()
    rows = sorted(rows, key=lambda row: cached_natural_key(row["file_name"]))[offset:]
    rows = rows if limit is None else rows[:limit]
    return [
        StoredImage(number, file_name, width, height, split, bool(done), revision, n_regions, sha256)
        for number, file_name, width, height, split, done, revision, n_regions, sha256 in rows
    ]


def counts(db: sqlite3.Connection) -> Counts:
    """Count the pictures and regions of a project."""
    sums = [f"coalesce(sum({condition}), 0)" for condition in (_IS["done"], _IS["in progress"], _IS["new"])]
    pictures, done, in_progress, new, train, regions = db.execute(
        f"""SELECT count(*), {", ".join(sums)}, coalesce(sum(split = 'train'), 0), coalesce(sum(n_regions), 0)
            FROM image WHERE removed = 0"""
    ).fetchone()
    by_class = db.execute(
        "SELECT name, (SELECT count(*) FROM region WHERE class_name = class.name) FROM class ORDER BY position"
    )
    classes = {name: number for name, number in by_class}
    return Counts(pictures, done, in_progress, new, train, pictures - train, regions, classes)


def picture_counts(db: sqlite3.Connection) -> PictureCounts:
    """Count the pictures of a project by status, split and class."""
    status = f"CASE WHEN {_IS['done']} THEN 'done' WHEN {_IS['new']} THEN 'new' ELSE 'in progress' END"
    pictures = db.execute(f"SELECT {status}, split, count(*) FROM image WHERE removed = 0 GROUP BY 1, 2")
    with_class = db.execute(
        f"""SELECT {status}, split, class_name, count(DISTINCT image_id)
            FROM image JOIN region ON image_id = image.id
            WHERE removed = 0 AND class_name IS NOT NULL GROUP BY 1, 2, 3"""
    )
    return PictureCounts(
        {(status, split): number for status, split, number in pictures},
        {(status, split, name): number for status, split, name, number in with_class},
        tuple(name for (name,) in db.execute("SELECT name FROM class ORDER BY position")),
    )
