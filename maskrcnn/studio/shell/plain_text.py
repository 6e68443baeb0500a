"""Foreign words (names of classes, pictures and runs, paths, errors) as Streamlit's Markdown shows them unchanged.

Whatever a person or a file wrote goes through `plain` before it reaches an element that renders Markdown: texts,
message boxes, and nearly every label (`tests/hostile/test_words.py` has the list, and finds what was forgotten). A
backslash stops what is found while Markdown is parsed. Links, e-mail addresses, emoji, icons and arrows are found
afterwards, in the text that the parser gives: they are broken by a word joiner, a character of no width.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from maskrcnn.errors import one_line

LONGEST = 1000
"""Characters of a text that are shown; the rest is left out."""

WORD_JOINER = "\N{WORD JOINER}"

# What ends up as a link, an emoji, an icon or a symbol although it is escaped: joiners go where these match.
_FOUND_LATER = re.compile(
    r"(?<=:)(?=//)"  # http://x.y
    r"|(?<=www)(?=\.)"  # www.x.y
    r"|(?<=@)(?=[\w-])"  # a@b.c
    r"|(?<=:)(?=[\w+-]+:|material|streamlit)"  # :smile:, :material/..., :streamlit:
    r"|(?<!\S)(?=(?:<->|->|<-|--|>=|<=|~=)(?!\S))",  # arrows and the like, which stand alone
    re.IGNORECASE,
)
_SPECIAL = re.compile(
    r"[\\`*\[\]<>$~&|]"  # emphasis, code, links, HTML, formulas, entities, tables
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis again; between letters an underscore is one
    r"|:(?=\w)"  # :red[...]
    r"|^(?=[#+=-])|^:(?=-)|^\d+(?=[.)])"  # a heading, a list or a table, where a line begins with it
    r"|(?<=\s)#(?=#*$)",  # what closes a heading
)


def plain(text: object) -> str:
    """The text for `st.markdown`, a label, a tool tip or a message box, so that it reads as it was written.

    Line breaks become blanks, as a name is one line; control characters become a sign that there was one; of a text
    longer than `LONGEST` the beginning is shown.
    """
    flat = one_line(str(text))
    if len(flat) > LONGEST:
        flat = flat[: LONGEST - 1].rstrip() + "…"
    return _SPECIAL.sub(lambda found: _escaped(found.group()), _FOUND_LATER.sub(WORD_JOINER, flat))


def bullets(lines: Sequence[object], most: int = 12) -> str:
    """Lines as a list for a message box, each as it was written; beyond `most` only how many more there are."""
    more = [f"- and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*(f"- {plain(line)}" for line in lines[:most]), *more])


def _escaped(found: str) -> str:
    # A backslash before a letter or digit would be shown; before a number's full stop it belongs after the digits.
    return f"{found}\\" if found[-1:].isdigit() else f"\\{found}"
