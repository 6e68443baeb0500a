"""Count the attribute values of many regions, one region at a time: all data that the choice of the class needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.formats.via.class_values import CROWD, class_named_by_value, kind_of_value, n_ticked_options

MOST_COMBINATIONS = 1000
"""Maximum number of different combinations of attributes that are stored. A file with more has no attribute for each
class."""
Attributes = Mapping[str, Any]


@dataclass
class Tally:
    """Counts of the attribute values of many regions: all data that the choice of the class needs."""

    n_regions: int = 0
    has_class_like_values: bool = False
    combinations: set[frozenset[str]] = field(default_factory=set)
    """The combinations of attributes that are set on one region. An attribute is set if its value is neither empty nor
    a no."""
    _seen: dict[str, AttributeCounts] = field(default_factory=dict)

    def add(self, attributes: Attributes) -> None:
        """Count the attributes of one more region."""
        self.n_regions += 1
        set_names = []  # the attributes of this region whose value is neither empty nor a no
        for name, value in attributes.items():
            if name == CROWD:
                continue
            attribute = self._seen.get(name)
            if attribute is None:
                attribute = self._seen[name] = AttributeCounts()
            class_name = class_named_by_value(value)
            # All values that name the same class are of one kind, which is worked out only once.
            kind = None if class_name is None else attribute.kind_by_class.get(class_name)
            if kind is None:
                kind = kind_of_value(name, value, class_name)
                attribute.kinds.add(kind)
            if kind not in ("empty", "no"):
                set_names.append(name)
                attribute.n_regions_set += 1
            if class_name is None:
                attribute.n_several_ticked += n_ticked_options(value) > 1
                continue
            attribute.kind_by_class[class_name] = kind
            self.has_class_like_values = True
            attribute.n_regions += 1
            attribute.counts[class_name] = attribute.counts.get(class_name, 0) + 1
            attribute.has_no_number = attribute.has_no_number and not isinstance(value, int | float)
            if value != class_name:
                attribute.forms.setdefault(class_name, value)
        if len(self.combinations) <= MOST_COMBINATIONS:
            self.combinations.add(frozenset(set_names))

    def include(self, other: Tally) -> None:
        """Add the counts of another tally."""
        self.n_regions += other.n_regions
        self.has_class_like_values = self.has_class_like_values or other.has_class_like_values
        self.combinations |= other.combinations
        for name, attribute in other._seen.items():
            self._seen.setdefault(name, AttributeCounts()).include(attribute)

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that any region has, even with an empty value."""
        return tuple(self._seen)

    @property
    def valued(self) -> dict[str, AttributeCounts]:
        """The attributes with a value on at least one region."""
        return {name: attribute for name, attribute in self._seen.items() if attribute.n_regions}

    def of(self, name: str | None) -> AttributeCounts:
        """Return the counts of one attribute; empty counts for None."""
        return self._seen.get(name, AttributeCounts()) if name is not None else AttributeCounts()


@dataclass
class AttributeCounts:
    """The counts of one attribute.

    - `n_regions`: the regions on which its value names a class; `counts`: these regions by class.
    - `n_several_ticked`: the regions on which several options of a checkbox are ticked, so that no class is named.
    - `n_regions_set`: the regions on which its value is neither empty nor a no.
    - `has_no_number`: whether no value that names a class is a number.
    - `forms`: class -> its value, if that differs from the name of the class.
    - `kinds`: the kinds of values that occur, see `kind_of_value`; `kind_by_class`: those that name a class, by class.
    """

    n_regions: int = 0
    n_several_ticked: int = 0
    has_no_number: bool = True
    counts: dict[str, int] = field(default_factory=dict)
    forms: dict[str, Any] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    kind_by_class: dict[str, str] = field(default_factory=dict)
    n_regions_set: int = 0

    def include(self, other: AttributeCounts) -> None:
        """Add the counts of the same attribute from another tally."""
        self.n_regions += other.n_regions
        self.n_several_ticked += other.n_several_ticked
        self.has_no_number = self.has_no_number and other.has_no_number
        for class_name, count in other.counts.items():
            self.counts[class_name] = self.counts.get(class_name, 0) + count
        self.forms = {**other.forms, **self.forms}
        self.kinds |= other.kinds
        self.n_regions_set += other.n_regions_set


def tally_of_records(records: Iterable[ImageRecord]) -> Tally:
    """Return the tally of the attributes of all regions."""
    tally = Tally()
    for record in records:
        for region in record.regions:
            tally.add(region.attributes)
    return tally
