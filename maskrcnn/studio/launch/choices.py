"""What the Launch page works out without Streamlit: which initial weights it offers, the request that its inputs mean,
and its sentences."""

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
from maskrcnn.studio.launch import form_labels as words
from maskrcnn.studio.launch.form_labels import BODY_WORDS, KIND_WORDS, LEARNING_WORDS, POOLING_WORDS
from maskrcnn.words import counted


def starts_on_offer() -> dict[str, str]:
    """The initial weights that the page offers, and what they are called: torchvision's, what ships, a path, none."""
    ships = {name: said for name, said in words.SHIPPED_WORDS.items() if shipped_models.folder(name)}
    first = {name: words.START_WORDS[name] for name in ("imagenet", "coco")}
    return {**first, **ships, **words.START_WORDS}


def usual_start(preset: str, config: Config) -> str:
    """The initial weights to propose for a preset, with what was chosen of it so far in `config`.

    The default preset takes the network of a model that ships; with the others only weights that fit are proposed.
    """
    chosen = {"tasks": config.tasks} if preset == DEFAULT_PRESET else None
    start = initial_weights.usual_weights(config, chosen)
    return start.init if start.init != "none" else start.weights


def start_note(start: str, config: Config) -> str:
    """A line on what these initial weights mean for this training."""
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
    """The Config of a request on the page: `TrainingRequest.config`, except that initial weights from a file that is
    not there (yet) bring no fields along. Raises `StudioError` as that does."""
    if request.has_files():
        return request.config(labels, torch_file_network)
    usual = initial_weights.usual_fields(request.start(), Config.preset(request.preset or DEFAULT_PRESET).norm)
    without = replace(request, init="none", backbone_weights="none", changed={**usual, **request.changed})
    return without.config(labels)


def torch_file_network(path: Path) -> Config | str:
    """`model.weights.torch_file_network`, which loads torch, asked once for each state of a file."""
    about = path.stat()
    return _torch_file_network(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=16)
def _torch_file_network(path: Path, changed: int, size: int) -> Config | str:
    from maskrcnn.model import weights

    return weights.torch_file_network(path)


def request_of_start(preset: str, tasks: tuple[str, ...], start: str, path: str) -> TrainingRequest:
    """The request of a preset, tasks and initial weights alone; a model that ships brings its network along. `start`
    is one of START_WORDS or SHIPPED_WORDS, `path` the file where that is the choice."""
    weights, init = weights_and_init(start, path)
    changed: dict[str, Any] = {"tasks": tasks}
    if shipped_models.folder(init):
        changed |= initial_weights.network_fields(initial_weights.shipped_config(init), tasks)
    return TrainingRequest(preset=preset, backbone_weights=weights, init=init, changed=changed).resolved()


def config_of_start(request: TrainingRequest) -> Config:
    """The Config whose values the inputs of the page hold before a person changes any. A weights file that cannot be
    read counts as one that is not there: the request itself will say what is wrong."""
    try:
        return shown_config(request)
    except StudioError:
        return shown_config(replace(request, init="", backbone_weights=""))


def eps_with_norm(request: TrainingRequest, norm: str) -> float:
    """The `norm_eps` that comes along with the initial weights of a request where the norm is `norm`."""
    return config_of_start(replace(request, changed={**request.changed, "norm": norm})).norm_eps


def with_changes(request: TrainingRequest, values: Mapping[str, Any]) -> TrainingRequest:
    """The request with those of the values that a person changed: all that differ from what the preset and the initial
    weights alone would give.

    `norm` and `layers` are always among them, so that a run is trained as the page showed it even if what is usual for
    such initial weights changes while it waits.
    """
    always = {name: values[name] for name in ("norm", "layers") if name in values}
    alone = config_of_start(replace(request, changed={name: always[name] for name in ("norm",) if name in always}))
    changed = {name: value for name, value in values.items() if value != getattr(alone, name)}
    return replace(request, changed=always | changed)


def weights_and_init(start: str, path: str) -> tuple[str, str]:
    """`--backbone-weights` and `--init` for a choice of START_WORDS (`path` is the file, where that is the choice)."""
    choices = {
        "imagenet": ("imagenet", "none"),
        "coco": ("none", "coco"),
        "file": (path.strip(), "none"),
        "network": ("none", path.strip()),
        **{name: ("none", name) for name in shipped_models.names()},
    }
    return choices.get(start, ("none", "none"))


def free_name(runs_folder: Path, project: str) -> str:
    """A name that no run has yet: `project-0001`, `project-0002`, ..."""
    base = re.sub(r"[^\w-]+", "-", project).strip("-").lower() or "run"
    taken = [path.name for path in runs_folder.iterdir()] if runs_folder.is_dir() else []
    numbers = [int(match[1]) for name in taken if (match := re.fullmatch(rf"{re.escape(base)}-(\d+)", name))]
    return f"{base}-{max(numbers, default=0) + 1:04d}"


def length(unit: str, number: float | None, patience: float | None = None) -> dict[str, Any]:
    """The fields that set how long a run is, for a `unit` of LENGTH_WORDS: "epochs", `number` of them; "minutes"; or
    "until" `patience` epochs went by without a better one, `number` at most. `StudioError` where a number is missing,
    or not above 0."""
    for name, value in (("length", number), ("patience", patience if unit == "until" else 1)):
        if not value or value <= 0:
            raise StudioError(f"the {name} of the run is missing; give a number above 0")
    assert number is not None
    if unit == "minutes":
        return {"epochs": None, "minutes": float(number), "patience": None}
    return {"epochs": int(number), "minutes": None, "patience": int(patience) if patience and unit == "until" else None}


def given_seconds(values: Mapping[str, Any]) -> float | None:
    """How long the run is because somebody said so; None where it is not given in minutes."""
    return 60 * values["minutes"] if values.get("minutes") else None


def schedule_in_words(layers: str) -> str:
    """What learns when: `The heads for 50% of the run, then all layers for 50% of the run at 0.1 of the learning rate.`

    Empty for a single stage, and for what is no schedule (`Config` has the words for that).
    """
    try:
        stages = parse_stages(layers)
    except ValueError:
        return ""
    if len(stages) == 1:
        return ""
    parts, begins = [], 0.0
    for stage in stages:
        words = f"{LEARNING_WORDS[stage.layers]} for {stage.until - begins:.0%} of the run"
        parts.append(words if stage.rate == 1 else f"{words} at {stage.rate:g} of the learning rate")
        begins = stage.until
    said = ", then ".join(parts)
    return f"{said[:1].upper()}{said[1:]}."


def recommended_preset(devices: Sequence[str]) -> str:
    """The preset that suits a machine with these devices."""
    return "standard" if devices[0].startswith("cuda") else "classroom"


def machine_in_words(devices: Sequence[str]) -> str:
    """What this machine computes on, and what that means for the choice of a preset."""
    if devices[0].startswith("cuda"):
        cards = "a graphics card" if len(devices) == 1 else f"{len(devices)} graphics cards"
        return f"This computer has {cards}: standard is comfortable, classroom is done in a moment."
    what = "an Apple chip" if devices[0] == "mps" else "no graphics card"
    return f"This computer has {what}: classroom is made for that; the larger ones take hours."


def in_short(config: Config) -> str:
    """The network that the choices make, in a line as a lecture would name it."""
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
