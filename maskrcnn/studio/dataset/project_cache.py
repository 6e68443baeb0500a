"""Cache of slow computations about a project, for each state of the project, with a progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.store import Project
from maskrcnn.durations import clock

T = TypeVar("T")
Stamp = tuple[Any, ...]

_AT_ONCE, _EVERY = 0.3, 0.2  # seconds


def stamp(project: Project) -> Stamp:
    """Return a value that changes whenever labels, splits, classes or the set of pictures change."""
    images = [(image.id, image.revision, image.split) for image in project.images()]
    return len(images), hash(tuple(images)), tuple(entry.name for entry in project.classes())


def cached_result(
    name: str, project: Project, words: str, work: Callable[[Progress], T], state: Stamp | None = None
) -> T:
    """Return the result of `work(progress)`, cached for this state of the project (default: its `stamp`).

    While it runs, a progress bar with `words` and the remaining time is drawn.
    """
    slot = _result_slot(name, str(project.folder), stamp(project) if state is None else state)
    if "result" not in slot:
        with st.empty():
            slot["result"] = work(progress_bar(words))
            st.empty()
    return slot["result"]


def is_cached(name: str, project: Project, state: Stamp | None = None) -> bool:
    """Whether the cache of `cached_result` has the result for this state."""
    return "result" in _result_slot(name, str(project.folder), stamp(project) if state is None else state)


@st.cache_resource(max_entries=12, show_spinner=False)
def _result_slot(name: str, folder: str, state: Stamp) -> dict[str, Any]:
    """Return the cached dictionary for one result; `cached_result` stores it under the key "result".

    Streamlit caches this dictionary and not the computation, because a cached function must not draw, and the
    computation draws a progress bar.
    """
    return {}


def progress_bar(words: str) -> Progress:
    """Return a progress callback that draws a bar with the remaining time, for work that takes longer than a moment."""
    start, shown = time.monotonic(), 0.0

    def progress(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - start < _AT_ONCE or now - shown < _EVERY or not done:
            return
        shown = now
        left = (now - start) * (total - done) / done
        st.progress(done / total, text=f"{words}: {done} of {total}  ·  {clock(left)} left")

    return progress
