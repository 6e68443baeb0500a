"""Colour schemes of toy pictures: given ones and random ones. Colours are `#rrggbb`, or RGB floats in [0, 255]."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ColourScheme:
    """A colour scheme, as `#rrggbb`: two colours for the background and five for shapes."""

    ground: tuple[str, str]
    shapes: tuple[str, ...]


SCHEMES: tuple[ColourScheme, ...] = (
    ColourScheme(("#f1e7d8", "#dcc9a6"), ("#c8553d", "#588b8b", "#f28f3b", "#2d3142", "#8f2d56")),
    ColourScheme(("#26374f", "#131c2e"), ("#f0ebd8", "#e07a5f", "#81b29a", "#f2cc8f", "#4ea8de")),
    ColourScheme(("#a9b78f", "#6f8f63"), ("#fefae0", "#dda15e", "#bc4749", "#274029", "#6a4c93")),
    ColourScheme(("#9ed2e8", "#5fb3ce"), ("#ffb703", "#fb8500", "#0b3c5d", "#fdfcf5", "#d6404e")),
    ColourScheme(("#b8916d", "#8a6244"), ("#ede0d4", "#55622f", "#2f3e1f", "#f4a261", "#2a9d8f")),
    ColourScheme(("#b4bbc2", "#7f8890"), ("#ffd166", "#ef476f", "#0ead83", "#1b6f9a", "#f4f5f6")),
    ColourScheme(("#d3c0e0", "#a8c8ee"), ("#5a189a", "#e0115f", "#ef6f2e", "#2f6fdb", "#f7c948")),
    ColourScheme(("#4a4e57", "#2c2f36"), ("#e9c46a", "#e76f51", "#7fc8b6", "#d9dbe0", "#a06cd5")),
)


def random_scheme(rng: np.random.Generator) -> ColourScheme:
    """A random scheme for the world *shapes*: with probability 1/2 one of `SCHEMES`, else random HSV colours.

    No colour depends on a class.
    """
    if rng.random() < 0.5:
        return SCHEMES[int(rng.integers(len(SCHEMES)))]
    hue, light = float(rng.random()), float(rng.uniform(0.25, 0.9))
    ground = [
        _hsv_hex(hue + rng.normal(0, 0.06), rng.uniform(0.05, 0.5), light * rng.uniform(0.7, 1)) for _ in range(2)
    ]
    shapes = [_hsv_hex(rng.random(), rng.uniform(0.15, 0.95), rng.uniform(0.25, 1)) for _ in range(5)]
    return ColourScheme((ground[0], ground[1]), tuple(shapes))


def random_people_scheme(rng: np.random.Generator) -> ColourScheme:
    """A random scheme for the world *people*: with probability 1/2 one of `SCHEMES`, else random colours."""
    scheme = SCHEMES[int(rng.integers(len(SCHEMES)))]
    if rng.random() < 0.5:
        return scheme
    made = ["#" + "".join(f"{int(v):02x}" for v in np.clip(random_colour(rng), 0, 255)) for _ in range(7)]
    return ColourScheme((made[0], made[1]), tuple(made[2:]))


def _hsv_hex(hue: float, saturation: float, value: float) -> str:
    """The HSV colour as `#rrggbb`. Each value is in [0, 1]; the hue is taken modulo 1."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))


def parse_colour(text: str) -> np.ndarray:
    """The RGB colour `#rrggbb` as float `(3,)`."""
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)


def random_colour(rng: np.random.Generator) -> np.ndarray:
    """A random RGB colour, float `(3,)` in [0, 255]: one from `SCHEMES` with some noise, or a random hue."""
    if rng.random() < 0.35:
        scheme = SCHEMES[int(rng.integers(len(SCHEMES)))]
        return parse_colour(str(rng.choice(scheme.shapes))) + rng.normal(0, 8, 3)
    hue, saturation, value = rng.random(), rng.beta(1.3, 1.3), rng.uniform(0.12, 1.0)
    return 255 * np.array(colorsys.hsv_to_rgb(hue, saturation, value))
