"""The Launch page: the inputs for the tasks (boxes, masks, keypoints)."""

from __future__ import annotations

import streamlit as st

from maskrcnn.config import Config
from maskrcnn.studio.launch.config_inputs import input_keys
from maskrcnn.studio.launch.training_material import Labels
from maskrcnn.studio.shell.markdown_escape import plain


def choose_tasks(preset: str, labels: Labels) -> tuple[str, ...]:
    """Draw the inputs for the tasks, and return the chosen tasks.

    Boxes are always included. Keypoints can be chosen only if the labels have keypoints that can be learned.
    """
    key, usual = input_keys(preset), Config.preset(preset).tasks
    st.markdown(":small[What it finds]", help=Config.model_fields["tasks"].description)
    with st.container(horizontal=True):
        st.toggle("boxes", True, disabled=True, help="Every network finds boxes first.", key=key("box"))
        masks = st.toggle("masks", "mask" in usual, key=key("mask"))
        keypoints = st.toggle(
            "keypoints",
            labels.keypoints is not None and "keypoints" in usual,
            disabled=labels.keypoints is None,
            help=plain(labels.no_keypoints) or None,
            key=key(f"keypoints-{labels.keypoints is not None}"),
        )
    return ("box", *["mask"] * masks, *["keypoints"] * keypoints)
