"""Ctrl-C in commands that end in order: the first one asks to stop, the second one ends the process at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit status of a command that was stopped by Ctrl-C, as shells report it."""


@contextmanager
def stopping_on_interrupt(words: str) -> Iterator[Callable[[], bool]]:
    """A context with a function that says whether Ctrl-C was pressed in it. `words` are printed when it is.

    A second Ctrl-C ends the process at once, with exit status 130. In a thread other than the main one, where signals
    cannot be handled, nothing changes.
    """
    asked = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(INTERRUPTED)  # without waiting for the threads
        asked.set()
        print(f"\n{words}", file=sys.stderr, flush=True)

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
