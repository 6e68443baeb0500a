"""`load(...).predict(picture)`: every kind of picture that it takes, and what its answer says of the objects."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.inference import load
from maskrcnn.inference.found_objects import FoundObjects
from maskrcnn.inference.outputs import FoundPicture
from maskrcnn.inference.overlay_files import is_overlay
from maskrcnn.inference.trained_network import TrainedNetwork
from maskrcnn.install_folders import DATA
from maskrcnn.model import detect
from tests.inference.outputs import made


@pytest.fixture(scope="module")
def toy() -> TrainedNetwork:
    return load(DATA / "weights" / "toy", device="cpu", precision="float32")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The pictures that the network gets; it finds nothing in them."""
    given: list[np.ndarray] = []

    def find_nothing(_: object, picture: np.ndarray) -> list[dict[str, Any]]:
        given.append(picture)
        return []

    monkeypatch.setattr("maskrcnn.inference.trained_network.detect", find_nothing)
    return given


def found(config: Config = made.CONFIG) -> FoundObjects:
    return FoundObjects(made.pixels(), made.detections(), config, "a.png", Path("photos/a.png"))


def test_it_finds_what_detect_finds(toy: TrainedNetwork) -> None:
    path = min((DATA / "shapes" / "val").glob("*.jpg"))
    expected = [entry for entry in detect(toy, pictures.load(path)) if entry["score"] >= 0.5]
    answer = toy.predict(path)
    assert len(answer) == len(expected) > 0
    assert answer.to_coco() == expected
    assert (answer.name, answer.path) == (path.name, path)
    assert set(answer.classes) <= set(toy.config.class_names)
    assert answer.masks is not None
    assert np.array_equal(answer.masks[0], coco_mask.decode(expected[0]["segmentation"]).astype(bool))
    assert len(toy.predict(path, min_score=0.99)) == sum(entry["score"] >= 0.99 for entry in expected)


def with_orientation(path: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.arange(8 * 4 * 3, dtype=np.uint8).reshape(4, 8, 3)).save(path, exif=exif)
    return path


def of_mode(mode: str) -> Any:
    def save(path: Path) -> Path:
        values = np.arange(0, 8 * 4 * 8, 8, dtype=np.uint8).reshape(4, 8)
        alpha = Image.fromarray(np.where(values > 90, 255, 40).astype(np.uint8))
        image = Image.fromarray(values)
        if mode == "I;16":
            image = Image.fromarray(values.astype(np.uint16) * 257)
        elif mode.endswith("A"):
            image = image.convert(mode)
            image.putalpha(alpha)
        else:
            image = image.convert(mode)
        image.save(path)
        return path

    return save


@pytest.mark.parametrize("save", [with_orientation, *map(of_mode, ("L", "LA", "RGBA", "P", "1", "I;16"))])
def test_files_and_pil_images_are_converted_alike(
    save: Any, toy: TrainedNetwork, seen: list[np.ndarray], tmp_path: Path
) -> None:
    path = save(tmp_path / "a.png")
    toy.predict(path)
    toy.predict(str(path))
    with Image.open(path) as image:
        answer = toy.predict(image)
    assert (answer.name, answer.path) == ("", None)
    for picture in seen:
        assert picture.dtype == np.uint8
        assert np.array_equal(picture, pictures.load(path))


def test_an_array_is_taken_as_it_is(toy: TrainedNetwork, seen: list[np.ndarray]) -> None:
    frame = made.pixels()
    toy.predict(frame)
    assert seen[-1] is frame  # not copied
    toy.predict(frame[..., ::-1])  # OpenCV's BGR: torch refuses such memory
    assert seen[-1].flags.c_contiguous
    assert np.array_equal(seen[-1], frame[:, :, [2, 1, 0]])


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (
            np.zeros((4, 5, 3)),
            r"the array is float64 \(4, 5, 3\); give uint8 .* RGB; multiply values in \[0, 1\] by 255",
        ),
        (np.zeros((4, 5, 3), np.uint16), r"the array is uint16 \(4, 5, 3\); give uint8 \(height, width, 3\) RGB$"),
        (np.zeros((4, 5), np.uint8), r"the array is \(4, 5\); give uint8 \(height, width, 3\) RGB, or Image.fromarray"),
        (np.zeros((3, 40, 50), np.uint8), r"the array is \(3, 40, 50\); give"),
        (np.zeros((4, 5, 4), np.uint8), r"the array is \(4, 5, 4\); give"),
        (np.zeros((0, 5, 3), np.uint8), r"the array is \(0, 5, 3\); it is empty"),
        ([[1, 2]], "a picture is a file, a PIL image or an array, not a list"),
        (None, "not a NoneType"),
        (Image.new("RGB", (0, 4)), "the picture is 0 x 4 px; it is empty"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(picture: Any, words: str, toy: TrainedNetwork) -> None:
    with pytest.raises(StudioError, match=words) as raised:
        toy.predict(picture)
    assert "\n" not in str(raised.value)


def test_a_damaged_file_is_refused_in_one_line(toy: TrainedNetwork, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(made.pixels()).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(StudioError, match=r"a\.png: the picture cannot be decoded"):
        toy.predict(path)
    with Image.open(path) as image, pytest.raises(StudioError, match="the picture cannot be decoded"):
        toy.predict(image)
    with pytest.raises(StudioError, match=r"b\.png: there is no such picture"):
        toy.predict(tmp_path / "b.png")


def test_arrays_of_the_objects() -> None:
    answer = found()
    # The boxes are half a pixel larger than the masks.
    assert answer.boxes[:2].tolist() == [[3.5, 5.5, 24.5, 26.5], [15.5, 15.5, 40.5, 36.5]]
    assert answer.boxes.dtype == answer.scores.dtype == np.float32
    assert answer.scores.tolist() == pytest.approx([0.95, 0.85, 0.75, 0.65, 0.55])
    assert answer.labels.tolist() == [1, 2, 1, 2, 1]
    assert answer.classes == ("nut", "../bolt_1", "nut", "../bolt_1", "nut")
    assert answer.masks is not None
    assert np.array_equal(answer.masks, np.stack(made.MASKS))
    assert answer.areas.tolist() == list(made.AREAS)
    assert answer.keypoints is None


def test_some_of_the_objects() -> None:
    answer = found()
    assert [len(answer[chosen]) for chosen in (0, -1, slice(1, 4), [0, 2], [], answer.labels == 1)] == [
        1,
        1,
        3,
        2,
        0,
        3,
    ]
    assert answer[-1].scores.tolist() == pytest.approx([0.55])
    assert answer[[2, 0]].labels.tolist() == [1, 1]
    assert [one.classes for one in answer[:2]] == [("nut",), ("../bolt_1",)]
    assert len(answer.above(0.75)) == 3  # and those of exactly this score
    assert len(answer.of_class("nut")) == 3
    with pytest.raises(ArgumentError, match='there is no class "bolt"; the network has nut, '):
        answer.of_class("bolt")
    with pytest.raises(IndexError):
        answer[5]


def test_nothing_found() -> None:
    nothing = FoundObjects(made.pixels(), (), made.POSES)
    assert [array.shape for array in (nothing.boxes, nothing.scores, nothing.labels)] == [(0, 4), (0,), (0,)]
    assert nothing.masks is not None
    assert nothing.masks.shape == (0, made.HEIGHT, made.WIDTH)
    assert nothing.keypoints is not None
    assert nothing.keypoints.shape == (0, 2, 3)
    assert nothing.areas.shape == (0,)
    assert (list(nothing), nothing.to_coco(), len(nothing.above(0.5))) == ([], [], 0)
    assert np.array_equal(np.asarray(nothing.plot()), made.pixels())
    assert repr(nothing) == "<no objects in a picture of 64 x 48 px>"


def test_keypoints_and_networks_without_masks() -> None:
    config = Config.preset("classroom", tasks=("box", "keypoints"), num_keypoints=2, num_classes=2)
    pose = {"category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5, "keypoints": [1.0, 2.0, 2, 3.0, 4.0, 2]}
    answer = FoundObjects(made.pixels(), (pose,), config)
    assert answer.masks is None
    assert answer.keypoints is not None
    assert answer.keypoints.tolist() == [[[1, 2, 2], [3, 4, 2]]]
    assert answer.areas.tolist() == [12]


def test_it_shows_itself() -> None:
    answer = found()
    assert repr(answer) == "<5 objects in a.png: 3 nut, 2 ../bolt_1>"
    shown = Image.open(io.BytesIO(answer._repr_png_()))
    assert (shown.format, shown.size) == ("PNG", (made.WIDTH, made.HEIGHT))  # as large as the picture, not larger
    drawn = answer.plot()
    assert (drawn.mode, drawn.size) == ("RGB", (made.WIDTH, made.HEIGHT))
    assert (np.asarray(drawn) != made.pixels()).any()
    assert answer.plot(longest=640).size == (640, 480)
    bare = answer.plot(masks=False, boxes=False, labels=False)
    assert np.array_equal(np.asarray(bare), made.pixels())


@pytest.mark.parametrize(("name", "format"), [("x/a.png", "PNG"), ("a.JPG", "JPEG"), ("a.webp", "WEBP")])
def test_save(name: str, format: str, tmp_path: Path) -> None:
    path = found().save(tmp_path / name)
    assert path == tmp_path / name
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == (format, (made.WIDTH, made.HEIGHT))
    assert is_overlay(path) == (format == "PNG")
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_save_refuses_other_files(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"a\.gif: a picture is written as \.png, \.jpg"):
        found().save(tmp_path / "a.gif")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(ArgumentError, match=r"b\.png: cannot be written"):
        found().save(tmp_path / "b.png")


def test_it_goes_to_coco_and_to_the_outputs() -> None:
    answer = found()
    again = json.loads(json.dumps(answer.to_coco(image_id=7)))
    assert [entry["image_id"] for entry in again] == [7] * 5
    assert "image_id" not in answer.detections[0]  # its own are not changed
    size = (made.WIDTH, made.HEIGHT)
    assert answer.for_outputs() == FoundPicture("a.png", *size, made.detections(), Path("photos/a.png"))
