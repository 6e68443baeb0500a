"""Parsing of `#rrggbb` colours, the format in which a project stores the colours of its classes."""

from __future__ import annotations

import re

from maskrcnn.drawing.text_contrast import RGB

GREY = "#a0a0a0"
"""Default colour, for objects whose colour is missing or invalid."""


def known_colour(colour: object) -> str:
    """Return `colour` if it is a string of the form `#rrggbb`, else grey.

    Call this before a colour is put into HTML or Markdown: a project file may contain any text as a colour.

    >>> known_colour("#E69F00"), known_colour("red; }"), known_colour(None)
    ('#E69F00', '#a0a0a0', '#a0a0a0')
    """
    return colour if isinstance(colour, str) and re.fullmatch("#[0-9a-fA-F]{6}", colour) else GREY


def rgb(colour: str) -> RGB:
    """Return the red, green and blue values (0 to 255) of a `#rrggbb` colour, or those of grey if it is invalid.

    >>> rgb("#e69f00")
    (230, 159, 0)
    """
    colour = known_colour(colour)
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
