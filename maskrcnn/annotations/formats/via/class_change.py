"""Another attribute as the class of a dataset that is read already: one, none, or several together.

The value of a class as it stood in its file is kept where it is not just the name: in `Dataset.extras["class_values"]`
for the class, and in `Region.extras["via"]["class_value"]` for a region that wrote it differently.
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
    """The dataset with another attribute as the class; None makes every region of the one class "object".

    The old class goes back among the attributes, as its file wrote it; going back gives an equal dataset. Classes
    without a region are remembered under their attribute. Raises `ArgumentError` for an attribute that is not known.
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
    """The dataset with attribute `name`, which none of its regions has, as the class: no region has a class then."""
    old = current_class_attribute(dataset)

    def change(record: ImageRecord) -> ImageRecord:
        return replace(
            record, regions=tuple(class_given_back(region, old, dataset.extras) for region in record.regions)
        )

    extras = {key: value for key, value in dataset.extras.items() if key != "class_values"}
    return replace(dataset, images=each(dataset.images, change), classes=(), class_attribute=name, extras=extras)


def joined(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """The dataset with one more attribute as the class: of a region on which one alone of the attributes `names` is
    set, what that one says, its own name where it says only yes.

    These attributes stay as they are; their names are kept in `Dataset.extras["class_from"]`.
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
    """A region whose class, by the one attribute that is set, stands among its attributes."""
    found = []
    for name in names:
        value = region.attributes.get(name)
        form = form_of(name, value, class_name := class_of(value))
        if form not in ("", "no"):
            found.append(name if form in ("own", "yes") else class_name)
    if len(found) != 1 or found[0] is None:
        return region
    return replace(region, attributes={**region.attributes, fresh: found[0]})
