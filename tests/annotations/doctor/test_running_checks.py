"""Every check on a made-up dataset that has just that, and what the real ones have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskrcnn.annotations import Dataset, read
from maskrcnn.annotations.doctor import CHECKS, apply, choose, examine
from tests.annotations.doctor import made_up


def names(dataset: Dataset, **options) -> set[str]:
    return {finding.check for finding in examine(dataset, **options)}


def test_a_healthy_dataset_has_nothing(tmp_path: Path) -> None:
    assert examine(made_up.healthy(tmp_path)) == []


def test_there_is_a_dataset_for_every_check() -> None:
    assert list(made_up.MADE_UP) == list(CHECKS)


@pytest.mark.parametrize(
    ("check", "make"), [*made_up.MADE_UP.items(), *made_up.MORE], ids=lambda value: value if type(value) is str else ""
)
def test_each_check_trips_alone_and_its_mend_heals(check: str, make: Callable[[Path], Dataset], tmp_path: Path) -> None:
    dataset = make(tmp_path)
    found = examine(dataset)
    assert [finding.check for finding in found if finding.check != "no-class" or check != "several-attributes"] == [
        check
    ]
    finding = found[0]
    assert finding.what
    assert finding.why == CHECKS[check].why
    if finding.picture is not None:
        record = dataset.images[finding.picture]
        assert finding.file_name == record.file_name
        if finding.region_number is not None:
            assert finding.region_id == record.regions[finding.region_number - 1].id
            assert finding.box is not None
    assert finding.fix is None or not finding.choices
    if finding.fix is not None:
        assert finding.fix.words
        assert examine(apply(dataset, made_up.decided(found))) == []
    else:
        assert apply(dataset, found).images == dataset.images  # nothing is done unasked
    for option in {choice.option_name for choice in finding.choices}:
        mended = apply(dataset, choose(found, {check: option}))
        assert check not in {finding.check for finding in examine(mended)}, option


def test_what_is_not_surely_wrong_is_a_choice(tmp_path: Path) -> None:
    """The sure mends of the made-up datasets, by hand: each says something that has one reading only."""
    sure, asked = set(), {}
    for check, make in made_up.MADE_UP.items():
        (tmp_path / check).mkdir()
        for finding in examine(make(tmp_path / check)):
            if finding.fix is not None:
                sure.add(finding.check)
            elif finding.choices:
                asked[finding.check] = [choice.option_name for choice in finding.choices]
    # Where two readings fit a file, or a mend takes something away, a person is asked.
    # 30 of 200 px beyond the edge, and more than half of the region inside: cut off.
    assert sure == {"turned-labels", "size-mismatch", "outside-picture", "self-crossing", "in-both-splits"}
    assert asked == {
        "picture-missing": ["leave-out"],
        "picture-unreadable": ["leave-out"],
        "normalised": ["scale"],
        "few-vertices": ["box", "drop"],
        "no-area": ["drop"],
        "thin-box": ["drop"],
        "tiny": ["drop"],
        "crowd": ["make-object"],
        "line-or-point": ["close", "drop"],
        "unlabelled-keypoints": ["label-keypoints"],
        "duplicate": ["drop", "drop-other"],
        "no-class": ["dent", "scratch", "drop"],
        "class-typo": ["rename"],
    }


def test_what_cannot_be_mended_says_so(tmp_path: Path) -> None:
    unmended = {}
    for check, make in made_up.MADE_UP.items():
        (tmp_path / check).mkdir()
        unmended[check] = not any(f.fix or f.choices for f in examine(make(tmp_path / check)) if f.check == check)
    assert [check for check, so in unmended.items() if so] == [
        "one-corner",
        "box-mismatch",
        "several-attributes",
        "narrow-range",
        "no-regions",
        "class-imbalance",
        "below-anchor",
    ]


REAL = {
    "balloon/train/via_region_data.json": {"self-crossing": ["120853323_d4788431b9_b.jpg 5"]},
    "balloon/val/via_region_data.json": {},
    "car_damage/train/car-damage-train.json": {"self-crossing": ["2.jpg 1", "62.jpg 3"]},
    "car_damage/train/via_region_data.json": {"self-crossing": ["2.jpg 1", "62.jpg 3"]},
    "car_damage/train/train_multiclass.json": {
        "outside-picture": ["33.jpg 4", "5.jpg 1"],
        "self-crossing": ["27.jpg 2", "78.jpg 4"],
    },
    "car_damage/val/car-damage-val.json": {},
    "car_damage/val/via_region_data.json": {},
    "car_damage/val/val_multiclass.json": {},
    "coco/pose_minicoco/annotations/person_keypoints_val2017.json": {"self-crossing": ["000000465718.jpg 4"]},
}
"""What shapely finds wrong in them (`is_valid`, and bounds against the picture's), worked out apart from the doctor."""


@pytest.mark.parametrize("name", REAL)
def test_known_oddities_of_real_labels(name: str, real_data: Path) -> None:
    dataset = read(real_data / name)
    file_notes: dict = {}
    found = examine(dataset, file_notes=file_notes)
    places: dict[str, list[str]] = {}
    for finding in found:
        if finding.check not in ("below-anchor", "no-regions", "class-imbalance", "crowd"):
            places.setdefault(finding.check, []).append(f"{finding.file_name} {finding.region_number}")
    assert {check: sorted(where) for check, where in places.items()} == REAL[name]
    mended = apply(dataset, found)
    assert mended.n_regions == dataset.n_regions
    left = Counter(finding.check for finding in examine(mended, file_notes=file_notes))
    assert set(left) <= {"below-anchor", "no-regions", "class-imbalance", "crowd"}


def test_no_picture_at_all_is_one_finding_and_nothing_is_left_out(tmp_path: Path) -> None:
    sound = made_up.healthy(tmp_path)
    lost = made_up.dataset(*(record for record in sound.images))
    for record in sound.images:
        assert record.path is not None
        record.path.unlink()
    found = examine(lost)
    assert [(finding.check, finding.fix, finding.file_name) for finding in found] == [("picture-missing", None, None)]
    assert "none of the 2 pictures" in found[0].what


def test_without_the_picture_only_the_edges_at_zero_are_known(tmp_path: Path) -> None:
    shape = made_up.polygon((-8, 100), (5000, 100), (5000, 150), (-8, 150))
    lost = made_up.with_region(tmp_path, shape)
    lost = made_up.dataset(*(made_up.replace(record, path=None, width=None, height=None) for record in lost.images))
    found = examine(lost)
    assert [finding.check for finding in found] == ["picture-missing", "outside-picture"]
    region = apply(lost, found).images[0].regions[-1]
    assert sorted(region.shape.points) == [(0, 100), (0, 150), (5000, 100), (5000, 150)]


def test_progress_and_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskrcnn.annotations import pictures

    read_files: list[Path] = []
    real = pictures.reduced_with_tones
    monkeypatch.setattr(pictures, "reduced_with_tones", lambda path, side: read_files.append(path) or real(path, side))
    sound, calls, file_notes = made_up.healthy(tmp_path), [], {}
    examine(sound, progress=lambda done, total: calls.append((done, total)), file_notes=file_notes)
    assert calls == [(1, 2), (2, 2)]
    assert [path.name for path in read_files] == ["a.png", "b.png"]
    examine(sound, file_notes=file_notes)
    assert len(read_files) == 2
    made_up.picture(tmp_path / "b.png", 9)
    examine(sound, file_notes=file_notes)
    assert [path.name for path in read_files] == ["a.png", "b.png", "b.png"]


def test_the_smallest_anchor_is_measured_at_working_size(tmp_path: Path) -> None:
    # 200 x 160 px become 480 x 384 px, 2.4 times as large. The box of the dent, 60 x 70 px, has a side of
    # sqrt(4200) x 2.4 = 155.5 px then.
    sound = made_up.healthy(tmp_path)
    assert names(sound, smallest_anchor=155) == set()
    found = examine(sound, smallest_anchor=156)
    assert {(finding.check, finding.region_number) for finding in found} == {("below-anchor", 1)}
    # At a shorter side of 80 px, that is half of what it is, it is 32.4 px large.
    assert names(sound, smallest_anchor=32, image_min_dim=80) == set()
    assert names(sound, smallest_anchor=33, image_min_dim=80) == {"below-anchor"}
    # And so it is if the longer side may not be longer than 100 px.
    assert names(sound, smallest_anchor=32, image_max_dim=100) == set()
    assert names(sound, smallest_anchor=33, image_max_dim=100) == {"below-anchor"}


def test_classes_are_counted_without_the_pictures_that_leave(tmp_path: Path) -> None:
    slip = made_up.Region(made_up.DENT, "Dent")
    dataset = made_up.healthy(tmp_path)
    first, second = dataset.images
    copy = made_up.record(tmp_path, "c.png", slip, seed=1, split="val")
    same = made_up.dataset(made_up.replace(first, regions=(slip,)), second, copy, second, second)
    assert names(same) == {"in-both-splits", "class-typo"}
    assert {f.file_name for f in examine(same) if f.check == "class-typo"} == {"a.png", "c.png"}
    # The labels of the two differ, so nobody knows yet whether the copy leaves.
    assert names(made_up.dataset(*dataset.images, copy)) == {"in-both-splits", "class-typo"}
    other = made_up.record(tmp_path, "d.png", slip, seed=4, split="val")
    assert names(made_up.dataset(*dataset.images, other)) == {"class-typo"}


def test_a_scribble_may_be_dropped(tmp_path: Path) -> None:
    places = np.random.default_rng(0).uniform(0, 160, (1000, 2)).round(2).tolist()
    dataset = made_up.with_region(tmp_path, made_up.Polygon(tuple(map(tuple, places))))
    found = examine(dataset)
    assert [(f.check, f.fix, [choice.option_name for choice in f.choices]) for f in found] == [
        ("self-crossing", None, ["drop"])
    ]
    assert examine(apply(dataset, made_up.decided(found))) == []
