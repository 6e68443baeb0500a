"""The Launch page: which preset."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.config import PRESETS
from maskrcnn.studio.launch import choices
from maskrcnn.studio.launch import form_labels as words


def choose_preset(machine: Sequence[str]) -> str:
    """The preset from which all other values start; the one that suits the devices of `machine` is proposed."""
    presets = list(PRESETS)
    recommended = choices.recommended_preset(machine)
    preset = st.selectbox(
        "Preset",
        presets,
        presets.index(recommended),
        format_func=lambda name: f"{name} (recommended here)" if name == recommended else name,
        help="Where all other values start from.",
        key="launch-preset",
    )
    st.markdown(f":small[{words.PRESET_WORDS[preset]} {choices.machine_in_words(machine)}]")
    return preset
