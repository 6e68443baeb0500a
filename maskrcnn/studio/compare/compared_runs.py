"""Choice of the two runs on the Compare page: A, B, the button that swaps them, and the pair that ships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.evaluation import common_pictures
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.inspect import offered_runs
from maskrcnn.studio.inspect.inspected_run import best_kept_epoch
from maskrcnn.studio.inspect.offered_runs import OfferedRuns
from maskrcnn.studio.learn.roi_colours import ROI_ALIGN_COLOUR, ROI_POOL_COLOUR
from maskrcnn.studio.shell import session, url_state
from maskrcnn.studio.shell.markdown_escape import plain

PAGE = "compare"
"""Prefix of the page's keys in the session state, and name under which its choices are remembered."""

SHIPPED_PAIR = ("toy-c5-pool", "toy-c5-align")
"""The shipped models that differ in their RoI pooling only: RoIPool and RoIAlign."""

COLOURS = ("#a3479b", "#0b8a7f")
"""Colours of A and B, unless one has RoIPool and the other RoIAlign, which have their own."""


@dataclass(frozen=True)
class Side:
    """One side: a run, its name in the list, its Config, the epochs with saved detections, and the best of them."""

    run: RunFolder
    label: str
    config: Config
    epochs: tuple[int, ...]
    best: int


def choose(runs: Mapping[str, RunFolder], own: int) -> tuple[Side, Side] | None:
    """Draw the title row with the choice of both runs. `own` is the number of `runs` (the first) of the project.

    None, with a message, if one of them has no detections. Raises `StudioError` if a run cannot be read.
    """
    pair = shipped_pair(runs)
    default_a, default_b = default_pair(runs, own, pair)
    asked = _resolve(runs)
    title, first, swap, second, shipped = st.columns([1.9, 3.0, 0.55, 3.0, 4.1], vertical_alignment="bottom")
    title.title("Compare")
    with first:
        a = _choose_run("a", runs, default_a)
    swap.button("", key=f"{PAGE}_swap", icon=":material/swap_horiz:", help="Swap A and B", on_click=_swap)
    with second:
        b = _choose_run("b", runs, default_b)
    st.session_state[f"{PAGE}_chosen"] = (a, b)
    if pair and pair != (a, b):
        shipped.button(
            "RoIPool beside RoIAlign: the shipped pair",
            key=f"{PAGE}_shipped",
            icon=":material/grid_on:",
            help="Two networks that ship with the studio and differ in one thing: how the heads read the feature map.",
            on_click=_open,
            args=pair,
        )
    for letter, name in asked.items():
        st.warning(
            f'There is no training "{plain(name)}" in this project (it was deleted or renamed), so {letter.upper()} is '
            f"{plain(a if letter == 'a' else b)}. Choose another above.",
            icon=":material/warning:",
        )
    sides = []
    with session.fail_softly():
        for letter, label in (("A", a), ("B", b)):
            run = runs[label]
            epochs = tuple(run.detection_epochs())
            if not epochs:
                st.info(
                    f"{letter}: {plain(label)} keeps no detections yet; they are there after its first epoch. Choose "
                    "another training until then.",
                    icon=":material/hourglass_top:",
                )
                return None
            sides.append(Side(run, label, run.config(), epochs, best_kept_epoch(run, list(epochs)).epoch))
    return sides[0], sides[1]


def _choose_run(letter: str, runs: Mapping[str, RunFolder], default: str) -> str:
    """Draw the list of runs of one side, and return the name of the chosen one."""
    return url_state.select(
        f"Training {letter.upper()}",
        letter,
        list(runs),
        default,
        page=PAGE,
        show=lambda label: f"{letter.upper()}  ·  {label}",
        label_visibility="collapsed",
        resets=["a_epoch", "b_epoch", "labels", "lock"],
    )


def default_pair(runs: Mapping[str, RunFolder], own: int, shipped: tuple[str, str] | None) -> tuple[str, str]:
    """The runs that the page opens with: the newest two of the project with detections (the newer is B), else two
    epochs of its only one, else the pair that is `shipped`, else what there is."""
    kept = []
    for label, run in list(runs.items())[:own]:
        if run.detection_epochs():
            kept.append(label)
        if len(kept) == 2:
            return kept[1], kept[0]
    if kept and len(runs[kept[0]].detection_epochs()) > 1:
        return kept[0], kept[0]
    labels = list(runs)
    return shipped or (labels[-1], labels[0])


def shipped_pair(runs: Mapping[str, RunFolder]) -> tuple[str, str] | None:
    """The names in the list of the shipped RoIPool model and its RoIAlign twin; None if one is not offered."""
    cards: dict[str, str] = {}
    for label, run in runs.items():
        if card := shipped_models.card_in(run.path):
            cards.setdefault(card["name"], label)
    found = [cards.get(name) for name in SHIPPED_PAIR]
    a, b = found
    return (a, b) if a and b else None


def side_colours(a: Side, b: Side) -> tuple[str, str]:
    """The colours of both sides: orange for RoIPool and blue for RoIAlign if they differ in that, else others."""
    if not is_pooling_pair(a, b):
        return COLOURS
    first, second = (ROI_POOL_COLOUR if side.config.pooling == "pool" else ROI_ALIGN_COLOUR for side in (a, b))
    return first, second


def is_pooling_pair(a: Side, b: Side) -> bool:
    """Whether one side has RoIPool and the other RoIAlign."""
    methods = {a.config.pooling, b.config.pooling}
    return "pool" in methods and bool(methods & {"align", "align-legacy"})


def _resolve(runs: Mapping[str, RunFolder]) -> dict[str, str]:
    """Replace names of runs in the URL by their names in the list, and return those that there is no run for.

    A link may name a shipped model by its name alone.
    """
    unknown = {}
    for letter in ("a", "b"):
        asked = st.query_params.get(letter)
        if asked is None or asked in runs:
            continue
        named = next((label for label, run in runs.items() if run.name == asked), None)
        if named is None:
            unknown[letter] = asked
        else:
            st.query_params[letter] = named
    return unknown


def _open(a: str, b: str) -> None:
    """Open two runs at their best epochs (callback)."""
    for name in ("a_epoch", "b_epoch", "image", "labels", "lock"):
        st.query_params.pop(name, None)
    st.query_params.update({"a": a, "b": b})


def _swap() -> None:
    """Swap the two sides (callback). The labels that decide stay the same."""
    a, b = st.session_state[f"{PAGE}_chosen"]
    epochs = st.query_params.get("a_epoch"), st.query_params.get("b_epoch")
    st.query_params.update({"a": b, "b": a})
    for name, epoch in zip(("b_epoch", "a_epoch"), epochs, strict=True):
        if epoch is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = epoch
    st.query_params["labels"] = "b" if st.query_params.get("labels") == "a" else "a"


def labels() -> common_pictures.Side:
    """The side whose labels decide: that of the URL, else B, whose labels are usually the newer ones."""
    return "a" if st.query_params.get("labels") == "a" else "b"


def offered(project: Project) -> OfferedRuns:
    """Read the runs that the page offers. Without any, draw an explanation of the page and stop its script."""
    about = (
        "Here you see what one training finds that another one misses, picture by picture, and whether their "
        "difference may be chance."
    )
    return offered_runs.read(project, "Compare", about, ":material/compare:")
