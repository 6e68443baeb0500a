"""The last sets of the Try it page: each opens with a click, and can be deleted."""

from __future__ import annotations

from functools import partial

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.durations import day_and_time
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.try_it import opened_set
from maskrcnn.studio.try_it.opened_set import PAGE
from maskrcnn.studio.try_it.sets import set_folders, works
from maskrcnn.studio.try_it.sets.set_folders import MOST_BYTES, MOST_SETS
from maskrcnn.studio.try_it.sets.tried_set import TriedSet
from maskrcnn.words import byte_size, counted

_SHOWN = 8
LIMITS = (
    f"The last {MOST_SETS} sets are kept, up to {byte_size(MOST_BYTES)}; older ones are deleted when new ones come."
)


def of_project(project: Project) -> list[TriedSet]:
    """The sets of a project, the newest first, and those of projects that are gone or have another name by now."""
    here = session.this_workspace()
    others = {path.name for path in here.projects()} - {project.folder.name}
    return [tried for tried in set_folders.last_sets(here.root) if tried.project not in others]


def show(sets: list[TriedSet]) -> None:
    """Draw the list of the last sets below the ways in; nothing without any."""
    if sets:
        st.subheader("Last sets", help=LIMITS)
        rows(sets)


def rows(sets: list[TriedSet]) -> None:
    """Draw a row for each set: a button that opens it, and one that deletes it."""
    for tried in sets[:_SHOWN]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                plain(tried.title),
                key=f"{PAGE}_open_{tried.id}",
                icon=":material/movie:" if tried.video else ":material/photo_library:",
                on_click=partial(opened_set.show, tried.id),
            )
            epoch = f", epoch {tried.network.epoch}"
            number = counted(len(tried.pictures), "picture")
            work = works.work_of("finding", session.workspace(), tried.id)
            if work is not None and work.is_running:
                number = f"{work.done} of {number}"
            st.markdown(f"{number} · {plain(tried.network.name)}{epoch} · {day_and_time(tried.made)}")
            st.button(
                "",
                key=f"{PAGE}_delete_{tried.id}",
                icon=":material/delete:",
                type="tertiary",
                help="Delete this set with its copies of the pictures",
                on_click=partial(opened_set.delete, tried.id),
            )
    if len(sets) > _SHOWN:
        st.markdown(f"and {len(sets) - _SHOWN} older ones")
