"""Read and write the table `suggestion`, inside a transaction of the caller.

A row has the regions that one network suggests for one picture. They are no labels: neither an export nor a training
sees them. A region that was accepted or thrown away is noted in the row, so that it does not come back.

The table may come from an untrusted source: regions pass the checks of `region_json`, as labels do.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from maskrcnn.annotations.regions import Region, Shape
from maskrcnn.annotations.store import json_columns, picture_rows, region_json
from maskrcnn.errors import StudioError

MOST_NETWORKS = 3
"""Maximum number of networks whose suggestions are kept for one picture. Those that were kept first are dropped."""

LONGEST_NAME = 300
"""Maximum number of bytes of the name of a network, and of the stamp of its checkpoint."""


@dataclass(frozen=True)
class KeptSuggestions:
    """What a network suggests for a picture and nobody has decided yet.

    `regions` have the source "model" and a score, best first as they were kept. `made` is a time in UTC. `stamp` names
    the state of the network's checkpoint; it is empty if nobody said it.
    """

    network: str
    regions: tuple[Region, ...]
    made: datetime
    stamp: str = ""


def keep(db: sqlite3.Connection, network: str, suggested: Mapping[int, Sequence[Region]], stamp: str = "") -> None:
    """Store what a network suggests for some pictures. It replaces what the same network suggested before.

    A region with the shape and class of one that was accepted or thrown away counts as decided, too. Other decisions
    are forgotten with what is replaced: a network that has learned more may be right this time. Raises
    `UnknownPicture`, and `StudioError` for a bad name and for regions that cannot be stored.
    """
    require_name(network, "name of the network")
    require_name(stamp, "stamp of the network", may_be_empty=True)
    for image_id, regions in suggested.items():
        picture_rows.image(db, image_id)
        before = _decided_places(db, image_id, network)
        state = picture_rows.PictureState.of(replace(region, source="model") for region in regions)
        # Read again, as `of` may give new ids; only where something was decided before.
        stored = region_json.loads(state.text) if before else ()
        decided = [region.id for region in stored if (region.shape, region.class_name) in before]
        db.execute("DELETE FROM suggestion WHERE image_id = ? AND network = ?", (image_id, network))
        db.execute(
            """INSERT INTO suggestion (image_id, network, stamp, regions, undecided, decided)
               VALUES (?, ?, ?, ?, ?, ?)""",
            (image_id, network, stamp, state.text, len(state.marks) - len(decided), json.dumps(decided)),
        )
        db.execute(
            """DELETE FROM suggestion WHERE image_id = ? AND id NOT IN
               (SELECT id FROM suggestion WHERE image_id = ? ORDER BY id DESC LIMIT ?)""",
            (image_id, image_id, MOST_NETWORKS),
        )


def kept(
    db: sqlite3.Connection, image_id: int, network: str | None, renamed: Mapping[str, str]
) -> KeptSuggestions | None:
    """Return the suggestions of a picture that nobody has decided; None if none were kept.

    Without `network` they are those that were kept last, of a network with something to decide if there is one. Classes
    get their present name by `renamed`, {old: present}. Raises `UnknownPicture`, and `StudioError` for damaged ones.
    """
    name = picture_rows.image(db, image_id)["file_name"]
    row = db.execute(
        """SELECT * FROM suggestion WHERE image_id = ? AND network = coalesce(?, network)
           ORDER BY undecided > 0 DESC, id DESC LIMIT 1""",
        (image_id, network),
    ).fetchone()
    if row is None:
        return None
    decided = _decided(row)
    regions = tuple(
        replace(region, class_name=renamed.get(region.class_name or "", region.class_name))
        for region in region_json.loads(row["regions"], f"{name} (suggestions)")
        if region.id not in decided
    )
    return KeptSuggestions(row["network"], regions, _made(row["made_at"]), row["stamp"])


def pictures(db: sqlite3.Connection) -> list[int]:
    """Return the ids of the pictures with suggestions that nobody has decided, without removed pictures."""
    rows = db.execute(
        """SELECT DISTINCT image_id FROM suggestion JOIN image ON image_id = image.id
           WHERE removed = 0 AND undecided > 0 ORDER BY image_id"""
    )
    return [number for (number,) in rows]


def decide(db: sqlite3.Connection, image_id: int, ids: Collection[str]) -> int:
    """Note that suggestions of a picture were accepted or thrown away. Return how many were open until now.

    Ids that no suggestion has are left out. Raises `UnknownPicture`.
    """
    picture_rows.image(db, image_id)
    count = 0
    for row in db.execute("SELECT * FROM suggestion WHERE image_id = ?", (image_id,)).fetchall():
        own = {identity for identity, _ in region_json.identities(row["regions"], "a picture (suggestions)")}
        before = _decided(row)
        after = before | (own & set(ids))
        if after != before:
            count += len(after) - len(before)
            _store_decided(db, row["id"], after, len(own - after))
    return count


def take_back(db: sqlite3.Connection, image_id: int) -> None:
    """Open all suggestions of a picture again, accepted ones too. Raises `UnknownPicture`."""
    picture_rows.image(db, image_id)
    for row in db.execute("SELECT * FROM suggestion WHERE image_id = ?", (image_id,)).fetchall():
        own = region_json.identities(row["regions"], "a picture (suggestions)")
        _store_decided(db, row["id"], (), len(own))


def require_name(text: str, words: str, may_be_empty: bool = False) -> None:
    """Raise `StudioError` unless a text can be stored as the name of a network, or as its stamp."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise StudioError(f"the {words} has a broken character; give it another name") from None
    if length > LONGEST_NAME or "\0" in text or not (text.strip() or may_be_empty):
        raise StudioError(f"the {words} is empty or longer than {LONGEST_NAME} bytes; give it another name")


def _made(text: str) -> datetime:
    """Return when suggestions were kept, in UTC."""
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        raise StudioError(f"project.db: suggestions were made at no time; {json_columns.RESTORE}") from None
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made


def _decided(row: sqlite3.Row) -> frozenset[str]:
    """Return the ids of the regions that were accepted or thrown away."""
    words = "project.db: what was decided about suggestions"
    found = json_columns.parsed(row["decided"], words)
    if not isinstance(found, list) or not all(isinstance(identity, str) for identity in found):
        raise StudioError(f"{words} is no list of names; {json_columns.RESTORE}")
    return frozenset(found)


def _decided_places(db: sqlite3.Connection, image_id: int, network: str) -> set[tuple[Shape, str | None]]:
    """Return shape and class of the suggestions of a network that were decided."""
    query = "SELECT * FROM suggestion WHERE image_id = ? AND network = ?"
    row = db.execute(query, (image_id, network)).fetchone()
    decided = _decided(row) if row is not None else frozenset()
    if not decided:
        return set()
    regions = region_json.loads(row["regions"], "a picture (suggestions)")
    return {(region.shape, region.class_name) for region in regions if region.id in decided}


def _store_decided(db: sqlite3.Connection, number: int, decided: Iterable[str], undecided: int) -> None:
    """Write what was decided about one row, and how many of its regions are open."""
    db.execute(
        "UPDATE suggestion SET decided = ?, undecided = ? WHERE id = ?",
        (json.dumps(sorted(decided)), undecided, number),
    )
