"""Colours written `#rrggbb`, as a project's classes have them, read as numbers."""

from __future__ import annotations

import re

from maskrcnn.drawing.ink import RGB

GREY = "#a0a0a0"
"""For what has no colour, or one that cannot be read."""


def known_colour(colour: object) -> str:
    """The colour itself where it is written `#rrggbb`, else grey: the file of a project may hold anything.

    >>> known_colour("#E69F00"), known_colour("red; }"), known_colour(None)
    ('#E69F00', '#a0a0a0', '#a0a0a0')
    """
    return colour if isinstance(colour, str) and re.fullmatch("#[0-9a-fA-F]{6}", colour) else GREY


def rgb(colour: str) -> RGB:
    """`#rrggbb` as three numbers 0 to 255; grey for anything that is written otherwise.

    >>> rgb("#e69f00")
    (230, 159, 0)
    """
    colour = known_colour(colour)
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
