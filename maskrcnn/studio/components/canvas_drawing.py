"""The regions of one mounted canvas: the initial ones, and the changes that the canvas has sent since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maskrcnn.annotations.regions import Region, Shape
from maskrcnn.studio.components.canvas_objects import (
    CanvasObject,
    canvas_object,
    edited,
    on_canvas,
    outline,
    region_number,
    same_place,
    shape_of,
)
from maskrcnn.studio.components.canvas_view import View

NewRegion = Callable[[Shape], Region]
"""Function that makes the region for a newly drawn shape. It is called once per shape."""


@dataclass(frozen=True)
class Drawing:
    """The state of one mounted canvas.

    `base` are the regions that the canvas started with, in order; canvas object i + 1 represents `base[i]`. `drawn` are
    the new regions, each with its outline (canvas pixels) in the last message. `regions` are the current regions of the
    picture. The objects of a mounted canvas are never changed from Python, because that would drop an unfinished
    polygon.
    """

    base: tuple[Region, ...]
    view: View
    colours: Mapping[str | None, str]
    drawn: tuple[tuple[np.ndarray, Region], ...] = ()
    regions: tuple[Region, ...] = ()

    @classmethod
    def start(cls, regions: tuple[Region, ...], view: View, colours: Mapping[str | None, str]) -> Drawing:
        """Return the state of a new canvas with these regions, on which nothing was drawn yet."""
        return cls(base=regions, view=view, colours=colours, drawn=(), regions=regions)

    def objects(self) -> list[CanvasObject]:
        """Return the canvas objects for the regions that the canvas starts with."""
        return [self._object(number) for number, region in enumerate(self.base, 1) if on_canvas(region.shape)]

    def after(self, objects: Sequence[Mapping[str, Any]], new_region: NewRegion) -> Drawing:
        """Return the state after a message of the canvas with these objects.

        A region whose object is missing is deleted. A region whose object did not change stays the same Python object.
        """
        numbered = {region_number(item): item for item in objects}
        kept = []
        for number, region in enumerate(self.base, 1):
            if not on_canvas(region.shape):
                kept.append(region)
            elif number in numbered:
                shape = edited(region.shape, self._object(number), numbered[number], self.view)
                kept.append(region.with_shape(shape))
        drawn = self._match_drawn([item for item in objects if not region_number(item)], new_region)
        return replace(self, drawn=drawn, regions=(*kept, *(region for _, region in drawn)))

    def _object(self, number: int) -> CanvasObject:
        """Return the canvas object for region `number` of `base`, counted from 1."""
        region = self.base[number - 1]
        return canvas_object(region.shape, self.view, self.colours[region.class_name], number)

    def _match_drawn(
        self, items: list[Mapping[str, Any]], new_region: NewRegion
    ) -> tuple[tuple[np.ndarray, Region], ...]:
        """Match drawn objects, which have no number, with the regions that were drawn before.

        First, an object with the same outline as a known region is that region. Then each other object, in order, is
        an edit of the next unmatched region. If no unmatched region is left, the object is a new region.
        """
        found = [(item, seen) for item in items if (seen := outline(item)) is not None and shape_of(item, self.view)]
        left_over = list(self.drawn)
        matched: dict[int, Region] = {}
        for index, (_, seen) in enumerate(found):
            for entry in left_over:
                if entry[0].shape == seen.shape and same_place(entry[0], seen):
                    matched[index] = entry[1]
                    left_over = [other for other in left_over if other is not entry]
                    break
        result = []
        for index, (item, seen) in enumerate(found):
            region = matched.get(index)
            if region is None:
                shape = shape_of(item, self.view)
                assert shape is not None
                region = left_over.pop(0)[1].with_shape(shape) if left_over else new_region(shape)
            result.append((seen, region))
        return tuple(result)
