"""One edit of a picture's regions: which regions are new or changed, which are removed, and their order.

An edit is small even if the picture has thousands of regions, so a browser sends edits instead of whole pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from maskrcnn.annotations.regions import Region
from maskrcnn.errors import StudioError

Regions = tuple[Region, ...]


@dataclass(frozen=True)
class Edit:
    """A change of a picture's regions.

    - `put`: regions that replace those with the same id, at their place; new ones come last.
    - `remove`: ids of regions to remove. An id that does not exist is ignored.
    - `order`: ids of all regions after the change, from back to front; or only those that move, with their places in
      the result (0 is the back), as all others keep their order; None if the order stays.
    """

    put: Regions = ()
    remove: tuple[str, ...] = ()
    order: tuple[str, ...] | Mapping[str, int] | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to change."""
        return bool(self.put or self.remove or self.order is not None)


def applied(regions: Regions, edit: Edit) -> Regions:
    """Return the regions after an edit.

    Raises `StudioError` if the edit contradicts itself: the same id twice in `put`, an id in `put` and in `remove`, or
    an `order` that does not have the id of each region exactly once, or that moves two regions to one place.

    >>> from maskrcnn.annotations.regions import Point
    >>> a, b, c = (Region(Point(n, n), id=name) for n, name in enumerate("abc"))
    >>> [region.id for region in applied((a, b), Edit(put=(c,), remove=("a",)))]
    ['b', 'c']
    >>> [region.id for region in applied((a, b), Edit(order=("b", "a")))]
    ['b', 'a']
    >>> [region.id for region in applied((a, b, c), Edit(order={"a": 2}))]
    ['b', 'c', 'a']
    """
    changed = {region.id: region for region in edit.put}
    removed = set(edit.remove)
    if len(changed) < len(edit.put):
        raise StudioError("an edit has two regions with the same id; do it again")
    if removed & changed.keys():
        raise StudioError("an edit changes and removes the same region; do it again")
    result = {region.id: changed.get(region.id, region) for region in regions if region.id not in removed}
    result.update(changed)
    if edit.order is None:
        return tuple(result.values())
    order = _moved(tuple(result), edit.order) if isinstance(edit.order, Mapping) else edit.order
    if len(order) != len(result) or result.keys() != set(order):
        raise StudioError("an edit orders other regions than the picture has; do it again")
    return tuple(result[identity] for identity in order)


def _moved(ids: tuple[str, ...], places: Mapping[str, int]) -> tuple[str, ...]:
    """Return all ids with some of them at their new places; the others fill the free places in their order."""
    at = {place: identity for identity, place in places.items()}
    if len(at) < len(places) or not at.keys() <= set(range(len(ids))):
        raise StudioError("an edit moves regions to places that there are not; do it again")
    others = iter([identity for identity in ids if identity not in places])
    return tuple(at[place] if place in at else next(others, "") for place in range(len(ids)))


def edit_between(before: Regions, after: Regions) -> Edit:
    """Return the smallest edit that turns `before` into `after`.

    >>> from maskrcnn.annotations.regions import Point
    >>> a, b = Region(Point(1, 1), id="a"), Region(Point(2, 2), id="b")
    >>> edit = edit_between((a, b), (b.with_shape(Point(3, 3)),))
    >>> edit.remove, [region.shape for region in edit.put], edit.order
    (('a',), [Point(cx=3, cy=3)], None)
    """
    was = {region.id: region for region in before}
    now = {region.id for region in after}
    put = tuple(region for region in after if was.get(region.id) != region)
    remove = tuple(identity for identity in was if identity not in now)
    without_order = applied(before, Edit(put, remove))
    order = tuple(region.id for region in after)
    return Edit(put, remove, None if tuple(region.id for region in without_order) == order else order)


def with_stored_fields(sent: Region, stored: Region | None) -> Region:
    """Return a region that a browser sent, with what it cannot know or keep exactly taken from the stored one.

    A browser does not know `extras`. It writes 1.0 as 1 and rounds integers above 2**53. So a shape or an attribute
    with the same value stays the stored one, and `extras` are kept as long as the shape is the same.

    >>> from maskrcnn.annotations.regions import Point
    >>> stored = Region(Point(1.0, 2.0), "cell", extras={"coco": {"id": 7}}, id="a")
    >>> with_stored_fields(Region(Point(1, 2), "nut", id="a"), stored)
    Region(shape=Point(cx=1.0, cy=2.0), class_name='nut', attributes={}, iscrowd=False, source='human', \
score=None, keypoints=None, extras={'coco': {'id': 7}}, id='a')
    >>> with_stored_fields(Region(Point(5, 2), "nut", id="a"), stored).extras
    {}
    """
    if stored is None:
        return replace(sent, extras={})
    return replace(
        sent,
        shape=stored.shape if sent.shape == stored.shape else sent.shape,
        extras=stored.extras if sent.shape == stored.shape else {},
        keypoints=stored.keypoints if sent.keypoints == stored.keypoints else sent.keypoints,
        score=stored.score if sent.score == stored.score else sent.score,
        attributes=with_stored_values(sent.attributes, stored.attributes),
    )


def with_stored_values(sent: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that a browser sent; those with an unchanged value have exactly the stored value.

    >>> with_stored_values({"n": 1, "id": 12345678901234567000, "on": True}, {"n": 1.0, "id": 12345678901234567001})
    {'n': 1.0, 'id': 12345678901234567001, 'on': True}
    """
    return {
        name: stored[name] if name in stored and _is_same_in_browser(value, stored[name]) else value
        for name, value in sent.items()
    }


def _is_same_in_browser(sent: Any, stored: Any) -> bool:
    """Whether a JSON value that a browser sent is what it got for the stored value: all its numbers are floats."""
    if isinstance(sent, bool) or isinstance(stored, bool):
        return sent is stored
    if isinstance(stored, int | float):
        number = _browser_number(stored)
        return sent is None if number is None else isinstance(sent, int | float) and _browser_number(sent) == number
    if isinstance(stored, Mapping):
        return (
            isinstance(sent, Mapping)
            and sent.keys() == stored.keys()
            and all(_is_same_in_browser(sent[name], value) for name, value in stored.items())
        )
    if isinstance(stored, list | tuple):
        return (
            isinstance(sent, list | tuple) and len(sent) == len(stored) and all(map(_is_same_in_browser, sent, stored))
        )
    return type(sent) is type(stored) and sent == stored


def _browser_number(value: float) -> float | None:
    """Return a number as a browser has it; None for one that JSON or a browser cannot hold, which becomes `null`."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) != float("inf") and number == number else None
