"""Find the picture file for a name in a label file.

1. Candidates are the files with the same base name: exactly equal; else equal in Unicode NFC; else equal ignoring case;
   else equal when normalised (`file_names.normalised_file_name`, after removing a URL query from the label's name).
2. The candidate that shares the most trailing path parts with the name wins: for `/home/ann/set/train/a.jpg`, a path
   from another computer, `train/a.jpg` wins over `val/a.jpg`.
3. If several remain, the nearest to the label file wins: the file at exactly this path below the label file's folder or
   below its `images/` subfolder; else a file in a folder of the same split (`train`, `val2017`); else a file below the
   label file's folder.
4. If several still remain, no file is used and a warning lists them. A guess could give a picture the wrong labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import predefined_splits


class MatchStrength(NamedTuple):
    """How well a file fits a name, to compare several names that match the same file; the larger one fits better.

    `is_whole`: the whole name matches. `n_parts`: number of path parts at the end that match. `n_exact_parts`: number
    of those that match exactly.
    """

    is_whole: bool = False
    n_parts: int = 0
    n_exact_parts: int = 0


_NO_MATCH = MatchStrength()


@dataclass(frozen=True)
class PictureMatch:
    """The result of a search: the `file` (None: not found), how well it fits, and the candidates if `ambiguous`."""

    file: str | None = None
    strength: MatchStrength = _NO_MATCH
    ambiguous: tuple[str, ...] = ()


class PictureIndex:
    """An index of picture files: `{name relative to one folder: path}`."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = files
        self._by_last: dict[Callable[[str], str], dict[str, list[str]]] = {}

    def match(self, file_name: str, label_file: str, default_folder: str = "") -> PictureMatch:
        """Find the picture that `label_file` (a name relative to the same folder) refers to as `file_name`.

        The file that shares the most path parts at the end wins, then the one that shares the most exactly spelt parts,
        then the one nearest to the label file (see the module's rules). The match is ambiguous if several are equal.

        `default_folder` is the picture folder that the label file states; it may be a path on another computer.
        """
        written = file_name if file_name in self.files else names.without_query(file_name)
        wanted = names.parts(written)
        if not wanted or wanted[-1] == "..":
            return PictureMatch()
        fitting = self._fitting(written)
        if not fitting:
            return PictureMatch()
        parts = [part for part in wanted if part != ".."]
        whole = [*names.parts(default_folder), *parts]
        leads_out = names.leads_out(written)
        if len(fitting) == 1 and names.parts(fitting[0])[-len(parts) :] == parts:
            return PictureMatch(fitting[0], MatchStrength(not leads_out, len(parts), len(parts)))
        plain = names.parts(names.normalised_file_name("/".join(whole)))
        beside, split = names.parts(label_file)[:-1], predefined_splits.split_word(label_file)
        # If the name points outside the folder, only its last part is looked up in the label file's folder.
        here = names.parts(names.nfc("/".join(parts[-1:] if leads_out else parts)))
        near = names.parts(names.nfc("/".join(beside)))
        ranked: dict[tuple[object, ...], list[PictureMatch]] = {}  # the smallest key is the best one
        for file in fitting:
            of_file = names.parts(file)
            n_equal = _equal_tail(plain, names.parts(names.normalised_file_name(file)))
            n_exact = _equal_tail(whole, of_file)
            spelled = names.parts(names.nfc(file))
            # The distance to the label file: at this path below its folder, below its `images/`, or elsewhere.
            if spelled == [*near, *here]:
                distance: tuple[object, ...] = (0,)
            elif spelled == [*near, "images", *here]:
                distance = (1,)
            else:
                is_other_split = split is not None and predefined_splits.split_word("/".join(of_file[:-1])) != split
                distance = (2, is_other_split, spelled[: len(near)] != near)
            is_whole = not leads_out and n_equal >= len(parts)
            strength = MatchStrength(is_whole, min(n_equal, len(parts)), min(n_exact, len(parts)))
            ranked.setdefault((-n_equal, -n_exact, *distance), []).append(PictureMatch(file, strength))
        best = ranked[min(ranked)]
        if len(best) > 1:
            return PictureMatch(ambiguous=tuple(match.file for match in best if match.file is not None))
        return best[0]

    def match_all(
        self, file_names: Iterable[str], label_file: str, default_folder: str = ""
    ) -> tuple[list[str | None], list[str]]:
        """Find the pictures of several names. Return a list of files (None: not found), and warnings.

        Two names of one label file never get the same picture: the name that fits better gets it. A warning describes
        each name that is ambiguous or lost its picture to another name.
        """
        wanted = list(file_names)
        matches = {name: self.match(name, label_file, default_folder) for name in dict.fromkeys(wanted)}
        warnings = [
            f"{names.brief(name)}: {len(match.ambiguous)} pictures have this name ({names.listed(match.ambiguous)}), "
            "and none was taken; write the folder before it in the label file"
            for name, match in matches.items()
            if match.ambiguous
        ]
        claims: dict[str, list[MatchStrength]] = {}
        for match in matches.values():
            if match.file is not None:
                claims.setdefault(match.file, []).append(match.strength)
        for name, match in matches.items():
            others = claims.get(match.file or "", [])
            if len(others) > 1 and (match.strength < max(others) or others.count(match.strength) > 1):
                warnings.append(
                    f"{names.brief(name)}: was not found, as {names.brief(match.file or '')} is meant by another name "
                    "too; add its own picture"
                )
                matches[name] = PictureMatch()
        return [matches[name].file for name in wanted], warnings

    def _fitting(self, written: str) -> list[str]:
        """Return the candidates: the files with the same base name, by the first of `_SPELLINGS` that finds any."""
        for spelling in _SPELLINGS:
            if spelling not in self._by_last:
                by_last: dict[str, list[str]] = {}
                for file in self.files:
                    by_last.setdefault(names.parts(spelling(file))[-1], []).append(file)
                self._by_last[spelling] = by_last
            if fitting := self._by_last[spelling].get((names.parts(spelling(written)) or [""])[-1]):
                return fitting
        return []


def _exact_spelling(name: str) -> str:
    """Return the name as it is written: the strictest of `_SPELLINGS`."""
    return name


def _folded_spelling(name: str) -> str:
    """Return the name in Unicode NFC without case: one of `_SPELLINGS`."""
    return names.nfc(name).casefold()


_SPELLINGS: tuple[Callable[[str], str], ...] = (
    _exact_spelling,
    names.nfc,
    _folded_spelling,
    names.normalised_file_name,
)
"""The ways to compare the base names of pictures, from the strictest to the loosest."""


def _equal_tail(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the equal path parts at the end of two paths."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
