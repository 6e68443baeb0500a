"""One request: everything that a person chose of a training, and the only place where a `Config` is made of it.

The command line, the Launch page, the queue, benchmarks and notebooks each make a `TrainingRequest` and hand it on. It
loads no torch.

    request = TrainingRequest(data="cells", init="toy", changed={"epochs": 5})
    request.to_argv()                    # ["--data", "cells", "--epochs", "5", "--init", "toy"]
    request.config()                     # the Config, but for the classes and keypoints of the labels
    config_for(request.config(), labels) # with them
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, Config, parse_settings
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs import initial_weights, shipped_models
from maskrcnn.runs.request_options import FIELD_OPTIONS, LONGEST_VALUE, OPTIONS, read_pairs, written
from maskrcnn.runs.source_network import TorchFile, source_fields

_TEXTS = tuple(option.key for option in OPTIONS if not option.is_field)
_PATHS = ("data", "val", "images", "backbone_weights", "init")


@dataclass(frozen=True)
class TrainingRequest:
    """What is to be trained. Each value is None where nobody chose it.

    `data`, `val` and `images` are paths, as for the options of the same names; `class_attribute` is the VIA attribute
    that holds the class; `preset` is a set of defaults. `backbone_weights` and `init` are the initial weights, a word
    ("imagenet", "coco", "none", a model that ships) or a path. `changed` are fields of the Config that a person chose;
    treat it as read-only. Paths may be given as `Path`; lists count as tuples.

    >>> request = TrainingRequest(data="cells", init="toy", changed={"epochs": 5})
    >>> request.to_argv()
    ['--data', 'cells', '--epochs', '5', '--init', 'toy']
    >>> TrainingRequest.from_argv(request.to_argv()) == TrainingRequest.from_json(request.to_json()) == request
    True
    """

    data: str | None = None
    val: str | None = None
    images: str | None = None
    class_attribute: str | None = None
    preset: str | None = None
    backbone_weights: str | None = None
    init: str | None = None
    changed: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _TEXTS:
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else os.fspath(value))
        changed = {name: _plain(name, value) for name, value in self.changed.items()}
        if changed.get("minutes") is not None and changed.get("epochs") is None:
            changed["epochs"] = None  # a run has one length
        object.__setattr__(self, "changed", changed)

    # From words and to words

    @classmethod
    def from_options(cls, values: Mapping[str, Any]) -> TrainingRequest:
        """The request of parsed options: each under its key, None where it was not given, settings in `set`."""
        changed = parse_settings(list(values.get("set") or ()))
        changed |= {name: values[name] for name in FIELD_OPTIONS if values.get(name) is not None}
        if values.get("minutes") is not None:
            changed["epochs"] = None
        return cls(**{name: values.get(name) for name in _TEXTS}, changed=changed)

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> TrainingRequest:
        """The request that options of `python -m maskrcnn train` mean, as `--name value` in turn.

        They may come from anybody: `ArgumentError` names the first that is no option of a request or no value of its
        kind.
        """
        return cls.from_options(read_pairs(argv))

    def to_argv(self) -> list[str]:
        """The options of `python -m maskrcnn train` that mean this request."""
        return written({name: getattr(self, name) for name in _TEXTS}, self.changed)

    @classmethod
    def from_json(cls, text: str) -> TrainingRequest:
        """The request that `to_json` wrote. `StudioError` where the text is none."""
        try:
            document = json.loads(text)
            texts, changed = {name: document.get(name) for name in _TEXTS}, document.get("changed", {})
            unknown = [name for name in document if name not in (*_TEXTS, "changed")]
            sound = all(value is None or _is_text(value) for value in texts.values()) and not unknown
        except (ValueError, AttributeError, RecursionError):
            sound = False
        if not sound or not isinstance(changed, dict):
            raise StudioError("this is no request for a training; make it with to_json")
        for name in changed:
            parse_settings([f"{name}=null"])  # `ArgumentError` where there is no such field
        return cls(**texts, changed=changed)

    def to_json(self) -> str:
        """The request as a JSON object; what nobody chose is left out."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    def resolved(self) -> TrainingRequest:
        """The same request with absolute paths, so that it means the same in another folder. An empty path stays."""
        words = ("none", "imagenet", "coco", *shipped_models.names())
        paths: dict[str, Any] = {
            name: str(Path(path).expanduser().resolve())
            for name in _PATHS
            if (path := getattr(self, name)) and not (name in ("backbone_weights", "init") and path in words)
        }
        return replace(self, **paths)

    # The Config

    def start(self) -> initial_weights.InitialWeights:
        """What initial weights are: those that were chosen, else the usual ones of such a network."""
        if self.init is None and self.backbone_weights is None:
            config = Config.preset(self.preset or DEFAULT_PRESET, **self.changed)
            return initial_weights.usual_weights(config, None if self.preset else self.changed)
        words = ("none" if word is None else word for word in (self.backbone_weights, self.init))
        return initial_weights.InitialWeights(*words)

    def config(self, labels: Mapping[str, Any] | None = None, torch_file: TorchFile | None = None) -> Config:
        """The Config of this training: the preset's fields, those that suit the initial weights, those of the network
        that these were trained as, and above all the fields that a person changed.

        With a named preset only `norm_eps` comes along with initial weights, because their norms were trained with it;
        without one, their whole network does (`source_network`). `labels` are those of `training_documents`, or its
        "classes" and "keypoints"; without them classes and keypoints are the preset's. Only for a `.pth` file of a
        whole network is `torch_file` needed (`model.weights.torch_file_network`).

        Raises `ArgumentError` for a value out of range or values that do not go together, and as `source_fields` for
        initial weights that are not there or cannot be read.

        >>> request = TrainingRequest(preset="torchvision", init="coco", changed={"epochs": 5})
        >>> config = request.config({"classes": ("cell",), "keypoints": None})
        >>> config.class_names, config.epochs, config.layers, config.norm_eps
        (('cell',), 5, '3+', 0.0)
        """
        start, preset = self.start(), self.preset or DEFAULT_PRESET
        usual = initial_weights.usual_fields(start, Config.preset(preset).norm)
        source = source_fields(start.init, self.changed, self.preset, torch_file)
        if self.preset:
            source = {name: value for name, value in source.items() if name == "norm_eps"}
        elif self.changed.keys() & {"epochs", "minutes"}:
            source = {name: value for name, value in source.items() if name not in ("epochs", "minutes")}
        config = Config.preset(preset, **{**usual, **source, **self.changed})
        return config if labels is None else config_for(config, labels)

    # Checks

    def require_fit(self, config: Config) -> None:
        """`ArgumentError` with the mend where the initial weights cannot be those of a network `config`. Only what is
        known without their tensors is asked."""
        start = self.start()
        misfit = None
        if start.init == "coco":
            misfit = initial_weights.coco_misfit(config)
        elif shipped_models.folder(start.init):
            misfit = initial_weights.shipped_misfit(start.init, config)
        elif start.weights == "imagenet":
            misfit = initial_weights.imagenet_misfit(config)
        if misfit:
            raise ArgumentError(misfit)

    def require_files(self) -> None:
        """`ArgumentError` where initial weights are to come from a file that is not there."""
        ships = shipped_models.names()
        for path, known, wanted in (
            (self.backbone_weights, ("none", "imagenet", *ships), "the path of a .pth file"),
            (self.init, ("none", "coco", *ships), "the path of a run or a weights file"),
        ):
            if path is None or path in known:
                continue
            if not path:
                raise ArgumentError(f"weights: no file was named; give {wanted}")
            if not Path(path).expanduser().exists():
                raise ArgumentError(f"{path}: there is no such file; give {wanted}")

    def has_files(self) -> bool:
        """Whether `require_files` would find nothing missing."""
        try:
            self.require_files()
        except ArgumentError:
            return False
        return True

    def longer(self) -> tuple[int | None, float | None]:
        """Of a request to resume a run: how many more epochs, or how many more minutes.

        `ArgumentError` where anything else was chosen: a run is resumed with the choices that it has.
        """
        if self.init is not None or self.backbone_weights is not None or self.changed.keys() - set(FIELD_OPTIONS):
            raise ArgumentError(
                "--set, --init and --backbone-weights: a run is resumed with the choices that it has; leave them out"
            )
        for option in OPTIONS:
            value = self.changed.get(option.key) if option.is_field else getattr(self, option.key)
            if value is not None and option.key not in ("epochs", "minutes"):
                raise ArgumentError(f"{option.name}: a run is resumed with the choices that it has; leave it out")
        return self.changed.get("epochs"), self.changed.get("minutes")


def config_for(config: Config, labels: Mapping[str, Any]) -> Config:
    """The Config of a run on `labels` (`training_documents`, or its "classes" and "keypoints"): their classes and,
    where they are a task, their keypoints.

    The labels' own names and limbs of the keypoints come before those of `config`. Raises `ArgumentError` where
    `config` names keypoints or sigmas and not as many as there are.
    """
    changes: dict[str, Any] = {"class_names": labels["classes"], "num_classes": len(labels["classes"]) + 1}
    if found := labels["keypoints"]:
        changes["num_keypoints"] = found.count
        if found.names:
            changes["keypoint_names"] = found.names
        if found.edges:
            changes["keypoint_edges"] = found.edges
    return config.replace(**changes)


def _plain(name: str, value: Any) -> Any:
    """A field's value in the one form that argv and JSON give back: tuples for lists, tasks as a tuple of words."""
    if name == "tasks" and isinstance(value, str):
        return tuple(value.split(","))
    if name == "layers" and isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, list | tuple):
        return tuple(_plain("", part) for part in value)
    return dict(value) if isinstance(value, Mapping) else value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_VALUE and "\0" not in value
