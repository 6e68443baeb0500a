"""`StudioError`, the exception for all errors that a user can correct, and helpers for its messages.

A wrong file or a value out of range raises a `StudioError`. Its message is one line: the thing, what is wrong with it,
and how to correct it. The command line prints it after `error: ` and exits; a page shows it in a red box. Every other
exception is a bug of the studio and keeps its traceback.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

# Control characters, bidirectional controls and surrogates. File names can contain them, and terminals execute them.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(text: str) -> str:
    """The text as one line that is safe to print: white space is joined, unprintable characters are replaced."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


_LONGEST = 2000
"""Maximum length of a message in characters; of a longer one the middle is left out."""


class StudioError(Exception):
    """An error that a user can correct. The message is one line with the thing and the correction. Exit status 1."""

    def __init__(self, message: str) -> None:
        line = one_line(message)
        super().__init__(line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}")


class ArgumentError(StudioError):
    """A wrong value that the user gave: an option, a field, or a path that does not exist. Exit status 2."""


@contextlib.contextmanager
def writing(place: Path) -> Iterator[None]:
    """A context that turns an `OSError` of its block into an `ArgumentError`: `place` cannot be written.

    >>> with writing(Path("nowhere/a.txt")):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    ...
    maskrcnn.errors.ArgumentError: nowhere/a.txt: cannot be written (No space left on device); choose another place
    """
    try:
        yield
    except OSError as error:
        raise not_written(place, error.strerror) from None


def not_written(place: Path, why: str | None) -> ArgumentError:
    """The error for the file `place` that cannot be written; `why` is the reason."""
    return ArgumentError(f"{place}: cannot be written ({why}); choose another place")
