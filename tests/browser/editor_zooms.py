"""The sizes at which a test of the editor is tried: fitted, magnified, and with two device pixels per CSS pixel."""

from __future__ import annotations

import pytest

from tests.sweeps import sweep

FIT, ZOOMED, SHARP = (1, None), (1, 8), (2, 8)
"""Device pixels per CSS pixel, and CSS pixels per picture pixel (None: the picture fits the window)."""


def precise(*by_default: tuple[int, float | None]) -> pytest.MarkDecorator:
    """Try a test as `FIT`, `ZOOMED` and `SHARP`; without `make fuzz` only as named."""
    ways = [
        pytest.param(*way, id=name, marks=[] if way in by_default else sweep)
        for way, name in ((FIT, "fit"), (ZOOMED, "8x"), (SHARP, "8x, 2 dots per px"))
    ]
    return pytest.mark.parametrize(("editor", "zoom"), ways, indirect=["editor"])
