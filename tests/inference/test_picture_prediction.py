"""A network on pictures: one prediction after the other, whatever each of them is like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.inference import PredictionFolder, predict, predict_into
from maskrcnn.model import build
from maskrcnn.model.build import StudioRCNN
from tests import tiny
from tests.inference.pictures import picture


@pytest.fixture(scope="module")
def model() -> StudioRCNN:
    return build(Config.preset("classroom", **tiny.CONFIG))


@pytest.fixture(autouse=True)
def one_box_in_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its score is the picture's colour in percent."""

    def detect(_: object, seen: np.ndarray, image_id: int) -> list[dict[str, Any]]:
        return [{"image_id": image_id, "category_id": 1, "bbox": [1, 1, 8, 8], "score": float(seen[0, 0, 0]) / 100}]

    monkeypatch.setattr("maskrcnn.inference.picture_prediction.detect", detect)


def test_each_picture_has_its_prediction_in_the_order_given(model: StudioRCNN, tmp_path: Path) -> None:
    picture(tmp_path / "10.png", 90)
    picture(tmp_path / "2.png", 40)
    found = list(predict(model, tmp_path))
    assert [(one.image_id, one.name, len(one.shown(0.5))) for one in found] == [(1, "2.png", 0), (2, "10.png", 1)]
    assert found[1].class_name(found[1].detections[0]) == model.config.names[0]


def test_an_overlay_has_the_size_of_its_picture_and_shows_what_is_sure_enough(
    model: StudioRCNN, tmp_path: Path
) -> None:
    (found,) = predict(model, [picture(tmp_path / "a.png", 90)])
    assert found.picture is not None
    assert found.overlay().shape == found.picture.shape == (12, 16, 3)
    assert (found.overlay(min_score=0.95) == found.picture).all()
    assert (found.overlay(min_score=0.5) != found.picture).any()


def test_a_picture_that_cannot_be_read_has_its_error_and_the_others_go_on(model: StudioRCNN, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("words")
    picture(tmp_path / "b.png", 90)
    broken, whole = predict(model, tmp_path)
    assert broken.error is not None
    assert (broken.detections, whole.error) == ((), None)
    with pytest.raises(StudioError, match=r"a\.png"):
        broken.overlay()


def test_what_is_not_there_is_said_before_the_first_picture(model: StudioRCNN, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="nowhere does not exist"):
        predict(model, tmp_path / "nowhere")


def test_the_watch_sees_the_pictures_go_by(model: StudioRCNN, tmp_path: Path) -> None:
    seen: list[Any] = []

    def watch(items: Iterable[Any], doing: str, count: int) -> Iterator[Any]:
        for item in items:
            seen.append((item.name, doing, count))
            yield item

    next(predict(model, [picture(tmp_path / "a.png"), picture(tmp_path / "b.png")], watch))
    assert seen == [("a.png", "detecting", 2)]  # no picture is read before it is asked for


def test_a_folder_of_predictions_is_planned_before_anything_is_written(model: StudioRCNN, tmp_path: Path) -> None:
    photo, out = picture(tmp_path / "a.png", 90), tmp_path / "out"
    folder = PredictionFolder.plan([photo], out)
    assert not out.exists()
    ((found, overlay),) = predict_into(folder, model)
    assert (found.path, overlay) == (photo, out / "a.png")
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "detections.json"]


def test_detections_of_somebody_else_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "detections.json").write_text('[{"image_id": 1}]')
    with pytest.raises(ArgumentError, match="is there already and was not written by predict"):
        PredictionFolder.plan([picture(tmp_path / "a.png")], tmp_path)
