"""Inputs for the region attributes of VIA, except the class. The attribute's definition determines the widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from maskrcnn.annotations.formats.via import attribute_definitions
from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate.simple_canvas import editing
from maskrcnn.studio.annotate.simple_canvas.editing import Editor
from maskrcnn.studio.shell.markdown_escape import plain

_ONE_OF = ("dropdown", "radio", "image")
_REGION = "annotate_attributes_of"


def show(project: Project, editor: Editor) -> None:
    """Draw the attributes of one region as inputs. Draw nothing if the project has no attributes."""
    definitions = project.attribute_definitions()
    definitions = {name: value for name, value in definitions.items() if name != project.class_attribute}
    carried = sum(bool(region.attributes) for region in editor.regions)
    if not editor.regions or not (definitions or carried):
        return
    with st.expander("Attributes", icon=":material/list_alt:"):
        numbers = range(1, len(editor.regions) + 1)
        if st.session_state.get(_REGION) not in numbers:
            st.session_state[_REGION] = 1
        number = st.selectbox("Region", numbers, key=_REGION, format_func=partial(_region_label, editor))
        region = editor.regions[number - 1]
        for name, definition in definitions.items():
            _attribute_input(editor, region, name, definition)
        for name, value in region.attributes.items():
            if name not in definitions:
                st.markdown(f"{plain(name)}: {plain(attribute_in_words(value))}")


def attribute_in_words(value: Any) -> str:
    """Return an attribute's value as text: the checked options, or the value itself.

    >>> attribute_in_words({"blurred": True, "cut": False}), attribute_in_words(3), attribute_in_words(" ")
    ('blurred', '3', 'empty')
    """
    if isinstance(value, Mapping):
        return ", ".join(str(option) for option, is_on in value.items() if is_on is True) or "none"
    return str(value) if str(value).strip() else "empty"


def with_edited_attribute(region: Region, name: str, value: Any) -> Region:
    """Return the region after its input changed one of its attributes; the same object if it already has that value."""
    if name in region.attributes and region.attributes[name] == value:
        return region
    return replace(region, attributes={**region.attributes, name: value})


def _region_label(editor: Editor, number: int) -> str:
    """Return the label of a region in the input that chooses whose attributes are shown: its number and class."""
    return f"{number}: {editor.regions[number - 1].class_name or 'no class'}"


def _attribute_input(editor: Editor, region: Region, name: str, definition: Any) -> None:
    """Draw the widget for one attribute. A value that does not fit its definition is shown as text only."""
    kind = definition.get("type") if isinstance(definition, Mapping) else None
    value = region.attributes.get(name)
    options = attribute_definitions.options_of_definition(definition)
    shown = definition.get("options", {}) if isinstance(definition, Mapping) else {}
    description = definition.get("description") if isinstance(definition, Mapping) else None
    key = f"annotate_attribute_{editor.key}_{editor.revision}_{region.id}_{name}"
    label, help = plain(name), plain(description) if description else None
    if kind == "checkbox" and (value is None or isinstance(value, Mapping)):
        on = [option for option in options if isinstance(value, Mapping) and value.get(option) is True]

        def chosen(picked: list[str]) -> dict[str, bool]:
            """Return the new value: the picked options, and the options of the old value that are not in the list."""
            known = value if isinstance(value, Mapping) else {}
            beyond = {option: is_on for option, is_on in known.items() if option not in options}
            return beyond | {option: True for option in options if option in picked}

        st.multiselect(
            label,
            options,
            on,
            key=key,
            help=help,
            format_func=lambda option: str(shown.get(option, option)),
            on_change=_save_attribute,
            args=(editor.key, region.id, name, key, chosen),
        )
    elif kind in _ONE_OF and (value is None or isinstance(value, str)):
        listed = [*options, value] if value and value not in options else list(options)
        st.selectbox(
            label,
            listed,
            listed.index(value) if value else None,
            key=key,
            help=help,
            placeholder="not given",
            # The options of an image attribute are URLs, so their ids are shown instead.
            format_func=lambda option: option if kind == "image" else str(shown.get(option, option)),
            on_change=_save_attribute,
            args=(editor.key, region.id, name, key, lambda picked: picked or ""),
        )
    elif kind == "text" and (value is None or isinstance(value, str)):
        st.text_input(
            label,
            value or "",
            key=key,
            help=help,
            on_change=_save_attribute,
            args=(editor.key, region.id, name, key, str),
        )
    elif value is not None:
        st.markdown(f"{label}: {plain(attribute_in_words(value))}")


def _save_attribute(editor_key: str, region_id: str, name: str, widget: str, to_value: Callable[[Any], Any]) -> None:
    """Save an attribute after its widget changed. `to_value` converts the widget's state to the attribute's value."""
    value = to_value(st.session_state[widget])
    regions = tuple(
        with_edited_attribute(region, name, value) if region.id == region_id else region
        for region in editing.editor_of(editor_key).regions
    )
    editing.save_regions(editor_key, regions)
