"""The detections of many pictures are those of `detect`, on a CPU and in the way of a GPU."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures
from maskrcnn.inference import load
from maskrcnn.inference.prediction_journal import JournalEntry, Stamp
from maskrcnn.inference.prediction_work import PredictionWork, RunOptions, Task
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.detect import box_answers_of, detections_of, find, network_picture
from maskrcnn.toys.worlds import WORLDS


@pytest.fixture(scope="module")
def toy() -> StudioRCNN:
    return load(Path(__file__).parents[2] / "data" / "weights" / "toy", device="cpu", precision="float32")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Five pictures of the toy world in two shapes, and one that cannot be read."""
    folder = tmp_path_factory.mktemp("photos")
    paths = []
    for number in range(5):
        picture = cv2.resize(WORLDS["shapes"].draw(3, number)[0], (240, 300) if number == 3 else (320, 240))
        paths.append(folder / f"{number}.png")
        Image.fromarray(picture).save(paths[-1])
    paths.insert(2, folder / "broken.png")
    paths[2].write_text("words")
    return paths


@pytest.mark.parametrize("way", ["cpu", "gpu"])
def test_the_detections_of_many_pictures_are_those_of_one(
    way: str, toy: StudioRCNN, photos: list[Path], tmp_path: Path
) -> None:
    """With "gpu", pictures are read ahead and computed together, here on the CPU."""
    work = PredictionWork(toy, tmp_path, RunOptions(kinds=()))
    if way == "gpu":
        work._device = SimpleNamespace(type="cuda")  # type: ignore[assignment]
    work.workers = 2
    tasks = [Task(path.stem, path.name, path, Stamp.of(path)) for path in photos]
    outcomes = list(work.outcomes(tasks))
    assert [outcome.task.name for outcome in outcomes] == [path.name for path in photos]
    assert [outcome.error is not None for outcome in outcomes] == [path.name == "broken.png" for path in photos]
    several = 0
    for outcome, path in zip(outcomes, photos, strict=True):
        if outcome.entry is None:
            continue
        alone = detect(toy, pictures.load(path))
        together = outcome.entry.detections
        several += len(alone)
        assert [one["category_id"] for one in together] == [one["category_id"] for one in alone]
        for one, other in zip(together, alone, strict=True):
            assert one["bbox"] == pytest.approx(other["bbox"], abs=1e-2)
            assert one["score"] == pytest.approx(other["score"], abs=1e-4)
            assert coco_mask.iou([one["segmentation"]], [other["segmentation"]], [0]).item() > 0.999
    assert several > 5


def test_pictures_of_one_size_together_give_what_each_gives_alone(toy: StudioRCNN, photos: list[Path]) -> None:
    inputs = [network_picture(toy, pictures.load(photos[number])) for number in (0, 1, 3)]
    for one, answers in zip(inputs, box_answers_of(toy, inputs), strict=True):
        alone, together = find(toy, one), detections_of(toy, answers)
        assert alone.keys() == together.keys()
        for name in ("boxes", "scores", "masks"):
            assert torch.allclose(alone[name], together[name], atol=1e-2 if name == "boxes" else 1e-3)


def test_threads_are_shared_while_it_works_and_given_back(toy: StudioRCNN, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        work = PredictionWork(toy, tmp_path, RunOptions())
        assert work.workers == 4
        with work.threads_shared():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_a_finished_entry_is_json(toy: StudioRCNN, photos: list[Path], tmp_path: Path) -> None:
    (outcome,) = PredictionWork(toy, tmp_path, RunOptions(kinds=())).outcomes(
        [Task("0", "0.png", photos[0], Stamp.of(photos[0]))]
    )
    assert isinstance(outcome.entry, JournalEntry)
    height, width = np.asarray(Image.open(photos[0])).shape[:2]
    assert (outcome.entry.width, outcome.entry.height) == (width, height)
