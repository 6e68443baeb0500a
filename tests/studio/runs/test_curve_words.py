"""Colours that mean one thing, and that can be seen."""

from __future__ import annotations

import pytest

from maskrcnn.config import LOSSES
from maskrcnn.studio.runs.curve_words import GAUGES, LOSS_COLOURS, LOSS_MEANINGS, LOSS_TITLES, RUN_COLOURS, RUN_SHAPES

DRAWN = {*LOSS_COLOURS.values(), *RUN_COLOURS, *(colour for gauge in GAUGES for _, _, colour in gauge.lines)}


def test_each_loss_has_a_colour_and_words_of_its_own() -> None:
    assert set(LOSS_COLOURS) == set(LOSS_TITLES) == {"loss", *LOSSES}
    assert set(LOSS_MEANINGS) == set(LOSSES)
    assert len(set(LOSS_COLOURS.values())) == len(set(LOSS_TITLES.values())) == 7


def test_each_run_of_a_chart_has_a_colour_and_a_point_of_its_own() -> None:
    assert len(set(RUN_COLOURS)) == len(set(RUN_SHAPES)) == len(RUN_COLOURS) == len(RUN_SHAPES)


@pytest.mark.parametrize("background", ["#ffffff", "#11131a"])
@pytest.mark.parametrize("colour", sorted(DRAWN))
def test_colours_can_be_seen_on_both_backgrounds(colour: str, background: str) -> None:
    """WCAG 1.4.11: at least 3:1 for graphics."""

    def luminance(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted([luminance(colour), luminance(background)])
    assert (lighter + 0.05) / (darker + 0.05) >= 3
