"""The Launch page: the inputs for the initial weights and the network. A shipped model determines the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.config import MASK_HEADS, MASK_KINDS, POOLINGS, Config
from maskrcnn.runs import shipped_models
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.launch import form_labels, request_from_inputs
from maskrcnn.studio.launch.config_inputs import input_keys


@dataclass(frozen=True)
class NetworkChoice:
    """The chosen network. `request` has the preset, tasks and initial weights, and `values` the Config fields of the
    inputs. `default` has the initial values of the other inputs. `key` gives the keys of inputs whose values depend on
    the shipped model."""

    request: TrainingRequest
    default: Config
    key: Callable[[str], str]
    values: dict[str, Any] = field(default_factory=dict)


def choose_network(preset: str, tasks: tuple[str, ...]) -> NetworkChoice:
    """Draw the inputs for initial weights, backbone, RoI pooling and mask head, and return the choice.

    Raises `StudioError` if the choices contradict each other.
    """
    key = input_keys(preset)
    left, right = st.columns(2, vertical_alignment="bottom")
    start, path = _choose_start(preset, Config.preset(preset, tasks=tasks), right)
    request = request_from_inputs.request_of_start(preset, tasks, start, path)
    default = request_from_inputs.config_of_start(request)
    ships = request.init if request.init in shipped_models.names() else ""
    comes_along = (
        f"It comes along with the initial weights: {request_from_inputs.offered_weights()[start]}." if ships else None
    )
    network_key = input_keys(preset, ships)
    values: dict[str, Any] = {"tasks": tasks}

    body = left.selectbox(
        "Backbone",
        list(form_labels.BODIES),
        list(form_labels.BODIES).index(default.body),
        format_func=form_labels.BODY_WORDS.__getitem__,
        help=comes_along
        or "The body that turns the picture into feature maps. A deeper one sees more and takes longer.",
        disabled=comes_along is not None,
        key=network_key("body"),
    )
    note = st.container()
    kinds = form_labels.BODIES[body]
    kind = st.segmented_control(
        "Feature maps",
        kinds,
        default=default.kind if default.kind in kinds else kinds[0],
        format_func=form_labels.KIND_WORDS.__getitem__,
        required=True,
        wrap=True,
        help=comes_along or Config.model_fields["backbone"].description,
        disabled=comes_along is not None,
        key=network_key("-".join(kinds)),
    )
    values["backbone"] = f"{body}_{kind}"
    # The two maps of the light pyramid have the same stride, so "one scale for each level" makes no sense.
    scales_at = "every-level" if kind == "fpn32" else default.rpn_scales_at
    default = default.replace(backbone=values["backbone"], rpn_scales_at=scales_at)
    note.markdown(f":small[{request_from_inputs.weights_note(start, default)}]")
    values["pooling"] = st.segmented_control(
        "RoI pooling",
        POOLINGS,
        default=default.pooling,
        format_func=form_labels.POOLING_WORDS.__getitem__,
        required=True,
        wrap=True,
        help=Config.model_fields["pooling"].description,
        key=key("pooling"),
    )
    if "mask" in tasks:
        left, right = st.columns(2)
        values["mask_head"] = left.selectbox(
            "Mask head",
            MASK_HEADS,
            MASK_HEADS.index(default.mask_head),
            format_func=form_labels.MASK_HEAD_WORDS.__getitem__,
            help=comes_along or Config.model_fields["mask_head"].description,
            disabled=comes_along is not None,
            key=network_key("mask_head"),
        )
        values["mask_kind"] = right.selectbox(
            "Masks",
            MASK_KINDS,
            MASK_KINDS.index(default.mask_kind),
            format_func=form_labels.MASK_KIND_WORDS.__getitem__,
            help=Config.model_fields["mask_kind"].description,
            key=key("mask_kind"),
        )
    return NetworkChoice(request, default, network_key, values)


def _choose_start(preset: str, config: Config, column: DeltaGenerator) -> tuple[str, str]:
    """Draw the input for the initial weights. Returns a key of START_WORDS or SHIPPED_WORDS, and the typed path.

    Until the user chooses, the default for the network `config` is selected.
    """
    key, offered = input_keys(preset), request_from_inputs.offered_weights()
    at_start, start_chosen = key("start"), key("start-chosen")
    if st.session_state.get(at_start) not in offered or not st.session_state.get(start_chosen):
        st.session_state[at_start] = request_from_inputs.default_weights(preset, config)
        st.session_state[start_chosen] = False
    start = column.selectbox(
        "Initial weights",
        list(offered),
        format_func=offered.__getitem__,
        help="ImageNet weights know edges, textures and parts; COCO weights know 80 kinds of objects, too. Both are "
        "downloaded by torchvision once and kept. The toys ship with the studio: small networks that know drawings, "
        "for a start without a download. From scratch needs many more pictures and epochs.",
        on_change=lambda: st.session_state.update({start_chosen: True}),
        key=at_start,
    )
    if start not in form_labels.PATH_WORDS:
        return start, ""
    label, placeholder, about = form_labels.PATH_WORDS[start]
    return start, st.text_input(label, placeholder=placeholder, help=about, key=key(f"path-{start}"))
