"""The Launch page: the inputs for the training, and all other Config fields under "More choices"."""

from __future__ import annotations

from typing import Any

import streamlit as st

from maskrcnn.config import LAYERS, TASK_OF_SECTION, Config
from maskrcnn.studio.launch import form_labels, request_from_inputs
from maskrcnn.studio.launch.config_inputs import config_grid, config_input, input_keys
from maskrcnn.studio.launch.network_inputs import NetworkChoice

MORE = "launch-more"
"""Session key of the section "More choices": whether it is open."""

_OPENED = "launch-more-opened"
"""Session key: whether "More choices" was opened before."""


def choose_training(preset: str, network: NetworkChoice) -> dict[str, Any]:
    """Draw the inputs for the training and "More choices", and return the values of these Config fields.

    Raises `ArgumentError` for a text that is no list of numbers.
    """
    key, default = input_keys(preset), network.default
    values: dict[str, Any] = {}
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    values["layers"] = left.selectbox(
        "Which layers learn",
        [*LAYERS, *form_labels.SCHEDULE_WORDS],
        [*LAYERS, *form_labels.SCHEDULE_WORDS].index(default.layers),
        format_func=lambda layers: (form_labels.LAYER_WORDS | form_labels.SCHEDULE_WORDS)[layers],
        help="The heads (with RPN and pyramid) are new and have most to learn. The body below them knows edges and "
        "parts already, if it was given weights. A schedule lets the heads settle first, then refines the rest at a "
        "tenth of the learning rate.",
        key=key(f"layers-{default.layers}"),
    )
    with middle:
        values["learning_rate"] = config_input(
            "learning_rate", default.learning_rate, key("learning_rate"), "Learning rate"
        )
    with right:
        values["batch_size"] = config_input("batch_size", default.batch_size, key("batch_size"), "Batch size")
    schedule = st.container()
    with st.expander("More choices", icon=":material/tune:", key=MORE, on_change="rerun") as more:
        typed = st.text_input(
            "Schedule of layers",
            placeholder="as chosen above; or for example heads:0.4,all:0.6:0.2",
            help=Config.model_fields["layers"].description,
            key=key("schedule"),
        ).strip()
        values["layers"] = typed or values["layers"]
        # Few users open these sixty inputs, so they are drawn only then. They stay drawn, to keep the entered values.
        st.session_state[_OPENED] = is_drawn = more.open or st.session_state.get(_OPENED, False)
        values |= _more_choices(network, is_drawn)
    schedule.markdown(f":small[{request_from_inputs.schedule_in_words(values['layers'])}]")
    return values


def _more_choices(network: NetworkChoice, is_drawn: bool) -> dict[str, Any]:
    """Draw the inputs of all other fields for the chosen tasks, by section, and return their values.

    If not `is_drawn`, nothing is drawn and the default values are returned.
    """
    default, tasks = network.default, network.request.changed["tasks"]
    key = f"{network.key('more')}-{default.norm}-{default.rpn_scales_at}-{{}}".format
    norm = st.session_state.get(key("norm"), default.norm)
    if norm != default.norm:
        default = default.replace(norm_eps=request_from_inputs.eps_with_norm(network.request, norm))
    eps = default.norm_eps

    def key_of(name: str) -> str:
        return f"{key(name)}-{eps:g}" if name == "norm_eps" else key(name)

    values: dict[str, Any] = {}
    for heading, fields in form_labels.MORE_FIELDS.items():
        if TASK_OF_SECTION.get(heading, "box") not in tasks:
            continue
        if not is_drawn:
            values |= {name: getattr(default, name) for name in fields}
        else:
            st.markdown(f"**{heading}**")
            values |= config_grid(fields, default, key_of)
    return values
