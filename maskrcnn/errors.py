"""`StudioError`, the exception for all errors that a user can correct.

A wrong file or a value out of range raises a `StudioError`. Its message is one line: the thing, what is wrong with it,
and how to correct it. The command line prints it after `error: ` and exits; a page shows it in a red box. Every other
exception is a bug of the studio and keeps its traceback.
"""

from __future__ import annotations

from maskrcnn.words import one_line

_LONGEST = 2000
"""Maximum length of a message in characters; of a longer one the middle is left out."""


class StudioError(Exception):
    """An error that a user can correct. The message is one line with the thing and the correction. Exit status 1."""

    def __init__(self, message: str) -> None:
        line = one_line(message)
        super().__init__(line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}")


class ArgumentError(StudioError):
    """A wrong value that the user gave: an option, a field, or a path that does not exist. Exit status 2."""
