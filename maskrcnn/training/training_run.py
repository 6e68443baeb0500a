"""A whole training in Python: from a request to the result in the run folder.

    from maskrcnn.runs.request import TrainingRequest
    from maskrcnn.training.training_run import train

    request = TrainingRequest(data="balloon/train", val="balloon/val", changed={"epochs": 5})
    result = train(request, "runs/first", report=lambda row: print(row["progress"], row["loss"]))

`python -m maskrcnn train` calls this function and shows a progress bar.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.runs import trainer_process
from maskrcnn.runs.best_epoch import best_epoch
from maskrcnn.runs.epochs_and_passes import passes
from maskrcnn.runs.folder import CONFIG, Row, RunFolder
from maskrcnn.runs.readiness import remarks
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.training import loop
from maskrcnn.training.distributed import Team
from maskrcnn.training.hardware import device_or_fastest, machine, machines, program_versions
from maskrcnn.training.labelled_samples import labelled_sets
from maskrcnn.training.run_log import RunLog, best_epoch_log_words, epoch_log_line, error_log_line
from maskrcnn.training.tensorboard import TensorboardEvents
from maskrcnn.training.training_start import TrainingStart, begin
from maskrcnn.training.training_start import resume as resume_run
from maskrcnn.training.validation import never_cancelled
from maskrcnn.words import counted


def train(
    request: TrainingRequest,
    out: Path | str,
    *,
    device: torch.device | str | None = None,
    resume: bool = False,
    team: Team | None = None,
    report: Callable[[Row], None] = lambda row: None,
    say: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] = never_cancelled,
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """Train the network that `request` describes in the new run folder `out`, and return the result written there.

    With `resume`, the run in `out` continues where it was stopped; the request then contains only the additional length
    (`TrainingRequest.longer`). `device` is a torch device; None selects the fastest available one. `report` is called
    with every row of `metrics.jsonl`: `row["event"]` is "step" or "epoch", `row["progress"]` is in [0, 1]. `say` is
    called with every line of the log, which is also written to `log.txt`. `cancelled` is called after every step; if it
    returns True, the state is saved and the run ends, and can be resumed. `watch` wraps the pictures while they are
    checked, for a progress bar (`annotations.trainable_check`). The processes of a `team` (`training.distributed`)
    train one network together.

    The result is that of `RunFolder.result`: `{"state": "done" | "cancelled", "best_epoch", "seconds", ...}`. Raises
    `StudioError` if the request is invalid; then nothing was written. Also raises it if a loss is not finite, or the
    memory or the disk is full; then the run has a result with the state "failed".
    """
    team = team or Team()
    place, where = RunFolder(out), device_or_fastest(device)
    # The studio notes the trainer that it starts in process.json. It reads the run folder, not the exit status, so a
    # failed start is also written there; but not into an older run, which a new training must not change.
    is_older_run = not resume and (place.path / CONFIG).exists()
    writes_failure = trainer_process.noted_here(place) and not is_older_run
    try:
        given = (request, place.path, where, team)
        start = resume_run(*given) if resume else begin(*given, watch)
    except StudioError as error:
        if writes_failure:
            with contextlib.suppress(OSError):  # or the folder is gone
                place.write_failure(str(error))
        raise
    with RunLog(start.run, say, quiet=not team.leads) as log:
        return _train_with_log(start, team, report, cancelled, log)


def _train_with_log(
    start: TrainingStart, team: Team, report: Callable[[Row], None], cancelled: Callable[[], bool], log: RunLog
) -> dict[str, Any]:
    """Train, write a line of the log for every epoch, and write and return the result."""
    run, model, config = start.run, start.model, start.model.config
    training, validation = labelled_sets(start.documents, run, config)
    computes = machine(next(model.parameters()).device)
    log(
        f"{run.name}: {counted(len(training), 'picture')} to learn from, "
        f"{len(validation) if validation else 'none'} to validate on, "
        f"{config.backbone} with {config.pooling} for {', '.join(config.tasks)} on {computes}"
        + (f", {counted(team.size, 'process', 'processes')}" if team.size > 1 else "")
    )
    for line in [*start.lines, *remarks(config, start.documents)]:
        log(line)
    events = TensorboardEvents.of(run, config) if team.leads else None

    def each_row(row: Row) -> None:
        report(row)
        if row["event"] == "epoch":
            log(epoch_log_line(row, passes(row["step"], config.batch_size, len(training))))
        if events:
            events.add(row)

    try:
        outcome = loop.train(model, training, validation, run, each_row, cancelled, start.state, team)
    except Exception as error:
        with contextlib.suppress(OSError):  # the disk may be full; the error is still raised
            if team.leads:
                run.write_result({"state": "failed", "error": error_log_line(error)})
            log(f"failed: {error_log_line(error)}")
        raise
    finally:
        if events:
            events.close()
    outcome |= {"machine": machines(start.machine, computes), "versions": program_versions()}
    if team.leads:
        run.write_result(outcome)
    early = f" (no better AP for {counted(config.patience or 0, 'epoch')})" if outcome["stopped_early"] else ""
    best = best_epoch_log_words(best_epoch(run.epochs()))
    log(f"{outcome['state']}{early}, took {clock(outcome['seconds'])}, {best}: {run.path}")
    return outcome
