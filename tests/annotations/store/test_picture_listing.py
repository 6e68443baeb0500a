"""Pictures page by page, how many of what, which are hidden, and thumbnails."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations.regions import Point, Region
from maskrcnn.annotations.store import Project, thumbnails
from maskrcnn.errors import ArgumentError, StudioError


def drawn(*names: str | None) -> list[Region]:
    return [Region(Point(number, number), name) for number, name in enumerate(names)]


@pytest.fixture
def project(tmp_path: Path, picture) -> Project:
    """Pictures 1 to 6: labelled, labelled and done, saved empty, new, new (validation), done and empty (validation)."""
    made = Project.create(tmp_path / "pets")
    made.add_pictures([picture(f"{number}.jpg", seed=number) for number in range(1, 5)], "train")
    made.add_pictures([picture(f"{number}.jpg", seed=number) for number in range(5, 7)], "val")
    made.save(1, drawn("cat", "dog", None), 1)
    made.save(2, drawn("cat"), 1)
    made.set_done(2, True)
    made.save(3, drawn("bird"), 1)
    made.save(3, [], 2)
    made.set_done(6, True)
    return made


def ids(images: list) -> list[int]:
    return [image.id for image in images]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"split": "val"}, [5, 6]),
        ({"status": "new"}, [4, 5]),
        ({"status": "in progress"}, [1, 3]),
        ({"status": "done"}, [2, 6]),
        ({"status": "new", "split": "train"}, [4]),
        ({"class_name": "cat"}, [1, 2]),
        ({"class_name": "bird"}, []),
        ({"class_name": "cat", "status": "done"}, [2]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "offset": 4}, [5, 6]),
        ({"limit": 5, "offset": 4}, [5, 6]),
        ({"offset": 5}, [6]),
        ({"status": "done", "limit": 1, "offset": 1}, [6]),
        ({"limit": 0}, []),
    ],
)
def test_pages_of_pictures(project: Project, asked: dict, expected: list[int]) -> None:
    found = project.images(**asked)
    assert ids(found) == expected
    if "status" in asked:
        assert {image.status for image in found} == {asked["status"]}


def test_unknown_words_are_refused(project: Project) -> None:
    with pytest.raises(ArgumentError, match="choose new, in progress or done"):
        project.images(status="finished")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="choose train or val"):
        project.images("test")  # type: ignore[arg-type]


def test_counts(project: Project) -> None:
    counts = project.counts()
    assert (counts.pictures, counts.done, counts.in_progress, counts.new) == (6, 2, 2, 2)
    assert (counts.train, counts.val) == (4, 2)
    assert (counts.regions, counts.classes) == (4, {"cat": 2, "dog": 1, "bird": 0})
    project.undo(3)
    assert project.counts().classes["bird"] == 1
    assert project.images()[2].n_regions == 1


def test_an_empty_project_counts_nothing(tmp_path: Path) -> None:
    counts = Project.create(tmp_path / "empty").counts()
    assert (counts.pictures, counts.new, counts.train, counts.val, counts.regions, counts.classes) == (0,) * 5 + ({},)


def test_a_removed_picture_is_hidden_everywhere_and_comes_back_as_it_was(project: Project) -> None:
    regions, revision = project.regions(2)
    path = project.picture(2)
    project.set_removed(2, True)
    assert ids(project.images()) == [1, 3, 4, 5, 6]
    assert ids(project.images(class_name="cat")) == [1]
    assert ids(project.removed()) == [2]
    assert [record.extras["project"]["id"] for record in project.dataset().images] == [1, 3, 4, 5, 6]
    counts = project.counts()
    assert (counts.pictures, counts.done, counts.regions, counts.classes["cat"]) == (5, 1, 3, 1)
    assert path.is_file()

    project.set_removed(2, True)  # again, which changes nothing
    project.set_removed(2, False)
    assert project.removed() == []
    assert project.regions(2) == (regions, revision)
    assert project.counts().classes["cat"] == 2


def test_the_class_of_a_removed_picture_comes_back_with_it(project: Project) -> None:
    project.set_removed(1, True)
    project.set_classes([entry for entry in project.classes() if entry.name != "dog"])
    assert "dog" not in project.counts().classes
    project.set_removed(1, False)
    assert project.counts().classes["dog"] == 1


def test_a_removed_picture_is_renamed_and_saved_with_the_others(project: Project) -> None:
    project.set_removed(2, True)
    project.rename_class("cat", "lion")
    assert project.counts().classes == {"lion": 1, "dog": 1, "bird": 0}
    project.set_removed(2, False)
    assert project.counts().classes == {"lion": 2, "dog": 1, "bird": 0}


def test_splits_of_many_pictures_are_set_together_or_not_at_all(project: Project) -> None:
    project.set_splits({1: "val", 5: "train"})
    assert ids(project.images("val")) == [1, 6]
    for wrong in ({2: "val", 99: "val"}, {2: "val", 3: "test"}):
        with pytest.raises(StudioError):
            project.set_splits(wrong)  # type: ignore[arg-type]
    assert ids(project.images("val")) == [1, 6]
    assert [image.revision for image in project.images()] == [2, 2, 3, 1, 1, 1]


# Thumbnails


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_thumbnail_is_made_once(project: Project, picture, monkeypatch: pytest.MonkeyPatch) -> None:
    (image_id,) = project.add_pictures([picture("wide.jpg", 400, 100)], "train").image_ids
    content = project.thumbnail(image_id, 80)
    assert (opened(content).size, opened(content).format) == ((80, 20), "JPEG")
    (kept,) = os.listdir(project.folder / "thumbnails")
    assert kept.endswith("-80.jpg")
    monkeypatch.setattr(thumbnails.pictures, "reduced", lambda *_: pytest.fail("made again"))
    assert project.thumbnail(image_id, 80) == content


def test_a_thumbnail_is_turned_as_the_picture_is_displayed(project: Project, tmp_path: Path) -> None:
    pixels = np.zeros((60, 120, 3), np.uint8)
    pixels[:, :60] = 255  # the left half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: left becomes top
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    (image_id,) = project.add_pictures([tmp_path / "turned.jpg"], "train").image_ids
    small = np.asarray(opened(project.thumbnail(image_id, 40)).convert("L"))
    assert small.shape == (40, 20)
    assert small[:16].mean() > 240
    assert small[24:].mean() < 15


def test_a_small_picture_is_not_blown_up(project: Project) -> None:
    assert opened(project.thumbnail(1, 160)).size == (40, 30)


def test_a_picture_that_went_bad_is_said(project: Project) -> None:
    project.picture(1).write_bytes(b"no picture")
    with pytest.raises(StudioError, match="not a picture"):
        project.thumbnail(1)
    assert not (project.folder / "thumbnails").exists()
    with pytest.raises(StudioError, match="no picture number 99"):
        project.thumbnail(99)


def test_two_tabs_may_ask_for_one_thumbnail_at_once(project: Project) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(project.thumbnail(1))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(os.listdir(project.folder / "thumbnails")) == 1


def test_a_folder_that_cannot_be_written_costs_only_time(project: Project) -> None:
    (project.folder / "thumbnails").write_text("in the way")
    assert opened(project.thumbnail(1)).size == (40, 30)


@pytest.mark.parametrize(
    "names",
    [
        ["1.jpg", "2.jpg", "10.jpg"],
        ["a1.jpg", "A2.jpg", "a10.jpg"],
        ["IMG_9.jpg", "IMG_10.jpg", "IMG_100.jpg"],
        ["2024-1-9 x.jpg", "2024-1-10 x.jpg", "2024-02-01 x.jpg"],
        ["frame 7.jpg", "frame 08.jpg", "frame 009.jpg", "frame 10.jpg"],
        ["a.jpg", "a (2).jpg", "a (10).jpg"],
        ["0.jpg", "00.jpg", "1.jpg"],
        ["b2.jpg", "é10.jpg"],
    ],
)
def test_pictures_are_in_natural_order_however_they_came(names: list[str], tmp_path: Path, picture) -> None:
    project = Project.create(tmp_path / "pets")
    for number, name in enumerate(sorted(names, reverse=True)):
        project.add_pictures([picture(name, seed=number)], "train")
    assert [image.file_name for image in project.images()] == names
    assert [image.file_name for image in project.images(limit=1, offset=1)] == names[1:2]
    assert [record.file_name for record in project.dataset().images] == names
    snapshot = project.snapshot("one")
    assert [record.file_name for record in project.dataset(snapshot=snapshot.id).images] == names
    for image in project.images():
        project.set_removed(image.id, True)
    assert [image.file_name for image in project.removed()] == names
