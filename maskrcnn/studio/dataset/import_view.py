"""The Import view: choose label files and pictures, preview them, and import them into the project."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st

from maskrcnn.annotations import class_renaming, intake, similar_class_names
from maskrcnn.annotations.dataset import Split
from maskrcnn.annotations.intake import Staged
from maskrcnn.annotations.store import ImportReport, Project
from maskrcnn.studio import serving
from maskrcnn.studio.dataset import class_attribute_choice, import_preview, import_report, new_class_questions
from maskrcnn.studio.dataset.import_preview import Drawn, ImportSummary
from maskrcnn.studio.dataset.project_cache import progress_bar
from maskrcnn.studio.shell import session
from maskrcnn.words import counted

_WAITING = "dataset_import_waiting"
_GENERATION = "dataset_import_generation"
_SPLITS = {"file": "As in the file", "train": "Training", "val": "Validation"}


@dataclass
class _WaitingImport:
    """Chosen files during the preview; nothing of them is in the project yet."""

    project: Path
    staged: Staged
    summary: ImportSummary
    drawn: Drawn = field(default_factory=dict)


def show(project: Project, page: str = "dataset") -> None:
    """Draw the view: the choice of files, then their preview, then the report of the import until it is dismissed.

    `page` is the page on which the view is drawn.
    """
    if import_report.waits(project, page):
        import_report.show()
        return
    waiting: _WaitingImport | None = st.session_state.get(_WAITING)
    if waiting is not None and waiting.project != project.folder:
        discard()
        waiting = None
    if waiting is None:
        _choose_files(project)
    else:
        _show_preview(project, waiting, page)


def discard() -> None:
    """Discard the chosen files and delete their copies."""
    waiting: _WaitingImport | None = st.session_state.pop(_WAITING, None)
    if waiting is not None:
        serving.on_visit_end(_WAITING, None)
        waiting.staged.discard()
    # A file uploader keeps its files as long as its key stays the same.
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
    serving.discard_uploads()


def _choose_files(project: Project) -> None:
    """Draw the inputs for the files or the path, and the button that reads them."""
    generation = st.session_state.setdefault(_GENERATION, 0)
    st.markdown(
        "VIA (JSON or CSV), COCO, labelme, YOLO and PNG masks are told apart by what is in them. You see what was "
        "understood before anything is stored."
    )
    uploads = st.file_uploader(
        "Label files, pictures, or a zip of both",
        accept_multiple_files=True,
        key=f"dataset_uploads_{generation}",
        help="Pictures that are in the project already need no second copy.",
    )
    path = st.text_input(
        "or a path on this computer",
        placeholder="a folder, a label file, a zip or a picture",
        key=f"dataset_import_path_{generation}",
    )
    given = bool(uploads) or bool(path.strip())
    if st.button(
        "Show what is in it", key="dataset_import_look", icon=":material/search:", type="primary", disabled=not given
    ):
        with session.fail_softly(stop=False):
            with st.spinner("Reading the labels and looking for their pictures"), st.empty():
                progress = progress_bar("Looking at the pictures")
                if uploads:
                    files = [(file.name, file.getvalue()) for file in uploads]
                    staged = intake.stage_uploads(files, beside=project.images_folder, progress=progress)
                else:
                    staged = intake.stage_path(path, progress=progress, workspace=session.workspace())
                classes = [entry.name for entry in project.classes()]
                staged = staged.with_project_attribute(project.class_attribute, classes)
                discard()
                st.session_state[_WAITING] = _WaitingImport(
                    project.folder, staged, import_preview.summary(staged.dataset)
                )
                serving.on_visit_end(_WAITING, staged.discard)  # for a tab that is closed without Cancel
            st.rerun()


def _show_preview(project: Project, waiting: _WaitingImport, page: str) -> None:
    """Draw the preview of the chosen files, and the buttons that import or discard them."""
    staged, summary = waiting.staged, waiting.summary
    import_preview.head(staged, summary)
    generation = st.session_state[_GENERATION]
    import_preview.none_found(staged)
    if (taken := import_preview.near_names(staged, f"dataset_import_near_{generation}")) and st.button(
        f"Take {'this picture' if len(taken) == 1 else f'these {len(taken)} pictures'}",
        key="dataset_import_near",
        icon=":material/add_photo_alternate:",
    ):
        with session.fail_softly(stop=False):
            waiting.staged = staged.with_similar_files(taken)
            waiting.drawn.clear()  # the pictures have regions now
            waiting.summary = import_preview.summary(waiting.staged.dataset)
            st.rerun()
    known = project.classes()
    colours = import_preview.colours_after_import(known, staged.dataset)
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = class_attribute_choice.choose_for_import(staged, f"dataset_import_class_{generation}")
        if chosen != staged.dataset.class_attribute:
            _change_class_attribute(waiting, chosen)
        regions = project.counts().classes
        there = {entry.name: regions.get(entry.name, 0) for entry in known}
        incoming = {name: number for name, number in summary.classes.items() if name is not None}
        alike = similar_class_names.similar_classes_of_import(incoming, there)
        if renamed := new_class_questions.ask_to_rename_import(alike, there, f"dataset_import_alike_{generation}"):
            waiting.staged = replace(staged, dataset=class_renaming.renamed(staged.dataset, renamed))
            waiting.summary = import_preview.summary(waiting.staged.dataset)
            st.rerun()
        new = staged.new_classes([entry.name for entry in known])
        allowed = import_preview.confirm_new_classes(staged, new, f"dataset_import_many_{generation}")
        if len(new) > intake.MOST_CLASSES and st.button(
            "No, all regions are of one class", key="dataset_import_one_class", icon=":material/layers_clear:"
        ):
            # The select box above must show the new choice, so it gets a new key.
            st.session_state[_GENERATION] = generation + 1
            _change_class_attribute(waiting, None)
        import_preview.classes(staged.dataset, summary, colours)
        splits = list(_SPLITS) if summary.splits else ["train", "val"]
        which = st.segmented_control(
            "Use the pictures for",
            splits,
            format_func=_SPLITS.__getitem__,
            default=splits[0],
            required=True,
            key="dataset_import_split",
        )
        with st.container(horizontal=True):
            wanted = st.button(
                f"Import {counted(summary.found, 'picture')}",
                key="dataset_import_go",
                type="primary",
                icon=":material/upload:",
                disabled=not summary.found or not allowed,
            )
            st.button("Cancel", key="dataset_import_cancel", icon=":material/close:", on_click=discard)
        if wanted and allowed:
            split: Split | None = "train" if which == "train" else "val" if which == "val" else None
            with session.fail_softly(stop=False):
                report = _import(project, staged, split)
                import_report.keep(project.folder, page, report, staged.warnings)
                discard()
                st.rerun()
    with right:
        import_preview.thumbnails(staged.dataset, summary.sample, colours, waiting.drawn)
    import_preview.missing_and_warnings(staged)


def _change_class_attribute(waiting: _WaitingImport, name: str | None) -> None:
    """Make another attribute the class, and rerun the page with the new preview."""
    with session.fail_softly(stop=False):
        waiting.staged = waiting.staged.with_class_attribute(name)
        waiting.summary = import_preview.summary(waiting.staged.dataset)
        st.rerun()


def _import(project: Project, staged: Staged, split: Split | None) -> ImportReport:
    """Import the chosen files into the project, with a progress bar, and return the report."""
    with st.spinner("Importing"), st.empty():
        return project.import_dataset(staged.dataset, split, progress=progress_bar("Copying the pictures"))
