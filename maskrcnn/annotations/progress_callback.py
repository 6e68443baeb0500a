"""The type of progress callbacks of long tasks."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], object]
"""A callback `progress(done, total)`, called repeatedly with the number of finished pictures and of all pictures."""
