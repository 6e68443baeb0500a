"""Build the dataset of a VIA file after its pictures are read: class attribute, parts of a project, warnings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.json_values import Json, brief, is_too_deep
from maskrcnn.annotations.formats.via import attribute_definitions
from maskrcnn.annotations.formats.via.attribute_tally import Tally
from maskrcnn.annotations.formats.via.class_attributes import (
    ClassChoice,
    chosen_class_attribute,
    combined_class_attributes,
    with_combined_class,
)
from maskrcnn.annotations.formats.via.picture_entry_reading import ViaReader
from maskrcnn.annotations.formats.via.project_parts import extras_of_project
from maskrcnn.annotations.regions import Skeleton


def built_dataset(
    reader: ViaReader,
    keys: Sequence[str],
    parts: Json | None,
    tally: Tally,
    class_attribute: str | None,
    classified: Callable[[ClassChoice], Sequence[ImageRecord]],
) -> Dataset:
    """Return the dataset of a VIA file whose regions are counted in `tally`.

    `keys` are the keys of its pictures; `parts` the parts of a project except its pictures, None for other files.
    `class_attribute` is what the user names: one attribute, several to combine ("mango, orange"), or None.
    `classified` returns the records for the chosen class attribute.
    """
    complain = reader.complain
    extras: Json = {"flavour": reader.flavour}
    skeletons: dict[str, Skeleton] = {}
    definitions: Json = {}
    warnings: tuple[str, ...] = ()
    if parts is not None:
        too_deep = [name for name, part in parts.items() if is_too_deep(part)]
        warnings = tuple(
            f"{complain.source}: {brief(name)} left out because it is nested too deep" for name in too_deep
        )
        further, skeletons = extras_of_project(parts, too_deep, keys)
        extras |= further
        definitions = extras.get("via_attributes", {}).get("region", {})
    to_combine = combined_class_attributes(class_attribute, tally) if class_attribute is not None else ()
    one_attribute = None if to_combine else class_attribute  # several are combined at the end
    choice = chosen_class_attribute(tally, definitions, one_attribute, complain)
    if choice.values:
        extras["class_values"] = dict(choice.values)
    if parts is not None and choice.attribute is not None:
        options = attribute_definitions.options_of_definition(definitions.get(choice.attribute))
        if undefined := sorted(set(tally.of(choice.attribute).counts) - set(options)):
            extras["via"]["project"]["undefined"] = {choice.attribute: undefined}
    images = classified(choice)
    dataset = Dataset(
        images, choice.classes, choice.attribute, Path(complain.source), extras, skeletons, warnings=warnings
    )
    return with_combined_class(dataset, to_combine) if to_combine else dataset
