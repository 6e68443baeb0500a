"""The Launch page: the input for the preset."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.config import PRESETS
from maskrcnn.studio.launch import form_labels, request_from_inputs


def choose_preset(machine: Sequence[str]) -> str:
    """Draw the input for the preset, and return it. The default is the recommended preset for the devices `machine`."""
    presets = list(PRESETS)
    recommended = request_from_inputs.recommended_preset(machine)
    preset = st.selectbox(
        "Preset",
        presets,
        presets.index(recommended),
        format_func=lambda name: f"{name} (recommended here)" if name == recommended else name,
        help="Where all other values start from.",
        key="launch-preset",
    )
    st.markdown(f":small[{form_labels.PRESET_WORDS[preset]} {request_from_inputs.machine_in_words(machine)}]")
    return preset
