"""Escaping of text from users and files, so that Streamlit's Markdown shows it unchanged.

Names of classes, pictures and runs, paths and errors must go through `plain` before they reach an element that renders
Markdown: texts, message boxes, and nearly every label. `tests/hostile/test_words.py` lists these elements and checks
all pages. A backslash escapes everything that the Markdown parser recognizes. Streamlit recognizes links, e-mail
addresses, emoji, icons and arrows after parsing, so a word joiner (a character of width 0) is inserted into them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from maskrcnn.words import one_line

LONGEST = 1000
"""Maximum length of an escaped text in characters; longer texts are cut."""

WORD_JOINER = "\N{WORD JOINER}"

# Places for word joiners: escaping does not stop these links, emoji, icons and symbols.
_FOUND_LATER = re.compile(
    r"(?<=:)(?=//)"  # http://x.y
    r"|(?<=www)(?=\.)"  # www.x.y
    r"|(?<=@)(?=[\w-])"  # a@b.c
    r"|(?<=:)(?=[\w+-]+:|material|streamlit)"  # :smile:, :material/..., :streamlit:
    r"|(?<!\S)(?=(?:<->|->|<-|--|>=|<=|~=)(?!\S))",  # arrows and similar symbols between blanks
    re.IGNORECASE,
)
_SPECIAL = re.compile(
    r"[\\`*\[\]<>$~&|]"  # emphasis, code, links, HTML, formulas, entities, tables
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis; an underscore between letters is safe
    r"|:(?=\w)"  # :red[...]
    r"|^(?=[#+=-])|^:(?=-)|^\d+(?=[.)])"  # a heading, a list or a table at the start of a line
    r"|(?<=\s)#(?=#*$)",  # the end of a heading
)


def plain(text: object) -> str:
    """Escape a text for `st.markdown`, a label, a tooltip or a message box, so that it is shown as it is.

    Line breaks become blanks, and control characters become visible symbols. A text longer than `LONGEST` is cut.
    """
    flat = one_line(str(text))
    if len(flat) > LONGEST:
        flat = flat[: LONGEST - 1].rstrip() + "…"
    return _SPECIAL.sub(lambda found: _escaped(found.group()), _FOUND_LATER.sub(WORD_JOINER, flat))


def bullets(lines: Sequence[object], most: int = 12) -> str:
    """Escape lines with `plain`, and return them as a Markdown list; after `most` lines, the number of the rest."""
    more = [f"- and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*(f"- {plain(line)}" for line in lines[:most]), *more])


def _escaped(found: str) -> str:
    """Escape a match of `_SPECIAL` with a backslash."""
    # A backslash before a digit would be shown. For a list number ("1.") the backslash goes after the digits.
    return f"{found}\\" if found[-1:].isdigit() else f"\\{found}"
