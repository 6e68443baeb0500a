"""The Launch page: the input for the initial weights, with the weights on offer, the default and a note."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.config import DEFAULT_PRESET, Config
from maskrcnn.runs import initial_weights, shipped_models, torchvision_catalogue
from maskrcnn.runs.initial_weights_words import START_WORDS
from maskrcnn.studio.launch.config_field_inputs import field_input_keys

SHIPPED_WORDS: dict[str, str] = {
    "toy": "Toy shapes (ships with the studio)",
    "toy-people": "Toy people (ships with the studio)",
}
"""Shipped models that are offered as initial weights. Other shipped models can be chosen by "network" and a path."""

PATH_WORDS: dict[str, tuple[str, str, str]] = {
    "file": (
        "Weights file of the backbone",
        "a .pth file on this computer",
        "A torch state dict of the backbone with torchvision's key names.",
    ),
    "network": (
        "Weights of the whole network",
        "a run folder, a .safetensors or a .pth file on this computer",
        "An earlier run, its checkpoint, or torchvision's weights of a detector. Only the last layers may differ: they "
        "start afresh for classes that the network did not know.",
    ),
}
"""Initial weights that need a path -> label, placeholder and help of the input."""


def choose_initial_weights(preset: str, config: Config, column: DeltaGenerator) -> tuple[str, str]:
    """Draw the input for the initial weights, and one for a path if it is needed.

    Returns the chosen key of START_WORDS or SHIPPED_WORDS, and the typed path.

    Until the user chooses, the default for the network `config` is selected.
    """
    key, offered = field_input_keys(preset), offered_weights()
    at_start, start_chosen = key("start"), key("start-chosen")
    if st.session_state.get(at_start) not in offered or not st.session_state.get(start_chosen):
        st.session_state[at_start] = default_weights(preset, config)
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
    if start not in PATH_WORDS:
        return start, ""
    label, placeholder, about = PATH_WORDS[start]
    return start, st.text_input(label, placeholder=placeholder, help=about, key=key(f"path-{start}"))


def offered_weights() -> dict[str, str]:
    """The initial weights that the page offers: key -> label. torchvision's, shipped models, a path, and none."""
    ships = {name: label for name, label in SHIPPED_WORDS.items() if shipped_models.folder(name)}
    first = {name: START_WORDS[name] for name in ("imagenet", "coco")}
    return {**first, **ships, **START_WORDS}


def default_weights(preset: str, config: Config) -> str:
    """The key of the initial weights to propose for a preset and the choices so far, which are in `config`.

    With the default preset, a shipped model may be proposed, whose network then replaces that of the preset. With other
    presets, only weights that fit the network are proposed.
    """
    chosen = {"tasks": config.tasks} if preset == DEFAULT_PRESET else None
    proposed = initial_weights.usual_weights(config, chosen)
    # At most one of the two is set: `init` for a whole network, or `weights` for a backbone.
    return proposed.init if proposed.init != "none" else proposed.weights


def weights_note(start: str, config: Config) -> str:
    """A sentence for the user about the initial weights `start`: when to use them, or whether a download is needed."""
    if start == "none":
        return "It must learn to see first: patience. With a network at hand, ImageNet is far quicker on photographs."
    if start in ("file", "network"):
        return (
            "It must fit the backbone."
            if start == "file"
            else "It must be the same network; classes and tasks may differ."
        )
    if card := shipped_models.card(start):
        return (
            f"{card['what']} It learned from {shipped_models.card_in_short(card)}. Its network comes along. Where a "
            "download is possible, ImageNet or COCO weights know photographs."
        )
    file = (
        torchvision_catalogue.start_of_imagenet_file(config)
        if start == "imagenet"
        else torchvision_catalogue.start_of_coco_file(config)
    )
    return (
        "The weights are on this machine."
        if torchvision_catalogue.is_weights_file_downloaded(file)
        else "The weights will be downloaded once."
    )


def weights_and_init(start: str, path: str) -> tuple[str, str]:
    """The values of `--backbone-weights` and `--init` for `start`, a key of START_WORDS or SHIPPED_WORDS.

    `path` is the typed path, used if `start` needs one.
    """
    choices = {
        "imagenet": ("imagenet", "none"),
        "coco": ("none", "coco"),
        "file": (path.strip(), "none"),
        "network": ("none", path.strip()),
        **{name: ("none", name) for name in shipped_models.names()},
    }
    return choices.get(start, ("none", "none"))


def cached_torch_file_network(path: Path) -> Config | str:
    """The network of a `.pth` file of initial weights, as the Launch page passes it to `TrainingRequest.config`.

    Like `model.weights.torch_file_network`, but torch is imported when it is needed, and the result is cached until the
    file changes.
    """
    about = path.stat()
    return _torch_file_network_by_stamp(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=16)
def _torch_file_network_by_stamp(path: Path, changed: int, size: int) -> Config | str:
    """The cache of `cached_torch_file_network`; modification time and size of the file are part of the cache key."""
    from maskrcnn.model import weights

    return weights.torch_file_network(path)
