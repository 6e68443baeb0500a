"""The initial weights of a run as text, for pages and model cards. Resuming a run does not change them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from maskrcnn import untrusted_files
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import LOG, PROCESS, START, RunFolder

START_WORDS: dict[str, str] = {
    "imagenet": "ImageNet backbone",
    "coco": "COCO, the whole network",
    "file": "backbone from a file",
    "network": "whole network from a file or run",
    "none": "nothing (from scratch)",
}
"""Kinds of initial weights in words, as the Launch page offers them."""

_OPTIONS = {"--init": "init", "--backbone-weights": "backbone_weights", "--preset": "preset"}
_HEAD, _LINES, _LONGEST = 20_000, 60, 1_000
"""Maximum bytes and lines of log.txt that are searched for the initial weights, and maximum characters of a line."""

_LOG_LINES = (
    (re.compile(r"starts from (?P<words>nothing|COCO|ImageNet)\b"), "{words}"),
    (
        re.compile(r"took the (?P<part>.+?) of (?P<source>[^;]+); everything else starts afresh"),
        "{part} of {source}",
    ),
    (re.compile(r"kept all of (?P<source>[^;]+)"), "{source}"),
    (re.compile(r"kept what (?P<source>.+?) knows of "), "{source}"),
    (re.compile(r"kept (?P<source>.+?) without what it knows of its own classes"), "{source}"),
)
"""Patterns of the lines in the trainer's log (`weights.transfer`) -> text. For runs of older versions, which have no
start.json."""


def start_of(run: RunFolder) -> dict[str, str]:
    """The initial weights of a run as text (`start`), and its `preset`, if one was chosen. Unknown values are left out.

    They are read from start.json, otherwise from the command of the trainer, otherwise from the start of the log.
    """
    noted: dict[str, Any] = run.read_json(START) or _from_command(run)
    found = {}
    if noted.get("init") or noted.get("backbone_weights"):
        found["start"] = start_words(noted.get("init") or "none", noted.get("backbone_weights") or "none")
    elif words := _from_log(run):
        found["start"] = words
    if noted.get("preset"):
        found["preset"] = noted["preset"]
    return found


def start_words(init: str, body: str) -> str:
    """Initial weights as text, from the values of `--init` and `--backbone-weights`.

    For example `COCO, the whole network`, `ImageNet backbone`, `toy`, `balloon-0001/best.safetensors` or
    `nothing (from scratch)`.
    """
    if init != "none":
        return START_WORDS.get(init) or (init if init in shipped_models.names() else _place(init))
    if body in ("none", "imagenet"):
        return START_WORDS[body]
    return f"backbone of {body if body in shipped_models.names() else _place(body)}"


def _place(path: str) -> str:
    """The last two parts of a path, because the file name alone (`best.safetensors`) is the same in every run."""
    return "/".join(Path(path).parts[-2:])


def _from_command(run: RunFolder) -> dict[str, str]:
    """The values of the trainer's options about initial weights (`_OPTIONS`), from the command line in process.json."""
    argv = (run.read_json(PROCESS) or {}).get("argv") or []
    found = {}
    for place, word in enumerate(argv):
        option, _, value = word.partition("=")
        if option in _OPTIONS and (value or place + 1 < len(argv)):
            found[_OPTIONS[option]] = value or argv[place + 1]
    return found


def _from_log(run: RunFolder) -> str:
    """The initial weights as text, from the first lines of the log; empty if unknown.

    If the log is complete up to the first epoch and has no such line, there were no initial weights.
    """
    try:
        with untrusted_files.opened(run.path / LOG, run.path) as file:
            lines = file.read(_HEAD).decode("utf-8", "replace").splitlines()[:_LINES]
    except FileNotFoundError:
        return ""
    lines = [line for line in lines if len(line) <= _LONGEST]
    for pattern, words in _LOG_LINES:
        for line in lines:
            if match := pattern.match(line):
                text = words.format(**match.groupdict())
                return START_WORDS["none"] if text == "nothing" else text
    has_start = any(" to learn from, " in line for line in lines)
    is_complete = has_start and any(line.startswith("epoch   1 ") for line in lines)
    return START_WORDS["none"] if is_complete else ""
