"""The headline of the Compare page: AP of both sides, the differences with their intervals, and what they mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from maskrcnn.evaluation.bootstrap import coverage_note
from maskrcnn.evaluation.common_pictures import CommonPictures
from maskrcnn.evaluation.comparison import Comparison
from maskrcnn.studio.compare.compared_runs import PAGE, Side, side_colours
from maskrcnn.studio.compare.compared_sets import ComparedEpochs, ComparedSets
from maskrcnn.studio.compare.difference_charts import Difference, difference_chart, differences
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.runs.run_words import format_ap
from maskrcnn.studio.shell import url_state
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted, quoted_list

_VERDICTS = {"away from 0": "is unlikely to be chance", "contains 0": "may be chance", "no interval": "says little"}
"""Verdict about an interval (`figure_definitions.VERDICTS`) -> the end of the sentence "the difference ..."."""

_NO_BREAK = "\N{NO-BREAK SPACE}"

_REASONS = {
    "only in A": "only A has {}",
    "only in B": "only B has {}",
    "other size": "of another size in A and B: {}",
    "named twice": "named twice: {}",
}


def verdict_line(found: Comparison) -> str:
    """The answer in one line of Markdown: which side is better, by how much, and whether that may be chance."""
    rows = [row for row in differences(found) if row.difference is not None]
    if not rows:
        return "Nothing is labelled on these pictures, so there is no AP to compare."
    row = rows[0]
    if row.verdict == "away from 0":
        head = f"**{'B' if (row.difference or 0) > 0 else 'A'} is better**"
    elif row.verdict == "contains 0":
        head = "**A and B cannot be told apart**"
    else:
        head = "**One picture says which is better on it, no more**"
    return (
        f"{head}: {row.name} {format_ap(row.a)} → {format_ap(row.b)}, B − A {row.text.replace('[', chr(92) + '[')}, "
        f"{counted(found['pictures'], 'picture')}"
    )


def show(a: Side, b: Side, epochs: ComparedEpochs, sets: ComparedSets, found: Comparison) -> None:
    """Draw the figures of both sides, the chart of the differences, and what was compared."""
    st.subheader("How far apart A and B are")
    rows = differences(found)
    figures, chart = st.columns([13, 9], gap="medium", vertical_alignment="center")
    figures.markdown(figures_table(rows), help=found["definitions"]["difference_interval"])
    drawn = [row for row in rows if row.difference is not None]
    with chart:
        if drawn:
            draw(difference_chart(drawn, side_colours(a, b)), alt="AP of B minus AP of A with its 95 % interval")
    notes, labels = st.columns([5, 2], vertical_alignment="bottom")
    notes.markdown(":small[" + "  \n".join(compared_words(a, b, sets, found)) + "]")
    if sets.labels_differ:
        with labels:
            url_state.segments(
                "Labels",
                "labels",
                ["a", "b"],
                epochs.labels,
                page=PAGE,
                show=lambda side: f"judge by the labels of {side.upper()}",
            )


def figures_table(rows: Sequence[Difference]) -> str:
    """The figures as a Markdown table."""
    lines = ["| | A | B | B − A [95 % interval] | The difference |", "|:--|--:|--:|:--|:--|"]
    for row in rows:
        text = row.text.replace("[", "\\[")
        bold = "**" if row.verdict == "away from 0" else ""
        cells = (row.name, format_ap(row.a), format_ap(row.b), f"{bold}{text}{bold}", _VERDICTS[row.verdict])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines).replace(" ", _NO_BREAK).replace(f"|{_NO_BREAK}", "| ").replace(f"{_NO_BREAK}|", " |")


def compared_words(a: Side, b: Side, sets: ComparedSets, found: Comparison) -> list[str]:
    """What was compared, as lines of Markdown: pictures, objects, labels, and what was left out."""
    common = sets.common
    lines = [
        f"{counted(found['pictures'], 'picture')} with {counted(found['objects'], 'object')}, judged by the labels of "
        f"{plain((a if common.labels == 'a' else b).run.name)}"
        f"{'' if sets.labels_differ else ' (both have the same)'}. A picture that is hard for A is mostly hard for B, "
        "too, so the interval is that of the difference on the same pictures."
    ]
    if note := coverage_note(found["pictures"]):
        lines.append(f"Small sets: {note}. Validate on more pictures before you decide.")
    return [*lines, *left_out_words(common), *_tasks_words(a, b, sets)]


def left_out_words(common: CommonPictures) -> list[str]:
    """Which pictures and classes are not compared, as lines of Markdown."""
    lines = []
    if common.left_out:
        counts = Counter(entry.why for entry in common.left_out)
        parts = [_REASONS[why].format(number) for why, number in counts.items()]
        first = quoted_list(tuple(entry.file for entry in common.left_out))
        lines.append(f"Left out: {counted(len(common.left_out), 'picture')} ({', '.join(parts)}): {plain(first)}.")
    for letter, names in (("A", common.classes_a), ("B", common.classes_b)):
        if names:
            lines.append(
                f"Left out: what is labelled or found as {plain(quoted_list(names))}, which only {letter} knows."
            )
    return lines


def _tasks_words(a: Side, b: Side, sets: ComparedSets) -> list[str]:
    """Which tasks are not compared, because only one side has them."""
    lines = []
    for task, words in (("mask", "masks"), ("keypoints", "keypoints")):
        has = [letter for letter, side in (("A", a), ("B", b)) if task in side.config.tasks]
        if has and task not in sets.tasks:
            why = f"only {has[0]} finds them" if len(has) == 1 else "the labels have no outlines"
            lines.append(f"Not compared: {words}; {why}.")
    return lines
