"""The table of regions on the Annotate page, with columns for number, class and deletion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.drawing.swatches import disc
from maskrcnn.studio.annotate.simple_canvas import editing
from maskrcnn.studio.annotate.simple_canvas.editing import Editor
from maskrcnn.studio.annotate.three_way_merge import Regions
from maskrcnn.studio.components.class_colours import class_colours


def show(project: Project, editor: Editor) -> None:
    """Draw the table of regions. Changes in it are saved immediately."""
    if not editor.regions:
        st.info("No regions yet. Click around an object on the picture; click the first point again to close.")
        return
    classes = [entry.name for entry in project.classes()]
    colours = class_colours(project)
    selected = editing.selected_index(editor)
    table = pd.DataFrame(
        {
            "number": [
                disc(colours[region.class_name], str(number), is_selected=number - 1 == selected)
                for number, region in enumerate(editor.regions, 1)
            ],
            "class": [region.class_name for region in editor.regions],
            "delete": False,
        }
    )
    key = f"annotate_table_{editor.key}_{editor.revision}"
    st.data_editor(
        table,
        key=key,
        hide_index=True,
        height=min(36 + 35 * len(table), 390),
        row_height=35,
        on_change=partial(_table_changed, editor.key, key),
        column_config={
            "number": st.column_config.ImageColumn("#", width=40, help="The number on the picture."),
            # The fixed width keeps the check boxes visible next to a long class name.
            "class": st.column_config.SelectboxColumn("Class", options=classes, required=True, width=100),
            "delete": st.column_config.CheckboxColumn("Delete", width=76, help="Tick to delete; Undo brings it back."),
        },
    )


def _table_changed(editor_key: str, table_key: str) -> None:
    """Save the edits of the table."""
    editor = editing.editor_of(editor_key)
    rows = st.session_state[table_key]["edited_rows"]
    editing.save_regions(editor_key, with_edited_rows(editor.regions, rows))


def with_edited_rows(regions: Regions, rows: Mapping[int, Mapping[str, Any]]) -> Regions:
    """Return the regions after edits in the table.

    `rows` maps the index of a row to its edits: {"class": name} or {"delete": True}.
    """
    changed = []
    for number, region in enumerate(regions):
        row = rows.get(number, {})
        if row.get("delete"):
            continue
        name = row.get("class")
        changed.append(replace(region, class_name=name) if name and name != region.class_name else region)
    return tuple(changed)
