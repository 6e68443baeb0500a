"""Names and texts of a run in Markdown: shown as they are, whatever they contain. Tables that are readable as text.

Names of classes, pictures and runs come from strangers. In a document of its own (a file that GitHub, a model hub or an
editor shows) they may be no link, image, HTML, table cell or line of another kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from maskrcnn.words import one_line

LONGEST = 200
"""Maximum length of a name or text in characters; longer ones are cut."""

_SPECIAL = re.compile(
    r"[\\`*<>$~|&!]"  # code, emphasis, images, HTML, formulas, tables, entities
    r"|\[(?!\d\.\d{3}, \d\.\d{3}\](?![(\[:]))"  # links and their definitions; an interval is none
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis; an underscore between letters is safe
    r"|^[#+=-]|^\d+(?=[.)](?:\s|$))"  # a heading, a list or a rule at the start of a line
    r"|:(?=[\w/-])|(?<=www)\.",  # emoji, and addresses that become links by themselves
    re.IGNORECASE,
)


def escaped(text: object, longest: int = LONGEST) -> str:
    r"""A text as Markdown that shows it as it is, on one line.

    >>> print(escaped("<b>*a* | [x](http://y)"))
    \<b\>\*a\* \| \[x](http\://y)
    """
    cut = _cut(one_line(str(text)), longest)
    return _SPECIAL.sub(_with_backslash, cut).replace("@", "@\N{WORD JOINER}")


def name(text: object) -> str:
    """A name as code in Markdown, also in a table.

    >>> print(name("bolt_01.jpg"), name("a`b"), name("a|b"))
    `bolt_01.jpg` ``a`b`` a\\|b
    """
    cut = _cut(one_line(str(text)), LONGEST)
    if not cut:
        return "(no name)"
    if "|" in cut:  # within code in a table, no way to write it holds for every name
        return escaped(cut)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", cut)), default=0))
    pad = " " if cut[0] == "`" or cut[-1] == "`" else ""
    return f"{ticks}{pad}{cut}{pad}{ticks}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> list[str]:
    """The lines of a table whose columns are aligned in the text too. `numbers` are the columns aligned to the right.

    Cells are Markdown already.

    >>> print("\\n".join(table(["class", "AP"], [["cell", "0.5"]], numbers=[1])))
    | class |  AP |
    |-------|----:|
    | cell  | 0.5 |
    """
    widths = [max(3, *(len(row[place]) for row in [head, *rows])) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        written = [
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(written)} |"

    rule = [f"{'-' * (width + 1)}:" if place in numbers else "-" * (width + 2) for place, width in enumerate(widths)]
    return [line(head), f"|{'|'.join(rule)}|", *map(line, rows)]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _with_backslash(found: re.Match[str]) -> str:
    # A backslash before a digit would be shown. For a list number ("1.") the backslash goes after the digits.
    text = found.group()
    return f"{text}\\" if text[-1:].isdigit() else f"\\{text}"
