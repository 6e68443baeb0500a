"""Limit the number of pixels that all threads of this process decode at the same time.

Decoding takes up to 16 bytes of memory per pixel, even if the file is small. Several threads that each decode a picture
of 160 megapixels would fill the memory, so they wait for each other. Small pictures are decoded in parallel.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """A semaphore that counts pixels. Requests are served in order (FIFO), so that large pictures do not starve."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.reset()

    def reset(self) -> None:
        """Release everything. Needed in a process that was forked while threads of its parent were decoding."""
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Wait until `pixels` are free and hold them during the block. A picture above the limit is decoded alone.

        Do not nest: a thread that holds pixels must not request more.
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
"""The budget for all decoding. It is equal to the maximum size of a picture (`pictures.MOST_PIXELS`)."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DECODING.reset)
