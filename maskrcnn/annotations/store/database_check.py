"""Validate the content of `project.db` before it is used.

A project may come from an untrusted source. SQLite runs triggers, views and expressions that are stored in a database,
and accepts text in integer columns. So the table definitions must be equal to those of `table_definitions`, token by
token, and each value must have the right type and range. Large values are validated when they are read: the regions of
a picture (`region_json`) and those that are suggested, its extras, and snapshots (`stored_dataset`).

The validation runs once for each process and each state of the file. Data that this process writes is known to be
valid. `tests/hostile/test_project_db.py` tests bad values in every column.
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
"""Maximum seconds of a validation; a small malicious file can claim to have a huge number of rows."""

_MOST_CLASSES = 200_000

# Once per state of the file


@dataclass(frozen=True)
class _CheckedFile:
    """A validated state of a database file: its `mark`, the time of the check (ns), and its duration (seconds).

    `_is_known` needs the time and the duration to decide whether to validate an equal mark again.
    """

    mark: tuple[int, ...]
    checked_at: int
    seconds: float


_accepted: dict[str, _CheckedFile] = {}
"""Database path -> the last state of the file that was valid."""

_refused: dict[str, tuple[_CheckedFile, str]] = {}
"""Version and path of a database -> the state that failed the validation, and the error message."""

_check_seconds: dict[str, float] = {}
"""Database path -> duration of its last validation in seconds. A short validation may be repeated (`_is_known`)."""

_MOST_KEPT = 1000

_TICK = 20_000_000
"""Resolution of file times in nanoseconds: two writes within this time may leave the same time stamp."""

_SHORT = 0.003
"""A validation below this many seconds may be repeated: that of a project with some hundred pictures."""


@contextmanager
def remembering(path: Path) -> Iterator[bool]:
    """Yield whether the present state of a database is already validated. Record its state at the end of the block.

    Nothing is recorded if the block raises.
    """
    key = str(path)
    known = _is_known(_accepted.get(key), database_files.mark(path))
    yield known
    if len(_accepted) > _MOST_KEPT:
        _accepted.clear()
    _accepted[key] = _CheckedFile(database_files.mark(path), time.time_ns(), _check_seconds.get(key, 0.0))


def _is_known(seen: _CheckedFile | None, mark: tuple[int, ...]) -> bool:
    """Whether the earlier validation `seen` is still valid for a file that has this `mark` (`database_files.mark`)."""
    if seen is None or seen.mark != mark:
        return False
    # If the file was written just before the check, it may have been written again with the same time stamp. So it is
    # checked again, unless that takes long.
    modified_at = mark[-1]
    was_just_written = seen.checked_at - modified_at <= _TICK
    is_slow_to_check = seen.seconds > _SHORT
    return not was_just_written or is_slow_to_check


# The validation


def examine(db: sqlite3.Connection, path: Path, version: int = table_definitions.VERSION) -> None:
    """Raise `StudioError` if the content is not what a studio of this version writes. The message names the table."""
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found != version:
        raise StudioError(f"{path}: was written by another version of the studio ({found}); open the project again")
    key, mark, checked_at = f"{version} {path}", database_files.mark(path), time.time_ns()
    last_refused, message = _refused.get(key, (None, ""))
    if _is_known(last_refused, mark):  # the file is unchanged since
        raise StudioError(message)
    _required_tables(version)  # takes some milliseconds on the first call, which are not part of the duration
    begin = time.thread_time()
    try:
        _examine_content(db, path, version)
    except StudioError as error:
        if len(_refused) > _MOST_KEPT:
            _refused.clear()
        _refused[key] = (_CheckedFile(mark, checked_at, time.thread_time() - begin), str(error))
        raise
    _check_seconds[str(path)] = time.thread_time() - begin


def _examine_content(db: sqlite3.Connection, path: Path, version: int) -> None:
    """Validate the schema and all rows, with a time limit. Raises `StudioError`."""

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
    """Raise `StudioError` unless the database has exactly the tables and indexes of the schema version."""
    expected, missing = _table_definitions(version), _required_tables(version)
    for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_schema"):
        if kind == "index" and str(name).startswith("sqlite_autoindex_") and sql is None:
            continue
        if kind not in ("table", "index") or _sql_tokens(sql) not in expected.get((kind, name), ()):
            raise StudioError(
                f"{path}: has a {kind} {name} that is not the studio's, so the database is not used; "
                "restore the project folder from a copy"
            )
        missing -= {name}
    if missing:
        raise StudioError(f"{path}: has no table {min(missing)}, so it is no project of the studio; choose another")


@cache
def _required_tables(version: int) -> frozenset[str]:
    """Return the names of the tables that a database of this schema version must have."""
    return frozenset(
        name for kind, name in _table_definitions(version) if kind == "table" and name != "sqlite_sequence"
    )


@cache
def _table_definitions(version: int) -> Mapping[tuple[str, str], frozenset[tuple[str, ...]]]:
    """Return {("table" or "index", name): allowed SQL definitions as tokens} for a schema version."""
    found: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for statements in _STATEMENTS[version]:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            for statement in statements:
                db.executescript(statement)
            for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"):
                found.setdefault((kind, name), set()).add(_sql_tokens(sql))
    return {key: frozenset(ways) for key, ways in found.items()}


_STATEMENTS: Mapping[int, tuple[tuple[str, ...], ...]] = {
    1: ((table_definitions.VERSION_1,),),
    2: ((table_definitions.VERSION_2,), (table_definitions.VERSION_1, *table_definitions.TO_VERSION_2)),
    3: (
        (table_definitions.TABLES_3,),
        (table_definitions.VERSION_1, *table_definitions.TO_VERSION_2, *table_definitions.TO_VERSION_3),
    ),
    4: (
        (table_definitions.TABLES,),
        (
            table_definitions.VERSION_1,
            *table_definitions.TO_VERSION_2,
            *table_definitions.TO_VERSION_3,
            *table_definitions.TO_VERSION_4,
        ),
    ),
}

_SQL_TOKEN = re.compile(r"""--[^\n]*|/\*.*?\*/|\s+|('(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|.)""", re.DOTALL)


def _sql_tokens(sql: object) -> tuple[str, ...]:
    """Split an SQL definition into tokens, without comments, spaces and quotes around simple names."""
    if not isinstance(sql, str):
        return ()
    words = (match.group(1) for match in _SQL_TOKEN.finditer(sql[:10_000]))
    return tuple(re.sub(r'^"(\w+)"$', r"\1", word) for word in words if word is not None)


# Values. SQLite itself evaluates the conditions, in about a microsecond per row.


def _valid_integer(column: str, least: int, most: int) -> str:
    """Return the SQL condition to check a column of every row: an integer from `least` to `most`."""
    return f"typeof({column}) = 'integer' AND {column} BETWEEN {least} AND {most}"


def _valid_text(column: str, most: int) -> str:
    """Return the SQL condition to check a column of every row: a text of at most `most` bytes."""
    return f"typeof({column}) = 'text' AND length(CAST({column} AS BLOB)) <= {most}"


def _valid_numbers(column: str) -> str:
    """Return the SQL condition to check a column of every row: float32 numbers, at most `looks.MOST_NUMBERS`."""
    return f"typeof({column}) = 'blob' AND length({column}) <= 262144 AND length({column}) % 4 = 0"


def _valid_place(column: str, least: int) -> str:
    """Return the SQL condition to check a column of every row: a number of pixels, at least `least`."""
    return f"typeof({column}) = 'real' AND {column} BETWEEN {least} AND {_MEASURES}"


_MANY = 10**12
"""Upper limit for numbers of pictures, states, regions and saves. Larger sums still fit into an integer column."""

_MEASURES = 10_000_000
"""Maximum width and height of a picture in pixels."""

_IMAGE = {
    "id": _valid_integer("id", 1, _MANY),
    "file_name": _valid_text("file_name", 255)
    # A name that is a path counts as a missing picture (`picture_paths`), so it is not an error here.
    + " AND file_name NOT IN ('', '.', '..') AND instr(file_name, char(0)) = 0",
    "given_name": _valid_text("given_name", 10_000),
    # Used as the file name of a thumbnail.
    "sha256": _valid_text("sha256", 64) + " AND sha256 != '' AND sha256 NOT GLOB '*[^0-9a-zA-Z]*'"
    " AND length(sha256) = length(CAST(sha256 AS BLOB))",
    "file_size": _valid_integer("file_size", 0, 10**15),
    "width": _valid_integer("width", 1, _MEASURES),
    "height": _valid_integer("height", 1, _MEASURES),
    "split": "typeof(split) = 'text' AND split IN ('train', 'val')",
    "done": _valid_integer("done", 0, 1),
    "attributes": "typeof(attributes) = 'text'",
    "revision": _valid_integer("revision", 1, _MANY),
    "state": _valid_integer("state", 1, _MANY),
}
_IMAGE_2 = {
    "n_regions": _valid_integer("n_regions", 0, _MANY),
    "extras": "typeof(extras) = 'text'",
    "removed": _valid_integer("removed", 0, 1),
}
_REGION = {
    "image_id": _valid_integer("image_id", 1, _MANY),
    "position": _valid_integer("position", 0, _MANY),
    "id": "typeof(id) = 'text'",
    "class_name": "typeof(class_name) IN ('text', 'null')",
}
_SNAPSHOT = {
    "id": _valid_integer("id", 1, _MANY),
    "name": _valid_text("name", 10_000),
    "made_at": _valid_text("made_at", 40) + " AND julianday(made_at) IS NOT NULL AND made_at GLOB '[0-9]*-*-*T*:*'",
    "pictures": _valid_integer("pictures", 0, _MANY),
    "regions": _valid_integer("regions", 0, _MANY),
    "facts": "typeof(facts) = 'text'",
}
_DECISION = {
    "id": _valid_integer("id", 1, _MANY),
    "image_id": _valid_integer("image_id", 1, _MANY),
    "kind": "typeof(kind) = 'text' AND kind IN ('missing', 'wrong_class', 'shifted', 'double', 'spurious')",
    "class_name": _valid_text("class_name", 10_000),
    "x": _valid_place("x", -_MEASURES),
    "y": _valid_place("y", -_MEASURES),
    "width": _valid_place("width", 0),
    "height": _valid_place("height", 0),
    "decision": "typeof(decision) = 'text' AND decision IN ('keep', 'mend', 'add')",
    "decided_at": _SNAPSHOT["made_at"].replace("made_at", "decided_at"),
}
_SUGGESTION = {
    "id": _valid_integer("id", 1, _MANY),
    "image_id": _valid_integer("image_id", 1, _MANY),
    "network": _valid_text("network", 300),
    "stamp": _valid_text("stamp", 300),
    "made_at": _SNAPSHOT["made_at"],
    "regions": "typeof(regions) = 'text'",
    "undecided": _valid_integer("undecided", 0, _MANY),
    "decided": "typeof(decided) = 'text'",
}
_PICTURE_LOOK = {
    **{name: _SUGGESTION[name] for name in ("id", "image_id", "network", "stamp")},
    "features": _valid_numbers("features"),
    "scores": _valid_numbers("scores"),
}
_SEQUENCE = {"name": "typeof(name) = 'text'", "seq": _valid_integer("seq", 0, _MANY)}

_ROWS_2 = {"image": _IMAGE | _IMAGE_2, "region": _REGION, "snapshot": _SNAPSHOT, "sqlite_sequence": _SEQUENCE}
_ROWS: Mapping[int, Mapping[str, Mapping[str, str]]] = {
    1: {"image": _IMAGE, "region": _REGION, "sqlite_sequence": _SEQUENCE},
    2: _ROWS_2,
    3: {**_ROWS_2, "label_decision": _DECISION},
    4: {
        **_ROWS_2,
        "label_decision": _DECISION,
        "suggestion": _SUGGESTION,
        "picture_look": _PICTURE_LOOK,
    },
}
"""Version -> table -> column -> SQL condition that must be true in every row."""


def require_snapshot_images(db: sqlite3.Connection, snapshot_id: int) -> None:
    """Raise `StudioError` if a snapshot has an invalid row in the table `snapshot_image`.

    Each training makes a snapshot, so this table may have a million rows. Only the rows of the snapshot that is read
    are checked.
    """
    good = " AND ".join(_valid_integer(name, 1, _MANY) for name in ("image_id", "state", "revision"))
    query = f"""SELECT count(*) FROM snapshot_image
                WHERE snapshot_id = ? AND NOT coalesce({good} AND {_IMAGE["split"]}, 0)"""
    if db.execute(query, (snapshot_id,)).fetchone()[0]:
        raise StudioError(
            f"project.db: the table snapshot_image has a row of snapshot {snapshot_id} that is not what it should be; "
            "restore the project folder from a copy"
        )


def _examine_rows(db: sqlite3.Connection, version: int, complain: Complain) -> None:
    """Raise `StudioError` if a row of a table does not meet the conditions in `_ROWS`."""
    for table, columns in _ROWS[version].items():
        # NOT INDEXED: in a damaged file an index can differ from its table.
        cases = " ".join(f"WHEN NOT coalesce({good}, 0) THEN '{column}'" for column, good in columns.items())
        query = f"SELECT CASE {cases} END AS wrong FROM {table} NOT INDEXED WHERE wrong IS NOT NULL LIMIT 1"
        wrong = db.execute(query).fetchone()
        if wrong is not None:
            raise complain(table, f"has a row whose {wrong[0]} is not what it should be")


def _examine_meta(db: sqlite3.Connection, path: Path) -> None:
    """Raise `StudioError` if the table `meta` has an invalid value."""
    for key, value in db.execute("SELECT key, value FROM meta NOT INDEXED"):
        if not isinstance(key, str):
            raise StudioError(f"{path}: the table meta has a row whose key is no text; {json_columns.RESTORE}")
        json_columns.meta_value(key, value, f"{path}: the table meta: its {key[:40]}")


def _examine_classes(db: sqlite3.Connection, version: int, complain: Complain) -> None:
    """Raise `StudioError` if a row of the table `class` is invalid."""
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
            class_rows.class_skeleton_from_json(
                json_columns.parsed(skeleton, words := f'project.db: the skeleton of class "{name[:40]}"'), words
            )
