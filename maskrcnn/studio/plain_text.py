"""Names that people and files give (classes, pictures, attributes), as Streamlit's Markdown shows them unchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPECIAL = re.compile(
    r"[\\`*\[\]<>$~&|]"  # emphasis, code, links, HTML, formulas, entities, tables
    r"|(?<!\w)_|_(?!\w)"  # emphasis again; inside a word an underscore is one
    r"|:(?=\w)"  # :red[...], :material/...:, :smile:
    r"|^(?=[#+-])|^\s*\d+(?=[.)])",  # a heading or a list, where a line begins with it
)


def plain(text: object) -> str:
    """The text for `st.markdown`, a label, a tool tip or a message box, so that it reads as it was written.

    Line breaks become blanks, as a name is one line.
    """
    flat = " ".join(str(text).split())
    return _SPECIAL.sub(lambda found: _escaped(found.group()), flat)


def bullets(lines: Sequence[object], most: int = 12) -> str:
    """Lines as a list for a message box, each as it was written; beyond `most` only how many more there are."""
    more = [f"- and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*(f"- {plain(line)}" for line in lines[:most]), *more])


def _escaped(found: str) -> str:
    # A backslash before a letter or digit would be shown; before a number's full stop it belongs after the digits.
    return f"{found}\\" if found[-1:].isdigit() else f"\\{found}"
