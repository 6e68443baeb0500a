"""The folder of one run: the only thing that the trainer and the pages share. The trainer writes, everyone else reads.

```
config.json                      the Config
start.json                       the preset and the initial weights; a resumed run keeps it
dataset.json                     {"train": COCO document, "val": COCO document or null}: the exact labels
metrics.jsonl                    one row per step and per epoch (see below)
log.txt                          what the trainer printed
queued.json                      says that the run waits for its device (see jobs/waiting_folder.py)
process.json                     pid, create time and command of the trainer, and its attempt (see runs/attempts.py)
attempt.json                     the attempt that wrote the last rows of metrics.jsonl
checkpoints/epoch_0001.safetensors, best.safetensors
state_last.pt                    weights, optimiser and position, from which a run is resumed
detections/epoch_0001.json       COCO results on the pictures of `shown`
tensorboard/                     events, where the config asks for them
result.json                      how it ended, and which attempt; absent while it runs, or where the process was killed
```

Rows of `metrics.jsonl` carry `event` ("step" or "epoch"), `epoch` (from 1), `step` (from 1, over the whole run),
`progress` in [0, 1], `elapsed` and `eta` in seconds, the network's own losses (`Config.losses`) and their weighted sum
`loss`. Every row also has

- `learning_rate`, `images_per_second`, `gradient_norm` (before clipping), `layers` (those that are trained);
- `waiting`, the share of the time in [0, 1] that was spent waiting for pictures;
- `memory_mb` (in 2**20 bytes), of the graphics card where one computes, else of the process; `processor_percent`, how
  busy all cores were with this process (0 to 100); `gpu_percent`, where there is a card that says so;
- what was sampled, for each picture: `rpn_positives`, `rpn_negatives` (anchors), `roi_positives`, `roi_negatives`.

`epochs.EPOCH_MEANING` defines an epoch; its steps are those up to `step` of its row, and `elapsed` counts from the
first step of the run, not of the epoch. An epoch row holds the means over its steps, the losses with `val_` (absent
without a validation set), `validation_seconds`, and validation AP as `bbox_ap`, `bbox_ap50`; with the mask task
`segm_ap`, `segm_ap50`, `segm_ap75`; with the keypoints task `keypoints_ap`, `keypoints_ap50` (null where there is no
ground truth). The best epoch, whose weights are `best.safetensors`, is that of `epochs.best_epoch`.

A run is resumed from `state_last.pt`. Rows that were written after it are removed from `metrics.jsonl` first, so that
none is there twice.

Files are written under another name and then renamed, so a reader sees the old file or the new one; only
`metrics.jsonl` and `log.txt` grow in place, and an incomplete last line of metrics.jsonl is skipped.

A run folder is data that anybody may have made. Its documents are checked against a schema (`runs.documents`), no link
is followed out of it, and what is wrong with it is a `StudioError` of one line (`RunFolder.fault`).
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from maskrcnn import foreign
from maskrcnn.atomic_files import write_atomic
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.install_folders import DATA
from maskrcnn.runs.documents import (
    BEGUN_SCHEMA,
    CONFIG_SCHEMA,
    DATASET_SCHEMA,
    DETECTIONS_SCHEMA,
    PROCESS_SCHEMA,
    QUEUED_SCHEMA,
    RESULT_SCHEMA,
    START_SCHEMA,
    row_of,
)

Row = dict[str, Any]

CONFIG = "config.json"
START = "start.json"
DATASET = "dataset.json"
METRICS = "metrics.jsonl"
LOG = "log.txt"
QUEUED = "queued.json"
PROCESS = "process.json"
BEGUN = "attempt.json"
RESULT = "result.json"
BEST = "best.safetensors"
STATE = "state_last.pt"
TENSORBOARD = "tensorboard"
DETECTIONS = "detections"

PICTURES = "MASKRCNN_PICTURES"
"""The environment variable with the folders, beside the projects, whose pictures may be opened (as PATH is written)."""

RUNS = "runs"
"""The folder of a project that holds its runs."""

PROJECT = "project.db"
"""The file that makes a folder a project (see `annotations/store`)."""

_SCHEMAS = {
    CONFIG: CONFIG_SCHEMA,
    START: START_SCHEMA,
    DATASET: DATASET_SCHEMA,
    QUEUED: QUEUED_SCHEMA,
    PROCESS: PROCESS_SCHEMA,
    BEGUN: BEGUN_SCHEMA,
    RESULT: RESULT_SCHEMA,
}
MOST_METRICS = 200_000_000
"""Bytes of metrics.jsonl: 300,000 steps."""

_LARGEST = {DATASET: 1_000_000_000, DETECTIONS: 500_000_000, METRICS: MOST_METRICS}
"""Bytes of the documents that grow with the pictures or with the time; `foreign.MOST_BYTES` for the others."""

_MEND = "the run folder was damaged, restore that file"
_MOST_ENTRIES = 20_000
"""Files in a run folder; a checkpoint and a document of detections for each epoch are the many."""

SHOWN_WITHOUT_VALIDATION = 4
"""How many training pictures are detected on after each epoch where there is no validation set."""


class RunFolder:
    """Reads and writes one run folder. Opening it checks nothing; `create`, `open` and `fault` do.

    `made_here`: its labels were made by this process, so their pictures are those that a person named; see
    `picture_path`.

    >>> from tempfile import mkdtemp
    >>> run = RunFolder.create(Path(mkdtemp()) / "first")
    >>> run.append_metrics({"event": "epoch", "epoch": 1, "step": 8, "segm_ap": 0.5})
    >>> run.name, [row["segm_ap"] for row in run.epochs()]
    ('first', [0.5])
    """

    def __init__(self, path: Path | str, made_here: bool = False) -> None:
        self.path = Path(path)
        self.made_here = made_here
        self._begun = False

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
        """An existing run folder, which somebody named; `ArgumentError` if it is none, `StudioError` for one with a
        `fault`. Where the name is a link, it is the folder that it leads to."""
        run = cls(os.path.realpath(path) if os.path.islink(path) else path)
        if not (run.path / CONFIG).is_file():
            raise ArgumentError(
                f"{run.path} is not a run folder (it has no {CONFIG}); give the --out folder of a training"
            )
        if wrong := run.fault():
            raise StudioError(wrong)
        return run

    def fault(self) -> str | None:
        """What is wrong with the folder, in a line; None where it can be worked with.

        That is a link that leads out of it, anything that is neither file nor folder, and a document that is not what
        it should be. The large ones, labels and detections, are checked when they are read.
        """
        try:
            if not foreign.is_confined(self.path, [self.path.parent]):
                return f"{self.path}: is a link to another place; put the run folder itself there"
            for number, entry in enumerate(_entries(self.path)):
                if number > _MOST_ENTRIES:
                    return f"{self.path}: holds more than {_MOST_ENTRIES:,} files, so it is no run; take it away"
                if entry.is_symlink():
                    foreign.confined(entry.path, [self.path], "put the file itself there, or take the link away")
                elif not entry.is_file() and not entry.is_dir():
                    return f"{entry.path}: is neither a file nor a folder; take it away"
            for name in (CONFIG, START, PROCESS, BEGUN, QUEUED, RESULT):
                self.read_json(name)
        except StudioError as error:
            return str(error)
        except OSError as error:
            return f"{self.path}: cannot be read ({error.strerror}); mend its rights"
        return None

    @property
    def name(self) -> str:
        return self.path.name

    def read_json(self, name: str) -> Any | None:
        """A document of the folder, checked against its schema (`runs.documents`); None where there is none (yet).

        Raises `StudioError` for one that is not what it should be.
        """
        folder = name.partition("/")[0]
        schema = DETECTIONS_SCHEMA if folder == DETECTIONS else _SCHEMAS[name]
        path, most = self.path / name, _LARGEST.get(folder, foreign.MOST_BYTES)
        try:
            if (stamp := _stamp(path)) is not None and stamp in _validated:  # a large one is checked once
                return json.loads(foreign.read_bytes(path, self.path, most, _MEND))
        except FileNotFoundError:
            return None
        found = foreign.read_json(path, schema, self.path, most, _MEND)
        if stamp is not None and folder in _LARGEST:
            _validated.add(stamp)
        return found

    def write_json(self, name: str, document: Any) -> None:
        """Write a document. Raises `FileNotFoundError` where there is no run folder: one that was deleted while it
        trains must not come back with a single file in it."""
        if not self.path.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the run folder is gone", str(self.path))
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, json.dumps(document, indent=None, allow_nan=False))

    def has(self, name: str) -> bool:
        """Whether there is such a file in the folder; a link out of it is none."""
        path = self.path / name
        return path.is_file() and foreign.is_confined(path, [self.path])

    @property
    def project(self) -> Path | None:
        """The folder of the project that the run belongs to; None for one that was trained elsewhere."""
        folder = self.project_folder
        return folder if folder is not None and (folder / PROJECT).is_file() else None

    @property
    def project_folder(self) -> Path | None:
        """The folder above the `runs/` in which the run lies, whether its project is there (still) or not; None for a
        run that lies elsewhere."""
        folder = Path(os.path.realpath(self.path)).parent
        return folder.parent if folder.name == RUNS else None

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
        """Where a picture of `dataset.json` lies; its `path` is relative to the run folder, or absolute.

        In a project, only a picture of that project, one that ships with the studio, or one of a folder that the person
        named in MASKRCNN_PICTURES; of a run outside of any project, which somebody named on the command line, wherever
        it lies. `StudioError` for any other: labels are data, and whoever wrote them may name any file.
        """
        path = self.path / image["path"]
        project = self.project
        if self.made_here or project is None:
            return path.resolve()
        named = [folder for folder in os.environ.get(PICTURES, "").split(os.pathsep) if folder]
        return foreign.confined(
            path,
            [project, DATA, *named],
            f"the pictures of a run lie in its project; copy them there, or name their folder in {PICTURES}",
        )

    def append_metrics(self, row: Row) -> None:
        """Add a row, and with the first one note in attempt.json which attempt writes. A validation loss that is not
        finite is written as null, as JSON has no word for it."""
        row = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in row.items()}
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if not self._begun:
            self._begun = True
            if attempt := self._attempt():
                self.write_json(BEGUN, {"attempt": attempt})

    def metrics(self) -> list[Row]:
        """All complete rows of `metrics.jsonl`, in order."""
        try:
            content = foreign.read_bytes(self.path / METRICS, self.path, _LARGEST[METRICS], _MEND)
        except FileNotFoundError:
            return []
        return [row for line in content.splitlines() if (row := row_of(line)) is not None]

    def cut_metrics(self, step: int, epochs: int) -> None:
        """Remove the rows after step `step`, the epochs after epoch `epochs`, and an incomplete last line."""
        kept = [
            row for row in self.metrics() if row["step"] <= step and (row["event"] == "step" or row["epoch"] <= epochs)
        ]
        if (self.path / METRICS).exists():
            write_atomic(self.path / METRICS, "".join(json.dumps(row) + "\n" for row in kept))

    def remove_temporary_files(self) -> None:
        """Delete the files that a killed process had not finished."""
        for left in self.path.rglob(".*"):
            if left.suffix == ".tmp" or left.name.startswith(".tmp"):  # ours, and those of safetensors
                left.unlink(missing_ok=True)

    def epochs(self) -> list[Row]:
        """The rows with `event` "epoch", in order."""
        return [row for row in self.metrics() if row["event"] == "epoch"]

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of `log.txt`."""
        try:
            with foreign.opened(self.path / LOG, self.path) as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 200 * lines))
                return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def checkpoint(self, epoch: int) -> Path:
        return self.path / "checkpoints" / f"epoch_{epoch:04d}.safetensors"

    def checkpoints(self) -> dict[int, Path]:
        """Epoch -> checkpoint file, in order of epoch."""
        return self._by_epoch("checkpoints", r"epoch_(\d{1,9})\.safetensors")

    @property
    def best(self) -> Path:
        return self.path / BEST

    @property
    def state(self) -> Path:
        """Where the state of the run lies, from which it can be resumed."""
        return self.path / STATE

    def write_detections(self, epoch: int, detections: list[dict[str, Any]]) -> None:
        self.write_json(f"{DETECTIONS}/epoch_{epoch:04d}.json", detections)

    def detections(self, epoch: int) -> list[dict[str, Any]]:
        """COCO results on the pictures of `shown` after that epoch; empty where there are none."""
        return self.read_json(f"{DETECTIONS}/epoch_{epoch:04d}.json") or []

    def detection_epochs(self) -> list[int]:
        """Epochs whose detections were kept, in order."""
        return list(self._by_epoch(DETECTIONS, r"epoch_(\d{1,9})\.json"))

    def result(self) -> dict[str, Any] | None:
        """How the run ended: `{"state": "done" | "failed" | "cancelled", "error", "best_epoch", "seconds",
        "stopped_early", "machine", ...}`; `seconds` are those of the training, from its first step to the end of
        its last validation, without the start of its processes; `machine` is what computed, in words."""
        found = self.read_json(RESULT)
        return found and {name: value for name, value in found.items() if name != "attempt"}

    def write_result(self, result: dict[str, Any]) -> None:
        """Write how the newest attempt ended, with its id. Raises as `write_json` does."""
        attempt = self._attempt()
        self.write_json(RESULT, result if attempt is None else {**result, "attempt": attempt})

    def _attempt(self) -> str | None:
        """The id of the newest attempt; None also where process.json is damaged, which must not end a training."""
        with suppress(StudioError):
            return (self.read_json(PROCESS) or {}).get("attempt")
        return None

    def _by_epoch(self, folder: str, pattern: str) -> dict[int, Path]:
        found = {}
        for path in (self.path / folder).glob("epoch_*"):
            if (match := re.fullmatch(pattern, path.name)) and self.has(f"{folder}/{path.name}"):
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


def _entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder; links are not followed."""
    folders = [os.fspath(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


_validated: set[tuple[str, int, int, int]] = set()
"""The large documents that this process has checked: path, inode, size in bytes and modification time in ns."""


def _stamp(path: Path) -> tuple[str, int, int, int] | None:
    try:
        about = os.stat(path)
    except (OSError, ValueError):
        return None
    return str(path), about.st_ino, about.st_size, about.st_mtime_ns
