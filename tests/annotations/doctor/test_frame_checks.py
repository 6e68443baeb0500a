"""Which frame labels were drawn on, and what is said of a picture's file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import pictures, raster
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.doctor import apply, choose, examine
from maskrcnn.annotations.regions import MultiPolygon, Polygon, Rect, Region
from tests.annotations.doctor import made_up

WIDTH, HEIGHT = made_up.WIDTH, made_up.HEIGHT
RIGHT = Rect(130, 20, 60, 100)  # lies in 200 x 160 px, and not in 160 x 200 px
BOTH = Rect(20, 20, 60, 100)


def checks(dataset: Dataset) -> list[str]:
    return [finding.check for finding in examine(dataset)]


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_labels_of_the_stored_pixels_are_turned_onto_their_object(orientation: int, tmp_path: Path) -> None:
    """A white box on black: where the turned label says it is, the displayed picture is white, and nowhere else."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[20:120, 130:190] = 255
    exif = Image.Exif()
    exif[made_up.ORIENTATION] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    drawn = Region(RIGHT, "dent"), Region(Polygon(((130, 20), (190, 20), (190, 60), (130, 60))), "dent")
    dataset = made_up.dataset(made_up.ImageRecord("a.png", drawn, tmp_path / "a.png"))
    found = examine(dataset)
    assert [finding.check for finding in found] == ["turned-labels"]
    assert f"EXIF orientation {orientation}" in found[0].what
    mended = apply(dataset, found)
    (record,) = mended.images
    assert (record.width, record.height) == (HEIGHT, WIDTH)
    shown = pictures.load(tmp_path / "a.png")[:, :, 0] == 255
    assert (raster.mask(record.regions[0].shape, WIDTH, HEIGHT) == shown).all()
    assert shown[raster.mask(record.regions[1].shape, WIDTH, HEIGHT)].all()
    assert examine(mended) == []


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("shape", "declared", "on_its_side", "upright"),
    [
        (RIGHT, None, ["turned-labels"], []),
        (RIGHT, (200, 160), ["turned-labels"], []),
        (BOTH, None, [], []),
        (BOTH, (200, 160), ["turned-labels"], []),  # the declared size alone tells, so a person chooses
        (BOTH, (160, 200), [], ["size-mismatch"]),
        (Rect(20, 100, 60, 90), (200, 160), ["size-mismatch"], ["outside-picture"]),  # the labels fit what is shown
        (Rect(130, 20, 60, 170), None, ["outside-picture"], ["outside-picture"]),  # they fit neither
        (Rect(130, 20, 31, 100), None, ["outside-picture"], []),  # over the edge by 1 px: a slip, not another frame
    ],
)
def test_which_frame(shape, declared, on_its_side, upright, orientation: int, tmp_path: Path) -> None:
    size = dict(zip(("width", "height"), declared or (None, None), strict=True))
    dataset = made_up.stored_labels(tmp_path, orientation, shape, **size)
    assert checks(dataset) == (on_its_side if orientation >= 5 else upright)
    found = examine(dataset)
    unsure = orientation >= 5 and (shape, declared) == (BOTH, (200, 160))
    swapped = orientation < 5 and declared == (160, 200)  # width and height exchanged, or of another picture
    turns = ["true-size", "exchange", "turn-right", "turn-left"]
    choices = ["turn", "true-size"] if unsure else turns if swapped else []
    assert [choice.option_name for f in found for choice in f.choices] == choices
    assert checks(apply(dataset, made_up.decided(found))) == []


def test_a_mask_of_the_stored_frame_is_turned(tmp_path: Path) -> None:
    pixels = np.zeros((HEIGHT, WIDTH), dtype=bool)
    pixels[20:120, 130:190] = True
    dataset = made_up.stored_labels(tmp_path, 6, raster.from_mask(pixels))
    assert checks(dataset) == ["turned-labels"]
    mended = apply(dataset, examine(dataset)).images[0].regions[0]
    assert (raster.mask(mended.shape, WIDTH, HEIGHT) == np.rot90(pixels, -1)).all()


def test_turned_labels_are_then_looked_at_where_they_belong(tmp_path: Path) -> None:
    dataset = made_up.stored_labels(tmp_path, 6, Rect(130, 20, 71, 100))  # 1 px over the stored edge as well
    found = examine(dataset)
    assert [finding.check for finding in found] == ["turned-labels", "outside-picture"]
    # (x, y) goes to (160 - y, x).
    assert found[1].box == (40, 130, 140, 201)
    assert apply(dataset, found).images[0].regions[0].shape == Rect(40, 130, 100, 70)


@pytest.mark.parametrize(
    ("fields", "scaled", "choices"),
    [
        ({"width": 400, "height": 320}, True, []),  # on the real picture they would lie outside
        ({"width": 401, "height": 319}, True, []),
        ({"width": 100, "height": 80}, False, ["scale", "true-size"]),  # they fit both: which was it?
        ({"width": 400, "height": 300}, False, []),
        ({"width": 160, "height": 200}, False, ["true-size", "exchange", "turn-right", "turn-left"]),
    ],
)
def test_labels_for_another_size(fields, scaled: bool, choices: list[str], tmp_path: Path) -> None:
    shape = Rect(10, 10, fields["width"] / 2, fields["height"] / 2)
    drawn = made_up.record(tmp_path, "a.png", Region(shape, "dent"), file_size=12, **fields)  # bytes of that other size
    dataset = made_up.dataset(drawn)
    found = [finding for finding in examine(dataset) if finding.check == "size-mismatch"]
    assert [finding.severity for finding in found] == ["error"]
    assert [choice.option_name for choice in found[0].choices] == choices
    assert f"{fields['width']} x {fields['height']} px" in found[0].what
    assert (found[0].fix is not None) == scaled
    if "scale" in choices:
        assert apply(dataset, found).images == dataset.images
        found = choose(found, {"size-mismatch": "scale"})
    if scaled or "scale" in choices:
        mended = apply(dataset, found)
        across, down = WIDTH / fields["width"], HEIGHT / fields["height"]
        box = raster.bounds(mended.images[0].regions[0].shape)
        assert box == pytest.approx((10 * across, 10 * down, 10 * across + 100, 10 * down + 80))
        assert examine(mended) == []


def test_a_stray_vertex_says_nothing_of_the_frame(tmp_path: Path) -> None:
    """It surely goes, and the labels fit the size that the file says, twice that of the picture, without it."""
    stray = MultiPolygon(((((390, 310), (20, 20), (200, 20)),), (((900, 900),),)))
    dataset = made_up.dataset(made_up.record(tmp_path, "a.png", Region(stray, "dent"), width=400, height=320))
    mended = apply(dataset, examine(dataset))
    assert mended.images[0].regions[0].shape.points[0] in {(195, 155), (10, 10), (100, 10)}  # type: ignore[union-attr]
    assert examine(mended) == []


@pytest.mark.parametrize(
    ("shapes", "said"),
    [([BOTH], "the labels fit both"), ([Rect(10, 10, 900, 20)], "the labels fit neither"), ([], "nothing is labelled")],
)
def test_which_sizes_labels_fit_is_said(shapes: list[Rect], said: str, tmp_path: Path) -> None:
    drawn = made_up.record(tmp_path, "a.png", *(Region(s, "dent") for s in shapes), width=400, height=320)
    (finding,) = [finding for finding in examine(made_up.dataset(drawn)) if finding.check == "size-mismatch"]
    assert said in finding.what


def test_labels_that_fit_the_real_picture_only_keep_their_places(tmp_path: Path) -> None:
    """The label file has the size of a copy of half the size, but its labels reach over the whole picture."""
    dataset = made_up.dataset(made_up.record(tmp_path, "a.png", *made_up.PAIR, width=WIDTH // 2, height=HEIGHT // 2))
    found = examine(dataset)
    assert [(finding.check, finding.fix and finding.fix.action) for finding in found] == [
        ("size-mismatch", "true-size")
    ]
    mended = apply(dataset, found)
    assert mended.images[0].regions == dataset.images[0].regions
    assert examine(mended) == []


def test_bytes_that_differ_are_a_hint(tmp_path: Path) -> None:
    sound = made_up.record(tmp_path, "a.png", *made_up.PAIR, file_size=12)
    size = (tmp_path / "a.png").stat().st_size
    dataset = made_up.dataset(sound)
    found = examine(dataset)
    assert [(finding.check, finding.severity) for finding in found] == [("size-mismatch", "hint")]
    assert found[0].what == f"the labelled file had 12 bytes, this one has {size}"
    assert apply(dataset, found).images[0] == replace(sound, file_size=size)
    for unknown in (None, -1, size):
        assert examine(made_up.dataset(replace(sound, file_size=unknown))) == []


@pytest.mark.parametrize(("content", "words"), [(b"", "a picture that can be read"), (b"hello", "a picture that can")])
def test_the_reason_is_said_without_the_path(content: bytes, words: str, tmp_path: Path) -> None:
    dataset = made_up.healthy(tmp_path)
    (tmp_path / "a.png").write_bytes(content)
    found = examine(dataset)
    assert [finding.check for finding in found] == ["picture-unreadable"]
    assert words in found[0].what
    assert str(tmp_path) not in found[0].what
    assert [record.file_name for record in apply(dataset, found).images] == ["a.png", "b.png"]  # a copy may be whole
    assert [record.file_name for record in apply(dataset, made_up.decided(found)).images] == ["b.png"]


def test_a_folder_or_a_file_that_went_is_no_picture(tmp_path: Path) -> None:
    dataset = made_up.healthy(tmp_path)
    (tmp_path / "a.png").unlink()
    assert checks(dataset) == ["picture-missing"]
    (tmp_path / "a.png").mkdir()
    assert checks(dataset) == ["picture-unreadable"]
