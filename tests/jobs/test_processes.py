"""Processes: which one is meant, and an end to all that it started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from maskrcnn.jobs import processes
from tests.jobs.fakes import dead, until

SLEEP = "import time; time.sleep(60)"


def test_the_whole_tree_is_killed_those_whose_parent_has_gone_too(tmp_path: Path) -> None:
    starts_one = f"import subprocess as s, sys; print(s.Popen([sys.executable, '-c', {SLEEP!r}]).pid, flush=True)"
    leader = processes.start_apart(
        [sys.executable, "-c", f"{starts_one}; s.run([sys.executable, '-c', {starts_one!r}]); {SLEEP}"],
        tmp_path / "log",
    )
    assert until(lambda: len((tmp_path / "log").read_text().split()) == 2)
    child, orphan = (int(word) for word in (tmp_path / "log").read_text().split())
    assert not dead(child)
    assert not dead(orphan)
    process = processes.living(leader.pid, processes.create_time(leader.pid))
    assert process is not None
    processes.kill_tree(process)
    assert [dead(pid) for pid in (leader.pid, child, orphan)] == [True] * 3


def test_a_process_is_known_by_its_number_and_its_birth() -> None:
    child = subprocess.Popen([sys.executable, "-c", SLEEP])
    try:
        born = processes.create_time(child.pid)
        assert processes.living(child.pid, born) is not None
        assert processes.living(child.pid, born - 3600) is None
    finally:
        child.kill()
        child.wait()
    assert processes.living(child.pid, born) is None
