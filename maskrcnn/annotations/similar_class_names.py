"""Find class names that mean the same class: spelling mistakes, plurals, and names that look identical."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

SHORTEST = 4
"""Minimum length of a name for spelling mistakes of one letter: "cat" and "car" are two classes."""

_SHORTEST_PLURAL = 3
"""Minimum length of a singular name for the check of plurals: "car" and "cars"."""

_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
"""Invisible characters: soft hyphen, zero-width space, direction marks, word joiner, byte order mark."""

MOST_COMPARED = 300
"""Maximum number of classes for the check of similar names in an import; more would make the page slow."""

RARE = 10
"""Minimum ratio of two counts: of the correct and the misspelt name, and of the most common and a rare class."""


def misspelt_classes(counts: Mapping[str, int], declared: Collection[str] = ()) -> dict[str, str]:
    """Return {misspelt class name: intended name}. `counts` has the number of regions of each name.

    These names are the same class:

    - Names that differ only in case, spaces, hyphens and underscores. The most common spelling is the intended one; if
      equally common, a declared one, else the first in alphabetical order.
    - A name and its plural, unless both are in `declared`.
    - Names of at least `SHORTEST` letters that differ by one wrong, missing, additional or swapped letter, if the
      misspelt name is rare compared to the other and is not declared.

    Different numbers and signs are never a mistake: "type 1" and "type 2", "HER2+" and "HER2-" are two classes.
    """
    used = {name: count for name, count in counts.items() if count}
    spellings: dict[str, list[str]] = {}  # {normalised name: names}; `plain` and `other` are normalised names below
    for name in used:
        spellings.setdefault(_normalised(name), []).append(name)
    best_spelling = {
        plain: min(names, key=lambda name: (-used[name], name not in declared, name))
        for plain, names in spellings.items()
    }
    total = {plain: sum(used[name] for name in names) for plain, names in spellings.items()}
    with_declared = {plain for plain, names in spellings.items() if any(name in declared for name in names)}

    def is_preferred(other: str, plain: str) -> bool:
        """Whether `other` is declared and `plain` is not, or is more common, or else is later in the alphabet."""
        return (other in with_declared, total[other], other) > (plain in with_declared, total[plain], plain)

    correction: dict[str, str] = {}  # {misspelt: intended}; if several are possible, the most common one
    for plain in spellings.keys() - with_declared:
        possible = [other for other in spellings if total[other] >= RARE * total[plain] and _is_slip(plain, other)]
        possible += [other for other in spellings if is_preferred(other, plain) and _is_plural(plain, other)]
        if possible:
            correction[plain] = max(possible, key=lambda other: (total[other], other))
    found: dict[str, str] = {}
    for plain, names in spellings.items():
        target = plain
        while target in correction:  # terminates, because each step goes to a more common or declared name
            target = correction[target]
        found |= {name: best_spelling[target] for name in names if name != best_spelling[target]}
    return found


def respelled_classes(counts: Mapping[str, int], declared: Collection[str] = ()) -> dict[str, str]:
    """Return {class name: intended name} for names that look identical on a screen.

    Such names differ only in spaces at the ends, repeated spaces, invisible characters or the Unicode form of accents.
    The intended name is chosen as in `misspelt_classes`.
    """
    spellings: dict[str, list[str]] = {}
    for name, count in counts.items():
        if count:
            spellings.setdefault(_as_seen_on_screen(name), []).append(name)
    found: dict[str, str] = {}
    for names in spellings.values():
        intended = min(names, key=lambda name: (-counts[name], name not in declared, name))
        found |= {name: intended for name in names if name != intended}
    return found


def similar_class(name: str, existing: Iterable[str]) -> str | None:
    """Return the class in `existing` that is similar to the new class `name`.

    The rules are those of `misspelt_classes`, without counts. None if no class is similar, or if `name` itself exists.

    >>> similar_class("Balloon", ["cat", "balloon"]), similar_class("cats", ["cat"])
    ('balloon', 'cat')
    """
    names = [other for other in existing if other.strip()]
    plain = _normalised(name)
    if name in names or not plain:
        return None
    near = [other for other in names if _normalised(other) == plain]
    near += [other for other in names if _is_plural(plain, _normalised(other)) or _is_slip(plain, _normalised(other))]
    return next(iter(near), None)


def similar_classes_of_import(
    incoming: Mapping[str, int], known: Mapping[str, int], *, most: int = MOST_COMPARED
) -> dict[str, str]:
    """Return {incoming class: similar class}, by the rules of `misspelt_classes`.

    Known classes are never keys: if the rules call a known class a misspelling of a new one, the result is {new one:
    known class}. `incoming` and `known` have the number of regions of each class. Empty if there are more than `most`
    classes.
    """
    if len(incoming) + len(known) > most:
        return {}
    # A known class without regions counts as one region.
    numbers = {name: max(1, known.get(name, 0) + incoming.get(name, 0)) for name in (*known, *incoming)}
    found = {**misspelt_classes(numbers, known), **respelled_classes(numbers, known)}
    similar_to: dict[str, str] = {}
    for misspelt, intended in found.items():
        if misspelt not in known:
            similar_to.setdefault(misspelt, intended)
        elif intended not in known:  # a known class keeps its name
            similar_to.setdefault(intended, misspelt)
    return similar_to


def one_slip_apart(one: str, other: str) -> bool:
    """Whether two names have Damerau-Levenshtein distance 1: one letter replaced, missing, added or swapped.

    >>> one_slip_apart("scratch", "scrach"), one_slip_apart("dent", "detn"), one_slip_apart("dent", "dent")
    (True, True, False)
    """
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[start:], other[start:]
    return (
        one[1:] == other[1:]
        or one[1:] == other
        or one == other[1:]
        or (one[:2] == other[:2][::-1] and one[2:] == other[2:])
    )


def _is_slip(plain: str, other: str) -> bool:
    """Whether two normalised names differ by one letter and are long enough for this to be a mistake."""
    return (
        min(len(plain), len(other)) >= SHORTEST
        and _numbers_and_sign(plain) == _numbers_and_sign(other)
        and one_slip_apart(plain, other)
    )


def _is_plural(plain: str, other: str) -> bool:
    """Whether one of two normalised names is the English plural of the other."""
    one, many = sorted((plain, other), key=len)
    plurals = {f"{one}s", f"{one}es"}
    for end, ends in (("y", "ies"), ("f", "ves"), ("fe", "ves")):
        if one.endswith(end):
            plurals.add(one.removesuffix(end) + ends)
    return len(one) >= _SHORTEST_PLURAL and one[-1].isalpha() and many in plurals


def _normalised(name: str) -> str:
    """Normalise a class name: remove case, full-width letters, spaces, hyphens and underscores.

    A separator between two digits is kept as a space, and a minus or plus at the end is kept.

    >>> [_normalised(name) for name in ("Traffic_Light", " trafficlight", "v1-2", "v12", "HER2 -")]
    ['trafficlight', 'trafficlight', 'v1 2', 'v12', 'her2-']
    """
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", name)).casefold().strip()
    end = plain[-1:] if len(plain) > 1 and plain[-1] in "+-" else ""
    plain = re.sub(r"(?<=\d)[\s_-]+(?=\d)", "\0", plain.removesuffix(end))
    return re.sub(r"[\s_-]+", "", plain).replace("\0", " ") + end


def _as_seen_on_screen(name: str) -> str:
    """Return a class name as it looks on a screen: composed accents, no invisible characters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", _UNSEEN.sub("", name)).split())


def _numbers_and_sign(name: str) -> list[str]:
    """Return the numbers and plus signs in a normalised class name, and a minus at its end."""
    return re.findall(r"\d+|\+|-$", name)
