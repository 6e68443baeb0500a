"""An input for any field of the Config that a person sets, made from its type, its limits and its description."""

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


def input_keys(preset: str, brought_by: str = "") -> Callable[[str], str]:
    """Keys of the inputs of a preset, by name. `brought_by` is the model that ships whose network they show, else
    empty: with another one they start from its values."""
    return f"launch-{preset}-{brought_by}{{}}".format


def config_grid(names: Iterable[str], config: Config, key: Callable[[str], str]) -> dict[str, Any]:
    """Show the inputs of these fields in rows of two, holding what `config` says, and return what they hold now.

    `key(name)` is the key of a field's input. Raises `ArgumentError` as `config_input` does.
    """
    values: dict[str, Any] = {}
    cells = [(name, part) for name in names for part in _parts(getattr(config, name))]
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


def _parts(value: Any) -> list[str | None]:
    """The names of a field's own inputs where it is a table of numbers, else None for the one that it has."""
    return list(value) if isinstance(value, dict) else [None]


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
        text = st.text_input(
            label,
            ", ".join(f"{number:g}" for number in value),
            help=about.description,
            placeholder="the usual",
            key=key,
        )
        return _numbers(name, text, float if float in typing.get_args(about.annotation) else int)
    if bool in kinds:
        return st.checkbox(label, value, help=about.description, key=key)
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
