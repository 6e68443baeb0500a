"""The region attributes in which the studio stores what VIA cannot hold: keypoints, the source and score of a model's
suggestion, crowds. Read and written here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from maskrcnn.annotations.formats.json_values import (
    FARTHEST,
    Json,
)
from maskrcnn.annotations.formats.via import class_values
from maskrcnn.annotations.formats.via.class_values import is_crowd_value
from maskrcnn.annotations.regions import (
    Keypoints,
    Point,
    Polyline,
    Region,
    Shape,
)

KEYPOINTS = "keypoints"
SOURCE = "maskrcnn_source"
SCORE = "maskrcnn_score"
"""Region attributes in which the studio stores information that VIA cannot hold."""

STUDIO_ATTRIBUTES = frozenset((KEYPOINTS, SOURCE, SCORE))
_LONGEST_KEYPOINTS = 100_000


class StudioAttributes(NamedTuple):
    """A region's attributes and shape, and what the studio had stored in its attributes."""

    attributes: Json
    shape: Shape
    keypoints: Keypoints | None = None
    source: Literal["human", "model"] = "human"
    score: float | None = None


def take_studio_attributes(attributes: Json, shape: Shape, notes: Json) -> StudioAttributes:
    """Return a region's attributes without those that the studio wrote, and the information from these: keypoints,
    source and score. A text of keypoints that the studio would write differently is added to `notes`."""
    attributes = dict(attributes)
    source: Literal["human", "model"] = "human"
    if attributes.get(SOURCE) == "model":
        source = "model"
        del attributes[SOURCE]
    score = score_of_attribute(attributes.get(SCORE))
    if score is not None:
        del attributes[SCORE]
    keypoints = keypoints_of_attribute(attributes.get(KEYPOINTS))
    if keypoints is not None:
        written = attributes.pop(KEYPOINTS)
        if written != attribute_of_keypoints(keypoints):
            notes[KEYPOINTS] = written
        if shape == line_through_keypoints(keypoints):
            shape, keypoints = keypoints, None
    return StudioAttributes(attributes, shape, keypoints, source, score)


def score_of_attribute(value: Any) -> float | None:
    """Return the score that the studio stored in a VIA attribute; None if the value is no score."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST
    return value if is_number else None


def attribute_of_keypoints(keypoints: Keypoints) -> str:
    """Return keypoints as the text that the studio stores in a VIA attribute: `[[x, y, visibility], ...]`."""
    return json.dumps(keypoints.points, allow_nan=False)


def keypoints_of_attribute(value: Any) -> Keypoints | None:
    """Return the keypoints that the studio stored as the text of a VIA attribute; None for any other value."""
    if not isinstance(value, str) or not value.startswith("[") or len(value) > _LONGEST_KEYPOINTS:
        return None
    try:
        places = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return Keypoints(tuple(tuple(place) for place in places)) if all(map(_is_attribute_keypoint, places)) else None


def _is_attribute_keypoint(place: Any) -> bool:
    """Whether an entry of the text of a VIA attribute is one keypoint: a list of x, y and visibility."""
    return (
        isinstance(place, list)
        and len(place) == 3
        and all(type(value) in (int, float) and abs(value) <= FARTHEST for value in place)
        and type(place[2]) is int
        and place[2] in (0, 1, 2)
    )


def line_through_keypoints(keypoints: Keypoints) -> Shape:
    """Return the shape that VIA shows for an object with only keypoints: a line through the labelled ones."""
    labelled = tuple((x, y) for x, y, visibility in keypoints.points if visibility)
    if len(labelled) > 1:
        return Polyline(labelled)
    return Point(*labelled[0]) if labelled else Point(0, 0)


def attributes_to_write(
    region: Region, class_attribute: str | None, dataset_extras: Mapping[str, Any], notes: Mapping[str, Any]
) -> Json:
    """Return the region's attributes as they are written: with its class, and with the information that VIA has no
    field for: keypoints, source, score and crowd.

    `dataset_extras` has the values of classes and the attribute definitions (see `value_of_class`). `notes` are those
    from reading the region, which have the original text of its keypoints.
    """
    attributes = dict(region.attributes)
    is_marked = is_crowd_value(attributes.get(class_values.CROWD))
    if region.iscrowd and not is_marked:
        attributes[class_values.CROWD] = 1
    elif is_marked and not region.iscrowd:
        del attributes[class_values.CROWD]
    for name, other in renamed_attributes(region, class_attribute).items():
        attributes[other] = attributes.pop(name)
    if (keypoints := region.any_keypoints) is not None:
        written = notes.get(KEYPOINTS)
        attributes[KEYPOINTS] = (
            written if keypoints_of_attribute(written) == keypoints else attribute_of_keypoints(keypoints)
        )
    if region.source != "human":
        attributes[SOURCE] = region.source
    if region.score is not None:
        attributes[SCORE] = region.score
    if class_attribute is not None and region.class_name is not None:
        attributes[class_attribute] = class_values.value_of_class(region, class_attribute, dataset_extras)
    return attributes


def renamed_attributes(region: Region, class_attribute: str | None) -> dict[str, str]:
    """Return attribute -> new name, for the attributes of a region that cannot be written under their own name.

    The name is needed for the class or for the studio's information (`keypoints`, `maskrcnn_source`,
    `maskrcnn_score`), or the value would be read back as such information. The new name has "_" at its end.
    """
    attributes = region.attributes
    needed = {
        KEYPOINTS: region.any_keypoints is not None or keypoints_of_attribute(attributes.get(KEYPOINTS)) is not None,
        SOURCE: region.source != "human" or attributes.get(SOURCE) == "model",
        SCORE: region.score is not None or score_of_attribute(attributes.get(SCORE)) is not None,
    }
    if class_attribute is not None and region.class_name is not None:
        needed[class_attribute] = True
    others: dict[str, str] = {}
    for name in (name for name, is_needed in needed.items() if is_needed and name in attributes):
        other = f"{name}_"
        while other in attributes or other in needed:
            other += "_"
        others[name] = other
    return others
