"""Backgrounds of toy pictures: clouds, a pattern, lumps and curves. Colours are RGB floats in [0, 255]."""

from __future__ import annotations

import math

import cv2
import numpy as np

from maskrcnn.toys.colour_schemes import ColourScheme, parse_colour


def background(rng: np.random.Generator, height: int, width: int, scheme: ColourScheme) -> np.ndarray:
    """A cluttered background, float `(height, width, 3)`: clouds of two colours, a pattern, lumps, curves and grain."""
    first, second = (parse_colour(text) for text in scheme.ground)
    clouds = clouds_noise(rng, height, width, cells=4)
    ground = first + clouds[:, :, None] * (second - first)
    ground += 14 * _background_pattern(rng, height, width)[:, :, None]
    if rng.random() < 0.6:
        ground = _background_with_lumps(rng, ground, scheme)
    for _ in range(int(rng.integers(4, 11))):
        ground = _background_with_curve(rng, ground)
    return (
        ground
        + rng.normal(0, 4, (height, width, 1))
        + 10 * (clouds_noise(rng, height, width, cells=24)[:, :, None] - 0.5)
    )


def _background_pattern(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A random pattern for the background, in [-1, 1]: planks, cloth, tiles, ripples or blurred spots."""
    ys, xs = np.mgrid[0:height, 0:width].astype(float)
    angle, step = float(rng.uniform(0, math.pi)), float(rng.uniform(14, 36))
    u, v = xs * math.cos(angle) + ys * math.sin(angle), ys * math.cos(angle) - xs * math.sin(angle)
    match int(rng.integers(5)):
        case 0:  # planks
            shades = rng.uniform(-1, 1, 200)
            return 0.8 * shades[(u // step).astype(int) % 200] - (u % step < 1.5)
        case 1:  # cloth
            return 0.5 * np.sin(2 * math.pi * u / 5) + 0.5 * np.sin(2 * math.pi * v / 5)
        case 2:  # tiles
            return -1.0 * ((u % (2 * step) < 1.5) | (v % (2 * step) < 1.5))
        case 3:  # ripples
            return 0.7 * np.sin(2 * math.pi * (u / step + 0.4 * np.sin(v / step)))
        case _:  # spots out of focus
            return 2 * clouds_noise(rng, height, width, cells=12) - 1


def _background_with_curve(rng: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    """The background with a random Bezier curve drawn on it, a little lighter or darker."""
    height, width = ground.shape[:2]
    corners = rng.uniform(-0.2, 1.2, (4, 2)) * (width, height)
    t = np.linspace(0, 1, 60)[:, None]
    weights = np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)
    line = np.zeros((height, width), dtype=np.uint8)
    points = np.round(weights @ corners * 16).astype(np.int32)
    cv2.polylines(line, [points], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, shift=4)
    shade = float(rng.choice([-38, -24, 24, 38]))
    return ground + shade * (line / 255)[:, :, None]


def _background_with_lumps(rng: np.random.Generator, ground: np.ndarray, scheme: ColourScheme) -> np.ndarray:
    """The background with many random lumps painted on it; small lumps are far more frequent than large ones.

    Opaque objects that overlap, with sizes from a power law, have the image statistics of photographs: the "dead
    leaves" model of Lee, Mumford and Huang 2001.
    """
    height, width = ground.shape[:2]
    first, second = (parse_colour(text) for text in scheme.ground)
    accent = parse_colour(scheme.shapes[int(rng.integers(len(scheme.shapes)))])
    painted = ground.astype(np.float32)
    for _ in range(int(rng.integers(15, 90))):
        radius = 5 / math.sqrt(rng.uniform(0.01, 1))  # a density of r^-3, from 5 to 50 pixels
        turns = np.sort(rng.uniform(0, 2 * math.pi, int(rng.integers(7, 12))))
        reach = radius * rng.uniform(0.45, 1.2, len(turns))
        corners = np.stack([reach * np.cos(turns), reach * np.sin(turns)], axis=1)
        corners = _rounded_background_lump(corners) + rng.uniform(0, 1, 2) * (width, height)
        mix = first + rng.random() * (second - first) + rng.normal(0, 16, 3)
        if rng.random() < 0.15:
            mix = mix + 0.5 * (accent - mix)
        points = np.round(corners * 16).astype(np.int32)
        cv2.fillPoly(painted, [points], mix.tolist(), cv2.LINE_AA, shift=4)
    fine = 12 * (clouds_noise(rng, height, width, cells=int(rng.integers(20, 70))) - 0.5)
    return cv2.GaussianBlur(painted, (0, 0), float(rng.uniform(0.5, 1.2))).astype(float) + fine[:, :, None]


def _rounded_background_lump(corners: np.ndarray) -> np.ndarray:
    """The outline `(N, 2)` of a background lump, smoothed by cutting its corners twice (Chaikin 1974): `(4 N, 2)`."""
    for _ in range(2):
        following = np.roll(corners, -1, axis=0)
        pairs = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], axis=1)
        corners = pairs.reshape(-1, 2)
    return corners


def clouds_noise(rng: np.random.Generator, height: int, width: int, cells: int) -> np.ndarray:
    """Smooth noise in [0, 1], float `(height, width)`, interpolated from a random grid with `cells` columns."""
    coarse = rng.random((max(2, round(cells * height / width)), cells)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1).astype(float)
