"""A Config as a table: every field and what follows from it, by the names that the matterport notebooks print.

Torch-free, so that a page can show it in a moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maskrcnn.config.config import Config
from maskrcnn.config.derived_shapes import (
    PICTURE_MULTIPLE,
    anchor_count,
    anchors_per_location,
    backbone_shapes,
    image_shape,
)


@dataclass(frozen=True)
class Line:
    """One line of the table: an upper-case name, a value as text, and one sentence on what it is for."""

    name: str
    value: str
    why: str


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


def table_lines(config: Config) -> list[Line]:
    """The whole table, sorted by name: all fields of the Config and what follows from them."""
    fields = [
        Line(name.upper(), table_cell(getattr(config, name)), field.description or "")
        for name, field in Config.model_fields.items()
    ]
    derived = [Line(name, table_cell(value(config)), why) for name, (value, why) in _DERIVED.items()]
    return sorted([*fields, *derived], key=lambda line: line.name)


def table_cell(value: Any) -> str:
    """A value as text in a cell of the table.

    >>> table_cell((16, 32)), table_cell(None), table_cell({"a": 1.0, "b": 1.0})
    ('(16, 32)', '-', '1 each')
    """
    if isinstance(value, tuple):
        return "(" + ", ".join(table_cell(item) for item in value) + ")" if value else "-"
    if isinstance(value, dict):
        numbers = set(value.values())
        if len(numbers) == 1:
            return f"{numbers.pop():g} each"
        return ", ".join(f"{name} {item:g}" for name, item in value.items())
    return "-" if value is None else str(value)
