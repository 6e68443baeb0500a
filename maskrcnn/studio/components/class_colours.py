"""The colours that the pages use for the classes of a project."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from maskrcnn.annotations.colours import colour_of
from maskrcnn.annotations.store import Project
from maskrcnn.drawing.hex_colours import GREY, known_colour
from maskrcnn.drawing.labelled_picture import Colours


def class_colours(project: Project) -> Colours:
    """Return class name -> `#rrggbb`.

    The mapping returns grey for None and for unknown names, such as a class that was renamed in another tab.
    """
    return defaultdict(lambda: GREY, {entry.name: known_colour(entry.colour) for entry in project.classes()})


def category_colours(project: Project, categories: list[dict[str, Any]]) -> dict[int, str]:
    """Return COCO category id -> `#rrggbb`.

    The colour is that of the project's class with the same name. If there is no such class, it depends on the id.
    """
    stored = {entry.name: entry.colour for entry in project.classes()}
    return {entry["id"]: stored.get(entry["name"], colour_of(entry["id"] - 1)) for entry in categories}
