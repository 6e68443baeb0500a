"""Draw the input of any Config field, from the field's type, limits and description."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError

COLUMNS = 2


def field_input_keys(preset: str, shipped_model: str = "") -> Callable[[str], str]:
    """A function that returns the Streamlit key of the input of a Config field, by the field's name.

    Each preset has keys of its own. `shipped_model` is the name of the shipped model whose network the inputs show,
    else empty: with another model, the keys change, so that the inputs start with the values of that model.
    """

    def key(name: str) -> str:
        return f"launch-{preset}-{shipped_model}{name}"

    return key


def config_grid(names: Iterable[str], config: Config, key: Callable[[str], str]) -> dict[str, Any]:
    """Draw the inputs of the fields `names`, two per row, and return their current values.

    `config` contains the initial values; `key(name)` is the key of a field's input. Raises like `config_input`.
    """
    values: dict[str, Any] = {}
    cells = [(name, part) for name in names for part in _cells_of_field(getattr(config, name))]
    for start in range(0, len(cells), COLUMNS):
        columns = st.columns(COLUMNS, vertical_alignment="bottom")
        for column, (name, part) in zip(columns, cells[start : start + COLUMNS], strict=False):
            with column:
                if part is None:
                    values[name] = config_input(name, getattr(config, name), key(name))
                else:
                    values.setdefault(name, dict(getattr(config, name)))[part] = st.number_input(
                        part,
                        min_value=0.0,
                        value=float(getattr(config, name)[part]),
                        step=0.1,
                        format="%g",
                        help=Config.model_fields[name].description,
                        key=key(f"{name}-{part}"),
                    )
    return values


def _cells_of_field(value: Any) -> list[str | None]:
    """The parts of a field's value, one input each: the keys of a dictionary, or `[None]` for any other value."""
    return list(value) if isinstance(value, dict) else [None]


def config_input(name: str, value: Any, key: str, label: str | None = None) -> Any:
    """Draw the input of one field with the initial `value`, and return its current value.

    Raises `ArgumentError` for a text that is no list of numbers. All other checks are made by `Config`.
    """
    about = Config.model_fields[name]
    label = label or name
    kinds = _types_of_field(about.annotation)
    if typing.get_origin(about.annotation) is typing.Literal:
        choices = list(typing.get_args(about.annotation))
        return st.selectbox(label, choices, index=choices.index(value), help=about.description, key=key)
    if typing.get_origin(about.annotation) is tuple:
        text = st.text_input(
            label,
            ", ".join(f"{number:g}" for number in value),
            help=about.description,
            placeholder="the usual",
            key=key,
        )
        return _numbers_of_field_input(name, text, float if float in typing.get_args(about.annotation) else int)
    if bool in kinds:
        return st.checkbox(label, value, help=about.description, key=key)
    low, high = _limits_of_field(about.metadata)
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


def _types_of_field(annotation: Any) -> set[Any]:
    """The types in the annotation of a Config field, which decide its input: `int | None` -> {int, NoneType}."""
    if isinstance(annotation, types.UnionType):
        return set(typing.get_args(annotation))
    return {annotation}


def _limits_of_field(metadata: list[Any]) -> tuple[Any, Any]:
    """The minimum and maximum of a field's input, None if unlimited. Exclusive limits are treated as inclusive."""
    found = {
        side: getattr(limit, side) for limit in metadata for side in ("ge", "gt", "le", "lt") if hasattr(limit, side)
    }
    return found.get("ge", found.get("gt")), found.get("le", found.get("lt"))


def _numbers_of_field_input(name: str, text: str, kind: type[int] | type[float]) -> tuple[float, ...]:
    """The value of a field whose input is a text: numbers with commas. Raises `ArgumentError` for other text."""
    try:
        return tuple(kind(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError:
        raise ArgumentError(f'{name}: "{text}" is no list of numbers; write them with commas between') from None
