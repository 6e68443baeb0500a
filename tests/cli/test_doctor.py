"""`python -m maskrcnn doctor` from end to end: what it says, what it writes, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.__main__ import main
from maskrcnn.annotations import read, write
from maskrcnn.annotations.doctor import CHECKS, examine
from maskrcnn.annotations.formats.writing import FORMATS
from maskrcnn.annotations.regions import Point
from maskrcnn.annotations.store import Project
from tests.annotations.doctor import made_up
from tests.sweeps import one_in

CROSSED = made_up.polygon((20, 100), (80, 150), (80, 100), (20, 150))


@pytest.fixture
def sick(tmp_path: Path) -> Path:
    """A VIA 2.x file beside its pictures: a region leaves the picture, one crosses itself, one picture is missing."""
    folder = tmp_path / "data"
    folder.mkdir()
    dataset = made_up.with_region(folder, CROSSED)
    first, second = dataset.images
    leaving = made_up.Region(made_up.Rect(150, 120, 60, 20), "scratch")
    missing = made_up.ImageRecord("gone.png", (made_up.PAIR[0],))
    images = (made_up.replace(first, regions=(*first.regions, leaving)), second, missing)
    write(made_up.replace(dataset, images=images), folder / "via.json", "via2")
    return folder / "via.json"


def state(folder: Path) -> dict[Path, tuple[bytes, int]]:
    """Content and time of every file."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def doctor(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    capsys.readouterr()
    try:
        status = main(["doctor", *map(str, words)])
    except SystemExit as ended:
        status = int(ended.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_findings_are_grouped_with_place_reason_and_mend(sick: Path, capsys) -> None:
    status, out, err = doctor(capsys, sick)
    assert (status, err) == (0, "")
    assert f"{sick}: 3 pictures, 7 regions; 1 error, 2 warnings" in out
    for check in ("picture-missing", "outside-picture", "self-crossing"):
        assert f"{CHECKS[check].title}: 1 " in out
        assert CHECKS[check].why in out
    assert "- gone.png: the picture was not found\n" in out
    assert "--choose picture-missing=leave-out: leave the picture out, with its regions (1)" in out
    assert "- a.png, region 3: the outline crosses itself -> draw the outline anew" in out
    assert "- a.png, region 4: 2 places lie outside the picture of 200 x 160 px" in out


def test_a_healthy_dataset(tmp_path: Path, capsys) -> None:
    write(made_up.healthy(tmp_path), tmp_path / "coco.json", "coco")
    status, out, err = doctor(capsys, tmp_path / "coco.json", "--fix", tmp_path / "mended.json")
    assert (status, err) == (0, "")
    assert "nothing found" in out
    assert "mended: nothing" in out
    assert "left: nothing" in out
    assert read(tmp_path / "mended.json").n_regions == 4


def test_many_findings_are_cut_short_in_print_and_whole_in_json(tmp_path: Path, capsys) -> None:
    small = [made_up.Region(made_up.Rect(20 * i, 5, 3, 3), "dent") for i in range(9)]
    small += [made_up.Region(made_up.Rect(20 * i, 15, 3, 3), "dent") for i in range(6)]
    write(made_up.dataset(made_up.record(tmp_path, "a.png", *small)), tmp_path / "via.json", "via2")
    out_file = tmp_path / "out" / "findings.json"
    status, out, _ = doctor(capsys, tmp_path / "via.json", "--json", out_file)
    assert status == 0
    assert "Region of fewer than 16 pixels: 15 warnings (tiny)" in out
    assert out.count("- a.png, region") == 10
    assert "... and 5 more; --json OUT lists all" in out
    content = json.loads(out_file.read_text())
    assert (content["pictures"], content["regions"], content["counts"]) == (1, 15, {"tiny": 15})
    assert content["findings"][14] == {
        "check": "tiny",
        "title": CHECKS["tiny"].title,
        "severity": "warning",
        "dataset": str(tmp_path / "via.json"),
        "file": "a.png",
        "region": 15,
        "what": "it covers 9 pixels of the picture",
        "why": CHECKS["tiny"].why,
        "fix": None,
        "choices": {"drop": "drop the region"},
        "box": [100.0, 15.0, 103.0, 18.0],
    }


def test_fix_writes_mended_labels_and_leaves_the_source_alone(sick: Path, tmp_path: Path, capsys) -> None:
    before = state(sick.parent)
    mended = tmp_path / "mended.json"
    status, out, err = doctor(capsys, sick, "--fix", mended, "--choose", "picture-missing=leave-out")
    assert (status, err.count("warning: ")) == (0, 1)  # VIA has one outline for the two triangles of a crossed one
    assert f"{mended}: 2 pictures, 6 regions written as VIA 2.x" in out
    assert "mended: 1 x picture not found, 1 x outline leaves the picture, 1 x outline crosses itself" in out
    assert "left: nothing" in out
    assert state(sick.parent) == before
    again = read(mended, sick.parent)
    assert again.extras["flavour"] == "via2"
    assert examine(again) == []


def test_what_is_not_surely_wrong_is_mended_only_where_somebody_chooses(sick: Path, tmp_path: Path, capsys) -> None:
    out = doctor(capsys, sick, "--fix", tmp_path / "mended.json")[1]
    assert "mended: 1 x outline leaves the picture, 1 x outline crosses itself\nleft: 1 x picture not found" in out
    assert len(read(tmp_path / "mended.json", sick.parent).images) == 3


def via_of_crowds_and_lines(folder: Path) -> Path:
    """Two objects, a crowd and an open line of "dent"; a point of "scratch" on a picture of its own."""
    folder.mkdir()
    crowd = made_up.Region(made_up.Rect(20, 100, 60, 40), "dent", iscrowd=True)
    line = made_up.Region(made_up.Polyline(((110, 110), (180, 110), (180, 150))), "dent")
    point = made_up.Region(Point(30, 30), "scratch")
    dents = [made_up.Region(region.shape, "dent") for region in made_up.PAIR]
    records = [
        made_up.record(folder, "a.png", *dents, crowd, line),
        made_up.record(folder, "b.png", point, seed=1),
    ]
    write(made_up.dataset(*records), folder / "via.json", "via2")
    return folder / "via.json"


def test_what_is_learned_and_what_is_not_is_told_first(tmp_path: Path, capsys) -> None:
    labels = via_of_crowds_and_lines(tmp_path / "data")
    lines = doctor(capsys, labels, "--json", tmp_path / "out.json")[1].splitlines()
    assert lines[:6] == [
        f"{labels}: 2 pictures, 5 regions; 1 warning, 2 hints",
        'learned: 2 objects on 2 pictures ("dent" 2)',
        '  - 1 region is a line and is not learned: 1 of 4 of "dent"',
        '  - 1 region is a point and is not learned: the only one of "scratch"',
        '  - 1 region marks a crowd and is not learned: 1 of 4 of "dent"',
        "  - 1 picture has nothing else and is learned as background: b.png",
    ]
    content = json.loads((tmp_path / "out.json").read_text())["learned"]
    assert content == [
        {
            "dataset": str(labels),
            "objects": {"dent": 2},
            "not_learned": [
                {"reason": "crowd", "class": "dent", "regions": 1},
                {"reason": "line", "class": "dent", "regions": 1},
                {"reason": "point", "class": "scratch", "regions": 1},
            ],
            "pictures_of_background": ["b.png"],
        }
    ]


def test_choices_are_carried_out_with_fix(tmp_path: Path, capsys) -> None:
    labels = via_of_crowds_and_lines(tmp_path / "data")
    chosen = ["--choose", "crowd=make-object", "--choose", "line-or-point=close"]
    out = doctor(capsys, labels, "--fix", tmp_path / "mended.json", *chosen)[1]
    assert "mended: 1 x region that marks a crowd, 1 x line or point" in out
    again = doctor(capsys, tmp_path / "mended.json", "--images", labels.parent)[1]
    assert 'learned: 4 objects on 2 pictures ("dent" 4)' in again


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        (["crowd"], "--choose crowd: give a check and a mend, such as crowd=make-object"),
        (["crowds=make-object"], "there is no check crowds; they are picture-missing"),
        (["tiny=drop"], "tiny=drop: no finding offers that; choose of crowd=make-object, line-or-point=close"),
        (["crowd=close"], "crowd=close: no finding offers that"),
        (["line-or-point=drop", "line-or-point=close"], "line-or-point has drop already; give one mend for each check"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(choices: list[str], says: str, tmp_path: Path, capsys) -> None:
    labels = via_of_crowds_and_lines(tmp_path / "data")
    words = [word for choice in choices for word in ("--choose", choice)]
    status, _, err = doctor(capsys, labels, "--fix", tmp_path / "mended.json", *words)
    assert (status, err.count("\n")) == (2, 1)
    assert says in err
    assert not (tmp_path / "mended.json").exists()
    assert "nothing is mended without --fix" in doctor(capsys, labels, "--choose", "crowd=make-object")[2]


@pytest.mark.parametrize("flavour", FORMATS)
def test_the_flavour_stays(flavour: str, tmp_path: Path, capsys) -> None:
    (tmp_path / "data").mkdir()
    suffix = FORMATS[flavour].suffix
    # A format of one file lies beside its pictures, one of a folder brings them with it.
    source = tmp_path / "data" / f"labels{suffix}" if suffix else tmp_path / "labels"
    mended = tmp_path / "sub" / f"mended{suffix or ''}"
    write(made_up.with_region(tmp_path / "data", CROSSED), source, flavour)
    before = state(tmp_path)
    assert doctor(capsys, source, "--fix", mended)[0] == 0
    assert {path: content for path, content in state(tmp_path).items() if path in before} == before
    again = read(mended, tmp_path / "data")
    assert again.extras["flavour"] == flavour
    assert again.n_regions == 5
    assert examine(again) == []


def test_labels_that_were_in_training_leave_the_validation_file(tmp_path: Path, capsys) -> None:
    for split, seeds in (("train", (1, 2)), ("val", (2, 3))):
        (tmp_path / split).mkdir()
        records = [made_up.record(tmp_path / split, f"{split}{seed}.png", *made_up.PAIR, seed=seed) for seed in seeds]
        write(made_up.dataset(*records), tmp_path / split / "via.json", "via2")
    train, val = tmp_path / "train" / "via.json", tmp_path / "val" / "via.json"
    assert "nothing found" in doctor(capsys, train)[1]
    status, out, _ = doctor(capsys, train, "--val", val, "--fix", tmp_path / "t.json", "--fix-val", tmp_path / "v.json")
    assert status == 0
    assert '- val2.png: it is the same picture as "train2.png" in training -> take it out of validation' in out
    assert "left: nothing" in out
    assert [record.file_name for record in read(tmp_path / "t.json").images] == ["train1.png", "train2.png"]
    assert [record.file_name for record in read(tmp_path / "v.json").images] == ["val3.png"]
    # Where the mended validation labels have no place to go to, the finding is left.
    out = doctor(capsys, train, "--val", val, "--fix", tmp_path / "t2.json")[1]
    assert "mended: nothing\nleft: 1 x picture in training and in validation" in out


def test_a_project_has_its_splits_and_is_written_as_a_via_project(tmp_path: Path, capsys) -> None:
    for split, seeds in (("train", (1, 2)), ("val", (2, 3))):
        (tmp_path / split).mkdir()
        records = [made_up.record(tmp_path / split, f"{split}{seed}.png", *made_up.PAIR, seed=seed) for seed in seeds]
        write(made_up.dataset(*records), tmp_path / split / "via.json", "via1")
    project = Project.create(tmp_path / "project")
    project.import_dataset(read(tmp_path / "train"), "train")
    project.import_dataset(read(tmp_path / "val"), "val")
    before = state(project.images_folder)
    status, out, _ = doctor(capsys, project.folder, "--fix", tmp_path / "mended.json")
    assert status == 0
    assert "val2.png: it is the same picture as" in out
    assert state(project.images_folder) == before
    assert len(Project.open(project.folder).images()) == 4
    mended = read(tmp_path / "mended.json", project.images_folder)
    assert mended.extras["flavour"] == "via-project"
    assert [record.file_name for record in mended.images] == ["train1.png", "train2.png", "val3.png"]


def _link(source: Path, tmp_path: Path) -> Path:
    (tmp_path / "link.json").symlink_to(source)
    return tmp_path / "link.json"


def _hard_link(source: Path, tmp_path: Path) -> Path:
    os.link(source, tmp_path / "hard.json")
    return tmp_path / "hard.json"


def _by_linked_folder(source: Path, tmp_path: Path) -> Path:
    (tmp_path / "folder").symlink_to(source.parent)
    return tmp_path / "folder" / source.name


REFUSED: dict[str, Any] = {
    "the source": lambda source, tmp: (source, ["--fix", source]),
    "the source, by a link": lambda source, tmp: (source, ["--fix", _link(source, tmp)]),
    "the source, by a hard link": lambda source, tmp: (source, ["--fix", _hard_link(source, tmp)]),
    "the source, by a linked folder": lambda source, tmp: (source, ["--fix", _by_linked_folder(source, tmp)]),
    "the source, from a link": lambda source, tmp: (_link(source, tmp), ["--fix", source]),
    "the file in a source folder": lambda source, tmp: (source.parent, ["--fix", source]),
    "in a source folder": lambda source, tmp: (source.parent, ["--fix", source.parent / "mended.json"]),
    "a picture": lambda source, tmp: (source, ["--fix", source.parent / "a.png"]),
    "findings over the source": lambda source, tmp: (source, ["--json", source]),
    "both to one place": lambda source, tmp: (source, ["--json", tmp / "x.json", "--fix", tmp / "x.json"]),
    "a folder": lambda source, tmp: (source, ["--fix", tmp]),
    "no labels for it": lambda source, tmp: (source, ["--fix-val", tmp / "x.json"]),
    "no such labels": lambda source, tmp: (tmp / "nowhere.json", ["--fix", tmp / "x.json"]),
    "below a file": lambda source, tmp: (source, ["--fix", source / "x.json"]),
    "findings below a file": lambda source, tmp: (source, ["--json", source / "x.json"]),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_changes_nothing(kind: str, sick: Path, tmp_path: Path, capsys) -> None:
    data, words = REFUSED[kind](sick, tmp_path)
    before = state(tmp_path)
    status, _, err = doctor(capsys, data, *words)
    assert status == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "; " in err
    assert state(tmp_path) == before


def test_labels_that_cannot_be_read_end_with_status_1(tmp_path: Path, capsys) -> None:
    (tmp_path / "via.json").write_text("{")
    status, _, err = doctor(capsys, tmp_path / "via.json", "--fix", tmp_path / "x.json", "--json", tmp_path / "y.json")
    assert (status, err.count("\n")) == (1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["via.json"]


def test_names_that_would_command_a_terminal_are_shown_harmless(tmp_path: Path, capsys) -> None:
    document = {
        "k": {
            "filename": "a\x1b[2J\nb.png",
            "size": -1,
            "file_attributes": {},
            "regions": [
                {
                    "shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 0, "height": 5},
                    "region_attributes": {"name": "<script>"},
                }
            ],
        }
    }
    (tmp_path / "via.json").write_text(json.dumps(document))
    status, out, _ = doctor(capsys, tmp_path / "via.json")
    assert status == 0
    assert "\x1b" not in out
    assert "Region encloses nothing" in out


def test_help_says_that_findings_are_no_failure(capsys) -> None:
    status, out, _ = doctor(capsys, "--help")
    assert status == 0
    assert "exit status is 0 also if there are findings" in " ".join(out.split())


REAL = {
    "balloon/train/via_region_data.json": {"self-crossing": 1},
    "balloon/val/via_region_data.json": {},
    "car_damage/train/car-damage-train.json": {"self-crossing": 2},
    "car_damage/train/via_region_data.json": {"self-crossing": 2},
    "car_damage/train/via_region_data.csv": {"self-crossing": 2},
    "car_damage/train/train_multiclass.json": {"outside-picture": 2, "self-crossing": 2},
    "car_damage/val/via_region_data.csv": {},
    "car_damage/val/val_multiclass.json": {},
}
"""The oddities that are known, without hints."""


@pytest.mark.parametrize("name", one_in(5, REAL))
def test_real_oddities_are_found_and_gone_after_fix(name: str, real_data: Path, tmp_path: Path, capsys) -> None:
    source = real_data / name
    before = source.read_bytes(), source.stat().st_mtime_ns
    mended, first, second = tmp_path / f"mended{source.suffix}", tmp_path / "first.json", tmp_path / "second.json"
    assert doctor(capsys, source, "--fix", mended, "--json", first)[0] == 0
    assert doctor(capsys, mended, "--images", source.parent, "--json", second)[0] == 0
    found, left = (json.loads(path.read_text())["findings"] for path in (first, second))
    assert Counter(finding["check"] for finding in found if finding["severity"] != "hint") == REAL[name]
    assert {finding["severity"] for finding in left} <= {"hint"}
    assert {finding["check"] for finding in left} <= {"below-anchor"}
    assert (source.read_bytes(), source.stat().st_mtime_ns) == before
    was, now = read(source), read(mended, source.parent)
    assert was.extras["flavour"] == now.extras["flavour"]
    changed = sum(
        a.shape != b.shape
        for x, y in zip(was.images, now.images, strict=True)
        for a, b in zip(x.regions, y.regions, strict=True)
    )
    assert changed == sum(REAL[name].values())


def test_real_copies_across_splits(real_data: Path, tmp_path: Path, capsys) -> None:
    """A validation set of which one picture was scaled from training."""
    (tmp_path / "val").mkdir()
    train = real_data / "balloon" / "train"
    labels = json.loads((real_data / "balloon" / "val" / "via_region_data.json").read_text())
    for name in {entry["filename"] for entry in labels.values()}:
        shutil.copy(real_data / "balloon" / "val" / name, tmp_path / "val" / name)
    from PIL import Image

    entry = next(iter(labels.values()))
    stolen = sorted(train.glob("*.jpg"))[3]
    picture = Image.open(stolen)
    picture.resize((picture.width // 2, picture.height // 2)).save(tmp_path / "val" / entry["filename"], quality=60)
    entry["regions"], entry["size"] = {}, -1
    (tmp_path / "val" / "via_region_data.json").write_text(json.dumps(labels))
    out = tmp_path / "out.json"
    assert doctor(capsys, train, "--val", tmp_path / "val", "--json", out)[0] == 0
    found = [finding for finding in json.loads(out.read_text())["findings"] if finding["check"] == "in-both-splits"]
    assert [(finding["file"], finding["severity"]) for finding in found] == [(entry["filename"], "warning")]
    assert stolen.name in found[0]["what"]
