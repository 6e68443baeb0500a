"""One colour for each class, the same on every page."""

from __future__ import annotations

import colorsys
from collections.abc import Collection, Sequence
from functools import lru_cache

PALETTE: tuple[str, ...] = (
    # Okabe and Ito, "Color Universal Design" (2008): colour-blind people can distinguish these too. Their black is
    # left out because it cannot be seen on dark pictures.
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
    # More hues between those, of similar saturation.
    "#7f3fbf",
    "#8fd14f",
    "#e6194b",
    "#00c2c7",
    "#9a6324",
    "#ff9da7",
    "#4b5fd6",
    "#b3b300",
    "#a0a0a0",
)

_GOLDEN_ANGLE = 0.381966


@lru_cache(4096)
def colour_of(index: int) -> str:
    """Return the colour of class number `index` (from 0) as `#rrggbb`.

    After the palette, the hue advances by the golden angle, so that consecutive classes get distant hues. With 8 bits
    per channel this gives about 1,700 different colours; after that, colours repeat.
    """
    if index < len(PALETTE):
        return PALETTE[index]
    red, green, blue = colorsys.hls_to_rgb((index * _GOLDEN_ANGLE) % 1.0, 0.45 + 0.2 * (index % 2), 0.7)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def free_colour(used: Sequence[str]) -> str:
    """Return a `#rrggbb` colour for a new class, when the other classes have the colours `used`.

    It is the first one that no class uses; if all are used, a repeated one.
    """
    taken = set(used)
    free = (colour for index in range(len(taken) + 1) if (colour := colour_of(index)) not in taken)
    return next(free, colour_of(len(used)))


_MOST_TRIES = 16
"""Number of colours that are tried for a new class. There are about 1,700, so they repeat if there are more classes."""


def colours_of_new_classes(number: int, used: Collection[str], first: int) -> list[str]:
    """Return the `#rrggbb` colours of `number` new classes of a project that has `first` classes with colours `used`.

    >>> colours_of_new_classes(2, used=["#56b4e9"], first=1)
    ['#009e73', '#f0e442']
    """
    taken, colours = set(used), list[str]()
    for place in range(first, first + number):
        tries = [colour_of(place + step) for step in range(_MOST_TRIES)]
        colours.append(next((colour for colour in tries if colour not in taken), tries[0]))
        taken.add(colours[-1])
    return colours
