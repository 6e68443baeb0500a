"""Hints that take a while run in threads. A request waits a moment; if the hint is not ready then, the browser asks
again for its progress, or stops it."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.errors import StudioError
from maskrcnn.words import one_line

_KEPT = 64
"""Maximum number of jobs that are remembered; the oldest are forgotten, and stopped if they still run."""

MOST_AT_ONCE = 8
"""Maximum number of jobs that run or wait. Further ones stop the oldest."""


@dataclass
class Job:
    """One hint that is being computed for a project folder.

    `words` say what is being done, `done` of `total` steps are finished (0 of 0: unknown). `result` are JSON values.
    """

    folder: str
    words: str = "waiting"
    done: int = 0
    total: int = 0
    state: Literal["working", "done", "failed", "stopped"] = "working"
    result: Any = None
    message: str | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    _stop: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def ended(cls, folder: str, result: Any) -> Job:
        """Return a job that is done already."""
        job = cls(folder, state="done", result=result)
        job._ended.set()
        return job

    def progress(self, done: int, total: int) -> None:
        """Take the progress of the present step."""
        self.done, self.total = done, total

    def begin(self, words: str) -> None:
        """Begin a step. Raises `HintStopped` if the job was stopped."""
        if self.stopped():
            raise HintStopped
        self.words, self.done, self.total = words, 0, 0

    def stop(self) -> None:
        """Ask the job to stop. It does so before its next step."""
        self._stop.set()

    def stopped(self) -> bool:
        """Whether the job was asked to stop."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> None:
        """Wait until the job has ended, at most for some seconds."""
        self._ended.wait(seconds)

    def run(self, work: Callable[[Job], Any]) -> None:
        """Compute the result with `work`, and take its error as a message of one line."""
        try:
            self.begin("working")
            self.result = work(self)
            self.state = "done"
        except HintStopped:
            self.state = "stopped"
        except StudioError as error:
            self.state, self.message = "failed", one_line(str(error))
        except MemoryError:
            self.state, self.message = "failed", "there is not enough memory for this; use a smaller picture"
        except Exception as error:  # a thread has nobody else who would tell the person
            self.state, self.message = "failed", f"this hint failed ({one_line(str(error))[:120]}); use another way"
        finally:
            self._ended.set()

    def to_json(self) -> dict[str, Any]:
        """Return state, progress and result as JSON values."""
        about = {"job": self.id, "state": self.state, "words": self.words, "done": self.done, "total": self.total}
        return about | {"result": self.result, "message": self.message}


_jobs: OrderedDict[str, Job] = OrderedDict()
_lock = threading.Lock()


def start(folder: str, work: Callable[[Job], Any]) -> Job:
    """Start a job in a thread of its own. If too many run, the oldest are stopped."""
    job = Job(folder)
    with _lock:
        _jobs[job.id] = job
        running = [other for other in _jobs.values() if other.state == "working"]
        for other in running[:-MOST_AT_ONCE]:
            other.stop()
        while len(_jobs) > _KEPT:
            _jobs.popitem(last=False)[1].stop()
    threading.Thread(target=job.run, args=(work,), name="hint", daemon=True).start()
    return job


def job_of(identity: str, folder: str) -> Job | None:
    """Return a job of a project folder; None if it is unknown or forgotten."""
    with _lock:
        job = _jobs.get(identity)
    return job if job is not None and job.folder == folder else None
