"""The folder of one run. The trainer writes it, and all other parts read it; they share nothing else.

```
config.json                      the Config
start.json                       the options, initial weights and versions; a resumed run keeps it
dataset.json                     {"train": COCO document, "val": COCO document or null}: the exact labels
metrics.jsonl                    one row per step and per epoch (see below)
log.txt                          what the trainer printed
queued.json                      says that the run waits for its device (see jobs/waiting_folder.py)
process.json                     pid, create time and command of the trainer, and its attempt (see runs/attempts.py)
attempt.json                     the attempt that wrote the last rows of metrics.jsonl
checkpoints/epoch_0001.safetensors, best.safetensors
state_last.pt                    weights, optimiser state and position, to resume the run
detections/epoch_0001.json       COCO results on the pictures of `shown`
tensorboard/                     events, if enabled in the config
result.json                      how it ended, and its attempt; absent while it runs, or if the process was killed
```

Rows of `metrics.jsonl` carry `event` ("step" or "epoch"), `epoch` (from 1), `step` (from 1, over the whole run),
`progress` in [0, 1], `elapsed` and `eta` in seconds, the network's own losses (`Config.losses`) and their weighted sum
`loss`. Every row also has

- `learning_rate`, `images_per_second`, `gradient_norm` (before clipping), `layers` (the trained layers);
- `waiting`, the share of the time in [0, 1] that the trainer waited for pictures;
- `memory_mb` (in 2**20 bytes), memory of the GPU if one is used, otherwise of the process; `processor_percent`, the use
  of all CPU cores by this process (0 to 100); `gpu_percent`, the use of the GPU, if it is known;
- the number of samples per picture: `rpn_positives`, `rpn_negatives` (anchors), `roi_positives`, `roi_negatives`.

`epochs_and_passes.EPOCH_MEANING` defines an epoch. The steps of an epoch end at the `step` of its row. `elapsed` counts
from the first step of the run, not of the epoch. An epoch row has the means over its steps, the validation losses with
the prefix `val_` (absent without a validation set), `validation_seconds`, and the validation AP as `bbox_ap`,
`bbox_ap50`; with the mask task also `segm_ap`, `segm_ap50`, `segm_ap75`; with the keypoints task `keypoints_ap`,
`keypoints_ap50` (null without ground truth). `best.safetensors` has the weights of the best epoch
(`best_epoch.best_epoch`).

A run is resumed from `state_last.pt`. Rows in `metrics.jsonl` that are newer than this state are removed first, so that
no step is there twice.

Files are written under a temporary name and then renamed, so a reader gets either the old or the new file. Only
`metrics.jsonl` and `log.txt` are appended to; an incomplete last line of `metrics.jsonl` is skipped.

A run folder may come from another person. Its documents are validated with a schema (`runs.document_schemas`), links
that lead out of it are not followed, and `RunFolder.fault` reports what is wrong with it.
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

from maskrcnn import untrusted_files
from maskrcnn.atomic_files import write_atomic
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.install_folders import DATA
from maskrcnn.runs.document_schemas import (
    BEGUN_SCHEMA,
    CONFIG_SCHEMA,
    DATASET_SCHEMA,
    DETECTIONS_SCHEMA,
    PROCESS_SCHEMA,
    QUEUED_SCHEMA,
    RESULT_SCHEMA,
    START_SCHEMA,
    validated_metrics_row,
)
from maskrcnn.runs.shown_pictures import shown_pictures

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
"""The environment variable with additional folders whose pictures may be opened, separated as in PATH."""

RUNS = "runs"
"""The name of the folder in a project that contains its runs."""

PROJECT = "project.db"
"""The file by which a folder is recognised as a project (see `annotations/store`)."""

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
"""Maximum size of metrics.jsonl in bytes; enough for about 300,000 steps."""

_LARGEST = {DATASET: 1_000_000_000, DETECTIONS: 500_000_000, METRICS: MOST_METRICS}
"""Maximum size in bytes of documents that grow with the pictures or steps. Others: `untrusted_files.MOST_BYTES`."""

_ADVICE = "the run folder was damaged, restore that file"
_MOST_ENTRIES = 20_000
"""Maximum number of files in a run folder; most are checkpoints and detections, one of each per epoch."""


class RunFolder:
    """Reads and writes one run folder. The constructor checks nothing; `create`, `open` and `fault` do.

    `made_here` says that this process wrote its labels, so that their picture paths can be trusted (`picture_path`).

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
        """Create a new, empty run folder. Raises `ArgumentError` if the path holds a run or any other files."""
        run = cls(path)
        run.refuse_if_taken()
        run.path.mkdir(parents=True, exist_ok=True)
        return run

    def refuse_if_taken(self) -> None:
        """Raise `ArgumentError` if the path is a file, or a folder with other files than those of a waiting job."""
        if self.path.is_file():
            raise ArgumentError(f"{self.path} is a file; give --out a folder that does not exist yet")
        if (self.path / CONFIG).exists():
            raise ArgumentError(f"{self.path} already holds a run; choose another --out folder")
        if self.path.is_dir() and any(entry.name not in (LOG, PROCESS, QUEUED) for entry in self.path.iterdir()):
            raise ArgumentError(f"{self.path} is not empty; choose another --out folder")

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """Open an existing run folder that the user named. A link is resolved to its folder.

        Raises `ArgumentError` if it is no run folder, `StudioError` if it has a `fault`.
        """
        run = cls(os.path.realpath(path) if os.path.islink(path) else path)
        if not (run.path / CONFIG).is_file():
            raise ArgumentError(
                f"{run.path} is not a run folder (it has no {CONFIG}); give the --out folder of a training"
            )
        if wrong := run.fault():
            raise StudioError(wrong)
        return run

    def fault(self) -> str | None:
        """An error message, one line, if the folder cannot be used; otherwise None.

        Faults are a link that leads out of the folder, an entry that is neither file nor folder, too many files, and an
        invalid document. The large documents, labels and detections, are checked only when they are read.
        """
        try:
            if not untrusted_files.is_confined(self.path, [self.path.parent]):
                return f"{self.path}: is a link to another place; put the run folder itself there"
            for number, entry in enumerate(_entries_of_run_folder(self.path)):
                if number > _MOST_ENTRIES:
                    return f"{self.path}: holds more than {_MOST_ENTRIES:,} files, so it is no run; take it away"
                if entry.is_symlink():
                    untrusted_files.confined(
                        entry.path, [self.path], "put the file itself there, or take the link away"
                    )
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
        """A document of the folder, validated with its schema (`runs.document_schemas`); None if the file is missing.

        Raises `StudioError` if the document is invalid.
        """
        folder = name.partition("/")[0]
        schema = DETECTIONS_SCHEMA if folder == DETECTIONS else _SCHEMAS[name]
        path, most = self.path / name, _LARGEST.get(folder, untrusted_files.MOST_BYTES)
        stamp = _document_stamp(path)
        try:
            if stamp is not None and stamp in _validated:  # large documents are validated once
                return json.loads(untrusted_files.read_bytes(path, self.path, most, _ADVICE))
        except FileNotFoundError:
            return None
        found = untrusted_files.read_json(path, schema, self.path, most, _ADVICE)
        if stamp is not None and folder in _LARGEST:
            _validated.add(stamp)
        return found

    def write_json(self, name: str, document: Any) -> None:
        """Write a document. Raises `FileNotFoundError` if the run folder does not exist: a folder that was deleted
        during the training is not created again."""
        if not self.path.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the run folder is gone", str(self.path))
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, json.dumps(document, indent=None, allow_nan=False))

    def has(self, name: str) -> bool:
        """Whether the folder has the file `name`. False for a link that leads out of the folder."""
        path = self.path / name
        return path.is_file() and untrusted_files.is_confined(path, [self.path])

    @property
    def project(self) -> Path | None:
        """The folder of the project that contains the run; None if the run is in no project."""
        folder = self.project_folder
        return folder if folder is not None and (folder / PROJECT).is_file() else None

    @property
    def project_folder(self) -> Path | None:
        """The parent of the `runs/` folder that contains the run, even if it is no project (any more). None if the run
        is not in a folder `runs/`."""
        folder = Path(os.path.realpath(self.path)).parent
        return folder.parent if folder.name == RUNS else None

    def config(self) -> Config:
        """The Config of the run. Raises `StudioError` if config.json is invalid."""
        return Config.parse(self.read_json(CONFIG) or {})

    def dataset(self) -> dict[str, Any]:
        """The labels of the run: `{"train": COCO document, "val": COCO document or None}`. See also `picture_path`."""
        return self.read_json(DATASET) or {"train": {"images": [], "annotations": [], "categories": []}, "val": None}

    def shown(self) -> dict[str, Any]:
        """The COCO document of the pictures whose detections are saved: the validation set, or some training pictures
        if there is none."""
        dataset = self.dataset()
        return shown_pictures(dataset["train"], dataset["val"])

    def picture_path(self, image: dict[str, Any]) -> Path:
        """The file of a picture of `dataset.json`, whose `path` is relative to the run folder or absolute.

        For a run in a project, the file must be in that project, among the studio's data, or in a folder listed in
        MASKRCNN_PICTURES; otherwise `StudioError` is raised, because labels from other people may name any file. Any
        file is allowed if this process wrote the labels (`made_here`), and for a run outside of projects, which the
        user named on the command line.
        """
        path = self.path / image["path"]
        project = self.project
        if self.made_here or project is None:
            return path.resolve()
        named = [folder for folder in os.environ.get(PICTURES, "").split(os.pathsep) if folder]
        return untrusted_files.confined(
            path,
            [project, DATA, *named],
            f"the pictures of a run lie in its project; copy them there, or name their folder in {PICTURES}",
        )

    def append_metrics(self, row: Row) -> None:
        """Append a row to metrics.jsonl. Numbers that are not finite are written as null, because JSON has no NaN.

        The first call also writes the attempt id into attempt.json.
        """
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
            content = untrusted_files.read_bytes(self.path / METRICS, self.path, _LARGEST[METRICS], _ADVICE)
        except FileNotFoundError:
            return []
        return [row for line in content.splitlines() if (row := validated_metrics_row(line)) is not None]

    def last_row(self) -> Row | None:
        """The last complete row of `metrics.jsonl`, None if there is none. Reads only the end of the file."""
        try:
            with untrusted_files.opened(self.path / METRICS, self.path) as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
                lines = file.read().splitlines()
        except FileNotFoundError:
            return None
        return next((row for line in reversed(lines) if (row := validated_metrics_row(line)) is not None), None)

    def cut_metrics(self, step: int, epochs: int) -> None:
        """Remove rows with a higher step than `step`, epoch rows after epoch `epochs`, and an incomplete last line."""
        kept = [
            row for row in self.metrics() if row["step"] <= step and (row["event"] == "step" or row["epoch"] <= epochs)
        ]
        if (self.path / METRICS).exists():
            write_atomic(self.path / METRICS, "".join(json.dumps(row) + "\n" for row in kept))

    def remove_temporary_files(self) -> None:
        """Delete temporary files that a killed process has left."""
        for path in self.path.rglob(".*"):
            if path.suffix == ".tmp" or path.name.startswith(".tmp"):  # from `write_atomic`, and from safetensors
                path.unlink(missing_ok=True)

    def epochs(self) -> list[Row]:
        """The epoch rows of `metrics.jsonl`, in order."""
        return [row for row in self.metrics() if row["event"] == "epoch"]

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of `log.txt`; empty if there is no log."""
        try:
            with untrusted_files.opened(self.path / LOG, self.path) as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 200 * lines))
                return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def checkpoint(self, epoch: int) -> Path:
        """The path of the checkpoint after `epoch`."""
        return self.path / "checkpoints" / f"epoch_{epoch:04d}.safetensors"

    def checkpoints(self) -> dict[int, Path]:
        """Map each epoch that has a checkpoint to the file, in order of epoch."""
        return self._by_epoch("checkpoints", r"epoch_(\d{1,9})\.safetensors")

    @property
    def best(self) -> Path:
        """The path of the checkpoint of the best epoch."""
        return self.path / BEST

    @property
    def state(self) -> Path:
        """The path of the state file, from which the run can be resumed."""
        return self.path / STATE

    def write_detections(self, epoch: int, detections: list[dict[str, Any]]) -> None:
        """Write the detections after `epoch`, in COCO's result format."""
        self.write_json(f"{DETECTIONS}/epoch_{epoch:04d}.json", detections)

    def detections(self, epoch: int) -> list[dict[str, Any]]:
        """The detections on the pictures of `shown` after `epoch`, in COCO's result format; empty if there are none."""
        return self.read_json(f"{DETECTIONS}/epoch_{epoch:04d}.json") or []

    def detection_epochs(self) -> list[int]:
        """The epochs with saved detections, in order."""
        return list(self._by_epoch(DETECTIONS, r"epoch_(\d{1,9})\.json"))

    def result(self) -> dict[str, Any] | None:
        """How the run ended: `{"state": "done" | "failed" | "cancelled", "error", "best_epoch", "seconds",
        "stopped_early", "machine", "versions", ...}`; None while it has no result.

        `seconds` is the time from the first step to the end of the last validation, without the start of the
        processes. `machine` describes the hardware, `versions` the programs of the last attempt.
        """
        found = self.read_json(RESULT)
        return found and {name: value for name, value in found.items() if name != "attempt"}

    def write_result(self, result: dict[str, Any]) -> None:
        """Write the result of the newest attempt, with the attempt id. Raises like `write_json`."""
        attempt = self._attempt()
        self.write_json(RESULT, result if attempt is None else {**result, "attempt": attempt})

    def write_failure(self, why: str) -> None:
        """Write a result with the state "failed" and the reason `why`; other fields of an earlier result are kept.

        Raises like `write_json` and `result`.
        """
        self.write_result({**(self.result() or {}), "state": "failed", "error": why})

    def _attempt(self) -> str | None:
        """The id of the newest attempt. None if process.json is damaged, because this must not stop a training."""
        with suppress(StudioError):
            return (self.read_json(PROCESS) or {}).get("attempt")
        return None

    def _by_epoch(self, folder: str, pattern: str) -> dict[int, Path]:
        """Map epochs to the files of `folder` whose name matches `pattern`, whose first group is the epoch."""
        found = {}
        for path in (self.path / folder).glob("epoch_*"):
            if (match := re.fullmatch(pattern, path.name)) and self.has(f"{folder}/{path.name}"):
                found[int(match[1])] = path
        return dict(sorted(found.items()))


def _entries_of_run_folder(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """All files and folders in a run folder, recursively; links are not followed."""
    folders = [os.fspath(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


_validated: set[tuple[str, int, int, int]] = set()
"""The large documents that this process has validated: path, inode, size in bytes and modification time in ns."""


def _document_stamp(path: Path) -> tuple[str, int, int, int] | None:
    """The key of a document of a run folder in `_validated`: path, inode, size and modification time.

    None if the file does not exist.
    """
    try:
        about = os.stat(path)
    except (OSError, ValueError):
        return None
    return str(path), about.st_ino, about.st_size, about.st_mtime_ns
