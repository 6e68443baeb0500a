"""The drawing options of the Predictions page: view, minimum score, colours, and parts of each object."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from maskrcnn.config import Config
from maskrcnn.studio.inspect.inspected_run import PAGE
from maskrcnn.studio.shell import hotkeys

BOTH, TRUTH, FOUND = "both", "ground truth", "prediction"
"""The views: both pictures side by side, or only one of them, larger."""

_VIEW = f"{PAGE}_view"


@dataclass(frozen=True)
class DrawingOptions:
    """The chosen drawing options.

    `view` is `BOTH`, `TRUTH` or `FOUND`. Detections below `min_score` are neither drawn nor counted. If `by_class` is
    True, the colour shows the class; otherwise it shows whether an object was found or a detection is correct. `parts`
    are the switches of `drawing.overlays.draw`: masks, boxes, keypoints, labels.
    """

    view: str
    min_score: float
    by_class: bool
    parts: dict[str, bool]


def show(config: Config) -> DrawingOptions:
    """Draw the row of drawing options below the picture, and return their values.

    Switches for masks and keypoints exist only if the network finds them.
    """
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


def toggle_large_prediction() -> None:
    """Switch between the large prediction and both pictures; for a key."""
    st.session_state[_VIEW] = FOUND if st.session_state.get(_VIEW, BOTH) == BOTH else BOTH


def _parts(config: Config) -> dict[str, bool]:
    """Draw a check box for each part of an object that the network finds, and return part -> whether it is drawn."""
    drawable = ["masks"] * ("mask" in config.tasks) + ["boxes"] + ["keypoints"] * ("keypoints" in config.tasks)
    drawable.append("labels")
    switches = dict.fromkeys(("masks", "keypoints"), False)
    with st.container(gap="xxsmall", width="content"):
        st.markdown(":small[Draw]")
        with st.container(horizontal=True, gap="small"):
            for part in drawable:
                switches[part] = st.checkbox(part, True, key=f"{PAGE}_{part}", persist_state="session")
    return switches
