"""Where a training starts: from labels and choices, or from where it was stopped.

Nothing is written unless all is right.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from maskrcnn.annotations.trainable import Watch
from maskrcnn.config import DEFAULT_PRESET, Config, parse_settings
from maskrcnn.errors import ArgumentError
from maskrcnn.model import weights
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.model.fast_inference import compile_backbone
from maskrcnn.model.mixed_precision import supports_bfloat16, use_bfloat16
from maskrcnn.model.norm_folding import use_folded_norms
from maskrcnn.runs import attempts, initial_weights, shipped_models
from maskrcnn.runs.folder import CONFIG, DATASET, RESULT, START, RunFolder
from maskrcnn.runs.readiness import require_ready
from maskrcnn.runs.training_documents import config_for, training_documents
from maskrcnn.training.distributed import Team
from maskrcnn.training.samples import LabelledPictures
from maskrcnn.training.saved_state import load_state
from maskrcnn.training.tensorboard import require_tensorboard
from maskrcnn.words import counted

KNOWN_SOURCES = {"coco": "COCO", "imagenet": "ImageNet"}
"""Words for weights that torchvision fetches -> what their data is called."""

NOT_WITH_RESUME = (
    *("data", "val", "images", "class_attribute", "preset", "backbone", "tasks", "pooling", "layers"),
    "seed",
)


@dataclass
class Start:
    """A run folder, its network on its device, its labels, and the `state` that it goes on from, if it does. `lines`
    are what the log should say first, `machine` is what it has computed on so far."""

    run: RunFolder
    model: StudioRCNN
    documents: dict[str, Any]
    state: dict[str, Any] | None = None
    lines: list[str] = field(default_factory=list)
    machine: str | None = None


def begin(args: argparse.Namespace, device: torch.device, team: Team, watch: Watch) -> Start:
    """A new run folder, its network with the weights that it starts from, and its labels.

    The first process of a team makes them; the others find them in the run folder.
    """
    if not team.leads:
        team.wait()
        run = RunFolder(RunFolder.open(args.out).path, made_here=True)
        return Start(run, ready(build(run.config()), device), run.dataset())
    run = RunFolder(args.out)
    run.refuse_if_taken()
    model, documents, lines = from_choices(args, watch)
    refuse_uneven(model.config, documents, team)
    model = ready(model, device)
    run = RunFolder(RunFolder.create(args.out).path, made_here=True)
    attempts.begin(run)
    run.write_json(DATASET, {"train": documents["train"], "val": documents["val"]})
    known = known_at_start(args)
    run.write_json(START, {"preset": args.preset, "init": known.init, "backbone_weights": known.weights})
    run.write_json(CONFIG, model.config.model_dump())
    team.wait()
    return Start(run, model, documents, lines=lines)


def rehearse(
    args: argparse.Namespace, device: torch.device, watch: Watch
) -> tuple[StudioRCNN, LabelledPictures, LabelledPictures | None, Config]:
    """The network and the labels of a training that is only measured."""
    model, documents, _ = from_choices(args, watch, snapshot=False)
    config, run = model.config, RunFolder(args.out, made_here=True)
    training = LabelledPictures(documents["train"], run.picture_path, config, augment=True)
    validation = LabelledPictures(documents["val"], run.picture_path, config) if documents["val"] else None
    return ready(model, device), training, validation, config


def resume(args: argparse.Namespace, device: torch.device, team: Team) -> Start:
    """The run in `--out`, where it was stopped; longer than planned, if the options say so.

    Raises `ArgumentError` for options that would make another training of it, and while it is still training.
    """
    for name in NOT_WITH_RESUME:
        if getattr(args, name) is not None:
            raise ArgumentError(
                f"--{name.replace('_', '-')}: a run is resumed with the choices that it has; leave it out"
            )
    if args.set or args.init is not None or args.backbone_weights is not None:
        raise ArgumentError(
            "--set, --init and --backbone-weights: a run is resumed with the choices that it has; leave them out"
        )
    run = RunFolder.open(args.out)
    if team.leads and not attempts.noted_here(run) and attempts.is_training(run):
        raise ArgumentError(f"{run.path} is still training; cancel it first, or wait for it")
    ended = run.result() or {}
    if ended.get("state") == "done" and not ended.get("stopped_early") and args.epochs is args.minutes is None:
        raise ArgumentError(f"{run.path} has come to its end; --epochs N or --minutes M trains it so much longer")
    state = load_state(run.state, device)
    planned = run.config()
    config = longer(planned, args.epochs, args.minutes)
    model = ready(build(config), device)
    documents = run.dataset()
    require_ready(documents)
    refuse_uneven(config, documents, team)
    step = state["clock"]["step"]
    team.wait()  # nobody changes what another one still reads
    if team.leads:
        attempts.begin(run)
        run.sweep()
        run.write_json(CONFIG, config.model_dump())
        (run.path / RESULT).unlink(missing_ok=True)
    line = f"goes on after step {step}, epoch {state['course']['finished']}"
    if config != planned:
        line += f"; its length is {_length(config)} now, not {_length(planned)}"
    return Start(run, model, documents, state, [line], ended.get("machine"))


def _length(config: Config) -> str:
    if config.minutes is not None:
        return f"{config.minutes:g} {'minute' if config.minutes == 1 else 'minutes'}"
    return counted(config.epochs or 0, "epoch")


def longer(config: Config, epochs: int | None, minutes: float | None) -> Config:
    """`config` with that many more epochs or minutes than were planned. `ArgumentError` where it counts the other."""
    if epochs is not None and config.epochs is None:
        raise ArgumentError(f"--epochs {epochs}: the length of this run is set in minutes; give --minutes")
    if minutes is not None and config.minutes is None:
        raise ArgumentError(f"--minutes {minutes:g}: the length of this run is set in epochs; give --epochs")
    if epochs is not None and config.epochs is not None:
        if epochs < 1:
            raise ArgumentError(f"--epochs {epochs}: give how many more, 1 at least")
        return config.replace(epochs=config.epochs + epochs)
    if minutes is not None and config.minutes is not None:
        if minutes <= 0:
            raise ArgumentError(f"--minutes {minutes:g}: give how many more, above 0")
        return config.replace(minutes=config.minutes + minutes)
    return config


def from_choices(
    args: argparse.Namespace, watch: Watch, snapshot: bool = True
) -> tuple[StudioRCNN, dict[str, Any], list[str]]:
    """The network of a new training with its weights, its labels, and in a line each what the weights brought along."""
    if args.data is None:
        raise ArgumentError("--data is missing: labels to learn, a file, a folder or a project")
    start, config = known_at_start(args), configure(args)
    documents = training_documents(
        args.data, args.val, args.images, args.out, config.tasks, snapshot, watch, args.class_attribute
    )
    require_ready(documents)
    config = config_for(config, documents)
    require_tensorboard(config)
    torch.manual_seed(config.seed)  # what no weights fill is random
    model = build(config)
    lines = [f"starts from {start.why} (nobody chose; --init says otherwise)"] if start.why else []
    lines += [
        fill(model, source).describe(_called(source))
        for fill, source in ((weights.load_body, start.weights), (weights.initialise, start.init))
        if source != "none"
    ]
    return model, documents, lines


def ready(model: StudioRCNN, device: torch.device) -> StudioRCNN:
    """The network where it will learn, in the arithmetic that it will learn in."""
    config = model.config
    if config.compile:
        compile_backbone(model.to(device))
    # Convolutions of small pictures run up to twice as fast with the channels innermost.
    model = model.to(device, memory_format=torch.channels_last)
    use_folded_norms(model)
    if config.precision == "bfloat16" or (config.precision == "auto" and supports_bfloat16(device)):
        use_bfloat16(model)
    return model


def refuse_uneven(config: Config, documents: dict[str, Any], team: Team) -> None:
    """`ArgumentError` where the team cannot share each batch evenly."""
    batch = min(config.batch_size, len(documents["train"]["images"]))
    if batch % team.size:
        raise ArgumentError(
            f"{team.size} processes cannot share batches of {counted(batch, 'picture')} evenly; give --set "
            f"batch_size={math.ceil(batch / team.size) * team.size}"
        )


def known_at_start(args: argparse.Namespace) -> initial_weights.Start:
    """What the options say of the weights at the start; where they say nothing, what is usual."""
    if args.init is None and args.backbone_weights is None:
        chosen = chosen_fields(args)
        return initial_weights.usual(
            Config.preset(args.preset or DEFAULT_PRESET, **chosen), None if args.preset else chosen
        )
    return initial_weights.Start(args.backbone_weights or "none", args.init or "none")


def configure(args: argparse.Namespace) -> Config:
    """The Config that the options describe; without --preset, the network that --init was trained as."""
    changes, start = chosen_fields(args), known_at_start(args)
    preset = args.preset or DEFAULT_PRESET
    usual = initial_weights.usual_fields(start, Config.preset(preset).norm)
    source = {} if start.init == "none" else weights.start_of(start.init, changes, args.preset)
    if args.preset:  # what it says, but for the arithmetic that the weights were trained with
        source = {name: source[name] for name in ("norm_eps",) if name in source}
    elif changes.keys() & {"epochs", "minutes"}:
        source = {name: value for name, value in source.items() if name not in ("epochs", "minutes")}
    return Config.preset(preset, **usual | source | changes)


def chosen_fields(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of the Config that the options name."""
    changes: dict[str, Any] = parse_settings(args.set)
    for name in ("epochs", "minutes", "backbone", "tasks", "pooling", "layers", "seed"):
        if (value := getattr(args, name)) is not None:
            changes[name] = value
    if args.minutes is not None:
        changes["epochs"] = None
    return changes


def _called(source: str) -> str:
    """A source of weights, as the log calls it."""
    return KNOWN_SOURCES.get(source) or (source if shipped_models.folder(source) else Path(source).resolve().name)
