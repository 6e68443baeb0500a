"""Errors about a whole project, with advice for the user, and helpers for their messages."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.workspace.project_bin import Deleted


class ProjectGone(StudioError):
    """The requested project does not exist (any more). `renamed` is its new folder if it was renamed; `deleted` is its
    entry in the bin if it was deleted. Both are None if neither is known."""

    def __init__(self, message: str, renamed: Path | None = None, deleted: Deleted | None = None) -> None:
        super().__init__(message)
        self.renamed, self.deleted = renamed, deleted


class NoProject(StudioError):
    """The workspace has no project any more."""


class JobsWait(StudioError):
    """A project cannot be moved or deleted, because trainings of it wait in the queue. `runs` are their names."""

    def __init__(self, message: str, runs: tuple[str, ...]) -> None:
        super().__init__(message)
        self.runs = runs


@contextmanager
def named_os_errors(path: Path, done: str) -> Iterator[None]:
    """Convert an `OSError` of the block to a `StudioError` with the path, what failed (`done`), and advice."""
    try:
        yield
    except OSError as error:
        no_space = "free some space and do it again, nothing was changed"
        advice = {
            errno.ENOSPC: no_space,
            errno.EDQUOT: no_space,
            errno.EXDEV: "it lies on another disk than the workspace; move its folder by hand",
            errno.EBUSY: "it is a disk of its own, or a program holds it; move its folder by hand",
            errno.ENOTEMPTY: "something took its place in this moment; look at the list again",
            errno.ENOENT: "it was taken away in this moment; look at the list again",
        }.get(error.errno or 0, "mend the rights of its folder and of the workspace")
        raise StudioError(f"{path}: cannot {done} ({error.strerror or error}); {advice}") from None
