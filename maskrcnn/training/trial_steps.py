"""Costs of a training, measured by a few steps on its own pictures before it begins, and how long it will take.

A step while all layers learn takes up to three times as long as one while only the heads do, so each stage of the
schedule is timed. Decoding a picture for the first time is timed apart, because it happens once. Nothing is written;
the network has been trained for a few steps afterwards and should be discarded.
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
from maskrcnn.runs.costs import Costs, Estimate, estimate_of
from maskrcnn.runs.epochs_and_passes import pictures_per_step
from maskrcnn.runs.folder import with_images
from maskrcnn.training import hardware, loop
from maskrcnn.training.averaging import RunningMean
from maskrcnn.training.batch_loader import BatchLoader
from maskrcnn.training.distributed import Team
from maskrcnn.training.hardware import loader_threads, training_memory_mb
from maskrcnn.training.labelled_samples import LabelledSamples
from maskrcnn.training.optimiser import make_optimiser
from maskrcnn.training.run_history import RunHistory
from maskrcnn.training.saved_state import save_state, training_state
from maskrcnn.training.schedule import ScheduleClock
from maskrcnn.training.training_errors import words_for_memory
from maskrcnn.training.training_speedups import prepared_for_training
from maskrcnn.training.validation import detect_all, validation_losses

PICTURES = 12
"""Training pictures (or two batches, if that is more) that steps are timed on: some of each part of the set."""

VALIDATED = 2
"""Validation pictures that are timed."""

WARM_UP_STEPS = 2
"""Steps of each stage that are not timed: the first ones reserve memory and choose kernels."""

TIMED_STEPS = 5
TIMED_SECONDS = 15.0
"""A stage is timed for so many steps, or for so long where they are slow."""

PROPOSALS_ON_AN_OBJECT = 4
"""About how many positive RoIs there are for an object in the middle of a training."""

Report = Callable[[str], None]
Now = Callable[[], float]


def estimate(
    model: StudioRCNN,
    training: LabelledSamples,
    validation: LabelledSamples | None,
    report: Report = lambda line: None,
    seconds_to_start: float = 0.0,
) -> Estimate:
    """How long a training of `model` on these pictures, as its config says, will take here.

    `report` gets a line on what is being measured; `seconds_to_start` is what passed before this was called. Raises
    what a step of the training raises, running out of memory for one.
    """
    config, device = model.config, next(model.parameters()).device
    hardware.seed_everything(config.seed)
    now = clock_of(device)
    with words_for_memory(config), prepared_for_training(model):
        report("reading pictures")
        some = some_of(training, max(PICTURES, 2 * config.batch_size))
        first_read = seconds_per_first_read(some, now)
        read_each_time = config.batch_size * first_read * share_without_room(some, len(training))
        full = config.batch_size / pictures_per_step(config.batch_size, len(training))
        step = {}
        for word in layer_shares(config.stages):
            report(f"timing steps while these layers learn: {word}")
            step[word] = full * seconds_per_step(model, some, word, now) + read_each_time
        per_picture = 0.0
        if validation is not None:
            report("timing the validation")
            per_picture = seconds_per_validated(model, some_of(validation, VALIDATED), now)
        report("timing what each epoch writes")
        epoch = seconds_per_epoch(model, some, now)
    costs = Costs(step, first_read, per_picture, epoch, seconds_to_start, training_memory_mb(device))
    return estimate_of(costs, config, len(training), len(validation) if validation is not None else 0)


def some_of(samples: LabelledSamples, count: int) -> LabelledSamples:
    """At most `count` pictures of a set, evenly spread over it, as a set of their own that keeps nothing yet."""
    total = len(samples)
    count = min(count, total)
    images = [samples.images[place * total // count] for place in range(count)]
    document = with_images(samples.document, images)
    return LabelledSamples(document, samples.picture_path, samples.config, samples.augment)


def seconds_per_first_read(samples: LabelledSamples, now: Now) -> float:
    """Seconds that a picture takes more when it is read for the first time. Afterwards all of them are kept in memory,
    as far as the config lets them."""
    took = []
    for _ in range(2):
        began = now()
        for index in range(len(samples)):
            samples.read(index)
        took.append(now() - began)
    return max(0.0, took[0] - took[1]) / len(samples)


def share_without_room(samples: LabelledSamples, pictures: int) -> float:
    """The share of a set of so many pictures, each as large as those of `samples`, that memory cannot keep."""
    each = sum(picture.nbytes + objects.nbytes for picture, objects in map(samples.read, range(len(samples))))
    return max(0.0, 1 - samples.config.picture_cache_mb * 10**6 / (each / len(samples) * pictures))


def seconds_per_step(model: StudioRCNN, samples: LabelledSamples, layers: str, now: Now) -> float:
    """Seconds of one step of the training while `layers` learn."""
    config = model.config
    model.set_layers(layers)
    model.train()
    optimiser, average, team = make_optimiser(model), RunningMean(model, config.ema), Team()
    rate = config.learning_rate / (config.warmup_steps + 1)  # that of the first step: nothing is to diverge here
    threads = loader_threads(config, next(model.parameters()).device)
    with BatchLoader(samples, config, threads=threads) as loader, several_proposals_per_object(model):

        def step() -> None:
            loop.step(model, optimiser, next(loader), rate, 1, 1, team)
            average.update()

        return mean_seconds(step, now)


def several_proposals_per_object(model: StudioRCNN) -> AbstractContextManager[None]:
    """Within the context each object is proposed `PROPOSALS_ON_AN_OBJECT` times, as by an RPN that has learned: masks
    are computed for positive RoIs alone, so a step of an untrained network would be quicker."""
    add_gt_proposals = model.roi_heads.add_gt_proposals

    def add(proposals: list[Tensor], gt_boxes: list[Tensor]) -> list[Tensor]:
        return add_gt_proposals(proposals, [boxes.repeat(PROPOSALS_ON_AN_OBJECT, 1) for boxes in gt_boxes])

    return temporary_attributes((model.roi_heads, "add_gt_proposals", add))


def seconds_per_validated(model: StudioRCNN, samples: LabelledSamples, now: Now) -> float:
    """Seconds that the validation takes for one picture: its losses, and what is detected on it."""

    def validate() -> None:
        validation_losses(model, samples)
        detect_all(model, samples)

    def make_ready() -> None:
        detect_all(model, samples, [])

    took = mean_seconds(validate, now, warm_up=1, timed=1) - mean_seconds(make_ready, now, warm_up=0, timed=1)
    return max(0.0, took) / len(samples)


def seconds_per_epoch(model: StudioRCNN, samples: LabelledSamples, now: Now) -> float:
    """Seconds that the end of an epoch takes, whatever its length: the network is made ready for inference, its weights
    are written (once more as the best ones), and the state from which the run could be resumed."""
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
    """Mean seconds of `action`: done `warm_up` times first, then `timed` times, or until `TIMED_SECONDS` are over."""
    for _ in range(warm_up):
        action()
    began, done = now(), 0
    while done < timed and now() - began < TIMED_SECONDS:
        action()
        done += 1
    return (now() - began) / done


def clock_of(device: torch.device) -> Now:
    """A clock in seconds that first waits until the device has finished."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter()

    return now
