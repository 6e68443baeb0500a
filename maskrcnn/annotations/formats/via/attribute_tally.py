"""What the attributes of many regions say, gathered region by region: all that the choice of a class needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maskrcnn.annotations.formats.json_values import as_id

CROWD = "iscrowd"
"""The attribute that marks a crowd, where a COCO file became a VIA file; it is never the class."""

MARKS = frozenset((CROWD, "keypoints", "maskrcnn_source", "maskrcnn_score"))
"""Attributes in which the studio writes what VIA has no place for (`via_read`); they say nothing of the class."""

_YES = frozenset(("1", "true", "yes", "y", "x", "on"))
_NO = frozenset(("0", "false", "no", "n", "off", "none"))
MOST_SETS = 1000
"""Combinations of attributes that are told apart; a file with more has no attribute for each class."""

_LARGEST_NUMBER = 2**63
Attributes = Mapping[str, Any]


@dataclass
class Tally:
    """What the attributes of many regions say, gathered region by region: all that the choice of a class needs."""

    n_regions: int = 0
    says_something: bool = False
    sets: set[frozenset[str]] = field(default_factory=set)
    """Which attributes are set together on some region: with a value other than a no."""
    _seen: dict[str, _Attribute] = field(default_factory=dict)
    _sets: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, attributes: Attributes) -> None:
        """Count the attributes of one more region."""
        self.n_regions += 1
        together = []
        for name, value in attributes.items():
            if name == CROWD:
                continue
            attribute = self._seen.get(name)
            if attribute is None:
                attribute = self._seen[name] = _Attribute()
            class_name = class_of(value)
            kinds = attribute.kinds
            form = kinds.get(class_name)
            if form is None or class_name is None:  # without a class it is not the class that tells
                form = kinds[class_name] = form_of(name, value, class_name)
                attribute.forms_of_mark.add(form)
            if form != "" and form != "no":
                together.append(name)
                attribute.n_set += 1
            if class_name is None:
                attribute.several += ticked(value) > 1
                continue
            self.says_something = True
            attribute.n_regions += 1
            attribute.counts[class_name] = attribute.counts.get(class_name, 0) + 1
            attribute.is_plain = attribute.is_plain and not isinstance(value, int | float)
            if value != class_name:
                attribute.forms.setdefault(class_name, value)
        key = tuple(together)
        if key not in self._sets and len(self.sets) <= MOST_SETS:
            self._sets.add(key)
            self.sets.add(frozenset(together))

    def include(self, other: Tally) -> None:
        """Count what another tally counted, too."""
        self.n_regions += other.n_regions
        self.says_something = self.says_something or other.says_something
        self.sets |= other.sets
        for name, attribute in other._seen.items():
            self._seen.setdefault(name, _Attribute()).include(attribute)

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that any region has, also with an empty value."""
        return tuple(self._seen)

    @property
    def valued(self) -> dict[str, _Attribute]:
        """The attributes that say something."""
        return {name: attribute for name, attribute in self._seen.items() if attribute.n_regions}

    def of(self, name: str | None) -> _Attribute:
        """What there is of one attribute; nothing for None."""
        return self._seen.get(name, _Attribute()) if name is not None else _Attribute()


@dataclass
class _Attribute:
    """One attribute: regions with a class there, how often each, and how its value stood where not as the name."""

    n_regions: int = 0
    several: int = 0
    is_plain: bool = True
    counts: dict[str, int] = field(default_factory=dict)
    forms: dict[str, Any] = field(default_factory=dict)
    forms_of_mark: set[str] = field(default_factory=set)
    """What kinds of values there are, see `form_of`."""
    kinds: dict[str | None, str] = field(default_factory=dict)
    """The kind of value by class, as it was worked out."""
    n_set: int = 0
    """Regions whose value is neither none nor a no."""

    def include(self, other: _Attribute) -> None:
        self.n_regions += other.n_regions
        self.several += other.several
        self.is_plain = self.is_plain and other.is_plain
        for class_name, count in other.counts.items():
            self.counts[class_name] = self.counts.get(class_name, 0) + count
        self.forms = {**other.forms, **self.forms}
        self.forms_of_mark |= other.forms_of_mark
        self.n_set += other.n_set


def class_of(value: Any) -> str | None:
    """The class that an attribute's value names, None where it names none."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, Mapping):
        ticked = [option for option, is_on in value.items() if is_on is True]
        return class_of(ticked[0]) if len(ticked) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST_NUMBER:
        return None
    return str(as_id(value))


def ticked(value: Any) -> int:
    """How many options of a checkbox are on."""
    return sum(is_on is True for is_on in value.values()) if isinstance(value, Mapping) else 0


def form_of(name: str, value: Any, class_name: str | None) -> str:
    """What kind of value an attribute has: "own" for its own name, "yes", "no", "" for none, "other"."""
    if class_name is None:
        return "yes" if value is True else "no" if value is False else "other" if ticked(value) > 1 else ""
    spelt = class_name.strip().casefold()
    return "own" if spelt == name.strip().casefold() else "yes" if spelt in _YES else "no" if spelt in _NO else "other"


def is_yes(value: Any) -> bool:
    """Whether the mark of a crowd is set, in any spelling: 1, true, "yes", or the one box that is ticked."""
    class_name = class_of(value)
    is_box = isinstance(value, Mapping) and class_name is not None and class_name.strip().casefold() == "crowd"
    return value == 1 or is_box or form_of(CROWD, value, class_name) in ("own", "yes")


def is_no(value: Any) -> bool:
    """Whether the mark of a crowd says that there is none."""
    return value == 0 or form_of(CROWD, value, class_of(value)) == "no"


def parts_of(name: str, tally: Tally) -> tuple[str, ...]:
    """The attributes that a person names together, as "mango, orange", each the class where it is set; empty for a name
    that is one attribute, or none."""
    if name in tally.names:
        return ()
    parts = tuple(dict.fromkeys(filter(None, (part.strip() for part in name.split(",")))))
    return parts if len(parts) > 1 and set(parts) <= set(tally.names) else ()
