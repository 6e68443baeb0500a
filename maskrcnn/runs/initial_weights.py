"""Initial weights of a network: which fit it, which are on this machine, and which are used where nobody chose.

The one rule of command line, Launch page and Python; loads no torch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, TASKS, Config, fields_with, setting_word
from maskrcnn.errors import ArgumentError
from maskrcnn.runs import shipped_models
from maskrcnn.runs.coco_detectors import detector_fields, nearest_detector

IMAGENET_WEIGHTS: dict[str, str] = {"resnext50": "resnext50_32x4d", "resnext101": "resnext101_32x8d"}
"""Body -> torchvision's name of it, where that is another one."""

NEVER_TRAINED = ("resnet18_slim",)
"""Bodies of our own, for which there are no ImageNet weights."""


@dataclass(frozen=True)
class InitialWeights:
    """Where the weights of a network come from: `weights` of its body as for `--backbone-weights`, `init` of the whole
    network as for `--init`, each "none" for random ones. `why` is the reason where nobody chose, else empty."""

    weights: str = "none"
    init: str = "none"
    why: str = ""


def usual_weights(config: Config, chosen: Mapping[str, Any] | None = None) -> InitialWeights:
    """Initial weights of a network like `config` where nobody chose: the best that need no download.

    Weights trained on photographs that torchvision has downloaded come first, then a model that ships, then none: a
    first training must not fail because the machine is offline. Where nobody named a preset, `chosen` are the fields
    that a person did choose; then a model that ships is used with its own network, unless these fields contradict it.
    """
    if coco_misfit(config) is None and is_downloaded(coco_file(config)):
        return InitialWeights(init="coco", why="COCO weights: they are on this machine")
    if is_downloaded(imagenet_file(config)):
        return InitialWeights(weights="imagenet", why="ImageNet weights of the body: they are on this machine")
    posed = (shipped_models.DEFAULT_WITH_KEYPOINTS,) * ("keypoints" in config.tasks)
    for name in (*posed, shipped_models.DEFAULT):
        if name in shipped_models.names() and _would_fit(name, config, chosen):
            return InitialWeights(
                init=name, why=f"{name}, which ships with the studio: no weights of photographs are at hand"
            )
    return InitialWeights(why="nothing: no weights that fit this network are at hand")


def _would_fit(name: str, config: Config, chosen: Mapping[str, Any] | None) -> bool:
    if chosen is not None:
        try:
            config = Config.preset(DEFAULT_PRESET, **network_fields(shipped_config(name), config.tasks) | dict(chosen))
        except ArgumentError:  # what was chosen does not go together with that network
            return False
    return shipped_misfit(name, config) is None


def usual_fields(start: InitialWeights, norm: str) -> dict[str, Any]:
    """Fields whose usual value depends on the initial weights. `norm` is that of the preset.

    From random weights BatchNorm has to be trained, too; with weights from photographs the first stages (edges,
    colours) fit any picture and stay frozen; for a model that ships the best values were measured.

    >>> usual_fields(InitialWeights(), "frozen")
    {'norm': 'batch', 'layers': 'all'}
    >>> usual_fields(InitialWeights(weights="imagenet"), "frozen")
    {'norm': 'frozen', 'layers': '3+'}
    """
    if start.weights == start.init == "none":
        return {"norm": "batch", "layers": "all"}
    if shipped_models.folder(start.init) or shipped_models.folder(start.weights):
        return dict(shipped_models.FINE_TUNE)
    return {"norm": norm, "layers": "3+"}


# Models that ship


def shipped_config(name: str) -> Config:
    """The Config of a model that ships. Raises `ArgumentError` where none of that name does."""
    folder = shipped_models.folder(name)
    if folder is None:
        raise ArgumentError(
            f'no model "{name}" ships with the studio; there is {", ".join(shipped_models.names()) or "none"}'
        )
    path = folder / "config.json"
    return _config(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _config(path: Path, stamp: int) -> Config:
    return Config.parse(json.loads(path.read_text(encoding="utf-8")))


def shipped_misfit(name: str, config: Config) -> str | None:
    """Why the weights of a model that ships do not fit a network like `config`, and what to change; None where they do.

    Raises `ArgumentError` where no model of that name ships.
    """
    if field := misfit(shipped_config(name), config):
        needed = setting_word(getattr(shipped_config(name), field))
        if field == "norm":
            return f"{name} was trained with BatchNorm, but norm is group; choose another norm, or start without it"
        here = setting_word(getattr(config, field))
        return f"{name} needs {field} = {needed}, here it is {here}; choose that, or start without it"
    return None


def network_fields(source: Config, tasks: tuple[str, ...]) -> dict[str, Any]:
    """The fields of `source` that another network needs to use its weights: those that shape tensors of the `tasks`
    that both have, and those that say how they are read. `norm` is left out: it depends on the training (see
    `usual_fields`)."""
    shared = [task for task in TASKS if task in source.tasks and task in tasks]
    fields = [*fields_with(role="reading"), *(field for task in shared for field in fields_with(task=task))]
    return {field: getattr(source, field) for field in fields if field != "norm"}


def misfit(source: Config, config: Config) -> str | None:
    """The first field because of which the tensors of a network `source` do not fit a network `config`; None where they
    fit. A head that `source` does not have starts afresh, so it may be of any shape."""
    for task in source.tasks:
        for field in fields_with(task=task) if task in config.tasks else ():
            theirs, ours = getattr(source, field), getattr(config, field)
            if field == "norm":  # frozen and batch have the same tensors; group's would be taken for what they are not
                theirs, ours = (value == "group" for value in (theirs, ours))
            elif field in ("rpn_anchor_scales", "rpn_anchor_ratios"):  # how many at a place
                theirs, ours = (
                    (len(one.anchor_scales[0]) if "scales" in field else len(one.rpn_anchor_ratios))
                    for one in (source, config)
                )
            elif field == "mask_pool_size" and config.mask_head == "fcn":
                continue
            if theirs != ours:
                return field
    return None


# Weights of torchvision


def is_downloaded(weights: str) -> bool:
    """Whether torchvision's cache on this machine has weights of that name (by its rule where, without torch)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    folder = Path(os.environ.get("TORCH_HOME") or cache).expanduser() / "hub" / "checkpoints"
    return any(folder.glob(f"{weights}-*.pth"))


def imagenet_file(config: Config) -> str:
    """Beginning of the file name of torchvision's ImageNet weights for that body."""
    return IMAGENET_WEIGHTS.get(config.body, config.body)


def imagenet_misfit(config: Config) -> str | None:
    """Why there are no ImageNet weights for that body, and what to change; None where there are."""
    if config.body not in NEVER_TRAINED:
        return None
    return f"ImageNet weights: there are none of {config.body}; choose another backbone, or start without them"


def coco_file(config: Config) -> str:
    """Beginning of the file name of torchvision's COCO weights that are nearest to a network like `config`."""
    builder = nearest_detector(config)
    return builder if "mobilenet" in builder else f"{builder}_coco"


def coco_misfit(config: Config) -> str | None:
    """Why torchvision's COCO weights do not fit, and what to change; None where they do."""
    preset, fields = detector_fields(nearest_detector(config))
    needed = Config.preset(preset, **fields)
    if field := misfit(needed, config):
        return (
            f"COCO weights need {field} = {setting_word(getattr(needed, field))}, here it is "
            f'{setting_word(getattr(config, field))}; choose the preset "{preset}", or start without them'
        )
    return None
