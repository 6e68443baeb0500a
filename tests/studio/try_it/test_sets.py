"""Sets of pictures: what arrives, what is refused, what is kept, and the figures of what was found."""

from __future__ import annotations

import io
import json
import os
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.inference.video_frames import video_writer
from maskrcnn.model.candidates import Candidates, Selection
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.try_it.sets import (
    figures,
    incoming,
    set_folders,
    suggesting,
    taking,
    tried_network,
    tried_set,
    works,
)
from maskrcnn.studio.try_it.sets.set_folders import PICTURES
from maskrcnn.studio.try_it.sets.tried_set import SetNetwork, SetPicture, TriedSet
from tests.made_runs import new_project

CONFIG = Config.preset("classroom", class_names=("nut", "bolt"))


def png(width: int = 40, height: int = 30, grey: int = 90) -> bytes:
    return cv2.imencode(".png", np.full((height, width, 3), grey, np.uint8))[1].tobytes()


def zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def given(workspace: Path, files: Mapping[str, bytes]) -> tuple[incoming.Given, Path]:
    folder = set_folders.new_folder(workspace)
    return incoming.from_uploads(list(files.items()), folder, workspace), folder


def made(
    workspace: Path,
    found: Mapping[int, Candidates],
    made_at: float = 1.0,
    project: str = "",
    shipped: bool = False,
) -> TriedSet:
    """A set of grey pictures of 40 x 30 px, in some of which something was found."""
    folder = set_folders.new_folder(workspace)
    names = [f"{letter}.png" for letter in "abc"]
    for number, name in enumerate(names):
        (folder / PICTURES / name).write_bytes(png(grey=80 + number))
    network = SetNetwork("run/first", "first", 2, 5, 7)
    if shipped:
        network, _ = tried_network.network_at(RunFolder(shipped_models.FOLDER / "toy"), 21)
    pictures = tuple(SetPicture(name, 40, 30, name) for name in names)
    tried = TriedSet(
        folder.name, made_at, project, "three", network, CONFIG.model_dump(mode="json"), pictures, ("x: is broken",)
    )
    tried_set.write(workspace, tried)
    for position, candidates in found.items():
        candidates.save(tried_set.candidates_path(workspace, tried.id, position))
    return tried


def candidates(*rows: tuple[int, float, tuple[float, float, float, float]]) -> Candidates:
    """Candidates (label, score, box) whose soft masks are 1 in the left half of the box and 0 in the right one."""
    masks = np.zeros((len(rows), 4, 4), np.float16)
    masks[:, :, :2] = 1
    return Candidates(
        30,
        40,
        np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        np.array([label for label, _, _ in rows], np.int64),
        np.array([score for _, score, _ in rows], np.float32),
        np.arange(len(rows)),
        masks,
    )


# What arrives


def test_a_zip_becomes_pictures_in_natural_order_and_the_rest_is_told(workspace: Path) -> None:
    packed = zipped({"in/10.png": png(), "in/2.png": png(20, 10), "notes.txt": b"hello", "in/bad.png": b"no picture"})
    found, folder = given(workspace, {"my.zip": packed})
    assert [(picture.name, picture.width, picture.height) for picture in found.pictures] == [
        ("in/2.png", 20, 10),
        ("in/10.png", 40, 30),
    ]
    assert found.title == "my.zip"
    assert len(found.unreadable) == 2
    assert found.unreadable[0].startswith("in/bad.png: this is not a picture")
    assert found.unreadable[1] == "1 file that is no picture"
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["10.png", "2.png"]


def test_pictures_of_one_name_are_kept_apart(workspace: Path) -> None:
    found, folder = given(workspace, {"a.zip": zipped({"x/a.png": png(), "y/a.png": png(20, 10), "y/A.PNG": png()})})
    assert len({picture.file.lower() for picture in found.pictures}) == 3
    assert len({picture.name for picture in found.pictures}) == 3
    assert all((folder / PICTURES / picture.file).is_file() for picture in found.pictures)


def test_a_picture_without_a_suffix_is_known_by_its_content(workspace: Path) -> None:
    found, _ = given(workspace, {"scan": png()})
    assert [picture.name for picture in found.pictures] == ["scan"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {"a.zip": zipped({"notes.txt": b"x"})},
            "a.zip: there is no picture (it holds 1 file, none of them a picture)",
        ),
        ({"a.zip": zipped({})}, "a.zip: there is no picture (nothing is in it)"),
        ({"a.png": b""}, "a.png"),
        ({"a.png": b"x", "b.png": b"y"}, "2 pictures, and none can be read"),
        ({"clip.mp4": b"not a video"}, "clip.mp4: is not a video that can be read"),
        ({"a.mp4": b"x", "b.mp4": b"y"}, "these are 2 videos; give one at a time"),
        ({"a.zip": zipped({"../../a.png": png()})}, "leads out of the zip"),
        ({"a.zip": b"PK\3\4 not a zip"}, "the zip is damaged"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(workspace: Path, files: dict[str, bytes], says: str) -> None:
    with pytest.raises(StudioError) as caught:
        given(workspace, files)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(workspace) not in str(caught.value)


def test_a_picture_beside_a_video_is_taken_and_the_video_told(workspace: Path) -> None:
    found, _ = given(workspace, {"a.png": png(), "clip.mp4": b"x"})
    assert [picture.name for picture in found.pictures] == ["a.png"]
    assert found.title == "a.png"
    assert found.unreadable == ("clip.mp4: is a video and was passed over; give it alone",)


def test_a_video_that_is_too_long_says_the_limit(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "MOST_SECONDS", 2.0)
    with video_writer(tmp_path / "clip.webm", fps=5) as write:
        for _ in range(15):
            write(np.zeros((32, 48, 3), np.uint8))
    with pytest.raises(StudioError, match=r"clip.webm: is 0:03 long, and a video may have at most 0:02 here"):
        given(workspace, {"clip.webm": (tmp_path / "clip.webm").read_bytes()})


def test_too_many_pictures_and_too_little_space_are_refused(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "MOST_PICTURES", 2)
    with pytest.raises(StudioError, match="these are 3 pictures, and a set has at most 2"):
        given(workspace, {f"{number}.png": png() for number in range(3)})
    monkeypatch.setattr(set_folders, "SPARE_BYTES", 1 << 62)
    with pytest.raises(StudioError, match="there is no space for the pictures"):
        given(workspace, {"a.png": png()})


def test_names_are_data(workspace: Path) -> None:
    wicked = "<img src=x onerror=alert(1)>\u202e\x07.png"
    found, folder = given(workspace, {wicked: png(), "..\\..\\b.png": png()})
    for picture in found.pictures:
        assert (folder / PICTURES / picture.file).resolve().parent == folder / PICTURES
        assert "\x07" not in picture.name


# Documents and limits


def test_a_set_is_read_as_it_was_written(workspace: Path) -> None:
    tried = made(workspace, {1: candidates()})
    assert tried_set.read(workspace, tried.id) == tried
    assert tried_set.done(workspace, tried) == [1]
    assert tried.config == CONFIG


@pytest.mark.parametrize("identity", ["", "..", "../x", "0" * 11, "0" * 12, "g" * 12, "0" * 5000])
def test_an_unknown_set_is_gone(workspace: Path, identity: str) -> None:
    with pytest.raises(StudioError, match="not there any more"):
        tried_set.read(workspace, identity)


@pytest.mark.parametrize(
    "change",
    [
        {"pictures": [{"name": "a", "width": 4, "height": 4, "file": "../../secret.png", "image_id": None}]},
        {"pictures": [{"name": "a", "width": 0, "height": 4, "file": "a.png", "image_id": None}]},
        {"video": {"file": "/etc/passwd", "name": "a", "every": 0.0, "fps": 5.0, "is_read": False}},
        {"fields": {"backbone": 3}},
        {"id": "0" * 12},
        {"made": "yesterday"},
    ],
)
def test_a_document_that_was_tampered_with_is_refused(workspace: Path, change: dict[str, object]) -> None:
    tried = made(workspace, {})
    path = tried_set.folder_of(workspace, tried.id) / tried_set.SET
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StudioError) as caught:
        tried_set.read(workspace, tried.id)
    assert "\n" not in str(caught.value)
    assert set_folders.last_sets(workspace) == []


def test_a_picture_that_is_a_link_is_not_opened(workspace: Path, tmp_path: Path) -> None:
    tried = made(workspace, {})
    (tmp_path / "secret.png").write_bytes(png())
    place = tried_set.folder_of(workspace, tried.id) / PICTURES / "a.png"
    place.unlink()
    place.symlink_to(tmp_path / "secret.png")
    with pytest.raises(StudioError, match="leads out of its folder"):
        tried_set.picture_path(workspace, None, tried, 0)


def test_the_oldest_sets_make_room(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_folders, "MOST_SETS", 2)
    sets = [made(workspace, {}, made_at) for made_at in (1.0, 2.0, 3.0)]
    left_behind = set_folders.new_folder(workspace)
    arriving = set_folders.new_folder(workspace)
    os.utime(left_behind, (1, 1))
    set_folders.make_room(workspace, [sets[2].id])
    assert [tried.id for tried in set_folders.last_sets(workspace)] == [sets[2].id, sets[1].id]
    assert not left_behind.exists()
    assert arriving.exists()
    monkeypatch.setattr(set_folders, "MOST_BYTES", 10)
    set_folders.make_room(workspace, [sets[1].id])
    assert [tried.id for tried in set_folders.last_sets(workspace)] == [sets[1].id]


def test_what_was_chosen_is_kept_and_odd_values_are_left_out(workspace: Path) -> None:
    tried = made(workspace, {})
    fields = {"min_score": 0.3, "nms_iou": 0.4, "mask_threshold": 0.5, "proposals": 100, "most": 20, "classes": None}
    tried_set.keep_chosen(workspace, tried.id, selection=fields | {"classes": frozenset((2, 1))})
    kept = tried_set.chosen(workspace, tried.id).selection
    assert tried_set.selection_fields(kept) == fields | {"classes": frozenset((1, 2))}
    for odd in ({"min_score": "x"}, {"most": 1.5}, {"proposals": True}, {"classes": "12"}, {"classes": ["a"]}):
        assert tried_set.selection_fields(fields | odd) is None
    (tried_set.folder_of(workspace, tried.id) / tried_set.CHOSEN).write_text("{")
    assert tried_set.chosen(workspace, tried.id) == tried_set.Chosen()


# Figures


FOUND = {
    # A nut of 10 x 8 px, whose mask is 5 px wide; a weaker one that overlaps it (IoU 0.8); a bolt of 4 x 4 px.
    0: candidates((1, 0.9, (0, 0, 10, 8)), (1, 0.8, (2, 0, 10, 8)), (2, 0.6, (20, 10, 24, 14))),
    2: candidates((2, 0.7, (0, 0, 8, 8)), (1, 0.2, (10, 10, 14, 20))),
}


def test_figures_by_hand(workspace: Path) -> None:
    tried = made(workspace, FOUND)
    at = Selection(min_score=0.5, nms_iou=0.5)
    found = figures.measure(workspace, tried, [0, 2], at)
    assert [picture.labels.tolist() for picture in found.pictures] == [[1, 2], [2]]
    # The exact paste interpolates between the cells of 1 and of 0: the border lies in the middle of the box.
    assert [picture.areas.tolist() for picture in found.pictures] == [[5 * 8, 2 * 4], [4 * 8]]
    bolts, nuts = found.classes()
    assert (bolts.label, bolts.pictures, bolts.areas.tolist()) == (2, 2, [8, 32])
    assert (nuts.label, nuts.pictures, nuts.areas.tolist()) == (1, 1, [40])
    assert figures.ordered(found, "confidence") == [0, 2]
    lower = figures.measure(workspace, tried, [0, 2], Selection(min_score=0.1, nms_iou=0.8))
    assert [len(picture.scores) for picture in lower.pictures] == [3, 2]
    assert figures.ordered(lower, "confidence") == [2, 0]
    assert figures.ordered(lower, "count") == [0, 2]
    only = figures.measure(workspace, tried, [0, 2], Selection(min_score=0.1, classes=frozenset({2})))
    assert only.objects == 2


@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.75])
def test_counts_and_areas_are_those_of_the_written_files(workspace: Path, threshold: float) -> None:
    """The figures keep boxes and areas in memory; the oracle selects each picture anew and counts the pixels."""
    from maskrcnn.inference.outputs import table_rows

    rng = np.random.default_rng(3)
    corners = rng.uniform(0, 25, (30, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(1, 15, (30, 2))], axis=1)
    scores = np.sort(rng.uniform(0.05, 1, 30))[::-1]
    soft = rng.uniform(0, 1, (30, 7, 7)).astype(np.float16)
    many = Candidates(
        30, 40, boxes.astype(np.float32), rng.integers(1, 3, 30), scores.astype(np.float32), np.arange(30), soft
    )
    tried = made(workspace, {0: many, 1: candidates(), 2: FOUND[2]})
    for nms in (0.3, 0.7):
        at = Selection(min_score=0.2, nms_iou=nms, mask_threshold=threshold)
        found = figures.measure(workspace, tried, [0, 1, 2], at)
        rows = list(table_rows(taking.FoundPictures(workspace, None, tried, [0, 1, 2], at), CONFIG))
        assert [row[8] for row in rows] == [area for picture in found.pictures for area in picture.areas.tolist()]
        assert [row[2] for row in rows] == [
            CONFIG.names[label - 1] for picture in found.pictures for label in picture.labels
        ]


def test_a_damaged_file_is_left_out(workspace: Path) -> None:
    tried = made(workspace, FOUND)
    tried_set.candidates_path(workspace, tried.id, 0).write_bytes(b"damaged")
    found = figures.figures_of(workspace, tried, [0, 2], Selection(), wait=60)
    assert isinstance(found, figures.SetFigures)
    assert [picture.position for picture in found.pictures] == [2]


# Work in the background


def test_one_work_of_a_kind_runs_for_a_set_and_errors_are_one_line(tmp_path: Path) -> None:
    go = threading.Event()
    first = works.start("taking", tmp_path, "a", lambda work: go.wait(20))
    assert works.start("taking", tmp_path, "a", lambda work: None) is first
    go.set()
    first.job.wait(20)
    for error, says in (
        (OSError(28, "No space left on device"), "cannot be written (No space left on device)"),
        (ValueError("odd\nlines"), "this ended with an error (odd lines)"),
    ):

        def fail(work: works.Work, error: Exception = error) -> None:
            raise error

        failed = works.start("taking", tmp_path, "a", fail)
        failed.job.wait(20)
        assert failed.job.state == "failed"
        assert says in (failed.job.message or "").replace("␊", " ")
    works.forget(tmp_path, "a")
    assert works.work_of("taking", tmp_path, "a") is None


def test_the_time_left_counts_from_the_first_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [100.0]
    monkeypatch.setattr(works.time, "monotonic", lambda: now[0])
    work = works.Work(works.Job(""), None, now[0])
    assert work.seconds_left is None
    now[0] = 150.0  # the network was loaded meanwhile
    work.counted(4, 10)
    now[0] = 156.0
    work.counted(6, 10)
    assert work.seconds_left == 12.0  # 3 s a picture, 4 are left


# Ways out


def test_the_zip_has_what_the_selection_keeps(workspace: Path) -> None:
    tried = made(workspace, FOUND)
    taken = taking.Taken((0, 2), Selection(min_score=0.65), ("csv", "masks"), ("#112233", "#445566"))
    work = taking.start_zip(workspace, None, tried, taken)
    work.job.wait(60)
    assert work.job.state == "done", work.job.message
    with zipfile.ZipFile(work.job.result) as archive:
        rows = archive.read("detections.csv").decode().splitlines()
        assert [row.split(",")[:3] for row in rows[1:]] == [["a.png", "1", "nut"], ["c.png", "1", "bolt"]]
        assert "masks/a.png" in archive.namelist()


def test_suggestions_are_added_once_and_known_by_content(workspace: Path) -> None:
    project = new_project(workspace / "plants", "q", np.full((30, 40, 3), 7, np.uint8))
    project.add_pictures([("other.png", png(grey=82))], "val")  # what the set calls c.png
    tried = made(workspace, FOUND)

    def added() -> suggesting.Suggested:
        work = suggesting.start(workspace, None, project, tried, [0, 2], Selection(min_score=0.5))
        work.job.wait(60)
        assert work.job.state == "done", work.job.message
        assert isinstance(work.job.result, suggesting.Suggested)
        return work.job.result

    first = added()
    assert (first.added, first.there, first.objects, first.first, first.lines) == (1, 1, 3, "a.png", ())
    again = added()
    assert (again.added, again.there, again.objects) == (0, 2, 3)
    names = {image.file_name: image.id for image in project.images()}
    assert sorted(names) == ["a.png", "other.png", "q.png"]
    kept = project.kept_suggestions(names["a.png"], "run/first")
    assert kept is not None
    assert [region.class_name for region in kept.regions] == ["nut", "bolt"]
    assert kept.stamp == "5-7"
    assert project.regions(names["a.png"])[0] == ()


def test_a_picture_that_is_gone_is_told_and_the_others_are_added(workspace: Path) -> None:
    project = new_project(workspace / "plants", "q", np.full((30, 40, 3), 7, np.uint8))
    tried = made(workspace, FOUND)
    (tried_set.folder_of(workspace, tried.id) / PICTURES / "a.png").unlink()
    work = suggesting.start(workspace, None, project, tried, [0, 2], Selection(min_score=0.5))
    work.job.wait(60)
    assert isinstance(work.job.result, suggesting.Suggested), work.job.message
    assert (work.job.result.added, work.job.result.first) == (1, "c.png")
    assert work.job.result.lines == ("a.png: is not there any more; give the picture again",)


def test_another_score_needs_no_file_and_no_mask(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = made(workspace, FOUND)
    at = Selection(min_score=0.1)
    figures.measure(workspace, tried, [0, 2], at)
    monkeypatch.setattr(Candidates, "open", lambda path: pytest.fail(f"{path} was read again"))
    found = figures.measure(workspace, tried, [0, 2], replace(at, min_score=0.65, nms_iou=0.7))
    assert [len(picture.scores) for picture in found.pictures] == [1, 1]
