"""Which attribute is the class of several VIA files that belong together: one answer for all of them.

`class_rule` has the rule for one file. Its answer depends on how many regions the file has, so that a small validation
file could be read otherwise than the training file that it belongs to.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from maskrcnn.annotations.formats.json_values import brief
from maskrcnn.annotations.formats.via import attribute_tally, class_change, class_per_attribute, class_rule
from maskrcnn.annotations.formats.via.attribute_tally import Tally
from maskrcnn.annotations.regions import Dataset, classes_in
from maskrcnn.annotations.store.database import is_project
from maskrcnn.errors import ArgumentError


def has_choice(dataset: Dataset) -> bool:
    """Whether the class attribute can still be chosen: that of a VIA file can, that of a project is chosen already."""
    of_project = dataset.source is not None and is_project(dataset.source)
    return str(dataset.extras.get("flavour", "")).startswith("via") and not of_project


def require_choice(dataset: Dataset, name: str | None) -> None:
    """`ArgumentError` where `--class-attribute NAME` is given for labels that have no such attributes."""
    if name is not None and not has_choice(dataset):
        raise ArgumentError(
            f'--class-attribute "{name[:40]}": {dataset.source or "the dataset"} is no VIA file, so its classes are '
            "given; leave it out (the class attribute of a project is changed under Dataset > Classes)"
        )


def common(datasets: Sequence[Dataset]) -> str | None:
    """The attribute that is the class by the rule of `class_rule`, for the regions of all these VIA files together."""
    tally = Tally()
    definitions: dict[str, Any] = {}
    for dataset in datasets:
        own, further = class_rule.tally_and_definitions(dataset)
        tally.include(own)
        definitions = {**further, **definitions}
    return class_rule.by_rule(tally, definitions)


def as_in(validation: Dataset, training: Dataset) -> Dataset:
    """The validation set, with the class attribute of its training set."""
    other = str(training.source or "the training set")
    if has_choice(validation) and (names := training.extras.get("class_from")):
        there = class_rule.tally_and_definitions(validation)[0].names
        if training.class_attribute not in there and (parts := [name for name in names if name in there]):
            line = f"{validation.source}: each of the attributes {_listed(parts)} is a class there, as in {other}"
            return replace(class_change.joined(validation, parts), warnings=(*validation.warnings, line))
    classes = classes_in(training.images)
    only = class_rule.THE_ONLY_CLASS
    is_of_one = has_choice(training) and training.class_attribute is None and classes == (only,)
    if (
        is_of_one
        and has_choice(validation)
        and any(region.class_name != only for record in validation.images for region in record.regions)
    ):
        line = f'{validation.source}: no attribute is the class there, as in {other}; every region is an "{only}"'
        return replace(class_change.reclassified(validation, None), warnings=(*validation.warnings, line))
    return following(validation, training.class_attribute, classes, other)


def following(dataset: Dataset, attribute: str | None, classes: Collection[str], other: str) -> Dataset:
    """A dataset with its class read as the labels that it belongs to have it, the training set of a validation set say.

    `attribute` is theirs (None: they have none, as a COCO file or a network), `classes` are their class names; `other`
    is what they are called in the warning that goes along where something is read otherwise than by its own rule.
    Their attribute comes first, in any case; then several that each name some of their classes; then what it has by its
    own rule, if that names only their classes; then the only attribute that does. A dataset that leaves nothing open
    comes back as it is.
    """
    if not has_choice(dataset):
        return dataset
    known = class_rule.candidates(dataset)
    if attribute is not None and (same := in_any_case(attribute, [entry.name for entry in known])):
        return _read_by(dataset, same, f"as in {other}")
    if rivals := class_per_attribute.rival_attributes(dataset):
        each = class_change.joined(dataset, rivals)
        if set(each.classes) <= set(classes):
            line = f"{dataset.source}: each of the attributes {_listed(rivals)} is a class there, as in {other}"
            return replace(each, warnings=(*dataset.warnings, line))
    used = set(classes_in(dataset.images))
    fitting = [entry.name for entry in known if entry.values and set(entry.values) <= set(classes)]
    if (used and used <= set(classes)) or len(fitting) != 1:
        return dataset
    return _read_by(dataset, fitting[0], f"as its values are classes of {other}")


def in_any_case(name: str, names: Sequence[str]) -> str | None:
    """The attribute of that name among those of a file, else the first that differs in case or blanks alone."""
    alike = [other for other in names if other.strip().lower() == name.strip().lower()]
    return name if name in names else next(iter(alike), None)


def asked_of_all(datasets: Sequence[Dataset], name: str) -> list[Dataset]:
    """VIA files that belong together, with the attribute `name` as the class, or each of several that it lists ("mango,
    orange"); regions of a file that has none of them get no class. `ArgumentError` where no file has what is asked for.
    """
    tally = Tally()
    definitions: dict[str, Any] = {}
    known: list[list[str]] = []
    for dataset in datasets:
        own, further = class_rule.tally_and_definitions(dataset)
        tally.include(own)
        definitions = {**further, **definitions}
        known.append([*dict.fromkeys((*own.names, *further))])
    if parts := attribute_tally.parts_of(name, tally):
        there = [[same for part in parts if (same := in_any_case(part, names))] for names in known]
        return [class_change.joined(dataset, own) for dataset, own in zip(datasets, there, strict=True)]
    class_rule.require_known(name, tally, definitions, datasets[0].source or "the dataset")
    read = []
    for dataset, names in zip(datasets, known, strict=True):
        same = in_any_case(name, names)
        read.append(class_change.reclassified(dataset, same) if same else class_change.without_classes(dataset, name))
    return read


def _read_by(dataset: Dataset, name: str, why: str) -> Dataset:
    if name == dataset.class_attribute:
        return dataset
    instead = f", not {brief(dataset.class_attribute)}" if dataset.class_attribute is not None else ""
    line = f"{dataset.source or 'the dataset'}: the attribute {brief(name)} is the class there{instead}, {why}"
    return replace(class_change.reclassified(dataset, name), warnings=(*dataset.warnings, line))


def _listed(names: Sequence[str]) -> str:
    """Names of attributes, short enough for one line."""
    shown = ", ".join(name[:40] for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
