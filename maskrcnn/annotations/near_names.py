"""Pictures whose name is similar to a missing one: a person may choose them, they are never used unasked.

Near is the same name with another suffix, with or without the mark of a copy (`1 (2).jpg`, `1 - Copy.jpg`) or of a
program that named it anew (Label Studio's `1a2b3c4d-` before it, Roboflow's `_jpg.rf.<hash>` after it), with other
separators or leading zeros, and with one letter more, less or another. Another number is another picture. A label file
of one picture, as labelme's, may have another name than it says; a picture called as that file is near, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from maskrcnn.annotations import file_names as names

_COPY = re.compile(
    r"^(?:copy of|kopie von|copie de|copia d[ei]) |"
    r"(?:[\s_]*\(\d{1,3}\)|[\s_-]+(?:copy|kopie|copie|copia)(?:[\s_-]*\d{1,3})?|[\s_-]*\((?:copy|kopie|copie|copia)\))+$"
)
_NAMED_ANEW = re.compile(
    r"^[0-9a-f]{8}-(?=.)|_(?:jpe?g|png|bmp|webp|tiff?|gif|heic|heif|avif|jfif)\.rf\.[0-9a-z]{8,40}$"
)
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+")
_SHORTEST = 4
"""Letters of a name of which one may differ; `a.jpg` and `b.jpg` are two pictures."""
_MOST_COMPARED = 1000
"""Names for which letters are compared. Of thousands that are missing, something else is the matter."""

_Tokens = tuple[str, ...]


def near(
    missing: Iterable[str], unused: Sequence[str], also: Mapping[str, str] = MappingProxyType({})
) -> dict[str, tuple[str, ...]]:
    """For the missing names that have some: the unused files of a near name, the nearest only. `also` has another name
    for some, asked last.

    A file that is equally near to two missing names is left out, as it can be only one of them.

    >>> near(["IMG_01.jpg"], ["img_01.JPG", "other.jpg"])
    {'IMG_01.jpg': ('img_01.JPG',)}
    """
    by_tokens: dict[_Tokens, list[str]] = {}
    by_core: dict[_Tokens, list[str]] = {}
    stems = {file: _stem(file) for file in unused}
    for file, stem in stems.items():
        tokens, core = _tokens(stem), _tokens(_core(stem))
        by_tokens.setdefault(tokens, []).append(file)
        if core != tokens:
            by_core.setdefault(core, []).append(file)
    by_letters: dict[str, list[str]] | None = None
    found: dict[str, tuple[int, list[str]]] = {}
    compared = 0
    for name in dict.fromkeys(missing):
        stem = _stem(name)
        tokens = _tokens(stem)
        if not tokens:
            continue
        tiers = [by_tokens.get(tokens, []), by_core.get(tokens, []) + by_tokens.get(_tokens(_core(stem)), [])]
        tier = next((n for n, files in enumerate(tiers) if files), None)
        if tier is not None:
            found[name] = tier, list(dict.fromkeys(tiers[tier]))
        elif len(stem) >= _SHORTEST and compared < _MOST_COMPARED:
            compared += 1
            if by_letters is None:
                by_letters = {}
                for file, other in stems.items():
                    for shorter in _shorter(other):
                        by_letters.setdefault(shorter, []).append(file)
            files = dict.fromkeys(file for shorter in _shorter(stem) for file in by_letters.get(shorter, ()))
            numbers = _numbers(stem)
            close = [file for file in files if _numbers(stems[file]) == numbers and _is_one_letter(stem, stems[file])]
            if close:
                found[name] = len(tiers), close
        if name not in found and (called_so := by_tokens.get(_tokens(_stem(also.get(name, ""))) or ("",))):
            found[name] = len(tiers) + 1, called_so
    return _without_rivals(found)


def _without_rivals(found: dict[str, tuple[int, list[str]]]) -> dict[str, tuple[str, ...]]:
    tiers: dict[str, list[int]] = {}
    for tier, files in found.values():
        for file in files:
            tiers.setdefault(file, []).append(tier)
    kept = {
        name: tuple(file for file in files if tier == min(tiers[file]) and tiers[file].count(tier) == 1)
        for name, (tier, files) in found.items()
    }
    return {name: files for name, files in kept.items() if files}


def _stem(name: str) -> str:
    return names.stem("/".join(names.parts(names.plainest(names.without_query(name)))))


def _core(stem: str) -> str:
    """The stem without the marks of copies and of programs."""
    return _COPY.sub("", _NAMED_ANEW.sub("", stem)) or stem


def _tokens(stem: str) -> _Tokens:
    """The words and numbers of a stem; 007 is 7."""
    return tuple(token.lstrip("0") or "0" if token.isdigit() else token for token in _TOKEN.findall(stem))


def _numbers(stem: str) -> list[str]:
    return [token for token in _tokens(stem) if token.isdigit()]


def _shorter(stem: str) -> set[str]:
    """The stem, and what is left of it without one letter."""
    return {stem, *(stem[:n] + stem[n + 1 :] for n in range(len(stem)))} if _SHORTEST <= len(stem) <= 80 else set()


def _is_one_letter(one: str, other: str) -> bool:
    """Whether one letter is missing, is another, or has changed places with its neighbour."""
    first = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[first:], other[first:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
