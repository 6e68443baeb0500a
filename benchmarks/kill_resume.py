"""Does a training that is killed again and again end as if nothing had happened?

    python benchmarks/kill_resume.py [--kills 20] [--seed 0]

A tiny network learns from six toy pictures for some epochs, once without interruption. Then the same training is
started again and killed with SIGKILL after a random time, gone on with (`train --resume`), killed again, and so on;
where it comes to its end, another one begins, until there were as many kills as asked for. Each training that ended is
compared with the one that was never killed: its weights, the best ones, what the state holds (weights, optimiser,
running mean, position) must be equal to the bit, and `metrics.jsonl` must have the same rows in the same order, but for
the time and what was measured of the machine.

Prints when each kill came and what was there to go on from; exits with 1 on any difference.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.config import parse_settings
from maskrcnn.runs.folder import PROCESS, RunFolder
from maskrcnn.runs.request import TrainingRequest

EPOCHS, PICTURES = 8, 6

SETTINGS = (
    *("fpn_channels=8", "box_head_width=16", "mask_head_width=8", "mask_head_depth=1"),
    *("image_min_dim=64", "image_max_dim=96", "pre_nms_limit=50", "post_nms_rois_training=50"),
    *("post_nms_rois_inference=20", "train_rois_per_image=8", "batch_size=2", "steps_per_epoch=5"),
    *("ema=0.9", "crop=0.5", "copy_paste=0.5", "loader_threads=1", "warmup_steps=3"),
)

MEASURED = {"elapsed", "eta", "images_per_second", "waiting", "memory_mb", "processor_percent", "gpu_percent"} | {
    "validation_seconds"
}
"""What no two trainings have in common."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20, help="how many (20)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    args = parser.parse_args()
    moments = random.Random(args.seed)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        labels = draw(folder / "pictures")
        whole = RunFolder(folder / "whole")
        seconds = time.perf_counter()
        assert start(labels, whole).wait() == 0
        seconds = time.perf_counter() - seconds
        learning = whole.result()["seconds"]  # type: ignore[index]
        print(
            f"uninterrupted: {seconds:.1f} s, {learning:.1f} s of it training, {len(whole.metrics())} rows", flush=True
        )

        differences: list[str] = []
        kills = runs = afresh = 0
        while kills < args.kills:
            run, runs = RunFolder(folder / f"killed{runs}"), runs + 1
            while True:
                process, had = start(labels, run), len(run.metrics())
                # One in five while it loads and reads, the others while it trains.
                if moments.random() < 0.8:
                    while process.poll() is None and (run.read_json(PROCESS) or {}).get("pid") != process.pid:
                        time.sleep(0.02)
                wait = moments.uniform(0, 0.25) * learning
                try:
                    status = process.wait(wait if kills < args.kills else None)
                except subprocess.TimeoutExpired:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    kills += 1
                    rows = len(run.metrics())
                    left = ["a state"] if run.state.exists() else ["no state"]
                    left += sorted(path.name for path in run.path.rglob(".*"))
                    print(f"kill {kills:2}: run {runs}, {rows:3} rows ({rows - had:+}), {', '.join(left)}", flush=True)
                    if run.result():  # it had just come to its end
                        status = 0
                        break
                    if not run.state.exists():
                        afresh += 1
                        shutil.rmtree(run.path, ignore_errors=True)
                    continue
                break
            found = [f"exit status {status}"] if status else list(compare(whole, run))
            differences += found
            print(f"run {runs} came to its end: {'; '.join(found) or 'no difference'}", flush=True)
    print(
        f"{kills} kills in {runs} trainings, {afresh} before there was anything to go on from, "
        f"{len(differences)} differences, {time.perf_counter() - began:.0f} s"
    )
    return 1 if differences else 0


def start(labels: Path, run: RunFolder) -> subprocess.Popen[bytes]:
    """The training of `run` from its beginning, or where there is a state from there on."""
    words = ["--out", str(run.path), "--device", "cpu"]
    if run.state.exists():
        words += ["--resume"]
    else:
        fields = {"layers": "heads,all", "epochs": EPOCHS, "backbone": "resnet18_fpn", "norm": "group"}
        words += TrainingRequest(data=labels, val=labels, changed=fields | parse_settings([*SETTINGS])).to_argv()
    return subprocess.Popen(
        [sys.executable, "-m", "maskrcnn", "train", *words],
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )


def compare(one: RunFolder, other: RunFolder) -> Iterator[str]:
    """In what two runs that have ended differ."""
    if one.checkpoints().keys() != other.checkpoints().keys():
        yield f"checkpoints of epochs {list(one.checkpoints())} and {list(other.checkpoints())}"
    for path in (one.best, *one.checkpoints().values()):
        if any(unequal(contents(path), contents(other.path / path.relative_to(one.path)))):
            yield f"{path.name} differs"
    states = [torch.load(run.state, weights_only=True) for run in (one, other)]
    for place in unequal(*states):
        if not any(word in place for word in ("elapsed", "timed_from", "saved", *MEASURED)):
            yield f"state{place} differs"
    rows = [[{k: v for k, v in row.items() if k not in MEASURED} for row in run.metrics()] for run in (one, other)]
    if len(rows[0]) != len(rows[1]):
        yield f"{len(rows[0])} and {len(rows[1])} rows"
    for number, (first, second) in enumerate(zip(*rows, strict=False), 1):
        if first != second:
            yield f"row {number}: " + ", ".join(k for k in first | second if first.get(k) != second.get(k))
    for epoch in one.detection_epochs():
        if one.detections(epoch) != other.detections(epoch):
            yield f"detections of epoch {epoch} differ"


def contents(path: Path) -> dict[str, Any]:
    """The tensors of a checkpoint and what it says of itself, whose order in the file is random."""
    with safe_open(path, framework="pt") as file:
        return {"says": file.metadata(), **{name: file.get_tensor(name) for name in file.keys()}}  # noqa: SIM118


def unequal(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Where two nests of dicts, lists, tensors and plain values differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key, value in one.items():
            yield from unequal(value, other[key], f"{place}.{key}")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from unequal(*pair, f"{place}.{number}")
    elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.dtype != other.dtype or not torch.equal(one, other):
            yield place
    elif one != other:
        yield place


def draw(folder: Path) -> Path:
    """Grey pictures with a bright square each and their COCO labels."""
    folder.mkdir()
    random_ = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(1, PICTURES + 1):
        side = int(random_.integers(20, 36))
        x, y = int(random_.integers(2, 94 - side)), int(random_.integers(2, 62 - side))
        picture = random_.integers(60, 90, (64, 96, 3), np.uint8)
        picture[y : y + side, x : x + side] = (220, 180, 40)
        Image.fromarray(picture).save(folder / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 96, "height": 64})
        outline = [x, y, x + side, y, x + side, y + side, x, y + side]
        annotations.append(
            {"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "area": side * side}
            | {"bbox": [x, y, side, side], "segmentation": [outline]}
        )
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "square"}]}
    labels = folder / "coco.json"
    labels.write_text(json.dumps(document))
    return labels


if __name__ == "__main__":
    sys.exit(main())
