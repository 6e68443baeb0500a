"""What the Launch page works out: what a network knows at its start, and the command line that the choices mean."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from maskrcnn.annotations.skeletons import KeypointLabels
from maskrcnn.config import DEFAULT_PRESET, Config, parse_stages
from maskrcnn.config.table import anchor_count
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs import initial_weights, shipped_models
from maskrcnn.studio.launch import vocabulary as words
from maskrcnn.studio.launch.vocabulary import BODY_WORDS, KIND_WORDS, LEARNING_WORDS, POOLING_WORDS
from maskrcnn.words import counted


def starts_on_offer() -> dict[str, str]:
    """The starts that the page offers, and what they are called: those of torchvision, what ships, a path, nothing."""
    ships = {name: said for name, said in words.SHIPPED_WORDS.items() if shipped_models.folder(name)}
    first = {name: words.START_WORDS[name] for name in ("imagenet", "coco")}
    return {**first, **ships, **words.START_WORDS}


def usual_start(preset: str, config: Config) -> str:
    """What to propose as the start of a preset, with what was chosen of it so far in `config`.

    The preset that stands for none takes the network of a model that ships along; the others are what they are.
    """
    chosen = {"tasks": config.tasks} if preset == DEFAULT_PRESET else None
    start = initial_weights.usual(config, chosen)
    return start.init if start.init != "none" else start.weights


def start_note(start: str, config: Config) -> str:
    """A line on what that start means for this training."""
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


def free_name(runs_folder: Path, project: str) -> str:
    """A name that no run has yet: `project-0001`, `project-0002`, ..."""
    base = re.sub(r"[^\w-]+", "-", project).strip("-").lower() or "run"
    taken = [path.name for path in runs_folder.iterdir()] if runs_folder.is_dir() else []
    numbers = [int(match[1]) for name in taken if (match := re.fullmatch(rf"{re.escape(base)}-(\d+)", name))]
    return f"{base}-{max(numbers, default=0) + 1:04d}"


@dataclass(frozen=True)
class Choices:
    """What was chosen on the page. `changes` are Config fields; `weights` and `init` are as on the command line."""

    preset: str
    changes: Mapping[str, Any]
    weights: str = "none"
    init: str = "none"

    def config(self, classes: tuple[str, ...], keypoints: KeypointLabels | None = None) -> Config:
        """The Config of the run, as the trainer will make it of labels with these classes and keypoints.

        Raises `ArgumentError` for a value out of range, for values that do not go together, and for weights that do not
        fit.
        """
        follows = {"class_names": classes, "num_classes": len(classes) + 1}
        if keypoints:
            follows |= {"num_keypoints": keypoints.count, "keypoint_names": keypoints.names}
            follows |= {"keypoint_edges": keypoints.edges}
        start = starting_values(self.preset, self.weights, self.init)
        config = Config.preset(self.preset, **{**start, **follows, **self.changes})
        misfit = None
        if self.init == "coco":
            misfit = initial_weights.coco_misfit(config)
        elif shipped_models.folder(self.init):
            misfit = initial_weights.shipped_misfit(self.init, config)
        elif self.weights == "imagenet":
            misfit = initial_weights.imagenet_misfit(config)
        if misfit:
            raise ArgumentError(misfit)
        return config

    def require_files(self) -> None:
        """`ArgumentError` where weights are to come from a file that is not there."""
        for path, known, wanted in (
            (self.weights, ("none", "imagenet"), "the path of a .pth file"),
            (self.init, ("none", "coco", *shipped_models.names()), "the path of a run or a weights file"),
        ):
            if not path:
                raise ArgumentError(f"weights: no file was named; give {wanted}")
            if path not in known and not Path(path).expanduser().exists():
                raise ArgumentError(f"{path}: there is no such file; give {wanted}")

    def has_files(self) -> bool:
        """Whether `require_files` would find nothing missing."""
        try:
            self.require_files()
        except ArgumentError:
            return False
        return True

    def options(self, project: Path) -> list[str]:
        """The options of `python -m maskrcnn train` that mean these choices, without `--out`."""
        named = {"epochs", "minutes", "tasks", "pooling", "layers", "backbone", "seed"}
        options = ["--data", str(project), "--preset", self.preset]
        for name, path in (("--backbone-weights", self.weights), ("--init", self.init)):
            is_word = path in ("none", "imagenet", "coco", *shipped_models.names())
            options += [name, path if is_word else str(Path(path).expanduser().resolve())]
        for name, value in {**starting_values(self.preset, self.weights, self.init), **self.changes}.items():
            if name not in named:
                options += ["--set", f"{name}={json.dumps(value)}"]
            elif value is not None:
                options += [f"--{name}", ",".join(value) if name == "tasks" else str(value)]
        return options


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


def starting_values(preset: str, weights: str, init: str) -> dict[str, Any]:
    """Fields whose usual value depends on what is known at the start."""
    return initial_weights.usual_fields(initial_weights.Start(weights, init), Config.preset(preset).norm)


def with_its_network(config: Config, init: str) -> Config:
    """`config` with the network of a model that ships, where that is the start."""
    if not shipped_models.folder(init):
        return config
    return config.replace(**initial_weights.network_fields(initial_weights.shipped_config(init), config.tasks))


def changed(preset: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are not the preset's, and always those of `starting_values`."""
    default = Config.preset(preset).model_dump()
    always = starting_values(preset, "none", "none")
    return {name: value for name, value in values.items() if name in always or value != default[name]}


def length(
    unit: Literal["epochs", "minutes", "until"], number: float | None, patience: float | None = None
) -> dict[str, Any]:
    """The fields that set how long a run is: `number` epochs, `number` minutes, or until `patience` epochs went by
    without a better one, `number` at most. `StudioError` where a number is missing, or not above 0."""
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
