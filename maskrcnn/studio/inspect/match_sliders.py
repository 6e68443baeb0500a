"""The score and the IoU from which a detection counts: one choice for Predictions, Evaluation and Compare.

A page that is opened from another one shows the same matches. The choice is in the URL too (`?score=0.3&iou=0.75`),
unless it is the default, so that a prepared link opens with it.
"""

from __future__ import annotations

import streamlit as st

from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE

SCORE, IOU = "score", "iou"
"""Names of the sliders, in the URL and in the components."""

LIMITS: dict[str, tuple[float, float, float]] = {SCORE: (DEFAULT_MIN_SCORE, 0.0, 1.0), IOU: (DEFAULT_IOU, 0.05, 0.95)}
"""Name of a slider -> its default, least and largest value."""


def state_key(name: str) -> str:
    """Return the session state key of a slider.

    >>> state_key("iou")
    'inspect_iou'
    """
    return f"inspect_{name}"


def min_score() -> float:
    """Return the score below which detections are neither drawn nor counted."""
    return _value(SCORE)


def iou() -> float:
    """Return the IoU threshold of the matches."""
    return _value(IOU)


def keep(name: str, value: object) -> None:
    """Take over what the browser chose (callback). Anything but a number within the limits is passed over."""
    default, least, largest = LIMITS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= largest:
        return
    st.session_state[state_key(name)] = float(value)
    if value == default:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = f"{value:.3f}".rstrip("0")


def _value(name: str) -> float:
    """Return the value in the URL, else the last one of this session, else the default."""
    default, least, largest = LIMITS[name]
    try:
        asked = float(st.query_params[name])
    except (KeyError, ValueError):
        return float(st.session_state.get(state_key(name), default))
    if least <= asked <= largest:
        st.session_state[state_key(name)] = asked
    return float(st.session_state.get(state_key(name), default))
