"""A trained model as a file: its downloads as bundle and as ONNX, and a bundle that somebody sent, opened as a run."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.runs import opened_bundle
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio import serving
from maskrcnn.studio.runs.export_jobs import Kind, export_job, start_export
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.words import byte_size, counted, first_names

_GENERATION = "runs-open-generation"
_OPENED, _FAULT = "runs-opened", "runs-open-fault"

_LABELS: dict[Kind, str] = {"bundle": "Model bundle", "onnx": "ONNX"}
_HELP: dict[Kind, str] = {
    "bundle": "One zip with weights, configuration, labels, results and model card. Another studio opens it as a run, "
    "on its page Runs. No pictures are in it.",
    "onnx": "The network for ONNX Runtime and other programs, with a script that finds objects in a picture without "
    "this studio. It is checked on three pictures before you get it.",
}
"""What each kind of export is."""


def show_exports(run: RunFolder) -> None:
    """Draw a button for each kind of export of a run: to make it, then how far it is, then to download it."""
    if not run.has(run.best.name) and not run.checkpoints():
        return  # nothing was learned yet
    running = any((job := export_job(kind, run)) is not None and job.is_running for kind in _LABELS)

    @st.fragment(run_every="0.5s" if running else None)
    def exports() -> None:
        still = False
        for kind in _LABELS:
            still |= _show_export(kind, run)
        if running and not still:
            st.rerun()  # ends the timer of this fragment

    exports()


def _show_export(kind: Kind, run: RunFolder) -> bool:
    """Draw one kind of export. Returns whether it is running."""
    job = export_job(kind, run)
    key = f"runs-export-{kind}-{run.name}"
    if job is not None and job.is_running:
        st.progress(min(1.0, job.share), text=f"{_LABELS[kind]}: {plain(job.words)}")
        return True
    if job is not None and job.fault:
        st.error(plain(job.fault), icon=":material/error:")
    elif job is not None and job.file is not None and job.file.is_file():
        st.download_button(
            f"{_LABELS[kind]} · {byte_size(job.file.stat().st_size)}",
            job.open,
            job.file.name,
            "application/zip",
            key=f"{key}-download",
            help=_HELP[kind],
            icon=":material/download_done:",
            type="primary",
            on_click="ignore",
            width="stretch",
        )
        return False
    if st.button(_LABELS[kind], key=key, help=_HELP[kind], icon=":material/deployed_code:", width="stretch"):
        start_export(kind, run)
        st.rerun()
    return False


def show_opening(project: Project) -> None:
    """Draw the drop area for a bundle, folded."""
    with st.expander("Open a model that somebody sent", icon=":material/upload_file:"):
        show_drop_area(project)


def show_drop_area(project: Project) -> None:
    """Draw the drop area for a bundle that somebody sent, and open what is dropped as a run of the project."""
    generation = st.session_state.setdefault(_GENERATION, 0)
    dropped = st.file_uploader(
        "Open a model that somebody sent",
        key=f"runs-open-{generation}",
        help="The zip that the studio makes with Download > Model bundle. It becomes a run of this project.",
    )
    serving.show_refusal()
    if fault := st.session_state.pop(_FAULT, None):
        st.error(plain(fault), icon=":material/error:")
    if dropped is None:
        return
    try:
        with st.spinner("Checking and opening the model"):
            opened = _opened(project, dropped)
        st.session_state[_OPENED] = opened.name
        st.query_params["run"] = opened.name
    except StudioError as error:
        st.session_state[_FAULT] = on_page(error)
    finally:
        # A file uploader keeps its file as long as its key stays the same. The page is drawn anew with the next key, or
        # a second file would be dropped on the old one.
        st.session_state[_GENERATION] = generation + 1
        serving.discard_uploads()
    st.rerun()


def _opened(project: Project, dropped: UploadedFile) -> RunFolder:
    """Open a bundle that was dropped as a run of the project. Raises `StudioError` if anything in it is wrong."""
    from maskrcnn.inference.export.bundle_weights import check_weights

    pictures = {
        image.file_name: (project.images_folder / image.file_name, image.width, image.height)
        for image in project.images()
    }
    return opened_bundle.open_bundle(
        dropped, project.runs_folder, file_name=dropped.name, pictures=pictures, check_weights=check_weights
    )


def show_opened(run: RunFolder) -> None:
    """Say what the shown run is, if it was opened from a bundle in this visit."""
    if st.session_state.get(_OPENED) != run.name:
        return
    with session.fail_softly(stop=False):
        names = run.config().names
        here, pictures = opened_bundle.linked_pictures(run)
        known = plain(first_names(names))
        words = f"**{plain(run.name)}** is a run of this project now, with {counted(len(names), 'class', 'classes')}: "
        words += f"{known}. **Try it** shows what it finds in your pictures. "
        if here < pictures:
            few = "none is" if not here else "one is" if here == 1 else f"{here:,} are"
            words += (
                f"Of its {counted(pictures, 'labelled picture')} {few} in this project, and a bundle has no pictures. "
                "To see its predictions on them, import the same pictures and open the bundle again."
            )
        st.success(words, icon=":material/deployed_code:")
