"""The Launch page: the inputs for length, layers and learning rate, and the other fields under "More choices"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from maskrcnn.config import LAYERS, TASK_OF_SECTION, Config, Section, fields_with, parse_stages
from maskrcnn.errors import StudioError
from maskrcnn.runs.epochs_and_passes import EPOCH_MEANING
from maskrcnn.studio.launch import request_from_inputs
from maskrcnn.studio.launch.config_field_inputs import config_grid, config_input, field_input_keys
from maskrcnn.studio.launch.network_inputs import NetworkChoice
from maskrcnn.words import sentence

MORE = "launch-more"
"""Session key of the section "More choices": whether it is open."""

_OPENED = "launch-more-opened"
"""Session key: whether "More choices" was opened before."""

LAYER_WORDS: dict[str, str] = {
    "heads": "heads (with RPN and FPN)",
    "5+": "stage 5 and up",
    "4+": "stage 4 and up",
    "3+": "stage 3 and up",
    "all": "all layers",
}

SCHEDULE_WORDS: dict[str, str] = {
    "heads,all": "heads, then all",
    "heads,4+,all": "heads, 4+, all",
}
"""Schedules that are offered in the list, in addition to `LAYER_WORDS`. Other schedules are typed."""

LEARNING_WORDS: dict[str, str] = {
    "heads": "the heads",
    "5+": "stage 5 and up",
    "4+": "stage 4 and up",
    "3+": "stage 3 and up",
    "all": "all layers",
}
"""Group of layers -> its name in a sentence."""

LENGTH_WORDS: dict[str, str] = {
    "epochs": "epochs",
    "minutes": "minutes",
    "until": "until it no longer improves",
}

MAIN_FIELDS = (
    "tasks",
    "epochs",
    "minutes",
    "patience",
    "backbone",
    "pooling",
    "layers",
    "mask_head",
    "mask_kind",
    "learning_rate",
    "batch_size",
)
"""Config fields that the page always shows (mask fields only with the mask task)."""

FOLLOWING_FIELDS = fields_with(section=Section.LABELS)
"""Config fields that are determined by the labels and have no input."""

MORE_FIELDS: dict[str, tuple[str, ...]] = {
    section: fields
    for section in Section
    if (fields := tuple(name for name in fields_with(section=section) if name not in MAIN_FIELDS + FOLLOWING_FIELDS))
}
"""Config fields under "More choices", by heading."""


def choose_length(preset: str) -> dict[str, Any]:
    """Draw the inputs for the length, and return the Config fields `epochs`, `minutes` and `patience`.

    Raises `StudioError` if a number is missing.
    """
    key = field_input_keys(preset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = st.segmented_control(
            "Length",
            list(LENGTH_WORDS),
            default="epochs",
            format_func=LENGTH_WORDS.__getitem__,
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
    return fields_of_length_inputs(unit, number, patience)


def fields_of_length_inputs(unit: str, number: float | None, patience: float | None = None) -> dict[str, Any]:
    """The Config fields `epochs`, `minutes` and `patience`, from the values of the inputs for the length of a training.

    `unit` is a key of LENGTH_WORDS: train for `number` "epochs" or "minutes"; or "until" there was no better epoch for
    `patience` epochs, with `number` epochs as the maximum. Raises `StudioError` if a number is missing or not above 0.
    """
    for name, value in (("length", number), ("patience", patience if unit == "until" else 1)):
        if not value or value <= 0:
            raise StudioError(f"the {name} of the run is missing; give a number above 0")
    assert number is not None
    if unit == "minutes":
        return {"epochs": None, "minutes": float(number), "patience": None}
    return {"epochs": int(number), "minutes": None, "patience": int(patience) if patience and unit == "until" else None}


def length_in_seconds(values: Mapping[str, Any]) -> float | None:
    """The length of a run in seconds, if the input for the length is in minutes; otherwise None."""
    return 60 * values["minutes"] if values.get("minutes") else None


def choose_training(preset: str, network: NetworkChoice) -> dict[str, Any]:
    """Draw the inputs for the training and "More choices", and return the values of these Config fields.

    Raises `ArgumentError` for a text that is no list of numbers.
    """
    key, default = field_input_keys(preset), network.default
    values: dict[str, Any] = {}
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    values["layers"] = left.selectbox(
        "Which layers learn",
        [*LAYERS, *SCHEDULE_WORDS],
        [*LAYERS, *SCHEDULE_WORDS].index(default.layers),
        format_func=lambda layers: (LAYER_WORDS | SCHEDULE_WORDS)[layers],
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
        values |= _more_training_inputs(network, is_drawn)
    schedule.markdown(f":small[{schedule_in_words(values['layers'])}]")
    return values


def _more_training_inputs(network: NetworkChoice, is_drawn: bool) -> dict[str, Any]:
    """Draw the inputs of all other fields for the chosen tasks, by section, and return their values.

    If not `is_drawn`, nothing is drawn and the default values are returned.
    """
    default, tasks = network.default, network.request.changed["tasks"]
    prefix = f"{network.key('more')}-{default.norm}-{default.rpn_scales_at}"
    # The session has the current value of the input for the norm before this input is drawn below.
    chosen_norm = st.session_state.get(f"{prefix}-norm", default.norm)
    if chosen_norm != default.norm:
        default = default.replace(norm_eps=request_from_inputs.default_eps_for_norm(network.request, chosen_norm))
    # With another norm, `norm_eps` has another default. Streamlit shows a new default only in an input with a new key,
    # so the default is written into the key.
    eps_key = f"{prefix}-norm_eps-{default.norm_eps:g}"

    def key(name: str) -> str:
        return eps_key if name == "norm_eps" else f"{prefix}-{name}"

    values: dict[str, Any] = {}
    for heading, fields in MORE_FIELDS.items():
        if TASK_OF_SECTION.get(heading, "box") not in tasks:
            continue
        if not is_drawn:
            values |= {name: getattr(default, name) for name in fields}
        else:
            st.markdown(f"**{heading}**")
            values |= config_grid(fields, default, key)
    return values


def schedule_in_words(layers: str) -> str:
    """The stages of the input "Which layers learn" as a sentence.

    For example `The heads for 50% of the run, then all layers for 50% of the run at 0.1 of the learning rate.` Empty
    for a single stage, and for an invalid schedule (`Config` raises an error for it).
    """
    try:
        stages = parse_stages(layers)
    except ValueError:
        return ""
    if len(stages) == 1:
        return ""
    parts, begins = [], 0.0
    for stage in stages:
        part = f"{LEARNING_WORDS[stage.layers]} for {stage.until - begins:.0%} of the run"
        parts.append(part if stage.rate == 1 else f"{part} at {stage.rate:g} of the learning rate")
        begins = stage.until
    return sentence(", then ".join(parts))
