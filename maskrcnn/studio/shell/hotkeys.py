"""The keyboard shortcuts of the pages: one table, from which the listener and the sheet of `?` are made.

`listen` puts a listener on the page (`hotkeys.js`). It hears a key wherever the focus is, also on a select box or a
slider that was clicked, and leaves it alone only where a text is being typed. `sheet_button` shows what the keys do.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from maskrcnn.annotations.store import ProjectClass
from maskrcnn.studio.components import browser_component
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.plain_text import plain

Actions = Mapping[str, Callable[[], None]]
"""Action -> what it does, as a callback that runs before the page."""


@dataclass(frozen=True)
class Shortcut:
    """An action with its keys, as a `KeyboardEvent` names them ("ArrowLeft", "d", "ctrl+z"). A held key repeats it only
    where it `is_held`, and then no faster than the page follows."""

    action: str
    keys: tuple[str, ...]
    words: str
    is_held: bool = False

    @property
    def shown(self) -> str:
        """Its first key as a person reads it."""
        return shown(self.keys[0])


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
PREDICTIONS = (*PICTURES, Shortcut("large", ("l",), "The prediction large, or both pictures"), SHEET)

_RESERVED = {key for shortcut in ANNOTATE for key in shortcut.keys} | {"c", "r"}
KEYS: tuple[str, ...] = tuple(key for key in "1234567890" + string.ascii_lowercase if key not in _RESERVED)
"""Keys that a class can be given: not those of Annotate, and not C and R, which Streamlit keeps for itself."""

_NAMES = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓", "-": "−"}
_UNTOLD = {"=", "_"}  # + and - without their Shift
_OPEN = "hotkeys_sheet"
_CLASS = "class "

_listener = browser_component.register(__file__)


def of(entry: ProjectClass) -> str | None:
    """The key of a class; None where it has none, or one that is taken by the page."""
    return entry.hotkey if entry.hotkey in KEYS else None


def of_classes(classes: Sequence[ProjectClass]) -> tuple[Shortcut, ...]:
    """A shortcut for each class that has a key; its action is `class_action(name)`."""
    return tuple(
        Shortcut(class_action(entry.name), (key,), f"Class {entry.name}") for entry in classes if (key := of(entry))
    )


def class_action(name: str) -> str:
    return f"{_CLASS}{name}"


def shown(key: str) -> str:
    """A key as a person reads it: "ctrl+z" is "Ctrl + Z"."""
    parts = key.split("+") if len(key) > 1 else [key]
    return " + ".join(_NAMES.get(part, part.upper() if len(part) == 1 else part.capitalize()) for part in parts)


def tip(shortcuts: Sequence[Shortcut], action: str) -> str:
    """What a control's help says of its key: "Next picture (→)"."""
    shortcut = next(entry for entry in shortcuts if entry.action == action)
    return f"{shortcut.words} ({shortcut.shown})"


def listen(shortcuts: Sequence[Shortcut], actions: Actions, key: str) -> None:
    """Call the action of each shortcut when one of its keys is pressed on this page.

    Must be called in each run, under a `key` of the page's own. `SHEET` needs no action. Raises `ValueError` where
    shortcuts and actions are not the same, or a key would have two of them.
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
    """A button that opens the sheet of these shortcuts; where `?` was pressed, it is open."""
    words = f"Keyboard shortcuts ({SHEET.shown})"
    st.button(label, key=key, icon=":material/keyboard:", type="tertiary", help=words, on_click=_open_sheet)
    if st.session_state.pop(_OPEN, False):
        _sheet(shortcuts)


def rows(shortcuts: Sequence[Shortcut]) -> list[tuple[str, str]]:
    """The lines of the sheet in Markdown: the keys as they are read, and what they do."""
    return [
        (" ".join(f":gray-badge[{shown(key)}]" for key in entry.keys if key not in _UNTOLD), plain(entry.words))
        for entry in shortcuts
    ]


def _open_sheet() -> None:
    st.session_state[_OPEN] = True


@st.dialog("Keyboard shortcuts", icon=":material/keyboard:", width="large")
def _sheet(shortcuts: Sequence[Shortcut]) -> None:
    classes = [entry for entry in shortcuts if entry.action.startswith(_CLASS)]
    of_page = [entry for entry in shortcuts if entry not in classes]
    half = -(-len(of_page) // 2)
    parts = [part for part in (of_page[:half], of_page[half:], classes) if part]
    for column, entries in zip(st.columns(len(parts)), parts, strict=True):  # low enough for a small window
        lines = [f"| {keys} | {words} |" for keys, words in rows(entries)]
        column.markdown("\n".join(["| Key | |", "|---|---|", *lines]))
    st.markdown(
        "They work wherever no text is being typed. A list or a slider that you reach with Tab keeps the arrows. "
        "On a Mac, Ctrl is ⌘. Esc closes this sheet."
    )
