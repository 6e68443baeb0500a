"""When a training that is added now would start, and how the Launch page says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskrcnn.jobs import devices, queue
from maskrcnn.jobs.job_table import JobTable
from maskrcnn.studio.launch import device_choice
from maskrcnn.studio.launch.device_choice import DeviceTurn


def occupy(workspace: Path, name: str, device: str, state: str = "running", expected: float | None = None) -> None:
    """A job in the table of which nothing else is known."""
    table = JobTable(workspace)
    with table.writing() as db:
        table.insert(
            db,
            workspace / name,
            state,  # type: ignore[arg-type]
            options="[]",
            wanted=device,
            device=None if state == "queued" else device,
            expected_seconds=expected,
            started=None if state == "queued" else 0.0,
        )


def test_it_starts_at_once_where_a_device_is_free(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "available", lambda: ("cuda:0", "cuda:1"))
    assert not device_choice.turn_on_device("any").must_wait
    occupy(workspace, "a", "cuda:0")
    assert queue.turn(workspace, "any")[0] == 0  # though nobody knows when the other one is free
    assert device_choice.turn_on_device("cuda:0") == DeviceTurn(None, ("a",))
    assert device_choice.turn_on_device("cuda:1").seconds == 0
    occupy(workspace, "b", "cuda:1")
    assert device_choice.turn_on_device("any") == DeviceTurn(None, ("a", "b"))


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (DeviceTurn(0.0, ("a",)), "It trains on its own"),
        (DeviceTurn(None, ("a",)), "It starts by itself when **a** has ended."),
        (DeviceTurn(720.0, ("a", "b")), "It starts by itself when **a**, **b** have ended, in about 12 minutes."),
        (DeviceTurn(None, ("a", "b", "c", "d", "e")), "**a**, **b**, **c** and 2 more have ended."),
    ],
)
def test_what_happens_when_it_is_started_in_words(turn: DeviceTurn, said: str) -> None:
    assert said in turn.in_words()
