"""Read and write the rows of the table `class`, the classes of a project, inside a transaction of the caller."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskrcnn.annotations.colours import colours_of_new_classes
from maskrcnn.annotations.regions import Skeleton
from maskrcnn.annotations.store import json_columns
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

_DIGITS = "123456789"

COLOUR = re.compile("#[0-9a-fA-F]{6}")
HOTKEY = re.compile("[0-9a-z]")


@dataclass(frozen=True)
class ProjectClass:
    """A class with its colour (`#rrggbb`), its keyboard shortcut (0-9 or a-z; None: no key), and its keypoints."""

    name: str
    colour: str
    hotkey: str | None = None
    skeleton: Skeleton | None = None


def classes(db: sqlite3.Connection) -> list[ProjectClass]:
    """Return all classes in the order of the project."""
    return [
        ProjectClass(name, colour, hotkey, _stored_skeleton(name, skeleton))
        for name, colour, hotkey, skeleton in db.execute(
            "SELECT name, colour, hotkey, skeleton FROM class ORDER BY position, name"
        )
    ]


def add(db: sqlite3.Connection, names: Iterable[str], skeletons: Mapping[str, Skeleton] | None = None) -> list[str]:
    """Add the classes that the project does not have yet. Return their names.

    Each new class gets an unused colour (if there is one) and the next unused digit as its key. An existing class
    without a skeleton gets the one in `skeletons`.
    """
    skeletons = skeletons or {}
    known = "SELECT 1 FROM class WHERE name = ?"
    new = [name for name in dict.fromkeys(names) if db.execute(known, (checked_name(name),)).fetchone() is None]
    if new:
        _add_new(db, new, skeletons)
    for name, skeleton in skeletons.items():
        db.execute(
            "UPDATE class SET skeleton = ? WHERE name = ? AND skeleton IS NULL",
            (json_columns.dumped(class_skeleton_to_json(skeleton), f'the skeleton of class "{name}"'), name),
        )
    return new


def add_one(db: sqlite3.Connection, name: str, skeleton: Skeleton | None = None) -> None:
    """Add a class unless it exists, and give it a skeleton if it has none.

    Raises `StudioError` for an invalid name or skeleton, and if the class has another skeleton already.
    """
    if skeleton is not None:
        _check_class_skeleton(name, skeleton)
        known = {entry.name: entry.skeleton for entry in classes(db)}
        if known.get(name) not in (None, skeleton):
            raise StudioError(f'class "{name}" has other keypoints already; make a class of its own for these')
    add(db, [name], None if skeleton is None else {name: skeleton})


def _add_new(db: sqlite3.Connection, names: list[str], skeletons: Mapping[str, Skeleton]) -> None:
    """Insert new classes with unused colours and keys."""
    rows = db.execute("SELECT position, colour, hotkey FROM class").fetchall()
    position, hotkeys = max((row["position"] for row in rows), default=-1), {row["hotkey"] for row in rows}
    colours = colours_of_new_classes(len(names), [row["colour"] for row in rows], len(rows))
    for place, (name, colour) in enumerate(zip(names, colours, strict=True)):
        hotkey = free_hotkey(hotkeys)
        hotkeys.add(hotkey)
        _insert_class(db, ProjectClass(name, colour, hotkey, skeletons.get(name)), position + 1 + place)


def put(db: sqlite3.Connection, wanted: Sequence[ProjectClass]) -> None:
    """Replace the list of classes, in this order. A new class without a key gets the next unused digit.

    Raises `StudioError` if a class that regions use is missing in the new list.
    """
    _check_classes(wanted)
    names = {entry.name for entry in wanted}
    used = "SELECT class_name, count(*) FROM region WHERE class_name IS NOT NULL GROUP BY class_name"
    for name, number in db.execute(used).fetchall():
        if name not in names:
            regions = "1 region" if number == 1 else f"{number} regions"
            raise StudioError(f'class "{name}" is used by {regions}; give them another class first')
    known = {entry.name for entry in classes(db)}
    db.execute("DELETE FROM class")
    taken = {entry.hotkey for entry in wanted}
    for position, entry in enumerate(wanted):
        if entry.hotkey is None and entry.name not in known:
            hotkey = free_hotkey(taken)
            taken.add(hotkey)
            entry = ProjectClass(entry.name, entry.colour, hotkey, entry.skeleton)
        _insert_class(db, entry, position)


def drop_unused(db: sqlite3.Connection, names: Iterable[str]) -> None:
    """Delete those of the classes that no region uses."""
    for name in names:
        db.execute(
            "DELETE FROM class WHERE name = ? AND NOT EXISTS (SELECT 1 FROM region WHERE class_name = class.name)",
            (name,),
        )


def free_hotkey(taken: Collection[str | None]) -> str | None:
    """Return the first digit from 1 to 9 that is not in `taken`; None if all are taken."""
    return next((digit for digit in _DIGITS if digit not in taken), None)


def checked_name(name: str) -> str:
    """Return the class name. Raises `StudioError` if it is blank or not valid Unicode."""
    if not name.strip():
        raise StudioError("a class without a name cannot be kept; give it one")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise StudioError("a class name has a broken character in it; write it anew") from None
    return name


def class_to_json(entry: ProjectClass) -> dict[str, Any]:
    """Convert a class to JSON values, for a snapshot."""
    skeleton = class_skeleton_to_json(entry.skeleton) if entry.skeleton else None
    return {"name": entry.name, "colour": entry.colour, "hotkey": entry.hotkey, "skeleton": skeleton}


def class_from_json(document: object, words: str) -> ProjectClass:
    """Convert the JSON values of `document` to a class. Raises `StudioError` that begins with `words` if invalid."""
    if not isinstance(document, dict) or document.keys() != {"name", "colour", "hotkey", "skeleton"}:
        raise StudioError(f"{words} has a class that is none; restore the project folder from a copy")
    name, colour, hotkey, skeleton = (document[key] for key in ("name", "colour", "hotkey", "skeleton"))
    if (
        not isinstance(name, str)
        or not (isinstance(colour, str) and COLOUR.fullmatch(colour))
        or not (hotkey is None or (isinstance(hotkey, str) and HOTKEY.fullmatch(hotkey)))
    ):
        raise StudioError(f"{words} has a class that is none; restore the project folder from a copy")
    return ProjectClass(
        checked_name(name), colour, hotkey, None if skeleton is None else class_skeleton_from_json(skeleton, words)
    )


def class_skeleton_to_json(skeleton: Skeleton) -> dict[str, Any]:
    """Convert the skeleton of a project class to JSON values, for its row in the table `class` and for snapshots."""
    return {"names": skeleton.names, "edges": skeleton.edges}


def class_skeleton_from_json(document: object, words: str) -> Skeleton:
    """Convert the skeleton in a row of the table `class` or in a snapshot from JSON values.

    Raises `StudioError` that begins with `words` if it is invalid.
    """
    wrong = StudioError(f"{words} is not names and pairs of them; restore the project folder from a copy")
    if not isinstance(document, dict) or document.keys() != {"names", "edges"}:
        raise wrong
    names, edges = document["names"], document["edges"]
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise wrong
    if not isinstance(edges, list | tuple):
        raise wrong
    for edge in edges:
        if not isinstance(edge, list | tuple) or len(edge) != 2:
            raise wrong
        if not all(type(end) is int and 0 <= end < len(names) for end in edge):
            raise wrong
    return Skeleton(tuple(names), tuple((first, second) for first, second in edges))


def _stored_skeleton(name: str, text: object) -> Skeleton | None:
    """Return the skeleton in the JSON text of a row of the table `class`; None if the class has none."""
    if text is None:
        return None
    words = f'project.db: the skeleton of class "{name[:40]}"'
    return class_skeleton_from_json(json_columns.parsed(text, words), words)


def _check_classes(wanted: Sequence[ProjectClass]) -> None:
    """Raise `StudioError` if a name or key occurs twice, or a name, colour, key or skeleton is invalid."""
    names: set[str] = set()
    hotkeys: dict[str, str] = {}
    for entry in wanted:
        if checked_name(entry.name) in names:
            raise StudioError(f'class "{entry.name}" is in the list twice; leave one')
        names.add(entry.name)
        if not COLOUR.fullmatch(entry.colour):
            raise StudioError(f'class "{entry.name}" has the colour "{entry.colour}"; write it like #e69f00')
        if entry.hotkey is not None:
            if not HOTKEY.fullmatch(entry.hotkey):
                raise StudioError(f'class "{entry.name}" has the key "{entry.hotkey}"; choose one of 0-9 or a-z')
            if other := hotkeys.get(entry.hotkey):
                raise StudioError(f'classes "{other}" and "{entry.name}" share the key "{entry.hotkey}"; change one')
            hotkeys[entry.hotkey] = entry.name
        if entry.skeleton is not None:
            _check_class_skeleton(entry.name, entry.skeleton)


def _check_class_skeleton(name: str, skeleton: Skeleton) -> None:
    """Raise `StudioError` if the keypoints in the row of class `name` have equal or blank names, or an edge has an
    unknown end."""
    number = len(skeleton.names)
    if len(set(skeleton.names)) < number or not all(place.strip() for place in skeleton.names):
        raise StudioError(f'class "{name}" needs keypoints with different names; rename one')
    for edge in skeleton.edges:
        if len(edge) != 2 or not all(0 <= end < number for end in edge):
            raise StudioError(f'class "{name}" has a bone {edge} but only {counted(number, "keypoint")}; take it out')


def _insert_class(db: sqlite3.Connection, entry: ProjectClass, position: int) -> None:
    """Insert a row into the table `class`."""
    skeleton = None
    if entry.skeleton is not None:
        skeleton = json_columns.dumped(class_skeleton_to_json(entry.skeleton), f'the skeleton of class "{entry.name}"')
    db.execute(
        "INSERT INTO class (name, position, colour, hotkey, skeleton) VALUES (?, ?, ?, ?, ?)",
        (entry.name, position, entry.colour, entry.hotkey, skeleton),
    )


def rename_in_list(db: sqlite3.Connection, old: str, new: str) -> None:
    """Rename a class in its row of the table `class`, not in the regions.

    Raises `StudioError` if `old` is unknown or `new` exists.
    """
    known = [entry.name for entry in classes(db)]
    if old not in known:
        raise StudioError(f'there is no class "{old}"; the classes are {", ".join(known) or "none yet"}')
    if new in known and new != old:
        raise StudioError(f'class "{new}" is there already; choose another name')
    db.execute("UPDATE class SET name = ? WHERE name = ?", (checked_name(new), old))


def prepare_merge(db: sqlite3.Connection, old: str, new: str) -> None:
    """Prepare the row of class `new` for merging class `old` into it: it gets the keypoints of `old`, if it has none.

    Raises `StudioError` if they cannot be merged: a class is unknown, both are the same, or their keypoints differ.
    """
    known = {entry.name: entry for entry in classes(db)}
    for name in (old, new):
        if name not in known:
            raise StudioError(f'there is no class "{name}"; the classes are {", ".join(known) or "none yet"}')
    if old == new:
        raise StudioError(f'class "{old}" cannot be merged into itself; choose another')
    skeleton = known[old].skeleton
    if skeleton is not None and known[new].skeleton not in (None, skeleton):
        raise StudioError(f'classes "{old}" and "{new}" have different keypoints, so they cannot become one; keep both')
    if skeleton is not None:
        add(db, (), {new: skeleton})


def replace_class_list(db: sqlite3.Connection, names: Sequence[str]) -> None:
    """Replace the class list of the project by `names`, in this order. For a change of the class attribute.

    New classes get a colour and a key. Other classes are deleted if no region has them; otherwise they come after
    `names`.
    """
    kept = set(names)
    drop_unused(db, [entry.name for entry in classes(db) if entry.name not in kept])
    add(db, names)
    entries = {entry.name: entry for entry in classes(db)}
    put(db, [entries.pop(name) for name in names] + list(entries.values()))
