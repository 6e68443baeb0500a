"""Texts about a run, the same on all pages: its state, progress, times and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from maskrcnn.durations import about, clock
from maskrcnn.jobs import queue
from maskrcnn.jobs.run_state import JobState, Progress
from maskrcnn.runs.folder import CONFIG, Row, RunFolder
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted


@dataclass(frozen=True)
class StateWords:
    """The badge of a state (Streamlit's names of the icon and colour) and an explanation of the state."""

    icon: str
    colour: Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "grey", "primary"]
    meaning: str


STATES: dict[JobState, StateWords] = {
    JobState.QUEUED: StateWords(":material/schedule:", "yellow", "It waits for its turn, and starts by itself."),
    JobState.STARTING: StateWords(
        ":material/hourglass_top:", "blue", "The trainer is loading its packages and the pictures."
    ),
    JobState.RUNNING: StateWords(
        ":material/play_arrow:", "blue", "It trains. You may close this tab or stop the studio."
    ),
    JobState.CANCELLING: StateWords(
        ":material/hourglass_bottom:", "orange", "It was asked to end and finishes its step."
    ),
    JobState.DONE: StateWords(":material/check:", "green", "It came to its end."),
    JobState.FAILED: StateWords(":material/error:", "red", "It ended with an error."),
    JobState.CANCELLED: StateWords(":material/stop:", "gray", "It was cancelled; what it had learned is kept."),
    JobState.LOST: StateWords(
        ":material/help:",
        "orange",
        "Its process is gone and left no word: it was killed, ran out of memory, or the computer was switched off. "
        "Every epoch that it finished is kept.",
    ),
}


TIME_MEANING = (
    "Times count the training: from its first step on, with every validation, without the loading of packages and "
    "pictures before it, and without the time between a stop and a resume."
)
BEST_MEANING = (
    "The highest AP of the finest thing that was measured on the validation pictures: masks, else keypoints, else "
    "boxes. Among equals it is that of the first epoch; its weights are kept as the best ones. Empty where there was "
    "nothing to measure on; then the last epoch counts as the best."
)


def epoch_text(progress: Progress) -> str:
    """The epoch of a run as text: `epoch 7/20`, or `epoch 7` if its length is set in minutes.

    Before the first step it is `not started yet` (the run waits) or `before the first step`.
    """
    if progress.epoch == 0:
        return "not started yet" if progress.state is JobState.QUEUED else "before the first step"
    return f"epoch {progress.epoch}/{progress.epochs}" if progress.epochs else f"epoch {progress.epoch}"


def bar_text(progress: Progress) -> str:
    """The text above a progress bar: epoch, time so far, remaining time."""
    if progress.state is JobState.QUEUED:
        return epoch_text(progress)
    return f"{epoch_text(progress)}  ·  {times(progress)}"


def times(progress: Progress) -> str:
    """The times of a run as text (see `TIME_MEANING`): `took 4:10`, `1:04 so far  ·  ETA 3:06`, `starting for 0:12`."""
    if not progress.active:
        return f"took {clock(progress.elapsed)}"
    if progress.epoch == 0:
        return f"starting for {clock(progress.elapsed)}"
    return f"{clock(progress.elapsed)} so far  ·  ETA {clock(progress.eta)}"


def learns_now(row: Row | None, config: Mapping[str, Any]) -> str:
    """A text about the layers that are trained now, as Markdown; empty if the run has only one stage."""
    stages = str(config.get("layers", ""))
    now = (row or {}).get("layers")
    return f"now learns: **{plain(now)}**" if now and "," in stages else ""


def ended_early(run: RunFolder) -> str | None:
    """A sentence about the early stopping of a run; None if it was not stopped early."""
    if not (run.result() or {}).get("stopped_early"):
        return None
    patience = (run.read_json(CONFIG) or {}).get("patience")
    waited = f"for {counted(patience, 'epoch')}" if patience else "for a while"
    return f"Ended early: AP on the validation pictures has not risen {waited}. The best epoch is kept."


def settings(run: RunFolder) -> str:
    """The main settings of a run, as Markdown; empty before the trainer has written config.json."""
    config: dict[str, Any] = run.read_json(CONFIG) or {}
    if not config:
        return ""
    size = f"{config.get('image_min_dim')} to {config.get('image_max_dim')} px"
    found = " + ".join(config.get("tasks", ("box", "mask")))
    rest = (str(config.get("backbone")), f"pooling {config.get('pooling')}", f"layers {config.get('layers')}", size)
    return "  ·  ".join(map(plain, (found, *rest)))


def waiting_words(job: queue.WaitingJob) -> str:
    """A text about when a waiting job will start, as Markdown."""
    after = ""
    if job.ahead:
        more = f" and {len(job.ahead) - 1} more" if len(job.ahead) > 1 else ""
        after = f"after **{plain(job.ahead[0])}**{more}"
    if job.seconds is None:
        return f"starts {after or 'when its device is there'}"
    return ", ".join(filter(None, [f"starts in {about(job.seconds)}", after]))


def format_ap(value: float | None) -> str:
    """An AP as text for a page: three decimals; a dash if it is None (not defined)."""
    return "–" if value is None else f"{value:.3f}"
