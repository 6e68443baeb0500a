"""A project that is used is neither renamed nor deleted, and whatever uses it is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskrcnn.annotations.store import import_staging
from maskrcnn.errors import StudioError
from maskrcnn.jobs import queue
from maskrcnn.jobs.backend import Training
from maskrcnn.jobs.job_table import JobTable
from maskrcnn.jobs.trainer_command import PROGRAM
from maskrcnn.runs.folder import CONFIG, RESULT, RUNS, RunFolder
from maskrcnn.workspace import JobsWait, Workspace
from tests.jobs.fakes import BRIEF, STAND_IN, add, end_all, trainer_of, until
from tests.workspace.made import make, run, shown


def refused(space: Workspace, project: Path, words: str) -> None:
    """Neither renamed nor deleted, and nothing changes."""
    for do in (lambda: space.rename(project, "other"), lambda: space.delete(project)):
        with pytest.raises(StudioError, match=words):
            do()
    assert shown(space.root) == [project.name]
    assert space.bin() == []


@pytest.mark.parametrize("how", ["process.json", "a row of the table", "--out PATH", "--out=PATH", "a notebook"])
def test_a_project_on_which_something_trains_stays_and_the_run_is_named(
    space: Workspace, tmp_path: Path, how: str
) -> None:
    project = make(space.root / "cells")
    training = run(project, "night")
    (training.path / RESULT).unlink()
    os.utime(training.path / CONFIG, (1, 1))
    try:
        if how == "process.json":
            training.write_json("process.json", trainer_of(training.path))
        elif how == "a row of the table":
            with JobTable(space.root).writing() as db:
                JobTable(space.root).insert(db, training.path, "starting", options="[]", wanted="any", device="cpu")
        elif how.startswith("--out"):  # started in a terminal, with the run folder elsewhere
            argv = [sys.executable, "-c", "import time; time.sleep(60)", "-m", "maskrcnn", "train"]
            argv += ["--data", str(project), *how.replace("PATH", str(tmp_path / "night")).split(" ")]
            started = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        else:
            os.utime(training.path / CONFIG)
        refused(space, project, '"cells" is not .*: "night" trains on it; cancel that under Runs, or wait until')
    finally:
        end_all(space.root)
        if how.startswith("--out"):
            started.kill()
            started.wait()


def wait_in_queue(space: Workspace, waiting: RunFolder, options: list[str]) -> None:
    note = {"device": "any", "priority": 0, "created": 1.0, "resume": True, "expected_seconds": None}
    waiting.write_json("queued.json", note)
    with JobTable(space.root).writing() as db:
        JobTable(space.root).insert(db, waiting.path, "queued", options=json.dumps(options), wanted="any", resume=True)


def test_a_project_for_which_runs_wait_is_not_renamed_and_deleted_only_with_them(space: Workspace) -> None:
    project = make(space.root / "cells")
    for name in ("one", "two"):
        wait_in_queue(space, run(project, name), [])
    refused(space, project, '"one" and "two" wait in the queue for it')
    with pytest.raises(JobsWait) as told:
        space.delete(project)
    assert told.value.runs == ("one", "two")
    deleted = space.delete(project, waiting_too=True)
    with JobTable(space.root).reading() as db:
        assert JobTable(space.root).waiting(db) == []
    assert not list(deleted.folder.glob("runs/*/queued.json"))


def test_what_waits_stays_in_the_queue_where_something_trains(space: Workspace) -> None:
    project = make(space.root / "cells")
    wait_in_queue(space, run(project, "one"), [])
    training = run(project, "night")
    with JobTable(space.root).writing() as db:
        JobTable(space.root).insert(db, training.path, "running", options="[]", wanted="any", device="cpu")
    with pytest.raises(StudioError, match='"night" trains on it'):
        space.delete(project, waiting_too=True)
    with JobTable(space.root).reading() as db:
        assert [job.run.name for job in JobTable(space.root).waiting(db)] == ["one"]


def test_a_job_of_another_project_that_learns_from_this_one_counts(space: Workspace, tmp_path: Path) -> None:
    project = make(space.root / "cells")
    elsewhere = run(make(tmp_path / "far", 0), "borrowed")
    wait_in_queue(space, elsewhere, ["--data", str(tmp_path / "far"), "--val", str(project)])
    refused(space, project, '"borrowed" waits in the queue for it')


def test_a_run_of_another_project_keeps_nobody(space: Workspace) -> None:
    first, second = make(space.root / "cells"), make(space.root / "cells-2")
    wait_in_queue(space, run(second, "other"), ["--data", str(second)])
    assert space.rename(first, "leaves").is_dir()


def test_pictures_that_are_being_imported_keep_a_project_where_it_is(space: Workspace) -> None:
    project = make(space.root / "cells")
    with import_staging.staging(project / "project.db", project / "images"):
        refused(space, project, "pictures are being imported into it; wait until that is done")
        with pytest.raises(StudioError, match="pictures are being imported"):
            space.duplicate(project, "copy")
    assert space.rename(project, "leaves").is_dir()


def test_a_run_that_was_stopped_goes_on_after_its_project_was_renamed(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = run(make(space.root / "cells"), "stopped", "cancelled")
    (stopped.path / "state_last.pt").write_bytes(b"state")
    there = space.rename(space.root / "cells", "leaves")
    monkeypatch.setenv(PROGRAM, STAND_IN)
    try:
        going = add(there / RUNS / "stopped", BRIEF, resume=True)
        assert until(lambda: (going.result() or {}).get("state") == "done")
        assert until(lambda: not queue.running(space.root))
    finally:
        end_all(space.root)
    assert shown(space.root) == ["leaves"]


def test_a_training_for_a_project_that_was_renamed_in_this_moment_brings_no_folder_back(space: Workspace) -> None:
    project = make(space.root / "cells")
    space.rename(project, "leaves")
    with pytest.raises(StudioError, match="cells: the project is gone; open it by its new name"):
        queue.add(space.root, Training(RunFolder(project / RUNS / "new")))
    assert shown(space.root) == ["leaves"]
    with JobTable(space.root).reading() as db:
        assert JobTable(space.root).waiting(db) == []
