"""Misfit: why initial weights (of a shipped model, COCO, ImageNet, or another network) do not fit a network.

Each function returns None if they fit. Does not import torch.
"""

from __future__ import annotations

from maskrcnn.config import Config, fields_with, setting_word
from maskrcnn.runs.shipped_models import shipped_config
from maskrcnn.runs.torchvision_catalogue import (
    coco_network_fields,
    nearest_coco_detector,
)

NEVER_TRAINED = ("resnet18_slim",)
"""Bodies of this project for which no ImageNet weights exist."""


def shipped_weights_misfit(name: str, config: Config) -> str | None:
    """A message why the weights of a shipped model do not fit the network `config`, with advice; None if they fit.

    Raises `ArgumentError` if there is no shipped model of that name.
    """
    if field := weights_misfit(shipped_config(name), config):
        needed = setting_word(getattr(shipped_config(name), field))
        if field == "norm":
            return f"{name} was trained with BatchNorm, but norm is group; choose another norm, or start without it"
        here = setting_word(getattr(config, field))
        return f"{name} needs {field} = {needed}, here it is {here}; choose that, or start without it"
    return None


def weights_misfit(source: Config, config: Config) -> str | None:
    """The first field because of which the weights of the network `source` do not fit the network `config`.

    None if they fit. Only the fields of tasks that both networks have are compared: a head that `source` does not have
    gets random weights.
    """
    for task in source.tasks:
        if task not in config.tasks:
            continue
        for field in fields_with(task=task):
            if field == "mask_pool_size" and config.mask_head == "fcn":
                continue
            if _effect_on_weights(field, source) != _effect_on_weights(field, config):
                return field
    return None


def _effect_on_weights(field: str, network: Config) -> object:
    """What the weights of `network` depend on in its field: the value, or a part of it. Equal: the weights fit."""
    if field == "norm":  # frozen and batch have the same tensors; those of group norm have another meaning
        return network.norm == "group"
    if field == "rpn_anchor_scales":  # only the number of anchors per location matters
        return len(network.anchor_scales[0])
    if field == "rpn_anchor_ratios":
        return len(network.rpn_anchor_ratios)
    return getattr(network, field)


def imagenet_weights_misfit(config: Config) -> str | None:
    """A message that no ImageNet weights exist for the body of `config`, with advice; None if they exist."""
    if config.body not in NEVER_TRAINED:
        return None
    return f"ImageNet weights: there are none of {config.body}; choose another backbone, or start without them"


def coco_weights_misfit(config: Config) -> str | None:
    """A message why torchvision's COCO weights do not fit the network `config`, with advice; None if they fit."""
    preset, fields = coco_network_fields(nearest_coco_detector(config))
    needed = Config.preset(preset, **fields)
    if field := weights_misfit(needed, config):
        return (
            f"COCO weights need {field} = {setting_word(getattr(needed, field))}, here it is "
            f'{setting_word(getattr(config, field))}; choose the preset "{preset}", or start without them'
        )
    return None
