"""The section "Model card" of the Runs page: what a run learned from, how good it is, where it fails, and downloads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.runs import model_card_charts as charts
from maskrcnn.studio.runs.model_card_jobs import CardFiles, CardJob, card_job
from maskrcnn.studio.runs.run_choice import PREDICTIONS_PAGE, RunChoice
from maskrcnn.studio.runs.run_words import format_ap
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.words import byte_size, counted, first_names

if TYPE_CHECKING:
    from maskrcnn.inference.model_card import ModelCard
    from maskrcnn.inference.model_cards.card_parts import Figure, Measured

CARD = "runs-model-card"
"""Session key of the section: whether it is open."""

_INTERVAL_HELP = (
    "In brackets: the 95 % interval over pictures of the same kind. Measured on the validation pictures, after the "
    "best epoch; the Evaluation page has the same numbers."
)
_SCORE_HELP = (
    "The score with the best F1, chosen on one half of the validation pictures. Precision and recall are those on the "
    "other half."
)

_PARTS_HELP = (
    "AP of each size and of each class of objects, the lowest class first. Beside a bar: its AP, and of how many "
    "objects. The line is the 95 % interval over pictures, where the objects are on at least five. Small is below "
    "32 × 32 px, large above 96 × 96 px."
)
_SIZE_LABELS = {"small": "small (< 32² px)", "medium": "medium", "large": "large (> 96² px)"}


def show(chosen: RunChoice) -> None:
    """Draw the section, folded at first. The card is computed when it is opened."""
    with st.expander("Model card", icon=":material/id_card:", key=CARD, on_change="rerun") as box:
        if box.open:
            job = card_job(CardFiles.of(chosen.run, chosen.active))
            st.fragment(_card, run_every="0.5s" if job.is_running else None)(chosen, job, job.is_running)


def _card(chosen: RunChoice, job: CardJob, was_running: bool) -> None:
    """Draw the card, or how far it is. When it is there, the page runs once more, so that the fragment runs no more."""
    if was_running and not job.is_running:
        st.rerun()
    with session.fail_softly(stop=False):
        if job.is_running:
            st.progress(job.part, text=":small[Reading pictures and computing how far AP would vary with others]")
        elif job.card is None:
            st.info(plain(job.fault), icon=":material/info:")
        else:
            _show_card(chosen, job.card)


def _show_card(chosen: RunChoice, card: ModelCard) -> None:
    _show_head(card)
    _show_figures(card)
    if card.limits:
        st.markdown("**Limits**")
        st.markdown(bullets(card.limits, most=20))
    left, right = st.columns(2, gap="medium")
    with left:
        _show_counts(card)
    with right:
        if card.measured is not None:
            _show_parts(card.measured)
    if card.measured is not None:
        left, right = st.columns(2, gap="medium")
        with left:
            _show_errors(card.measured)
        with right:
            _show_worst(chosen, card.measured)
    _show_training(card)


def _show_head(card: ModelCard) -> None:
    """Draw what it is in a sentence, and the downloads."""
    with st.container(horizontal=True, vertical_alignment="center"):
        what = card.shipped.what if card.shipped else card.network.sentence
        st.markdown(f"**{plain(what)}**", width="stretch")
        st.download_button(
            "Markdown",
            card.markdown,
            f"{card.name}-card.md",
            "text/markdown",
            key="runs-card-markdown",
            icon=":material/download:",
            help="The card as a document, with the head that model hubs read. It has places for intended use and "
            "licence, which you fill in.",
            on_click="ignore",
        )
        st.download_button(
            "JSON",
            lambda: json.dumps(card.to_json(), indent=1),
            f"{card.name}-card.json",
            "application/json",
            key="runs-card-json",
            icon=":material/download:",
            help="The same, for programs.",
            on_click="ignore",
        )


def _show_figures(card: ModelCard) -> None:
    """Draw AP of each measure, the score to keep detections from, and of how many pictures; or why there are none."""
    measured = card.measured
    if measured is None:
        st.info(f"Not measured: {plain(card.why_not_measured)}", icon=":material/info:")
        return
    score = measured.score
    columns = st.columns(len(measured.kinds) + (2 if score.score is not None else 0))
    for column, kind in zip(columns, measured.kinds, strict=False):
        figure = kind.figures[0]
        column.metric(
            f"{kind.word} AP",
            format_ap(figure.value),
            delta=_interval_words(figure),
            delta_color="off",
            delta_arrow="off",
            help=_INTERVAL_HELP,
        )
    if score.score is not None:
        columns[-2].metric("keep from score", f"{score.score:.2f}", help=_SCORE_HELP)
        columns[-1].metric(
            "precision there",
            format_ap(score.precision),
            delta=f"recall {format_ap(score.recall)}",
            delta_color="off",
            delta_arrow="off",
            help=_SCORE_HELP,
        )
    where = f"On {counted(measured.pictures, 'validation picture')} with {counted(measured.objects, 'object')}, after "
    where += f"epoch {measured.epoch}."
    if not measured.is_of_weights:
        where += " The detections of the best epoch were not kept, so this is another epoch than that of the weights."
    if score.score is None and score.reason:
        where += f" No score is suggested: {plain(score.reason)}."
    if card.shipped and card.shipped.kinds:
        first = card.shipped.kinds[0].figures[0]
        where += f" On {plain(card.shipped.test)}: AP {format_ap(first.value)} {_interval_words(first)}."
    st.markdown(where)


def _interval_words(figure: Figure) -> str:
    """The interval of a figure as text: `[0.690, 0.735]`.

    >>> from maskrcnn.inference.model_cards.card_parts import Figure
    >>> _interval_words(Figure("AP", 0.7, (0.69, 0.735))), _interval_words(Figure("AP", 0.7))
    ('[0.690, 0.735]', 'no interval')
    """
    return f"[{figure.interval[0]:.3f}, {figure.interval[1]:.3f}]" if figure.interval else "no interval"


def _show_counts(card: ModelCard) -> None:
    """Draw the objects of each class, and what is to be known of the pictures."""
    from maskrcnn.inference.model_cards.markdown import size_text

    learned = card.learned
    splits = {"training": learned.training, "validation": learned.validation}
    known = {split: found for split, found in splits.items() if found is not None}
    st.markdown("**What it learned from**")
    if learned.drawn:
        st.markdown(f"{plain(learned.drawn)}, drawn for the training and not stored.")
    if known:
        first = next(iter(known.values()))
        order = sorted(range(len(first.classes)), key=lambda place: -first.classes[place].objects)[: charts.MOST_ROWS]
        rows = {split: [found.classes[place] for place in order] for split, found in known.items()}
        draw(charts.counts_chart(rows), alt="Labelled objects of each class")
        _say_more(len(first.classes) - charts.MOST_ROWS)
        columns = {
            split: [
                f"{found.pictures:,}",
                f"{found.negatives:,}",
                f"{found.objects:,}",
                f"{found.small:,} / {found.medium:,} / {found.large:,}",
                size_text(found.median),
            ]
            for split, found in known.items()
        }
        titles = ["pictures", "without objects", "objects", "small / medium / large", "median size"]
        st.dataframe(pd.DataFrame({"": titles, **columns}), hide_index=True)
    lines = [f"Initial weights: {learned.start or 'not known'}"]
    lines += [f"Left out: {line}" for line in learned.left_out or ()]
    if card.overlap is not None and card.overlap.compared:
        number = len({val for val, _ in card.overlap.alike})
        lines.append(f"Validation pictures that look like a training picture: {number:,} of {card.overlap.compared:,}")
    elif card.overlap is not None and card.overlap.why_not:
        lines.append(f"Copies of training pictures were not looked for: {card.overlap.why_not}")
    st.markdown(bullets(lines))


def _show_parts(measured: Measured) -> None:
    """Draw AP by size and by class."""
    from maskrcnn.inference.model_cards.markdown import lowest_first

    word = measured.first.word
    st.markdown("**Where it fails**", help=_PARTS_HELP)
    labels = [_SIZE_LABELS[part.name] for part in measured.sizes]
    draw(charts.parts_chart(measured.sizes, labels, f"{word} AP by size of the objects"), alt="AP by size")
    if len(measured.classes) > 1:
        parts = lowest_first(measured.classes)[: charts.MOST_ROWS]
        names = [part.name for part in parts]
        draw(charts.parts_chart(parts, names, f"{word} AP by class"), alt="AP by class")
        _say_more(len(measured.classes) - charts.MOST_ROWS)


def _say_more(number: int) -> None:
    if number > 0:
        st.markdown(f":small[{counted(number, 'more class', 'more classes')}: the documents have all.]")


def _show_errors(measured: Measured) -> None:
    """Draw the table of the kinds of errors."""
    st.markdown("**Kinds of errors**", help="At IoU 0.5, of detections with any score, as on the Evaluation page.")
    rows = [(error.words, error.count, error.ap_loss) for error in measured.errors]
    st.dataframe(
        pd.DataFrame(rows, columns=["error", "number", "AP without them"]),
        hide_index=True,
        column_config={
            "AP without them": st.column_config.NumberColumn(
                format="%+.3f", help="How much higher AP at IoU 0.5 would be without this kind. They do not add up."
            )
        },
    )


def _show_worst(chosen: RunChoice, measured: Measured) -> None:
    """Draw the worst pictures with links to their predictions."""
    st.markdown("**The worst pictures**", help="By F1, at score 0.5 and IoU 0.5.")
    if not measured.worst:
        st.markdown("Nothing is wrong in any picture at score 0.5.")
    for row in measured.worst:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                PREDICTIONS_PAGE,
                label=plain(row.name),
                icon=":material/image_search:",
                query_params={**chosen.address, "epoch": str(measured.epoch), "image": row.name},
            )
            st.markdown(
                f"{row.tp:,} of {counted(row.objects, 'object')} found, {row.fp:,} wrong, {row.fn:,} missed",
                width="content",
            )


def _show_training(card: ModelCard) -> None:
    """Draw what it is and how it was trained, as two lists, and the command."""
    from maskrcnn.inference.model_cards.markdown import training_facts_rows

    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**What it is**")
        st.markdown(bullets(_network_lines(card)))
    with right:
        st.markdown("**How it was trained**")
        st.markdown(bullets([f"{title}: {text}" for title, text in training_facts_rows(card.training)]))
    if card.training.command:
        st.code(card.training.command, language="bash", wrap_lines=True)
    if card.training.command_note:
        st.markdown(f":small[{plain(card.training.command_note)}]")


def _network_lines(card: ModelCard) -> list[str]:
    """The facts of the network as lines."""
    network = card.network
    low, high = network.working_sides
    lines = [network.sentence, f"backbone: {network.backbone}, pooling: {network.pooling}"]
    lines.append(f"pictures: scaled to {low} px at the shorter side, at most {high} px at the longer one")
    if network.parameters is not None:
        lines.append(f"parameters: {network.parameters:,}")
    if network.bytes is not None:
        lines.append(f"weights: {network.weights}, {byte_size(network.bytes)}")
    lines.append(f"classes: {first_names(network.classes, most=20)}")
    if network.keypoints:
        lines.append(f"keypoints: {first_names(network.keypoints, most=20)}")
    return lines
