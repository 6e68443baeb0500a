"""Rendering of body parts: for each pixel the visible part, its depth and its shaded colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from maskrcnn.toys.body_geometry import Part

Skin = Callable[[str, np.ndarray, np.ndarray], np.ndarray]
"""Function (name of a part, along, around) -> RGB colours `(N, 3)` of N points on the surface of that part.

`along` `(N,)` is the position between the start (0) and the end (1) of the part. `around` `(N, 3)` is the position
relative to the axis of the part: left, front and up, in half axes."""


@dataclass(frozen=True)
class Layer:
    """One rendered figure: RGB float32 `(H, W, 3)`; index of the visible part `(H, W)`, -1 for none; depth `(H, W)`."""

    colour: np.ndarray
    part: np.ndarray
    near: np.ndarray


def render(parts: Sequence[Part], skin: Skin, light: np.ndarray, height: int, width: int) -> Layer:
    """Render parts, given in picture coordinates, onto an empty canvas `(height, width)`; the nearest part is visible.

    `light` `(3,)` is the unit vector towards the light. Every pixel is sampled at its centre: pixel (0, 0) at
    (0.5, 0.5). In `near` of the result larger values are nearer to the viewer.
    """
    colour = np.zeros((height, width, 3), np.float32)
    near = np.full((height, width), -np.inf, np.float32)
    which = np.full((height, width), -1, np.int16)
    for number, part in enumerate(parts):
        spread = part.axes.T @ part.axes  # the matrix of the ellipsoid
        reach = np.sqrt(np.diag(spread)[:2]) * max(1.0, part.growth)
        low = np.floor(np.minimum(part.start, part.end)[:2] - reach).astype(int).clip(0)
        high = np.ceil(np.maximum(part.start, part.end)[:2] + reach).astype(int).clip(None, (width, height))
        if (high <= low).any():
            continue
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        along, offset, inside = _offsets_from_axis(part, spread, low, high)
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


def _offsets_from_axis(
    part: Part, spread: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each pixel between the corners `low` and `high` (x, y) lies relative to the axis of a body part.

    Distances are measured in the metric of the part's ellipse in the picture (`spread[:2, :2]`), whose points have
    distance 1. Returns, for the point of the axis that is nearest to the pixel, its position between start (0) and end
    (1) `(h, w)`; the offset (x, y) of the pixel from it in pixels `(2, h, w)`; and the squared distance `(h, w)`.
    """
    metric = np.linalg.inv(spread[:2, :2])
    bone = (part.end - part.start)[:2]
    x = (np.arange(low[0], high[0]) + 0.5 - part.start[0]).astype(np.float32)[None, :]
    y = (np.arange(low[1], high[1]) + 0.5 - part.start[1]).astype(np.float32)[:, None]
    projection, length = metric @ bone, float(bone @ metric @ bone)
    if length > 1e-3:
        along = np.clip(x * np.float32(projection[0] / length) + y * np.float32(projection[1] / length), 0, 1)
    else:  # the axis points at the viewer: only its nearer end is visible
        along = np.full(np.broadcast_shapes(x.shape, y.shape), float(part.end[2] > part.start[2]), np.float32)
    dx, dy = x - along * np.float32(bone[0]), y - along * np.float32(bone[1])
    inside = (
        np.float32(metric[0, 0]) * dx * dx + np.float32(2 * metric[0, 1]) * dx * dy + np.float32(metric[1, 1]) * dy * dy
    )
    return along, np.stack([dx, dy]), inside
