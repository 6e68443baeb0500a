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
        # The ellipsoid at the start of the part has the points p with p @ inverse(ellipsoid) @ p = 1.
        ellipsoid = part.axes.T @ part.axes
        reach = np.sqrt(np.diag(ellipsoid)[:2]) * max(1.0, part.growth)
        low = np.floor(np.minimum(part.start, part.end)[:2] - reach).astype(int).clip(0)
        high = np.ceil(np.maximum(part.start, part.end)[:2] + reach).astype(int).clip(None, (width, height))
        if (high <= low).any():
            continue
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        along, offset, squared_distance = _offsets_from_axis(part, ellipsoid, low, high)
        size = 1 + np.float32(part.growth - 1) * along  # of the ellipsoid at that point of the axis
        squared_rest = size**2 - squared_distance  # positive within its outline
        # Solved for z, its front surface at an offset (x, y) from its centre is at
        # z = slope @ (x, y) + thickness * sqrt(squared_rest).
        slope = np.linalg.inv(ellipsoid[:2, :2]) @ ellipsoid[:2, 2]
        thickness = np.float32(np.sqrt(max(ellipsoid[2, 2] - slope @ ellipsoid[:2, 2], 0.0)))
        slope = slope.astype(np.float32)
        z = slope[0] * offset[0] + slope[1] * offset[1] + thickness * np.sqrt(np.maximum(squared_rest, 0))
        depth = np.float32(part.start[2]) + np.float32(part.end[2] - part.start[2]) * along + z

        top = np.nonzero((squared_rest > 0) & (depth > near[window]))
        near[window][top] = depth[top]
        which[window][top] = number
        to_half_axes = np.linalg.inv(part.axes).astype(np.float32)
        surface = np.stack([offset[0][top], offset[1][top], z[top]], axis=1)
        around = (surface @ to_half_axes) / size[top][:, None]
        normal = around @ to_half_axes.T
        lit = (normal @ light.astype(np.float32)) / np.sqrt((normal**2).sum(axis=1) + np.float32(1e-12))
        shade = 0.62 + 0.42 * np.maximum(lit, 0) + 0.08 * np.minimum(lit, 0)
        colour[window][top] = skin(part.name, along[top], around) * shade[:, None]
    return Layer(colour, which, near)


def _offsets_from_axis(
    part: Part, ellipsoid: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each pixel between the corners `low` and `high` (x, y) lies relative to the axis of a body part.

    Returns, for the point of the axis that is nearest to the pixel, its position between start (0) and end (1)
    `(h, w)`; the offset (x, y) of the pixel from it in pixels `(2, h, w)`; and the squared distance `(h, w)`. Distances
    are relative to the outline of the part's `ellipsoid` (a matrix, see `render`) in the picture, which is at distance
    1 from its centre.
    """
    metric = np.linalg.inv(ellipsoid[:2, :2])
    bone = (part.end - part.start)[:2]
    x = (np.arange(low[0], high[0]) + 0.5 - part.start[0]).astype(np.float32)[None, :]
    y = (np.arange(low[1], high[1]) + 0.5 - part.start[1]).astype(np.float32)[:, None]
    projection, length = metric @ bone, float(bone @ metric @ bone)
    if length > 1e-3:
        along = np.clip(x * np.float32(projection[0] / length) + y * np.float32(projection[1] / length), 0, 1)
    else:  # the axis points at the viewer: only its nearer end is visible
        along = np.full(np.broadcast_shapes(x.shape, y.shape), float(part.end[2] > part.start[2]), np.float32)
    dx, dy = x - along * np.float32(bone[0]), y - along * np.float32(bone[1])
    squared_distance = (
        np.float32(metric[0, 0]) * dx * dx + np.float32(2 * metric[0, 1]) * dx * dy + np.float32(metric[1, 1]) * dy * dy
    )
    return along, np.stack([dx, dy]), squared_distance
