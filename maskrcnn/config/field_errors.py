"""Sentences for values that a Config refuses."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


def unknown_field(name: str, known: Iterable[str]) -> str:
    """A sentence that there is no such field, with the nearest of the `known` ones.

    >>> unknown_field("poling", ["pooling", "pooling_mode"])
    'there is no field "poling"; did you mean "pooling"?'
    """
    close = difflib.get_close_matches(name, known, n=1)
    hint = f'did you mean "{close[0]}"?' if close else "`python -m maskrcnn info RUN` lists them all"
    return f'there is no field "{name}"; {hint}'


def describe_error(detail: Any, known: Iterable[str]) -> str:
    """One error of pydantic's `ValidationError.errors()` as a sentence: the field, the value and what is allowed."""
    if not detail["loc"]:
        return str(detail["ctx"]["error"])
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        return unknown_field(name, known)
    given = repr(detail["input"])
    given = given if len(given) <= 80 else f"{given[:77]}..."
    return f"{name} = {given}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
