"""`python -m maskrcnn train`: fine-tune a network and leave a run folder."""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskrcnn.annotations.trainable import Watch
from maskrcnn.cli.device_option import add_device, choose_device
from maskrcnn.cli.estimate import estimate_command
from maskrcnn.config import BACKBONES, LOSSES, POOLINGS, PRESETS
from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.runs import attempts, shipped_models
from maskrcnn.runs.epochs import EPOCHS_IN_A_BUDGET, Best, best_epoch, passes, passes_in_words
from maskrcnn.runs.folder import CONFIG, Row, RunFolder
from maskrcnn.runs.readiness import remarks
from maskrcnn.training.distributed import Team, join
from maskrcnn.training.hardware import machine, machines
from maskrcnn.training.logbook import Logbook
from maskrcnn.training.loop import train
from maskrcnn.training.samples import LabelledPictures
from maskrcnn.training.start import Start, begin, rehearse, resume
from maskrcnn.training.tensorboard import Events
from maskrcnn.words import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DATASET", help="labels to learn: a file, folder or project")
    parser.add_argument("--val", type=Path, metavar="DATASET", help="labels to validate on (a project brings its own)")
    parser.add_argument("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the labels")
    parser.add_argument(
        "--class-attribute",
        metavar="NAME",
        help="the VIA region attribute that is the class, where the rule would find another, or several (mango,orange),"
        " each where it is set; --val follows it",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run folder to make")
    parser.add_argument("--preset", choices=PRESETS, help="which set of defaults to start from (classroom)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="how many epochs (20), each once through the pictures; with --resume how many more",
    )
    length.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="how long to train instead, with epochs of one or more passes through the pictures, such that about "
        f"{EPOCHS_IN_A_BUDGET} fit; with --resume how much longer",
    )
    parser.add_argument("--backbone", choices=BACKBONES, help="the body of the network")
    parser.add_argument(
        "--backbone-weights",
        metavar="PATH|imagenet|toy|none",
        help="what the body knows at the start: ImageNet's weights, the body of a model that ships or of a run, or a "
        ".pth file of torchvision",
    )
    parser.add_argument(
        "--init",
        metavar="toy|coco|PATH|none",
        help="what the whole network knows at the start: a model that ships with the studio "
        f"({', '.join(shipped_models.names()) or 'none is here'}), torchvision's COCO weights, a run, a checkpoint, or "
        "a .pth file of torchvision; without --preset it also says which network. Where neither this nor "
        "--backbone-weights is given: torchvision's weights if they are on this machine already, else toy if it fits, "
        "else none",
    )
    parser.add_argument(
        "--tasks",
        metavar="TASK,...",
        help="what to find of each object: box (Faster R-CNN), box,mask (Mask R-CNN, usual), box,keypoints (Keypoint "
        "R-CNN) or box,mask,keypoints",
    )
    parser.add_argument("--pooling", choices=POOLINGS, help="how RoIs are read from the feature maps")
    parser.add_argument(
        "--layers",
        metavar="heads|3+|4+|5+|all",
        help="what learns: the heads, also the body from a stage on, or all (3+ from weights of photographs); or one "
        "after the other: heads,all",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="seed of everything random (0)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="any other field of the config"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --out that was stopped, as if it had not been; with --epochs or --minutes train it "
        "so much longer than was planned",
    )
    parser.add_argument(
        "--estimate", action="store_true", help="only measure how long it would take here; writes nothing into --out"
    )
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Check everything that can be checked, then make the run folder (or open it again), then train."""
    cancelled = stop_on_signals()
    here = RunFolder(args.out)
    started_by_studio = attempts.noted_here(here) and (args.resume or not (here.path / CONFIG).exists())
    team, device = join(choose_device(args.device))
    watch = in_sight(cancelled)
    try:
        if args.estimate:
            return estimate_command(*rehearse(args, device, watch))
        start = resume(args, device, team) if args.resume else begin(args, device, team, watch)
    except StudioError as error:
        if started_by_studio:  # the page that started us reads the folder, not our exit status
            with contextlib.suppress(OSError):  # or the folder is gone
                here.write_result({**(here.result() or {}), "state": "failed", "error": str(error)})
        raise
    with Logbook(start.run, quiet=not team.leads) as log:
        outcome = follow(start, team, cancelled, log)
    team.leave()
    return 0 if outcome["state"] == "done" else 1


def follow(start: Start, team: Team, cancelled: Callable[[], bool], log: Logbook) -> dict[str, Any]:
    """Train, with a bar on the terminal and a line in the log for every epoch; the result, which is written too."""
    run, model, config = start.run, start.model, start.model.config
    training = LabelledPictures(start.documents["train"], run.picture_path, config, augment=True)
    val = start.documents["val"]
    validation = LabelledPictures(val, run.picture_path, config) if val and val["images"] else None
    computes = machine(next(model.parameters()).device)
    log(
        f"{run.name}: {counted(len(training), 'picture')} to learn from, "
        f"{len(validation) if validation else 'none'} to validate on, "
        f"{config.backbone} with {config.pooling} for {', '.join(config.tasks)} on {computes}"
        + (f", {counted(team.size, 'process', 'processes')}" if team.size > 1 else "")
    )
    for line in [*start.lines, *remarks(config, start.documents)]:
        log(line)
    events = Events.of(run, config) if team.leads else None
    with tqdm(total=1.0, disable=None if team.leads else True, bar_format="{l_bar}{bar}| {elapsed}{postfix}") as bar:

        def report(row: Row) -> None:
            bar.update(row["progress"] - bar.n)
            bar.set_postfix_str(f"epoch {row['epoch']}, loss {row['loss']:.3f}, ETA {clock(row['eta'])}")
            if row["event"] == "epoch":
                log(epoch_line(row, passes(row["step"], config.batch_size, len(training))))
            if events:
                events.add(row)

        try:
            outcome = train(model, training, validation, run, report, cancelled, start.state, team)
        except Exception as error:
            with contextlib.suppress(OSError):  # where the disk is full, the terminal still says why
                if team.leads:
                    run.write_result({"state": "failed", "error": one_line(error)})
                log(f"failed: {one_line(error)}")
            raise
        finally:
            if events:
                events.close()
    if team.leads:
        run.write_result(outcome | {"machine": machines(start.machine, computes)})
    early = f" (no better AP for {counted(config.patience or 0, 'epoch')})" if outcome["stopped_early"] else ""
    best = best_words(best_epoch(run.epochs()))
    log(f"{outcome['state']}{early}, took {clock(outcome['seconds'])}, {best}: {run.path}")
    return outcome


def in_sight(cancelled: Callable[[], bool]) -> Watch:
    """A bar on the terminal for what takes long before the first step, which can be broken off."""

    def watch(items: Iterable[Any], doing: str, count: int) -> Iterator[Any]:
        for item in tqdm(items, doing, count, disable=None, leave=False):
            if cancelled():
                raise KeyboardInterrupt
            yield item

    return watch


def stop_on_signals() -> Any:
    """Ask for a clean end on SIGTERM and Ctrl-C; the returned function says whether one came."""
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        if received:  # a second one means now
            raise KeyboardInterrupt
        received.append(number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return lambda: bool(received)


def best_words(best: Best | None) -> str:
    """`best epoch 3 (mask AP 0.602)`"""
    if best is None:
        return "no epoch finished"
    if best.score is None:
        return f"best epoch {best.epoch}, the last one, as there was nothing to measure on"
    return f"best epoch {best.epoch} ({best.judged_by} {best.score:.3f})"


def epoch_line(row: Row, seen: float) -> str:
    """One epoch as a line of the log; until its end each training picture was `seen` so many times."""
    parts = [f"epoch {row['epoch']:3d}  step {row['step']}  passes {passes_in_words(seen)}  loss {row['loss']:.3f}"]
    if "val_loss" in row:
        parts.append(f"val {row['val_loss']:.3f}")
    parts += [f"{name.removesuffix('_loss')} {row[name]:.3f}" for name in LOSSES if name in row]
    shown = ("segm_ap", "segm_ap50", "keypoints_ap", "keypoints_ap50", "bbox_ap")
    parts += [f"{name} {row[name]:.3f}" for name in shown if row.get(name) is not None]
    return "  ".join([*parts, f"{clock(row['elapsed'])} so far", f"ETA {clock(row['eta'])}"])


def one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, StudioError) else f"{type(error).__name__}: {text}"
