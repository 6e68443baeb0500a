"""A process of its own for a piece of work that is killed in the middle of it, without loading torch anew."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch

from maskrcnn.runs.folder import RunFolder
from maskrcnn.training import validation

_PATIENCE = 300
"""Seconds: what takes longer waits for something that a fork does not have, a thread of its parent say."""


def in_child(work: Callable[[], int]) -> int:
    """Do `work` in a fork of this process; its exit status, or -9 where it was killed."""
    child = os.fork()
    if child == 0:
        signal.alarm(_PATIENCE)
        status = 99
        try:
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def struck(after: int, number: int = signal.SIGKILL, only: str = "") -> Iterator[list[str]]:
    """Within, this process gets a signal at the `after`-th of these moments: before and after each step of the
    optimiser, in the middle of and after each row of metrics, before and after each file is put in its place, before
    and after one is taken away, before and after a picture is detected on. `only` counts the moments of that name.
    Gives the moments so far."""
    moments: list[str] = []

    def moment(name: str) -> None:
        moments.append(name)
        if only in ("", name) and (moments.count(only) if only else len(moments)) == after:
            os.kill(os.getpid(), number)

    def torn(run: RunFolder, row: object) -> None:
        if len(moments) + 1 == after and number == signal.SIGKILL:
            with (run.path / "metrics.jsonl").open("a") as file:
                file.write('{"event": "step", "epoch": 1, "st')
        moment("in a row")
        append(run, row)
        moment("after a row")

    def around(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            moment(f"before {name}")
            result = real(*given, **named)
            moment(f"after {name}")
            return result

        return call

    append = RunFolder.append_metrics
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "append_metrics", torn)
        patch.setattr(torch.optim.AdamW, "step", around("a step", torch.optim.AdamW.step))
        patch.setattr(os, "replace", around("a file", os.replace))
        patch.setattr(validation, "detect", around("a picture", validation.detect))
        patch.setattr(os, "unlink", around("a file is gone", os.unlink))
        yield moments
