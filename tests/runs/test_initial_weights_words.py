"""What a network knew at its start, from whatever tells it; a run that was resumed keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskrcnn.runs.folder import LOG, PROCESS, START, RunFolder
from maskrcnn.runs.initial_weights_words import start_of

RESUMED = ["-m", "maskrcnn", "train", "--resume", "--out", "a"]
NONE = "nothing (from scratch)"


def noted(init: str = "none", body: str = "none") -> dict[str, Any]:
    return {"preset": None, "init": init, "backbone_weights": body}


@pytest.mark.parametrize(
    ("start", "argv", "log", "said"),
    [
        (noted("toy"), RESUMED, "", "toy"),
        (noted("coco"), RESUMED, "", "COCO, the whole network"),
        (noted(body="imagenet"), RESUMED, "", "ImageNet backbone"),
        (noted(), RESUMED, "", NONE),
        (noted("/w/shapes/runs/first/best.safetensors"), RESUMED, "", "first/best.safetensors"),
        (noted("none", "/w/shapes/runs/first"), RESUMED, "", "backbone of runs/first"),
        (noted(body="toy"), [], "kept all of COCO\n", "backbone of toy"),  # the document is believed first
        # Of an older studio: by its command,
        (None, ["train", "--init", "toy", "--out", "a"], "", "toy"),
        (None, ["train", "--init=coco", "--out", "a"], "", "COCO, the whole network"),
        (None, ["train", "--out", "a", "--init", "toy"], "", "toy"),
        (None, ["train", "--out", "a", "--init"], "", None),
        (None, ["train", "--backbone-weights", "none", "--out", "a"], "", NONE),
        # or where it was resumed by its log.
        (None, RESUMED, "a: 3 pictures to learn from, 1\nkept all of toy; x\nepoch   1  loss 2", "toy"),
        (None, RESUMED, "kept what COCO knows of car, person; 3 classes start afresh\n", "COCO"),
        (None, RESUMED, "kept toy without what it knows of its own classes; 1 class starts afresh\n", "toy"),
        (None, RESUMED, "took the body of ImageNet; everything else starts afresh\n", "body of ImageNet"),
        (None, RESUMED, "starts from nothing: no weights that fit this network are at hand\n", NONE),
        (None, RESUMED, "a: 3 pictures to learn from, none to validate on\nepoch   1  loss 2.0\n", NONE),
        (None, RESUMED, "a: 3 pictures to learn from, none to validate on\n", None),  # more may follow
        (None, RESUMED, "goes on after step 12, epoch 3\nepoch   4  loss 2.0\n", None),
        (None, RESUMED, "x" * 5000 + "kept all of toy", None),
        (None, [], "", None),
    ],
)
def test_the_start_of_a_run(
    start: dict[str, Any] | None, argv: list[str], log: str, said: str | None, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    if start is not None:
        run.write_json(START, start)
    run.write_json(PROCESS, {"argv": argv})
    (tmp_path / LOG).write_text(log)
    assert start_of(run).get("start") == said


def test_a_run_without_anything(tmp_path: Path) -> None:
    assert start_of(RunFolder(tmp_path)) == {}


def test_the_preset_is_told_where_one_was_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_json(START, {**noted("toy"), "preset": "standard"})
    assert start_of(run) == {"start": "toy", "preset": "standard"}
