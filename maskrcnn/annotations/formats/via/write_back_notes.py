"""Notes about a VIA file, for writing it back as it was read: how it differs from what VIA usually writes.

They are kept under "via" in the `extras` of pictures and regions; see `via` for their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskrcnn.annotations.formats.json_values import (
    Json,
)
from maskrcnn.annotations.formats.via.keypoint_and_score_attributes import KEYPOINTS

CHANGED = "attributes_changed"
"""Note of a picture whose file attributes were changed since its file was read: their text is not written back."""


def unusual_empty_parts(holder: Json, names: Sequence[str]) -> Json:
    """Return the parts `names` of an entry that are empty, but in an unusual way: name -> its value in the file, such
    as null or "". They are written back like that. Usual is `{}`, and for `regions` also `[]`."""
    unusual: Json = {}
    for name in names:
        is_usual = holder.get(name) == {} or (name == "regions" and holder.get(name) == [])
        if name in holder and holder[name] in EMPTY_PARTS and not is_usual:
            unusual[name] = holder[name]
    return unusual


EMPTY_PARTS: tuple[Any, ...] = (None, "", [], {})
"""The values that programs write for an empty part of a VIA file."""


def with_via_notes(extras: Mapping[str, Any], flavour: str, of_flavour: Json, of_any: Json) -> Json:
    """Return the `extras` of a picture or region with notes for writing it back, under "via".

    The notes `of_flavour` are used only if a file of the same flavour is written, the notes `of_any` in any flavour.
    """
    if not of_flavour and not of_any:
        return dict(extras)
    further = {"flavour": flavour, **of_flavour} if of_flavour else {}
    return {**extras, "via": {**extras.get("via", {}), **further, **of_any}}


def via_notes(extras: Mapping[str, Any], flavour: str) -> Mapping[str, Any]:
    """Return the notes for writing a picture or region back, from its `extras`; without those that are only for
    another flavour."""
    kept_notes = extras.get("via", {})
    if kept_notes.get("flavour", flavour) == flavour:
        return kept_notes
    return {name: kept_notes[name] for name in _FOR_ALL_FLAVOURS if name in kept_notes}


_FOR_ALL_FLAVOURS = ("fields", "region", "shape", "class_value", KEYPOINTS)
