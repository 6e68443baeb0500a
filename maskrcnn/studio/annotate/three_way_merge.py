"""Three-way merge of regions: the differences of two versions from their common base, and their merge."""

from __future__ import annotations

from typing import Literal

from maskrcnn.annotations.regions import Region

Regions = tuple[Region, ...]
Difference = Literal["new", "changed", "removed"]


def differences(base: Regions, version: Regions) -> dict[str, Difference]:
    """Return region id -> difference of `version` from `base`. Unchanged regions are not included.

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
    """Return the regions with the changes of both versions.

    If both versions changed a region, that of `mine` is used. If one version changed a region and the other removed it,
    the changed region is kept. The regions of `theirs` come first, then those that are only in `mine`.
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
