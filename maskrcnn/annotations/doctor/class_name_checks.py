"""Checks on class names: slips in their spelling, names that look alike, classes that are rare."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from maskrcnn.annotations.doctor.findings import Finding
from maskrcnn.words import counted

SHORTEST = 4
"""Names of fewer letters are not taken for a slip of one letter: "cat" and "car" are two classes."""

_SHORTEST_PLURAL = 3
"""Letters of the shortest name that is looked for with an ending: "car" and "cars"."""

_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
"""Characters that no screen shows: a soft hyphen, a blank without width, marks of direction, a byte order mark."""

MOST_COMPARED = 300
"""Classes of an import beyond which nobody looks for those that are alike while a page is drawn."""

RARE = 10
"""A slip of one letter is one only if the other spelling occurs at least this many times as often; and a class is rare
if the commonest has this many times as many objects."""


def slips(counts: Mapping[str, int], declared: Collection[str] = ()) -> dict[str, str]:
    """Misspelt class name -> the spelling that was meant, for the names that `counts` (regions of each) holds.

    Names that differ only in case, blanks, hyphens and underscores are one class; the commonest spelling is meant, of
    equally common ones a declared one, then the first of the alphabet. So are a name and its plural, unless both were
    declared as choices. One letter that is wrong, missing, too much or swapped with the next is a slip in a name of at
    least four letters that is rare beside the other one, unless it was declared. Numbers and signs never are: "type 1"
    and "type 2", "HER2+" and "HER2-" are two classes.
    """
    used = {name: count for name, count in counts.items() if count}
    spellings: dict[str, list[str]] = {}
    for name in used:
        spellings.setdefault(_plain(name), []).append(name)
    intended = {
        plain: min(names, key=lambda name: (-used[name], name not in declared, name))
        for plain, names in spellings.items()
    }
    total = {plain: sum(used[name] for name in names) for plain, names in spellings.items()}
    chosen = {plain for plain, names in spellings.items() if any(name in declared for name in names)}

    def commonness(plain: str) -> tuple[bool, int, str]:
        return plain in chosen, total[plain], plain

    better: dict[str, str] = {}
    for plain in spellings.keys() - chosen:
        near = [other for other in spellings if total[other] >= RARE * total[plain] and _is_slip(plain, other)]
        near += [other for other in spellings if commonness(other) > commonness(plain) and _is_plural(plain, other)]
        if near:
            better[plain] = max(near, key=lambda other: (total[other], other))
    found: dict[str, str] = {}
    for plain, names in spellings.items():
        target = plain
        while target in better:  # ends: each step goes to a name that is more common, or that was declared
            target = better[target]
        found |= {name: intended[target] for name in names if name != intended[target]}
    return found


def respelled(counts: Mapping[str, int], declared: Collection[str] = ()) -> dict[str, str]:
    """Class name -> the name that was surely meant: the two differ in blanks at their ends, in doubled blanks, in
    characters that no screen shows or in how Unicode writes an accent, so no person can tell them apart. Which of them
    stays is decided as in `slips`."""
    spellings: dict[str, list[str]] = {}
    for name, count in counts.items():
        if count:
            spellings.setdefault(_seen(name), []).append(name)
    found: dict[str, str] = {}
    for names in spellings.values():
        intended = min(names, key=lambda name: (-counts[name], name not in declared, name))
        found |= {name: intended for name in names if name != intended}
    return found


def alike(name: str, existing: Iterable[str]) -> str | None:
    """The class among `existing` that looks like a new one called `name`, by the rule of `slips` and whatever their
    numbers; None where there is none, and where the very same name is there.

    >>> alike("Balloon", ["cat", "balloon"]), alike("ballon", ["balloon"]), alike("cats", ["cat"])
    ('balloon', 'balloon', 'cat')
    """
    names = [other for other in existing if other.strip()]
    plain = _plain(name)
    if name in names or not plain:
        return None
    near = [other for other in names if _plain(other) == plain]
    near += [other for other in names if _is_plural(plain, _plain(other)) or _is_slip(plain, _plain(other))]
    return next(iter(near), None)


def of_import(incoming: Mapping[str, int], known: Mapping[str, int], *, most: int = MOST_COMPARED) -> dict[str, str]:
    """Incoming class -> the class that it looks like: one that is known, else another incoming one.

    `incoming` and `known` count the regions of each class; the rule is that of `slips`. Empty for more than `most`
    classes.
    """
    if len(incoming) + len(known) > most:
        return {}
    # A class without a region yet is there all the same.
    numbers = {name: max(1, known.get(name, 0) + incoming.get(name, 0)) for name in (*known, *incoming)}
    found = {**slips(numbers, known), **respelled(numbers, known)}
    names: dict[str, str] = {}
    for odd, intended in found.items():
        if odd in known and intended not in known:
            odd, intended = intended, odd  # what the project has keeps its name
        if odd in incoming and odd not in known:
            names.setdefault(odd, intended)
    return names


def one_slip_apart(one: str, other: str) -> bool:
    """Whether one letter was replaced, left out, added, or swapped with its neighbour (Damerau-Levenshtein distance 1).

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


def imbalance(counts: Mapping[str, int]) -> Iterable[Finding]:
    """One hint for the dataset if a class has less than a tenth of the objects of the commonest."""
    used = {name: count for name, count in counts.items() if count}
    most = max(used.values(), default=0)
    rare = sorted((count, name) for name, count in used.items() if count * RARE <= most)
    if rare:
        common = min(name for name, count in used.items() if count == most)
        listed = ", ".join(f'"{name}" {count}' for count, name in rare[:5])
        more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
        yield Finding("class-imbalance", "hint", f'"{common}" has {counted(most, "object")}, but {listed}{more}')


def _is_slip(plain: str, other: str) -> bool:
    """Whether two plain names differ by one letter, and are long enough for that to be a slip."""
    return min(len(plain), len(other)) >= SHORTEST and _signs(plain) == _signs(other) and one_slip_apart(plain, other)


def _is_plural(plain: str, other: str) -> bool:
    """Whether one of two plain names is the other one with the ending of an English plural."""
    one, many = sorted((plain, other), key=len)
    plurals = {f"{one}s", f"{one}es"}
    for end, ends in (("y", "ies"), ("f", "ves"), ("fe", "ves")):
        if one.endswith(end):
            plurals.add(one.removesuffix(end) + ends)
    return len(one) >= _SHORTEST_PLURAL and one[-1].isalpha() and many in plurals


def _plain(name: str) -> str:
    """A name without what one person writes in one way and another in another: case, wide letters, blanks, hyphens and
    underscores. Between two digits one of those counts, and so does a minus or plus at the end.

    >>> _plain("Traffic_Light"), _plain(" trafficlight"), _plain("v1-2"), _plain("v12"), _plain("HER2 -")
    ('trafficlight', 'trafficlight', 'v1 2', 'v12', 'her2-')
    """
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", name)).casefold().strip()
    end = plain[-1:] if len(plain) > 1 and plain[-1] in "+-" else ""
    plain = re.sub(r"(?<=\d)[\s_-]+(?=\d)", "\0", plain.removesuffix(end))
    return re.sub(r"[\s_-]+", "", plain).replace("\0", " ") + end


def _seen(name: str) -> str:
    """A name as it looks on a screen."""
    return " ".join(unicodedata.normalize("NFC", _UNSEEN.sub("", name)).split())


def _signs(name: str) -> list[str]:
    return re.findall(r"\d+|\+|-$", name)
