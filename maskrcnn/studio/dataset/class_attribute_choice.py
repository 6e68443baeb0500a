"""The words for the choice of the attribute that is the class, in the import preview and the Classes view."""

from __future__ import annotations

from collections.abc import Mapping

from maskrcnn.annotations.formats.via.class_attributes import Candidate
from maskrcnn.words import counted


def class_choice_in_words(name: str | None, known: Mapping[str, Candidate]) -> str:
    """The text of a choice of the class attribute: no attribute (None), one of the candidates, or several at once.

    `known` maps the names of the candidates to them.
    """
    if name is None:
        return "none: all regions are of one class"
    return candidate_in_words(known[name]) if name in known else f"{name}: each where it is set"


def candidate_in_words(candidate: Candidate) -> str:
    """A candidate for the class attribute as text, for example "type: 3 values in 240 regions"."""
    text = f"{candidate.name}: {counted(len(candidate.values), 'value')} in {counted(candidate.n_regions, 'region')}"
    return f"{text}, {candidate.several} with several ticked" if candidate.several else text


def class_values_in_words(values: Mapping[str, int], most: int = 12) -> str:
    """The values of the class attribute as text, the most frequent first, for example "cat (12), dog (3)"."""
    shown = [f"{name} ({count})" for name, count in list(values.items())[:most]]
    if len(values) > most:
        shown.append(f"and {len(values) - most} more")
    return ", ".join(shown) or "none"
