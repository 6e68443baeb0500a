"""Choice of the epochs on the Compare page: one slider for both sides, or one for each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.studio.compare.compared_runs import PAGE, Side
from maskrcnn.studio.compare.epoch_pairs import EpochPair, epoch_pairs
from maskrcnn.studio.shell import url_state

_SLIDER, _LOCK = f"{PAGE}_epochs", f"{PAGE}_lock"
_HELP = (
    "Trainings of different lengths are paired by the share of the training. The page opens at the best epochs: those "
    "with the highest mask AP on their validation pictures (without masks, keypoint AP, then box AP)."
)


def show(a: Side, b: Side, slider_column: DeltaGenerator, lock_column: DeltaGenerator) -> tuple[int, int]:
    """Draw the slider and the lock, and return the epochs of A and of B."""
    pairs = epoch_pairs(a.epochs, b.epochs, a.best, b.best)
    default_a, default_b = default_epochs(a, b)
    asked = _asked_epoch("a", a, default_a), _asked_epoch("b", b, default_b)
    is_one_run = a.run.path == b.run.path
    chosen = next((pair for pair in pairs if (pair.a, pair.b) == asked), None)
    can_lock = not is_one_run and len(pairs) > 1
    is_locked = can_lock and chosen is not None and st.query_params.get("lock") != "off"
    st.session_state[_LOCK] = is_locked
    lock_column.toggle(
        "Together",
        key=_LOCK,
        disabled=not can_lock,
        on_change=_lock,
        args=(pairs, asked),
        help="One slider for the epochs of both sides, or one for each. "
        + ("Two epochs of one run have one each. " if is_one_run else "")
        + _HELP,
    )
    with slider_column:
        if is_locked and chosen is not None:
            return _slide_both(pairs, chosen)
        columns = st.columns(2, gap="medium")
        with columns[0]:
            epoch_a = _slide_one("a", a, asked[0])
        with columns[1]:
            epoch_b = _slide_one("b", b, asked[1])
        return epoch_a, epoch_b


def default_epochs(a: Side, b: Side) -> tuple[int, int]:
    """The epochs that the page opens with: the best of both; of one run, the first and the best one.

    If the first is the best one, its last epoch is the second.
    """
    if a.run.path != b.run.path:
        return a.best, b.best
    first, last = a.epochs[0], a.epochs[-1]
    return first, (a.best if a.best != first else last)


def _asked_epoch(letter: str, side: Side, default: int) -> int:
    """The epoch of a side that the URL asks for, as a number or as `best`; else the last choice for this run.

    The default, if it keeps no such epoch.
    """
    asked = url_state.current(f"{letter}_epoch", "", page=PAGE, owner=str(side.run.path))
    known = {str(epoch): epoch for epoch in side.epochs} | {"best": side.best}
    return known.get(asked, default)


def _lock(pairs: Sequence[EpochPair], now: tuple[int, int]) -> None:
    """Put the choice of the toggle into the URL (callback). Locked sides go to the pair nearest to the epochs `now`."""
    if st.session_state[_LOCK]:
        nearest = min(pairs, key=lambda pair: abs(pair.a - now[0]) + abs(pair.b - now[1]))
        now = nearest.a, nearest.b
        st.query_params.pop("lock", None)
    else:
        st.query_params["lock"] = "off"
    url_state.choose("a_epoch", now[0])
    url_state.choose("b_epoch", now[1])


def _slide_both(pairs: Sequence[EpochPair], chosen: EpochPair) -> tuple[int, int]:
    """Draw one slider over the pairs; a new choice writes both epochs into the URL."""
    words = {pair.words: pair for pair in pairs}

    def write() -> None:
        pair = words[st.session_state[_SLIDER]]
        url_state.choose("a_epoch", pair.a)
        url_state.choose("b_epoch", pair.b)

    st.session_state[_SLIDER] = chosen.words
    st.select_slider(
        "Epoch of both",
        list(words),
        key=_SLIDER,
        on_change=write,
        label_visibility="collapsed",
    )
    return chosen.a, chosen.b


def _slide_one(letter: str, side: Side, epoch: int) -> int:
    """Draw the slider of one side, and return its epoch."""
    if len(side.epochs) == 1:
        st.markdown(f"{letter.upper()}: epoch {epoch}, the only one with detections")
        return epoch
    return url_state.slider(
        f"Epoch of {letter.upper()}",
        f"{letter}_epoch",
        side.epochs,
        epoch,
        page=PAGE,
        owner=str(side.run.path),
        label_visibility="collapsed",
        show=lambda number: f"{letter.upper()}: epoch {number}{' (best)' if number == side.best else ''}",
    )
