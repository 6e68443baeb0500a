"""The keyboard shortcuts of the pages: their tables, the listener, and the dialog that lists them (key `?`).

`listen` puts a listener on the page (`hotkeys.js`). It handles keys wherever the focus is, including a select box or a
slider that was clicked, unless the user is typing text. `sheet_button` draws the button that opens the dialog.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from maskrcnn.studio.components import browser_component
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain

Actions = Mapping[str, Callable[[], None]]
"""Name of an action -> its callback, which runs before the page script."""


@dataclass(frozen=True)
class Shortcut:
    """An action and its keys, named as in a `KeyboardEvent` ("ArrowLeft", "d", "ctrl+z").

    If `is_held` is True, holding the key repeats the action, but not faster than the page is redrawn. `words` describe
    the action.
    """

    action: str
    keys: tuple[str, ...]
    words: str
    is_held: bool = False

    @property
    def key_label(self) -> str:
        """The label of the first key."""
        return key_label(self.keys[0])


SHEET = Shortcut("sheet", ("?",), "This sheet")
PICTURES = (
    Shortcut("previous", ("ArrowLeft",), "Previous picture", is_held=True),
    Shortcut("next", ("ArrowRight",), "Next picture", is_held=True),
)
ANNOTATE = (
    *PICTURES,
    Shortcut("done", ("d",), "Picture done, or not done"),
    Shortcut("polygon", ("p",), "Tool: polygon"),
    Shortcut("box", ("b",), "Tool: box"),
    Shortcut("edit", ("e",), "Tool: edit"),
    Shortcut("region_up", ("ArrowUp",), "Select the region before", is_held=True),
    Shortcut("region_down", ("ArrowDown",), "Select the next region", is_held=True),
    Shortcut("delete", ("Delete", "Backspace"), "Delete the selected region"),
    Shortcut("undo", ("ctrl+z",), "Undo"),
    Shortcut("redo", ("ctrl+y", "ctrl+shift+z"), "Redo"),
    Shortcut("zoom_in", ("+", "="), "Zoom in"),
    Shortcut("zoom_out", ("-", "_"), "Zoom out"),
    SHEET,
)
PREDICTIONS = (
    *PICTURES,
    Shortcut("large", ("l",), "The prediction large, or both pictures"),
    Shortcut("why", ("w",), "What became of the selected object or detection, and why"),
    Shortcut("only", ("o",), "Draw only the selected one and its partner, or all"),
    Shortcut("editor", ("e",), "Open the selected one in the editor"),
    SHEET,
)
COMPARE = (*PICTURES, Shortcut("swipe", ("l",), "One large picture with the swipe line, or both pictures"), SHEET)

_RESERVED = {key for shortcut in ANNOTATE for key in shortcut.keys} | {"c", "r"}
KEYS: tuple[str, ...] = tuple(key for key in "1234567890" + string.ascii_lowercase if key not in _RESERVED)
"""Keys that a class can have. Keys of the Annotate page are excluded, and C and R, which Streamlit uses."""

_NAMES = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓", "-": "−"}
_HIDDEN_KEYS = {"=", "_"}  # the same physical keys as + and -; not listed in the dialog
_OPEN = "hotkeys_sheet"
CLASS_ACTION = "class "
"""The start of the names of the actions that choose a class."""

_listener = browser_component.register(__file__)


def key_label(key: str) -> str:
    """Return the label of a key for the user, such as "Ctrl + Z" for "ctrl+z"."""
    parts = key.split("+") if len(key) > 1 else [key]
    return " + ".join(_NAMES.get(part, part.upper() if len(part) == 1 else part.capitalize()) for part in parts)


def tip(shortcuts: Sequence[Shortcut], action: str) -> str:
    """Return the tooltip for the control of an action, with its key, such as "Next picture (→)"."""
    shortcut = next(entry for entry in shortcuts if entry.action == action)
    return f"{shortcut.words} ({shortcut.key_label})"


def listen(shortcuts: Sequence[Shortcut], actions: Actions, key: str) -> None:
    """Listen to the keys of the shortcuts on this page, and call the action of a pressed key.

    Call this in each script run, with a widget `key` that only this page uses. `SHEET` needs no entry in `actions`.
    Raises `ValueError` if shortcuts and actions do not have the same names, or if two shortcuts share a key.
    """
    actions = {SHEET.action: _open_sheet, **actions}
    bindings = {name: entry.action for entry in shortcuts for name in entry.keys}
    if {entry.action for entry in shortcuts} != set(actions) or len(bindings) != sum(len(e.keys) for e in shortcuts):
        raise ValueError(f"keys and actions differ: {sorted(bindings.items())}, {sorted(actions)}")
    done = f"{key}_done"

    def pressed() -> None:
        press: Any = st.session_state[key].get("pressed")
        if isinstance(press, Mapping) and press.get("serial") != st.session_state.get(done):
            st.session_state[done] = press.get("serial")
            with session.fail_softly(stop=False):
                actions.get(press.get("action", ""), lambda: None)()

    _listener(
        key=key,
        data={
            "bindings": bindings,
            "held": [entry.action for entry in shortcuts if entry.is_held],
            "done": st.session_state.get(done),
        },
        default={"pressed": None},
        on_pressed_change=pressed,
        width=1,
        height=1,
    )


def sheet_button(shortcuts: Sequence[Shortcut], key: str, label: str = "Keys") -> None:
    """Draw a button that opens the dialog with these shortcuts. Open it if the button or `?` was pressed."""
    words = f"Keyboard shortcuts ({SHEET.key_label})"
    st.button(label, key=key, icon=":material/keyboard:", type="tertiary", help=words, on_click=_open_sheet)
    if st.session_state.pop(_OPEN, False):
        _sheet(shortcuts)


def rows(shortcuts: Sequence[Shortcut]) -> list[tuple[str, str]]:
    """Return the rows of the dialog in Markdown: the keys, and the description of the action."""
    return [
        (
            " ".join(f":gray-badge[{key_label(key)}]" for key in entry.keys if key not in _HIDDEN_KEYS),
            plain(entry.words),
        )
        for entry in shortcuts
    ]


def _open_sheet() -> None:
    """Open the dialog with the keyboard shortcuts when its button is drawn next (callback of the button and of `?`)."""
    st.session_state[_OPEN] = True


@st.dialog("Keyboard shortcuts", icon=":material/keyboard:", width="large")
def _sheet(shortcuts: Sequence[Shortcut]) -> None:
    """Draw the dialog: the shortcuts of the page in two columns, and those of the classes in a third one."""
    classes = [entry for entry in shortcuts if entry.action.startswith(CLASS_ACTION)]
    of_page = [entry for entry in shortcuts if entry not in classes]
    half = -(-len(of_page) // 2)
    parts = [part for part in (of_page[:half], of_page[half:], classes) if part]
    for column, entries in zip(
        st.columns(len(parts)), parts, strict=True
    ):  # columns keep the dialog low enough for a small window
        lines = [f"| {keys} | {words} |" for keys, words in rows(entries)]
        column.markdown("\n".join(["| Key | |", "|---|---|", *lines]))
    st.markdown(
        "They work wherever no text is being typed. A list or a slider that you reach with Tab keeps the arrows. "
        "On a Mac, Ctrl is ⌘. Esc closes this sheet."
    )
