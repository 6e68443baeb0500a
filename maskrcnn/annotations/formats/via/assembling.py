"""Build the dataset of a VIA file from its pictures: their order, the class attribute, and the other parts of a
project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, is_too_deep, text
from maskrcnn.annotations.formats.via import attribute_definitions, class_change, class_rule, class_values
from maskrcnn.annotations.formats.via.attribute_tally import Tally, parts_of
from maskrcnn.annotations.formats.via.reading import Reader
from maskrcnn.annotations.regions import Dataset, ImageRecord, Skeleton

IMAGES = "_via_img_metadata"
VERSION = "2.0.10"
SKELETONS = "_maskrcnn_skeletons"
"""The part of a project file with the names and bones of keypoints, which VIA itself cannot hold."""


@dataclass(frozen=True)
class Choice:
    """The chosen class attribute, and what is needed to set the class of every region."""

    attribute: str | None
    only_class: str | None
    classes: tuple[str, ...]
    values: Mapping[str, Any]

    def applied(self, record: ImageRecord) -> ImageRecord:
        """Return the record with the class of each region set."""
        regions = (
            class_values.classified(region, self.attribute, self.only_class, self.values) for region in record.regions
        )
        return replace(record, regions=tuple(regions)) if record.regions else record


def flavour(parts: Json | None, images: Iterable[Any]) -> str:
    """Return the flavour of a file. `parts` are the parts of a project except its pictures, or None for other files."""
    if parts is not None:
        return "via-project"
    return "via1" if any(is_one_x(image) for image in images) else "via2"


def is_one_x(image: Any) -> bool:
    """Whether a picture's entry is written in the form of VIA 1.x."""
    return isinstance(image, dict) and ("base64_img_data" in image or isinstance(image.get("regions"), dict))


def ordered(keys: Iterable[str], parts: Json | None) -> tuple[str, ...]:
    """Return the keys of the pictures in the order of the project's own list; unlisted keys come last."""
    keys = dict.fromkeys(keys)
    listed = parts.get("_via_image_id_list") if parts is not None else None
    if not isinstance(listed, list):
        return tuple(keys)
    return tuple(dict.fromkeys((*(key for key in listed if isinstance(key, str) and key in keys), *keys)))


def unlisted(keys: Iterable[str], parts: Json | None) -> frozenset[str]:
    """Return the keys that are missing in the project's own list."""
    listed = parts.get("_via_image_id_list") if parts is not None else None
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(keys) - {key for key in listed if isinstance(key, str)}


def assembled(
    reader: Reader,
    keys: Sequence[str],
    parts: Json | None,
    tally: Tally,
    class_attribute: str | None,
    classified: Callable[[Choice], Sequence[ImageRecord]],
) -> Dataset:
    """Return the dataset of a file whose regions are counted in `tally`. `classified` returns the records for the
    chosen class attribute."""
    complain = reader.complain
    extras: Json = {"flavour": reader.flavour}
    skeletons: dict[str, Skeleton] = {}
    definitions: Json = {}
    warnings: tuple[str, ...] = ()
    if parts is not None:
        deep = [name for name, part in parts.items() if is_too_deep(part)]
        warnings = tuple(f"{complain.source}: {brief(name)} left out because it is nested too deep" for name in deep)
        further, skeletons = _project_extras(parts, deep, keys)
        extras |= further
        definitions = extras.get("via_attributes", {}).get("region", {})
    parts_of_class = parts_of(class_attribute, tally) if class_attribute is not None else ()
    choice = chosen(tally, definitions, None if parts_of_class else class_attribute, complain)
    if choice.values:
        extras["class_values"] = dict(choice.values)
    if parts is not None and choice.attribute is not None:
        options = attribute_definitions.options(definitions.get(choice.attribute))
        if undefined := sorted(set(tally.of(choice.attribute).counts) - set(options)):
            extras["via"]["project"]["undefined"] = {choice.attribute: undefined}
    images = classified(choice)
    dataset = Dataset(
        images, choice.classes, choice.attribute, Path(complain.source), extras, skeletons, warnings=warnings
    )
    return class_change.joined(dataset, parts_of_class) if parts_of_class else dataset


def _project_extras(parts: Json, deep: Sequence[str], keys: Sequence[str]) -> tuple[Json, dict[str, Skeleton]]:
    """Return the dataset's extras and skeletons from the parts of a project except its pictures. The parts named in
    `deep` are left out."""
    extras: Json = {}
    noted: Json = {}
    if without := [name for name in _PARTS if name not in parts]:
        noted["without"] = without
    parts = {name: part for name, part in parts.items() if name not in deep}
    other = {name: part for name, part in parts.items() if name not in _PARTS}
    for part in ("_via_settings", "_via_attributes"):
        if part in parts and _is_group_of_groups(part, parts[part]):
            extras[part[1:]] = parts[part]
        elif part in parts:  # display settings: if invalid, the regions can still be read
            other[part] = parts[part]
    if missing := [part for part in ("region", "file") if part not in extras.get("via_attributes", {})]:
        noted["without_attributes"] = missing
    listed = parts.get("_via_image_id_list", [*keys])
    if listed != [*keys]:
        noted["image_id_list"] = listed
        if isinstance(listed, list):
            known = set(keys)
            noted["dangling"] = [key for key in listed if isinstance(key, str) and key not in known]
    if parts.get("_via_data_format_version", VERSION) != VERSION:
        other["_via_data_format_version"] = parts["_via_data_format_version"]
    skeletons = _skeletons(other.get(SKELETONS))
    if skeletons is None:
        skeletons = {}
    else:
        del other[SKELETONS]
    if other:
        extras["via_other"] = other
    extras["via"] = {"project": noted}
    return extras, skeletons


def _is_group_of_groups(name: str, part: Any) -> bool:
    """Whether a part of a project has the expected form: settings are an object, attribute definitions an object of
    objects."""
    groups = (part.get("region", {}), part.get("file", {})) if isinstance(part, dict) else (None,)
    return isinstance(part, dict) and (name == "_via_settings" or all(isinstance(group, dict) for group in groups))


_PARTS = ("_via_settings", "_via_attributes", "_via_data_format_version", "_via_image_id_list")
"""The parts of a project file that VIA itself writes, except the pictures."""


def skeletons_document(skeletons: Mapping[str, Skeleton]) -> Json:
    """Return the keypoints' names and bones of each class as a JSON object."""
    return {
        class_name: {"names": list(skeleton.names), "edges": [list(edge) for edge in skeleton.edges]}
        for class_name, skeleton in skeletons.items()
    }


def _skeletons(written: Any) -> dict[str, Skeleton] | None:
    """Return the skeletons from a `skeletons_document`; None for any other value."""
    try:
        skeletons = {
            class_name: Skeleton(tuple(entry["names"]), tuple((start, end) for start, end in entry["edges"]))
            for class_name, entry in written.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    for skeleton in skeletons.values():
        places = range(len(skeleton.names))
        if not all(isinstance(name, str) for name in skeleton.names):
            return None
        if not all(type(place) is int and place in places for edge in skeleton.edges for place in edge):
            return None
    return skeletons if skeletons_document(skeletons) == written else None


def chosen(tally: Tally, definitions: Mapping[str, Any], wanted: str | None, complain: Complaint) -> Choice:
    """Return the choice of the class attribute: `wanted`, or by the rule if that is None. Raises `ArgumentError` if
    `wanted` does not exist."""
    if wanted is not None:
        class_rule.require_known(wanted, tally, definitions, complain.source)
    name = wanted if wanted is not None else class_rule.by_rule(tally, definitions)
    only_class = class_rule.THE_ONLY_CLASS if name is None and not tally.says_something else None
    classes = class_rule.classes_of(tally, definitions, name)
    for class_name in classes:
        text(class_name, f"the class {brief(class_name)}", complain.at(f"attribute {brief(name)}"))
    if only_class is not None and tally.n_regions:
        classes = (only_class,)
    return Choice(name, only_class, classes, dict(tally.of(name).forms))


def counted(records: Iterable[ImageRecord]) -> Tally:
    """Return the tally of the attributes of all regions."""
    tally = Tally()
    for record in records:
        for region in record.regions:
            tally.add(region.attributes)
    return tally
