"""Prediction of many pictures and videos into a folder, so that a run that was stopped goes on.

Memory is bounded by the pictures that are worked on at once (`prediction_work`); what was found is in the journal
(`prediction_journal`), from which the files about all pictures are written at the end.
"""

from __future__ import annotations

import contextlib
import math
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.annotations.unused_names import unused_name
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.inference.found_in_journal import FoundInJournal, Place, results_entries
from maskrcnn.inference.input_pictures import GivenPicture
from maskrcnn.inference.outputs import PLACES, SET_KINDS, write_set_files
from maskrcnn.inference.prediction_folder import RESULTS, PredictionFolder, write_results
from maskrcnn.inference.prediction_journal import JOURNAL, Journal, Stamp
from maskrcnn.inference.prediction_work import FRAMES, Outcome, PredictionWork, RunOptions, Task
from maskrcnn.inference.video_frames import VIDEO_SUFFIX, default_every, video_facts, video_frames, video_writer
from maskrcnn.model.build import StudioRCNN
from maskrcnn.name_order import folded

_TEMPORARY = re.compile(r"\.(.{1,40})\.[0-9a-z_]{8,32}\.tmp", re.DOTALL)
"""A name of `atomic_files.replacing`, or of the folder of `video_writer`."""


@dataclass(frozen=True)
class FinishedPicture:
    """A picture or a video that is done. `output` is its overlay or drawn video, None if there is none.

    `shown` of `detections` have at least the minimum score. `frames` is the number of frames of a video, 0 for a
    picture, and `every` the seconds between them, 0 for all. `error` is set if the picture, or a part of the video,
    could not be read.
    """

    path: Path
    output: Path | None
    detections: int = 0
    shown: int = 0
    frames: int = 0
    every: float = 0.0
    error: StudioError | None = None


class PredictionRun:
    """A run of predict into `folder`. Use it in a `with` block: take `pictures`, then `videos`, then call `finish`.

    `network` is the `name` and the `digest` of the network, by which a later run recognises it. After `stopped()` has
    become true, what is being worked on is finished, and nothing more is begun. Raises `ArgumentError` if the folder
    holds something that predict did not write, or predictions of another network or with other options.
    """

    def __init__(
        self,
        folder: PredictionFolder,
        model: StudioRCNN,
        network: Mapping[str, str],
        options: RunOptions | None = None,
        stopped: Callable[[], bool] = bool,
    ) -> None:
        self.folder, self.model, self.stopped = folder, model, stopped
        self.options = options or RunOptions()
        self.journal = Journal.open(folder.path / JOURNAL, network, self.options.recorded, self.options.again)
        self._video_names = self._names_of_videos()
        self._places = self._free_places()
        self._work = PredictionWork(model, folder.path, self.options, self._begin, stopped)
        self._keys = [overlay.removesuffix(".png") for overlay in folder.overlays]
        self._stamps = [Stamp.of(given.path) for given in folder.pictures]
        self._before = [self._is_done(number) for number in range(len(folder.pictures))]
        self._remove_unfinished()
        self._frames: list[Place] = []
        self._left_undone = False
        self.detections = 0

    def __enter__(self) -> PredictionRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.journal.close()

    @property
    def done_before(self) -> int:
        """The number of pictures that an earlier run has finished."""
        return sum(self._before)

    @property
    def is_stopped(self) -> bool:
        """Whether something was left undone because `stopped()` has become true."""
        return self._left_undone

    def pictures(self, watch: Watch = unwatched) -> Iterator[FinishedPicture]:
        """Predict the pictures that are not done, in order, and yield each when its files are written.

        A picture that cannot be read has an `error`, and the others follow; a later run tries it again. Raises
        `ArgumentError` if a file cannot be written; what was yielded stays.
        """
        given = self.folder.pictures
        tasks = [
            Task(key, one.name, one.path, stamp)
            for key, one, stamp, done in zip(self._keys, given, self._stamps, self._before, strict=True)
            if not done
        ]
        count = 0
        with self._work.threads_shared():
            for outcome in watch(self._work.outcomes(tasks), "detecting", len(tasks)):
                count += 1
                yield self._record(outcome)
        self._left_undone |= count < len(tasks)

    def videos(self, watch: Watch = unwatched) -> Iterator[FinishedPicture]:
        """Predict the videos, one after the other, and yield each when its frames are done and its drawing is written.

        Frames that are done are not predicted again, but drawn again. A video that cannot be read has an `error`.
        """
        with self._work.threads_shared():
            for video, name in zip(self.folder.videos, self._video_names, strict=True):
                if self.stopped():
                    self._left_undone = True
                    return
                finished = self._video(video, name, watch)
                if finished is not None:
                    yield finished

    def finish(self, notice: Callable[[str], object] = str) -> list[Path]:
        """Write `detections.json` and the other files about all pictures, if any could be read. Returns their paths.

        `notice(line)` is called with what a format cannot hold. `detections` is then the number of all detections.
        """
        given = zip(self._keys, self.folder.pictures, self._stamps, strict=True)
        done: list[Place] = [(key, one.path, None) for key, one, stamp in given if self.journal.has(key, stamp)]
        places: list[Place] = [*done, *self._frames]
        if not places:
            return []
        self._begin()
        names = self.model.config.names
        found = FoundInJournal(self.journal, places, self.options.min_score)
        numbers = {key: number for number, key in enumerate(self._keys, start=1)}
        overlays = "overlays" in self.options.kinds
        entries = results_entries(self.journal, places, numbers, names, overlays)
        self.detections = write_results(self.folder.results, entries)
        kinds = [kind for kind in self.options.kinds if kind in (*SET_KINDS, "cutouts", "masks")]
        keys = [key for key, *_ in places]
        written = write_set_files(kinds, found, self.model.config, self.folder.path, stems=keys, notice=notice)
        return [self.folder.results, *written]

    # Planning

    def _names_of_videos(self) -> list[str]:
        """The names of the drawn videos in the folder, by which their frames are named too."""
        taken = {folded(overlay.removesuffix(".png")) for overlay in self.folder.overlays}
        names: list[str] = []

        def is_taken(name: str) -> bool:
            is_foreign = (self.folder.path / name).exists() and name not in self.journal.places
            return is_foreign or folded(Path(name).stem) in taken

        for video in self.folder.videos:
            names.append(unused_name(f"{Path(video.name).stem}{VIDEO_SUFFIX}", is_taken, "{stem}-{number}{suffix}"))
            taken.add(folded(Path(names[-1]).stem))
        return names

    def _free_places(self) -> list[str]:
        """The files and folders that this run makes beside overlays. Raises `ArgumentError` if one is of others."""
        places = [PLACES[kind] for kind in self.options.kinds if kind in PLACES]
        if self.folder.videos and self.options.keeps_frames:
            places.append(FRAMES)
        for place in places:
            if (found := self.folder.path / place).exists() and place not in self.journal.places:
                raise ArgumentError(
                    f"{found}: is there already and was not written by predict; give --out another folder"
                )
        return [*places, *self._video_names]

    def _remove_unfinished(self) -> None:
        """Delete the temporary files that a killed run of predict has left: those of names that this run writes."""
        if not self.journal.path.exists():
            return
        names = {Path(overlay).name[:40] for overlay in (*self.folder.overlays, *self._video_names)}
        names |= {Path(place).name[:40] for place in (*self._places, RESULTS)}
        folders = {(self.folder.path / overlay).parent for overlay in self.folder.overlays} | {self.folder.path}
        own = {self.folder.path / place for place in ("cutouts", "masks", FRAMES) if place in self.journal.places}
        for folder in folders | own:
            for path in folder.glob(".*.tmp"):
                found = _TEMPORARY.fullmatch(path.name)
                if found and (folder in own or found[1] in names) and not path.is_symlink():
                    with contextlib.suppress(OSError):
                        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _begin(self) -> None:
        """Remember what this run makes, before it does. Called in any thread."""
        self.journal.add_places(self._places)

    def _is_done(self, number: int) -> bool:
        """Whether an earlier run has finished a picture, and its overlay is still there."""
        overlay = self.folder.path / self.folder.overlays[number]
        written = "overlays" not in self.options.kinds or overlay.is_file()
        return written and self.journal.has(self._keys[number], self._stamps[number])

    def _is_frame_done(self, key: str, stamp: Stamp) -> bool:
        """Whether an earlier run has finished a frame of a video, and its picture is still there if it is needed."""
        file = self._work.frame_file(key)
        return self.journal.has(key, stamp) and (file is None or file.is_file())

    # Results

    def _record(self, outcome: Outcome) -> FinishedPicture:
        """Add an outcome to the journal, and say what it is."""
        task, entry = outcome.task, outcome.entry
        if entry is None:
            return FinishedPicture(task.path, None, error=outcome.error)
        if task.entry is None:
            self._begin()
            self.journal.append(entry)
        overlay = self.folder.path / f"{task.key}.png" if "overlays" in self.options.kinds else None
        shown = sum(one["score"] >= self.options.min_score for one in entry.detections)
        return FinishedPicture(task.path, overlay, len(entry.detections), shown)

    def _video(self, video: GivenPicture, name: str, watch: Watch) -> FinishedPicture | None:
        """Predict the frames of a video, and write the drawing. None if it was stopped."""
        stamp, stem = Stamp.of(video.path), Path(name).stem
        problems: list[StudioError] = []
        try:
            facts = video_facts(video.path)
        except StudioError as error:
            return FinishedPicture(video.path, None, error=error)
        every = default_every(facts) if self.options.every is None else self.options.every
        seconds = facts.seconds or 0.0
        count = max(1, math.ceil(seconds / every)) if every else facts.frames or 0

        def tasks() -> Iterator[Task]:
            try:
                for frame in video_frames(video.path, every):
                    key = f"{stem}_{frame.number:06d}"
                    before = self.journal.entry(key) if self._is_frame_done(key, stamp) else None
                    yield Task(key, f"{key}.png", video.path, stamp, frame, before)
            except StudioError as error:
                problems.append(error)

        target = self.folder.path / name if "overlays" in self.options.kinds else None
        fps = min(1 / every, facts.fps) if every else facts.fps
        finished: list[Place] = []
        detections = shown = 0
        try:
            with video_writer(target, fps) if target else contextlib.nullcontext() as write:
                for outcome in watch(self._work.outcomes(tasks()), "detecting", count):
                    one = self._record(outcome)
                    detections, shown = detections + one.detections, shown + one.shown
                    finished.append(
                        (outcome.task.key, self._work.frame_file(outcome.task.key), name if target else None)
                    )
                    if write and outcome.drawn is not None:
                        write(outcome.drawn)
                if self.stopped():
                    raise _Stopped
        except _Stopped:
            self._left_undone = True
            return None
        self._frames += finished
        drawn = target if finished else None
        return FinishedPicture(video.path, drawn, detections, shown, len(finished), every, next(iter(problems), None))


class _Stopped(Exception):
    """Ends the writing of a video that is not whole."""
