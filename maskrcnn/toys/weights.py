"""Train the models that ship with the studio and put them into `data/weights`: `make toy-weights`.

    python -m maskrcnn.toys.weights [NAME ...] [--work DIR]

The command draws the pictures, trains, evaluates on pictures that were not used for training, and writes for each NAME
(all models if none is given) a run folder with weights in half precision and a model card. What the working folder has
already is not made again, so the command can be interrupted and repeated at any time.

A model card (`data/weights/NAME/card.json`) has these fields: `name`; `what` (a description); `classes`; `command` (the
command that makes the model); `train` and `test` (world, number of pictures and seed of the training and test sets);
`held_apart` (the number of test and validation `pictures`, and how many of them are `shared` with the training set);
`seconds` and `machine` of the training; `epochs`; `best_epoch`; `seed`; `ap` (the figures on the test set) with their
95 % `intervals` from `resamples` bootstrap resamples; `bytes`; `limits`; `licence`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from maskrcnn.annotations import pictures, read
from maskrcnn.errors import StudioError
from maskrcnn.runs import shipped_models
from maskrcnn.toys.training_recipes import SHIPS, WORK, Recipe, evaluation_report

STEPS_KEPT = 300
"""Approximate number of step rows that a shipped run keeps; the curves of a page show no more."""

EPOCHS_KEPT = 8
"""Approximate number of epochs whose detections a shipped run keeps, in addition to the first and the best."""


def ship(recipe: Recipe, run: Path, target: Path, final_folder: Path) -> None:
    """Copy a finished run into the new folder `target`, reduced: weights in half precision, fewer step rows and
    detections, no training pictures.

    `final_folder` is the folder to which `make` copies `target` later; picture paths in `dataset.json` are relative to
    it.
    """
    shutil.rmtree(target, ignore_errors=True)
    (target / "detections").mkdir(parents=True)
    for name in ("config.json", "result.json"):
        shutil.copyfile(run / name, target / name)
    log = (run / "log.txt").read_text(encoding="utf-8").replace(str(run), recipe.name).replace(run.name, recipe.name)
    (target / "log.txt").write_text(log, encoding="utf-8")
    best = json.loads((run / "result.json").read_text(encoding="utf-8"))["best_epoch"]
    detections = {int(path.stem.partition("_")[2]): path for path in (run / "detections").glob("epoch_*.json")}
    for epoch in epochs_kept(max(detections), best):
        results = json.loads(detections[epoch].read_text(encoding="utf-8"))
        (target / "detections" / detections[epoch].name).write_text(
            json.dumps(round_json_floats(results, 7)),  # float32 has seven digits
            encoding="utf-8",
        )
    halve(run / "best.safetensors", target / "best.safetensors")

    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = sum(row["event"] == "step" for row in rows)
    every = max(1, round(steps / STEPS_KEPT))
    kept = [row for row in rows if row["event"] == "epoch" or row["step"] % every == 0]
    (target / "metrics.jsonl").write_text(
        "".join(json.dumps(round_json_floats(row, 5)) + "\n" for row in kept),  # curves do not show more digits either
        encoding="utf-8",
    )

    labels = json.loads((run / "dataset.json").read_text(encoding="utf-8"))
    for image in labels["val"]["images"]:
        image["path"] = os.path.relpath((run / image["path"]).resolve(), final_folder)
    labels["train"] = {**labels["train"], "images": [], "annotations": []}
    labels["drawn"] = asdict(recipe.data)  # the training pictures can be drawn again from this
    (target / "dataset.json").write_text(json.dumps(labels), encoding="utf-8")


def epochs_kept(last: int, best: int) -> list[int]:
    """The epochs whose detections ship: the first, the best, the last, and others at equal distances."""
    return sorted({1, best, *range(last, 0, -math.ceil(last / EPOCHS_KEPT))})


def halve(source: Path, target: Path) -> None:
    """Write a copy of a checkpoint with its floating point tensors in half precision.

    Raises `StudioError` if a value is too large for half precision.
    """
    with safe_open(source, framework="np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    for name, tensor in tensors.items():
        if np.issubdtype(tensor.dtype, np.floating):
            with np.errstate(over="ignore"):  # checked in the next line
                tensors[name] = tensor.astype(np.float16)
            if not np.isfinite(tensors[name]).all():
                raise StudioError(f"{source}: its tensor {name} has values that half precision cannot hold")
    save_file(tensors, target, metadata=metadata)
    target.chmod(0o644)


def round_json_floats(value: Any, digits: int) -> Any:
    """A copy of a JSON value in which all floats are rounded to `digits` significant digits."""
    match value:
        case float():
            return float(f"{value:.{digits}g}")
        case list():
            return [round_json_floats(part, digits) for part in value]
        case dict():
            return {name: round_json_floats(part, digits) for name, part in value.items()}
        case _:
            return value


def card(recipe: Recipe, run: Path, target: Path, report: dict[str, Any], work: Path) -> dict[str, Any]:
    """The model card of a model; its fields are listed at the top of this file.

    `run` is the finished run, `target` its reduced copy and `report` the evaluation of that copy.
    """
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    tasks = [task for task in ("bbox", "segm", "keypoints") if report[task] is not None]
    edges = report["intervals"]
    return {
        "name": recipe.name,
        "what": recipe.what,
        "classes": config["class_names"],
        "command": f"python -m maskrcnn.toys.weights {recipe.name}",
        "train": asdict(recipe.data),
        "test": asdict(recipe.test),
        "held_apart": held_apart(recipe, work),
        "seconds": round(result["seconds"]),
        "machine": result["machine"],
        "epochs": config["epochs"],
        "best_epoch": result["best_epoch"],
        "seed": config["seed"],
        "ap": {task: {name: round(report[task][name], 4) for name in edges[task]} for task in tasks},
        "intervals": {
            task: {name: [round(edge, 4) for edge in pair] for name, pair in edges[task].items()} for task in tasks
        },
        "resamples": edges["resamples"],
        "bytes": (target / "best.safetensors").stat().st_size,
        "limits": recipe.limits,
        "licence": "that of the studio",
    }


def held_apart(recipe: Recipe, work: Path) -> dict[str, int]:
    """`held_apart` of a model card: the number of test and validation `pictures`, and how many of them are `shared`.

    A picture is shared if the training set has a picture with the same pixels.
    """
    trained_on = pixel_hashes(recipe.data.drawn_folder(work))
    held_out = pixel_hashes(recipe.test.drawn_folder(work)) | pixel_hashes(recipe.val)
    return {"pictures": len(held_out), "shared": len(held_out & trained_on)}


@cache  # three models are trained on the same ten thousand pictures
def pixel_hashes(folder: Path) -> frozenset[str]:
    """SHA-256 hashes of the pixels of all pictures of a dataset."""
    found = set()
    for record in read(folder).images:
        assert record.path is not None
        found.add(hashlib.sha256(pictures.load(record.path).tobytes()).hexdigest())
    return frozenset(found)


def make(names: Iterable[str], work: Path) -> None:
    """Train and evaluate the models of these names, and put them into `data/weights`."""
    for name in names:
        recipe = SHIPS[name]
        run = recipe.trained_run(work)
        final_folder, made = shipped_models.FOLDER / name, work / "shipped" / name
        ship(recipe, run, made, final_folder)
        about = card(recipe, run, made, evaluation_report(made, recipe.test, work), work)
        (made / shipped_models.CARD).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(final_folder, ignore_errors=True)  # the old model stays until the new one is complete
        shutil.copytree(made, final_folder)
        print(f"{final_folder}: {about['bytes'] / 1e6:.1f} MB", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of this module and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m maskrcnn.toys.weights", description="Train what ships.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(SHIPS)} (all)")
    parser.add_argument("--work", type=Path, default=WORK, metavar="DIR", help="where everything is made")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in SHIPS]:
        parser.error(f"there is no {unknown[0]}; choose {', '.join(SHIPS)}")
    try:
        make(options.names or SHIPS, options.work.resolve())
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cancelled; the same command goes on", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
