"""The Launch page: the inputs for preset, tasks and network. A shipped model determines the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from maskrcnn.config import BACKBONES, MASK_HEADS, MASK_KINDS, POOLINGS, PRESETS, Config
from maskrcnn.runs import shipped_models
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.launch import initial_weights_inputs, request_from_inputs
from maskrcnn.studio.launch.config_field_inputs import field_input_keys
from maskrcnn.studio.launch.initial_weights_inputs import choose_initial_weights
from maskrcnn.studio.launch.launch_data import LaunchLabels
from maskrcnn.studio.shell.markdown_escape import plain

PRESET_WORDS: dict[str, str] = {
    "classroom": "Small and quick: learns from a few pictures in minutes on a processor.",
    "standard": "The paper's widths at a moderate picture size: for a graphics card.",
    "paper": "He et al. 2017: ResNet-101 with a pyramid, 800 pixels, SGD. For a large graphics card.",
    "torchvision": "torchvision's maskrcnn_resnet50_fpn exactly, so that its COCO weights fit: for a graphics card.",
    "torchvision-v2": "torchvision's maskrcnn_resnet50_fpn_v2, its better detector: for a graphics card.",
    "torchvision-mobilenet": "torchvision's light Faster R-CNN: boxes alone, from two maps of stride 32.",
    "torchvision-mobilenet-320": "The same for pictures of 320 pixels: its quickest detector.",
    "detectron": "Detectron2's ResNet-50 with a pyramid: RoIAlign with the half-pixel shift. For a graphics card.",
}

POOLING_WORDS: dict[str, str] = {
    "align": "RoIAlign",
    "align-legacy": "RoIAlign, legacy",
    "pool": "RoIPool",
    "warp": "RoIWarp",
}

MASK_HEAD_WORDS: dict[str, str] = {"fcn": "convolutions (FCN)", "mlp": "fully connected (MLP)"}

MASK_KIND_WORDS: dict[str, str] = {
    "sigmoid": "per class, sigmoid",
    "softmax": "per class, softmax",
    "agnostic": "one for all classes",
}

KIND_WORDS: dict[str, str] = {
    "fpn": "pyramid",
    "fpn32": "light pyramid",
    "c4": "one map, stride 16",
    "c5": "one map, stride 32",
}
"""Kind of backbone (the last part of its name) -> label of the feature maps that the heads use."""

BODIES: dict[str, tuple[str, ...]] = {
    body: tuple(name.rpartition("_")[2] for name in BACKBONES if name.rpartition("_")[0] == body)
    for body in dict.fromkeys(name.rpartition("_")[0] for name in BACKBONES)
}
"""Body -> the available kinds of feature maps; `f"{body}_{kind}"` is the name of a backbone."""

BODY_WORDS: dict[str, str] = {
    "resnet18_slim": "ResNet-18 slim",
    **{f"resnet{depth}": f"ResNet-{depth}" for depth in (18, 34, 50, 101, 152)},
    "resnext50": "ResNeXt-50",
    "resnext101": "ResNeXt-101",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3 small",
    "mobilenet_v3_large": "MobileNetV3 large",
    "alexnet": "AlexNet",
}


def choose_preset(machine: Sequence[str]) -> str:
    """Draw the input for the preset, and return it. The default is the recommended preset for the devices `machine`."""
    presets = list(PRESETS)
    recommended = recommended_preset(machine)
    preset = st.selectbox(
        "Preset",
        presets,
        presets.index(recommended),
        format_func=lambda name: f"{name} (recommended here)" if name == recommended else name,
        help="Where all other values start from.",
        key="launch-preset",
    )
    st.markdown(f":small[{PRESET_WORDS[preset]} {machine_in_words(machine)}]")
    return preset


def recommended_preset(devices: Sequence[str]) -> str:
    """The preset that the input recommends on a machine with these devices."""
    return "standard" if devices[0].startswith("cuda") else "classroom"


def machine_in_words(devices: Sequence[str]) -> str:
    """A sentence below the input for the preset: the hardware of this machine and the presets that suit it."""
    if devices[0].startswith("cuda"):
        cards = "a graphics card" if len(devices) == 1 else f"{len(devices)} graphics cards"
        return f"This computer has {cards}: standard is comfortable, classroom is done in a moment."
    what = "an Apple chip" if devices[0] == "mps" else "no graphics card"
    return f"This computer has {what}: classroom is made for that; the larger ones take hours."


def choose_tasks(preset: str, labels: LaunchLabels) -> tuple[str, ...]:
    """Draw the inputs for the tasks, and return the chosen tasks.

    Boxes are always included. Keypoints can be chosen only if the labels have keypoints that can be learned.
    """
    key, usual = field_input_keys(preset), Config.preset(preset).tasks
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
    key = field_input_keys(preset)  # for inputs that do not depend on the shipped model
    left, right = st.columns(2, vertical_alignment="bottom")
    start, path = choose_initial_weights(preset, Config.preset(preset, tasks=tasks), right)
    request = request_from_inputs.request_of_start(preset, tasks, start, path)
    default = request_from_inputs.config_of_start(request)
    # A shipped model determines the network, so these inputs are disabled, and their help text gives the reason.
    shipped_model = request.init if request.init in shipped_models.names() else ""
    why_disabled = (
        f"It comes along with the initial weights: {initial_weights_inputs.offered_weights()[start]}."
        if shipped_model
        else None
    )
    key_for_model = field_input_keys(preset, shipped_model)  # for inputs that do
    values: dict[str, Any] = {"tasks": tasks}

    body = left.selectbox(
        "Backbone",
        list(BODIES),
        list(BODIES).index(default.body),
        format_func=BODY_WORDS.__getitem__,
        help=why_disabled
        or "The body that turns the picture into feature maps. A deeper one sees more and takes longer.",
        disabled=why_disabled is not None,
        key=key_for_model("body"),
    )
    note = st.container()
    kinds = BODIES[body]
    kind = st.segmented_control(
        "Feature maps",
        kinds,
        default=default.kind if default.kind in kinds else kinds[0],
        format_func=KIND_WORDS.__getitem__,
        required=True,
        wrap=True,
        help=why_disabled or Config.model_fields["backbone"].description,
        disabled=why_disabled is not None,
        key=key_for_model("-".join(kinds)),
    )
    values["backbone"] = f"{body}_{kind}"
    # The two maps of the light pyramid have the same stride, so "one scale for each level" makes no sense.
    scales_at = "every-level" if kind == "fpn32" else default.rpn_scales_at
    default = default.replace(backbone=values["backbone"], rpn_scales_at=scales_at)
    note.markdown(f":small[{initial_weights_inputs.weights_note(start, default)}]")
    values["pooling"] = st.segmented_control(
        "RoI pooling",
        POOLINGS,
        default=default.pooling,
        format_func=POOLING_WORDS.__getitem__,
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
            format_func=MASK_HEAD_WORDS.__getitem__,
            help=why_disabled or Config.model_fields["mask_head"].description,
            disabled=why_disabled is not None,
            key=key_for_model("mask_head"),
        )
        values["mask_kind"] = right.selectbox(
            "Masks",
            MASK_KINDS,
            MASK_KINDS.index(default.mask_kind),
            format_func=MASK_KIND_WORDS.__getitem__,
            help=Config.model_fields["mask_kind"].description,
            key=key("mask_kind"),
        )
    return NetworkChoice(request, default, key_for_model, values)
