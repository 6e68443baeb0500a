"""One outline out of several, for formats that hold no more than one for each object."""

from __future__ import annotations

import numpy as np

from maskrcnn.annotations.regions import Points


def joined(rings: list[Points]) -> Points:
    """One closed outline that runs through all rings, joined to each by a line of no width, there and back.

    By the even-odd rule the joining lines enclose nothing, so parts stay parts and holes stay holes. Each ring is
    joined where it comes nearest to what was joined before.
    """
    outline = list(rings[0]) if rings else []
    for ring in rings[1:]:
        if not ring:
            continue
        here, there = np.asarray(outline, dtype=float), np.asarray(ring, dtype=float)
        nearest = [int(np.argmin(((here - vertex) ** 2).sum(axis=1))) for vertex in there]
        gaps = ((here[nearest] - there) ** 2).sum(axis=1)
        start = int(np.argmin(gaps))
        at = nearest[start]
        outline[at + 1 : at + 1] = [*ring[start:], *ring[: start + 1], outline[at]]
    return tuple(outline)
