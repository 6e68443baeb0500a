"""What is exported is the project's and the run's own: no link and no path of theirs gives away another file."""

from __future__ import annotations

import io
import json
import os
import resource
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.__main__ import main
from maskrcnn.annotations import read, write
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Circle, Region
from maskrcnn.annotations.store import DATABASE, Project
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.dataset import export_view
from maskrcnn.studio.runs import run_downloads
from tests.sweeps import one_in

SECRET = b"SECRET-8c1f"


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((30, 40, 3), shade, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture of the person who opens the project, with a word in it that is looked for."""
    path = tmp_path / "private" / "diary.png"
    path.parent.mkdir()
    path.write_bytes(png(9) + SECRET)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "plants")
    made.add_pictures([("a.png", png(60)), ("b.png", png(90))], "train")
    for image in made.images():
        made.save(image.id, [Region(Circle(12, 12, 6), "cell")], image.revision)
    return made


def a_link(project: Project, secret: Path) -> None:
    (project.images_folder / "a.png").unlink()
    (project.images_folder / "a.png").symlink_to(secret)


def a_link_over_a_link(project: Project, secret: Path) -> None:
    (project.folder / "step").symlink_to(secret)
    (project.images_folder / "a.png").unlink()
    (project.images_folder / "a.png").symlink_to("../step")


def a_pipe(project: Project, secret: Path) -> None:
    (project.images_folder / "a.png").unlink()
    os.mkfifo(project.images_folder / "a.png")


def renamed(project: Project, name: str) -> None:
    with sqlite3.connect(project.folder / DATABASE) as db:
        db.execute("UPDATE image SET file_name = ? WHERE file_name = 'a.png'", (name,))


def a_way_up(project: Project, secret: Path) -> None:
    renamed(project, "../../private/diary.png")


def an_absolute_path(project: Project, secret: Path) -> None:
    renamed(project, str(secret))


def gone(project: Project, secret: Path) -> None:
    (project.images_folder / "a.png").unlink()


ATTACKS: dict[str, Callable[[Project, Path], None]] = {
    "a link": a_link,
    "a link over a link": a_link_over_a_link,
    "a pipe": a_pipe,
    "a name that leads up": a_way_up,
    "an absolute name": an_absolute_path,
    "a picture that is gone": gone,
}


@pytest.mark.parametrize("attack", one_in(3, ATTACKS))
@pytest.mark.parametrize("format", writing.FORMATS)
def test_a_zip_holds_the_pictures_of_the_project_alone_and_says_which_are_left_out(
    attack: str, format: str, project: Project, secret: Path
) -> None:
    ATTACKS[attack](project, secret)
    ready = export_view.prepared(project, format, "all", pictures=True)
    with zipfile.ZipFile(io.BytesIO(ready.content)) as archive:
        names = archive.namelist()
        content = {name: archive.read(name) for name in names}
    assert not [name for name in names if SECRET in content[name]]
    assert png(90) in content.values()
    [line] = [line for line in ready.warnings if "left out (" in line]
    assert line.startswith("1 picture left out (")
    assert "as it is not in the project; put the files there" in line
    without = export_view.prepared(project, format, "all", pictures=False)
    assert not [line for line in without.warnings if "left out (" in line]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("format", ["labelme", "yolo", "masks", "coco"])
def test_so_does_convert(
    attack: str, format: str, project: Project, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ATTACKS[attack](project, secret)
    place = tmp_path / "out"
    status = main(["convert", str(project.folder), str(place), "--to", format])
    said = capsys.readouterr().err
    assert status == 0
    written = [path for path in ([place] if place.is_file() else place.rglob("*")) if path.is_file()]
    assert not [path for path in written if SECRET in path.read_bytes()]
    assert not [path for path in written if path.is_symlink()]
    if format != "coco":
        assert "1 picture left out (" in said


def test_bytes_are_copied_only_from_within_whatever_the_dataset_says(
    project: Project, secret: Path, tmp_path: Path
) -> None:
    """The store gives such a picture no path; the writers do not rely on it."""
    records = tuple(
        ImageRecord(record.file_name, record.regions, secret, 40, 30) for record in project.dataset().images
    )
    dataset = Dataset(records, ("cell",), source=project.folder)
    for format in writing.FORMATS:
        encoded = writing.encode(dataset, format)
        assert encoded.pictures == {}
        assert encoded.left_out is not None
        assert "2 pictures left out (" in encoded.left_out
        assert SECRET not in writing.zipped_export(encoded, pictures=True)
    warnings = write(dataset, tmp_path / "out", "yolo")
    assert [line for line in warnings if "2 pictures left out" in line]
    assert not list((tmp_path / "out").rglob("*.png"))


def test_a_picture_that_becomes_a_link_while_it_is_written_is_not_followed(project: Project, secret: Path) -> None:
    encoded = writing.encode(project.dataset(), "yolo")
    a_link(project, secret)
    with pytest.raises(StudioError, match="leads out of its folder"):
        writing.zipped_export(encoded, pictures=True)
    (project.images_folder / "a.png").unlink()
    with pytest.raises(StudioError, match=r"a\.png: is gone"):
        writing.zipped_export(encoded, pictures=True)


def test_a_link_within_the_project_is_one_of_its_pictures(project: Project) -> None:
    (project.images_folder / "a.png").unlink()
    (project.images_folder / "a.png").symlink_to("b.png")
    ready = export_view.prepared(project, "coco", "all", pictures=True)
    with zipfile.ZipFile(io.BytesIO(ready.content)) as archive:
        assert archive.read("a.png") == png(90)
    assert not [line for line in ready.warnings if "left out" in line]


def test_pictures_in_the_zip_are_whole_and_dated(project: Project) -> None:
    os.utime(project.images_folder / "a.png", (0, 0))  # 1970, before the first day that a zip knows
    content = export_view.prepared(project, "coco", "all", pictures=True).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.read("a.png") == png(60)
        assert archive.getinfo("a.png").date_time == (1980, 1, 1, 0, 0, 0)


# A full disk


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may be written: to a program this is a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("format", writing.FORMATS)
def test_exporting_needs_no_space_on_the_disk(format: str, project: Project) -> None:
    wanted = export_view.prepared(project, format, "all", pictures=True)
    with full_disk():
        made = export_view.prepared(Project.open(project.folder), format, "all", pictures=True)
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive, zipfile.ZipFile(io.BytesIO(wanted.content)) as whole:
        assert archive.namelist() == whole.namelist()
        assert archive.read(archive.namelist()[-1]) == whole.read(archive.namelist()[-1])


@pytest.mark.parametrize("format", ["coco", "yolo"])
def test_converting_onto_a_full_disk_gets_one_line_and_leaves_nothing(
    format: str, project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "to").mkdir()
    with full_disk():
        status = main(["convert", str(project.folder), str(tmp_path / "to" / "out"), "--to", format])
    error = capsys.readouterr().err
    assert status == 2
    assert "cannot be written" in error
    assert error.count("error: ") == 1
    assert list((tmp_path / "to").iterdir()) == []


# Runs


@pytest.mark.parametrize(
    "name", ["log.txt", "best.safetensors", "config.json", "card.json", "checkpoints/epoch_0001.safetensors"]
)
@pytest.mark.parametrize("kind", ["a link", "a folder that is a link"])
def test_a_file_of_a_run_that_is_a_link_is_not_given_away(name: str, kind: str, tmp_path: Path) -> None:
    outside = tmp_path / "private"
    outside.mkdir()
    (outside / Path(name).name).write_bytes(SECRET)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    (run.path / "metrics.jsonl").write_text(
        json.dumps({"event": "epoch", "epoch": 1, "step": 1, "progress": 0.5, "elapsed": 1, "loss": 1}) + "\n"
    )
    place = run.path / name
    if kind == "a folder that is a link":
        if place.parent == run.path:
            pytest.skip("lies in the run's own folder")
        place.parent.symlink_to(outside)
    else:
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(outside / Path(name).name)
    found = run_downloads.downloads(run)
    assert [item.label for item in found] == ["Epochs (CSV)", "Steps (CSV)", "All as one zip"]
    for item in found:
        data = item.data()
        content = data if isinstance(data, bytes) else data.read()
        assert SECRET not in content
    with zipfile.ZipFile(run_downloads.archive(run)) as archive:
        assert not [entry for entry in archive.namelist() if SECRET in archive.read(entry)]


def test_labels_that_are_damaged_leave_the_other_downloads(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    (run.path / "log.txt").write_text("said")
    for content in ("[]", "{", '{"train": 1}', "[" * 200_000):
        (run.path / "dataset.json").write_text(content)
        assert [item.label for item in run_downloads.downloads(run)] == ["Log", "All as one zip"]
        with zipfile.ZipFile(run_downloads.archive(run)) as archive:
            assert archive.namelist() == ["run/log.txt"]


def test_a_folder_of_labels_is_written_with_the_pictures_that_were_found(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(
        json.dumps(
            {
                name: {"filename": name, "size": -1, "regions": [], "file_attributes": {}}
                for name in ("a.png", "gone.png")
            }
        )
    )
    (tmp_path / "a.png").write_bytes(png(1))
    warnings = write(read(tmp_path / "labels.json"), tmp_path / "out", "labelme")
    assert [line.split(": ", 1)[1] for line in warnings] == [
        '1 picture left out ("gone.png"), as it is not there; put the files there'
    ]
    assert (tmp_path / "out" / "a.png").read_bytes() == png(1)
