"""Black or white: the ink that reads better on a coloured ground."""

from __future__ import annotations

RGB = tuple[int, int, int]
"""Red, green and blue, 0 to 255 each."""

BLACK: RGB = (0, 0, 0)
WHITE: RGB = (255, 255, 255)


def ink(ground: RGB) -> RGB:
    """Black or white, whichever has the higher contrast on the ground; black of equals.

    A threshold on the mean grey value, the usual shortcut, picks white on pure red and on the orange-red of a false
    positive, where black has the higher contrast.

    >>> ink((255, 0, 0)), ink((0, 0, 170))
    ((0, 0, 0), (255, 255, 255))
    """
    return BLACK if contrast(BLACK, ground) >= contrast(WHITE, ground) else WHITE


def contrast(first: RGB, second: RGB) -> float:
    """Contrast ratio of two colours, 1 (equal) to 21 (black and white): WCAG 2.2, "contrast ratio".

    (L1 + 0.05) / (L2 + 0.05), where L1 is the relative luminance of the lighter one. Text needs 4.5, large text 3.

    >>> round(contrast((255, 0, 0), (0, 0, 0)), 2), round(contrast((255, 0, 0), (255, 255, 255)), 2)
    (5.25, 4.0)
    """
    darker, lighter = sorted((relative_luminance(first), relative_luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def relative_luminance(colour: RGB) -> float:
    """Luminance of an sRGB colour, from 0 (black) to 1 (white): WCAG 2.2, "relative luminance"."""
    red, green, blue = (_linear(value / 255) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    """A channel of sRGB, in [0, 1], without its gamma."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
