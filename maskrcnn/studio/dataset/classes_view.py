"""The Classes view: the classes of a project, the attribute that they come from, and the snapshots of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.annotations.colours import free_colour
from maskrcnn.annotations.formats.via import attribute_definitions
from maskrcnn.annotations.regions import Skeleton
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.drawing.hex_colours import known_colour
from maskrcnn.drawing.swatches import disc
from maskrcnn.errors import ArgumentError
from maskrcnn.studio.annotate.simple_canvas import class_picker, editing
from maskrcnn.studio.dataset import class_attribute_choice, new_class_questions, snapshots_view
from maskrcnn.studio.shell import hotkeys, session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

_CHOSEN = "dataset_classes_chosen"
_GENERATION = "dataset_classes_generation"
_DONE = "dataset_classes_done"
_NO_KEY = "none"


def show(project: Project) -> None:
    """Draw the Classes view: the class table, the selected class, the class attribute, and the snapshots."""
    if message := st.session_state.pop(_DONE, None):
        st.toast(plain(message), icon=":material/check:")
    classes = project.classes()
    counts = project.counts().classes
    left, right = st.columns([3, 2], gap="large")
    with left:
        if classes:
            _classes_table(classes, counts)
        else:
            st.info("No classes yet. They come with imported labels; or make one here.", icon=":material/info:")
        _add_class_form(project, classes)
    with right:
        if classes:
            _selected_class(project, classes, counts)
    generation = st.session_state.get(_GENERATION, 0)
    class_attribute_choice.choose_for_project(project, generation, _rerun_after_change)
    _attribute_definitions(project)
    snapshots_view.show(project, generation, _rerun_after_change)


def _classes_table(classes: Sequence[ProjectClass], counts: Mapping[str, int]) -> None:
    """Draw the table of the classes. A click on a row selects the class."""
    table = pd.DataFrame(
        {
            "colour": [disc(entry.colour, str(number)) for number, entry in enumerate(classes, 1)],
            "name": [entry.name for entry in classes],
            "key": [(class_picker.class_key(entry) or "").upper() for entry in classes],
            "regions": [counts.get(entry.name, 0) for entry in classes],
            "keypoints": [len(entry.skeleton.names) if entry.skeleton else None for entry in classes],
        }
    )
    if not any(entry.skeleton for entry in classes):
        table = table.drop(columns="keypoints")
    key = f"dataset_classes_table_{st.session_state.get(_GENERATION, 0)}"

    def clicked() -> None:
        if rows := st.session_state[key]["selection"]["rows"]:
            st.session_state[_CHOSEN] = classes[rows[0]].name

    st.dataframe(
        table,
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(table), 420),
        row_height=35,
        on_select=clicked,
        selection_mode="single-row",
        column_config={
            "colour": st.column_config.ImageColumn(
                "#", width=44, help="The place in the list, which is that in training."
            ),
            "name": st.column_config.TextColumn("Class"),
            "key": st.column_config.TextColumn("Key", width=60, help="Chooses the class while you draw."),
            "regions": st.column_config.NumberColumn("Regions", width=80),
            "keypoints": st.column_config.NumberColumn("Keypoints", width=90),
        },
    )


def _add_class_form(project: Project, classes: Sequence[ProjectClass]) -> None:
    """Draw the form that adds a class, and the question about a similar class."""
    form = st.form("dataset_new_class", clear_on_submit=True, border=False)
    with form.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("New class", placeholder="for example cell", key="dataset_new_class_name")
        added = st.form_submit_button("Add class", icon=":material/add:")

    def add(name: str) -> None:
        project.set_classes([*classes, ProjectClass(name, free_colour([entry.colour for entry in classes]))])
        _rerun_after_change(f"Class {name} added", name)

    names = [entry.name for entry in classes]
    asked = name.strip() if added else None
    new_class_questions.add_class_or_ask(
        "dataset_new_class", asked, names, add, lambda other: _rerun_after_change("", other)
    )


def _selected_class(project: Project, classes: list[ProjectClass], counts: Mapping[str, int]) -> None:
    """Draw the inputs and buttons for one class: name, colour, key, order, removal, merging, and its keypoints."""
    names = [entry.name for entry in classes]
    if st.session_state.get(_CHOSEN) not in names:
        st.session_state[_CHOSEN] = names[0]
    name = st.selectbox("Class", names, key=_CHOSEN)
    place = names.index(name)
    entry = classes[place]
    generation = st.session_state.get(_GENERATION, 0)
    with st.form("dataset_change_class", border=True):
        new = st.text_input("Name", name, key=f"dataset_class_name_{generation}_{name}")
        colour_at, key_at = st.columns(2)
        colour = colour_at.color_picker(
            "Colour", known_colour(entry.colour), key=f"dataset_class_colour_{generation}_{name}"
        )
        taken = {class_picker.class_key(other) for other in classes if other.name != name}
        free = [_NO_KEY, *(key for key in hotkeys.KEYS if key not in taken)]
        key = key_at.selectbox(
            "Key",
            free,
            free.index(class_picker.class_key(entry) or _NO_KEY),
            format_func=str.upper,
            key=f"dataset_class_key_{generation}_{name}",
            help="The key that chooses the class while you draw. C and R belong to the page.",
        )
        saved = st.form_submit_button("Save", icon=":material/check:", type="primary")

    def save(new: str) -> None:
        _change_class(project, classes, replace(entry, colour=colour, hotkey=None if key == _NO_KEY else key), new)
        _rerun_after_change(f"Class {new} saved", new)

    def merge(into: str) -> None:
        project.merge_class(name, into)
        _rerun_after_change(f"{name} is now {into}; a snapshot of before was kept", into)

    new_name = new.strip()
    other_names = [other for other in names if other != name]
    new_class_questions.add_class_or_ask(
        f"dataset_class_name_{generation}_{name}",
        new_name if saved else None,
        names if new_name == name else other_names,  # an unchanged name is saved without a question
        save,
        merge,
        renaming=True,
    )
    with st.container(horizontal=True):
        for words, icon, other in (("Up", "arrow_upward", place - 1), ("Down", "arrow_downward", place + 1)):
            disabled = not 0 <= other < len(classes)
            if st.button(words, icon=f":material/{icon}:", disabled=disabled, key=f"dataset_class_{words.lower()}"):
                with session.fail_softly(stop=False):
                    order = list(classes)
                    order[place], order[other] = order[other], order[place]
                    project.set_classes(order)
                    _rerun_after_change("", name)
        if st.button(
            "Remove",
            icon=":material/delete:",
            disabled=bool(counts.get(name)),
            help="Only a class that no region uses can go; merge it into another first." if counts.get(name) else None,
            key="dataset_class_remove",
        ):
            with session.fail_softly(stop=False):
                project.set_classes([other for other in classes if other.name != name])
                _rerun_after_change(f"Class {name} removed")
    if len(classes) > 1:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            into = st.selectbox(
                "Merge into", [other for other in names if other != name], index=None, key="dataset_merge"
            )
            if st.button("Merge", icon=":material/merge:", disabled=into is None, key="dataset_class_merge"):
                assert into is not None
                with session.fail_softly(stop=False):
                    merge(into)
    if entry.skeleton:
        _skeleton_of_class(entry.skeleton)


def _skeleton_of_class(skeleton: Skeleton) -> None:
    """Draw the keypoints of the class that is selected in the Classes view, and the bones between them."""
    points, bones = counted(len(skeleton.names), "keypoint"), counted(len(skeleton.edges), "bone")
    with st.expander(f"{points}, {bones}", icon=":material/accessibility_new:"):
        st.markdown(plain(", ".join(skeleton.names)))
        if skeleton.edges:
            st.markdown(plain(", ".join(f"{skeleton.names[a]}-{skeleton.names[b]}" for a, b in skeleton.edges)))


def _change_class(project: Project, classes: Sequence[ProjectClass], changed: ProjectClass, new: str) -> None:
    """Store colour, key and new name of the selected class. Raises `ArgumentError` if another class has that name."""
    if new != changed.name and any(other.name == new for other in classes):
        raise ArgumentError(f'class "{new}" is there already; to make one class of the two, use Merge')
    before = next(other for other in classes if other.name == changed.name)
    if changed != before:
        project.set_classes([changed if other.name == changed.name else other for other in classes])
    project.rename_class(changed.name, new)


def _rerun_after_change(message: str, chosen: str | None = None) -> None:
    """Rerun the page with new widgets after a change was stored, and show `message` as a toast."""
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
    st.session_state.pop(_CHOSEN, None)
    st.session_state.pop("dataset_merge", None)
    if chosen is not None:
        st.session_state[_CHOSEN] = chosen
    if message:
        st.session_state[_DONE] = message
    editing.remount()
    st.rerun()


def _attribute_definitions(project: Project) -> None:
    """Draw the table of the attributes that the label files define, of regions and of pictures."""
    rows: list[dict[str, Any]] = []
    for definitions, of in (
        (project.attribute_definitions("region"), "regions"),
        (project.attribute_definitions("file"), "pictures"),
    ):
        for name, definition in definitions.items():
            fields = definition if isinstance(definition, Mapping) else {}
            shown = fields.get("options", {})
            options = [
                str(shown.get(option, option)) for option in attribute_definitions.options_of_definition(definition)
            ]
            rows.append(
                {
                    "Attribute": name,
                    "Of": of,
                    "Kind": str(fields.get("type", "unknown")),
                    "Options": ", ".join(options),
                    "Description": str(fields.get("description", "")),
                }
            )
    if rows:
        with st.expander(f"{counted(len(rows), 'attribute')} defined", icon=":material/list_alt:"):
            st.dataframe(pd.DataFrame(rows), hide_index=True)
