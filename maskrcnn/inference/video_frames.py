"""Reading the frames of a video, and writing drawn frames as a video that browsers play.

Videos are decoded by the FFmpeg inside OpenCV. A file is opened only if its first bytes are those of a container of
`_CONTAINERS`: FFmpeg also reads playlists and scripts, which name other files and addresses.

Videos are written as WebM with VP8. Of the formats that `opencv-python-headless` can write on all systems, browsers
play it and VP9 only, and VP9 takes four times as long. A frame is at most `LONGEST_SIDE` pixels wide or high.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskrcnn.annotations.picture_files.pixel_budget import MOST_PIXELS, TOO_LARGE
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.output_files import not_written, writing
from maskrcnn.words import counted

# FFmpeg prints what it dislikes about a file to standard error; this module says it in its own words.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".ts")
"""File suffixes of videos."""

VIDEO_SUFFIX = ".webm"
"""Suffix of the videos that `video_writer` writes."""

LONGEST_SIDE = 1280
"""Maximum of the longer side of a written video, in pixels. Encoding a frame of this size takes about 0.2 s."""

_CONTAINERS: tuple[tuple[int, bytes], ...] = (
    *((4, kind) for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),  # MP4, QuickTime
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"\x00\x00\x01\xba"),  # MPEG program stream
    (0, b"\x00\x00\x01\xb3"),  # MPEG video
    (0, b"\x47"),  # MPEG transport stream
    (0, b"OggS"),
    (0, b"FLV"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # Windows Media
)
"""(place, bytes) of the containers that are opened: their first bytes."""

_NOT_READ = "is not a video that can be read (MP4, MOV, AVI, WebM, MKV, MPEG, ...); save it again as an MP4"


@dataclass(frozen=True)
class VideoFacts:
    """What a video says of itself. `frames` and `seconds` are estimates, and None if the file does not say them.

    `width` and `height` are of the frames as displayed. `fps` is the number of frames per second.
    """

    width: int
    height: int
    fps: float
    frames: int | None

    @property
    def seconds(self) -> float | None:
        """The length."""
        return None if self.frames is None else self.frames / self.fps


@dataclass(frozen=True)
class VideoFrame:
    """A frame: its number in the video, from 0; its time in seconds; uint8 `(H, W, 3)` RGB, as displayed."""

    number: int
    time: float
    picture: np.ndarray


def is_video_name(path: Path | str) -> bool:
    """Whether a file has the suffix of a video.

    >>> is_video_name("clip.MP4"), is_video_name("clip.png")
    (True, False)
    """
    return Path(path).suffix.lower() in SUFFIXES


def video_facts(path: Path | str) -> VideoFacts:
    """The size, frame rate and length of a video. Raises `StudioError` if it cannot be read."""
    with _opened(path) as (_, facts):
        return facts


def frames(path: Path | str, every: float | None = None, most: int | None = None) -> Iterator[tuple[float, np.ndarray]]:
    """The time in seconds and the picture, uint8 `(H, W, 3)` RGB as displayed, of frames of a video.

    With `every`, one frame for each `every` seconds: the first at or after 0, `every`, 2 `every` and so on. `most`:
    maximum number of frames. Raises `StudioError` as `video_frames`.

    >>> from tempfile import mkdtemp
    >>> file = Path(mkdtemp()) / "grey.webm"
    >>> with video_writer(file, fps=10) as write:
    ...     for _ in range(20):
    ...         write(np.full((48, 64, 3), 128, np.uint8))
    >>> [(round(time, 3), picture.shape) for time, picture in frames(file, every=0.5)]
    [(0.0, (48, 64, 3)), (0.5, (48, 64, 3)), (1.0, (48, 64, 3)), (1.5, (48, 64, 3))]
    """
    for frame in video_frames(path, every, most):
        yield frame.time, frame.picture


def video_frames(path: Path | str, every: float | None = None, most: int | None = None) -> Iterator[VideoFrame]:
    """Like `frames`, with the number of each frame.

    Raises `ArgumentError` if `every` is negative, and `StudioError` if the file is missing, is not a video, or has
    frames that are too large; also after the last frame that can be read if the video ends much too early.
    """
    if every is not None and not (math.isfinite(every) and every >= 0):
        raise ArgumentError(f"every={every}: give a number of seconds, 0 for every frame")
    with _opened(path) as (capture, facts):
        number, given, step = -1, 0, 0
        while most is None or given < most:
            if not capture.grab():
                break
            number += 1
            time = _time_of(capture, number, facts)
            if every and time < step * every - 1e-3:  # times are rounded to milliseconds in many files
                continue
            read, picture = capture.retrieve()
            if not read:
                break
            if every:
                step = math.floor((time + 1e-3) / every) + 1
            given += 1
            yield VideoFrame(number, time, _as_rgb(picture))
        else:
            return
    if number < 0:
        raise StudioError(f"{path}: {_NOT_READ}")
    if facts.frames is not None and number + 1 < 0.9 * facts.frames - 2:
        raise StudioError(
            f"{path}: is cut off or damaged: only {number + 1} of about {counted(facts.frames, 'frame')} can be read; "
            "replace it by a whole copy"
        )


class FrameWriter:
    """Writes frames to the video of `video_writer`: call it with uint8 `(H, W, 3)` RGB pictures."""

    def __init__(self, path: Path, fps: float, longest: int) -> None:
        self._path, self._fps, self._longest = path, fps, longest
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self.written = 0

    def __call__(self, picture: np.ndarray) -> None:
        """Append a frame. All frames get the size of the first one. Raises `OSError` if no video can be written."""
        if self._writer is None:
            self._size = _even_size(picture.shape[1], picture.shape[0], self._longest)
            with _without_messages():
                code = cv2.VideoWriter.fourcc(*"VP80")
                self._writer = cv2.VideoWriter(str(self._path), cv2.CAP_FFMPEG, code, self._fps, self._size)
            if not self._writer.isOpened():
                raise OSError(0, "OpenCV cannot make a WebM video here")
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        self.written += 1

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None


@contextmanager
def video_writer(path: Path, fps: float, longest: int = LONGEST_SIDE) -> Iterator[FrameWriter]:
    """A context with a function that appends a frame to the WebM video `path`, which appears when the block ends.

    Frames are scaled down to a longer side of at most `longest` px, and to even sides. `path` ends with `.webm`. If the
    block raises, or has written no frame, no file is left and an older one is unchanged. Raises `ArgumentError` if the
    file cannot be written.
    """
    if path.suffix != VIDEO_SUFFIX:
        raise ArgumentError(f"{path}: a video is written as {VIDEO_SUFFIX}; choose such a name")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # OpenCV chooses the container by the suffix, so the unfinished file is in a folder with a temporary name.
        with tempfile.TemporaryDirectory(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent) as folder:
            unfinished = Path(folder) / f"video{VIDEO_SUFFIX}"
            write = FrameWriter(unfinished, fps, longest)
            try:
                yield write
            finally:
                write.close()
            if write.written:
                _require_whole(unfinished, write.written, path)
                os.replace(unfinished, path)


def default_every(facts: VideoFacts, most: int = 300) -> float:
    """The usual time between frames in seconds: 0 (every frame) for a video of at most `most` frames, else 1.

    >>> default_every(VideoFacts(64, 48, fps=30.0, frames=300)), default_every(VideoFacts(64, 48, 30.0, frames=301))
    (0.0, 1.0)
    """
    return 0.0 if facts.frames is not None and facts.frames <= most else 1.0


@contextmanager
def _opened(path: Path | str) -> Iterator[tuple[cv2.VideoCapture, VideoFacts]]:
    """A context with an open video and its facts. Raises `StudioError` if it cannot be opened."""
    _require_container(path)
    capture = cv2.VideoCapture()
    capture.setExceptionMode(False)
    with _without_messages():
        # An absolute path is never taken for an address or a protocol of FFmpeg.
        capture.open(os.path.abspath(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise StudioError(f"{path}: {_NOT_READ}")
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # phones store a rotation
        width, height = (int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > MOST_PIXELS:
            raise StudioError(f"{path}: the frames are {width} x {height} px; {TOO_LARGE}")
        fps, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        plausible = math.isfinite(fps) and 0 < fps <= 480
        # Recordings of browsers say 1000 frames per second, and no length.
        known = plausible and math.isfinite(count) and 0 < count < 1e8
        yield capture, VideoFacts(width, height, fps if plausible else 30.0, int(count) if known else None)
    finally:
        capture.release()


def _require_container(path: Path | str) -> None:
    """Raise `StudioError` unless `path` is a file that starts as a video does."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # reading from a pipe could block for ever
            raise StudioError(f"{path}: this is not a file; give a video")
        with open(path, "rb") as file:
            start = file.read(16)
    except OSError as error:
        raise StudioError(f"{path}: cannot be read ({error.strerror}); check the name and the permissions") from None
    if not any(start[place : place + len(kind)] == kind for place, kind in _CONTAINERS):
        raise StudioError(f"{path}: {_NOT_READ}")


def _time_of(capture: cv2.VideoCapture, number: int, facts: VideoFacts) -> float:
    """The time of the frame that was grabbed last, in seconds."""
    milliseconds = capture.get(cv2.CAP_PROP_POS_MSEC)
    told = math.isfinite(milliseconds) and (milliseconds > 0 or number == 0)
    return max(0.0, milliseconds) / 1000 if told else number / facts.fps


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    """A frame of OpenCV as uint8 `(H, W, 3)` RGB."""
    kind = cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(picture, kind))


def _even_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """The (width, height) of a written video: at most `longest`, and even, because colours are stored for 2 x 2 px.

    VP8 needs some pixels, so a smaller side becomes 32.
    """
    scale = min(1.0, longest / max(width, height))
    return max(32, round(width * scale) // 2 * 2), max(32, round(height * scale) // 2 * 2)


def _require_whole(video: Path, frames_written: int, path: Path) -> None:
    """Raise `ArgumentError` if OpenCV, which reports no error of writing, did not write all frames.

    The frames are counted by reading them: the header of a video that was cut off by a full disk can be whole.
    """
    found = 0
    with contextlib.suppress(StudioError), _opened(video) as (capture, _):
        while capture.grab():
            found += 1
    if found < frames_written:
        free = shutil.disk_usage(video.parent).free
        raise not_written(path, "No space left on device" if free < 50_000_000 else "the video is not whole")


_messages = threading.Lock()


@contextmanager
def _without_messages() -> Iterator[None]:
    """A context in which nothing is printed to the standard error of the process.

    OpenCV prints there that "VP80" is an unusual name for VP8 in WebM, and that a file is no video.
    """
    with _messages:
        try:
            kept = os.dup(2)
        except OSError:  # the process has no standard error
            yield
            return
        try:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 2)
            os.close(nothing)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
