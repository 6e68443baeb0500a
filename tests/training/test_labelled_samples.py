"""Pictures and targets as the network gets them."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from maskrcnn.annotations import pictures
from maskrcnn.annotations.polygon_outline import stacked_outlines
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.training.labelled_samples import LabelledSamples
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


SQUARE = {"bbox": [40, 20, 60, 40], "segmentation": [[40, 20, 100, 20, 100, 60, 40, 60]]}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.zeros((128, 192, 3), np.uint8)
    pixels[20:60, 40:100] = (255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def samples(doc: dict[str, Any], picture: Path, augment: bool = False, **changes: Any) -> LabelledSamples:
    config = Config.preset("classroom", **{**tiny.CONFIG, **changes})
    return LabelledSamples(doc, lambda image: picture, config, augment)


def test_picture_box_and_mask_shrink_together(picture: Path) -> None:
    # 192 x 128 to 96 x 64: everything halves.
    image, target = samples(document(SQUARE), picture)[0]
    assert image.shape == (3, 64, 96)
    assert target["boxes"].tolist() == [[20, 10, 50, 30]]
    assert target["labels"].tolist() == [1]
    expected = torch.zeros(64, 96)
    expected[10:30, 20:50] = 1
    assert np.array_equal(stacked_outlines(target["masks"], 64, 96)[0], expected)
    assert torch.equal(image[0], expected)
    assert type(image) is type(target["boxes"]) is type(target["labels"]) is torch.Tensor


@pytest.mark.parametrize("jitter", [0.0, 0.4])
def test_scale_jitter_shrinks_from_the_largest_size(jitter: float, picture: Path) -> None:
    """96 px wide at its working size: from 96 x (1 - jitter) to 96 x (1 + jitter)."""
    augmented = samples(document(SQUARE), picture, augment=True, scale_jitter=jitter, colour_jitter=0.0)
    widths = [augmented.sample(0, random.Random(number))[0].shape[2] for number in range(40)]
    assert round(96 * (1 - jitter)) <= min(widths) <= 96 * (1 - 0.8 * jitter)
    assert 96 * (1 + 0.8 * jitter) <= max(widths) <= round(96 * (1 + jitter))
    assert len(set(widths)) > 15 * (jitter > 0)


def test_crowds_and_specks_are_left_out(picture: Path) -> None:
    crowd = {**SQUARE, "iscrowd": 1}
    speck = {"bbox": [0, 0, 1, 1], "segmentation": [[0, 0, 1, 0, 1, 1, 0, 1]]}  # half a pixel wide at working size
    _, target = samples(document(crowd, speck, SQUARE), picture)[0]
    assert target["boxes"].tolist() == [[20, 10, 50, 30]]


def test_a_picture_without_objects_has_empty_targets(picture: Path) -> None:
    _, target = samples(document(), picture)[0]
    assert target["boxes"].shape == (0, 4)
    assert target["masks"] == []


@pytest.mark.parametrize(("room", "read"), [(0, 6), (2, 4), (3, 3)])
def test_pictures_are_kept_as_far_as_memory_allows(
    room: int, read: int, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three pictures, twice each. One is 512 x 768 x 3 bytes, 1.125 MB, and has no mask; `room` of them fit.
    opened: list[Path] = []
    real = pictures.load_at_least
    monkeypatch.setattr(pictures, "load_at_least", lambda path, size: (opened.append(path), real(path, size))[1])
    megabytes = round(room * 1.125 + 0.5) if room else 0
    fields = {"image_min_dim": 512, "image_max_dim": 768, "picture_cache_mb": megabytes}
    kept = samples(document(images=3), picture, **fields)
    first = [kept[index] for index in (0, 1, 2)]
    again = [kept[index] for index in (0, 1, 2)]
    assert len(opened) == read
    for (one, _), (other, _) in zip(first, again, strict=True):
        assert one.shape == (3, 512, 768)
        assert torch.equal(one, other)


def test_what_is_kept_is_not_what_is_augmented(picture: Path) -> None:
    """A hundred augmentations later the picture in memory is the one that was read."""
    fields = {"copy_paste": 1.0, "crop": 1.0, "flip": 0.5, "scale_jitter": 0.5, "colour_jitter": 0.5}
    augmented = samples(document(SQUARE, images=2), picture, augment=True, **fields)
    pixels, objects = augmented.read(0)
    before = pixels.copy(), objects.boxes.copy(), objects.outlines[0].parts[0][0].copy()
    draw = random.Random(0)
    for number in range(40):
        augmented.sample(number % 2, draw)
    assert augmented.read(0)[0] is pixels
    for one, other in zip(before, (pixels, objects.boxes, objects.outlines[0].parts[0][0]), strict=True):
        assert np.array_equal(one, other)


def test_the_same_draw_is_the_same_sample(picture: Path) -> None:
    fields = {"copy_paste": 0.5, "crop": 0.5, "flip": 0.5, "scale_jitter": 0.5, "colour_jitter": 0.5}
    augmented = samples(document(SQUARE, images=2), picture, augment=True, **fields)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    seen = set()
    for number in range(12):
        (one, first), (other, second) = (augmented.sample(0, random.Random(number)) for _ in range(2))
        assert torch.equal(one, other)
        assert torch.equal(first["boxes"], second["boxes"])
        assert np.array_equal(
            stacked_outlines(first["masks"], *one.shape[1:]), stacked_outlines(second["masks"], *one.shape[1:])
        )
        seen.add((one.shape, float(one.sum())))
    assert len(seen) > 9
    assert torch.equal(torch.get_rng_state(), state)  # and nothing random of torch's was used


def test_a_picture_that_cannot_be_read_is_named(picture: Path) -> None:
    picture.write_bytes(picture.read_bytes()[:200])
    with pytest.raises(StudioError, match=r"a\.png"):
        samples(document(SQUARE), picture)[0]
