"""What a network knows at the start: which weights fit it, which are at hand without a download, and what is usual.

One rule for the command line and the Launch page; loads no torch.
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
"""Bodies that torchvision calls by another name."""

NEVER_TRAINED = ("resnet18_slim",)
"""Bodies of our own making, for which nobody has ImageNet weights."""


@dataclass(frozen=True)
class Start:
    """What a network knows at the start: `weights` and `init` are words as for `--backbone-weights` and `--init`;
    `why` says in a line why it is this where nobody chose, else it is empty."""

    weights: str = "none"
    init: str = "none"
    why: str = ""


def usual(config: Config, chosen: Mapping[str, Any] | None = None) -> Start:
    """The start of a network like `config` where nobody chose: the most that is known without a download.

    Weights of photographs that torchvision has downloaded come first, then a model that ships, then nothing. A first
    training must not fail because the machine has no network. Where nobody named a preset, `chosen` are the fields that
    a person did choose: then a model that ships brings its own network along, if they do not speak against it.
    """
    if coco_misfit(config) is None and is_downloaded(coco_file(config)):
        return Start(init="coco", why="COCO weights: they are on this machine")
    if is_downloaded(imagenet_file(config)):
        return Start(weights="imagenet", why="ImageNet weights of the body: they are on this machine")
    posed = (shipped_models.DEFAULT_WITH_KEYPOINTS,) * ("keypoints" in config.tasks)
    for name in (*posed, shipped_models.DEFAULT):
        if name in shipped_models.names() and _would_fit(name, config, chosen):
            return Start(init=name, why=f"{name}, which ships with the studio: no weights of photographs are at hand")
    return Start(why="nothing: no weights that fit this network are at hand")


def _would_fit(name: str, config: Config, chosen: Mapping[str, Any] | None) -> bool:
    if chosen is not None:
        try:
            config = Config.preset(DEFAULT_PRESET, **network_fields(shipped_config(name), config.tasks) | dict(chosen))
        except ArgumentError:  # what was chosen does not go together with that network
            return False
    return shipped_misfit(name, config) is None


def usual_fields(start: Start, norm: str) -> dict[str, Any]:
    """Fields whose usual value depends on what is known at the start. `norm` is that of the preset.

    Without any weights BatchNorm has to learn, too; with those of photographs the first stages (edges, colours) serve
    any picture; for a model that ships it was measured.
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
    """Why a model that ships cannot be the start of a network like `config`, with the mend; None where it can.

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
    """Those fields of a network that make it the same network: shapes of its tensors, of the `tasks` that it shares,
    and how they are read. Its norm is left out, which follows from what is done with it."""
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
    """Whether torchvision has kept weights of that name on this machine, by its own rule where (and without torch)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    folder = Path(os.environ.get("TORCH_HOME") or cache).expanduser() / "hub" / "checkpoints"
    return any(folder.glob(f"{weights}-*.pth"))


def imagenet_file(config: Config) -> str:
    """How the file of torchvision's ImageNet weights for that body begins."""
    return IMAGENET_WEIGHTS.get(config.body, config.body)


def imagenet_misfit(config: Config) -> str | None:
    """Why there are no ImageNet weights for that body, with the mend; None where there are."""
    if config.body not in NEVER_TRAINED:
        return None
    return f"ImageNet weights: there are none of {config.body}; choose another backbone, or start without them"


def coco_file(config: Config) -> str:
    """How the file of those weights begins."""
    builder = nearest_detector(config)
    return builder if "mobilenet" in builder else f"{builder}_coco"


def coco_misfit(config: Config) -> str | None:
    """Why torchvision's COCO weights do not fit, with the mend; None where they do."""
    preset, fields = detector_fields(nearest_detector(config))
    needed = Config.preset(preset, **fields)
    if field := misfit(needed, config):
        return (
            f"COCO weights need {field} = {setting_word(getattr(needed, field))}, here it is "
            f'{setting_word(getattr(config, field))}; choose the preset "{preset}", or start without them'
        )
    return None
