"""The report of an import: imported, skipped and missing pictures. It is shown until the user dismisses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from maskrcnn.annotations.store import ImportReport, Project
from maskrcnn.name_order import natural_key
from maskrcnn.studio.shell import url_state
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.words import counted, first_names

_KEY = "dataset_import_report"
_NAMED = 12
_MOST_LINES = 60
_LEFT_OUT = ("not imported: ", "passed over: ")
"""Starts of the lines about files that were not imported."""


@dataclass(frozen=True)
class _KeptReport:
    """The report of an import, its project, and the page on which the user imported."""

    project: Path
    page: str
    report: ImportReport
    passed_over: tuple[str, ...]


def keep(project: Path, page: str, report: ImportReport, passed_over: Sequence[str]) -> None:
    """Store the report of an import for `show`. `passed_over`: messages about files skipped before the import."""
    st.session_state[_KEY] = _KeptReport(project, page, report, tuple(passed_over))


def waits(project: Project, page: str) -> bool:
    """Whether there is a report for this project and page that the user has not dismissed yet."""
    kept: _KeptReport | None = st.session_state.get(_KEY)
    return kept is not None and kept.project == project.folder and kept.page == page


def dismiss_report() -> None:
    """Dismiss the report of the import."""
    st.session_state.pop(_KEY, None)


def show() -> None:
    """Draw the report and its buttons."""
    kept: _KeptReport = st.session_state[_KEY]
    report = kept.report
    lines = [on_page(line) for line in (*report.warnings, *kept.passed_over)]
    failed = [line for line in lines if line.startswith(_LEFT_OUT)]
    others = [line for line in lines if not line.startswith(_LEFT_OUT)]
    box, icon = (
        (st.warning, ":material/warning:") if lines or report.missing else (st.success, ":material/check_circle:")
    )
    box(f"**Imported**: {plain(report)}", icon=icon)
    with st.container(horizontal=True, gap="large"):
        for label, number, meaning in (
            ("Pictures added", report.added, "New in this project."),
            ("Got their regions", report.updated, "Pictures that were here without regions, and have some now."),
            ("Left as they were", report.unchanged, "Pictures that were here already, with their own regions if any."),
            ("Regions", report.regions, "Regions that came in with these pictures."),
            ("New classes", len(report.new_classes), "Classes that the project did not have."),
            ("Not found", len(report.missing), "Pictures that the labels name and that were not among the files."),
        ):
            st.metric(label, number, help=meaning, width="content")
    if report.new_classes:
        st.markdown(f"New classes: {plain(first_names(report.new_classes, _NAMED))}")
    with st.container(horizontal=True):
        _buttons_after_import(kept)
    if failed:
        st.markdown("**Passed over, and why**")
        st.markdown(bullets([line.removeprefix("passed over: ") for line in failed], _MOST_LINES))
    if others:
        st.markdown("**Worth knowing**")
        st.markdown(bullets(others, _MOST_LINES))
    if report.missing:
        st.markdown(f"**Not found**, so left out with the labels on them: {counted(len(report.missing), 'picture')}")
        names = sorted(report.missing, key=natural_key)
        st.dataframe(pd.DataFrame({"Picture": names}), hide_index=True, height=min(38 + 35 * len(names), 320))


def _buttons_after_import(kept: _KeptReport) -> None:
    """Draw the buttons that dismiss the report, one of which also opens the pictures."""
    if kept.page == "annotate":
        st.button(
            "Label them", key="dataset_import_dismiss", type="primary", icon=":material/draw:", on_click=dismiss_report
        )
        return
    st.button(
        "See the pictures",
        key="dataset_import_see",
        type="primary",
        icon=":material/photo_library:",
        on_click=partial(_dismiss_and_open_view, "pictures"),
    )
    st.button("Import more", key="dataset_import_dismiss", icon=":material/upload:", on_click=dismiss_report)


def _dismiss_and_open_view(view: str) -> None:
    """Dismiss the report of the import, and open a view of the Dataset page."""
    dismiss_report()
    url_state.choose("view", view)
