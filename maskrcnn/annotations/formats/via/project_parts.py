"""The parts of a VIA project file except its pictures: settings, attribute definitions, the order of the pictures, and
the studio's skeletons. Read and written here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats.json_values import (
    Json,
)
from maskrcnn.annotations.formats.via import (
    attribute_definitions,
)
from maskrcnn.annotations.formats.via.picture_entry_writing import Survey
from maskrcnn.annotations.formats.via.write_back_notes import via_notes
from maskrcnn.annotations.regions import Skeleton

IMAGES = "_via_img_metadata"
VERSION = "2.0.10"
"""The format version of projects that the studio writes (`_via_data_format_version`)."""
_PROJECT_PARTS = ("_via_settings", "_via_attributes", "_via_data_format_version", "_via_image_id_list")
"""The parts that VIA itself writes into every project file, in addition to the pictures."""
SKELETONS = "_maskrcnn_skeletons"
"""The part of a project file with the names and bones of keypoints, which VIA itself cannot hold."""


def ordered_picture_keys(keys: Iterable[str], parts: Json | None) -> tuple[str, ...]:
    """Return the keys of the pictures of a VIA file, in the order of the project's own list; unlisted keys come
    last."""
    keys = dict.fromkeys(keys)
    listed = parts.get("_via_image_id_list") if parts is not None else None
    if not isinstance(listed, list):
        return tuple(keys)
    return tuple(dict.fromkeys((*(key for key in listed if isinstance(key, str) and key in keys), *keys)))


def unlisted_picture_keys(keys: Iterable[str], parts: Json | None) -> frozenset[str]:
    """Return the keys of pictures that are missing in the project's own list."""
    listed = parts.get("_via_image_id_list") if parts is not None else None
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(keys) - {key for key in listed if isinstance(key, str)}


def extras_of_project(parts: Json, too_deep: Sequence[str], keys: Sequence[str]) -> tuple[Json, dict[str, Skeleton]]:
    """Return the dataset's extras and skeletons from the parts of a project except its pictures. Parts that are nested
    `too_deep` are left out. `keys` are the keys of the pictures.

    The extras have the settings and attribute definitions, all other parts (`via_other`), and notes for writing the
    project back: the parts that were missing (`without`, `without_attributes`), the list of pictures if it differs from
    `keys` (`image_id_list`), and those of its keys that have no picture (`dangling`).
    """
    extras: Json = {}
    noted: Json = {}
    if without := [name for name in _PROJECT_PARTS if name not in parts]:
        noted["without"] = without
    parts = {name: part for name, part in parts.items() if name not in too_deep}
    other = {name: part for name, part in parts.items() if name not in _PROJECT_PARTS}
    for part in ("_via_settings", "_via_attributes"):
        if part in parts and _is_valid_project_part(part, parts[part]):
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
    skeletons = _skeletons_of_part(other.get(SKELETONS))
    if skeletons is None:
        skeletons = {}
    else:
        del other[SKELETONS]
    if other:
        extras["via_other"] = other
    extras["via"] = {"project": noted}
    return extras, skeletons


def _is_valid_project_part(name: str, part: Any) -> bool:
    """Whether a part of a project has the expected form: settings are an object, attribute definitions an object of
    objects."""
    if not isinstance(part, dict):
        return False
    return name == "_via_settings" or all(isinstance(part.get(group, {}), dict) for group in ("region", "file"))


def skeletons_part(skeletons: Mapping[str, Skeleton]) -> Json:
    """Return the part of a VIA project file with the skeletons: the names and bones of the keypoints of each class."""
    return {
        class_name: {"names": list(skeleton.names), "edges": [list(edge) for edge in skeleton.edges]}
        for class_name, skeleton in skeletons.items()
    }


def _skeletons_of_part(written: Any) -> dict[str, Skeleton] | None:
    """Return the skeletons from a `skeletons_part`; None for any other value."""
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
    return skeletons if skeletons_part(skeletons) == written else None


# Writing


def parts_to_write(dataset: Dataset, found: Survey, keys: list[str]) -> Json:
    """Return the parts of a project file except the pictures. `keys` are the keys of the pictures.

    Parts that were missing in the file (`without`) are left out again, unless the dataset has got them since.
    """
    extras = dataset.extras
    noted = extras.get("via", {}).get("project", {})
    parts: Json = {
        "_via_settings": extras["via_settings"] if "via_settings" in extras else _settings_part(dataset, found),
        "_via_attributes": _attributes_part(dataset, found, noted),
        "_via_data_format_version": VERSION,
        "_via_image_id_list": _image_id_list_part(dataset, noted, keys),
        **({SKELETONS: skeletons_part(dataset.skeletons)} if dataset.skeletons else {}),
        **extras.get("via_other", {}),
    }
    left_out = {name for name in parts if name in noted.get("without", ()) and name.removeprefix("_") not in extras}
    return {name: part for name, part in parts.items() if name not in left_out}


def _attributes_part(dataset: Dataset, found: Survey, noted: Mapping[str, Any]) -> Json:
    """Return the part of a project with the attribute definitions: as in the file, with options of the class attribute
    added for all current classes.

    Regions of the file may have had classes that were not among its options (`undefined`). These are not added to the
    definition in the file, which is unchanged if there are no other classes.
    """
    name, attributes = found.class_attribute, dataset.extras.get("via_attributes")
    if attributes is None:
        fresh = {other: definition for other, definition in found.region_attributes.items() if other != name}
        attributes = {"region": fresh, "file": found.file_attributes}
    region = attributes.get("region", {})
    if name is not None:
        undefined = noted.get("undefined", {}).get(name, ())
        classes = (*dataset.classes, *sorted(found.used - set(dataset.classes)))
        defined = [class_name for class_name in classes if class_name not in undefined]
        has_only_undefined = bool(undefined) and not defined
        if not has_only_undefined:
            is_checkbox = any(isinstance(value, Mapping) for value in dataset.extras.get("class_values", {}).values())
            kind = "checkbox" if is_checkbox else "dropdown"
            options = defined if name in region else classes  # a new definition gets all of them
            region = attribute_definitions.with_options(region, name, options, kind)
    whole = {"file": {}, **attributes, "region": region}
    return {part: value for part, value in whole.items() if value or part not in noted.get("without_attributes", ())}


def _image_id_list_part(dataset: Dataset, noted: Mapping[str, Any], keys: list[str]) -> Any:
    """Return the part of a project with the order of the pictures, `_via_image_id_list`.

    It is the list of the file, without removed pictures and with new ones at its end. Keys of the list that never had a
    picture (`dangling`) stay in it, and pictures that were missing in it (`unlisted`) are not added.
    """
    if "image_id_list" not in noted:
        return keys
    listed = noted["image_id_list"]
    if not isinstance(listed, list):
        return listed
    expected = {*keys, *noted.get("dangling", ())}
    kept = [key for key in listed if not isinstance(key, str) or key in expected]
    not_added = {key for key in kept if isinstance(key, str)}
    for key, record in zip(keys, dataset.images, strict=True):
        if via_notes(record.extras, "via-project").get("unlisted"):
            not_added.add(key)
    return [*kept, *(key for key in keys if key not in not_added)]


def _settings_part(dataset: Dataset, found: Survey) -> Json:
    """Return the settings part of a new project, which VIA 2.0.10 can open. VIA then shows each region's class, if
    there is one."""
    return {
        "ui": {
            "annotation_editor_height": 25,
            "annotation_editor_fontsize": 0.8,
            "leftsidebar_width": 18,
            "image_grid": {
                "img_height": 80,
                "rshape_fill": "none",
                "rshape_fill_opacity": 0.3,
                "rshape_stroke": "yellow",
                "rshape_stroke_width": 2,
                "show_region_shape": True,
                "show_image_policy": "all",
            },
            "image": {
                "region_label": found.class_attribute or "__via_region_id__",
                "region_color": "__via_default_region_color__",
                "region_label_font": "10px Sans",
                "on_image_annotation_editor_placement": "NEAR_REGION",
            },
        },
        "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
        "project": {"name": dataset.source.stem if dataset.source else "project"},
    }


def picture_folder_of_project(dataset: Dataset) -> str:
    """Return the picture folder that a VIA project sets; empty if it sets none or for other formats."""
    core: Any = dataset.extras.get("via_settings", {})
    for key in ("core", "default_filepath"):
        core = core.get(key) if isinstance(core, Mapping) else None
    return core.strip() if isinstance(core, str) else ""


def is_project(document: Any) -> bool:
    """Whether a parsed JSON document is a saved project of VIA 2.x."""
    return isinstance(document, dict) and IMAGES in document
