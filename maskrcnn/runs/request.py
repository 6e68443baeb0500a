"""A training request: all options of a training that the user chose, and the only code that builds its `Config`.

The command line, the Launch page, the queue, benchmarks and notebooks all create a `TrainingRequest`. This module does
not import torch.

    request = TrainingRequest(data="cells", init="toy", changed={"epochs": 5})
    request.to_argv()  # ["--data", "cells", "--epochs", "5", "--init", "toy"]
    request.config()  # the Config, without the classes and keypoints of the labels
    config_with_labels(request.config(), labels)  # the Config, with them
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
from maskrcnn.runs import initial_weights, shipped_models, weights_misfit
from maskrcnn.runs.initial_weights import TorchFile, fields_from_weights
from maskrcnn.runs.request_options import (
    FIELD_OPTIONS,
    OPTIONS,
    as_parsed_option,
    is_option_text,
    options_from_argv,
    options_to_argv,
)

_TEXTS = tuple(option.key for option in OPTIONS if not option.is_field)
_PATHS = ("data", "val", "images", "backbone_weights", "init")


@dataclass(frozen=True)
class TrainingRequest:
    """The options of a training. A value is None if the user did not choose it.

    `data`, `val` and `images` are paths, as in the options of the same names. `class_attribute` is the VIA attribute
    that contains the class. `preset` is a set of defaults. `backbone_weights` and `init` are the initial weights: a
    word ("imagenet", "coco", "none", a shipped model) or a path. `changed` contains the Config fields that the user
    chose; do not modify it. Paths may be `Path` objects, and lists are converted to tuples.

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
        changed = {name: as_parsed_option(name, value) for name, value in self.changed.items()}
        if changed.get("minutes") is not None:
            changed.setdefault("epochs", None)  # minutes replace the default number of epochs
        object.__setattr__(self, "changed", changed)

    # Conversion from and to options and JSON

    @classmethod
    def from_options(cls, values: Mapping[str, Any]) -> TrainingRequest:
        """The request for parsed options: a mapping of each option's key to its value (None: not given), with the list
        of `FIELD=VALUE` settings under `set`."""
        changed = parse_settings(list(values.get("set") or ()))
        changed |= {name: values[name] for name in FIELD_OPTIONS if values.get(name) is not None}
        if values.get("minutes") is not None:
            changed["epochs"] = None
        return cls(**{name: values.get(name) for name in _TEXTS}, changed=changed)

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> TrainingRequest:
        """The request for options of `python -m maskrcnn train`, a list of alternating names and values.

        The options are not trusted: raises `ArgumentError` for the first unknown option or invalid value.
        """
        return cls.from_options(options_from_argv(argv))

    def to_argv(self) -> list[str]:
        """The options of `python -m maskrcnn train` for this request."""
        return options_to_argv({name: getattr(self, name) for name in _TEXTS}, self.changed)

    @classmethod
    def from_json(cls, text: str) -> TrainingRequest:
        """The request from the JSON of `to_json`. Raises `StudioError` or `ArgumentError` if the text is invalid."""
        try:
            document = json.loads(text)
            texts, changed = {name: document.get(name) for name in _TEXTS}, document.get("changed", {})
            unknown = [name for name in document if name not in (*_TEXTS, "changed")]
            sound = all(value is None or is_option_text(value) for value in texts.values()) and not unknown
        except (ValueError, AttributeError, RecursionError):
            sound = False
        if not sound or not isinstance(changed, dict):
            raise StudioError("this is no request for a training; make it with to_json")
        for name in changed:
            parse_settings([f"{name}=null"])  # raises `ArgumentError` if there is no such field
        return cls(**texts, changed=changed)

    def to_json(self) -> str:
        """The request as a JSON object, without the values that are None."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    def resolved(self) -> TrainingRequest:
        """The same request with absolute paths, valid in any working directory. Empty paths stay empty."""
        words = ("none", "imagenet", "coco", *shipped_models.names())
        paths: dict[str, Any] = {
            name: str(Path(path).expanduser().resolve())
            for name in _PATHS
            if (path := getattr(self, name)) and not (name in ("backbone_weights", "init") and path in words)
        }
        return replace(self, **paths)

    # The Config

    def starting_weights(self) -> initial_weights.InitialWeights:
        """The initial weights: those that the user chose, otherwise the default for this network.

        If the user chose only one of `backbone_weights` and `init`, the other is "none".
        """
        if self.init is None and self.backbone_weights is None:
            config = Config.preset(self.preset or DEFAULT_PRESET, **self.changed)
            # A chosen preset determines the network. Without one, the default weights may come with their own network.
            return initial_weights.usual_weights(config, chosen=None if self.preset else self.changed)
        return initial_weights.InitialWeights(
            weights="none" if self.backbone_weights is None else self.backbone_weights,
            init="none" if self.init is None else self.init,
        )

    def config(self, labels: Mapping[str, Any] | None = None, torch_file: TorchFile | None = None) -> Config:
        """The Config of this training, from four sources of fields. Each overrides those before it: the preset,
        defaults for the initial weights (`usual_fields`), the network of these weights (`fields_from_weights`), and
        `changed`.

        If a preset was chosen, only `norm_eps` is taken from the network of the initial weights, because their norms
        were trained with it. `labels` is the result of `training_documents`, or its "classes" and "keypoints"; without
        it, classes and keypoints are those of the preset. `torch_file` (`model.weights.torch_file_network`) is needed
        only for a `.pth` file of a whole network.

        Raises `ArgumentError` for a value out of range or a contradiction between values. Raises like
        `fields_from_weights` if the initial weights do not exist or cannot be read.

        >>> request = TrainingRequest(preset="torchvision", init="coco", changed={"epochs": 5})
        >>> config = request.config({"classes": ("cell",), "keypoints": None})
        >>> config.class_names, config.epochs, config.layers, config.norm_eps
        (('cell',), 5, '3+', 0.0)
        """
        start, preset = self.starting_weights(), self.preset or DEFAULT_PRESET
        usual = initial_weights.usual_fields(start, Config.preset(preset).norm)
        source = fields_from_weights(start.init, self.changed, self.preset, torch_file)
        if self.preset:
            source = {name: value for name, value in source.items() if name == "norm_eps"}
        elif self.changed.keys() & {"epochs", "minutes"}:
            source = {name: value for name, value in source.items() if name not in ("epochs", "minutes")}
        config = Config.preset(preset, **{**usual, **source, **self.changed})
        return config if labels is None else config_with_labels(config, labels)

    # Checks

    def require_fit(self, config: Config) -> None:
        """Raise `ArgumentError` with advice if the initial weights do not fit the network `config`.

        Checks only what is known without reading the weights.
        """
        start = self.starting_weights()
        misfit = None
        if start.init == "coco":
            misfit = weights_misfit.coco_weights_misfit(config)
        elif shipped_models.folder(start.init):
            misfit = weights_misfit.shipped_weights_misfit(start.init, config)
        elif start.weights == "imagenet":
            misfit = weights_misfit.imagenet_weights_misfit(config)
        if misfit:
            raise ArgumentError(misfit)

    def require_files(self) -> None:
        """Raise `ArgumentError` if the file of the initial weights does not exist."""
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
        """Whether the files of the initial weights exist (`require_files`)."""
        try:
            self.require_files()
        except ArgumentError:
            return False
        return True

    def longer(self) -> tuple[int | None, float | None]:
        """For a request to resume a run: the additional (epochs, minutes), each None if not given.

        Raises `ArgumentError` if any other option was given, because a run is resumed with its own options.
        """
        set_fields = self.changed.keys() - set(FIELD_OPTIONS)  # those of `--set`: they have no option of their own
        if self.init is not None or self.backbone_weights is not None or set_fields:
            raise ArgumentError(
                "--set, --init and --backbone-weights: a run is resumed with the choices that it has; leave them out"
            )
        for option in OPTIONS:
            if option.key in ("epochs", "minutes"):
                continue
            value = self.changed.get(option.key) if option.is_field else getattr(self, option.key)
            if value is not None:
                raise ArgumentError(f"{option.name}: a run is resumed with the choices that it has; leave it out")
        return self.changed.get("epochs"), self.changed.get("minutes")


def config_with_labels(config: Config, labels: Mapping[str, Any]) -> Config:
    """The `config` of a training request with the classes of `labels` and, if keypoints are a task, their keypoints.

    `labels` is the result of `training_documents`, or its "classes" and "keypoints". Keypoint names and limbs of the
    labels override those of `config`. Raises `ArgumentError` if `config` has keypoint names or sigmas in a different
    number than the labels.
    """
    changes: dict[str, Any] = {"class_names": labels["classes"], "num_classes": len(labels["classes"]) + 1}
    if found := labels["keypoints"]:
        changes["num_keypoints"] = found.count
        if found.names:
            changes["keypoint_names"] = found.names
        if found.edges:
            changes["keypoint_edges"] = found.edges
    return config.replace(**changes)
