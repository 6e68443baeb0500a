"""The colours of people: clothes with patterns, skin, hair and face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.toys.colour_schemes import parse_colour, random_colour

_SKINS = ("#f6d7c1", "#eac0a0", "#d9a47a", "#b97f52", "#8f5b36", "#633e25", "#45291a")
_HAIRS = ("#1b1512", "#3a2417", "#6b4423", "#a5713a", "#d9b36a", "#8e8a86", "#a33b1f", "#e6e0d6")


@dataclass(frozen=True)
class Cloth:
    """A cloth of two colours in a pattern: the name of the pattern and how often it repeats along a body part."""

    base: np.ndarray
    other: np.ndarray
    pattern: str
    repeats: float

    def at(self, along: np.ndarray, around: np.ndarray) -> np.ndarray:
        """RGB colours `(N, 3)` at N points of a body part; the arguments are those of `body_rendering.Skin`."""
        turn = np.arctan2(around[:, 0], around[:, 1])
        down = 2 * np.pi * self.repeats * (along - 0.3 * around[:, 2])
        match self.pattern:
            case "hoops":
                marks = np.sin(down)
            case "stripes":
                marks = np.sin(1.6 * self.repeats * turn)
            case "checks":
                marks = 2 * np.sin(down) * np.sin(1.6 * self.repeats * turn)
            case "dots":
                marks = np.cos(down) + np.cos(1.6 * self.repeats * turn) - 0.9
            case "halves":
                marks = 6 * (along - 0.5)
            case _:
                return np.broadcast_to(self.base, (len(along), 3))
        return self.base + np.clip(0.5 + 2 * marks, 0, 1)[:, None] * (self.other - self.base)


@dataclass(frozen=True)
class Outfit:
    """The colours of one person. `sleeves` and `legs` are lengths from 0 (none) to 2 (down to the wrist or ankle)."""

    skin: np.ndarray
    hair: np.ndarray
    eyes: np.ndarray
    shirt: Cloth
    trousers: Cloth
    shoes: np.ndarray
    trim: np.ndarray
    sleeves: float
    legs: float
    hair_length: float
    neckline: float
    front: str

    def colours(self, name: str, along: np.ndarray, around: np.ndarray) -> np.ndarray:
        """RGB colours `(N, 3)` at N points on the surface of a body part: a `body_rendering.Skin`.

        `along` `(N,)`: position between the start (0) and the end (1) of the part; `around` `(N, 3)`: position relative
        to its axis (left, front, up), in half axes.
        """
        without_side = name.split(" ", 1)[-1]  # "left upper arm" -> "upper arm"
        match without_side:
            case "head":
                return self._head(around)
            case "chest":
                return self._chest(along, around)
            case "pelvis":
                belt = (along < 0.12)[:, None]
                return np.where(belt, self.trim, self.trousers.at(0.4 * along, around))
            case "thigh":
                return self._cut(self.trousers, along, around, self.legs)
            case "shin":
                return self._cut(self.trousers, along, around, self.legs - 1)  # lengths from 1 to 2 end on the shin
            case "upper arm":
                return self._cut(self.shirt, along, around, self.sleeves)
            case "fore-arm":
                return self._cut(self.shirt, along, around, self.sleeves - 1)  # from 1 to 2, on the fore-arm
            case "foot":
                sole = (around[:, 2] < -0.75)[:, None]
                return np.where(sole, 0.45 * self.shoes, self.shoes)
            case "nose" | "ear":
                return np.broadcast_to(0.93 * self.skin, (len(along), 3))
            case _:
                return np.broadcast_to(self.skin, (len(along), 3))

    def _cut(self, cloth: Cloth, along: np.ndarray, around: np.ndarray, length: float) -> np.ndarray:
        """The colours of cloth from the start of a part (0) to `length`, and of skin from there to its end (1).

        Cloth that ends on this part has a darker hem; cloth that goes on to the next part has none.
        """
        ends_here = length < 0.98
        hem = (along > length - 0.09) & ends_here
        dressed = np.where(hem[:, None], 0.7 * cloth.base, cloth.at(along, around))
        return np.where((along < length)[:, None], dressed, self.skin)

    def _chest(self, along: np.ndarray, around: np.ndarray) -> np.ndarray:
        """The colours of a shirt with a neckline and, on its front only, buttons, a zip or a print."""
        left, front, up = around.T
        colours = self.shirt.at(along, around)
        before = front > 0.15
        match self.front:
            case "buttons":
                strip = before & (np.abs(left) < 0.13)
                button = strip & (np.abs((6 * along) % 1 - 0.5) < 0.22) & (np.abs(left) < 0.08)
                colours = np.where(strip[:, None], 0.8 * self.shirt.base + 0.2 * self.trim, colours)
                colours = np.where(button[:, None], self.trim, colours)
            case "zip":
                colours = np.where((before & (np.abs(left) < 0.07))[:, None], self.trim, colours)
            case "print":
                spot = before & ((left / 0.5) ** 2 + ((along - 0.35) / 0.22) ** 2 < 1)
                colours = np.where(spot[:, None], self.trim, colours)
        # The distance below the neckline: skin above it, a trim just below.
        below = np.where(before, 1 - self.neckline, 0.97) - up + 1.1 * np.abs(left)
        colours = np.where((below < 0.16)[:, None], self.trim, colours)
        return np.where((below < 0)[:, None], self.skin, colours)

    def _head(self, around: np.ndarray) -> np.ndarray:
        """The colours of a head at the points `around` `(N, 3)`: a face on the front, hair above it and behind.

        Points are (left, front, up) from the middle of the head, in half axes: the top of the head is at up = 1.
        """
        left, front, up = around.T
        colours = np.broadcast_to(self.skin, around.shape)

        def spot(x: float, y: float, rx: float, ry: float) -> np.ndarray:
            """Mask `(N, 1)` of the ellipse on the face with centre (x, y) and half axes rx and ry (left, up)."""
            return ((front > 0) & (((left - x) / rx) ** 2 + ((up - y) / ry) ** 2 < 1))[:, None]

        mouth = spot(0, -0.52, 0.28, 0.09)
        colours = np.where(mouth, [150.0, 45.0, 50.0], colours)
        for x in (-0.42, 0.42):
            eyebrow, white, iris = spot(x, 0.36, 0.22, 0.05), spot(x, 0.14, 0.21, 0.15), spot(x, 0.14, 0.12, 0.13)
            colours = np.where(eyebrow, 0.8 * self.hair, colours)
            colours = np.where(white, [245.0, 245.0, 240.0], colours)
            colours = np.where(iris, self.eyes, colours)
        # Hair covers the points above this height. It falls towards the back, farther for long hair.
        front_edge = 0.52 + 0.25 * front - 0.12 * np.abs(left)
        back_edge = 0.52 + (0.7 + self.hair_length) * front
        edge = np.where(front > 0, front_edge, back_edge)
        hairy = (up > edge) if self.hair_length > 0 else np.zeros(len(up), bool)
        return np.where(hairy[:, None], self.hair * (0.9 + 0.12 * np.sin(14 * left))[:, None], colours)


def random_outfit(rng: np.random.Generator) -> Outfit:
    """Random clothes and colours; every choice is independent of the others."""
    if rng.random() < 0.93:
        place = rng.uniform(0, len(_SKINS) - 1)
        low = int(place)
        first, second = parse_colour(_SKINS[low]), parse_colour(_SKINS[min(low + 1, len(_SKINS) - 1)])
        skin = first + (place - low) * (second - first) + rng.normal(0, 5, 3)
    else:
        skin = random_colour(rng)
    hair = parse_colour(str(rng.choice(_HAIRS))) if rng.random() < 0.9 else random_colour(rng)
    return Outfit(
        skin=np.clip(skin, 20, 250),
        hair=hair,
        eyes=np.array([30.0, 24.0, 20.0]),
        shirt=_random_cloth(rng, 0.45),
        trousers=_random_cloth(rng, 0.7),
        shoes=random_colour(rng),
        trim=random_colour(rng),
        sleeves=float(rng.choice([0.0, rng.uniform(0.4, 0.8), rng.uniform(0.9, 1.4), 1.95], p=[0.1, 0.45, 0.1, 0.35])),
        legs=float(rng.choice([rng.uniform(0.35, 0.8), rng.uniform(0.9, 1.4), 1.95], p=[0.25, 0.15, 0.6])),
        hair_length=float(rng.choice([0.0, rng.uniform(0.25, 0.6), rng.uniform(0.8, 1.4)], p=[0.06, 0.54, 0.4])),
        neckline=float(rng.uniform(0.0, 0.7)),
        front=str(rng.choice(["buttons", "zip", "print", "plain"], p=[0.35, 0.2, 0.25, 0.2])),
    )


def _random_cloth(rng: np.random.Generator, plain: float) -> Cloth:
    """A random cloth; `plain` is the probability that it has no pattern."""
    patterns = ["hoops", "stripes", "checks", "dots", "halves"]
    pattern = "plain" if rng.random() < plain else str(rng.choice(patterns))
    return Cloth(random_colour(rng), random_colour(rng), pattern, float(rng.uniform(2, 5)))
