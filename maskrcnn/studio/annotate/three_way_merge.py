"""Two versions of one picture's regions that started from the same one: what each changed, and both together."""

from __future__ import annotations

from typing import Literal

from maskrcnn.annotations.regions import Region

Regions = tuple[Region, ...]
Difference = Literal["new", "changed", "removed"]


def differences(base: Regions, version: Regions) -> dict[str, Difference]:
    """Region id -> what a version did to that region of `base`; regions that it left as they were are not in it.

    >>> from maskrcnn.annotations.regions import Rect
    >>> a, b = Region(Rect(0, 0, 9, 9), "cell", id="a"), Region(Rect(5, 5, 9, 9), "cell", id="b")
    >>> differences((a,), (a.with_shape(Rect(1, 0, 9, 9)), b))
    {'a': 'changed', 'b': 'new'}
    """
    was, now = ({region.id: region for region in regions} for regions in (base, version))
    found: dict[str, Difference] = {identity: "removed" for identity in was if identity not in now}
    for identity, region in now.items():
        if identity not in was:
            found[identity] = "new"
        elif region != was[identity]:
            found[identity] = "changed"
    return found


def merged(base: Regions, mine: Regions, theirs: Regions) -> Regions:
    """Both changes of `base` together. Of a region that both changed, mine is kept; a change wins over a removal.

    The regions of `theirs` come first, then those that only mine has.
    """
    was = {region.id: region for region in base}
    own = {region.id: region for region in mine}
    kept = []
    for region in theirs:
        before, now = was.get(region.id), own.get(region.id)
        if before is None or now is None:
            if before is None or region != before:
                kept.append(region)
        else:
            kept.append(now if now != before else region)
    there = {region.id for region in theirs}
    return (*kept, *(region for region in mine if region.id not in there and region != was.get(region.id)))
