"""Choose the same class attribute across several VIA files that belong together.

`class_attributes` has the rule for one file. Its result depends on the number of regions, so a small validation file
alone could get another class attribute than its training file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from maskrcnn.annotations.dataset import Dataset, classes_in
from maskrcnn.annotations.formats.json_values import brief
from maskrcnn.annotations.formats.via import class_attributes
from maskrcnn.annotations.formats.via.attribute_tally import Tally
from maskrcnn.annotations.store.database_files import is_project
from maskrcnn.errors import ArgumentError
from maskrcnn.words import first_names


def has_class_choice(dataset: Dataset) -> bool:
    """Whether the class attribute can still be chosen: true for a VIA file, false for a project and other formats."""
    of_project = dataset.source is not None and is_project(dataset.source)
    return str(dataset.extras.get("flavour", "")).startswith("via") and not of_project


def require_class_choice(dataset: Dataset, name: str | None) -> None:
    """Raise `ArgumentError` if `--class-attribute NAME` is given for labels without attributes to choose from."""
    if name is not None and not has_class_choice(dataset):
        raise ArgumentError(
            f'--class-attribute "{name[:40]}": {dataset.source or "the dataset"} is no VIA file, so its classes are '
            "given; leave it out (the class attribute of a project is changed under Dataset > Classes)"
        )


def attribute_for_all(datasets: Sequence[Dataset]) -> str | None:
    """Return the class attribute by the rule of `class_attributes`, for the regions of all these VIA files together."""
    tally = Tally()
    definitions: dict[str, Any] = {}
    for dataset in datasets:
        own, further = class_attributes.tally_and_definitions(dataset)
        tally.include(own)
        definitions = {**further, **definitions}
    return class_attributes.class_attribute_of_tally(tally, definitions)


def as_in_training(validation: Dataset, training: Dataset) -> Dataset:
    """Return the validation set with the class attribute of its training set:

    1. the same combination of attributes, if the training set combines several and the validation file has some;
    2. no attribute and the one class "object", if the training set has that;
    3. what `as_in_other_labels` finds for the class attribute of the training set.
    """
    other = str(training.source or "the training set")
    if has_class_choice(validation) and (combined := training.extras.get("class_from")):
        there = class_attributes.tally_and_definitions(validation)[0].names
        if training.class_attribute not in there and (parts := [name for name in combined if name in there]):
            listed = _listed_attributes(parts)
            line = f"{validation.source}: each of the attributes {listed} is a class there, as in {other}"
            return replace(
                class_attributes.with_combined_class(validation, parts), warnings=(*validation.warnings, line)
            )
    classes = classes_in(training.images)
    only = class_attributes.THE_ONLY_CLASS
    has_only_objects = has_class_choice(training) and training.class_attribute is None and classes == (only,)
    if (
        has_only_objects
        and has_class_choice(validation)
        and any(region.class_name != only for record in validation.images for region in record.regions)
    ):
        line = f'{validation.source}: no attribute is the class there, as in {other}; every region is an "{only}"'
        return replace(class_attributes.reclassified(validation, None), warnings=(*validation.warnings, line))
    return as_in_other_labels(validation, training.class_attribute, classes, other)


def as_in_other_labels(dataset: Dataset, attribute: str | None, classes: Collection[str], other: str) -> Dataset:
    """Return a dataset with its class attribute chosen to match other labels, such as the training set of a validation
    set.

    `attribute` is the class attribute of the other labels (None for a COCO file or a network). `classes` are their
    class names. `other` is their name for the warning, which is added if the result differs from the dataset's own
    rule. The first of these that fits is used:

    1. their attribute, ignoring case;
    2. several attributes of the dataset combined, each of which is the class of some regions (`rival_attributes`), if
       all these classes are among theirs;
    3. the dataset's own rule, if it gives only their classes;
    4. the only attribute whose values are all among their classes.

    The dataset is returned unchanged if none of these fits, or if its class cannot be chosen.
    """
    if not has_class_choice(dataset):
        return dataset
    known = class_attributes.class_candidates(dataset)
    if attribute is not None and (same := same_attribute_in_file(attribute, [entry.name for entry in known])):
        return _reclassified_with_warning(dataset, same, f"as in {other}")
    if rivals := class_attributes.rival_attributes(dataset):
        each = class_attributes.with_combined_class(dataset, rivals)
        if set(each.classes) <= set(classes):
            line = (
                f"{dataset.source}: each of the attributes {_listed_attributes(rivals)} is a class there, as in {other}"
            )
            return replace(each, warnings=(*dataset.warnings, line))
    by_own_rule = set(classes_in(dataset.images))
    if by_own_rule and by_own_rule <= set(classes):
        return dataset
    fitting = [entry.name for entry in known if entry.values and set(entry.values) <= set(classes)]
    if len(fitting) != 1:
        return dataset
    return _reclassified_with_warning(dataset, fitting[0], f"as its values are classes of {other}")


def same_attribute_in_file(wanted: str, names_in_file: Sequence[str]) -> str | None:
    """Return the name that the attribute `wanted` has in a VIA file with the attributes `names_in_file`: `wanted`
    itself, else the first name that differs only in case or in blanks around it; None if there is none."""
    if wanted in names_in_file:
        return wanted
    return next((name for name in names_in_file if name.strip().lower() == wanted.strip().lower()), None)


def with_asked_attribute(datasets: Sequence[Dataset], name: str) -> list[Dataset]:
    """Return the VIA files with the class attribute that the user names.

    `name` is one attribute, or several with commas between them ("mango, orange"). Regions of a file without these
    attributes get no class. Raises `ArgumentError` if no file has the attribute.
    """
    tally = Tally()
    definitions: dict[str, Any] = {}
    known: list[list[str]] = []
    for dataset in datasets:
        own, further = class_attributes.tally_and_definitions(dataset)
        tally.include(own)
        definitions = {**further, **definitions}
        known.append([*dict.fromkeys((*own.names, *further))])
    if parts := class_attributes.combined_class_attributes(name, tally):
        there = [[same for part in parts if (same := same_attribute_in_file(part, names))] for names in known]
        return [
            class_attributes.with_combined_class(dataset, own) for dataset, own in zip(datasets, there, strict=True)
        ]
    class_attributes.require_class_attribute(name, tally, definitions, datasets[0].source or "the dataset")
    read = []
    for dataset, names in zip(datasets, known, strict=True):
        same = same_attribute_in_file(name, names)
        read.append(
            class_attributes.reclassified(dataset, same) if same else class_attributes.without_classes(dataset, name)
        )
    return read


def _reclassified_with_warning(dataset: Dataset, name: str, why: str) -> Dataset:
    """Return the dataset with the class attribute `name` and a warning with the reason `why`."""
    if name == dataset.class_attribute:
        return dataset
    instead = f", not {brief(dataset.class_attribute)}" if dataset.class_attribute is not None else ""
    line = f"{dataset.source or 'the dataset'}: the attribute {brief(name)} is the class there{instead}, {why}"
    return replace(class_attributes.reclassified(dataset, name), warnings=(*dataset.warnings, line))


def _listed_attributes(names: Sequence[str]) -> str:
    """Return the names of attributes as text for a warning, short enough for one line."""
    return first_names(names, written=lambda name: name[:40])


def reclassified_ignoring_case(dataset: Dataset, name: str | None) -> Dataset:
    """Return the dataset with class attribute `name`, whose upper and lower case may differ in the dataset; unchanged
    if it does not have this attribute."""
    if name is None or dataset.class_attribute == name:
        return dataset
    known = [candidate.name for candidate in class_attributes.class_candidates(dataset)]
    same = same_attribute_in_file(name, known)
    return class_attributes.reclassified(dataset, same) if same is not None else dataset
