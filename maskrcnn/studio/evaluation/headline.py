"""The head of the Evaluation page: which run and epoch, and its AP with 95 % intervals."""

from __future__ import annotations

import streamlit as st

from maskrcnn.evaluation.bootstrap import LEVEL, coverage_note
from maskrcnn.evaluation.figure_definitions import report_definitions
from maskrcnn.evaluation.measures import IouType
from maskrcnn.studio.evaluation.interval_jobs import RESAMPLES, IntervalJob, interval_job
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.inspect.inspected_run import PAGE as RUN_CHOICE
from maskrcnn.studio.inspect.inspected_run import InspectedRun, best_kept_epoch
from maskrcnn.studio.inspect.picture_choice import epoch_choice_help, epoch_in_words
from maskrcnn.studio.runs.run_words import format_ap
from maskrcnn.studio.shell import url_state
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted, sentence

KIND_WORDS: dict[IouType, str] = {"segm": "mask", "keypoints": "keypoint", "bbox": "box"}
"""The measures, the finest first -> words."""

FIGURES = ("AP", "AP50", "AP75")


def choose_epoch(inspected: InspectedRun) -> int:
    """Draw the list of epochs and return the chosen one. It is the same choice as that of the Predictions page."""
    best = best_kept_epoch(inspected.run, inspected.epochs)
    return url_state.select(
        "Epoch",
        "epoch",
        inspected.epochs,
        best.epoch,
        page=RUN_CHOICE,
        owner=str(inspected.run.path),
        show=lambda number: epoch_in_words(number, best),
        help=epoch_choice_help(best),
    )


def choose_kind(shown: ShownEpoch) -> IouType:
    """Draw the choice of masks, boxes or keypoints, if there is one, and return what AP is measured on."""
    kinds = [kind for kind in KIND_WORDS if kind in shown.measured.kinds]
    if len(kinds) == 1:
        return kinds[0]
    words = {f"{KIND_WORDS[kind]} AP": kind for kind in kinds}
    return words[url_state.segments("AP of", "kind", list(words), next(iter(words)), page=PAGE)]


def show(shown: ShownEpoch, kind: IouType) -> None:
    """Draw AP, AP50 and AP75 with their intervals, which follow when they are computed."""
    job = interval_job(shown.files, shown.measured)
    st.fragment(_figures, run_every="0.5s" if job.is_running else None)(shown, kind, job, job.is_running)


def _figures(shown: ShownEpoch, kind: IouType, job: IntervalJob, was_running: bool) -> None:
    """Draw the figures. When the intervals are there, the page runs once more, so that the fragment runs no more."""
    if was_running and not job.is_running:
        st.rerun()
    summary = shown.measured.coco(kind).summary()
    edges = job.report.intervals.edges(kind) if job.report and job.report.intervals else {}
    definitions = report_definitions(matched_by=shown.measured.matched_by)
    columns = st.columns([1, 1, 1, 3.2], vertical_alignment="center")
    for column, name in zip(columns, FIGURES, strict=False):
        edge = edges.get(name)
        column.metric(
            f"{KIND_WORDS[kind]} {name}",
            format_ap(summary.get(name)),
            delta=f"[{edge[0]:.3f}, {edge[1]:.3f}]" if edge else "…" if job.is_running else "no interval",
            delta_color="off",
            delta_arrow="off",
            help=f"{definitions[name]} {definitions[kind]}",
        )
    with columns[-1]:
        st.markdown(f"**{_pictures(shown)}**")
        if job.is_running:
            st.progress(job.part, text=":small[Computing how far AP would vary with other pictures]")
        elif job.fault:
            st.markdown(f":small[There are no intervals: {plain(job.fault)}]")
        else:
            st.markdown(f":small[{interval_words(len(shown.images), bool(edges.get('AP')))}]", help=_ABOUT)


_ABOUT = (
    "They say how far AP would vary with other pictures of the same kind: Student's t intervals, with the standard "
    f"error from leaving pictures out, and the bias from {RESAMPLES:,} resamples of the pictures."
)


def _pictures(shown: ShownEpoch) -> str:
    """The number of pictures and objects."""
    which = "validation picture" if shown.is_validated else "picture that the network learned from"
    many = "validation pictures" if shown.is_validated else "pictures that the network learned from"
    objects = int((~shown.measured.objects.crowd).sum())
    return f"{counted(len(shown.images), which, many)}, {counted(objects, 'labelled object')}"


def interval_words(pictures: int, has_intervals: bool) -> str:
    """How far the intervals of so many pictures can be trusted, in words.

    >>> interval_words(200, True)
    'In brackets: the 95 % interval of each AP.'
    """
    if not has_intervals:
        few = "One picture has no interval." if pictures == 1 else "There is nothing to find, so there is no interval."
        return f"{few} Label more validation pictures to know how sure this AP is."
    brackets = f"In brackets: the {100 * LEVEL:g} % interval of each AP."
    note = coverage_note(pictures)
    return f"{brackets} {sentence(note)} More validation pictures make them narrower." if note else brackets
