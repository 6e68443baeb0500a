"""How the Predictions page draws a picture: which view, which detections, in which colours, what of each object."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from maskrcnn.config import Config
from maskrcnn.studio.inspect.run_choice import PAGE
from maskrcnn.studio.shell import hotkeys

BOTH, TRUTH, FOUND = "both", "ground truth", "prediction"
"""The views: the two pictures side by side, or one of them large."""

_VIEW = f"{PAGE}_view"


@dataclass(frozen=True)
class DrawingOptions:
    """`view` is one of `BOTH`, `TRUTH`, `FOUND`; detections below `min_score` are neither drawn nor counted.

    Objects are coloured by their class, or else by whether they are right. `parts` are the switches of
    `drawing.overlays.draw`: masks, boxes, keypoints, labels.
    """

    view: str
    min_score: float
    by_class: bool
    parts: dict[str, bool]


def show(config: Config) -> DrawingOptions:
    """Draw the row of options; there are switches for what a network with these tasks finds."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = st.segmented_control(
            "Show",
            [BOTH, TRUTH, FOUND],
            default=BOTH,
            required=True,
            key=_VIEW,
            persist_state="session",
            help=f"Both side by side, or one of them large. {hotkeys.tip(hotkeys.PREDICTIONS, 'large')}",
        )
        min_score = st.slider(
            "Show scores from",
            0.0,
            0.95,
            0.5,
            0.05,
            key=f"{PAGE}_score",
            persist_state="session",
            width=200,
            help="Detections below this score are neither drawn nor counted as right or wrong. AP uses all of them.",
        )
        colouring = st.segmented_control(
            "Colour by",
            ["match", "class"],
            default="match",
            required=True,
            key=f"{PAGE}_colour",
            persist_state="session",
            help=f"match: right, wrong or missed, at {'mask' if 'mask' in config.tasks else 'box'} IoU 0.5 and with "
            "the same class. class: the project's colours.",
        )
        return DrawingOptions(view, min_score, colouring == "class", _parts(config))


def switch_view() -> None:
    """Show the prediction large, or both pictures again; for a key."""
    st.session_state[_VIEW] = FOUND if st.session_state.get(_VIEW, BOTH) == BOTH else BOTH


def _parts(config: Config) -> dict[str, bool]:
    """A check box for each part of an object that is drawn; what the network does not find is off."""
    drawable = ["masks"] * ("mask" in config.tasks) + ["boxes"] + ["keypoints"] * ("keypoints" in config.tasks)
    drawable.append("labels")
    switches = dict.fromkeys(("masks", "keypoints"), False)
    with st.container(gap="xxsmall", width="content"):
        st.markdown(":small[Draw]")
        with st.container(horizontal=True, gap="small"):
            for part in drawable:
                switches[part] = st.checkbox(part, True, key=f"{PAGE}_{part}", persist_state="session")
    return switches
