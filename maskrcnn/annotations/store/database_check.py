"""Whether what is in `project.db` is what the studio writes: looked at before anything of it is used.

A project may come from a stranger. SQLite runs triggers, views and expressions that a database brings along, and keeps
text in a column of numbers. So the tables must be, word for word, those of `table_definitions`, and each value in them
of its kind and within its range. What is too much to look at here is looked at when it is read: the regions of a
picture (`region_json`), what else is said of it, and what a snapshot says (`stored_dataset`).

That is done once for each process and each state of the file: whatever this process itself writes is known to be good.
`tests/hostile/test_project_db.py` puts bad values into every column.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from maskrcnn.annotations.store import class_rows, database_files, json_columns, table_definitions
from maskrcnn.errors import StudioError

_LONGEST = 10.0
"""Seconds; a file of little size can pretend to have more rows than anybody can count."""

_MOST_CLASSES = 200_000

# Once per state of the file


@dataclass(frozen=True)
class _Seen:
    """A state of a database that was found good, when that was (ns), and how long it takes to examine it (seconds)."""

    mark: tuple[int, ...]
    at: int
    seconds: float


_seen: dict[str, _Seen] = {}

_refused: dict[str, tuple[_Seen, str]] = {}
"""The same for databases that were refused, with the words."""

_spent: dict[str, float] = {}
"""How long an examination took last."""

_MOST_KEPT = 1000

_TICK = 20_000_000
"""Nanoseconds in which a file may be written twice without its time telling."""

_SHORT = 0.003
"""Seconds of an examination that may as well be done twice: of a project of some hundred pictures."""


@contextmanager
def remembering(path: Path) -> Iterator[bool]:
    """Around the use of a database: whether its present state is known to be good. It is known at the end, unless
    something was raised."""
    key = str(path)
    known = _is_known(_seen.get(key), database_files.mark(path))
    yield known
    if len(_seen) > _MOST_KEPT:
        _seen.clear()
    _seen[key] = _Seen(database_files.mark(path), time.time_ns(), _spent.get(key, 0.0))


def _is_known(seen: _Seen | None, mark: tuple[int, ...]) -> bool:
    if seen is None or seen.mark != mark:
        return False
    # Written in the moment before it was looked at: it may have been written once more in that same moment. A large
    # database is not examined again for that after every save.
    return seen.at - mark[-1] > _TICK or seen.seconds > _SHORT


# The examination


def examine(db: sqlite3.Connection, path: Path, version: int = table_definitions.VERSION) -> None:
    """Raises `StudioError`, naming the database, the table and what is wrong, for anything that the studio of that
    version has not written."""
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found != version:
        raise StudioError(f"{path}: was written by another version of the studio ({found}); open the project again")
    _needed(version)  # which takes some milliseconds, once
    key, mark, at, begin = f"{version} {path}", database_files.mark(path), time.time_ns(), time.thread_time()
    seen, words = _refused.get(key, (None, ""))
    if _is_known(seen, mark):
        raise StudioError(words)
    try:
        _examine(db, path, version)
    except StudioError as error:
        if len(_refused) > _MOST_KEPT:
            _refused.clear()
        _refused[key] = (_Seen(mark, at, time.thread_time() - begin), str(error))
        raise
    _spent[str(path)] = time.thread_time() - begin


def _examine(db: sqlite3.Connection, path: Path, version: int) -> None:
    def complain(table: str, wrong: str) -> StudioError:
        return StudioError(f"{path}: the table {table} {wrong}; restore the project folder from a copy")

    end = time.monotonic() + _LONGEST
    db.set_progress_handler(lambda: time.monotonic() > end, 1_000_000)
    try:
        _examine_schema(db, path, version)
        _examine_rows(db, version, complain)
        _examine_meta(db, path)
        _examine_classes(db, version, complain)
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
            raise
        raise StudioError(
            f"{path}: has far more rows than a project has, or pretends to; restore the project folder from a copy"
        ) from None
    finally:
        db.set_progress_handler(None, 0)


Complain = Callable[[str, str], StudioError]


def _examine_schema(db: sqlite3.Connection, path: Path, version: int) -> None:
    expected, missing = _expected(version), _needed(version)
    for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_schema"):
        if kind == "index" and str(name).startswith("sqlite_autoindex_") and sql is None:
            continue
        if kind not in ("table", "index") or _words_of(sql) not in expected.get((kind, name), ()):
            raise StudioError(
                f"{path}: has a {kind} {name} that is not the studio's, so the database is not used; "
                "restore the project folder from a copy"
            )
        missing -= {name}
    if missing:
        raise StudioError(f"{path}: has no table {min(missing)}, so it is no project of the studio; choose another")


@cache
def _needed(version: int) -> frozenset[str]:
    return frozenset(name for kind, name in _expected(version) if kind == "table" and name != "sqlite_sequence")


@cache
def _expected(version: int) -> Mapping[tuple[str, str], frozenset[tuple[str, ...]]]:
    """(table or index, its name) -> the ways in which a studio may have defined it."""
    found: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for statements in _WAYS[version]:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            for statement in statements:
                db.executescript(statement)
            for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"):
                found.setdefault((kind, name), set()).add(_words_of(sql))
    return {key: frozenset(ways) for key, ways in found.items()}


_WAYS: Mapping[int, tuple[tuple[str, ...], ...]] = {
    1: ((table_definitions.VERSION_1,),),
    2: ((table_definitions.TABLES,), (table_definitions.VERSION_1, *table_definitions.TO_VERSION_2)),
}

_WORD = re.compile(r"""--[^\n]*|/\*.*?\*/|\s+|('(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|.)""", re.DOTALL)


def _words_of(sql: object) -> tuple[str, ...]:
    """A definition without its comments and spaces, and with plain names in no quotes."""
    if not isinstance(sql, str):
        return ()
    words = (match.group(1) for match in _WORD.finditer(sql[:10_000]))
    return tuple(re.sub(r'^"(\w+)"$', r"\1", word) for word in words if word is not None)


# Values. Conditions on a row are worked out by SQLite itself, at a microsecond for a row.


def _whole(column: str, least: int, most: int) -> str:
    return f"typeof({column}) = 'integer' AND {column} BETWEEN {least} AND {most}"


def _text(column: str, most: int) -> str:
    return f"typeof({column}) = 'text' AND length(CAST({column} AS BLOB)) <= {most}"


_MANY = 10**12
"""More pictures, states, regions and saves than any project has; what is added to it still fits into a column."""

_MEASURES = 10_000_000
"""Pixels of a side."""

_IMAGE = {
    "id": _whole("id", 1, _MANY),
    "file_name": _text("file_name", 255)
    # One that is a path is taken for that of a missing picture (`confinement`), and the others are there.
    + " AND file_name NOT IN ('', '.', '..') AND instr(file_name, char(0)) = 0",
    "given_name": _text("given_name", 10_000),
    # Names a thumbnail.
    "sha256": _text("sha256", 64) + " AND sha256 != '' AND sha256 NOT GLOB '*[^0-9a-zA-Z]*'"
    " AND length(sha256) = length(CAST(sha256 AS BLOB))",
    "file_size": _whole("file_size", 0, 10**15),
    "width": _whole("width", 1, _MEASURES),
    "height": _whole("height", 1, _MEASURES),
    "split": "typeof(split) = 'text' AND split IN ('train', 'val')",
    "done": _whole("done", 0, 1),
    "attributes": "typeof(attributes) = 'text'",
    "revision": _whole("revision", 1, _MANY),
    "state": _whole("state", 1, _MANY),
}
_IMAGE_2 = {
    "n_regions": _whole("n_regions", 0, _MANY),
    "extras": "typeof(extras) = 'text'",
    "removed": _whole("removed", 0, 1),
}
_REGION = {
    "image_id": _whole("image_id", 1, _MANY),
    "position": _whole("position", 0, _MANY),
    "id": "typeof(id) = 'text'",
    "class_name": "typeof(class_name) IN ('text', 'null')",
}
_SNAPSHOT = {
    "id": _whole("id", 1, _MANY),
    "name": _text("name", 10_000),
    "made_at": _text("made_at", 40) + " AND julianday(made_at) IS NOT NULL AND made_at GLOB '[0-9]*-*-*T*:*'",
    "pictures": _whole("pictures", 0, _MANY),
    "regions": _whole("regions", 0, _MANY),
    "facts": "typeof(facts) = 'text'",
}
_SEQUENCE = {"name": "typeof(name) = 'text'", "seq": _whole("seq", 0, _MANY)}

_ROWS: Mapping[int, Mapping[str, Mapping[str, str]]] = {
    1: {"image": _IMAGE, "region": _REGION, "sqlite_sequence": _SEQUENCE},
    2: {"image": _IMAGE | _IMAGE_2, "region": _REGION, "snapshot": _SNAPSHOT, "sqlite_sequence": _SEQUENCE},
}
"""Version -> table -> column -> what must be true of it in every row."""


def require_snapshot_images(db: sqlite3.Connection, snapshot_id: int) -> None:
    """`StudioError` where a row that says what a picture was in a snapshot is not what the studio writes. Each training
    makes a snapshot, so there may be a million of these rows; they are looked at where one snapshot is read."""
    good = " AND ".join(_whole(name, 1, _MANY) for name in ("image_id", "state", "revision"))
    query = f"""SELECT count(*) FROM snapshot_image
                WHERE snapshot_id = ? AND NOT coalesce({good} AND {_IMAGE["split"]}, 0)"""
    if db.execute(query, (snapshot_id,)).fetchone()[0]:
        raise StudioError(
            f"project.db: the table snapshot_image has a row of snapshot {snapshot_id} that is not what it should be; "
            "restore the project folder from a copy"
        )


def _examine_rows(db: sqlite3.Connection, version: int, complain: Complain) -> None:
    for table, columns in _ROWS[version].items():
        # Never from an index, which a damaged file can have at odds with its table.
        cases = " ".join(f"WHEN NOT coalesce({good}, 0) THEN '{column}'" for column, good in columns.items())
        query = f"SELECT CASE {cases} END AS wrong FROM {table} NOT INDEXED WHERE wrong IS NOT NULL LIMIT 1"
        wrong = db.execute(query).fetchone()
        if wrong is not None:
            raise complain(table, f"has a row whose {wrong[0]} is not what it should be")


def _examine_meta(db: sqlite3.Connection, path: Path) -> None:
    for key, value in db.execute("SELECT key, value FROM meta NOT INDEXED"):
        if not isinstance(key, str):
            raise StudioError(f"{path}: the table meta has a row whose key is no text; {json_columns.RESTORE}")
        json_columns.meta_value(key, value, f"{path}: the table meta: its {key[:40]}")


def _examine_classes(db: sqlite3.Connection, version: int, complain: Complain) -> None:
    columns = "name, position, colour" + (", hotkey, skeleton" if version > 1 else ", NULL, NULL")
    rows = db.execute(f"SELECT {columns} FROM class NOT INDEXED LIMIT {_MOST_CLASSES + 1}").fetchall()
    if len(rows) > _MOST_CLASSES:
        raise complain("class", f"has more than {_MOST_CLASSES} rows")
    for name, position, colour, hotkey, skeleton in rows:
        if not isinstance(name, str) or not name.strip():
            raise complain("class", "has a row whose name is not what it should be")
        if type(position) is not int or not 0 <= position <= _MANY:
            raise complain("class", f'has a row "{name[:40]}" whose position is not what it should be')
        if not isinstance(colour, str) or not class_rows.COLOUR.fullmatch(colour):
            raise complain("class", f'has a row "{name[:40]}" whose colour is not written like #e69f00')
        if hotkey is not None and not (isinstance(hotkey, str) and class_rows.HOTKEY.fullmatch(hotkey)):
            raise complain("class", f'has a row "{name[:40]}" whose hotkey is not one of 0-9 or a-z')
        if skeleton is not None:
            class_rows.skeleton_from(
                json_columns.parsed(skeleton, words := f'project.db: the skeleton of class "{name[:40]}"'), words
            )
