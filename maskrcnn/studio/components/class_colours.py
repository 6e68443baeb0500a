"""The colours that the pages use for the classes of a project."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from maskrcnn.annotations.colours import colour_of
from maskrcnn.annotations.regions import Dataset
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.drawing.hex_colours import GREY, known_colour
from maskrcnn.drawing.labelled_picture import Colours

_TRIED_COLOURS = 16
"""Number of colours that are tried for a new class, as in the project store."""


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


def free_colour(classes: Sequence[ProjectClass]) -> str:
    """Return a `#rrggbb` colour for a new class: the first one that no class uses; if all are used, a repeated one."""
    used = {entry.colour for entry in classes}
    free = (colour for index in range(len(used) + 1) if (colour := colour_of(index)) not in used)
    return next(free, colour_of(len(classes)))


def colours_after_import(known: Sequence[ProjectClass], dataset: Dataset) -> Colours:
    """Return class name -> `#rrggbb` for an import preview: the colours that the classes will have in the project.

    `known` are the classes of the project, which keep their colours. Each new class of the dataset gets the colour that
    the project store will give it. Regions without a class (None) are grey.
    """
    colours: dict[str | None, str] = {None: GREY, **{entry.name: entry.colour for entry in known}}
    taken = {entry.colour for entry in known}
    new = [name for name in dict.fromkeys(dataset.classes) if name not in colours]
    for number, name in enumerate(new, start=len(known)):
        # There are about 1,700 colours, so they repeat if there are thousands of classes.
        tries = [colour_of(number + step) for step in range(_TRIED_COLOURS)]
        colours[name] = next((colour for colour in tries if colour not in taken), tries[0])
        taken.add(colours[name])
    return colours
