"""Work for a set that goes on in a thread when the page is left, and is found again: one of each kind at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.hints.jobs import Job
from maskrcnn.words import one_line

Kind = Literal["finding", "taking", "drawing", "suggesting", "counting"]
"""Looking for objects; writing the zip; drawing the video; adding to the project; counting the objects of a set."""


@dataclass
class Work:
    """Work of a kind: `done` of `total` steps are finished. `about` says what was asked for.

    `began` is the time (`time.monotonic`) at which `done_before` steps were finished.
    """

    job: Job
    about: Any
    began: float
    done: int = 0
    total: int = 0
    done_before: int = 0

    @property
    def is_running(self) -> bool:
        """Whether it is not finished yet."""
        return self.job.state == "working"

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes, by what is done; None before the first step."""
        steps = self.done - self.done_before
        if steps < 1:
            return None
        return (time.monotonic() - self.began) / steps * (self.total - self.done)

    def counted(self, done: int, total: int) -> None:
        """Take the progress. The time counts from the first call on, so the loading of a network does not."""
        if not self.total or done < self.done:
            self.began, self.done_before = time.monotonic(), done
        self.done, self.total = done, total


_works: dict[tuple[Kind, Path, str], Work] = {}
_lock = threading.Lock()


def start(kind: Kind, workspace: Path, identity: str, task: Callable[[Work], Any], about: Any = None) -> Work:
    """Start work for a set, unless work of this kind is running: then return that."""
    with _lock:
        known = _works.get((kind, workspace, identity))
        if known is not None and known.is_running:
            return known
        work = Work(Job(str(workspace)), about, time.monotonic())
        _works[(kind, workspace, identity)] = work
    threading.Thread(target=work.job.run, args=(lambda _: _told(task, work),), name=kind, daemon=True).start()
    return work


def work_of(kind: Kind, workspace: Path, identity: str) -> Work | None:
    """The work of a kind that was started last for a set; None without any."""
    with _lock:
        return _works.get((kind, workspace, identity))


def forget(workspace: Path, identity: str, kind: Kind | None = None) -> None:
    """Stop the works of a set (of one kind), and forget them."""
    with _lock:
        for key in [key for key in _works if key[1:] == (workspace, identity) and kind in (None, key[0])]:
            _works.pop(key).job.stop()


def _told(task: Callable[[Work], Any], work: Work) -> Any:
    """Do the task, and turn any error into a line for the person: a thread has nobody else who would tell it."""
    try:
        return task(work)
    except (HintStopped, StudioError, MemoryError):
        raise
    except OSError as error:
        why = one_line(error.strerror or type(error).__name__)
        raise StudioError(f"the result cannot be written ({why}); make space, then go on") from None
    except Exception as error:
        why = one_line(str(error) or type(error).__name__)[:120]
        raise StudioError(f"this ended with an error ({why}); try again") from None
