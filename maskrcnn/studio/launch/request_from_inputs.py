"""The logic of the Launch page that does not need Streamlit.

This includes the offered initial weights, the training request for the values of the inputs, and the page's texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, Config, parse_stages
from maskrcnn.config.table import anchor_count
from maskrcnn.errors import StudioError
from maskrcnn.runs import initial_weights, shipped_models
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.launch import form_labels
from maskrcnn.studio.launch.form_labels import BODY_WORDS, KIND_WORDS, LEARNING_WORDS, POOLING_WORDS
from maskrcnn.words import counted


def offered_weights() -> dict[str, str]:
    """The initial weights that the page offers: key -> label. torchvision's, shipped models, a path, and none."""
    ships = {name: label for name, label in form_labels.SHIPPED_WORDS.items() if shipped_models.folder(name)}
    first = {name: form_labels.START_WORDS[name] for name in ("imagenet", "coco")}
    return {**first, **ships, **form_labels.START_WORDS}


def default_weights(preset: str, config: Config) -> str:
    """The key of the initial weights to propose for a preset and the choices so far, which are in `config`.

    With the default preset, a shipped model may be proposed, whose network then replaces that of the preset. With other
    presets, only weights that fit the network are proposed.
    """
    chosen = {"tasks": config.tasks} if preset == DEFAULT_PRESET else None
    start = initial_weights.usual_weights(config, chosen)
    return start.init if start.init != "none" else start.weights


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
            f"{card['what']} It learned from {shipped_models.in_short(card)}. Its network comes along. Where a "
            "download is possible, ImageNet or COCO weights know photographs."
        )
    file = initial_weights.imagenet_file(config) if start == "imagenet" else initial_weights.coco_file(config)
    return (
        "The weights are on this machine."
        if initial_weights.is_downloaded(file)
        else "The weights will be downloaded once."
    )


def shown_config(request: TrainingRequest, labels: Mapping[str, Any] | None = None) -> Config:
    """The Config of a request, to show on the page. Raises `StudioError` like `TrainingRequest.config`.

    Unlike that method, it ignores initial weights whose file does not exist, for example while the path is incomplete.
    """
    if request.has_files():
        return request.config(labels, torch_file_network)
    usual = initial_weights.usual_fields(request.start(), Config.preset(request.preset or DEFAULT_PRESET).norm)
    without = replace(request, init="none", backbone_weights="none", changed={**usual, **request.changed})
    return without.config(labels)


def torch_file_network(path: Path) -> Config | str:
    """Like `model.weights.torch_file_network`, which imports torch, but cached until the file changes."""
    about = path.stat()
    return _torch_file_network(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=16)
def _torch_file_network(path: Path, changed: int, size: int) -> Config | str:
    from maskrcnn.model import weights

    return weights.torch_file_network(path)


def request_of_start(preset: str, tasks: tuple[str, ...], start: str, path: str) -> TrainingRequest:
    """The request for a preset, tasks and initial weights, before other inputs are changed.

    `start` is a key of START_WORDS or SHIPPED_WORDS; `path` is the typed path, used if `start` needs one. For a shipped
    model, the request includes the fields of its network.
    """
    weights, init = weights_and_init(start, path)
    changed: dict[str, Any] = {"tasks": tasks}
    if shipped_models.folder(init):
        changed |= initial_weights.network_fields(initial_weights.shipped_config(init), tasks)
    return TrainingRequest(preset=preset, backbone_weights=weights, init=init, changed=changed).resolved()


def config_of_start(request: TrainingRequest) -> Config:
    """The Config with the initial values of the page's inputs.

    A weights file that cannot be read is ignored here; `shown_config` of the final request raises its error.
    """
    try:
        return shown_config(request)
    except StudioError:
        return shown_config(replace(request, init="", backbone_weights=""))


def eps_with_norm(request: TrainingRequest, norm: str) -> float:
    """The default of `norm_eps` for the initial weights of a request if the norm is `norm`."""
    return config_of_start(replace(request, changed={**request.changed, "norm": norm})).norm_eps


def with_changes(request: TrainingRequest, values: Mapping[str, Any]) -> TrainingRequest:
    """The request with the `values` that differ from the defaults of its preset and initial weights.

    `norm` and `layers` are always included, so that a waiting run is trained as the page showed it, even if the
    defaults for its initial weights change in the meantime.
    """
    always = {name: values[name] for name in ("norm", "layers") if name in values}
    norm = {name: always[name] for name in ("norm",) if name in always}
    defaults = config_of_start(replace(request, changed=norm))
    changed = {name: value for name, value in values.items() if value != getattr(defaults, name)}
    return replace(request, changed=always | changed)


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


def free_name(runs_folder: Path, project: str) -> str:
    """An unused name for a new run: `project-0001`, `project-0002`, ..."""
    base = re.sub(r"[^\w-]+", "-", project).strip("-").lower() or "run"
    taken = [path.name for path in runs_folder.iterdir()] if runs_folder.is_dir() else []
    numbers = [int(match[1]) for name in taken if (match := re.fullmatch(rf"{re.escape(base)}-(\d+)", name))]
    return f"{base}-{max(numbers, default=0) + 1:04d}"


def length_fields(unit: str, number: float | None, patience: float | None = None) -> dict[str, Any]:
    """The Config fields for the length of a run: `epochs`, `minutes` and `patience`.

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


def given_seconds(values: Mapping[str, Any]) -> float | None:
    """The length of the run in seconds, if it is set in minutes; otherwise None."""
    return 60 * values["minutes"] if values.get("minutes") else None


def schedule_in_words(layers: str) -> str:
    """The stages of a schedule as a sentence.

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
    sentence = ", then ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def recommended_preset(devices: Sequence[str]) -> str:
    """The recommended preset for a machine with these devices."""
    return "standard" if devices[0].startswith("cuda") else "classroom"


def machine_in_words(devices: Sequence[str]) -> str:
    """A sentence about the hardware of this machine and the presets that suit it."""
    if devices[0].startswith("cuda"):
        cards = "a graphics card" if len(devices) == 1 else f"{len(devices)} graphics cards"
        return f"This computer has {cards}: standard is comfortable, classroom is done in a moment."
    what = "an Apple chip" if devices[0] == "mps" else "no graphics card"
    return f"This computer has {what}: classroom is made for that; the larger ones take hours."


def in_short(config: Config) -> str:
    """A summary of the network in one line: its usual name, backbone, RoI pooling, anchors, and output sizes."""
    extra = [task for task in config.tasks if task != "box"]
    name = {(): "Faster R-CNN", ("mask",): "Mask R-CNN", ("keypoints",): "Keypoint R-CNN"}.get(
        tuple(extra), "Mask R-CNN with keypoints"
    )
    parts = [name, f"{BODY_WORDS[config.body]}, {KIND_WORDS[config.kind]}", POOLING_WORDS[config.pooling]]
    parts.append(f"{anchor_count(config):,d} anchors on a large picture")
    if "mask" in extra:
        parts.append(f"masks of {config.mask_shape} x {config.mask_shape}")
    if "keypoints" in extra:
        parts.append(counted(config.num_keypoints, "keypoint"))
    return "  ·  ".join(parts)
