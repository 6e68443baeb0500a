"""The colours in which the pages draw the classes of a project."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from maskrcnn.annotations.colours import colour_of
from maskrcnn.annotations.store import Project
from maskrcnn.drawing.hex_colours import GREY, known_colour

NO_CLASS_COLOUR = GREY
"""Of a region without a class."""


def class_colours(project: Project) -> Mapping[str | None, str]:
    """Class name -> `#rrggbb`; grey for no class, and for one that was renamed or removed in another tab meanwhile."""
    return defaultdict(lambda: NO_CLASS_COLOUR, {entry.name: known_colour(entry.colour) for entry in project.classes()})


def category_colours(project: Project, categories: list[dict[str, Any]]) -> dict[int, str]:
    """COCO category id -> `#rrggbb`: the colour of the project's class of that name, else one by the id."""
    stored = {entry.name: entry.colour for entry in project.classes()}
    return {entry["id"]: stored.get(entry["name"], colour_of(entry["id"] - 1)) for entry in categories}
