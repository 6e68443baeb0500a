"""The figures of a set for the page, and how far the counting is while they are not there."""

from __future__ import annotations

import streamlit as st

from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.try_it import gallery_view
from maskrcnn.studio.try_it.opened_set import OpenedSet
from maskrcnn.studio.try_it.picture_view import Choice
from maskrcnn.studio.try_it.sets.figures import SetFigures, figures_of, ordered
from maskrcnn.studio.try_it.sets.works import Work


def order(opened: OpenedSet, choice: Choice) -> list[int]:
    """The positions of the pictures in the order of the gallery; that of the set while the objects are counted."""
    sort = gallery_view.sort(opened)
    if sort == "name":
        return list(opened.done)
    found = figures_of(opened.workspace, opened.tried, opened.done, choice.selection)
    if isinstance(found, Work):
        return list(opened.done)
    # A picture whose file is damaged has no figures, and comes last.
    return list(dict.fromkeys([*ordered(found, sort), *opened.done]))


def figures(opened: OpenedSet, choice: Choice) -> SetFigures | None:
    """The figures of the set; None while they are computed: then the progress is drawn, and the page runs again."""
    found = figures_of(opened.workspace, opened.tried, opened.done, choice.selection)
    if isinstance(found, SetFigures):
        return found
    if found.job.state == "failed":
        st.error(plain(found.job.message or ""), icon=":material/error:")
    else:
        st.fragment(_progress, run_every="0.5s")(found)
    return None


def _progress(work: Work) -> None:
    """Draw how far the counting is, a fragment; when it ends, the whole page runs again."""
    if not work.is_running:
        st.rerun()
    st.progress(
        work.done / work.total if work.total else 0.0, text=f"Counting the objects: {work.done} of {work.total}"
    )
