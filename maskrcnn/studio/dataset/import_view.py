"""The Import view: choose label files and pictures, preview them, and import them into the project."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st

from maskrcnn.annotations import class_renaming, intake
from maskrcnn.annotations.doctor import class_name_checks
from maskrcnn.annotations.intake import Staged
from maskrcnn.annotations.regions import Split
from maskrcnn.annotations.store import ImportReport, Project
from maskrcnn.studio import serving
from maskrcnn.studio.components import class_colours
from maskrcnn.studio.dataset import import_preview, import_report, new_class_questions
from maskrcnn.studio.dataset.import_preview import Drawn, Summary
from maskrcnn.studio.dataset.project_cache import bar
from maskrcnn.studio.shell import session
from maskrcnn.words import counted

_WAITING = "dataset_import_waiting"
_GENERATION = "dataset_import_generation"
_SPLITS = {"file": "As in the file", "train": "Training", "val": "Validation"}


@dataclass
class _Waiting:
    """Chosen files during the preview; nothing of them is in the project yet."""

    project: Path
    staged: Staged
    summary: Summary
    drawn: Drawn = field(default_factory=dict)


def show(project: Project, page: str = "dataset") -> None:
    """The panel: choose, look, import; and afterwards what was done, until the person goes on. `page` is where it
    stands."""
    if import_report.waits(project, page):
        import_report.show()
        return
    waiting: _Waiting | None = st.session_state.get(_WAITING)
    if waiting is not None and waiting.project != project.folder:
        discard()
        waiting = None
    if waiting is None:
        _choose(project)
    else:
        _look(project, waiting, page)


def discard() -> None:
    """Discard the chosen files and delete their copies."""
    waiting: _Waiting | None = st.session_state.pop(_WAITING, None)
    if waiting is not None:
        serving.on_visit_end(_WAITING, None)
        waiting.staged.discard()
    # A file uploader keeps its files for as long as it has its key.
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
    serving.discard_uploads()


def _choose(project: Project) -> None:
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
                progress = bar("Looking at the pictures")
                if uploads:
                    files = [(file.name, file.getvalue()) for file in uploads]
                    staged = intake.stage_uploads(files, beside=project.images_folder, progress=progress)
                else:
                    staged = intake.stage_path(path, progress=progress, workspace=session.workspace())
                staged = staged.following(project.class_attribute, [entry.name for entry in project.classes()])
                discard()
                st.session_state[_WAITING] = _Waiting(project.folder, staged, import_preview.summary(staged.dataset))
                serving.on_visit_end(_WAITING, staged.discard)  # where the tab is closed, nobody presses Cancel
            st.rerun()


def _look(project: Project, waiting: _Waiting, page: str) -> None:
    """The preview, and the two ways on."""
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
            waiting.staged = staged.taking(taken)
            waiting.drawn.clear()  # the pictures have regions now
            waiting.summary = import_preview.summary(waiting.staged.dataset)
            st.rerun()
    known = project.classes()
    colours = class_colours.colours_after_import(known, staged.dataset)
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = import_preview.class_choice(staged, f"dataset_import_class_{generation}")
        if chosen != staged.dataset.class_attribute:
            _classify(waiting, chosen)
        regions = project.counts().classes
        there = {entry.name: regions.get(entry.name, 0) for entry in known}
        incoming = {name: number for name, number in summary.classes.items() if name is not None}
        alike = class_name_checks.of_import(incoming, there)
        if renamed := new_class_questions.ask_import(alike, there, f"dataset_import_alike_{generation}"):
            waiting.staged = replace(staged, dataset=class_renaming.renamed(staged.dataset, renamed))
            waiting.summary = import_preview.summary(waiting.staged.dataset)
            st.rerun()
        new = staged.new_classes([entry.name for entry in known])
        allowed = import_preview.may_import(staged, new, f"dataset_import_many_{generation}")
        if len(new) > intake.MOST_CLASSES and st.button(
            "No, all regions are of one class", key="dataset_import_one_class", icon=":material/layers_clear:"
        ):
            # The box above shows what is chosen, and is made anew for that.
            st.session_state[_GENERATION] = generation + 1
            _classify(waiting, None)
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
    import_preview.oddities(staged)


def _classify(waiting: _Waiting, name: str | None) -> None:
    """Take another attribute for the class, and show what that gives."""
    with session.fail_softly(stop=False):
        waiting.staged = waiting.staged.with_class_attribute(name)
        waiting.summary = import_preview.summary(waiting.staged.dataset)
        st.rerun()


def _import(project: Project, staged: Staged, split: Split | None) -> ImportReport:
    with st.spinner("Importing"), st.empty():
        return project.import_dataset(staged.dataset, split, progress=bar("Copying the pictures"))
