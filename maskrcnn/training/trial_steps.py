"""Trial steps: measure the costs of a training with a few steps on its own pictures, and estimate its duration.

A step that trains all layers takes up to three times as long as a step that trains only the heads, so every stage of
the schedule is timed. The first reading of a picture is timed separately, because it happens once. Nothing is written.
Afterwards the network has been trained for a few steps and should be discarded.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from torch import Tensor

from maskrcnn.config.layer_schedule import layer_shares
from maskrcnn.model import weights
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.temporary_attributes import temporary_attributes
from maskrcnn.runs.cost_estimate import Costs, Estimate, estimate_of
from maskrcnn.runs.epochs_and_passes import pictures_per_step
from maskrcnn.training import loop
from maskrcnn.training.averaging import RunningMean
from maskrcnn.training.batch_loader import BatchLoader, loader_threads
from maskrcnn.training.distributed import Team
from maskrcnn.training.hardware import seed_everything, training_memory_mb
from maskrcnn.training.labelled_samples import LabelledSamples
from maskrcnn.training.optimiser import make_optimiser
from maskrcnn.training.run_history import RunHistory
from maskrcnn.training.saved_state import save_state, training_state
from maskrcnn.training.schedule import ScheduleClock
from maskrcnn.training.training_errors import memory_errors_explained
from maskrcnn.training.training_speedups import prepared_for_training
from maskrcnn.training.validation import detect_all, validation_losses

PICTURES = 12
"""Number of training pictures for the timed steps, or two batches if that is more; evenly spaced over the set."""

VALIDATED = 2
"""Number of validation pictures that are timed."""

WARM_UP_STEPS = 2
"""Number of steps of each stage that are not timed, because they allocate memory and select kernels."""

TIMED_STEPS = 5
TIMED_SECONDS = 15.0
"""A stage is timed for `TIMED_STEPS` steps, or for `TIMED_SECONDS` if they are slow."""

PROPOSALS_ON_AN_OBJECT = 4
"""Approximate number of positive RoIs per object in the middle of a training."""

Report = Callable[[str], None]
Now = Callable[[], float]


def estimate(
    model: StudioRCNN,
    training: LabelledSamples,
    validation: LabelledSamples | None,
    report: Report = lambda line: None,
    seconds_to_start: float = 0.0,
) -> Estimate:
    """Measure the costs of training `model` on these pictures on this machine, and estimate the duration of the run.

    `report` is called with a line about each measured part. `seconds_to_start` are the seconds from the start of the
    process to this call. Raises the same errors as a training step, for example if the memory is not sufficient.
    """
    config, device = model.config, next(model.parameters()).device
    seed_everything(config.seed)
    now = trial_clock(device)
    with memory_errors_explained(config), prepared_for_training(model):
        report("reading pictures")
        some = training.subset(max(PICTURES, 2 * config.batch_size))
        first_read = seconds_per_first_read(some, now)
        # Pictures that do not fit in memory are read again in every step.
        rereading = config.batch_size * first_read * share_without_room(some, len(training))
        # The timed steps may have fewer pictures than a full batch; `Costs.step` is for a full batch.
        to_full_batch = config.batch_size / pictures_per_step(config.batch_size, len(training))
        step = {}
        for word in layer_shares(config.stages):
            report(f"timing steps while these layers learn: {word}")
            step[word] = to_full_batch * seconds_per_step(model, some, word, now) + rereading
        per_picture = 0.0
        if validation is not None:
            report("timing the validation")
            per_picture = seconds_per_validated(model, validation.subset(VALIDATED), now)
        report("timing what each epoch writes")
        epoch = seconds_per_epoch(model, some, now)
    costs = Costs(step, first_read, per_picture, epoch, seconds_to_start, training_memory_mb(device))
    return estimate_of(costs, config, len(training), len(validation) if validation is not None else 0)


def seconds_per_first_read(samples: LabelledSamples, now: Now) -> float:
    """Measure the extra seconds of the first reading of a picture. Later it is in memory, if the config allows it."""
    took = []
    for _ in range(2):
        began = now()
        for index in range(len(samples)):
            samples.read(index)
        took.append(now() - began)
    return max(0.0, took[0] - took[1]) / len(samples)


def share_without_room(samples: LabelledSamples, pictures: int) -> float:
    """The share of `pictures` pictures, each as large as those of `samples`, that exceeds `picture_cache_mb`."""
    each = sum(picture.nbytes + objects.nbytes for picture, objects in map(samples.read, range(len(samples))))
    return max(0.0, 1 - samples.config.picture_cache_mb * 10**6 / (each / len(samples) * pictures))


def seconds_per_step(model: StudioRCNN, samples: LabelledSamples, layers: str, now: Now) -> float:
    """Seconds of one training step in which `layers` are trained."""
    config = model.config
    model.set_layers(layers)
    model.train()
    optimiser, average, team = make_optimiser(model), RunningMean(model, config.ema), Team()
    rate = config.learning_rate / (config.warmup_steps + 1)  # the rate of the first step, so that nothing diverges
    threads = loader_threads(config, next(model.parameters()).device)
    with BatchLoader(samples, config, threads=threads) as loader, several_proposals_per_object(model):

        def step() -> None:
            loop.step(model, optimiser, next(loader), rate, 1, 1, team)
            average.update()

        return mean_seconds(step, now)


def several_proposals_per_object(model: StudioRCNN) -> AbstractContextManager[None]:
    """A context in which each object is proposed `PROPOSALS_ON_AN_OBJECT` times, as by a trained RPN.

    Masks are computed only for positive RoIs, so a step of an untrained network would be too fast.
    """
    add_gt_proposals = model.roi_heads.add_gt_proposals

    def add(proposals: list[Tensor], gt_boxes: list[Tensor]) -> list[Tensor]:
        return add_gt_proposals(proposals, [boxes.repeat(PROPOSALS_ON_AN_OBJECT, 1) for boxes in gt_boxes])

    return temporary_attributes((model.roi_heads, "add_gt_proposals", add))


def seconds_per_validated(model: StudioRCNN, samples: LabelledSamples, now: Now) -> float:
    """Measure the seconds of the validation of one picture: its losses and detections.

    The time to prepare the network for inference, which is needed once per epoch, is subtracted.
    """

    def validate() -> None:
        validation_losses(model, samples)
        detect_all(model, samples)

    def prepare_only() -> None:
        detect_all(model, samples, images=[])  # prepares the network for inference, and detects nothing

    took = mean_seconds(validate, now, warm_up=1, timed=1) - mean_seconds(prepare_only, now, warm_up=0, timed=1)
    return max(0.0, took) / len(samples)


def seconds_per_epoch(model: StudioRCNN, samples: LabelledSamples, now: Now) -> float:
    """Seconds of the work at the end of an epoch that does not depend on its length.

    The network is prepared for inference, and the weights (twice: of this epoch and the best ones) and the state for a
    resume are written.
    """
    config = model.config
    average, clock, history = RunningMean(model, config.ema), ScheduleClock(config, 1), RunHistory()
    optimiser = make_optimiser(model)
    with tempfile.TemporaryDirectory() as folder:

        def finish() -> None:
            detect_all(model, samples, [])
            for name in ("epoch", "best"):
                weights.save(model, Path(folder) / name, 1)
            save_state(Path(folder) / "state", training_state(model, optimiser, average, clock, history))

        return mean_seconds(finish, now, warm_up=0, timed=1)


def mean_seconds(action: Callable[[], None], now: Now, warm_up: int = WARM_UP_STEPS, timed: int = TIMED_STEPS) -> float:
    """Mean seconds of `action`, over `timed` calls or until `TIMED_SECONDS` are over, after `warm_up` untimed calls."""
    for _ in range(warm_up):
        action()
    began, done = now(), 0
    while done < timed and now() - began < TIMED_SECONDS:
        action()
        done += 1
    return (now() - began) / done


def trial_clock(device: torch.device) -> Now:
    """The clock of the trial steps, in seconds: it reads the time after the device has finished its work."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter()

    return now
