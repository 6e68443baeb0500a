"""Which ink is written on a colour. Contrast ratios worked by hand with the formula of WCAG 2.2."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from maskrcnn.annotations.colours import colour_of
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.drawing import label_chips, swatches
from maskrcnn.drawing.hex_colours import rgb
from maskrcnn.drawing.overlays import MATCH_COLOURS
from maskrcnn.drawing.region_painting import paint_number
from maskrcnn.drawing.text_contrast import BLACK, RGB, WHITE, contrast, text_colour

RED = "#ff0000"
"""Relative luminance 0.2126: contrast to black 0.2626 / 0.05 = 5.252, to white 1.05 / 0.2626 = 3.998. Its mean grey
value, 0.3 * 255 = 77 of 255, is dark all the same."""


def test_contrast_of_red() -> None:
    assert contrast(rgb(RED), BLACK) == pytest.approx(0.2626 / 0.05)
    assert contrast(WHITE, rgb(RED)) == pytest.approx(1.05 / 0.2626)
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast((9, 99, 199), (9, 99, 199)) == 1


@pytest.mark.parametrize(
    ("ground", "expected"),
    [
        ("#ffffff", BLACK),
        ("#f0e442", BLACK),
        (RED, BLACK),
        ("#000000", WHITE),
        ("#0000aa", WHITE),
        # Greys meet at luminance sqrt(1.05 * 0.05) - 0.05 = 0.179: 117 is 0.178, 118 is 0.181.
        ("#757575", WHITE),
        ("#767676", BLACK),
    ],
)
def test_text_colour_has_the_higher_contrast(ground: str, expected: RGB) -> None:
    assert text_colour(rgb(ground)) == expected


@pytest.mark.parametrize("colour", [*(colour_of(index) for index in range(40)), *MATCH_COLOURS.values()])
def test_a_class_can_be_read_wherever_its_name_or_number_stands(colour: str) -> None:
    """4.5 is what WCAG asks of text. Of black and white one always has it, as 0.179 + 0.05 = 4.58 * 0.05."""
    assert contrast(text_colour(rgb(colour)), rgb(colour)) >= 4.5


def test_chips_discs_and_numbers_agree_on_red() -> None:
    """The number on the picture, the disc in the table beside it, and the label of a detection: all in black."""
    ground = rgb(RED)
    canvas = label_chips.draw(np.full((80, 80, 3), 128, np.uint8), [((20, 40, 60, 60), "red", ground)], 16)
    picture = np.full((200, 200, 3), 128, np.uint8)
    paint_number(picture, 8, Region(Rect(50, 100, 100, 60), "a"), 1, 3, ground)
    for drawn in (canvas, picture):
        assert not (drawn == WHITE).all(axis=2).any()
    assert 'fill="#000000">8<' in _svg(swatches.disc(RED, "8"))


def _svg(url: str) -> str:
    return base64.b64decode(url.partition(",")[2]).decode()
