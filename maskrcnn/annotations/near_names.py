"""Find files whose names are similar to the names of missing pictures. They are only suggested to the user.

Two names are similar if they differ only in:

- the suffix;
- the mark of a copy (`1 (2).jpg`, `1 - Copy.jpg`);
- text that a program added (Label Studio's prefix `1a2b3c4d-`, Roboflow's ending `_jpg.rf.<hash>`);
- separators or leading zeros;
- one letter that is added, removed or replaced.

Names with different numbers are different pictures. A label file for a single picture (labelme) may have been renamed
together with its picture; a picture with the label file's stem is therefore similar, too.
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
"""Minimum length of a stem in which one letter may differ; `a.jpg` and `b.jpg` are different pictures."""
_MOST_COMPARED = 1000
"""Maximum number of missing names that are compared letter by letter; more would take too long."""

_Tokens = tuple[str, ...]


def near(
    missing: Iterable[str], unused: Sequence[str], also: Mapping[str, str] = MappingProxyType({})
) -> dict[str, tuple[str, ...]]:
    """Return `{missing name: unused files with a similar name}`, with the most similar files only.

    Names without a similar file are left out. `also` gives an alternative name for some missing names; it is tried
    last. A file that is equally similar to two missing names is left out, because it can be only one of them.

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
    """Remove files that are equally or more similar to another missing name. `found`: name -> (tier, files)."""
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
    """Return the stem without copy marks and without text that programs added."""
    return _COPY.sub("", _NAMED_ANEW.sub("", stem)) or stem


def _tokens(stem: str) -> _Tokens:
    """Split a stem into words and numbers; numbers lose their leading zeros."""
    return tuple(token.lstrip("0") or "0" if token.isdigit() else token for token in _TOKEN.findall(stem))


def _numbers(stem: str) -> list[str]:
    return [token for token in _tokens(stem) if token.isdigit()]


def _shorter(stem: str) -> set[str]:
    """Return the stem and all its variants with one letter removed; empty for very short or very long stems."""
    return {stem, *(stem[:n] + stem[n + 1 :] for n in range(len(stem)))} if _SHORTEST <= len(stem) <= 80 else set()


def _is_one_letter(one: str, other: str) -> bool:
    """Whether two names differ by one letter that is missing, replaced, or swapped with the next one."""
    first = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[first:], other[first:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
