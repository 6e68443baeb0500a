"""Words for numbers (`1 object`, `2 objects`; `1.9 GB`) and for lists, and texts made safe to print on one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun in singular or plural. `plural` is needed only if it is not `noun` + "s".

    >>> counted(1, "object"), counted(1200, "object"), counted(0, "class", "classes")
    ('1 object', '1,200 objects', '0 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def byte_size(count: float) -> str:
    """A number of bytes as text: `640 B`, `640 kB`, `26 MB`, `1.9 GB` or `2.4 TB`, in decimal units (1 kB = 1000 B).

    >>> byte_size(640_000), byte_size(25_600_000), byte_size(1_900_000_000)
    ('640 kB', '26 MB', '1.9 GB')
    """
    if 0 < count < 1000:
        return f"{count:.0f} B"
    if round(count / 1e8) >= 10_000:
        return f"{count / 1e12:.1f} TB"
    if round(count / 1e6) >= 1000:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if round(count / 1e3) >= 1000 else f"{count / 1e3:.0f} kB"


def two_digits(value: float) -> str:
    """A positive number as text with at least two significant digits, and without an exponent if it is large.

    >>> two_digits(0.0049), two_digits(4.54), two_digits(128.3)
    ('0.0049', '4.5', '128')
    """
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"


def distinct_decimals(value: float, other: float) -> str:
    """`value` with two decimals, or with up to seven if fewer digits would make it look equal to `other`.

    >>> distinct_decimals(0.4996, 0.5), distinct_decimals(0.3, 0.5)
    ('0.4996', '0.30')
    """
    for digits in range(2, 8):
        if f"{value:.{digits}f}" != f"{other:.{digits}f}":
            return f"{value:.{digits}f}"
    return f"{value:.2f}"


def decimals_below(value: float, limit: float) -> str:
    """A number below `limit` as text that is below it too: two decimals, or more if rounding would reach the limit.

    >>> decimals_below(0.31, 0.5), decimals_below(0.4996, 0.5)
    ('0.31', '0.4996')
    """
    candidates = (f"{value:.{digits}f}" for digits in range(2, 17))
    return next((text for text in candidates if float(text) < limit), f"{value:g}")


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop, unless it ends like a sentence already.

    >>> sentence("3 pictures are empty"), sentence("Which class?")
    ('3 pictures are empty.', 'Which class?')
    """
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


# Control characters, bidirectional controls and surrogates. File names can contain them, and terminals execute them.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(text: str) -> str:
    """The text as one line that is safe to print: white space is joined, unprintable characters are replaced."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


def first_names(names: Sequence[str], most: int = 8, written: Callable[[str], str] = str) -> str:
    """The first `most` of a list of names as text, and how many others there are. `written` is the text of one name.

    >>> first_names(["nut", "bolt"]), first_names(["nut", "bolt", "gear"], most=1, written=str.upper)
    ('nut, bolt', 'NUT and 2 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(written, names[:most])) + more


def quoted_list(words: tuple[str, ...], most: int = 3) -> str:
    """A list of names as text for a sentence, at most `most` of them: `"a", "b" and 3 more`."""
    shown = [f'"{word}"' for word in words[:most]]
    more = [f"{len(words) - most} more"] if len(words) > most else []
    *first, last = [*shown, *more]
    return f"{', '.join(first)} and {last}" if first else last


def shortened_remarks(lines: Sequence[str], most: int = 20) -> tuple[str, ...]:
    """The first `most` lines of a list, and a line that says in words how many were cut.

    >>> shortened_remarks(["a.png is gone", "b.png is gone", "c.png is gone"], most=1)
    ('a.png is gone', 'and 2 more remarks like these')
    """
    more = len(lines) - most
    cut = f"and {counted(more, 'more remark')} like {'this' if more == 1 else 'these'}"
    return (*lines[:most], *([cut] if more > 0 else []))


def brief(value: Any, longest: int = 40) -> str:
    """A value of a JSON document as text, shortened to fit one line of a message.

    >>> brief([1, 2]), brief("a" * 50, longest=8), brief(None)
    ('a list of 2', '"aaa..."', 'None')
    """
    if isinstance(value, dict | list):
        return f"a {'list' if isinstance(value, list) else 'group'} of {len(value)}"
    if isinstance(value, int) and abs(value) > 10**30:
        return "a number of many digits"
    if isinstance(value, str):
        value = value if len(value) <= longest else value[: longest - 5] + "..."
        return f'"{value}"'.encode("utf-8", "replace").decode("utf-8")
    shown = repr(value)
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."
