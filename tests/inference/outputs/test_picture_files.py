"""Overlays, cut-outs and label masks, opened again and counted pixel by pixel."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.errors import ArgumentError
from maskrcnn.inference.outputs import FoundPicture, write_picture_files, write_set_files
from maskrcnn.inference.overlay_files import is_overlay
from tests.inference.outputs import made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(kind: str, found: FoundPicture, folder: Path) -> list[Path]:
    files = write_picture_files([kind], found, made.pixels(), made.CONFIG.names, None, folder, "x/a")
    write_set_files([kind], [found], made.CONFIG, folder, ["x/a"])
    return files


FOUND = FoundPicture("x/a.jpg", made.WIDTH, made.HEIGHT, made.detections())


def test_cutouts_add_up_to_the_masks(tmp_path: Path) -> None:
    written("cutouts", FOUND, tmp_path)
    table = rows_of(tmp_path / "cutouts" / "cutouts.csv")
    # The fourth has no pixel. A class named ../bolt_1 stays in the folder.
    assert [row["file"] for row in table] == [
        "x/a_001_nut.png",
        "x/a_002_bolt-1.png",
        "x/a_003_nut.png",
        "x/a_005_nut.png",
    ]
    for row in table:
        with Image.open(tmp_path / "cutouts" / row["file"]) as picture:
            assert picture.mode == "RGBA"
            cut = np.asarray(picture)
        again = np.zeros((made.HEIGHT, made.WIDTH, 4), np.uint8)
        x, y, width, height = (int(row[name]) for name in ("x", "y", "width", "height"))
        assert cut.shape[:2] == (height, width)
        again[y : y + height, x : x + width] = cut
        mask = made.MASKS[int(row["object"]) - 1]
        assert (again[..., 3] == mask * 255).all()
        assert (again[..., :3][mask] == made.pixels()[mask]).all()
        assert not again[~mask].any()  # nothing of the picture around the object
        assert int(row["area_px"]) == made.AREAS[int(row["object"]) - 1]


def test_an_object_without_a_mask_is_cut_out_with_its_box(tmp_path: Path) -> None:
    box = {"category_id": 1, "bbox": [10.6, -3.0, 5.0, 5.4], "score": 0.5}  # centres 11.5 to 15.5, and 0.5 and 1.5
    (file,) = written("cutouts", FoundPicture("a.png", made.WIDTH, made.HEIGHT, (box,)), tmp_path)
    assert np.array_equal(np.asarray(Image.open(file))[..., :3], made.pixels()[0:2, 11:16])
    (row,) = rows_of(tmp_path / "cutouts" / "cutouts.csv")
    assert [row[name] for name in ("x", "y", "width", "height")] == ["11", "0", "5", "2"]


def test_each_pixel_of_a_label_mask_is_the_number_of_the_best_object_there(tmp_path: Path) -> None:
    (file,) = written("masks", FOUND, tmp_path)
    values = np.asarray(Image.open(file))
    assert (values.dtype, values.shape) == (np.uint8, (made.HEIGHT, made.WIDTH))
    for row, column in np.ndindex(values.shape):
        there = [number for number, mask in enumerate(made.MASKS, start=1) if mask[row, column]]
        assert values[row, column] == (min(there) if there else 0)


def test_the_legend_says_what_overlapping_objects_lost(tmp_path: Path) -> None:
    written("masks", FOUND, tmp_path)
    legend = rows_of(tmp_path / "masks" / "legend.csv")
    assert [(row["mask"], row["value"], row["class"]) for row in legend] == [
        ("x/a.png", str(number), name)
        for number, name in enumerate(("nut", "../bolt_1", "nut", "../bolt_1", "nut"), start=1)
    ]
    assert [int(row["area_px"]) for row in legend] == list(made.AREAS)
    # The first two share columns 16 to 23 and rows 16 to 25, without the hole from 22 on: 80 - 2 x 4 = 72 pixels.
    assert [int(row["shown_px"]) for row in legend] == [400, 416 - 72, 604, 0, 0]


@pytest.mark.parametrize(("number", "mode", "last"), [(255, "L", 255), (256, "I;16", 256)])
def test_more_than_255_objects_have_16_bits(number: int, mode: str, last: int, tmp_path: Path) -> None:
    boxes = tuple({"category_id": 1, "bbox": [column, 0, 1, 1], "score": 0.5} for column in range(number))
    found = FoundPicture("a.png", number, 1, boxes)
    picture = np.zeros((1, number, 3), np.uint8)
    (file,) = write_picture_files(["masks"], found, picture, ["nut"], None, tmp_path, "a")
    with Image.open(file) as mask:
        assert mask.mode == mode
        assert np.asarray(mask).ravel().tolist() == list(range(1, last + 1))


def test_an_overlay_has_the_colours_of_the_classes(tmp_path: Path) -> None:
    whole = made.detection(np.ones((made.HEIGHT, made.WIDTH), bool), 2, 0.9)
    found = FoundPicture("a.png", made.WIDTH, made.HEIGHT, (whole,))
    black = np.zeros((made.HEIGHT, made.WIDTH, 3), np.uint8)
    (file,) = write_picture_files(["overlays"], found, black, ["a", "b"], ["#ff0000", "#0000ff"], tmp_path, "a")
    assert file == tmp_path / "a.png"
    red, green, blue = np.asarray(Image.open(file))[40, 32]
    assert (red, green) == (0, 0)
    assert blue == round(255 * 0.35)  # the opacity of a filled mask


def test_a_later_predict_knows_all_of_them(tmp_path: Path) -> None:
    kinds = ["overlays", "cutouts", "masks"]
    files = write_picture_files(kinds, FOUND, made.pixels(), made.CONFIG.names, None, tmp_path, "a")
    assert len(files) == 6
    assert all(is_overlay(file) for file in files)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(files)  # and no temporary file is left


@pytest.mark.parametrize("stem", ["../a", "/etc/a", "x/../../a", "C:/a", ""])
def test_nothing_is_written_outside_of_the_folder(stem: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="leads out"):
        write_picture_files(["masks"], FOUND, made.pixels(), made.CONFIG.names, None, tmp_path / "out", stem)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match='there is no output "mask"; choose from overlays, cutouts, masks, coco'):
        write_picture_files(["mask"], FOUND, made.pixels(), made.CONFIG.names, None, tmp_path, "a")


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(ArgumentError, match=r"a\.png: cannot be written \(No space left on device\)"):
        write_picture_files(["masks"], FOUND, made.pixels(), made.CONFIG.names, None, tmp_path, "a")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
