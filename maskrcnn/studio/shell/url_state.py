"""Choices that are stored in the page's URL, so that links, reloads and the back button restore them.

Widgets whose choice is stored there, and the parameters of a link to a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

import streamlit as st

from maskrcnn.runs.folder import RunFolder

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
    owner: str = "",
    resets: Sequence[str] = (),
) -> T:
    """Draw a select box whose choice is stored in the URL as `?name=...`, and return the choice.

    If the URL has no value for `name`, the last choice on this `page` is used, else `default`. If the value is not one
    of the options, `default` is used. `owner` names the object that the options belong to, for example the run of a
    list of epochs: the last choice is forgotten if the owner changes. A new choice removes the names in `resets` from
    the URL.
    """
    return _stored_in_url(
        partial(st.selectbox, label, options, format_func=show, help=help, label_visibility=label_visibility),
        name,
        options,
        default,
        page,
        owner,
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
) -> T:
    """Draw a row of buttons, one of which is chosen, and return the choice. It is stored in the URL as in `select`."""
    return _stored_in_url(
        partial(
            st.segmented_control,
            label,
            options,
            format_func=show,
            required=True,
            label_visibility="collapsed",
            wrap=True,
        ),
        name,
        options,
        default,
        page,
    )


def radio(label: str, name: str, options: Sequence[T], default: T, *, page: str, show: Callable[[T], str] = str) -> T:
    """Draw radio buttons, and return the choice. It is stored in the URL as in `select`."""
    return _stored_in_url(
        partial(st.radio, label, options, format_func=show, label_visibility="collapsed"), name, options, default, page
    )


def slider(
    label: str,
    name: str,
    options: Sequence[T],
    default: T,
    *,
    page: str,
    show: Callable[[T], str] = str,
    label_visibility: Literal["visible", "collapsed"] = "visible",
    owner: str = "",
) -> T:
    """Draw a slider over at least 2 options, and return the choice. It is stored in the URL as in `select`."""

    def widget(**stored: Any) -> T:
        return st.select_slider(label, options, format_func=show, label_visibility=label_visibility, **stored)

    return _stored_in_url(widget, name, options, default, page, owner)


def current(name: str, default: str, *, page: str, owner: str = "") -> str:
    """Return a choice of this `page` before its widget is drawn: from the URL, the last choice, or `default`.

    The value is not checked against the options.
    """
    return st.query_params.get(name, _last_choice(page, name, owner) or default)


def choose(name: str, value: int | str) -> None:
    """Write a choice into the URL; for callbacks of other widgets."""
    st.query_params[name] = str(value)


def _stored_in_url(
    widget: Callable[..., T | None],
    name: str,
    options: Sequence[T],
    default: T,
    page: str,
    owner: str = "",
    resets: Sequence[str] = (),
) -> T:
    """Draw a widget and return its choice. The parameters are those of `select`.

    The widget shows the value of `?name=` in the URL; without one, the choice that the session remembers for `page`,
    `name` and `owner`. A click writes the new choice into the URL (`_write_url`). The choice is remembered, but
    not a default that is shown only because nothing was chosen: the default may be different the next time.
    """
    key = f"{page}_{name}"
    texts = {str(option): option for option in options}
    asked = st.query_params.get(name, _last_choice(page, name, owner))
    st.session_state[key] = texts.get(asked, default)
    chosen = widget(key=key, on_change=_write_url, args=(name, key, tuple(resets)))
    if chosen is None:
        chosen = default
    last_key = _last_choice_key(page, name)
    is_chosen = asked in texts or chosen != default
    if is_chosen:
        st.session_state[last_key] = (owner, str(chosen))
    elif last_key in st.session_state and st.session_state[last_key][0] != owner:
        del st.session_state[last_key]  # the last choice was made for another owner: forget it
    return chosen


def _last_choice_key(page: str, name: str) -> str:
    """Return the session state key of a widget's last choice, which is used while the URL has no value.

    It is stored together with its owner: the object that the options belonged to (see `select`).
    """
    return f"{page}_{name}_last"


def _last_choice(page: str, name: str, owner: str) -> str:
    """Return the last choice of a widget as text; empty if there is none, or it belongs to another owner."""
    last_owner, last = st.session_state.get(_last_choice_key(page, name), ("", ""))
    return str(last) if last_owner == owner else ""


def _write_url(name: str, key: str, resets: Sequence[str] = ()) -> None:
    """Write the state of a widget into the URL, and remove the names in `resets` from it."""
    st.query_params[name] = str(st.session_state[key])
    for other in resets:
        st.query_params.pop(other, None)


def address_of_run(run: RunFolder) -> dict[str, str]:
    """The query parameters of a URL that opens a run: its name, and the name of its project, if it has one."""
    project = run.project_folder
    return {"run": run.name} if project is None else {"project": project.name, "run": run.name}
