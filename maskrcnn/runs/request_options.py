"""The options of `python -m maskrcnn train` that say what is trained: one table, for whoever reads or writes them.

`add_options` gives them to argparse, with their help; `read_pairs` reads them strictly, name and value in turn, as jobs
keep them; `written` writes them. What is read is a mapping of option to value with the key `set` for the settings.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskrcnn.config import BACKBONES, POOLINGS, PRESETS, parse_settings
from maskrcnn.errors import ArgumentError
from maskrcnn.runs import shipped_models
from maskrcnn.runs.epochs import EPOCHS_IN_A_BUDGET

LONGEST_VALUE = 10_000
"""Characters of one value."""

MOST_WORDS = 500
"""Names and values of one request."""


@dataclass(frozen=True)
class Option:
    """One option. `key` is what it sets, `read` makes its value of a text and raises `ValueError` for what is none;
    `is_field` says that `key` is a field of the Config. `choices` are all that it may be, where they are few."""

    key: str
    metavar: str | None
    help: str
    read: Callable[[str], Any] = str
    choices: tuple[str, ...] | None = None
    is_field: bool = False

    @property
    def name(self) -> str:
        return f"--{self.key.replace('_', '-')}"

    def value_of(self, text: object) -> Any:
        """The value that a text means. `ValueError` for what is no value of this option, or would be taken for an
        option."""
        if not isinstance(text, str) or not text or text.startswith("--") or (self.read is str and text[0] == "-"):
            raise ValueError(text)
        if len(text) > LONGEST_VALUE or "\0" in text or (self.choices and text not in self.choices):
            raise ValueError(text)
        return self.read(text)

    def can_say(self, value: object) -> bool:
        """Whether the value, written down, is read as that value."""
        text = _text(value)
        try:
            return bool(self.value_of(text) == (text if self.read is str else value))
        except ValueError:
            return False


OPTIONS: tuple[Option, ...] = (
    Option("data", "DATASET", "labels to learn: a file, folder or project"),
    Option("val", "DATASET", "labels to validate on (a project brings its own)"),
    Option("images", "DIR", "where the pictures are, if not beside the labels"),
    Option(
        "class_attribute",
        "NAME",
        "the VIA region attribute that is the class, where the rule would find another, or several (mango,orange), "
        "each where it is set; --val follows it",
    ),
    Option("preset", None, "which set of defaults to start from (classroom)", choices=tuple(PRESETS)),
    Option(
        "epochs",
        "N",
        "how many epochs (20), each once through the pictures; with --resume how many more",
        int,
        is_field=True,
    ),
    Option(
        "minutes",
        "M",
        "how long to train instead, with epochs of one or more passes through the pictures, such that about "
        f"{EPOCHS_IN_A_BUDGET} fit; with --resume how much longer",
        float,
        is_field=True,
    ),
    Option("backbone", None, "the body of the network", choices=BACKBONES, is_field=True),
    Option(
        "backbone_weights",
        "PATH|imagenet|toy|none",
        "initial weights of the body: ImageNet's, the body of a model that ships or of a run, or a .pth file of "
        "torchvision",
    ),
    Option(
        "init",
        "toy|coco|PATH|none",
        "initial weights of the whole network: a model that ships with the studio (SHIPPED), torchvision's COCO "
        "weights, a run, a checkpoint, or a .pth file of torchvision; without --preset it also says which network. "
        "Where neither this nor --backbone-weights is given: torchvision's weights if they are on this machine "
        "already, else toy if it fits, else none",
    ),
    Option(
        "tasks",
        "TASK,...",
        "what to find of each object: box (Faster R-CNN), box,mask (Mask R-CNN, usual), box,keypoints (Keypoint R-CNN) "
        "or box,mask,keypoints",
        is_field=True,
    ),
    Option("pooling", None, "how RoIs are read from the feature maps", choices=POOLINGS, is_field=True),
    Option(
        "layers",
        "heads|3+|4+|5+|all",
        "what learns: the heads, also the body from a stage on, or all (3+ from weights of photographs); or one after "
        "the other: heads,all",
        is_field=True,
    ),
    Option("seed", "N", "seed of everything random (0)", int, is_field=True),
)
_BY_NAME = {option.name: option for option in OPTIONS}

EXCLUSIVE = ("epochs", "minutes")
"""Only one of these may be given."""

FIELD_OPTIONS = tuple(option.key for option in OPTIONS if option.is_field)
"""Fields of the Config that have an option of their own; all others are set by `--set`."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add every option of `OPTIONS`, and `--set`, to a parser."""
    ships = ", ".join(shipped_models.names()) or "none is here"
    length = parser.add_mutually_exclusive_group()
    for option in OPTIONS:
        (length if option.key in EXCLUSIVE else parser).add_argument(
            option.name,
            type=option.read,
            choices=option.choices,
            metavar=option.metavar,
            help=option.help.replace("SHIPPED", ships),
        )
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="any other field of the config"
    )


def read_pairs(argv: Sequence[str]) -> dict[str, Any]:
    """Options as `--name value --name value`, each value of its kind; of one that comes twice the last counts.

    Nothing is trusted: the words may come from a stored job. `ArgumentError` names the first that is no option of
    `OPTIONS`, and the first value that is none.

    >>> read_pairs(["--epochs", "3", "--set", "ema=0.9"])
    {'set': ['ema=0.9'], 'epochs': 3}
    """
    argv = list(argv)
    if len(argv) % 2 or len(argv) > MOST_WORDS:
        raise ArgumentError("the options of a training come in pairs of a name and a value; choose them anew")
    found: dict[str, Any] = {"set": []}
    for name, text in zip(argv[::2], argv[1::2], strict=True):
        option = _BY_NAME.get(name) if isinstance(name, str) else None
        if option is None and name != "--set":
            raise ArgumentError(f"{str(name)[:40]}: is no choice of a training; choose it anew")
        try:
            if option is None:
                found["set"].append(_SETTING.value_of(text))
            else:
                found[option.key] = option.value_of(text)
        except ValueError:
            raise ArgumentError(f'{name}: "{str(text)[:40]}" is no value for it; choose it anew') from None
    return found


def _setting(text: str) -> str:
    parse_settings([text])  # raises `ArgumentError` for a field that there is not
    return text


_SETTING = Option("set", "FIELD=VALUE", "", _setting)


def written(values: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
    """The options of `values` (those that are no field of the Config) and of `fields`, as `read_pairs` reads them.

    >>> written({"data": "cells"}, {"tasks": ("box",), "ema": 0.9, "epochs": None, "minutes": 2.5})
    ['--data', 'cells', '--minutes', '2.5', '--tasks', 'box', '--set', 'ema=0.9']
    """
    argv: list[str] = []
    said = set()
    if fields.get("minutes") is not None and fields.get("epochs") is None:
        said.add("epochs")  # --minutes says so
    for option in OPTIONS:
        value = (fields if option.is_field else values).get(option.key)
        if option.is_field and value is not None and option.can_say(value):
            said.add(option.key)
            argv += [option.name, _text(value)]
        elif not option.is_field and value is not None:
            # A relative path may begin with a hyphen, as an option does.
            argv += [option.name, os.path.join(".", value) if value.startswith("-") else value]
    for name, value in fields.items():
        argv += [] if name in said else ["--set", f"{name}={json.dumps(value)}"]
    return argv


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
