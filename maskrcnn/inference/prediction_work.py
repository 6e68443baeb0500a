"""The work on pictures and frames: read, run the network, write what was found, in several threads and in order.

On a CPU each thread takes a picture from its file to its outputs, and the network computes in one thread for each
picture: with as many threads as cores, none waits for the others, while a network that computes one picture in all
threads leaves cores idle between its layers. Several pictures at once are no faster there. On a GPU threads read
pictures ahead, the network takes those of one working size together, and threads write what was found. Either way the
detections are those of `detect`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from maskrcnn.annotations import pictures
from maskrcnn.annotations.picture_files.pixel_budget import MOST_PIXELS
from maskrcnn.drawing.overlays import detection_marks, draw
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.measures import DEFAULT_MIN_SCORE
from maskrcnn.inference.ordered_work import in_order
from maskrcnn.inference.outputs import PICTURE_KINDS, write_picture_files
from maskrcnn.inference.outputs.found_picture import FoundPicture
from maskrcnn.inference.overlay_files import save_picture
from maskrcnn.inference.prediction_journal import JournalEntry, Stamp
from maskrcnn.inference.video_frames import LONGEST_SIDE, VideoFrame
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.detect import box_answers_of, detections_of, network_picture, results_of

MOST_WORKERS = 8
FRAMES = "frames"
"""The folder of the frames of videos, for data sets that refer to them."""
BATCH = 8
"""Maximum number of pictures that a GPU takes together."""


@dataclass(frozen=True)
class RunOptions:
    """What is written. `kinds`: of `outputs.KINDS`. Detections of at least `min_score` are drawn and counted.

    `every`: seconds between the frames of a video; 0 for all frames, None for `video_frames.default_every`. `again`:
    start over in a folder in which pictures are finished. `precision` is that of the network, as the person gave it.
    `compiled`: the network was compiled, and is used by one thread at a time.
    """

    kinds: Collection[str] = ("overlays",)
    min_score: float = DEFAULT_MIN_SCORE
    every: float | None = None
    again: bool = False
    precision: str = "auto"
    compiled: bool = False

    @property
    def picture_kinds(self) -> tuple[str, ...]:
        """The kinds that are written for each picture."""
        return tuple(kind for kind in PICTURE_KINDS if kind in self.kinds)

    @property
    def keeps_frames(self) -> bool:
        """Whether the frames of videos are written as pictures, because a data set refers to them."""
        return not {"coco", "via", "labelme", "yolo"}.isdisjoint(self.kinds)

    @property
    def recorded(self) -> dict[str, object]:
        """The options that a later run must share to go on, by their names on the command line."""
        written = ",".join(self.picture_kinds) or "no pictures"
        return {"--min-score": self.min_score, "--precision": self.precision, "--write": written}


@dataclass(frozen=True)
class Task:
    """A picture or a frame to predict; `entry` is set for a frame that was predicted before and is drawn again."""

    key: str
    name: str
    path: Path
    stamp: Stamp
    frame: VideoFrame | None = None
    entry: JournalEntry | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a task: an entry of the journal, or an error; for a frame of a video also the drawing."""

    task: Task
    entry: JournalEntry | None = None
    error: StudioError | None = None
    drawn: np.ndarray | None = None


_Read = tuple[Task, np.ndarray | StudioError, torch.Tensor | None]
"""A task, its picture or why it cannot be read, and the input of the network if it is to be run."""
_Computed = tuple[Task, np.ndarray | StudioError, dict[str, torch.Tensor] | None]
"""The same with what the network found (`model.detect.find`), on the CPU."""


class PredictionWork:
    """Predicts pictures and frames with `model`, and writes their files into `folder`.

    `begin()` is called, in any thread, before a file is written. After `stopped()` has become true no further picture
    is begun.
    """

    def __init__(
        self,
        model: StudioRCNN,
        folder: Path,
        options: RunOptions,
        begin: Callable[[], object] = bool,
        stopped: Callable[[], bool] = bool,
    ) -> None:
        self.model, self.folder, self.options, self.begin, self.stopped = model, folder, options, begin, stopped
        self._device = next(model.parameters()).device
        self._threads = torch.get_num_threads()
        self.workers = max(1, min(MOST_WORKERS, self._threads))
        self._network = threading.Lock() if options.compiled else contextlib.nullcontext()

    @contextlib.contextmanager
    def threads_shared(self) -> Iterator[None]:
        """A context in which the threads of torch and OpenCV are shared among the workers."""
        cv_threads = cv2.getNumThreads()
        if self._device.type == "cpu" and not self.options.compiled:
            torch.set_num_threads(max(1, self._threads // self.workers))
            cv2.setNumThreads(1)
        try:
            yield
        finally:
            torch.set_num_threads(self._threads)
            cv2.setNumThreads(cv_threads)

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """The outcomes of the tasks, in order."""
        if self._device.type == "cpu":
            return in_order(tasks, self._predict, self.workers, self.workers + 2, _pixels_of, MOST_PIXELS, self.stopped)
        reads = in_order(tasks, self._read, self.workers, 2 * BATCH, _pixels_of, MOST_PIXELS, self.stopped)
        return in_order(self._computed(reads), self._finish_computed, self.workers, BATCH, stopped=self.stopped)

    def frame_file(self, key: str) -> Path | None:
        """The picture of a frame of a video, None if frames are not written."""
        return self.folder / FRAMES / f"{key}.png" if self.options.keeps_frames else None

    def _predict(self, task: Task) -> Outcome:
        """Predict one picture and write its files."""
        picture = _loaded(task)
        if isinstance(picture, StudioError):
            return Outcome(task, error=picture)
        if task.entry:
            return self._written(task, picture, task.entry.detections)
        with self._network:
            detections = detect(self.model, picture)
        return self._written(task, picture, detections)

    def _read(self, task: Task) -> _Read:
        """Read a picture, and resize it for the network."""
        picture = _loaded(task)
        if isinstance(picture, StudioError) or task.entry:
            return task, picture, None
        return task, picture, network_picture(self.model, picture)

    def _computed(self, reads: Iterable[_Read]) -> Iterator[_Computed]:
        """Run the network on pictures that follow each other and have one size together."""
        batch: list[_Read] = []
        for read in reads:
            same = not batch or _size(batch[0][2]) == _size(read[2])
            if batch and (len(batch) == BATCH or not same):
                yield from self._run_network(batch)
                batch = []
            batch.append(read)
        if batch:
            yield from self._run_network(batch)

    def _run_network(self, batch: Sequence[_Read]) -> Iterator[_Computed]:
        inputs = [tensor for *_, tensor in batch if tensor is not None]
        answers = iter(box_answers_of(self.model, inputs) if inputs else ())
        for task, picture, tensor in batch:
            found = None
            if tensor is not None:
                found = {name: values.cpu() for name, values in detections_of(self.model, next(answers)).items()}
            yield task, picture, found

    def _finish_computed(self, computed: _Computed) -> Outcome:
        """Write the files of a picture, with what the network found in it."""
        task, picture, found = computed
        if isinstance(picture, StudioError):
            return Outcome(task, error=picture)
        if found is None:
            return self._written(task, picture, task.entry.detections if task.entry else ())
        return self._written(task, picture, results_of(self.model.config, found, *picture.shape[:2]))

    def _written(self, task: Task, picture: np.ndarray, detections: Sequence[dict[str, Any]]) -> Outcome:
        """Write the files of a picture. A frame of a video is drawn, and its overlay is not written."""
        height, width = picture.shape[:2]
        entry = task.entry or JournalEntry(task.key, task.name, task.stamp, width, height, detections)
        shown = tuple(one for one in detections if one["score"] >= self.options.min_score)
        config, kinds, drawn = self.model.config, self.options.picture_kinds, None
        if task.frame is not None:
            entry = replace(entry, frame=task.frame.number, time=task.frame.time)
            if "overlays" in kinds:
                marks = detection_marks(shown, config.names, config.keypoint_edges)
                drawn = draw(picture, marks, longest=min(LONGEST_SIDE, max(height, width)))
            kinds = () if task.entry else tuple(kind for kind in kinds if kind != "overlays")
            if (file := self.frame_file(task.key)) and not task.entry:
                self.begin()
                save_picture(picture, file)
        found = FoundPicture(task.name, width, height, shown, task.path if task.frame is None else None)
        if kinds:
            self.begin()
        write_picture_files(kinds, found, picture, config.names, None, self.folder, task.key, config.keypoint_edges)
        return Outcome(task, entry, drawn=drawn)


def _loaded(task: Task) -> np.ndarray | StudioError:
    """The pixels of a picture or a frame, or why it cannot be read."""
    if task.frame is not None:
        return task.frame.picture
    try:
        return pictures.load(task.path)
    except StudioError as error:
        return error


def _pixels_of(task: Task) -> int:
    """The number of pixels of a picture, by its header; 0 if it cannot be read."""
    if task.frame is not None:
        return task.frame.picture.shape[0] * task.frame.picture.shape[1]
    try:
        width, height = pictures.size(task.path)
    except StudioError:
        return 0
    return width * height


def _size(tensor: torch.Tensor | None) -> tuple[int, ...] | None:
    return None if tensor is None else tuple(tensor.shape)
