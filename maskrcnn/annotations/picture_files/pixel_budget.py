"""How many pixels may be decoded at one moment, by all threads of this process together.

A picture takes up to 16 bytes of memory a pixel while it is decoded, however small its file is. Threads that each
decode a picture of 160 megapixels would fill the memory; so they wait for one another, and small pictures go side by
side.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """A number of pixels that threads may hold together, first come first served, so that large pictures get a turn."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.reset()

    def reset(self) -> None:
        """Forget all holders: for a process that was forked while threads of its parent were decoding."""
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Hold that many pixels, once they are free; a picture of more than all there are is decoded alone.

        Not to be nested: a thread that holds some must not ask for more.
        """
        wanted = min(pixels, self.most)
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is ticket and self._taken + wanted <= self.most)
                self._taken += wanted
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()


DECODING = PixelBudget(170_000_000)
"""The budget of everything that decodes pictures: as much as the largest picture that is opened at all."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DECODING.reset)
