"""Painting of toy pictures: backgrounds, patterns, shading and shadows. Colours are RGB floats in [0, 255]."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass

import cv2
import numpy as np

_FINE = 4
"""Supersampling factor: shapes are filled at this many times the resolution, for smooth edges."""


@dataclass(frozen=True)
class Scheme:
    """A colour scheme, as `#rrggbb`: two colours for the background and five for shapes."""

    ground: tuple[str, str]
    shapes: tuple[str, ...]


SCHEMES: tuple[Scheme, ...] = (
    Scheme(("#f1e7d8", "#dcc9a6"), ("#c8553d", "#588b8b", "#f28f3b", "#2d3142", "#8f2d56")),
    Scheme(("#26374f", "#131c2e"), ("#f0ebd8", "#e07a5f", "#81b29a", "#f2cc8f", "#4ea8de")),
    Scheme(("#a9b78f", "#6f8f63"), ("#fefae0", "#dda15e", "#bc4749", "#274029", "#6a4c93")),
    Scheme(("#9ed2e8", "#5fb3ce"), ("#ffb703", "#fb8500", "#0b3c5d", "#fdfcf5", "#d6404e")),
    Scheme(("#b8916d", "#8a6244"), ("#ede0d4", "#55622f", "#2f3e1f", "#f4a261", "#2a9d8f")),
    Scheme(("#b4bbc2", "#7f8890"), ("#ffd166", "#ef476f", "#0ead83", "#1b6f9a", "#f4f5f6")),
    Scheme(("#d3c0e0", "#a8c8ee"), ("#5a189a", "#e0115f", "#ef6f2e", "#2f6fdb", "#f7c948")),
    Scheme(("#4a4e57", "#2c2f36"), ("#e9c46a", "#e76f51", "#7fc8b6", "#d9dbe0", "#a06cd5")),
)


def scheme(rng: np.random.Generator) -> Scheme:
    """A random scheme: with probability 1/2 one of `SCHEMES`, else random colours. No colour depends on a class."""
    if rng.random() < 0.5:
        return SCHEMES[int(rng.integers(len(SCHEMES)))]
    hue, light = float(rng.random()), float(rng.uniform(0.25, 0.9))
    ground = [_hex(hue + rng.normal(0, 0.06), rng.uniform(0.05, 0.5), light * rng.uniform(0.7, 1)) for _ in range(2)]
    shapes = [_hex(rng.random(), rng.uniform(0.15, 0.95), rng.uniform(0.25, 1)) for _ in range(5)]
    return Scheme((ground[0], ground[1]), tuple(shapes))


def _hex(hue: float, saturation: float, value: float) -> str:
    """An HSV colour as `#rrggbb`; each value is in [0, 1], and the hue is taken modulo 1."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))


def colour(text: str) -> np.ndarray:
    """The RGB colour `#rrggbb` as float `(3,)`."""
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)


def background(rng: np.random.Generator, height: int, width: int, scheme: Scheme) -> np.ndarray:
    """A cluttered background, float `(height, width, 3)`: clouds of two colours, a pattern, lumps, curves and grain."""
    first, second = (colour(text) for text in scheme.ground)
    clouds = _clouds(rng, height, width, cells=4)
    ground = first + clouds[:, :, None] * (second - first)
    ground += 14 * _pattern(rng, height, width)[:, :, None]
    if rng.random() < 0.6:
        ground = _with_lumps(rng, ground, scheme)
    for _ in range(int(rng.integers(4, 11))):
        ground = _with_curve(rng, ground)
    return (
        ground + rng.normal(0, 4, (height, width, 1)) + 10 * (_clouds(rng, height, width, cells=24)[:, :, None] - 0.5)
    )


def paint(
    rng: np.random.Generator, canvas: np.ndarray, outline: np.ndarray, scheme: Scheme, light: float
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
    shadow = cv2.GaussianBlur(coverage(outline + away, height, width), (0, 0), blur)
    shaded = window * (1 - 0.4 * shadow[:, :, None])
    fill = _fill(rng, outline, scheme, height, width, light, extent)
    canvas = canvas.copy()
    canvas[top:bottom, left:right] = shaded + coverage(outline, height, width)[:, :, None] * (fill - shaded)
    return canvas


def coverage(outline: np.ndarray, height: int, width: int) -> np.ndarray:
    """The fraction of each pixel that an outline `(N, 2)` covers: float32 `(height, width)` in [0, 1]."""
    fine = np.zeros((height * _FINE, width * _FINE), dtype=np.uint8)
    # In OpenCV integer coordinates are pixel centres, here they are pixel corners. `shift=4` means 4 fractional bits.
    corners = np.round((outline * _FINE - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [corners], 255, shift=4)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _fill(
    rng: np.random.Generator,
    outline: np.ndarray,
    scheme: Scheme,
    height: int,
    width: int,
    light: float,
    extent: float,
) -> np.ndarray:
    """The paint of a shape for the whole canvas `(height, width, 3)`: colour, pattern, light and a darker rim."""
    base, other = (colour(scheme.shapes[i]) for i in rng.choice(len(scheme.shapes), size=2, replace=False))
    base = np.clip(base + rng.normal(0, 10, 3), 0, 255)
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    x, y = (np.stack([xs, ys]) - outline.mean(axis=0)[:, None, None]) / extent

    marks = _marks(rng, x, y)
    strength = float(rng.uniform(0.35, 0.8))
    fill = base + strength * marks[:, :, None] * (other - base)

    towards = x * math.cos(light) + y * math.sin(light)
    brightness = 1 + float(rng.uniform(0.15, 0.5)) * towards
    if rng.random() < 0.5:  # a soft highlight, as on something round
        glint = np.exp(-(((x - 0.2 * math.cos(light)) ** 2 + (y - 0.2 * math.sin(light)) ** 2) / 0.03))
        brightness += 0.25 * glint
    fill = fill * brightness[:, :, None]

    rim = 1 - cv2.GaussianBlur(coverage(outline, height, width), (0, 0), max(0.7, 0.02 * extent))
    return np.clip(fill * (1 - 0.45 * rim[:, :, None]), 0, 255) + rng.normal(0, 3, (height, width, 1))


def _marks(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A random pattern in [0, 1] at coordinates `x` and `y`, in units of the size of the shape."""
    angle = float(rng.uniform(0, math.pi))
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    step = float(rng.uniform(0.16, 0.32))
    match str(
        rng.choice(["plain", "stripes", "dots", "checks", "waves", "mottled"], p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.15])
    ):
        case "stripes":
            return _edge(np.sin(2 * math.pi * u / step))
        case "dots":
            return _edge(np.cos(2 * math.pi * u / step) + np.cos(2 * math.pi * v / step) - 0.9)
        case "checks":
            return _edge(3 * np.sin(math.pi * u / step) * np.sin(math.pi * v / step))
        case "waves":
            return _edge(np.sin(2 * math.pi * (u / step + 0.25 * np.sin(2 * math.pi * v / (2 * step)))))
        case "mottled":
            return 0.7 * _clouds(rng, x.shape[0], x.shape[1], cells=28)
        case _:
            return np.zeros_like(x)


def _edge(values: np.ndarray) -> np.ndarray:
    """A soft step from 0 to 1 around the zeros of `values`."""
    return np.clip(0.5 + 2 * values, 0, 1)


def _pattern(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
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
            return 2 * _clouds(rng, height, width, cells=12) - 1


def _with_curve(rng: np.random.Generator, ground: np.ndarray) -> np.ndarray:
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


def _with_lumps(rng: np.random.Generator, ground: np.ndarray, scheme: Scheme) -> np.ndarray:
    """The background with many random lumps painted on it; small lumps are far more frequent than large ones.

    Opaque objects that overlap, with sizes from a power law, have the image statistics of photographs: the "dead
    leaves" model of Lee, Mumford and Huang 2001.
    """
    height, width = ground.shape[:2]
    first, second = (colour(text) for text in scheme.ground)
    accent = colour(scheme.shapes[int(rng.integers(len(scheme.shapes)))])
    painted = ground.astype(np.float32)
    for _ in range(int(rng.integers(15, 90))):
        radius = 5 / math.sqrt(rng.uniform(0.01, 1))  # a density of r^-3, from 5 to 50 pixels
        turns = np.sort(rng.uniform(0, 2 * math.pi, int(rng.integers(7, 12))))
        reach = radius * rng.uniform(0.45, 1.2, len(turns))
        corners = np.stack([reach * np.cos(turns), reach * np.sin(turns)], axis=1)
        corners = _rounded(corners) + rng.uniform(0, 1, 2) * (width, height)
        mix = first + rng.random() * (second - first) + rng.normal(0, 16, 3)
        if rng.random() < 0.15:
            mix = mix + 0.5 * (accent - mix)
        points = np.round(corners * 16).astype(np.int32)
        cv2.fillPoly(painted, [points], mix.tolist(), cv2.LINE_AA, shift=4)
    fine = 12 * (_clouds(rng, height, width, cells=int(rng.integers(20, 70))) - 0.5)
    return cv2.GaussianBlur(painted, (0, 0), float(rng.uniform(0.5, 1.2))).astype(float) + fine[:, :, None]


def _rounded(corners: np.ndarray) -> np.ndarray:
    """A closed outline `(N, 2)`, smoothed by cutting its corners twice (Chaikin 1974): `(4 N, 2)`."""
    for _ in range(2):
        following = np.roll(corners, -1, axis=0)
        pairs = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], axis=1)
        corners = pairs.reshape(-1, 2)
    return corners


def develop(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """The canvas as a camera would record it, uint8: random exposure, sometimes blurred, with noise."""
    if rng.random() < 0.3:
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.5, 1.1)))
    canvas = 255 * np.power(np.clip(canvas / 255, 0, 1), float(rng.uniform(0.75, 1.35)))
    canvas = canvas + rng.normal(0, float(rng.uniform(1, 5)), canvas.shape)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _clouds(rng: np.random.Generator, height: int, width: int, cells: int) -> np.ndarray:
    """Smooth noise in [0, 1], interpolated from a random grid with `cells` columns."""
    coarse = rng.random((max(2, round(cells * height / width)), cells)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1).astype(float)
