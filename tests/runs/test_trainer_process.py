"""Which process trains a run: asked of the process, not of the run folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from maskrcnn.jobs import processes
from maskrcnn.runs.trainer_process import TRAINER, trainer_started_since, trainer_with_pid
from tests.jobs.fakes import until

SLEEP = "import time; time.sleep(60)"


def test_a_trainer_is_known_by_its_command_line(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    child = subprocess.Popen([sys.executable, "-c", SLEEP, *TRAINER, "--out", str(run)])
    try:
        assert trainer_with_pid(run, child.pid) is not None
        assert trainer_with_pid(other, child.pid) is None
        born = processes.create_time(child.pid)
        found = trainer_started_since(run, born)
        assert found is not None
        assert found.pid == child.pid
        assert trainer_started_since(run, born + 3600) is None
    finally:
        child.kill()
        child.wait()
    assert trainer_with_pid(run, child.pid) is None


@pytest.mark.parametrize(
    "words",
    [
        ["{run}"],
        ["tail", "-f", "{run}/log.txt"],
        ["--out", "{run}"],
        ["-m", "maskrcnn", "predict", "toy", "--out", "{run}"],
        ["-m", "maskrcnn", "train", "--data", "{run}"],
        ["-m", "maskrcnn", "train", "--out", "{run}2"],
        ["-m", "maskrcnn", "train", "--out"],
        ["-m", "maskrcnn train --out {run}"],
        ["-m", "maskrcnn", "train", "--out", "{run}", "--out", "{run}/below"],
    ],
    ids=" ".join,
)
def test_a_process_that_only_mentions_a_run_is_no_trainer_of_it(tmp_path: Path, words: list[str]) -> None:
    run = tmp_path / "run"
    child = subprocess.Popen([sys.executable, "-c", SLEEP, *(word.format(run=run) for word in words)])
    try:
        assert until(lambda: psutil.Process(child.pid).cmdline())
        assert trainer_with_pid(run, child.pid) is None
    finally:
        child.kill()
        child.wait()


def test_a_trainer_from_a_terminal_may_name_its_run_from_where_it_stands(tmp_path: Path) -> None:
    for words in (["--out", "runs/../run"], ["--out=run"]):
        child = subprocess.Popen([sys.executable, "-c", SLEEP, *TRAINER, *words], cwd=tmp_path)
        try:
            assert trainer_with_pid(tmp_path / "run", child.pid) is not None
        finally:
            child.kill()
            child.wait()


@pytest.mark.parametrize("number", [-1, 0, 2**31, 10**30, None])
def test_a_number_that_can_be_no_process_is_none(tmp_path: Path, number: int | None) -> None:
    assert trainer_with_pid(tmp_path, number) is None


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="only root starts what another user runs")
def test_a_trainer_of_another_user_is_not_ours(tmp_path: Path) -> None:
    run = tmp_path / "run"
    argv = ["/bin/sh", "-c", "sleep 60; true", *TRAINER, "--out", str(run)]
    mine, theirs = subprocess.Popen(argv, cwd="/"), subprocess.Popen(argv, cwd="/", user=65534)
    try:
        assert trainer_with_pid(run, mine.pid) is not None
        assert until(lambda: psutil.Process(theirs.pid).uids().real == 65534)
        assert trainer_with_pid(run, theirs.pid) is None
    finally:
        for child in (mine, theirs):
            processes.kill_tree(psutil.Process(child.pid))
            child.wait()
