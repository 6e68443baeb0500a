"""Attempts: whose rows and whose result the files of a run are, told by ids, and by times where there are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.runs import attempts
from maskrcnn.runs.folder import BEGUN, METRICS, PROCESS, RESULT, RunFolder
from maskrcnn.runs.trainer_process import TRAINER

FIRST, SECOND = attempts.new_attempt(), attempts.new_attempt()
ROW = {"event": "step", "epoch": 1, "step": 1, "progress": 0.1, "loss": 1.0}


def noted(run: RunFolder, **changes: Any) -> None:
    run.write_json(PROCESS, {"pid": 1, "create_time": 1.0, "argv": [], "started": time.time(), **changes})


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run")


def test_ids_are_never_the_same() -> None:
    assert len({FIRST, SECOND}) == 2


@pytest.mark.parametrize("hours", [-1, 0, 1], ids=["written-before", "now", "written-after"])
def test_a_result_and_rows_are_of_the_attempt_that_they_name_whatever_the_clock_says(
    run: RunFolder, hours: float
) -> None:
    """The clock of a cluster's disk may be hours off."""
    noted(run, attempt=FIRST)
    run.append_metrics(ROW)
    run.write_result({"state": "cancelled"})
    for name in (METRICS, RESULT):
        os.utime(run.path / name, (time.time() + 3600 * hours,) * 2)
    assert (attempts.has_rows(run), attempts.has_ended(run)) == (True, True)
    noted(run, attempt=SECOND)  # it is resumed; what is there is of the first attempt
    assert (attempts.has_rows(run), attempts.has_ended(run)) == (False, False)
    RunFolder(run.path).append_metrics(ROW)
    assert (attempts.has_rows(run), attempts.has_ended(run)) == (True, False)


def test_without_ids_the_times_tell(run: RunFolder) -> None:
    """As studios before this one left their runs."""
    noted(run)
    run.append_metrics(ROW)
    run.write_result({"state": "done"})
    assert not (run.path / BEGUN).exists()
    assert json.loads((run.path / RESULT).read_text()) == {"state": "done"}
    assert (attempts.has_rows(run), attempts.has_ended(run)) == (True, True)
    for attempt in ({}, {"attempt": FIRST}):  # resumed an hour later by the old studio, by this one
        noted(run, started=time.time() + 3600, **attempt)
        assert (attempts.has_rows(run), attempts.has_ended(run)) == (False, False)


def test_how_a_run_ended_is_told_without_the_id(run: RunFolder) -> None:
    noted(run, attempt=FIRST)
    run.write_result({"state": "done", "seconds": 2.0})
    assert run.result() == {"state": "done", "seconds": 2.0}
    noted(run, attempt=SECOND)
    run.write_result({**(run.result() or {}), "state": "failed"})
    assert json.loads((run.path / RESULT).read_text())["attempt"] == SECOND


BEGIN = (
    "import sys; from maskrcnn.runs import attempts; from maskrcnn.runs.folder import RunFolder; "
    "attempts.begin_attempt(RunFolder(sys.argv[-1]))"
)


def begun(run: RunFolder, *words: str, **environment: str) -> Any:
    """What a process with these words in its command line notes when it begins."""
    subprocess.run(
        [sys.executable, "-c", BEGIN, *words, "--out", str(run.path)], check=True, env={**os.environ, **environment}
    )
    return run.read_json(PROCESS)


def test_a_trainer_makes_the_attempt_that_it_was_started_for_or_one_of_its_own(run: RunFolder) -> None:
    assert begun(run, *TRAINER, **{attempts.ATTEMPT: FIRST})["attempt"] == FIRST
    own = {begun(run, *TRAINER, **{attempts.ATTEMPT: given})["attempt"] for given in ("", "../x", "g" * 32)}
    assert len(own) == 3
    assert all(len(attempt) == 32 for attempt in own)


def test_what_is_no_trainer_notes_nothing(run: RunFolder) -> None:
    """A notebook that trains must not be ended by Cancel."""
    assert begun(run, "-m", "notebook") is None


def test_a_damaged_process_file_does_not_end_a_training(run: RunFolder) -> None:
    (run.path / PROCESS).write_text("{")
    run.append_metrics(ROW)
    run.write_result({"state": "done"})
    assert (run.metrics(), run.result()) == ([ROW], {"state": "done"})
