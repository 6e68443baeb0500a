"""Colour swatches: the colour of a class as a small SVG, for the cells of a table."""

from __future__ import annotations

import base64
from html import escape

from maskrcnn.drawing.hex_colours import known_colour, rgb
from maskrcnn.drawing.text_contrast import text_colour


def disc(colour: str, text: str = "", is_selected: bool = False) -> str:
    """Return the data URL of an SVG: a disc in a `#rrggbb` colour with a short text (a region number) on it.

    If `is_selected`, a white square is drawn behind the disc.

    >>> disc("#e69f00", "7").startswith("data:image/svg+xml;base64,")
    True
    """
    colour = known_colour(colour)
    circle = f'<circle cx="12" cy="12" r="11" fill="{colour}" stroke="black"/>'
    square = '<rect width="24" height="24" fill="white" stroke="black" stroke-width="4"/>' if is_selected else ""
    fill = "#{:02x}{:02x}{:02x}".format(*text_colour(rgb(colour)))
    font = f'text-anchor="middle" font-family="sans-serif" font-size="{13 if len(text) < 3 else 10}"'
    label = f'<text x="12" y="16.5" {font} fill="{fill}">{escape(text)}</text>'
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">'
    svg = f"{head}{square}{circle}{label}</svg>"
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
