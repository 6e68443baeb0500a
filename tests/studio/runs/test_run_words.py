"""How far a run is and how long it took, in words."""

from __future__ import annotations

import pytest

from maskrcnn.jobs.run_state import JobState, Progress
from maskrcnn.studio.runs.run_words import bar_text


@pytest.mark.parametrize(
    ("state", "epoch", "epochs", "elapsed", "eta", "said"),
    [
        ("queued", 0, 20, None, None, "not started yet"),
        ("starting", 0, 20, 11.6, None, "before the first step  ·  starting for 0:12"),
        ("starting", 3, 20, 64.5, 200.0, "epoch 3/20  ·  1:05 so far  ·  ETA 3:20"),  # it goes on
        ("running", 7, None, 3599.6, 0.4, "epoch 7  ·  1:00:00 so far  ·  ETA 0:00"),
        ("running", 1, 1, 0.4, None, "epoch 1/1  ·  0:00 so far  ·  ETA –"),
        ("cancelling", 2, 4, 119.4, 60.0, "epoch 2/4  ·  1:59 so far  ·  ETA 1:00"),
        ("done", 4, 4, 249.5, None, "epoch 4/4  ·  took 4:10"),
        ("cancelled", 2, 4, 59.5, None, "epoch 2/4  ·  took 1:00"),
        ("failed", 0, 4, None, None, "before the first step  ·  took –"),
    ],
)
def test_the_line_over_the_bar(
    state: str, epoch: int, epochs: int | None, elapsed: float | None, eta: float | None, said: str
) -> None:
    assert bar_text(Progress(JobState(state), epoch, epochs, 0.5, elapsed, eta, None)) == said
