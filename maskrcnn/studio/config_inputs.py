"""An input for any field of the Config, made from its type, its limits and its description."""

from __future__ import annotations

import math
import types
import typing
from typing import Any

import streamlit as st

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError


def config_input(name: str, value: Any, key: str, label: str | None = None) -> Any:
    """Show the input of one field, holding `value`, and return what it holds now.

    Text that is no list of numbers raises `ArgumentError`. Everything else is for `Config` to judge.
    """
    about = Config.model_fields[name]
    label = label or name
    kinds = _kinds(about.annotation)
    if typing.get_origin(about.annotation) is typing.Literal:
        choices = list(typing.get_args(about.annotation))
        return st.selectbox(label, choices, index=choices.index(value), help=about.description, key=key)
    if typing.get_origin(about.annotation) is tuple:
        text = st.text_input(label, ", ".join(f"{number:g}" for number in value), help=about.description, key=key)
        return _numbers(name, text, float if float in typing.get_args(about.annotation) else int)
    if typing.get_origin(about.annotation) is dict:
        return {
            part: st.number_input(
                f"{label}: {part}", 0.0, None, float(number), 0.1, help=about.description, key=f"{key}-{part}"
            )
            for part, number in value.items()
        }
    low, high = _limits(about.metadata)
    if float in kinds:
        step = 10.0 ** math.floor(math.log10(value)) if value else 0.1
        return st.number_input(
            label,
            None if low is None else float(low),
            None if high is None else float(high),
            float(value),
            step,
            format="%g",
            help=about.description,
            key=key,
        )
    return st.number_input(label, low, high, value, 1, help=about.description, key=key)


def _kinds(annotation: Any) -> set[Any]:
    """The types of a field: `int | None` -> {int, NoneType}."""
    if isinstance(annotation, types.UnionType):
        return set(typing.get_args(annotation))
    return {annotation}


def _limits(metadata: list[Any]) -> tuple[Any, Any]:
    """The smallest and the largest value that the field's own limits allow (an open limit counts as closed here)."""
    found = {
        side: getattr(limit, side) for limit in metadata for side in ("ge", "gt", "le", "lt") if hasattr(limit, side)
    }
    return found.get("ge", found.get("gt")), found.get("le", found.get("lt"))


def _numbers(name: str, text: str, kind: type[int] | type[float]) -> tuple[float, ...]:
    try:
        return tuple(kind(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError:
        raise ArgumentError(f'{name}: "{text}" is no list of numbers; write them with commas between') from None
