"""What is kept back to validate on: by hand."""

from __future__ import annotations

import random
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Keypoints, Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.launch import validation_holdout
from maskrcnn.studio.launch.validation_holdout import HoldoutPlan, holdout_plan


def dataset(*rows: str) -> Dataset:
    """A picture for each row ("0.png", ...) with an object for each letter; "." is a crowd."""
    return Dataset(
        [
            ImageRecord(
                f"{number}.png",
                tuple(Region(Rect(0, 0, 9, 9), letter, iscrowd=letter == ".") for letter in row),
            )
            for number, row in enumerate(rows)
        ]
    )


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        (["a", "a"], 1),
        (["a"] * 5, 1),
        (["a"] * 15, 3),
        (["a"] * 12, 2),  # 2.4
        (["a"] * 13, 3),  # 2.6
        (["a", "a", "", ""], 1),
        (["a", "a", ".", "."], 1),
        (["ab", "a", "b"], 1),
        # Two of ten. Both with a z show all classes, and none of the z would be left to training.
        (["abcdz", "efghz", *"abcdefgh"], 2),
        # One picture alone shows nothing that no other has: "yz" and "xyz" have a class of their own together.
        (["xyz", "yz", "x"], 1),
        (["ap", "bq", "cr", "ds", "et", "fu", "a"], 1),
    ],
)
def test_a_fifth_of_the_labelled_pictures_is_kept_back(rows: list[str], held: int) -> None:
    found = holdout_plan(dataset(*rows))
    assert (found.labelled, found.held) == (len(rows), held)
    assert found.names is not None
    drawn = [set(row) - {"."} for number, row in enumerate(rows) if f"{number}.png" in found.names]
    left = [set(row) for number, row in enumerate(rows) if f"{number}.png" not in found.names]
    assert set().union(*drawn)  # there is something to validate on,
    assert set().union(*drawn) <= set().union(*left)  # and training knows all of it


@pytest.mark.parametrize("rows", [["a"], ["a", "b"], ["a", ""], ["a", "."], ["ab", "", "."], ["zp", "zq", "zr"]])
def test_where_every_picture_has_a_class_of_its_own_none_can_be_kept_back(rows: list[str]) -> None:
    assert holdout_plan(dataset(*rows)).names is None


def test_some_are_kept_back_wherever_one_picture_could_be() -> None:
    """Against all pictures tried one by one: its classes are on others too."""
    rng = random.Random(5)
    possible = 0
    for _ in range(60):
        rows = ["".join(rng.sample("abcdefgh", rng.randint(0, 4))) for _ in range(rng.randint(2, 9))]
        single = any(row and set(row) <= set("".join(rows[:at] + rows[at + 1 :])) for at, row in enumerate(rows))
        names = holdout_plan(dataset(*rows)).names
        assert (names is not None) == single, rows
        if names is not None:
            possible += 1
            held, left = (
                "".join(r for n, r in enumerate(rows) if (f"{n}.png" in names) == val) for val in (True, False)
            )
            assert held, rows
            assert set(held) <= set(left), rows
    assert 20 < possible < 60


def test_where_the_only_two_pictures_are_copies_none_is_kept_back_and_a_line_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.create(tmp_path / "cells")
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    files = [cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, level])[1].tobytes() for level in (1, 9)]
    project.add_pictures([("1.png", files[0]), ("2.png", files[1])], "train")
    for image in project.images():
        project.save(image.id, [Region(Rect(5, 5, 20, 20), "a")], image.revision)
    monkeypatch.setattr(validation_holdout.session, "fail_softly", lambda **_: nullcontext())
    with pytest.raises(StudioError, match="look alike cannot be divided so that training has every class"):
        validation_holdout._hold_out(project, True)
    assert [image.split for image in project.images()] == ["train", "train"]


def test_the_same_labels_give_the_same_pictures_and_copies_stay_together() -> None:
    rows = dataset(*["a"] * 10)
    assert holdout_plan(rows) == holdout_plan(Dataset(rows.images[::-1]))
    together = holdout_plan(rows, [("0.png", "1.png"), ("2.png", "3.png")])
    assert together.names is not None
    for pair in ({"0.png", "1.png"}, {"2.png", "3.png"}):
        assert len(pair & together.names) in (0, 2)


def test_keypoints_alone_are_enough_where_no_masks_are_learned() -> None:
    face = Region(Keypoints(((1, 1, 2), (9, 9, 2))), "face")
    faces = Dataset([ImageRecord(f"{n}.png", (face,)) for n in range(5)])
    assert holdout_plan(faces) == HoldoutPlan(5, 1, None)
    assert holdout_plan(faces, outlines=False).names is not None
