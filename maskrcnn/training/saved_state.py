"""What a training saves in its run folder: the state from which it can be resumed, and the checkpoints of epochs."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from maskrcnn.atomic_files import replacing
from maskrcnn.errors import StudioError
from maskrcnn.model import weights
from maskrcnn.model.build import StudioRCNN
from maskrcnn.runs.folder import RunFolder
from maskrcnn.training.averaging import RunningMean
from maskrcnn.training.run_history import RunHistory
from maskrcnn.training.schedule import ScheduleClock

FORMAT = "mask-rcnn-studio-state/1"


def training_state(
    model: StudioRCNN, optimiser: torch.optim.Optimizer, average: RunningMean, clock: ScheduleClock, history: RunHistory
) -> dict[str, Any]:
    """Everything on which the next step depends, as tensors and plain values.

    Random numbers are not included, because they follow from the seed and the number of the step.
    """
    return {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average.state(),
        "clock": clock.state(),
        "course": history.state(),
    }


def load_training_state(
    state: dict[str, Any],
    model: StudioRCNN,
    optimiser: torch.optim.Optimizer,
    average: RunningMean,
    clock: ScheduleClock,
    history: RunHistory,
) -> None:
    """Load a state that `training_state` returned."""
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    average.restore(state["average"])
    clock.restore(state["clock"])
    history.restore(state["course"])


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state (tensors and plain values) atomically to the file `path`, and wait until it is on the disk."""
    with replacing(path) as temporary, temporary.open("xb") as file:
        torch.save({"format": FORMAT, **state}, file)


def load_state(path: Path, device: torch.device) -> dict[str, Any]:
    """The state that `save_state` wrote. Raises `StudioError` if the file is missing or invalid. Runs no code in it."""
    if not path.is_file():
        raise StudioError(f"{path.parent} has no {path.name} to go on from; {_advice_without_state(path.parent)}")
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise StudioError(
            f"{path} cannot be read ({type(error).__name__}), it was damaged; {_advice_without_state(path.parent)}"
        ) from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise StudioError(f"{path} was written by another version; {_advice_without_state(path.parent)}")
    return state


def _advice_without_state(folder: Path) -> str:
    """The advice in the error messages about a saved state that is missing or cannot be loaded."""
    run = RunFolder(folder)
    if run.best.exists() or run.checkpoints():
        return f"start a new run from what it has learned: --init {folder}"
    return "it has learned nothing yet, so train into another --out folder"


def save_epoch_checkpoint(model: StudioRCNN, run: RunFolder, history: RunHistory, kept: int) -> None:
    """Write the checkpoint of the last finished epoch, and write it as best checkpoint too if this epoch is the best.

    Deletes all numbered checkpoints except the last `kept` (0: all).
    """
    weights.save(model, run.checkpoint(history.finished), history.finished)
    if history.best_epoch == history.finished:
        weights.save(model, run.best, history.finished)
    numbered = list(run.checkpoints().values())
    for old in numbered[: max(0, len(numbered) - kept)]:
        old.unlink()
