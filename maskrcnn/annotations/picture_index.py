"""Which picture file a label file means by a name.

A name is compared in one spelling (NFC), and where nothing fits, without regard to case. The files that could be meant
are those that end in the whole name, `train/a.jpg`; where there are none, as for a path of another computer, those
whose last part is the same. Of several, the nearest to the label file is taken: at exactly that place below its folder
or below `images/` there, else in a folder of the same split (`train`, `val2017`), else below its folder. If that still
leaves several, none is taken, and a warning names them: a guess would put one picture's labels on another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.annotations import file_names as names


@dataclass(frozen=True)
class Match:
    """The file that a name means (None: none), how many parts of the name fitted (0: only the last of several did), and
    the files between which none was taken."""

    file: str | None = None
    fitted: int = 0
    ambiguous: tuple[str, ...] = ()


class Pictures:
    """Picture files by their names relative to what was dropped, and where they lie."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = files
        self._by_last: dict[str, list[tuple[str, list[str]]]] = {}
        self._by_folded: dict[str, list[tuple[str, list[str]]]] = {}
        for file in files:
            parts = names.parts(names.same(file))
            self._by_last.setdefault(parts[-1], []).append((file, parts))
            self._by_folded.setdefault(parts[-1].casefold(), []).append((file, parts))

    def match(self, file_name: str, label_file: str) -> Match:
        """The picture that `label_file`, a name relative to the same place, calls `file_name`."""
        wanted = names.parts(names.same(file_name))
        if not wanted:
            return Match()
        places = wanted[-1:] if names.leads_out(file_name) else wanted
        fitting = self._by_last.get(wanted[-1]) or self._by_folded.get(wanted[-1].casefold(), [])
        whole = [entry for entry in fitting if _folded(entry[1][-len(places) :]) == _folded(places)]
        beside, split = names.parts(names.same(label_file))[:-1], names.split_word(label_file)
        ranked: dict[tuple[object, ...], list[str]] = {}
        for file, parts in whole or fitting:
            if parts == [*beside, *places]:
                rank: tuple[object, ...] = (0,)
            elif parts == [*beside, "images", *places]:
                rank = (1,)
            else:
                is_other_split = split is not None and names.split_word("/".join(parts[:-1])) != split
                rank = (2, is_other_split, parts[: len(beside)] != beside)
            ranked.setdefault(rank, []).append(file)
        best = ranked[min(ranked)] if ranked else []
        if len(best) > 1:
            return Match(ambiguous=tuple(best))
        return Match(best[0], len(wanted) if whole and places == wanted else 0) if best else Match()

    def match_all(self, file_names: Iterable[str], label_file: str) -> tuple[list[str | None], list[str]]:
        """The picture of each name, and warnings of those for which none was taken though there was one.

        Two names of one label file never mean the same picture: the one that fits in more of its parts has it.
        """
        wanted = list(file_names)
        matches = {name: self.match(name, label_file) for name in dict.fromkeys(wanted)}
        warnings = [
            f"{names.brief(name)}: {len(match.ambiguous)} pictures have this name ({names.listed(match.ambiguous)}), "
            "and none was taken; write the folder before it in the label file"
            for name, match in matches.items()
            if match.ambiguous
        ]
        claims: dict[str, list[int]] = {}
        for match in matches.values():
            if match.file is not None:
                claims.setdefault(match.file, []).append(match.fitted)
        for name, match in matches.items():
            others = claims.get(match.file or "", [])
            if len(others) > 1 and (match.fitted < max(others) or others.count(match.fitted) > 1):
                warnings.append(
                    f"{names.brief(name)}: was not found, as {names.brief(match.file or '')} is meant by another name "
                    "too; add its own picture"
                )
                matches[name] = Match()
        return [matches[name].file for name in wanted], warnings


def _folded(parts: list[str]) -> list[str]:
    return [part.casefold() for part in parts]
