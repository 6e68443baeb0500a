"""A Config as a table: every field and what follows from it, by the names that the matterport notebooks print.

Torch-free, so that a page can show it in a moment.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maskrcnn.config.config import Config

PICTURE_MULTIPLE = 32
"""Pictures are padded on the right and at the bottom to a multiple of this many pixels before they enter the body."""


@dataclass(frozen=True)
class Line:
    """One line of the table: an upper-case name, a value as text, and one sentence on what it is for."""

    name: str
    value: str
    why: str


def image_shape(config: Config) -> tuple[int, int, int]:
    """(height, width, channels) of the largest landscape picture that enters the body, padding included.

    Its shorter side is image_min_dim and its longer one image_max_dim; where both are equal that is the square of the
    matterport notebooks.

    >>> image_shape(Config.preset("classroom"))
    (384, 512, 3)
    """
    height, width = (
        PICTURE_MULTIPLE * math.ceil(side / PICTURE_MULTIPLE) for side in (config.image_min_dim, config.image_max_dim)
    )
    return height, width, 3


def backbone_shapes(config: Config) -> tuple[tuple[int, int], ...]:
    """(rows, columns) of each map that the RPN slides over, finest first, for a picture of `image_shape`.

    >>> backbone_shapes(Config.preset("classroom"))  # 384 x 512 pixels, strides 4 to 64
    ((96, 128), (48, 64), (24, 32), (12, 16), (6, 8))
    """
    height, width, _ = image_shape(config)
    return tuple((math.ceil(height / stride), math.ceil(width / stride)) for stride in config.backbone_strides)


def anchors_per_location(config: Config) -> tuple[int, ...]:
    """Anchors around each cell of each of those maps: scales times ratios.

    >>> anchors_per_location(Config.preset("classroom"))
    (3, 3, 3, 3, 3)
    """
    return tuple(len(scales) * len(config.rpn_anchor_ratios) for scales in config.anchor_scales)


def anchor_count(config: Config) -> int:
    """All anchors of a picture of `image_shape`.

    >>> anchor_count(Config.preset("torchvision"))  # (200 x 336 + 100 x 168 + 50 x 84 + 25 x 42 + 13 x 21) x 3
    268569
    """
    shapes = zip(backbone_shapes(config), anchors_per_location(config), strict=True)
    return sum(rows * columns * anchors for (rows, columns), anchors in shapes)


# Name -> value and why. What a name of the notebooks is called here is said in the sentence.
_DERIVED: dict[str, tuple[Callable[[Config], Any], str]] = {
    "BACKBONE_SHAPES": (backbone_shapes, "Rows and columns of each map for a picture of IMAGE_SHAPE."),
    "BACKBONE_STRIDES": (
        lambda config: config.backbone_strides,
        "Pixels of the resized picture per cell of each map; they follow from backbone.",
    ),
    "FPN_CLASSIF_FC_LAYERS_SIZE": (lambda config: config.box_head_width, "Another name of box_head_width."),
    "IMAGE_SHAPE": (
        image_shape,
        "The largest landscape picture that enters the body: image_min_dim x image_max_dim, padded to a multiple of "
        f"{PICTURE_MULTIPLE}, three colours.",
    ),
    "KEYPOINT_SHAPE": (
        lambda config: (config.keypoint_shape, config.keypoint_shape),
        "Size of each keypoint's heatmap; it follows from keypoint_pool_size.",
    ),
    "LOSSES": (lambda config: config.losses, "The losses that this network has; they follow from tasks."),
    "MASK_SHAPE": (
        lambda config: (config.mask_shape, config.mask_shape),
        "Size of the mask that is predicted for each object; it follows from mask_pool_size.",
    ),
    "RPN_ANCHORS": (lambda config: f"{anchor_count(config):,d}", "All anchors of a picture of IMAGE_SHAPE."),
    "RPN_ANCHORS_PER_LOCATION": (anchors_per_location, "Anchors around each cell of each map: scales times ratios."),
    "RPN_ANCHOR_STRIDE": (lambda config: 1, "Anchors stand at every cell of a map; this is fixed."),
    "RPN_BBOX_STD_DEV": (
        lambda config: (1.0, 1.0, 1.0, 1.0),
        "Scale of the RPN's refinements (dx, dy, dw, dh); it learns them as they are, as torchvision's does.",
    ),
    "TOP_DOWN_PYRAMID_SIZE": (lambda config: config.fpn_channels, "Another name of fpn_channels."),
}


def lines(config: Config) -> list[Line]:
    """The whole table, sorted by name: all fields of the Config and what follows from them."""
    fields = [
        Line(name.upper(), shown(getattr(config, name)), field.description or "")
        for name, field in Config.model_fields.items()
    ]
    derived = [Line(name, shown(value(config)), why) for name, (value, why) in _DERIVED.items()]
    return sorted([*fields, *derived], key=lambda line: line.name)


def shown(value: Any) -> str:
    """A value as text in a cell of the table.

    >>> shown((16, 32)), shown(None), shown({"a": 1.0, "b": 1.0})
    ('(16, 32)', '-', '1 each')
    """
    if isinstance(value, tuple):
        return "(" + ", ".join(shown(item) for item in value) + ")" if value else "-"
    if isinstance(value, dict):
        numbers = set(value.values())
        if len(numbers) == 1:
            return f"{numbers.pop():g} each"
        return ", ".join(f"{name} {item:g}" for name, item in value.items())
    return "-" if value is None else str(value)
