"""The class buttons of the Annotate page, and the form that adds a class."""

from __future__ import annotations

import streamlit as st

from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.drawing.hex_colours import known_colour
from maskrcnn.studio.annotate import dataset_links, editing
from maskrcnn.studio.dataset import class_editing, similar_class
from maskrcnn.studio.shell import hotkeys
from maskrcnn.studio.shell.markdown_escape import plain

_MANY_CLASSES = 12
"""With more classes than this, the buttons are in a scrolling container, so that the region table stays visible."""


def show(project: Project) -> None:
    """Draw a button with colour and key for each class. New regions get the chosen class."""
    chosen = editing.chosen_class(project)
    classes = project.classes()
    with st.container(horizontal=True, gap="xsmall", height=260 if len(classes) > _MANY_CLASSES else "content"):
        for number, entry in enumerate(classes, 1):
            key = hotkeys.class_key(entry)
            st.button(
                f':color[⬤]{{foreground="{known_colour(entry.colour)}"}} {plain(entry.name)}'
                + (f" :gray-badge[{hotkeys.key_label(key)}]" if key else ""),
                key=f"annotate_class_{number}",
                type="primary" if entry.name == chosen else "secondary",
                on_click=editing.choose_class,
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
        project.set_classes([*classes, ProjectClass(name, class_editing.free_colour(classes))])
        use(name)

    def use(name: str) -> None:
        editing.choose_class(name)
        st.rerun()

    similar_class.make("annotate", name.strip() if added else None, [entry.name for entry in classes], add, use)
    dataset_links.link("classes", "Names, colours, keys, order", ":material/palette:")
