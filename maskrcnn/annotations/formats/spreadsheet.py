"""Tables for spreadsheets, whose cells are never taken for formulas.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@`, and a formula can fetch addresses and, in some
programs, start others. Names of classes, pictures and runs come from anybody. So a text that begins like one, also
after blanks and quotes, gets an apostrophe before it, which spreadsheets read as "this is text". Numbers stay numbers.

Where the cell is read back by another program (VIA's CSV) it has to stay as it is: `is_formula` finds it, and a line
says so before the file is downloaded.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Blanks of every kind are passed over; the wide signs are those of Japanese and Chinese keyboards.
_FORMULA = r"[\s\"'\ufeff\u200b-\u200f\u2060]*[=+\-@\uff1d\uff0b\uff0d\uff20]"
_BEGINS = re.compile(rf"[\t\r\n]|{_FORMULA}")
# Where a program takes a semicolon or a tab for the end of a cell, a formula may begin behind it.
_WITHIN = re.compile(rf"([;\t\r\n])(?={_FORMULA})")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take a cell with this text, or a part of it, for a formula."""
    return bool(_BEGINS.match(text) or _WITHIN.search(text))


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet runs: a text that begins like a formula with an apostrophe before it; all else as it
    is.

    >>> harmless("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    >>> harmless("cell"), harmless(-0.5)
    ('cell', -0.5)
    """
    if not isinstance(value, str):
        return value
    text = _WITHIN.sub(r"\1'", value)
    return f"'{text}" if _BEGINS.match(text) else text


def csv_of(frame: pd.DataFrame) -> str:
    """A table as CSV, its header and its texts `harmless`, its index left out."""
    made = frame.set_axis([harmless(name) for name in frame.columns], axis="columns")
    for place in range(made.shape[1]):
        column = made.iloc[:, place]
        if column.dtype.kind == "O":  # the others hold numbers, times or truth
            made.isetitem(place, column.astype(object).map(harmless))
    text = io.StringIO()
    made.to_csv(text, index=False)
    return text.getvalue()
