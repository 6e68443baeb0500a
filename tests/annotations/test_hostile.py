"""Input that nobody honest would make, or that broke on its way: refused in one line, and no trace of it is left.

The tables go through what the pages use (`stage_uploads`, `stage_path`, `import_dataset`) and, for label files and
pictures, through the commands.
"""

from __future__ import annotations

import copy
import io
import json
import os
import random
import re
import resource
import socket
import sqlite3
import stat
import struct
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.__main__ import COMMANDS, main
from maskrcnn.annotations import read, write
from maskrcnn.annotations.formats.via import csv_reading
from maskrcnn.annotations.intake import Upload, stage_path, stage_uploads, zip_unpacking
from maskrcnn.annotations.store import DATABASE, Project
from maskrcnn.errors import ArgumentError, StudioError


def jpeg(seed: int = 0, width: int = 40, height: int = 30) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def via(*names: str, shape: dict[str, Any] | None = None, **attributes: Any) -> bytes:
    shape = shape or {"name": "polygon", "all_points_x": [1, 30, 15], "all_points_y": [1, 2, 25]}
    region = {"shape_attributes": shape, "region_attributes": attributes or {"class": "leaf"}}
    images = {name: {"filename": name, "size": -1, "regions": [region], "file_attributes": {}} for name in names}
    return json.dumps(images).encode()


def polygon(*xs: str) -> bytes:
    """A VIA file with a polygon whose x are these, written as they stand."""
    return via("a.jpg").replace(b"[1, 30, 15]", f"[{', '.join(xs)}]".encode())


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def entry(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return info


def patched(archive: bytes, in_local: int, in_central: int, value: bytes) -> bytes:
    """The zip with bytes written over those of its first local header and of its first entry in the directory."""
    changed = bytearray(archive)
    for start, offset in ((archive.find(b"PK\3\4"), in_local), (archive.find(b"PK\1\2"), in_central)):
        changed[start + offset : start + offset + len(value)] = value
    return bytes(changed)


def overlapping() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", bytes(50_000_000))
        for number in range(100):
            again = copy.copy(archive.filelist[0])
            again.filename = again.orig_filename = f"{number}.json"
            archive.filelist.append(again)
    return buffer.getvalue()


def scrambled() -> bytes:
    archive = bytearray(zipped(("labels.json", via("a.jpg") * 50)))
    start = 30 + len("labels.json")
    archive[start + 5 : start + 25] = random.Random(0).randbytes(20)
    return bytes(archive)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><body><img src=x onerror=alert(1)></body></html>"

ZIPS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a name with ..": (lambda: zipped(("../evil.jpg", jpeg())), "leads out of the zip"),
    ".. in the middle": (lambda: zipped(("a/../../evil.jpg", jpeg())), "leads out of the zip"),
    ".. with backslashes": (lambda: zipped(("..\\evil.jpg", jpeg())), "leads out of the zip"),
    "..  after good files": (lambda: zipped(("a.jpg", jpeg()), ("../evil.jpg", jpeg())), "leads out of the zip"),
    ".. as a folder": (lambda: zipped(("../evil/", b"")), "leads out of the zip"),
    "an absolute name": (lambda: zipped(("/etc/evil.jpg", jpeg())), "leads out of the zip"),
    "a drive": (lambda: zipped(("C:\\evil.jpg", jpeg())), "leads out of the zip"),
    "a drive without a slash": (lambda: zipped(("C:evil.jpg", jpeg())), "leads out of the zip"),
    "a network share": (lambda: zipped(("\\\\server\\share\\evil.jpg", jpeg())), "leads out of the zip"),
    "NUL in a name": (lambda: zipped(("evil_.jpg", jpeg())).replace(b"evil_", b"evil\0"), "leads out of the zip"),
    "a link": (lambda: zipped((entry("a.jpg", stat.S_IFLNK), b"/etc/passwd")), "is a link"),
    "a link to a folder": (
        lambda: zipped((entry("images", stat.S_IFLNK), b"/tmp"), ("images/a.jpg", jpeg())),
        "is a link",
    ),
    "a pipe": (lambda: zipped((entry("a.jpg", stat.S_IFIFO), b"")), "is a link"),
    "a bomb": (lambda: zipped(("labels.json", bytes(120_000_000))), "unpacks to more than 100 MB"),
    "a bomb in many files": (
        lambda: zipped(*((f"{number}.json", bytes(12_000_000)) for number in range(10))),
        "unpacks to more than 100 MB",
    ),
    "a bomb with a false size": (
        lambda: patched(zipped(("labels.json", bytes(120_000_000))), 22, 24, struct.pack("<I", 1000)),
        "damaged|unpacks to more",
    ),
    "files over each other": (overlapping, "lie over each other"),
    "encrypted": (lambda: patched(zipped(("a.jpg", jpeg())), 6, 8, b"\1\0"), "is encrypted"),
    "an unknown compression": (lambda: patched(zipped(("a.jpg", jpeg())), 8, 10, b"\x63\0"), "not known here"),
    "cut in half": (lambda: (whole := zipped(("a.jpg", jpeg())))[: len(whole) // 2], "the zip is damaged"),
    "only a beginning": (lambda: b"PK\3\4", "the zip is damaged"),
    "no zip at all": (lambda: b"nothing", "the zip is damaged"),
    "empty": (lambda: b"", "the zip is damaged"),
    "scrambled inside": (scrambled, "the zip is damaged"),
    "one name twice": (lambda: zipped(("a.jpg", jpeg(0)), ("a.jpg", jpeg(1))), "twice"),
    "one name twice, spelled otherwise": (lambda: zipped(("a/b.jpg", jpeg(0)), ("a\\.//b.jpg", jpeg(1))), "twice"),
    "nothing in it": (lambda: zipped(), "holds neither pictures nor labels"),
    "only what systems leave": (
        lambda: zipped(("__MACOSX/._a.jpg", jpeg()), (".DS_Store", b"x"), ("a/Thumbs.db", b"x"), ("._b.jpg", jpeg())),
        "holds neither pictures nor labels",
    ),
    "a zip in a zip": (lambda: zipped(("inner.zip", zipped(("a.jpg", jpeg())))), "holds neither pictures nor labels"),
    "a virus": (lambda: zipped(("setup.exe", b"MZ"), ("run.sh", b"#!/bin/sh")), "holds neither pictures nor labels"),
    "a huge picture": (lambda: zipped(("a.png", png_header(60_000, 60_000))), "below 170 megapixels"),
}

PICTURES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "60,000 x 60,000 px": ("a.png", lambda: png_header(60_000, 60_000), "below 170 megapixels"),
    "truncated JPEG": ("a.jpg", lambda: jpeg()[:-200], "truncated"),
    "JPEG header alone": ("a.jpg", lambda: jpeg()[:20], "cannot be decoded|not a picture"),
    "truncated JPEG with an end": ("a.jpg", lambda: jpeg()[:300] + b"\xff\xd9", ""),
    "SVG": ("a.jpg", lambda: SVG, "not a picture that can be read"),
    "HTML": ("a.jpg", lambda: HTML, "not a picture that can be read"),
    "empty": ("a.jpg", lambda: b"", "not a picture that can be read"),
    "PDF": ("a.tif", lambda: b"%PDF-1.7\n", "not a picture that can be read"),
}

DEEP = 100_000

LABELS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not JSON|no label|empty"),
    "binary": (lambda: random.Random(0).randbytes(1000), "not text|not JSON"),
    "200 MB": (lambda: bytes(200_000_000), "too much"),
    "deep lists": (lambda: b"[" * DEEP, "nested too deep"),
    "deep groups": (lambda: b'{"a":' * DEEP + b"1" + b"}" * DEEP, "nested too deep"),
    "a deep attribute": (
        lambda: via("a.jpg", note="DEEP").replace(b'"DEEP"', b"[" * DEEP + b"]" * DEEP),
        "nested too deep",
    ),
    "an attribute just deep enough to parse": (
        lambda: via("a.jpg", note="DEEP").replace(b'"DEEP"', b"[" * 900 + b"]" * 900),
        "nested|deep",
    ),
    "NaN": (lambda: polygon("1", "NaN", "15"), "NaN"),
    "Infinity": (lambda: polygon("1", "-Infinity", "15"), "Infinity"),
    "1e308": (lambda: polygon("1", "1e308", "15"), "1e\\+308|no place in a picture"),
    "-1e308": (lambda: polygon("1", "-1e308", "15"), "1e\\+308|no place in a picture"),
    "1e309, which is infinite": (lambda: polygon("1", "1e309", "15"), "no place in a picture|inf"),
    "a number of 400 digits": (lambda: polygon("1", "1" * 400, "15"), "no place in a picture"),
    "a number of 5,000 digits": (lambda: polygon("1", "1" * 5000, "15"), "digits|not JSON"),
    "half a character": (lambda: via("a.jpg", **{"class": "\ud800"}), "broken character|text"),
    "not labels": (lambda: b'{"name": "left-pad", "version": "1.0"}', "no labels|neither"),
}


def listing(folder: Path) -> dict[str, int]:
    """Everything below a folder, with sizes; not SQLite's own files, which come and go with every look."""
    return {
        str(path.relative_to(folder)): path.lstat().st_size if path.is_file() else -1
        for path in sorted(folder.rglob("*"))
        if not path.name.startswith(f"{DATABASE}-")
    }


def rows(project: Project) -> list[str]:
    with sqlite3.connect(project.folder / DATABASE) as db:
        return list(db.iterdump())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.create(tmp_path / "project")
    project.add_pictures([("mine.jpg", jpeg(99))], "train")
    return project


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    folder = tmp_path / "waiting"
    folder.mkdir()
    return folder


@pytest.fixture
def refused(tmp_path: Path, project: Project) -> Callable[..., Any]:
    """`with refused(): ...` holds that what is inside raises one good line, and leaves no trace anywhere."""

    @contextmanager
    def watch(said: str = "", kind: type[StudioError] = StudioError) -> Iterator[None]:
        before, rows_before = listing(tmp_path), rows(project)
        started = time.process_time()
        with pytest.raises(kind) as caught:
            yield
        require_good_line(str(caught.value))
        assert caught.match(said)
        assert str(tmp_path / "waiting") not in str(caught.value), "names a folder that nobody knows"
        assert time.process_time() - started < 5
        assert listing(tmp_path) == before
        assert rows(project) == rows_before

    return watch


def require_good_line(line: str) -> None:
    assert "\n" not in line
    assert line.isprintable() or all(char.isprintable() or char in "\u200d\u200c" for char in line)
    assert len(line) < 300, line
    assert ": " in line, "names nothing"
    assert "; " in line, "has no mend"


def imported(project: Project, uploads: list[Upload], base: Path) -> None:
    with stage_uploads(uploads, beside=project.images_folder, base=base) as staged:
        project.import_dataset(staged.dataset, "train")


# Refused


@pytest.mark.parametrize("kind", ZIPS)
def test_a_zip(kind: str, refused: Any, waiting: Path, project: Project, tmp_path: Path) -> None:
    make, said = ZIPS[kind]
    content = make()
    with refused(said):
        imported(project, [("photos.zip", content)], waiting)
    (tmp_path / "photos.zip").write_bytes(content)
    with refused(said):
        stage_path(tmp_path / "photos.zip", base=waiting)


# A truncated JPEG with an end passes a glance; the import itself decodes it, in test_the_rest_of_an_import_goes_on.
@pytest.mark.parametrize("kind", [kind for kind in PICTURES if kind != "truncated JPEG with an end"])
def test_a_picture(kind: str, refused: Any, waiting: Path, project: Project, tmp_path: Path) -> None:
    name, make, said = PICTURES[kind]
    with refused(said):
        imported(project, [(name, make())], waiting)
    with refused(said):
        imported(project, [(name, make()), ("labels.json", via(name))], waiting)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / name).write_bytes(make())
    with refused(said):
        stage_path(tmp_path / "photos")
    with refused(said):
        stage_path(tmp_path / "photos" / name)


@pytest.mark.parametrize("kind", LABELS)
def test_a_label_file(kind: str, refused: Any, waiting: Path, project: Project, tmp_path: Path) -> None:
    make, said = LABELS[kind]
    content = make()
    with refused(said):
        imported(project, [("labels.json", content), ("a.jpg", jpeg())], waiting)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.jpg").write_bytes(jpeg())
    (tmp_path / "set" / "labels.json").write_bytes(content)
    with refused(said):
        stage_path(tmp_path / "set")
    with refused(said):
        stage_path(tmp_path / "set" / "labels.json")


def test_too_many_entries(refused: Any, waiting: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped(*((f"{number}.jpg", b"") for number in range(60)))
    monkeypatch.setattr(zip_unpacking, "MOST_ENTRIES", 50)
    with refused("holds 60 files, more than 50"):
        imported(project, [("photos.zip", content)], waiting)
    monkeypatch.setattr(zip_unpacking, "_MOST_AT_ONCE", 1000)  # the table of contents is longer
    with refused("the zip is damaged"):
        imported(project, [("photos.zip", content)], waiting)


def test_more_bytes_than_any_zip_may_hold(
    refused: Any, waiting: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_unpacking, "MOST_BYTES", 10_000)
    content = zipped(("noise.json", random.Random(0).randbytes(20_000)))
    with refused("unpacks to more than"):
        imported(project, [("photos.zip", content)], waiting)


def test_a_table_of_too_many_rows(
    refused: Any, waiting: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Millions of short rows are a small file, and gigabytes once they are taken apart."""
    monkeypatch.setattr(csv_reading, "_MOST_ROWS", 500)
    header = b"filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    with refused("more than 500 rows"):
        imported(project, [("labels.csv", header + b"a.jpg,1,{},0,,{},{}\n" * 501)], waiting)


def test_nothing_at_all(refused: Any, waiting: Path, project: Project) -> None:
    with refused("no file was chosen", ArgumentError):
        imported(project, [], waiting)
    with refused("holds neither pictures nor labels"):
        imported(project, [("notes.docx", b"hello")], waiting)


@pytest.mark.parametrize("name", ["", " ", "none", "a\0b", "x" * 5000, "/dev/zero", "/dev/stdin", "~nobody/x"])
def test_a_path_that_is_none(name: str, refused: Any) -> None:
    with refused("", ArgumentError):
        stage_path(name)


def test_pipes_and_sockets(refused: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.json")
    with refused("neither a file nor a folder", ArgumentError):
        stage_path(tmp_path / "labels.json")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "a.jpg"))
        with refused("neither a file nor a folder", ArgumentError):
            stage_path(tmp_path / "a.jpg")


def test_folders_in_a_circle_and_links_that_lead_out(refused: Any, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(jpeg())
    (folder / "sub" / "round").symlink_to(folder)
    (folder / "itself.jpg").symlink_to("itself.jpg")
    (folder / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "out").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.jpg")
    with refused("holds neither pictures nor labels"):
        stage_path(folder)
    (folder / "sub" / "a.jpg").write_bytes(jpeg())
    (folder / "again.jpg").symlink_to(folder / "sub" / "a.jpg")
    staged = stage_path(folder)
    assert sorted(record.file_name for record in staged.dataset.images) == ["a.jpg", "again.jpg"]
    assert sum("is a link to another place" in line for line in staged.warnings) == 4


def test_names_of_uploads_stay_inside(waiting: Path, tmp_path: Path) -> None:
    before = listing(tmp_path)
    names = ["../../up.jpg", "/abs.jpg", "C:\\drive.jpg", "..\\..\\back.jpg", "nul\0.jpg", "..", f"{'x' * 400}.jpg"]
    with stage_uploads([(name, jpeg(seed)) for seed, name in enumerate(names)], base=waiting) as staged:
        assert staged.folder is not None
        outside = [path for path in tmp_path.rglob("*") if path.is_file() and staged.folder not in path.parents]
        assert [str(path.relative_to(tmp_path)) for path in outside] == [
            name for name, size in before.items() if size >= 0
        ]
        # ".." alone is no name of a picture, so it is not taken for one.
        assert len(staged.dataset.images) == len(names) - 1
    assert listing(tmp_path) == before


def test_a_project_whose_database_points_elsewhere(waiting: Path, tmp_path: Path, project: Project) -> None:
    (tmp_path / "secret.jpg").write_bytes(jpeg())
    evil = Project.create(tmp_path / "evil")
    evil.add_pictures([("a.jpg", jpeg(1))], "train")
    with sqlite3.connect(evil.folder / DATABASE) as db:
        db.execute("UPDATE image SET file_name = '../../secret.jpg'")
    staged = stage_path(evil.folder)
    assert [record.path for record in staged.dataset.images] == [None]
    assert staged.missing == ("../../secret.jpg",)


@pytest.mark.parametrize("damage", ["not SQLite", "another database", "torn"])
def test_a_project_with_a_damaged_database(damage: str, refused: Any, waiting: Path, project: Project) -> None:
    content = (project.folder / DATABASE).read_bytes()
    if damage == "not SQLite":
        content = b"nothing" * 100
    elif damage == "torn":
        content = content[:100] + random.Random(0).randbytes(len(content) - 100)
    else:
        content = b""
    with refused(""):
        imported(project, [("project.zip", zipped(("p/project.db", content), ("p/images/a.jpg", jpeg())))], waiting)


@contextmanager
def full_disk(left: int) -> Iterator[None]:
    """No file may grow beyond `left` bytes: to a program this is a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("packed", [False, True])
def test_a_disk_that_is_full_while_staging(packed: bool, refused: Any, waiting: Path, project: Project) -> None:
    files = [("a.jpg", jpeg(1)), ("labels.json", via("a.jpg"))]
    with refused("File too large|No space"), full_disk(500):
        imported(project, [("set.zip", zipped(*files))] if packed else files, waiting)


def test_a_disk_that_is_full_while_importing(refused: Any, waiting: Path, project: Project) -> None:
    """The second of two pictures does not fit: then the first is not there either."""
    uploads = [("a.jpg", jpeg(1, 8, 8)), ("b.jpg", jpeg(2, 400, 300)), ("labels.json", via("a.jpg", "b.jpg"))]
    with stage_uploads(uploads, base=waiting) as staged, refused(""), full_disk(50_000):
        project.import_dataset(staged.dataset, "train")


# Taken, and the bad part named


@pytest.mark.parametrize("kind", PICTURES)
def test_the_rest_of_an_import_goes_on(kind: str, waiting: Path, project: Project) -> None:
    name, make, _ = PICTURES[kind]
    bad = f"bad-{name}"
    before = len(project.images())
    uploads = [(bad, make()), ("good.jpg", jpeg(1)), ("labels.json", via(bad, "good.jpg"))]
    with stage_uploads(uploads, base=waiting) as staged:
        report = project.import_dataset(staged.dataset, "train")
        said = [*staged.warnings, *report.warnings]
    assert [line for line in said if bad in line], said
    assert [image.file_name for image in project.images() if image.id > before] == ["good.jpg"]
    assert report.regions == 1
    assert not list(waiting.iterdir())


def test_a_zip_in_a_zip_is_not_opened(waiting: Path) -> None:
    bomb = zipped(("bomb.json", bytes(10_000_000)))
    with stage_uploads([("photos.zip", zipped(("a.jpg", jpeg()), ("more.zip", bomb)))], base=waiting) as staged:
        assert [record.file_name for record in staged.dataset.images] == ["a.jpg"]


NAMES = [
    "<script>alert(1)</script>",
    "'; DROP TABLE image; --",
    '" OR 1=1',
    "%s%n {0.__class__} ${HOME} $(id) `id`",
    "=HYPERLINK(1)",
    "\x1b[31mred\x1b[0m",
    "mäßig 細胞 клетка خلية 👩‍🔬",
    "e\u0301",  # é as macOS writes it
    "  blanks  ",
    "a\tb",
    "null",
    "__proto__",
]


def test_odd_names_of_classes_and_files_are_plain_data(waiting: Path, project: Project, tmp_path: Path) -> None:
    """They come through staging, the project and the export as they were."""
    files = [f"{number} {name.strip().replace('/', '|')}.jpg" for number, name in enumerate(NAMES)]
    document: dict[str, Any] = {}
    for file, name in zip(files, NAMES, strict=True):
        document |= json.loads(via(file, **{"class": name, "note": name}))
    content = zipped(
        ("labels.json", json.dumps(document).encode()),
        *((file, jpeg(seed)) for seed, file in enumerate(files)),
    )
    with stage_uploads([("odd.zip", content)], base=waiting) as staged:
        assert [record.file_name for record in staged.dataset.images] == files
        assert staged.missing == ()
        assert sorted(staged.dataset.classes) == sorted(NAMES)
        before = len(project.images())
        report = project.import_dataset(staged.dataset, "train")
    assert report.added == len(NAMES)
    write(project.dataset(), tmp_path / "out.json", "via2")
    exported = read(tmp_path / "out.json").images[: len(NAMES)]  # "mine.jpg" comes after the numbers
    assert before == 1
    assert [(region.class_name, region.attributes) for record in exported for region in record.regions] == [
        (name, {"note": name}) for name in NAMES
    ]
    # A file's name has no control characters on any system that matters, so those become blanks.
    kept = [name.translate({0x1B: " ", 0x09: " "}) for name in files]
    assert [record.file_name for record in exported] == kept


@pytest.mark.parametrize("name", NAMES)
def test_messages_show_odd_names_plainly(name: str, waiting: Path) -> None:
    file = f"{name}/{name}.jpg"
    for uploads in (
        [(file, b"nothing")],
        [(f"{name}.json", b"{")],
        [("labels.json", via(name, shape={"name": name}))],
        [(f"{name}.zip", zipped((f"../{name}", b"")))],
    ):
        with pytest.raises(StudioError) as caught:
            stage_uploads(uploads, base=waiting)
        require_good_line(str(caught.value))
    assert not list(waiting.iterdir())


# The commands


@pytest.fixture
def commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Path, str], None]:
    """`commands(source, said)` holds that each command refuses a dataset in one line, with nothing written."""

    def require_refused(source: Path, said: str, names: tuple[str, ...] = ("convert", "doctor", "train")) -> None:
        arguments = {
            "convert": ["convert", str(source), str(tmp_path / "out.json"), "--to", "coco"],
            "doctor": ["doctor", str(source), "--fix", str(tmp_path / "fixed.json")],
            "train": ["train", "--data", str(source), "--out", str(tmp_path / "run"), "--epochs", "1"],
        }
        for name in names:
            if name not in COMMANDS:
                continue
            before = listing(tmp_path)
            status = main(arguments[name])
            error = capsys.readouterr().err
            assert status in (1, 2), name
            assert error.startswith("error: ")
            assert error.count("\n") == 1
            assert re.search(said, error), name
            require_good_line(error.removeprefix("error: ").rstrip("\n"))
            assert listing(tmp_path) == before, name

    return require_refused


@pytest.mark.parametrize("kind", LABELS)
def test_commands_refuse_a_label_file(kind: str, commands: Any, tmp_path: Path) -> None:
    make, said = LABELS[kind]
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "labels.json").write_bytes(make())
    commands(tmp_path / "labels.json", said)


@pytest.mark.parametrize("kind", PICTURES)
def test_training_refuses_a_picture(kind: str, commands: Any, tmp_path: Path) -> None:
    name, make, said = PICTURES[kind]
    (tmp_path / name).write_bytes(make())
    (tmp_path / "labels.json").write_bytes(via(name))
    commands(tmp_path / "labels.json", said, ("train",))


def test_commands_refuse_what_is_no_file(commands: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for source in (tmp_path / "pipe.json", Path("/dev/zero"), Path("/dev/full"), tmp_path / "none", Path("a\0b")):
        commands(source, "")
