"""Tables for spreadsheets, with cells that are never run as formulas.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@`. A formula can load addresses and, in some programs,
start other programs. Names of classes, pictures and runs are untrusted. So text that begins like a formula, even after
blanks and quotes, gets a leading apostrophe, which spreadsheets read as "this is text". Numbers stay numbers.

A cell that another program reads back (VIA's CSV) must not be changed. For such cells, `is_formula` finds the risk, and
a warning is shown before the download.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# All kinds of blanks are skipped. The wide signs are those of Japanese and Chinese keyboards.
_FORMULA = r"[\s\"'\ufeff\u200b-\u200f\u2060]*[=+\-@\uff1d\uff0b\uff0d\uff20]"
_BEGINS = re.compile(rf"[\t\r\n]|{_FORMULA}")
# Some programs end a cell at a semicolon or a tab, so a formula may begin after it.
_WITHIN = re.compile(rf"([;\t\r\n])(?={_FORMULA})")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could run this text, or a part of it, as a formula."""
    return bool(_BEGINS.match(text) or _WITHIN.search(text))


def harmless(value: Any) -> Any:
    """Return a cell value that no spreadsheet runs: an apostrophe is put before each formula in a text.

    A formula can begin the text, or follow a separator inside it. Any other value is returned unchanged.

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
    """Return a table as CSV without its index. The header and all texts are made `harmless`."""
    made = frame.set_axis([harmless(name) for name in frame.columns], axis="columns")
    for place in range(made.shape[1]):
        column = made.iloc[:, place]
        if column.dtype.kind == "O":  # other columns hold numbers, times or booleans
            made.isetitem(place, column.astype(object).map(harmless))
    text = io.StringIO()
    made.to_csv(text, index=False)
    return text.getvalue()
