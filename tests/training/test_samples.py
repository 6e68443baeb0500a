"""Pictures and targets as the network gets them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from maskrcnn.config import Config
from maskrcnn.training.samples import LabelledPictures, batches, shrunk_mask
from tests import tiny


def document(*annotations: dict[str, Any], width: int = 192, height: int = 128, images: int = 1) -> dict[str, Any]:
    return {
        "images": [
            {"id": i, "file_name": "a.png", "width": width, "height": height, "path": "a.png"}
            for i in range(1, images + 1)
        ],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 1, "iscrowd": 0, **a} for n, a in enumerate(annotations)
        ],
        "categories": [{"id": 1, "name": "square"}],
    }


PIXELS = np.zeros((128, 192, 3), np.uint8)
SQUARE = {"bbox": [40, 20, 60, 40], "segmentation": [[40, 20, 100, 20, 100, 60, 40, 60]]}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.zeros((128, 192, 3), np.uint8)
    pixels[20:60, 40:100] = (255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def samples(doc: dict[str, Any], picture: Path, augment: bool = False, **changes: Any) -> LabelledPictures:
    config = Config.preset("classroom", **{**tiny.CONFIG, **changes})
    return LabelledPictures(doc, lambda image: picture, config, augment)


def test_picture_box_and_mask_shrink_together(picture: Path) -> None:
    # 192 x 128 to 96 x 64: everything halves.
    image, target = samples(document(SQUARE), picture)[0]
    assert image.shape == (3, 64, 96)
    assert target["boxes"].tolist() == [[20, 10, 50, 30]]
    assert target["labels"].tolist() == [1]
    expected = torch.zeros(64, 96)
    expected[10:30, 20:50] = 1
    assert torch.equal(target["masks"][0].float(), expected)
    assert torch.equal(image[0], expected)
    assert type(image) is type(target["boxes"]) is type(target["masks"]) is torch.Tensor


def test_a_mirrored_picture_has_mirrored_targets(picture: Path) -> None:
    image, target = samples(document(SQUARE), picture, augment=True, flip=1.0, scale_jitter=0.0, colour_jitter=0.0)[0]
    assert target["boxes"].tolist() == [[96 - 50, 10, 96 - 20, 30]]
    assert torch.equal(target["masks"][0].bool(), image[0] > 0.5)


def test_augmented_targets_stay_on_their_object(picture: Path) -> None:
    torch.manual_seed(0)
    augmented = samples(document(SQUARE), picture, augment=True, scale_jitter=0.4, colour_jitter=0.0)
    sizes = set()
    for _ in range(10):
        image, target = augmented[0]
        sizes.add(tuple(image.shape))
        inside = (image[0] > 0.5).float()
        mask = target["masks"][0].float()
        assert (inside * mask).sum() / (inside + mask).clamp(max=1).sum() > 0.9
        x1, y1, x2, y2 = target["boxes"][0].tolist()
        assert (x2 - x1) * (y2 - y1) == pytest.approx(float(mask.sum()), rel=0.12)
    assert len(sizes) > 5
    assert max(width for _, _, width in sizes) <= round(96 * 1.4)
    assert min(width for _, _, width in sizes) >= round(96 * 0.6) - 1


def test_crowds_and_specks_are_left_out(picture: Path) -> None:
    crowd = {**SQUARE, "iscrowd": 1}
    speck = {"bbox": [0, 0, 1, 1], "segmentation": [[0, 0, 1, 0, 1, 1, 0, 1]]}  # half a pixel wide at working size
    _, target = samples(document(crowd, speck, SQUARE), picture)[0]
    assert target["boxes"].tolist() == [[20, 10, 50, 30]]


def test_a_picture_without_objects_has_empty_targets(picture: Path) -> None:
    _, target = samples(document(), picture)[0]
    assert target["boxes"].shape == (0, 4)
    assert target["masks"].shape == (0, 64, 96)


@pytest.mark.parametrize("segmentation", [[[40, 20, 100, 20, 100, 60, 40, 60]], "rle", "compressed"])
def test_polygons_and_both_run_length_codes_are_read(segmentation: Any) -> None:
    from pycocotools import mask as coco_mask

    bitmap = np.zeros((128, 192), np.uint8, order="F")
    bitmap[20:60, 40:100] = 1
    if segmentation == "compressed":
        segmentation = coco_mask.encode(bitmap)
    elif segmentation == "rle":
        flat = bitmap.ravel(order="F")
        changes = np.flatnonzero(np.diff(flat)) + 1
        segmentation = {"size": [128, 192], "counts": np.diff([0, *changes, flat.size]).tolist()}
    small = shrunk_mask(segmentation, (128, 192), (64, 96))
    assert small.sum() == 20 * 30
    assert small[10:30, 20:50].all()


def test_every_picture_comes_once_in_a_pass(picture: Path) -> None:
    doc = document(images=6)
    for image in doc["images"][::2]:  # half of them upright
        image["width"], image["height"] = 128, 192
    pictures = samples(doc, picture)
    seen: list[int] = []
    pictures.__class__ = type("Spy", (LabelledPictures,), {"__getitem__": lambda self, i: (seen.append(i), i)[1]})
    stream = batches(pictures, 3, seed=0)
    for _ in range(2):
        batch = next(stream)
        assert len({index % 2 for index in batch}) == 1  # upright and lying apart
    assert sorted(seen) == [0, 1, 2, 3, 4, 5]
    assert len(next(stream)) == 3


@pytest.mark.parametrize(("room", "read"), [(0, 6), (2, 4), (3, 3)])
def test_pictures_are_kept_as_far_as_memory_allows(
    room: int, read: int, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three pictures, twice each. One is 96 x 64 x 3 bytes and has no mask; `room` of them fit.
    monkeypatch.setattr("maskrcnn.training.samples.KEPT_BYTES", room * 96 * 64 * 3)
    opened: list[Path] = []
    monkeypatch.setattr("maskrcnn.training.samples.pictures.load", lambda path: (opened.append(path), PIXELS)[1])
    kept = samples(document(images=3), picture)
    for index in (0, 1, 2, 0, 1, 2):
        assert kept[index][0].shape == (3, 64, 96)
    assert len(opened) == read


def test_fewer_pictures_than_a_batch_still_make_one(picture: Path) -> None:
    assert len(next(batches(samples(document(images=2), picture), 4, seed=0))) == 2
