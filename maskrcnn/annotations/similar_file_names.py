"""Find files whose names are similar to the names of missing pictures. They are only suggested to the user.

Two names are similar if they differ only in:

- the suffix;
- the mark of a copy (`1 (2).jpg`, `1 - Copy.jpg`);
- text that a program added (Label Studio's prefix `1a2b3c4d-`, Roboflow's ending `_jpg.rf.<hash>`);
- separators or leading zeros;
- one letter that is added, removed or replaced, or swapped with the next one.

Names with different numbers are different pictures. A label file for a single picture (labelme) may have been renamed
together with its picture; a picture with the label file's stem is therefore similar, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations.similar_class_names import one_slip_apart

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
_LONGEST = 80
"""Maximum length of a stem that is compared letter by letter."""


def similar_files(
    missing: Iterable[str], unused: Sequence[str], also: Mapping[str, str] = MappingProxyType({})
) -> dict[str, tuple[str, ...]]:
    """Return `{missing name: unused files with a similar name}`, with the most similar files only.

    Names without a similar file are left out. `also` gives an alternative name for some missing names; it is tried
    last. A file that is equally similar to two missing names is left out, because it can be only one of them.

    >>> similar_files(["IMG_01.jpg"], ["img_01.JPG", "other.jpg"])
    {'IMG_01.jpg': ('img_01.JPG',)}
    """
    index = _FileNameIndex(unused)
    found: dict[str, tuple[int, list[str]]] = {}
    for name in dict.fromkeys(missing):
        stem, alternative = _plain_stem(name), _plain_stem(also.get(name, ""))
        if not _stem_tokens(stem):
            continue
        searches = (
            (index.with_same_tokens, stem),
            (index.without_additions, stem),
            (index.one_letter_apart, stem),
            (index.with_same_tokens, alternative),
        )
        for grade, (search, wanted) in enumerate(searches):
            if files := search(wanted):
                found[name] = grade, files
                break
    return _most_similar_only(found)


def _most_similar_only(found: dict[str, tuple[int, list[str]]]) -> dict[str, tuple[str, ...]]:
    """Leave out each file of a missing name that is equally or more similar to another missing name.

    `found`: {missing name: (grade, files)}. The smaller the grade, the more similar are the names.
    """
    grades: dict[str, list[int]] = {}
    for grade, files in found.values():
        for file in files:
            grades.setdefault(file, []).append(grade)
    kept = {
        name: tuple(file for file in files if grade == min(grades[file]) and grades[file].count(grade) == 1)
        for name, (grade, files) in found.items()
    }
    return {name: files for name, files in kept.items() if files}


class _FileNameIndex:
    """Finds the files whose names are similar to a stem, in three ways."""

    def __init__(self, files: Sequence[str]) -> None:
        self._stems = {file: _plain_stem(file) for file in files}
        self._by_tokens: dict[tuple[str, ...], list[str]] = {}
        self._by_core: dict[tuple[str, ...], list[str]] = {}
        self._compared = 0
        for file, stem in self._stems.items():
            tokens, core = _stem_tokens(stem), _stem_tokens(_stem_without_additions(stem))
            self._by_tokens.setdefault(tokens, []).append(file)
            if core != tokens:
                self._by_core.setdefault(core, []).append(file)

    def with_same_tokens(self, stem: str) -> list[str]:
        """Return the files whose names have the same words and numbers as the stem; empty if it has none."""
        tokens = _stem_tokens(stem)
        return self._by_tokens.get(tokens, []) if tokens else []

    def without_additions(self, stem: str) -> list[str]:
        """Return the files whose names differ from the stem only by an addition, in the one or the other.

        An addition is the mark of a copy, as in `a (1)`, or a text that a program appends.
        """
        core = _stem_tokens(_stem_without_additions(stem))
        longer, shorter = self._by_core.get(_stem_tokens(stem), []), self._by_tokens.get(core, [])
        return list(dict.fromkeys([*longer, *shorter]))

    def one_letter_apart(self, stem: str) -> list[str]:
        """Return the files whose names differ from the stem by one letter and not in their numbers.

        Empty after `_MOST_COMPARED` calls, and for a short stem.
        """
        if len(stem) < _SHORTEST or self._compared >= _MOST_COMPARED:
            return []
        self._compared += 1
        parts = _with_at_most_one_letter_removed(stem)
        files = dict.fromkeys(file for part in parts for file in self._by_letters.get(part, ()))
        numbers = _numbers_in_stem(stem)
        return [
            file
            for file in files
            if _numbers_in_stem(self._stems[file]) == numbers and one_slip_apart(stem, self._stems[file])
        ]

    @cached_property
    def _by_letters(self) -> dict[str, list[str]]:
        """The files by their stem and by each variant of it without one letter."""
        found: dict[str, list[str]] = {}
        for file, stem in self._stems.items():
            for part in _with_at_most_one_letter_removed(stem):
                found.setdefault(part, []).append(file)
        return found


def _plain_stem(name: str) -> str:
    """Return the stem by which missing and similar file names are compared: normalised, without query and folders."""
    return names.stem("/".join(names.parts(names.normalised_file_name(names.without_query(name)))))


def _stem_without_additions(stem: str) -> str:
    """Return the stem of a file name without copy marks and without text that programs added."""
    return _COPY.sub("", _NAMED_ANEW.sub("", stem)) or stem


def _stem_tokens(stem: str) -> tuple[str, ...]:
    """Split the stem of a file name into words and numbers; numbers lose their leading zeros."""
    return tuple(token.lstrip("0") or "0" if token.isdigit() else token for token in _TOKEN.findall(stem))


def _numbers_in_stem(stem: str) -> list[str]:
    """Return the numbers in the stem of a file name; names with different numbers are different pictures."""
    return [token for token in _stem_tokens(stem) if token.isdigit()]


def _with_at_most_one_letter_removed(stem: str) -> set[str]:
    """Return the stem of a file name and all its variants without one letter; empty if it is very short or long."""
    if not _SHORTEST <= len(stem) <= _LONGEST:
        return set()
    return {stem, *(stem[:n] + stem[n + 1 :] for n in range(len(stem)))}
