"""Painting of shapes on toy pictures: fill, pattern, shading and shadow. Colours are RGB floats in [0, 255]."""

from __future__ import annotations

import math

import cv2
import numpy as np

from maskrcnn.toys.backgrounds import clouds_noise
from maskrcnn.toys.colour_schemes import ColourScheme, parse_colour

_FINE = 4
"""Supersampling factor: shapes are filled at this many times the resolution, for smooth edges."""


def paint(
    rng: np.random.Generator, canvas: np.ndarray, outline: np.ndarray, scheme: ColourScheme, light: float
) -> np.ndarray:
    """The canvas `(H, W, 3)` with a shape and its shadow painted on it.

    `outline` `(N, 2)` is in pixels; `light` is the direction of the light in radians.
    """
    extent = float(np.ptp(outline, axis=0).max())
    away = -np.array([math.cos(light), math.sin(light)]) * max(1.5, 0.06 * extent)
    blur = max(0.8, 0.04 * extent)

    # Only the window that can contain the shape and its shadow is processed.
    reach = math.ceil(float(np.abs(away).max()) + 4 * blur) + 2
    left, top = np.maximum(np.floor(outline.min(axis=0)).astype(int) - reach, 0)
    right, bottom = np.ceil(outline.max(axis=0)).astype(int) + reach
    window = canvas[top : max(bottom, 0), left : max(right, 0)]
    height, width = window.shape[:2]
    if not height or not width:
        return canvas
    outline = outline - (left, top)
    shadow = cv2.GaussianBlur(shape_coverage(outline + away, height, width), (0, 0), blur)
    shaded = window * (1 - 0.4 * shadow[:, :, None])
    fill = _shape_fill(rng, outline, scheme, height, width, light, extent)
    canvas = canvas.copy()
    canvas[top:bottom, left:right] = shaded + shape_coverage(outline, height, width)[:, :, None] * (fill - shaded)
    return canvas


def shape_coverage(outline: np.ndarray, height: int, width: int) -> np.ndarray:
    """The fraction of each pixel that an outline `(N, 2)` covers: float32 `(height, width)` in [0, 1]."""
    fine = np.zeros((height * _FINE, width * _FINE), dtype=np.uint8)
    # In OpenCV integer coordinates are pixel centres, here they are pixel corners. `shift=4` means 4 fractional bits.
    corners = np.round((outline * _FINE - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [corners], 255, shift=4)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _shape_fill(
    rng: np.random.Generator,
    outline: np.ndarray,
    scheme: ColourScheme,
    height: int,
    width: int,
    light: float,
    extent: float,
) -> np.ndarray:
    """The colours of a shape for the whole canvas `(height, width, 3)`: colour, pattern, light and a darker rim."""
    base, other = (parse_colour(scheme.shapes[i]) for i in rng.choice(len(scheme.shapes), size=2, replace=False))
    base = np.clip(base + rng.normal(0, 10, 3), 0, 255)
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    x, y = (np.stack([xs, ys]) - outline.mean(axis=0)[:, None, None]) / extent

    marks = _shape_pattern(rng, x, y)
    strength = float(rng.uniform(0.35, 0.8))
    fill = base + strength * marks[:, :, None] * (other - base)

    towards = x * math.cos(light) + y * math.sin(light)
    brightness = 1 + float(rng.uniform(0.15, 0.5)) * towards
    if rng.random() < 0.5:  # a soft highlight, as on something round
        glint = np.exp(-(((x - 0.2 * math.cos(light)) ** 2 + (y - 0.2 * math.sin(light)) ** 2) / 0.03))
        brightness += 0.25 * glint
    fill = fill * brightness[:, :, None]

    rim = 1 - cv2.GaussianBlur(shape_coverage(outline, height, width), (0, 0), max(0.7, 0.02 * extent))
    return np.clip(fill * (1 - 0.45 * rim[:, :, None]), 0, 255) + rng.normal(0, 3, (height, width, 1))


def _shape_pattern(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A random pattern for the fill of a shape, in [0, 1], at coordinates `x` and `y` in units of the shape's size."""
    angle = float(rng.uniform(0, math.pi))
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    step = float(rng.uniform(0.16, 0.32))
    match str(
        rng.choice(["plain", "stripes", "dots", "checks", "waves", "mottled"], p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.15])
    ):
        case "stripes":
            return _wave_pattern(np.sin(2 * math.pi * u / step))
        case "dots":
            return _wave_pattern(np.cos(2 * math.pi * u / step) + np.cos(2 * math.pi * v / step) - 0.9)
        case "checks":
            return _wave_pattern(3 * np.sin(math.pi * u / step) * np.sin(math.pi * v / step))
        case "waves":
            return _wave_pattern(np.sin(2 * math.pi * (u / step + 0.25 * np.sin(2 * math.pi * v / (2 * step)))))
        case "mottled":
            return 0.7 * clouds_noise(rng, x.shape[0], x.shape[1], cells=28)
        case _:
            return np.zeros_like(x)


def _wave_pattern(values: np.ndarray) -> np.ndarray:
    """The pattern of a shape from the `values` of waves: 0 to 1, with a soft step at each zero."""
    return np.clip(0.5 + 2 * values, 0, 1)
