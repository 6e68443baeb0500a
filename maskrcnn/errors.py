"""The one kind of error that a person is meant to read.

Everything that a person can mend (a file that is not what it should be, a value out of range) is raised as a
`StudioError`, whose message is one line: the thing, what is wrong with it, and the mend. The command line prints it
after `error: ` and exits; a page shows it in a red box. Anything else that is raised is a defect of ours and keeps its
traceback.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

# Control characters, turned writing and halves of characters: names of files can hold them, and a terminal obeys them.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(text: str) -> str:
    """A text as one line that can be shown anywhere."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


_LONGEST = 2000


class StudioError(Exception):
    """A mistake in what was given: one line that names the thing and the mend. Exit status 1."""

    def __init__(self, message: str) -> None:
        line = one_line(message)
        super().__init__(line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}")


class ArgumentError(StudioError):
    """A value that the person typed (an option, a field, a path that does not exist) is wrong. Exit status 2."""


@contextlib.contextmanager
def writing(place: Path) -> Iterator[None]:
    """`ArgumentError` naming `place` where the block cannot write it.

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
    """The error for a file that cannot be written."""
    return ArgumentError(f"{place}: cannot be written ({why}); choose another place")
