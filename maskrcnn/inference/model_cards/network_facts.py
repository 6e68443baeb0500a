"""What the network of a run is: one sentence, and what the header of its weights says. No torch."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from safetensors import SafetensorError, safe_open

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.inference.model_cards.card_parts import NetworkFacts
from maskrcnn.runs.checkpoint_files import checkpoint_file_header
from maskrcnn.runs.folder import BEST, RunFolder
from maskrcnn.words import counted

_BODIES = {
    "resnet": "ResNet-",
    "resnext": "ResNeXt-",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3 small",
    "mobilenet_v3_large": "MobileNetV3 large",
    "alexnet": "AlexNet",
}
_KINDS = {
    "fpn": "feature pyramid",
    "fpn32": "feature pyramid of stride 32",
    "c4": "body up to its fourth stage (C4)",
    "c5": "body up to its fifth stage (C5)",
}
_POOLINGS = {
    "align": "RoIAlign",
    "align-legacy": "RoIAlign without the half-pixel shift",
    "pool": "RoIPool",
    "warp": "RoIWarp",
}
_FOUND = {"box": "boxes", "mask": "masks", "keypoints": "keypoints"}
_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def network_facts(run: RunFolder, config: Config) -> NetworkFacts:
    """What the network of a run is. Of its weights only the header is read; they may be missing or damaged."""
    facts = NetworkFacts(
        sentence=network_sentence(config),
        backbone=config.backbone,
        pooling=config.pooling,
        tasks=config.tasks,
        classes=config.names,
        keypoints=config.keypoint_names if "keypoints" in config.tasks else (),
        working_sides=(config.image_min_dim, config.image_max_dim),
    )
    if not run.has(BEST):
        return facts
    try:
        epoch, size = checkpoint_file_header(run.best)[1], run.best.stat().st_size
        number = parameters_in(run, is_norm_frozen=config.norm == "frozen")
    except (StudioError, OSError, SafetensorError):
        return facts  # whoever loads the weights reports what is wrong with them
    return replace(facts, weights=BEST, bytes=size, parameters=number, epoch=epoch)


def network_sentence(config: Config) -> str:
    """The network in one sentence.

    >>> network_sentence(Config.preset("paper"))
    'Mask R-CNN with a ResNet-101 feature pyramid and RoIAlign; it finds boxes and masks of 90 classes.'
    """
    tasks = config.tasks
    name = "Mask R-CNN" if "mask" in tasks else "Keypoint R-CNN" if "keypoints" in tasks else "Faster R-CNN"
    head = " and a keypoint head" if {"mask", "keypoints"} <= set(tasks) else ""
    found = [_FOUND[task] for task in tasks]
    listed = " and ".join(filter(None, [", ".join(found[:-1]), found[-1]]))
    pooling = f"{',' if head else ' and'} {_POOLINGS[config.pooling]}"
    classes = counted(len(config.names), "class", "classes")
    return f"{name} with a {_backbone_words(config)}{pooling}{head}; it finds {listed} of {classes}."


def _backbone_words(config: Config) -> str:
    """The backbone in words, for example "slim ResNet-18 feature pyramid"."""
    slim = "slim " if config.body.endswith("_slim") else ""
    body = config.body.removesuffix("_slim")
    depth = re.fullmatch(r"(resnet|resnext)(\d+)", body)
    words = f"{_BODIES[depth[1]]}{depth[2]}" if depth else _BODIES[body]
    return f"{slim}{words} {_KINDS[config.kind]}"


def parameters_in(run: RunFolder, is_norm_frozen: bool) -> int:
    """The number of parameters in the best weights of a run, from the shapes in their header.

    As in torch, statistics of norms are no parameters, and neither are the scales and shifts of frozen norms. Raises
    `SafetensorError` or `OSError` if the file is damaged.
    """
    with safe_open(run.best, framework="np") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 (not a dict)
    norms = {name.removesuffix(".running_mean") for name in shapes if name.endswith(".running_mean")}
    total = 0
    for name, shape in shapes.items():
        module, _, last = name.rpartition(".")
        if last not in _BUFFERS and not (is_norm_frozen and module in norms):
            total += math.prod(shape)
    return total
