"""What a page is looking at, kept in its address, so that a link, a reload and the back button bring it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import streamlit as st

T = TypeVar("T", int, str)


def select(
    label: str,
    name: str,
    options: Sequence[T],
    default: T,
    *,
    page: str,
    show: Callable[[T], str] = str,
    help: str | None = None,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> T:
    """A select box whose choice is `?name=...` in the address.

    Where the address does not say, it is what was chosen last on this `page`, else `default`; so is a value that is not
    (or no longer) among the options.
    """
    key, memory = f"{page}_{name}", f"{page}_{name}_last"
    texts = {str(option): option for option in options}
    asked = texts.get(st.query_params.get(name, st.session_state.get(memory, "")), default)
    st.session_state[key] = asked
    chosen: T = st.selectbox(
        label,
        options,
        format_func=show,
        key=key,
        on_change=_note,
        args=(name, key),
        help=help,
        label_visibility=label_visibility,
    )
    st.session_state[memory] = str(chosen)
    return chosen


def segments(
    label: str,
    name: str,
    options: Sequence[T],
    default: T,
    *,
    page: str,
    show: Callable[[T], str] = str,
    help: str | None = None,
) -> T:
    """A row of buttons of which one is chosen, kept in the address as `select` does."""
    key, memory = f"{page}_{name}", f"{page}_{name}_last"
    texts = {str(option): option for option in options}
    st.session_state[key] = texts.get(st.query_params.get(name, st.session_state.get(memory, "")), default)
    chosen = (
        st.segmented_control(
            label,
            options,
            format_func=show,
            key=key,
            required=True,
            on_change=_note,
            args=(name, key),
            help=help,
            label_visibility="collapsed",
        )
        or default
    )
    st.session_state[memory] = str(chosen)
    return chosen


def choose(name: str, value: int | str) -> None:
    """Put a choice into the address; for callbacks of other widgets."""
    st.query_params[name] = str(value)


def _note(name: str, key: str) -> None:
    st.query_params[name] = str(st.session_state[key])
