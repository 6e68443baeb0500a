"""The class buttons of the Annotate page, and the form that adds a class."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.colours import free_colour
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.drawing.hex_colours import known_colour
from maskrcnn.studio.annotate import dataset_links
from maskrcnn.studio.dataset import new_class_questions
from maskrcnn.studio.shell import hotkeys
from maskrcnn.studio.shell.hotkeys import CLASS_ACTION, KEYS, Shortcut
from maskrcnn.studio.shell.markdown_escape import plain

_FIRST_CLASS = "object"
"""Class of the first region in a project without classes."""

_MANY_CLASSES = 12
"""With more classes than this, the buttons are in a scrolling container, so that the region table stays visible."""

_CLASS = "annotate_class"
_NEXT_CLASS = "annotate_next_class"


def show(project: Project) -> None:
    """Draw a button with colour and key for each class. New regions get the chosen class."""
    chosen = chosen_class(project)
    classes = project.classes()
    with st.container(horizontal=True, gap="xsmall", height=260 if len(classes) > _MANY_CLASSES else "content"):
        for number, entry in enumerate(classes, 1):
            key = class_key(entry)
            st.button(
                f':color[⬤]{{foreground="{known_colour(entry.colour)}"}} {plain(entry.name)}'
                + (f" :gray-badge[{hotkeys.key_label(key)}]" if key else ""),
                key=f"annotate_class_{number}",
                type="primary" if entry.name == chosen else "secondary",
                on_click=choose_class,
                args=(entry.name,),
            )
        with st.popover("Classes", icon=":material/palette:", help="Add a class, or change one."):
            _add_class(project, classes)


def _add_class(project: Project, classes: list[ProjectClass]) -> None:
    """Draw the form that adds a class. If a similar class exists, the user is asked which one to use."""
    with st.form("annotate_add_class", clear_on_submit=True, border=False):
        name = st.text_input("New class", placeholder="for example cell", key="annotate_new_class")
        added = st.form_submit_button("Add class", icon=":material/add:")

    def add(name: str) -> None:
        project.set_classes([*classes, ProjectClass(name, free_colour([entry.colour for entry in classes]))])
        use(name)

    def use(name: str) -> None:
        choose_class(name)
        st.rerun()

    new_class_questions.add_class_or_ask(
        "annotate", name.strip() if added else None, [entry.name for entry in classes], add, use
    )
    dataset_links.link("classes", "Names, colours, keys, order", ":material/palette:")


def chosen_class(project: Project) -> str | None:
    """Return the class of new regions; None in a project without classes.

    A choice of `choose_class` takes effect here, when the page is drawn, and not in the callback. Reason: the browser
    may send a finished polygon and a click on another class together; the polygon then gets the class from before the
    click.
    """
    names = [entry.name for entry in project.classes()]
    chosen = st.session_state.pop(_NEXT_CLASS, None) or st.session_state.get(_CLASS)
    if chosen not in names:
        chosen = names[0] if names else None
    st.session_state[_CLASS] = chosen
    return chosen


def choose_class(name: str) -> None:
    """Choose the class of new regions; for callbacks and keys."""
    st.session_state[_NEXT_CLASS] = name


def class_of_new_region() -> str:
    """Return the class of a region that was just drawn; `_FIRST_CLASS` in a project without classes."""
    return st.session_state.get(_CLASS) or _FIRST_CLASS


def class_key(entry: ProjectClass) -> str | None:
    """Return the key of a class; None if it has no key or a key that is not in `KEYS`."""
    return entry.hotkey if entry.hotkey in KEYS else None


def class_shortcuts(classes: Sequence[ProjectClass]) -> tuple[Shortcut, ...]:
    """Return a shortcut for each class that has a key. Its action is `class_action(name)`."""
    return tuple(
        Shortcut(class_action(entry.name), (key,), f"Class {entry.name}")
        for entry in classes
        if (key := class_key(entry))
    )


def class_action(name: str) -> str:
    """Return the name of the action that chooses a class."""
    return f"{CLASS_ACTION}{name}"
