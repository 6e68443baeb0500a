"""Change the class attribute of a dataset that is already read: to one attribute, none, or several together.

If a class's value in the file differs from its name, it is kept: in `Dataset.extras["class_values"]` for the class, and
in `Region.extras["via"]["class_value"]` for a region that has a different value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from maskrcnn.annotations.formats.lazy_records import each
from maskrcnn.annotations.formats.via.attribute_definitions import definitions_of
from maskrcnn.annotations.formats.via.attribute_tally import Tally, class_of, form_of, parts_of
from maskrcnn.annotations.formats.via.class_rule import (
    THE_ONLY_CLASS,
    USUAL_NAMES,
    classes_of,
    current_class_attribute,
    require_known,
    tally_and_definitions,
)
from maskrcnn.annotations.formats.via.class_values import class_given_back, classified
from maskrcnn.annotations.regions import Dataset, ImageRecord, Region


def reclassified(dataset: Dataset, name: str | None) -> Dataset:
    """Return the dataset with attribute `name` as the class. None gives every region the class "object".

    The old class becomes an attribute again, with its value in the file; changing back gives an equal dataset. Classes
    without a region are remembered for their attribute. Raises `ArgumentError` if the attribute is unknown.
    """
    if name is not None and name == dataset.class_attribute:
        return dataset
    old = current_class_attribute(dataset)
    tally, definitions = tally_and_definitions(dataset)
    if name is not None and (parts := parts_of(name, tally)):
        return joined(dataset, parts)
    if name is not None:
        require_known(name, tally, definitions, dataset.source or "the dataset")

    extras = {key: value for key, value in dataset.extras.items() if key not in ("class_values", "classes_of")}
    remembered = dict(dataset.extras.get("classes_of", {}))
    if old is not None and dataset.classes != classes_of(tally, definitions, old):
        remembered[old] = list(dataset.classes)
    classes = (THE_ONLY_CLASS,) if name is None and tally.n_regions else classes_of(tally, definitions, name)
    if name is not None and name in remembered:
        kept = remembered.pop(name)
        classes = (*kept, *(class_name for class_name in classes if class_name not in kept))
    if remembered:
        extras["classes_of"] = remembered
    values = dict(tally.of(name).forms)
    if values:
        extras["class_values"] = values

    def change(record: ImageRecord) -> ImageRecord:
        given_back = (class_given_back(region, old, dataset.extras) for region in record.regions)
        only_class = THE_ONLY_CLASS if name is None else None
        return replace(record, regions=tuple(classified(region, name, only_class, values) for region in given_back))

    return replace(dataset, images=each(dataset.images, change), classes=classes, class_attribute=name, extras=extras)


def without_classes(dataset: Dataset, name: str) -> Dataset:
    """Return the dataset with class attribute `name`, which none of its regions has. So no region has a class."""
    old = current_class_attribute(dataset)

    def change(record: ImageRecord) -> ImageRecord:
        return replace(
            record, regions=tuple(class_given_back(region, old, dataset.extras) for region in record.regions)
        )

    extras = {key: value for key, value in dataset.extras.items() if key != "class_values"}
    return replace(dataset, images=each(dataset.images, change), classes=(), class_attribute=name, extras=extras)


def joined(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """Return the dataset with a new class attribute that combines the attributes `names`.

    If exactly one of these attributes is set on a region, its value is the class; if the value only says yes, the
    attribute's name is the class. These attributes are kept, and `Dataset.extras["class_from"]` has their names.
    """
    tally, _ = tally_and_definitions(dataset)
    numbered = (f"maskrcnn_class{number or ''}" for number in range(len(tally.names) + 1))
    fresh = next(name for name in (*USUAL_NAMES, *numbered) if name not in tally.names)
    old = current_class_attribute(dataset)

    def change(record: ImageRecord) -> ImageRecord:
        regions = (class_given_back(region, old, dataset.extras) for region in record.regions)
        return replace(record, regions=tuple(_with_joined(region, names, fresh) for region in regions))

    classless = replace(dataset, images=each(dataset.images, change), classes=(), class_attribute=None)
    counted = Tally()
    for record in classless.images:
        for region in record.regions:
            counted.add(region.attributes)
    classes = classes_of(counted, definitions_of(dataset), fresh)

    def classify(record: ImageRecord) -> ImageRecord:
        return replace(record, regions=tuple(classified(region, fresh, None, {}) for region in record.regions))

    kept = {key: value for key, value in dataset.extras.items() if key != "class_values"}
    extras = {**kept, "class_from": list(names)}
    return replace(
        classless, images=each(classless.images, classify), classes=classes, class_attribute=fresh, extras=extras
    )


def _with_joined(region: Region, names: Sequence[str], fresh: str) -> Region:
    """Return the region with its class in the attribute `fresh`, if exactly one of the attributes `names` is set."""
    found = []
    for name in names:
        value = region.attributes.get(name)
        form = form_of(name, value, class_name := class_of(value))
        if form not in ("", "no"):
            found.append(name if form in ("own", "yes") else class_name)
    if len(found) != 1 or found[0] is None:
        return region
    return replace(region, attributes={**region.attributes, fresh: found[0]})
