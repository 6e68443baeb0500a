"""TODO-DOC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskrcnn.annotations.formats.json_values import (
    Json,
)
from maskrcnn.annotations.formats.via.studio_attributes import (
    KEYPOINTS,
)


def unusual_empty_parts(holder: Json, names: Sequence[str]) -> Json:
    """Return how empty parts are written in the file, if not as VIA writes them."""
    return {
        name: holder[name]
        for name in names
        if name in holder
        and holder[name] in EMPTY_PARTS
        and holder[name] != {}
        and (name, holder[name]) != ("regions", [])
    }


EMPTY_PARTS: tuple[Any, ...] = (None, "", [], {})


def with_via_notes(extras: Mapping[str, Any], flavour: str, own: Json, kept: Json) -> Json:
    """Return the extras with notes under "via". `own` is valid only for a file of that flavour, `kept` for any."""
    if not own and not kept:
        return dict(extras)
    further = {"flavour": flavour, **own} if own else {}
    return {**extras, "via": {**extras.get("via", {}), **further, **kept}}


def via_notes(extras: Mapping[str, Any], flavour: str) -> Mapping[str, Any]:
    """Return what the reader noted about a VIA file in `extras`, for writing it back; without notes for another
    flavour."""
    kept_notes = extras.get("via", {})
    if kept_notes.get("flavour", flavour) == flavour:
        return kept_notes
    return {name: kept_notes[name] for name in _FOR_ALL_FLAVOURS if name in kept_notes}


_FOR_ALL_FLAVOURS = ("fields", "region", "shape", "class_value", KEYPOINTS)
