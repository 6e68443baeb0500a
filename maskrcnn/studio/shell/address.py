"""What a page is looking at, kept in its address, so that a link, a reload and the back button bring it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
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
    of: str = "",
    resets: Sequence[str] = (),
) -> T:
    """A select box whose choice is `?name=...` in the address.

    Where the address does not say, it is what was chosen last on this `page`, else `default`; so is a value that is not
    (or no longer) among the options. `of` names what the options belong to, as a run its epochs: what was chosen of
    another one is forgotten. Another choice takes the names in `resets` out of the address.
    """
    return _kept(
        partial(st.selectbox, label, options, format_func=show, help=help, label_visibility=label_visibility),
        name,
        options,
        default,
        page,
        of,
        resets,
    )


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
    return _kept(
        partial(
            st.segmented_control,
            label,
            options,
            format_func=show,
            required=True,
            help=help,
            label_visibility="collapsed",
            wrap=True,
        ),
        name,
        options,
        default,
        page,
    )


def radio(label: str, name: str, options: Sequence[T], default: T, *, page: str, show: Callable[[T], str] = str) -> T:
    """A column of buttons of which one is chosen, kept in the address as `select` does."""
    return _kept(
        partial(st.radio, label, options, format_func=show, label_visibility="collapsed"), name, options, default, page
    )


def current(name: str, default: str, *, page: str, of: str = "") -> str:
    """What a choice of this `page` says before its widget is drawn: the address, what was chosen last, or `default`."""
    last_of, last = st.session_state.get(f"{page}_{name}_last", ("", ""))
    return st.query_params.get(name, last if last_of == of and last else default)


def choose(name: str, value: int | str) -> None:
    """Put a choice into the address; for callbacks of other widgets."""
    st.query_params[name] = str(value)


def _kept(
    widget: Callable[..., T | None],
    name: str,
    options: Sequence[T],
    default: T,
    page: str,
    of: str = "",
    resets: Sequence[str] = (),
) -> T:
    """Draw the widget with what the address says, or what was chosen last of `of`; remember what it says then.

    A default that nobody chose is not remembered: it may be another one the next time.
    """
    key, memory = f"{page}_{name}", f"{page}_{name}_last"
    texts = {str(option): option for option in options}
    last_of, last = st.session_state.get(memory, ("", ""))
    asked = st.query_params.get(name, last if last_of == of else "")
    st.session_state[key] = texts.get(asked, default)
    chosen = widget(key=key, on_change=_note, args=(name, key, tuple(resets)))
    if chosen is None:
        chosen = default
    if asked in texts or chosen != default:
        st.session_state[memory] = (of, str(chosen))
    elif last_of != of:
        st.session_state.pop(memory, None)
    return chosen


def _note(name: str, key: str, resets: Sequence[str] = ()) -> None:
    st.query_params[name] = str(st.session_state[key])
    for other in resets:
        st.query_params.pop(other, None)
