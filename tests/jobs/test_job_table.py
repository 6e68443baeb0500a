"""jobs.db: when it is examined for damage, how often it is read, and tables of older studios."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from maskrcnn.jobs import queue, run_state
from maskrcnn.jobs.job_table import JobTable
from maskrcnn.jobs.queue_database import DATABASE, QueueDatabase
from maskrcnn.jobs.queue_recovery import open_table
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.folder import RunFolder
from tests.jobs.fakes import BRIEF, CLEAN, add, by_hand, until

VERSION_2 = Path(__file__).with_name("jobs_version_2.sql")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often this process opens the table, and examines it."""
    count: Counter[str] = Counter()
    really_open = QueueDatabase._open

    def counted_open(file: QueueDatabase) -> sqlite3.Connection:
        count["opened"] += 1
        db = really_open(file)
        db.set_trace_callback(lambda statement: count.update(["examined"] * ("quick_check" in statement)))
        return db

    monkeypatch.setattr(QueueDatabase, "_open", counted_open)
    return count


def with_jobs(workspace: Path, count: int = 1) -> JobTable:
    """A table in which that many jobs wait, for a device that this machine does not have."""
    table = JobTable(workspace)
    with table.writing() as db:
        for number in range(count):
            run = by_hand(workspace / "project" / "runs" / f"r{number}", queued={"device": "any", "created": 1.0})
            table.insert(db, run.path, JobState.QUEUED, options="[]", wanted="cuda:9")
    return table


def page(workspace: Path) -> None:
    """What the parts of one page ask."""
    assert queue.reconcile(workspace) == []
    assert queue.running(workspace) == []
    assert len(queue.waiting(workspace)) == 1
    queue.turn(workspace)


def test_a_table_is_examined_once_a_process_and_read_once_a_page(workspace: Path, work: Counter[str]) -> None:
    with_jobs(workspace)
    time.sleep(0.1)  # a file that was just written may change without a new time
    work.clear()
    page(workspace)
    assert work == {"opened": 2, "examined": 1}  # to examine it, and to read it
    work.clear()
    page(workspace)
    page(workspace)
    assert work == {}
    time.sleep(0.4)
    page(workspace)
    assert work == {"opened": 1}


def test_what_anybody_writes_is_read_at_once(workspace: Path) -> None:
    """Another program writes fifty times while its files keep their sizes, and their times are as coarse as 50 ms."""
    table = with_jobs(workspace)
    other = sqlite3.connect(workspace / DATABASE, isolation_level=None)
    for number in range(50):
        other.execute("UPDATE job SET priority = ?", (number,))
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tick = time.time_ns() // 50_000_000 * 50_000_000
        for name in (DATABASE, f"{DATABASE}-wal"):
            os.utime(workspace / name, ns=(tick, tick))
        assert table.snapshot().waiting[0].priority == number
        assert table.snapshot().waiting[0].priority == number
    other.close()


def with_a_damaged_page(table: JobTable) -> Path:
    """A copy of the table in which a page of ended jobs is damaged: no page of the studio reads it."""
    with table.writing() as db:
        for number in range(150):
            options = f'["--data", "ended-{number:03d}"]'
            db.execute(
                "INSERT INTO job (run, options, wanted, state, created) VALUES (?, ?, 'any', 'done', 1.0)",
                (f"project/runs/ended-{number}", options),
            )
    with sqlite3.connect(table.path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = bytearray(table.path.read_bytes())
    page = content.index(b'"ended-075"') // 4096 * 4096
    content[page : page + 8] = b"\xff" * 8
    copy = table.path.with_name("copy")
    copy.write_bytes(content)
    return copy


def test_a_file_that_takes_the_place_of_the_table_is_examined_too(workspace: Path) -> None:
    table = with_jobs(workspace, 3)
    open_table(workspace)
    os.replace(with_a_damaged_page(table), table.path)
    [line] = queue.reconcile(workspace)
    assert line.startswith("The queue's file jobs.db was damaged. It was made anew (3 runs waiting")
    assert len(queue.waiting(workspace)) == 3


@pytest.mark.parametrize("call", ["waiting", "running", "turn"])
def test_damage_that_sqlite_reports_while_a_page_reads_is_mended_by_that_page(workspace: Path, call: str) -> None:
    table = with_jobs(workspace, 3)
    open_table(workspace)
    table.path.write_text("Dear jobs,\n")
    for ending in ("-wal", "-shm"):
        Path(f"{table.path}{ending}").unlink(missing_ok=True)
    getattr(queue, call)(workspace)
    assert [job.run.name for job in queue.waiting(workspace)] == ["r0", "r1", "r2"]
    assert len(queue.reconcile(workspace)) == 1


def test_a_training_and_a_wish_survive_damage_at_their_moment(runs: Path, workspace: Path) -> None:
    first = add(runs / "first", CLEAN)
    add(runs / "a", BRIEF)
    add(runs / "b", BRIEF)
    assert until(lambda: run_state.state(first) == "running")
    for wish in (lambda: queue.move_first(workspace, RunFolder(runs / "b")), lambda: add(runs / "c", BRIEF)):
        with sqlite3.connect(workspace / DATABASE) as db:
            db.execute("DROP TABLE job")
        db.close()
        wish()
    assert [job.run.name for job in queue.waiting(workspace)] == ["b", "a", "c"]


def test_a_table_of_version_2_opens_with_all_that_waits(workspace: Path) -> None:
    with sqlite3.connect(workspace / DATABASE) as db:
        db.executescript(VERSION_2.read_text(encoding="utf-8"))
    db.close()
    table = open_table(workspace)
    found = table.snapshot()
    assert [(job.run.name, job.options, job.wanted, job.resume) for job in found.waiting] == [
        ("second", ("--epochs", "10"), "cpu", True),
        ("first", ("--data", "cells", "--set", "batch_size=4"), "any", False),
    ]
    assert [job.expected_seconds for job in found.waiting] == [None, 60.0]
    [training] = found.active
    assert (training.run, training.state, training.device) == (
        workspace / "cells" / "runs" / "training",
        JobState.RUNNING,
        "cpu",
    )
    assert (training.trainer, training.runner, training.attempt) == ((4244, 1002.0), (4243, 1001.5), None)
    with table.writing() as db:
        assert table.pop_notices(db) == ["old failed: its log may say why"]
        assert table.end(db, training.run, JobState.DONE)
        claimed = table.claim(db)
    assert claimed is not None
    assert claimed.run.name == "second"
    assert claimed.attempt is not None
    assert not list(workspace.glob("*.damaged-*"))
    assert [job["run"] for job in json.loads((workspace / "jobs-waiting.json").read_text())] == ["cells/runs/first"]


def test_each_start_of_a_job_is_an_attempt_of_its_own(workspace: Path) -> None:
    table = JobTable(workspace)
    with table.writing() as db:
        table.insert(db, workspace / "a", JobState.QUEUED, options="[]", wanted="any")
        first = table.claim(db)
        assert first is not None
        table.requeue(db, first)
        second = table.claim(db)
    assert second is not None
    assert None is not first.attempt != second.attempt is not None
