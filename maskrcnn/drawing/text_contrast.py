"""Contrast of colours (WCAG 2.2), and the choice of black or white text for a coloured background."""

from __future__ import annotations

RGB = tuple[int, int, int]
"""Red, green and blue, from 0 to 255."""

BLACK: RGB = (0, 0, 0)
WHITE: RGB = (255, 255, 255)


def text_colour(background: RGB) -> RGB:
    """Return black or white, whichever has the higher contrast with the background; black if they are equal.

    A threshold on the mean grey value, the usual shortcut, gives white on pure red and on the orange-red of false
    positives, although black has the higher contrast there.

    >>> text_colour((255, 0, 0)), text_colour((0, 0, 170))
    ((0, 0, 0), (255, 255, 255))
    """
    return BLACK if contrast(BLACK, background) >= contrast(WHITE, background) else WHITE


def contrast(first: RGB, second: RGB) -> float:
    """Return the contrast ratio of two colours, from 1 (equal) to 21 (black and white): WCAG 2.2, "contrast ratio".

    It is (L1 + 0.05) / (L2 + 0.05), with L1 and L2 the relative luminances of the lighter and the darker colour. WCAG
    requires 4.5 for text and 3 for large text.

    >>> round(contrast((255, 0, 0), (0, 0, 0)), 2), round(contrast((255, 0, 0), (255, 255, 255)), 2)
    (5.25, 4.0)
    """
    darker, lighter = sorted((relative_luminance(first), relative_luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def relative_luminance(colour: RGB) -> float:
    """Return the luminance of an sRGB colour, from 0 (black) to 1 (white): WCAG 2.2, "relative luminance"."""
    red, green, blue = (_linear(value / 255) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    """Convert an sRGB channel in [0, 1] to linear light (remove the gamma)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
