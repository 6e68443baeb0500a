"""The run folder: the only thing that trainer and browser share. The trainer writes, everyone else reads.

```
config.json                      the Config
dataset.json                     {"train": COCO document, "val": COCO document or null}: the exact labels
metrics.jsonl                    one row per step and per epoch (see below)
log.txt                          what the trainer printed
queued.json                      what is to be started, while the run waits for its device (see jobs/reservation.py)
process.json                     pid, create time and command of the trainer
checkpoints/epoch_0001.safetensors, best.safetensors
state_last.pt                    weights, optimiser, position: what a resumed run goes on from
detections/epoch_0001.json       COCO results on the pictures of `shown`
tensorboard/                     events, where the config asks for them
result.json                      how it ended; absent while it runs, or where the process was killed
```

Rows of `metrics.jsonl` carry `event` ("step" or "epoch"), `epoch` (from 1), `step` (from 1, over the whole run),
`progress` in [0, 1], `elapsed` and `eta` in seconds, the network's own losses (`Config.losses`) and their weighted sum
`loss`. Every row also has

- `learning_rate`, `images_per_second`, `gradient_norm` (before it was clipped), `layers` (what learns just now);
- `waiting`, the share of the time in [0, 1] that was spent waiting for pictures;
- `memory_mb`, of the graphics card where one computes, else of the process; `processor_percent`, how busy all cores
  were with this process (0 to 100); `gpu_percent`, where there is a card that says so;
- what was sampled, for each picture: `rpn_positives`, `rpn_negatives` (anchors), `roi_positives`, `roi_negatives`.

An epoch row holds the means over its steps, the losses with `val_` (absent without a validation set),
`validation_seconds`, and validation AP as `bbox_ap`, `bbox_ap50`; with the mask task `segm_ap`, `segm_ap50`,
`segm_ap75`; with the keypoints task `keypoints_ap`, `keypoints_ap50` (null where there is no ground truth). The best
epoch, whose weights are `best.safetensors`, is the one with the highest AP of the finest task that the network has:
`segm_ap`, else `keypoints_ap`, else `bbox_ap` (see `finest_ap`).

A run that was stopped goes on from `state_last.pt`. Rows that were written after it are taken out of `metrics.jsonl`
first, so that none is there twice.

Files are written whole and then renamed, so a reader never sees half of one; only `metrics.jsonl` and `log.txt` grow in
place, and a torn last line of the former is passed over.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from maskrcnn.config import MEASURES, Config
from maskrcnn.errors import ArgumentError, StudioError

Row = dict[str, Any]

CONFIG = "config.json"
DATASET = "dataset.json"
METRICS = "metrics.jsonl"
LOG = "log.txt"
QUEUED = "queued.json"
PROCESS = "process.json"
RESULT = "result.json"
BEST = "best.safetensors"
STATE = "state_last.pt"
TENSORBOARD = "tensorboard"

SHOWN_WITHOUT_VALIDATION = 4
"""How many training pictures are detected on after each epoch where there is no validation set."""


def finest_ap(row: Row) -> str | None:
    """The name of the AP by which an epoch is judged: masks before keypoints before boxes; None where there is none."""
    return next((f"{kind}_ap" for kind in MEASURES if f"{kind}_ap" in row), None)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees either the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


class RunFolder:
    """Reads and writes one run folder. Opening it checks nothing; `create` and `open` do."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: Path | str) -> RunFolder:
        """A new, empty run folder; `ArgumentError` if that place already holds a run or anything else."""
        run = cls(path)
        run.refuse_if_taken()
        run.path.mkdir(parents=True, exist_ok=True)
        return run

    def refuse_if_taken(self) -> None:
        """`ArgumentError` if this is no place for a new run: a file, or a folder with anything but a job's own
        files."""
        if self.path.is_file():
            raise ArgumentError(f"{self.path} is a file; give --out a folder that does not exist yet")
        if (self.path / CONFIG).exists():
            raise ArgumentError(f"{self.path} already holds a run; choose another --out folder")
        if self.path.is_dir() and any(entry.name not in (LOG, PROCESS, QUEUED) for entry in self.path.iterdir()):
            raise ArgumentError(f"{self.path} is not empty; choose another --out folder")

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """An existing run folder; `ArgumentError` if it is none."""
        run = cls(path)
        if not (run.path / CONFIG).is_file():
            raise ArgumentError(
                f"{run.path} is not a run folder (it has no {CONFIG}); give the --out folder of a training"
            )
        return run

    def write_process(self) -> None:
        """Note who is training: pid, create time (a pid alone may be used again) and command of this process.

        Whoever started the trainer may have written it already; then that stays.
        """
        if not self.started_here():
            process = psutil.Process()
            about = {"pid": process.pid, "create_time": process.create_time(), "argv": sys.argv, "started": time.time()}
            self.write_json(PROCESS, about)

    def started_here(self) -> bool:
        """Whether `process.json` speaks of the process that asks."""
        try:
            return (self.read_json(PROCESS) or {}).get("pid") == os.getpid()
        except StudioError:
            return False

    @property
    def name(self) -> str:
        return self.path.name

    def read_json(self, name: str) -> Any | None:
        """A JSON file of the folder, None where there is none (yet)."""
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise StudioError(
                f"{self.path / name} is not readable JSON; the run folder was damaged, restore that file"
            ) from None

    def write_json(self, name: str, document: Any) -> None:
        write_whole(self.path / name, json.dumps(document, indent=None, allow_nan=False))

    def config(self) -> Config:
        return Config.parse(self.read_json(CONFIG) or {})

    def dataset(self) -> dict[str, Any]:
        """`{"train": COCO document, "val": COCO document or None}`; see `picture_path` for where the pictures are."""
        return self.read_json(DATASET) or {"train": {"images": [], "annotations": [], "categories": []}, "val": None}

    def shown(self) -> dict[str, Any]:
        """The COCO document of the pictures that `detections` are of: the validation set, else some of training."""
        dataset = self.dataset()
        return shown_pictures(dataset["train"], dataset["val"])

    def picture_path(self, image: dict[str, Any]) -> Path:
        """Where a picture of `dataset.json` lies; its `path` is relative to the run folder, or absolute."""
        return (self.path / image["path"]).resolve()

    def append_metrics(self, row: Row) -> None:
        """Add a row. A validation loss that is not finite is noted as null, for which JSON has a word."""
        row = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in row.items()}
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def metrics(self) -> list[Row]:
        """All complete rows of `metrics.jsonl`, in order."""
        try:
            text = (self.path / METRICS).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        rows = []
        for line in text.splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return rows

    def cut_metrics(self, step: int, epochs: int) -> None:
        """Take out the rows after step `step` and the epochs after epoch `epochs`, and a torn last line."""
        kept = [
            row for row in self.metrics() if row["step"] <= step and (row["event"] == "step" or row["epoch"] <= epochs)
        ]
        if (self.path / METRICS).exists():
            write_whole(self.path / METRICS, "".join(json.dumps(row) + "\n" for row in kept))

    def sweep(self) -> None:
        """Take away what a killed process had half written."""
        for left in self.path.rglob(".*"):
            if left.suffix == ".tmp" or left.name.startswith(".tmp"):  # ours, and those of safetensors
                left.unlink(missing_ok=True)

    def epochs(self) -> list[Row]:
        """The rows with `event` "epoch", in order."""
        return [row for row in self.metrics() if row["event"] == "epoch"]

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of `log.txt`."""
        try:
            with (self.path / LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 200 * lines))
                return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def checkpoint(self, epoch: int) -> Path:
        return self.path / "checkpoints" / f"epoch_{epoch:04d}.safetensors"

    def checkpoints(self) -> dict[int, Path]:
        """Epoch -> checkpoint file, in order of epoch."""
        return self._by_epoch("checkpoints", r"epoch_(\d+)\.safetensors")

    @property
    def best(self) -> Path:
        return self.path / BEST

    @property
    def state(self) -> Path:
        """Where the state of the run lies, from which it can be resumed."""
        return self.path / STATE

    def write_detections(self, epoch: int, detections: list[dict[str, Any]]) -> None:
        self.write_json(f"detections/epoch_{epoch:04d}.json", detections)

    def detections(self, epoch: int) -> list[dict[str, Any]]:
        """COCO results on the pictures of `shown` after that epoch; empty where there are none."""
        return self.read_json(f"detections/epoch_{epoch:04d}.json") or []

    def detection_epochs(self) -> list[int]:
        """Epochs whose detections were kept, in order."""
        return list(self._by_epoch("detections", r"epoch_(\d+)\.json"))

    def result(self) -> dict[str, Any] | None:
        """How the run ended: `{"state": "done" | "failed" | "cancelled", "error", "best_epoch", "seconds",
        "stopped_early", "machine", ...}`; `machine` is what computed, in words."""
        return self.read_json(RESULT)

    def _by_epoch(self, folder: str, pattern: str) -> dict[int, Path]:
        found = {}
        for path in (self.path / folder).glob("epoch_*"):
            if match := re.fullmatch(pattern, path.name):
                found[int(match[1])] = path
        return dict(sorted(found.items()))


def shown_pictures(train: dict[str, Any], val: dict[str, Any] | None) -> dict[str, Any]:
    """`val`, or where there is none the first `SHOWN_WITHOUT_VALIDATION` pictures of `train` with what is on them."""
    if val and val["images"]:
        return val
    images = train["images"][:SHOWN_WITHOUT_VALIDATION]
    chosen = {image["id"] for image in images}
    return {
        **train,
        "images": images,
        "annotations": [annotation for annotation in train["annotations"] if annotation["image_id"] in chosen],
    }


def runs_in(folder: Path) -> list[RunFolder]:
    """The runs below a project's `runs/`, newest first."""
    if not folder.is_dir():
        return []
    marks = (CONFIG, PROCESS, QUEUED)
    runs = [RunFolder(path) for path in folder.iterdir() if any((path / mark).is_file() for mark in marks)]
    return sorted(runs, key=lambda run: run.path.stat().st_ctime, reverse=True)
