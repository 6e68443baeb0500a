"""`python -m maskrcnn train`: fine-tune a network and leave a run folder."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from maskrcnn.cli.device import add_device, choose_device
from maskrcnn.config import BACKBONES, LAYERS, LOSSES, POOLINGS, PRESETS, Config, parse_settings
from maskrcnn.errors import StudioError
from maskrcnn.model import weights
from maskrcnn.model.build import build
from maskrcnn.model.precision import supports_bfloat16, use_bfloat16
from maskrcnn.model.speed import compile_backbone
from maskrcnn.training.labels import config_for, training_documents
from maskrcnn.training.logbook import Logbook
from maskrcnn.training.loop import train
from maskrcnn.training.run_folder import CONFIG, DATASET, RESULT, Row, RunFolder
from maskrcnn.training.samples import LabelledPictures, mirror_order

KNOWN_SOURCES = {"coco": "COCO", "imagenet": "ImageNet"}
"""Words for weights that torchvision fetches -> what their data is called."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DATASET", help="labels to learn: a file, folder or project"
    )
    parser.add_argument("--val", type=Path, metavar="DATASET", help="labels to validate on (a project brings its own)")
    parser.add_argument("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the labels")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run folder to make")
    parser.add_argument("--preset", choices=PRESETS, help="which set of defaults to start from (classroom)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=int, metavar="N", help="how many times through the pictures (20)")
    length.add_argument("--minutes", type=float, metavar="M", help="how long to train instead")
    parser.add_argument("--backbone", choices=BACKBONES, help="the body of the network")
    parser.add_argument(
        "--backbone-weights",
        default="none",
        metavar="PATH|imagenet|none",
        help="what the body knows at the start (none)",
    )
    parser.add_argument(
        "--init",
        default="none",
        metavar="PATH|coco|none",
        help="what the whole network knows at the start (none): a run, a checkpoint, or a .pth file of torchvision; "
        "without --preset it also says which network",
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
        choices=LAYERS,
        help="what learns: the heads, also the body from a stage on, or all (3+ where weights are given)",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="seed of everything random (0)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="any other field of the config"
    )
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Check everything that can be checked, then make the run folder, then train."""
    cancelled = stop_on_signals()
    here = RunFolder(args.out)
    started_by_studio = here.started_here() and not (here.path / CONFIG).exists()
    try:
        run, model, documents, taken_over = prepare(args)
    except StudioError as error:
        if started_by_studio:  # the page that started us reads the folder, not our exit status
            here.write_json(RESULT, {"state": "failed", "error": str(error)})
        raise
    with Logbook(run) as log:
        training = LabelledPictures(documents["train"], run.picture_path, model.config, augment=True)
        validation = LabelledPictures(documents["val"], run.picture_path, model.config) if documents["val"] else None
        log(
            f"{run.name}: {len(training)} pictures to learn from, "
            f"{len(validation) if validation else 'none'} to validate on, "
            f"{model.config.backbone} with {model.config.pooling} for {', '.join(model.config.tasks)} on "
            f"{next(model.parameters()).device}"
        )
        for line in [*taken_over, *remarks(model.config, documents["train"])]:
            log(line)
        with tqdm(total=1.0, disable=None, bar_format="{l_bar}{bar}| {elapsed}{postfix}") as bar:

            def report(row: Row) -> None:
                bar.update(row["progress"] - bar.n)
                bar.set_postfix_str(f"epoch {row['epoch']}, loss {row['loss']:.3f}, ETA {clock_time(row['eta'])}")
                if row["event"] == "epoch":
                    log(epoch_line(row))

            try:
                result = train(model, training, validation, run, report, cancelled)
            except Exception as error:
                run.write_json(RESULT, {"state": "failed", "error": one_line(error)})
                log(f"failed: {one_line(error)}")
                raise
        run.write_json(RESULT, result)
        log(f"{result['state']} after {clock_time(result['seconds'])}, best epoch {result['best_epoch']}: {run.path}")
    return 0 if result["state"] == "done" else 1


def prepare(args: argparse.Namespace) -> tuple[RunFolder, Any, dict[str, Any], list[str]]:
    """The new run folder, the network with its weights, the labels, and in a line each what the weights brought along.

    Writes nothing unless all of it is right.
    """
    run = RunFolder(args.out)
    run.refuse_if_taken()
    device = choose_device(args.device)
    config = configure(args)
    documents = training_documents(args.data, args.val, args.images, run.path, config.tasks)
    config = config_for(config, documents)
    torch.manual_seed(config.seed)  # what no weights fill is random
    model = build(config)
    taken_over = [
        fill(model, source).describe(KNOWN_SOURCES.get(source) or Path(source).resolve().name)
        for fill, source in ((weights.load_body, args.backbone_weights), (weights.initialise, args.init))
        if source != "none"
    ]
    if config.compile:
        compile_backbone(model.to(device))
    run = RunFolder.create(args.out)
    run.write_process()
    run.write_json(DATASET, {"train": documents["train"], "val": documents["val"]})
    run.write_json(CONFIG, config.model_dump())
    # Convolutions of small pictures run up to twice as fast with the channels innermost.
    model = model.to(device, memory_format=torch.channels_last)
    if config.precision == "bfloat16" or (config.precision == "auto" and supports_bfloat16(device)):
        use_bfloat16(model)
    return run, model, documents, taken_over


def configure(args: argparse.Namespace) -> Config:
    """The Config that the options describe; without --preset, the network that --init was trained as."""
    changes: dict[str, Any] = parse_settings(args.set)
    for name in ("epochs", "minutes", "backbone", "tasks", "pooling", "layers", "seed"):
        if (value := getattr(args, name)) is not None:
            changes[name] = value
    if args.minutes is not None:
        changes["epochs"] = None
    if args.backbone_weights == "none" and args.init == "none":
        changes.setdefault("norm", "batch")  # frozen statistics of nothing would be no norm at all
    else:
        changes.setdefault("layers", "3+")  # edges and colours, once learned, serve any picture
    start = {} if args.init == "none" else weights.start_of(args.init, changes, args.preset)
    if args.preset:  # what it says, but for the arithmetic that the weights were trained with
        return Config.preset(args.preset, **{name: start[name] for name in ("norm_eps",) if name in start} | changes)
    if changes.keys() & {"epochs", "minutes"}:
        start = {name: value for name, value in start.items() if name not in ("epochs", "minutes")}
    return Config.preset("classroom", **start | changes)


def remarks(config: Config, document: dict[str, Any]) -> Iterator[str]:
    """What somebody who trains on the labels `document` with `config` may not expect, each in a line."""
    if "keypoints" in config.tasks:
        if config.flip and mirror_order(config) is None:
            yield (
                "pictures are not mirrored, because the names of the keypoints do not say which is left and which is "
                "right; call them left_eye, right_eye and so on"
            )
    elif any(annotation.get("num_keypoints") for annotation in document["annotations"]):
        yield f"the labels have keypoints too; --tasks {','.join([*config.tasks, 'keypoints'])} learns them"


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


def epoch_line(row: Row) -> str:
    """One epoch as a line of the log."""
    parts = [f"epoch {row['epoch']:3d}  loss {row['loss']:.3f}"]
    if "val_loss" in row:
        parts.append(f"val {row['val_loss']:.3f}")
    parts += [f"{name.removesuffix('_loss')} {row[name]:.3f}" for name in LOSSES if name in row]
    shown = ("segm_ap", "segm_ap50", "keypoints_ap", "keypoints_ap50", "bbox_ap")
    parts += [f"{name} {row[name]:.3f}" for name in shown if row.get(name) is not None]
    return "  ".join([*parts, f"ETA {clock_time(row['eta'])}"])


def clock_time(seconds: float | None) -> str:
    """Seconds as 4:10; empty where unknown."""
    return "?" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, StudioError) else f"{type(error).__name__}: {text}"
