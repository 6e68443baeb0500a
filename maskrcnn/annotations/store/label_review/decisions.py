"""Read and write the table `label_decision`, inside a transaction of the caller.

A decision belongs to a place in a picture, not to a run: a suspicion of another run or epoch is the same one if its
picture, kind and class are the same and its box has an IoU of at least `SAME_PLACE` with the decided one. So nobody is
asked twice.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from typing import Literal, get_args

from maskrcnn.annotations.store import class_rows, picture_rows
from maskrcnn.errors import StudioError

Kind = Literal["missing", "wrong_class", "shifted", "double", "spurious"]
"""Kinds of suspected label errors: no label on an object; a wrong class; a bad outline; two labels on one object; a
label on nothing."""

Decision = Literal["keep", "mend", "add"]
"""The label is right as it is; it was changed or removed; a label was added."""

Box = tuple[float, float, float, float]
"""x, y, width, height in picture pixels."""

SAME_PLACE = 0.5
"""IoU of two boxes from which two suspicions of one kind and class are the same one."""

_FARTHEST = 1e6
"""Maximum coordinate and side of a box in pixels."""

_LONGEST_NAME = 1000


@dataclass(frozen=True)
class LabelDecision:
    """One decision. `id` is its number in the project, `image_id` the picture, `class_name` the suspected class."""

    id: int
    image_id: int
    kind: Kind
    class_name: str
    box: Box
    decision: Decision

    def is_about(self, image_id: int, kind: str, box: Box) -> bool:
        """Whether a suspicion of this kind at this place of a picture is the one that was decided.

        Classes are left to the caller, who knows which ones were renamed.

        >>> decided = LabelDecision(1, 7, "missing", "cat", (0, 0, 10, 10), "keep")
        >>> decided.is_about(7, "missing", (0, 0, 10, 6)), decided.is_about(7, "missing", (0, 0, 10, 4))
        (True, False)
        """
        return self.image_id == image_id and self.kind == kind and box_iou(self.box, box) >= SAME_PLACE


def box_iou(first: Box, second: Box) -> float:
    """Return the IoU of two boxes (x, y, width, height); 0 if both are empty.

    >>> box_iou((0, 0, 2, 2), (1, 0, 2, 2))
    0.3333333333333333
    """
    sides = [
        min(first[axis] + first[axis + 2], second[axis] + second[axis + 2]) - max(first[axis], second[axis])
        for axis in (0, 1)
    ]
    shared = max(sides[0], 0.0) * max(sides[1], 0.0)
    union = first[2] * first[3] + second[2] * second[3] - shared
    return shared / union if union > 0 else 0.0


def every(db: sqlite3.Connection) -> list[LabelDecision]:
    """Return all decisions, the oldest first."""
    return [_decision(row) for row in db.execute("SELECT * FROM label_decision ORDER BY id")]


def add(db: sqlite3.Connection, image_id: int, kind: str, class_name: str, box: Box, decision: str) -> int:
    """Store a decision. Return its number.

    Raises `UnknownPicture`, and `StudioError` for an unknown kind or decision, a name that no class can have, a long
    name and a box that is none.
    """
    picture_rows.image(db, image_id)
    for value, known, words in ((kind, Kind, "kind of label error"), (decision, Decision, "decision")):
        if value not in get_args(known):
            raise StudioError(f"this {words} is unknown; it is one of {', '.join(get_args(known))}")
    if len(class_rows.checked_name(class_name)) > _LONGEST_NAME:
        raise StudioError(f"the class name has more than {_LONGEST_NAME} characters; give a shorter one")
    if not all(math.isfinite(value) and abs(value) <= _FARTHEST for value in box) or min(box[2:]) < 0:
        raise StudioError("the box of the decision is no box in a picture; load the page again")
    row = db.execute(
        """INSERT INTO label_decision (image_id, kind, class_name, x, y, width, height, decision)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (image_id, kind, class_name, *box, decision),
    )
    assert row.lastrowid is not None
    return row.lastrowid


def take_back(db: sqlite3.Connection, decision_id: int) -> bool:
    """Delete a decision, so that it is asked again. Return whether there was one."""
    return db.execute("DELETE FROM label_decision WHERE id = ?", (decision_id,)).rowcount > 0


def _decision(row: sqlite3.Row) -> LabelDecision:
    box = (row["x"], row["y"], row["width"], row["height"])
    return LabelDecision(row["id"], row["image_id"], row["kind"], row["class_name"], box, row["decision"])
