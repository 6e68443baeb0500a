"""When, how long, on what and with which command a run was trained, as far as its folder says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, PRESETS, Config
from maskrcnn.errors import StudioError
from maskrcnn.inference.model_cards.card_parts import TrainingFacts
from maskrcnn.runs import trainer_process
from maskrcnn.runs.best_epoch import best_epoch
from maskrcnn.runs.folder import PROCESS, START, RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.words import one_line

TRAIN = ("python", "-m", "maskrcnn", "train")

_PLACES = ("--data", "--val", "--images", "--init", "--backbone-weights")
"""Options whose value may be a path."""

_OF_LABELS = ("num_classes", "class_names", "num_keypoints", "keypoint_names", "keypoint_edges")
"""Fields of the Config that follow from the labels, so that no option sets them."""


def training_facts(run: RunFolder, config: Config, shipped_command: str = "") -> TrainingFacts:
    """How the run was trained. `shipped_command` made it if it is a model that ships with the studio."""
    result: dict[str, Any] = run.result() or {}
    start: dict[str, Any] = run.read_json(START) or {}
    process: dict[str, Any] = run.read_json(PROCESS) or {}
    rows = run.epochs()
    best = best_epoch(rows)
    command, note = (shipped_command, "") if shipped_command else _command(run, config, start, process)
    error = result.get("error")
    last = run.last_row() or {}
    return TrainingFacts(
        state=_state(run, result),
        error=one_line(error).replace(str(run.path), run.name) if error else None,
        epochs=result.get("epochs") or (rows[-1]["epoch"] if rows else None),
        best_epoch=result.get("best_epoch") or (best.epoch if best else None),
        best_by=best.judged_by if best else None,
        stopped_early=bool(result.get("stopped_early")),
        seconds=result.get("seconds", last.get("elapsed")),
        machine=one_line(result["machine"]) if result.get("machine") else None,
        started=start.get("started") or process.get("started"),
        versions={one_line(name): one_line(text) for name, text in _versions(start, result).items()} or None,
        command=command,
        command_note=note,
    )


def _state(run: RunFolder, result: Mapping[str, Any]) -> str:
    """The state of the run in words (see `TrainingFacts`)."""
    if result.get("state") in ("done", "cancelled", "failed"):
        return str(result["state"])
    return "training" if trainer_process.is_training(run) else "not finished"


def _versions(start: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, str]:
    """The versions of the programs: those of the start, and of the last attempt where it had others."""
    found = dict(start.get("versions") or {})
    for name, version in (result.get("versions") or {}).items():
        before = found.get(name)
        found[name] = version if before in (None, version) else f"{before}, then {version}"
    return found


def _command(run: RunFolder, config: Config, start: Mapping[str, Any], process: Mapping[str, Any]) -> tuple[str, str]:
    """The command that makes the run again, and what is not certain about it.

    It is made of the options in start.json; else of those in the command line of the trainer; else of the Config.
    """
    options, note = start.get("options"), ""
    if options is None:
        options = _options_of_process(process)
    if options is None:
        options = _options_of_config(config, start)
        note = "The run does not say which command made it; this one follows from its configuration."
    words = [*map(one_line, shortened_paths(options)), "--out", f"runs/{one_line(run.name)}"]
    shortened = list(options) != shortened_paths(options)
    paths = "Paths are shortened to their last part." if shortened else ""
    return shlex.join([*TRAIN, *words]), " ".join(filter(None, [note, paths]))


def shortened_paths(options: Sequence[str]) -> list[str]:
    """The options with absolute paths cut to their last part, as a card is for others.

    >>> shortened_paths(["--data", "/home/ada/cells", "--init", "toy", "--epochs", "5"])
    ['--data', 'cells', '--init', 'toy', '--epochs', '5']
    """
    found = list(options)
    for place, name in enumerate(found[:-1]):
        if name in _PLACES:
            found[place + 1] = _last_part(found[place + 1])
    return found


def _last_part(path: str) -> str:
    """The last part of an absolute path of any system; other texts stay. Of a weights file, its run stays too."""
    parts = Path(path).parts if Path(path).is_absolute() else ()
    if not parts and PureWindowsPath(path).is_absolute():
        parts = PureWindowsPath(path).parts
    if not parts:
        return path
    return "/".join(parts[-2:] if parts[-1].endswith(".safetensors") else parts[-1:])


def _options_of_process(process: Mapping[str, Any]) -> list[str] | None:
    """The options of the trainer's command line in process.json, checked; None if there are none, or it resumed."""
    words = trainer_process.options_of_trainer_process(list(process.get("argv") or []))
    if words is None or "--resume" in words:
        return None
    pairs: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        pairs += [name, value] if word.startswith("--") and equals and len(pairs) % 2 == 0 else [word]
    own = [
        part
        for name, value in zip(pairs[::2], pairs[1::2], strict=False)
        if name not in ("--out", "--device")
        for part in (name, value)
    ]
    try:
        return TrainingRequest.from_argv(own).to_argv()
    except StudioError:
        return None


def _options_of_config(config: Config, start: Mapping[str, Any]) -> list[str]:
    """Options that lead to this Config: those fields that the preset and the initial weights do not give."""
    preset = start.get("preset") if start.get("preset") in PRESETS else None
    given = {name: value for name in ("init", "backbone_weights") if (value := start.get(name)) not in (None, "none")}
    request = TrainingRequest(data="LABELS", preset=preset, **(given or {"init": "none"}))
    try:
        usual = request.config()
    except StudioError:  # the initial weights are not here
        usual = Config.preset(preset or DEFAULT_PRESET)
    changed = {
        name: getattr(config, name)
        for name in Config.model_fields
        if name not in _OF_LABELS and getattr(config, name) != getattr(usual, name)
    }
    return replace(request, changed=changed).to_argv()
