"""Videos: which frames are read, that what is written can be read again, and what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.inference.video_frames import (
    VideoFacts,
    default_every,
    frames,
    is_video_name,
    video_facts,
    video_frames,
    video_writer,
)


def video(path: Path, count: int = 20, fps: float = 10, size: tuple[int, int] = (64, 48), code: str = "mp4v") -> Path:
    """Frame i has the grey value 10 i."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), fps, size)
    assert writer.isOpened()
    for number in range(count):
        writer.write(np.full((size[1], size[0], 3), 10 * number, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize(("suffix", "code"), [("mp4", "mp4v"), ("mov", "mp4v"), ("avi", "MJPG"), ("mkv", "VP80")])
def test_every_frame_has_its_time_and_its_pixels(suffix: str, code: str, tmp_path: Path) -> None:
    path = video(tmp_path / f"a.{suffix}", code=code)
    facts = video_facts(path)
    assert (facts.width, facts.height, facts.fps, facts.frames, facts.seconds) == (64, 48, 10, 20, 2)
    found = list(video_frames(path))
    assert [frame.number for frame in found] == list(range(20))
    assert [frame.time for frame in found] == pytest.approx([number / 10 for number in range(20)], abs=2e-3)
    for number, frame in enumerate(found):
        assert frame.picture.shape == (48, 64, 3)
        assert abs(frame.picture.mean() - 10 * number) < 6


@pytest.mark.parametrize(
    ("every", "most", "numbers"),
    [
        (0.5, None, [0, 5, 10, 15]),
        (0.25, None, [0, 3, 5, 8, 10, 13, 15, 18]),  # the first at or after 0, 0.25, 0.5, 0.75, ...
        (0.01, None, list(range(20))),
        (100, None, [0]),
        (0.5, 2, [0, 5]),
        (None, 3, [0, 1, 2]),
        (0, 0, []),
    ],
)
def test_one_frame_every_so_many_seconds(
    every: float | None, most: int | None, numbers: list[int], tmp_path: Path
) -> None:
    path = video(tmp_path / "a.mp4")
    assert [frame.number for frame in video_frames(path, every, most)] == numbers


def test_colours_are_red_green_blue_there_and_back(tmp_path: Path) -> None:
    with video_writer(tmp_path / "a.webm", fps=5) as write:
        for _ in range(3):
            write(np.full((48, 64, 3), (200, 100, 20), np.uint8))
    found = [picture for _, picture in frames(tmp_path / "a.webm")]
    assert len(found) == 3
    assert np.abs(found[0].reshape(-1, 3).mean(axis=0) - (200, 100, 20)).max() < 6
    assert [path.name for path in tmp_path.iterdir()] == ["a.webm"]


@pytest.mark.parametrize(("shape", "size"), [((49, 65), (64, 48)), ((500, 2000), (1280, 320)), ((1, 1), (32, 32))])
def test_a_written_video_has_even_sides_and_is_not_too_large(
    shape: tuple[int, int], size: tuple[int, int], tmp_path: Path
) -> None:
    with video_writer(tmp_path / "a.webm", fps=0.5) as write:
        write(np.zeros((*shape, 3), np.uint8))
        write(np.zeros((30, 40, 3), np.uint8))  # of another size, as videos may have
    facts = video_facts(tmp_path / "a.webm")
    assert (facts.width, facts.height, facts.frames) == (*size, 2)


def test_a_video_that_is_not_finished_leaves_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    path.write_bytes(b"older")

    def interrupted() -> None:
        with video_writer(path, fps=5) as write:
            write(np.zeros((48, 64, 3), np.uint8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with video_writer(path, fps=5):
        pass  # without a frame
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match="cannot be written"), video_writer(tmp_path / "file" / "a.webm", 5):
        pass
    with pytest.raises(ArgumentError, match=r"written as \.webm"), video_writer(tmp_path / "a.mp4", 5):
        pass


@pytest.mark.parametrize("lost", [1, 30, 10_000])
def test_a_disk_that_fills_is_told(lost: int, tmp_path: Path) -> None:
    """OpenCV says nothing of it: the file is looked at when it is finished."""

    def cut_off() -> None:
        with video_writer(tmp_path / "a.webm", 5) as write:
            for _ in range(5):
                write(np.zeros((48, 64, 3), np.uint8))
            write.close()
            (unfinished,) = tmp_path.rglob("video.webm")
            whole = unfinished.read_bytes()
            cues = whole.rindex(b"\x1c\x53\xbb\x6b")  # the index, which follows the frames
            unfinished.write_bytes(whole[: max(0, cues - lost)])

    with pytest.raises(ArgumentError, match=r"a\.webm: cannot be written"):
        cut_off()
    assert list(tmp_path.iterdir()) == []


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"

REFUSED = {
    "words": b"words",
    "nothing": b"",
    "a playlist, which names other files": PLAYLIST,
    "a list of files": b"ffconcat version 1.0\nfile a.mp4\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "only the start of a video": b"\0\0\0\x20ftypisom" + bytes(100),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_video_is_one_line(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_bytes(REFUSED[kind])
    with pytest.raises(StudioError, match=r"a\.mp4: is not a video that can be read"):
        next(frames(tmp_path / "a.mp4"))
    assert capfd.readouterr().err == ""


def test_a_folder_a_missing_file_and_a_wrong_distance_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="this is not a file"):
        video_facts(tmp_path)
    with pytest.raises(StudioError, match="cannot be read"):
        video_facts(tmp_path / "nowhere.mp4")
    for every in (-1, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="give a number of seconds"):
            next(frames(tmp_path / "a.mp4", every))


def test_a_cut_off_video_gives_its_frames_and_then_its_error(tmp_path: Path) -> None:
    path = video(tmp_path / "a.avi", code="MJPG", size=(320, 240))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found: list[float] = []
    with pytest.raises(StudioError, match=r"is cut off or damaged: only \d+ of about 20 frames"):
        found.extend(time for time, _ in frames(path))
    assert 3 < len(found) < 17


def test_short_videos_are_looked_at_frame_by_frame() -> None:
    assert default_every(VideoFacts(64, 48, 30, 300)) == 0
    assert default_every(VideoFacts(64, 48, 30, 301)) == 1
    assert default_every(VideoFacts(64, 48, 30, None)) == 1
    assert is_video_name("a/b.MOV")
    assert not is_video_name("a.gif")
