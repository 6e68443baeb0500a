"""Solid parts seen from the front: which one is on top at each pixel, how near it is, and how light falls on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from maskrcnn.toys.bodies import Part

Skin = Callable[[str, np.ndarray, np.ndarray], np.ndarray]
"""Colours `(N, 3)` of places on the part of that name: how far along it they are `(N,)`, from 0 to 1, and where around
it `(N, 3)`: to the left, to the front and up in half axes."""


@dataclass(frozen=True)
class Layer:
    """What was drawn of one figure: RGB float32 `(H, W, 3)`; which part `(H, W)`, -1 for none; how near `(H, W)`."""

    colour: np.ndarray
    part: np.ndarray
    near: np.ndarray


def solid(parts: Sequence[Part], skin: Skin, light: np.ndarray, height: int, width: int) -> Layer:
    """Parts on a canvas of that size, the nearest on top. Pixel (0, 0) is looked at in its middle, (0.5, 0.5).

    `light` `(3,)` is the unit vector towards the light.
    """
    colour = np.zeros((height, width, 3), np.float32)
    near = np.full((height, width), -np.inf, np.float32)
    which = np.full((height, width), -1, np.int16)
    for number, part in enumerate(parts):
        spread = part.axes.T @ part.axes  # of the ellipsoid: x, y, z against each other
        reach = np.sqrt(np.diag(spread)[:2]) * max(1.0, part.growth)
        low = np.floor(np.minimum(part.start, part.end)[:2] - reach).astype(int).clip(0)
        high = np.ceil(np.maximum(part.start, part.end)[:2] + reach).astype(int).clip(None, (width, height))
        if (high <= low).any():
            continue
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        along, offset, inside = _flat(part, spread, low, high)
        grown = 1 + np.float32(part.growth - 1) * along
        rest = grown**2 - inside
        slope = np.linalg.inv(spread[:2, :2]) @ spread[:2, 2]
        bulge = np.sqrt(max(spread[2, 2] - slope @ spread[:2, 2], 0.0))
        tilt, bulge, climb = slope.astype(np.float32), np.float32(bulge), np.float32(part.end[2] - part.start[2])
        rise = tilt[0] * offset[0] + tilt[1] * offset[1] + bulge * np.sqrt(np.maximum(rest, 0))
        depth = np.float32(part.start[2]) + climb * along + rise

        top = np.nonzero((rest > 0) & (depth > near[window]))
        near[window][top] = depth[top]
        which[window][top] = number
        flatten = np.linalg.inv(part.axes).astype(np.float32)
        surface = np.stack([offset[0][top], offset[1][top], rise[top]], axis=1)
        around = (surface @ flatten) / grown[top][:, None]
        normal = around @ flatten.T
        lit = (normal @ light.astype(np.float32)) / np.sqrt((normal**2).sum(axis=1) + np.float32(1e-12))
        shade = 0.62 + 0.42 * np.maximum(lit, 0) + 0.08 * np.minimum(lit, 0)
        colour[window][top] = skin(part.name, along[top], around) * shade[:, None]
    return Layer(colour, which, near)


def _flat(
    part: Part, spread: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each pixel between `low` and `high` (x, y): how far along the part it is, its offset `(2, h, w)` from there,
    and how far out that is, squared, in half axes."""
    metric = np.linalg.inv(spread[:2, :2])
    bone = (part.end - part.start)[:2]
    x = (np.arange(low[0], high[0]) + 0.5 - part.start[0]).astype(np.float32)[None, :]
    y = (np.arange(low[1], high[1]) + 0.5 - part.start[1]).astype(np.float32)[:, None]
    pull, length = metric @ bone, float(bone @ metric @ bone)
    if length > 1e-3:
        along = np.clip(x * np.float32(pull[0] / length) + y * np.float32(pull[1] / length), 0, 1)
    else:  # it points at the viewer, who sees its nearer end
        along = np.full(np.broadcast_shapes(x.shape, y.shape), float(part.end[2] > part.start[2]), np.float32)
    dx, dy = x - along * np.float32(bone[0]), y - along * np.float32(bone[1])
    inside = (
        np.float32(metric[0, 0]) * dx * dx + np.float32(2 * metric[0, 1]) * dx * dy + np.float32(metric[1, 1]) * dy * dy
    )
    return along, np.stack([dx, dy]), inside
