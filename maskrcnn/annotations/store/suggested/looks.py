"""Read and write the table `picture_look`, inside a transaction of the caller: what a network sees in each picture.

From the looks follows which picture should be labelled next (`maskrcnn.inference.next_pictures`). They are numbers
only: the features of the picture, and the scores of what was found in it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from maskrcnn.annotations.store import json_columns, picture_rows
from maskrcnn.annotations.store.suggested.suggestions import MOST_NETWORKS, require_name
from maskrcnn.errors import StudioError

MOST_NUMBERS = 65_536
"""Maximum number of features, and of scores, of a picture."""

_NUMBER = np.dtype("<f4")


@dataclass(frozen=True)
class KeptLook:
    """What a network sees in one picture: `features (F,)` and the `scores (N,)` of its detections, both float32."""

    features: np.ndarray
    scores: np.ndarray


def keep(db: sqlite3.Connection, image_id: int, network: str, stamp: str, look: KeptLook) -> None:
    """Store the look of a network in the state of `stamp` on a picture. It replaces an earlier one of the network.

    Raises `UnknownPicture`, and `StudioError` for a bad name or numbers that are not finite.
    """
    picture_rows.image(db, image_id)
    require_name(network, "name of the network")
    require_name(stamp, "stamp of the network", may_be_empty=True)
    db.execute("DELETE FROM picture_look WHERE image_id = ? AND network = ?", (image_id, network))
    db.execute(
        "INSERT INTO picture_look (image_id, network, stamp, features, scores) VALUES (?, ?, ?, ?, ?)",
        (image_id, network, stamp, _bytes(look.features, "features"), _bytes(look.scores, "scores")),
    )
    db.execute(
        """DELETE FROM picture_look WHERE image_id = ? AND id NOT IN
           (SELECT id FROM picture_look WHERE image_id = ? ORDER BY id DESC LIMIT ?)""",
        (image_id, image_id, MOST_NETWORKS),
    )


def every(db: sqlite3.Connection, network: str, stamp: str) -> dict[int, KeptLook]:
    """Return {picture id: look} of a network in one state, without removed pictures.

    A row that another program damaged counts as missing, as each can be worked out again.
    """
    rows = db.execute(
        """SELECT image_id, features, scores FROM picture_look JOIN image ON image_id = image.id
           WHERE removed = 0 AND network = ? AND stamp = ? ORDER BY image_id""",
        (network, stamp),
    )
    found = {}
    for image_id, features, scores in rows:
        look = KeptLook(np.frombuffer(features, _NUMBER), np.frombuffer(scores, _NUMBER))
        if np.isfinite(look.features).all() and np.isfinite(look.scores).all():
            found[image_id] = look
    sizes = [len(look.features) for look in found.values()]
    usual = max(set(sizes), key=sizes.count, default=0)  # of one network, all have the same number
    return {image_id: look for image_id, look in found.items() if len(look.features) == usual}


def ready(db: sqlite3.Connection, network: str, stamp: str) -> set[int]:
    """Return the ids of the pictures that a network in this state has looked at."""
    query = "SELECT image_id FROM picture_look WHERE network = ? AND stamp = ?"
    return {number for (number,) in db.execute(query, (network, stamp))}


def _bytes(numbers: np.ndarray, words: str) -> bytes:
    """Return numbers as they are stored. Raises `StudioError` if they cannot be."""
    flat = np.asarray(numbers, _NUMBER).reshape(-1)
    if len(flat) > MOST_NUMBERS or not np.isfinite(flat).all():
        raise StudioError(f"the {words} of a picture are too many or not finite; {json_columns.RESTORE}")
    return flat.tobytes()
