"""The Launch page: the inputs for the length of a run."""

from __future__ import annotations

from typing import Any

import streamlit as st

from maskrcnn.config import Config
from maskrcnn.runs.epochs import EPOCH_MEANING
from maskrcnn.studio.launch import form_labels, request_from_inputs
from maskrcnn.studio.launch.config_inputs import input_keys


def choose_length(preset: str) -> dict[str, Any]:
    """Draw the inputs for the length, and return the Config fields `epochs`, `minutes` and `patience`.

    Raises `StudioError` if a number is missing.
    """
    key = input_keys(preset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = st.segmented_control(
            "Length",
            list(form_labels.LENGTH_WORDS),
            default="epochs",
            format_func=form_labels.LENGTH_WORDS.__getitem__,
            required=True,
            wrap=True,
            help=f"{EPOCH_MEANING} With minutes, learning rate and end follow the clock. The third ends when the AP on "
            "the validation pictures has not risen for a while.",
            key=key("unit"),
        )
        number: float
        patience: int | None = None
        if unit == "epochs":
            usual = Config.preset(preset).epochs or 20
            number = st.number_input("Epochs", 1, None, usual, key=key("epochs"), width=140)
        elif unit == "minutes":
            number = st.number_input("Minutes", 0.1, None, 10.0, 1.0, format="%g", key=key("minutes"), width=140)
        else:
            patience = st.number_input(
                "Epochs without a better one",
                1,
                None,
                5,
                help=Config.model_fields["patience"].description,
                key=key("patience"),
                width=210,
            )
            number = st.number_input("Epochs at most", 1, None, 100, key=key("most"), width=140)
    return request_from_inputs.length_fields(unit, number, patience)
