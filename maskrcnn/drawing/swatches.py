"""A class's colour as a small picture, for the cells of a table."""

from __future__ import annotations

import base64
from html import escape

from maskrcnn.drawing.hex_colours import known_colour, rgb
from maskrcnn.drawing.ink import ink


def disc(colour: str, text: str = "", is_selected: bool = False) -> str:
    """A disc in a `#rrggbb` colour with a short text on it (a region's number), as the data URL of an SVG.

    A selected one has a white square behind it.

    >>> disc("#e69f00", "7").startswith("data:image/svg+xml;base64,")
    True
    """
    colour = known_colour(colour)
    circle = f'<circle cx="12" cy="12" r="11" fill="{colour}" stroke="black"/>'
    ground = '<rect width="24" height="24" fill="white" stroke="black" stroke-width="4"/>' if is_selected else ""
    written = "#{:02x}{:02x}{:02x}".format(*ink(rgb(colour)))
    font = f'text-anchor="middle" font-family="sans-serif" font-size="{13 if len(text) < 3 else 10}"'
    words = f'<text x="12" y="16.5" {font} fill="{written}">{escape(text)}</text>'
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">'
    svg = f"{head}{ground}{circle}{words}</svg>"
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
