"""The table of the options of `python -m maskrcnn train`, and functions that parse and format them.

`add_options` adds the options to an argparse parser. `options_from_argv` parses a list of alternating names and values,
as stored in jobs; it is strict. `options_to_argv` formats options. Parsed options are a mapping of option key to value;
the key `set` has the list of `FIELD=VALUE` settings.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskrcnn.config import BACKBONES, POOLINGS, PRESETS, parse_settings, setting_word
from maskrcnn.errors import ArgumentError
from maskrcnn.runs import shipped_models
from maskrcnn.runs.epochs_and_passes import EPOCHS_IN_A_BUDGET

LONGEST_VALUE = 10_000
"""Maximum number of characters of a value."""

MOST_WORDS = 500
"""Maximum number of names and values in the options of a request."""


@dataclass(frozen=True)
class Option:
    """A command-line option. `key` is the name under which its value is stored. `read` converts a text to the value and
    raises `ValueError` for an invalid text. `choices` are the allowed values, None: any. `is_field`: `key` is a field
    of the Config."""

    key: str
    metavar: str | None
    help: str
    read: Callable[[str], Any] = str
    choices: tuple[str, ...] | None = None
    is_field: bool = False

    @property
    def name(self) -> str:
        """The name on the command line, for example "--backbone-weights"."""
        return f"--{self.key.replace('_', '-')}"

    def value_of(self, text: object) -> Any:
        """Convert a text to the value of this option. Raises `ValueError` if it is invalid, or looks like an option."""
        if not isinstance(text, str) or not text or text.startswith("--") or (self.read is str and text[0] == "-"):
            raise ValueError(text)
        if len(text) > LONGEST_VALUE or "\0" in text or (self.choices and text not in self.choices):
            raise ValueError(text)
        return self.read(text)

    def can_express(self, value: object) -> bool:
        """Whether the value can be written as the text of this option: parsing the text gives the same value.

        An option that `read` does not convert has a text as its value, so texts are compared.
        """
        text = setting_word(value)
        expected = text if self.read is str else value
        try:
            return bool(self.value_of(text) == expected)
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
"""Options of which at most one may be given."""

FIELD_OPTIONS = tuple(option.key for option in OPTIONS if option.is_field)
"""Config fields with an option of their own; all other fields are set with `--set`."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all options of `OPTIONS`, and `--set`, to a parser."""
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


def options_from_argv(argv: Sequence[str]) -> dict[str, Any]:
    """Parse options, a list of alternating names and values. If an option is repeated, the last value is used.

    The list is not trusted, because it may come from a stored job: raises `ArgumentError` for the first unknown option
    or invalid value.

    >>> options_from_argv(["--epochs", "3", "--set", "ema=0.9"])
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


def _checked_set_option(text: str) -> str:
    """Read the text of the option `--set`, and return it. Raises `ArgumentError` if it is no valid `FIELD=VALUE`."""
    parse_settings([text])
    return text


_SETTING = Option("set", "FIELD=VALUE", "", _checked_set_option)


def options_to_argv(values: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
    """Format options as a list that `options_from_argv` can parse: `values` of options, and `fields` of the Config.

    >>> options_to_argv({"data": "cells"}, {"tasks": ("box",), "ema": 0.9, "epochs": None, "minutes": 2.5})
    ['--data', 'cells', '--minutes', '2.5', '--tasks', 'box', '--set', 'ema=0.9']
    """
    argv: list[str] = []
    written_fields = set()
    if fields.get("minutes") is not None and fields.get("epochs") is None:
        written_fields.add("epochs")  # --minutes implies that epochs is None
    for option in OPTIONS:
        value = (fields if option.is_field else values).get(option.key)
        if option.is_field and value is not None and option.can_express(value):
            written_fields.add(option.key)
            argv += [option.name, setting_word(value)]
        elif not option.is_field and value is not None:
            # A relative path that starts with a hyphen would be parsed as an option, so "./" is put before it.
            argv += [option.name, os.path.join(".", value) if value.startswith("-") else value]
    for name, value in fields.items():
        argv += [] if name in written_fields else ["--set", f"{name}={json.dumps(value)}"]
    return argv


def as_parsed_option(name: str, value: Any) -> Any:
    """The value of the Config field `name` in the form in which options are parsed.

    A text of `tasks` becomes a tuple of words, a list of `layers` becomes a text, other lists become tuples.
    """
    if name == "tasks" and isinstance(value, str):
        return tuple(value.split(","))
    if name == "layers" and isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, list | tuple):
        return tuple(as_parsed_option("", part) for part in value)
    return dict(value) if isinstance(value, Mapping) else value


def is_option_text(value: object) -> bool:
    """Whether a value from JSON can be the text of an option."""
    return isinstance(value, str) and len(value) <= LONGEST_VALUE and "\0" not in value
