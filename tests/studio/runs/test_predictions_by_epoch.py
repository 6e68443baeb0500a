"""The same pictures after each epoch."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.runs import labels_and_detections, predictions_by_epoch

WIDTH, HEIGHT = 1280, 960  # twice the side of what is shown
SQUARE = [200.0, 200.0, 600.0, 200.0, 600.0, 600.0, 200.0, 600.0]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run on five black pictures; the last one has a square, which epoch 2 finds exactly and epoch 1 nowhere near."""
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.write_json(CONFIG, Config.preset("classroom", class_names=["square"]).model_dump())
    images = []
    for number in range(1, 6):
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / f"{number}.png")
        path = str(tmp_path / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": WIDTH, "height": HEIGHT, "path": path})
    square = {"id": 1, "image_id": 5, "category_id": 1, "segmentation": [SQUARE], "iscrowd": 0}
    square |= {"bbox": [200.0, 200.0, 400.0, 400.0], "area": 160000.0}
    document = {"images": images, "annotations": [square], "categories": [{"id": 1, "name": "square"}]}
    run.write_json(DATASET, {"train": document, "val": document})
    for epoch, left, score in ((1, 800, 0.6), (2, 200, 0.9)):
        inside = np.zeros((HEIGHT, WIDTH), np.uint8)
        inside[200:600, left : left + 400] = 1
        rle = coco_mask.encode(np.asfortranarray(inside))
        found = {"image_id": 5, "category_id": 1, "bbox": [left, 200, 400, 400], "score": score}
        segmentation = {"size": rle["size"], "counts": rle["counts"].decode()}
        run.write_detections(epoch, [{**found, "segmentation": segmentation}])
    return run


def pixels(run: RunFolder, epoch: int, min_score: float = 0.5, truth: bool = False) -> np.ndarray:
    """The drawn picture as int (h, w, 3), RGB."""
    data, _ = predictions_by_epoch.drawing(run, epoch, "5.png", min_score, truth)
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), 1), cv2.COLOR_BGR2RGB).astype(int)


def test_the_first_pictures_with_objects_are_shown(run: RunFolder) -> None:
    assert labels_and_detections.names_with_detections(run) == [f"{number}.png" for number in range(1, 6)]
    assert predictions_by_epoch.first_choice(run) == ["5.png", "1.png", "2.png", "3.png"]


def test_what_an_epoch_found_is_drawn_where_it_is(run: RunFolder) -> None:
    picture = pixels(run, 2)
    assert picture.shape == (480, 640, 3)
    red, green, _ = picture[200, 200]  # inside of the square, at half its size
    assert green > 30 > red
    assert picture[200, 350].max() < 10
    assert picture[400, 200].max() < 10


def test_right_wrong_and_missed_are_counted(run: RunFolder) -> None:
    _, right = predictions_by_epoch.drawing(run, 2, "5.png", 0.5, False)
    _, wrong = predictions_by_epoch.drawing(run, 1, "5.png", 0.5, False)
    assert right == ":green[**1** found]  ·  :orange[**0** wrong]  ·  :blue[**0** missed]"
    assert wrong == ":green[**0** found]  ·  :orange[**1** wrong]  ·  :blue[**1** missed]"


def test_what_is_below_the_threshold_is_not_drawn(run: RunFolder) -> None:
    assert pixels(run, 1, min_score=0.5)[100:300, 400:600].max() > 100
    assert pixels(run, 1, min_score=0.65).max() < 10


def test_ground_truth_is_an_outline_of_what_was_missed(run: RunFolder) -> None:
    without, with_truth = pixels(run, 1), pixels(run, 1, truth=True)
    edge = np.s_[100:300, 97:104]
    assert without[edge].max() < 10
    assert with_truth[edge][..., 2].max() > 150  # blue
    assert with_truth[150:250, 150:250].max() < 10  # not filled


def test_a_file_that_was_written_again_is_read_again(run: RunFolder) -> None:
    pixels(run, 2)
    run.write_detections(2, [])
    assert pixels(run, 2).max() < 10


def test_a_picture_that_is_gone_is_named(run: RunFolder) -> None:
    (run.path.parent / "3.png").unlink()
    with pytest.raises(StudioError, match=r"3\.png"):
        predictions_by_epoch.drawing(run, 2, "3.png", 0.5, False)


@pytest.mark.parametrize(("epoch", "by", "expected"), [(3, 1, 7), (3, -1, 1), (7, 1, 7), (1, -1, 1)])
def test_steps_go_along_the_epochs_that_were_kept(epoch: int, by: int, expected: int) -> None:
    assert predictions_by_epoch.stepped([1, 3, 7], epoch, by) == expected
