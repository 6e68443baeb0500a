"""How long work tells whoever waits how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], object]
"""Called now and then with how many pictures are done, and of how many."""
