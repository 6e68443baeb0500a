"""The Export view: convert a project's labels to another format. It lists lost information before the download."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from maskrcnn.annotations.dataset import Split
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.dataset import project_cache
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.words import byte_size, counted

SPLITS: dict[str, str] = {"all": "All", "train": "Training", "val": "Validation"}

_READY = "dataset_export_ready"


@dataclass(frozen=True)
class ReadyExport:
    """A prepared file for download. `made_of` identifies the choices and labels, to detect that it is out of date."""

    made_of: tuple[Any, ...]
    name: str
    content: bytes
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    pictures: int
    regions: str


def show(project: Project) -> None:
    """Draw the choice of format and pictures, then what the format cannot hold, and the download button."""
    counts = project.counts()
    format = st.selectbox(
        "Format",
        list(writing.FORMATS),
        format_func=lambda name: writing.FORMATS[name].words,
        key="dataset_export_format",
        width=420,
    )
    numbers = {"all": counts.pictures, "train": counts.train, "val": counts.val}
    which = st.segmented_control(
        "Pictures",
        list(SPLITS),
        format_func=lambda name: f"{SPLITS[name]} ({numbers[name]})",
        default="all",
        required=True,
        key="dataset_export_split",
    )
    pictures = st.checkbox(
        "With the pictures, as a zip",
        key="dataset_export_pictures",
        help="Without them the labels alone: one file, or a zip where the format has a file for each picture.",
    )
    # After another choice or a change of the labels, the prepared file is out of date.
    made_of = (project.folder, format, which, pictures, project_cache.stamp(project))
    ready: ReadyExport | None = st.session_state.get(_READY)
    if ready is not None and ready.made_of != made_of:
        del st.session_state[_READY]
        ready = None
    if ready is not None:
        _show_download(ready)
    elif st.button("Prepare the file", type="primary", icon=":material/inventory_2:", disabled=not numbers[which]):
        with session.fail_softly(stop=False):
            with st.spinner(f"Writing the labels of {counted(numbers[which], 'picture')}"):
                st.session_state[_READY] = prepared(project, format, which, pictures, made_of)
            st.rerun()


def prepared(project: Project, format: str, which: str, pictures: bool, made_of: tuple[Any, ...] = ()) -> ReadyExport:
    """Return the file for a download, made now. `made_of` is stored in it, see `ReadyExport`.

    Raises `StudioError` if there are no pictures, or if the format cannot hold these labels, even with losses.
    """
    split: Split | None = "train" if which == "train" else "val" if which == "val" else None
    dataset = project.dataset(split)
    if not dataset.images:
        raise StudioError(f"{project.name}: {SPLITS[which].lower()} has no pictures, so there is nothing to export")
    encoded = writing.encode(dataset, format, pictures)
    base = re.sub(r"[^\w .-]+", "-", project.name).strip(" .-") or "project"
    stem = f"{base}-{split}-{format}" if split else f"{base}-{format}"
    suffix = writing.FORMATS[format].suffix
    if suffix is not None:
        (content,) = encoded.files.values()
        encoded = replace(encoded, files={stem + suffix: content})
    if suffix is None or pictures:
        content, suffix = writing.zipped_export(encoded, pictures), ".zip"
    # A warning starts with the name of its file. Here that is the project, which the page shows already.
    said = [*encoded.warnings, *([encoded.left_out] if pictures and encoded.left_out else [])]
    warnings, notes = (
        tuple(line.removeprefix(f"{dataset.source}: ") for line in lines) for lines in (said, encoded.notes)
    )
    regions = writing.written_regions_in_words(encoded.n_regions, dataset.n_regions)
    return ReadyExport(made_of, stem + suffix, content, warnings, notes, len(dataset.images), regions)


def _show_download(ready: ReadyExport) -> None:
    """Draw the warnings and notes about a prepared file, and its download button."""
    if ready.warnings:
        st.warning(
            f"**What this format cannot hold**\n\n{bullets([on_page(line) for line in ready.warnings])}",
            icon=":material/warning:",
        )
    else:
        st.success("This format holds everything that is in these labels.", icon=":material/check_circle:")
    if ready.notes:
        st.info(f"**Names of the pictures**\n\n{bullets(ready.notes)}", icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            f"Download {plain(ready.name)}",
            ready.content,
            ready.name,
            "application/zip" if ready.name.endswith(".zip") else "application/octet-stream",
            key="dataset_export_download",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )
        st.markdown(f"{counted(ready.pictures, 'picture')}, {ready.regions}, {byte_size(len(ready.content))}")
