"""Project-wide settings, stored as JSON values in the table `meta`.

Every function works inside a transaction of the caller. The keys are:

- `name`: the name of the project;
- `class_attribute`: the VIA attribute that gives the class;
- `extras`: further data of the imported label files (`Dataset.extras`);
- `renamed_classes`: old name -> present name of each class that was renamed or merged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.store import json_columns


def read(db: sqlite3.Connection, key: str, otherwise: Any) -> Any:
    """Return the value of a key, or `otherwise` if it is missing. Raises `StudioError` for a damaged value."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return otherwise if row is None else json_columns.meta_value(key, row["value"], f'project.db: its "{key}"')


def write(db: sqlite3.Connection, key: str, value: Any) -> None:
    """Store a value under a key. Raises `StudioError` for a value that is nested too deep, and for invalid extras."""
    words = "what the labels say beside their regions" if key == "extras" else f'the project\'s "{key}"'
    text = json_columns.dumped(value, words)
    if key == "extras":
        json_columns.require_extras(value, words)
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))


def note_renamed_class(db: sqlite3.Connection, old: str, new: str) -> None:
    """Record that class `old` is called `new` now. Earlier renames to `old` lead to `new` too."""
    renamed = {name: new if now == old else now for name, now in read(db, "renamed_classes", {}).items()}
    write(db, "renamed_classes", {name: now for name, now in {**renamed, old: new}.items() if name != new})


def update_class_options(db: sqlite3.Connection, names: Mapping[str, str]) -> None:
    """Adapt the stored `extras` to changed classes. `names`: old name -> new name of each class that is kept.

    - VIA defines an option for each value of the class attribute: options in `names` are renamed, others deleted.
    - `class_values` (class -> original value) is kept for classes that keep their name, and deleted for others.
    """
    extras = read(db, "extras", {})
    definition = extras.get("via_attributes", {}).get("region", {}).get(read(db, "class_attribute", None))
    for listed in ("options", "default_options"):
        if isinstance(definition, dict) and isinstance(definition.get(listed), dict):
            kept = {old: shown for old, shown in definition[listed].items() if old in names}
            definition[listed] = {names[old]: names[old] if shown == old else shown for old, shown in kept.items()}
    values = extras.pop("class_values", {})
    if kept := {name: value for name, value in values.items() if names.get(name) == name}:
        extras["class_values"] = kept
    write(db, "extras", extras)


def add_dataset_facts(db: sqlite3.Connection, dataset: Dataset) -> None:
    """Add the extras and the class attribute of a dataset. Existing values of the project are kept."""
    if dataset.class_attribute is not None and read(db, "class_attribute", None) is None:
        write(db, "class_attribute", dataset.class_attribute)
    write(db, "extras", merged_project_extras(read(db, "extras", {}), dict(dataset.extras)))


def merged_project_extras(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge two values of the project's setting `extras`, which are nested dicts. Where both have a value, that of
    `first` is kept."""
    together = {**second, **first}
    for key in first.keys() & second.keys():
        if isinstance(first[key], dict) and isinstance(second[key], dict):
            together[key] = merged_project_extras(first[key], second[key])
    return together
