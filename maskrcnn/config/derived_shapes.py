"""Shapes that follow from a Config: the padded picture, the feature maps, and the number of anchors. No torch."""

from __future__ import annotations

import math

from maskrcnn.config.config import Config

PICTURE_MULTIPLE = 32
"""Pictures are padded on the right and at the bottom to a multiple of this many pixels before they enter the body."""


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
    """(rows, columns) of each feature map of the RPN, finest first, for a picture of `image_shape`.

    >>> backbone_shapes(Config.preset("classroom"))  # 384 x 512 pixels, strides 4 to 64
    ((96, 128), (48, 64), (24, 32), (12, 16), (6, 8))
    """
    height, width, _ = image_shape(config)
    return tuple((math.ceil(height / stride), math.ceil(width / stride)) for stride in config.backbone_strides)


def anchors_per_location(config: Config) -> tuple[int, ...]:
    """The number of anchors per cell on each feature map of the RPN, finest first: scales times ratios.

    >>> anchors_per_location(Config.preset("classroom"))
    (3, 3, 3, 3, 3)
    """
    return tuple(len(scales) * len(config.rpn_anchor_ratios) for scales in config.anchor_scales)


def anchor_count(config: Config) -> int:
    """The number of all anchors in a picture of `image_shape`, for this Config.

    >>> anchor_count(Config.preset("torchvision"))  # (200 x 336 + 100 x 168 + 50 x 84 + 25 x 42 + 13 x 21) x 3
    268569
    """
    shapes = zip(backbone_shapes(config), anchors_per_location(config), strict=True)
    return sum(rows * columns * anchors for (rows, columns), anchors in shapes)
