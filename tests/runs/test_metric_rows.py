"""Rows that are read as they come, and anew where a run was resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.runs import metric_rows
from maskrcnn.runs.folder import METRICS, RunFolder, validated_metrics_row


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def step(number: int, **values: Any) -> dict[str, Any]:
    return {"event": "step", "epoch": 1, "step": number, "elapsed": 1.0, "loss": number / 10, **values}


def test_a_run_without_metrics_has_no_rows(run: RunFolder) -> None:
    rows = metric_rows.read(run)
    assert (len(rows), rows.epochs, rows.last) == (0, (), None)


def test_steps_become_columns_and_epochs_stay_rows(run: RunFolder) -> None:
    epoch = step(2, event="epoch", segm_ap=0.4)
    for row in (step(1), step(2), epoch):
        run.append_metrics(row)
    rows = metric_rows.read(run)
    assert rows.column("loss").tolist() == [0.1, 0.2]
    assert rows.epochs == (epoch,)
    assert rows.last == epoch


def test_rows_that_do_not_say_when_they_were_written_count(run: RunFolder) -> None:
    """As some other version wrote them: the best epoch is looked for among all of them everywhere."""
    rows = [step(1), step(2), step(2, event="epoch", segm_ap=0.4)]
    for row in rows:
        del row["elapsed"]
        run.append_metrics(row)
    found = metric_rows.read(run)
    assert (len(found), list(found.epochs), found.last) == (2, rows[2:], rows[2])
    assert list(found.epochs) == run.epochs()
    assert np.isnan(found.column("elapsed")).all()


def test_only_new_lines_are_read(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 101):
        run.append_metrics(step(number))
    assert len(metric_rows.read(run)) == 100
    read: list[bytes | str] = []
    monkeypatch.setattr(
        metric_rows, "validated_metrics_row", lambda line: (read.append(line), validated_metrics_row(line))[1]
    )
    run.append_metrics(step(101))
    assert metric_rows.read(run).column("step").tolist() == list(range(1, 102))
    assert len(read) == 1


def test_a_field_that_comes_later_or_is_missing_leaves_gaps(run: RunFolder) -> None:
    for row in (step(1), step(2, gradient_norm=3.5), step(3, gradient_norm=None)):
        run.append_metrics(row)
    norms = metric_rows.read(run).column("gradient_norm")
    assert np.array_equal(norms, [np.nan, 3.5, np.nan], equal_nan=True)
    assert not metric_rows.read(run).has("waiting")


def test_a_torn_line_counts_once_it_is_whole(run: RunFolder) -> None:
    run.append_metrics(step(1))
    line = json.dumps(step(2)) + "\n"
    with (run.path / METRICS).open("a") as file:
        file.write(line[:20])
    assert len(metric_rows.read(run)) == 1
    with (run.path / METRICS).open("a") as file:
        file.write(line[20:])
    assert metric_rows.read(run).column("step").tolist() == [1, 2]


def test_what_is_no_row_is_passed_over(run: RunFolder) -> None:
    (run.path / METRICS).write_text('{"event": "st\n[]\n{}\n' + json.dumps(step(1)) + "\n")
    assert metric_rows.read(run).column("step").tolist() == [1]


@pytest.mark.parametrize("after", [1, 2, 30])
def test_a_resumed_run_has_no_row_twice(run: RunFolder, after: int) -> None:
    """Whether the file is then shorter, as long or longer than it was."""
    for number in range(1, 11):
        run.append_metrics(step(number))
    assert len(metric_rows.read(run)) == 10
    run.cut_metrics(step=8, epochs=0)
    for number in range(9, 9 + after):
        run.append_metrics(step(number, loss=7.0))
    rows = metric_rows.read(run)
    assert rows.column("step").tolist() == list(range(1, 9 + after))
    assert rows.column("loss")[8:].tolist() == [7.0] * after


def test_the_same_place_with_another_run(run: RunFolder) -> None:
    run.append_metrics(step(1))
    metric_rows.read(run)
    (run.path / METRICS).unlink()
    assert len(metric_rows.read(run)) == 0
    run.append_metrics(step(1, loss=5.0))
    assert metric_rows.read(run).column("loss").tolist() == [5.0]
