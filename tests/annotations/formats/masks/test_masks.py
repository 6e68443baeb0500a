"""PNG instance masks: ours, and those that other data sets come with."""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import pictures, raster, read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import masks
from maskrcnn.annotations.formats.writing import write
from maskrcnn.annotations.intake import stage_path
from maskrcnn.annotations.regions import Keypoints, Point, Polygon, Rect, Region
from maskrcnn.errors import StudioError

# Two rows of objects on a ground of zeros: big enough to be flat.
BASE = np.zeros((20, 30), dtype=np.uint16)
BASE[2:8, 3:9] = 1
BASE[2:8, 15:21] = 2
BASE[12:18, 3:9] = 3


def save(folder: Path, name: str, values: Any, mode: str | None = None) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values)
    if mode is not None:
        picture = picture.convert(mode)
    if mode == "P":
        picture.putpalette([7, 80, 200] * 256)
    picture.save(path)
    return path


def boxes(record: ImageRecord) -> list[tuple[str | None, tuple[float, ...], bool]]:
    return [(region.class_name, raster.bounds(region.shape), region.iscrowd) for region in record.regions]


SQUARES = [(3, 2, 9, 8), (15, 2, 21, 8), (3, 12, 9, 18)]


@pytest.mark.parametrize("values", [BASE, BASE.astype(np.uint8)], ids=["16 bits", "8 bits"])
def test_plain_numbers_are_objects_of_one_class(values: np.ndarray, tmp_path: Path) -> None:
    save(tmp_path, "a.png", values)
    assert masks.is_mask_folder(tmp_path)
    dataset = masks.read_folder(tmp_path)
    assert dataset.classes == ("object",)
    (record,) = dataset.images
    assert (record.width, record.height) == (30, 20)
    assert boxes(record) == [("object", square, False) for square in SQUARES]


def test_a_palette_is_read_by_its_indices_and_255_is_a_border(tmp_path: Path) -> None:
    values = BASE.astype(np.uint8)
    values[9] = 255
    save(tmp_path, "a.png", values, "P")
    assert boxes(masks.read_folder(tmp_path).images[0]) == [("object", square, False) for square in SQUARES]


def test_black_and_white_is_one_object(tmp_path: Path) -> None:
    save(tmp_path, "a.png", np.where(BASE == 1, 255, 0).astype(np.uint8))
    save(tmp_path, "b.png", np.where(BASE == 1, 255, 0).astype(np.uint8), "1")
    for record in masks.read_folder(tmp_path).images:
        assert boxes(record) == [("object", SQUARES[0], False)]


def test_the_way_of_cityscapes(tmp_path: Path) -> None:
    values = np.choose(BASE, [0, 26_000, 26_001, 24]).astype(np.uint16)
    save(tmp_path, "a.png", values)
    assert boxes(masks.read_folder(tmp_path).images[0]) == [
        ("object", SQUARES[2], False),
        ("class 26", SQUARES[0], True),
        ("class 26", SQUARES[1], False),
    ]
    names = {str(number): f"name {number}" for number in (24, 26)}
    (tmp_path / "classes.json").write_text(json.dumps({"classes": names}))
    assert boxes(masks.read_folder(tmp_path).images[0]) == [
        ("name 24", SQUARES[2], True),
        ("name 26", SQUARES[0], True),
        ("name 26", SQUARES[1], False),
    ]


def test_class_names_from_a_list_of_lines(tmp_path: Path) -> None:
    save(tmp_path, "a.png", np.choose(BASE, [0, 1001, 2001, 2002]).astype(np.uint16))
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    dataset = masks.read_folder(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert [name for name, _, _ in boxes(dataset.images[0])] == ["cat", "dog", "dog"]


@pytest.mark.parametrize(
    ("mask", "picture_name"),
    [
        ("PedMasks/F1_mask.png", "PNGImages/F1.png"),
        ("SegmentationObject/F1.png", "JPEGImages/F1.jpg"),
        ("masks/F1.png", "masks/F1.jpg"),
        ("masks/F1.png", "masks/images/F1.png"),
        ("masks/sub/F1.png", "images/sub/F1.jpg"),
        ("masks/F1.png", "imgs/F1.png"),
        ("Masks/F1.png", "Images/F1.jpg"),
        ("label/F1.png", "image/F1.png"),
        ("train_masks/F1.png", "train_images/F1.jpg"),
        ("train_masks/F1.png", "train/F1.jpg"),
        ("masks/F1-mask.png", "images/F1.png"),
        ("masks/mask_F1.png", "images/F1.jpg"),
        ("masks/F1_instanceIds.png", "images/F1.jpg"),
        ("masks/F1.jpg.png", "images/F1.jpg"),
        ("train/F1_mask.png", "train/F1.png"),
    ],
)
def test_where_the_picture_of_a_mask_is_found(mask: str, picture_name: str, tmp_path: Path, picture: Any) -> None:
    save(tmp_path, mask, BASE)
    path = picture(picture_name, 30, 20)
    (record,) = masks.read_folder(tmp_path / Path(mask).parts[0]).images
    assert (record.path, record.file_name) == (path, path.name)
    elsewhere = picture("elsewhere/F1.jpg", 30, 20)
    (record,) = masks.read_folder(tmp_path / Path(mask).parts[0], tmp_path / "elsewhere").images
    assert record.path == elsewhere


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_grey_that_was_saved_in_several_channels(mode: str, tmp_path: Path) -> None:
    save(tmp_path, "a.png", BASE.astype(np.uint8), mode)
    dataset = masks.read_folder(tmp_path)
    assert boxes(dataset.images[0]) == [("object", square, False) for square in SQUARES]
    said = [line for line in dataset.warnings if "have colours, all of them grey; they were read" in line]
    assert len(said) == (mode != "LA")


def test_a_drawing_is_no_mask_of_itself(tmp_path: Path) -> None:
    save(tmp_path, "images/a.png", BASE)
    assert [record.path for record in masks.read_folder(tmp_path / "images").images] == [None]


def test_the_classes_of_semantic_masks(tmp_path: Path, picture: Any) -> None:
    """As Roboflow exports them: all objects of a class have one number, so each is a crowd."""
    save(tmp_path, "train/a_mask.png", BASE)
    picture("train/a.png", 30, 20)
    (tmp_path / "train" / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, leaf\n2, stem\n3, a, b\n")
    for dataset in (read(tmp_path), stage_path(tmp_path).dataset):
        assert dataset.classes == ("leaf", "stem", "a, b")
        (record,) = dataset.images
        names = zip(("leaf", "stem", "a, b"), SQUARES, strict=True)
        assert boxes(record) == [(name, square, True) for name, square in names]


CLASSES_OF_PAIR = np.zeros((20, 30), dtype=np.uint8)
CLASSES_OF_PAIR[:, 1:11] = 2
CLASSES_OF_PAIR[1:9, 14:22] = 3
CLASSES_OF_PAIR[2:8, 3:5] = 3  # of the first object, 12 of 36 pixels
COLOURS_OF_VOC = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)], np.uint8)


@pytest.mark.parametrize(
    ("program", "names"),
    [
        ("VOC", ("class 2", "class 3")),
        ("labelme", ("leaf", "stem")),
        ("CVAT", ("leaf", "stem")),
        ("CVAT with a palette", ("leaf", "stem")),
        ("colours that nobody names", ("class 0, 128, 0", "class 128, 128, 0")),
    ],
)
def test_a_folder_of_objects_and_one_of_their_classes(
    program: str, names: tuple[str, str], tmp_path: Path, picture: Any
) -> None:
    end = "PNG" if program == "labelme" else ""
    objects = BASE.astype(np.uint8)
    objects[0, :5] = 255  # a border
    values = {f"SegmentationObject{end}/a.png": objects, f"SegmentationClass{end}/a.png": CLASSES_OF_PAIR}
    for name, of_mask in values.items():
        if program == "CVAT" or "nobody" in program:
            colours = COLOURS_OF_VOC[np.where(of_mask == 255, 0, of_mask)]
            colours[of_mask == 255] = (224, 224, 192)
            save(tmp_path, name, colours)
        else:
            path = save(tmp_path, name, of_mask)
            with Image.open(path) as grey:
                grey.putpalette(COLOURS_OF_VOC.ravel().tolist() + [9] * (768 - 12))
                grey.save(path)
    texts = {
        "labelme": {"class_names.txt": "_background_\nfruit\nleaf\nstem\n"},
        "CVAT": {
            "labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\nleaf:0,128,0::\nstem:128,128,0::"
        },
    }.get(program.partition(" ")[0], {})
    lists = {"ImageSets/Segmentation/train.txt": "a\n", "ImageSets/Segmentation/val.txt": "b\n"}
    for name, content in {**texts, **lists}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    path = picture("JPEGImages/a.jpg", 30, 20)
    first, second = names
    expected = sorted(zip((first, second, first), SQUARES, (False,) * 3, strict=True))
    for dataset in (read(tmp_path), read(tmp_path / f"SegmentationObject{end}"), stage_path(tmp_path).dataset):
        (record,) = dataset.images
        assert (record.path, sorted(boxes(record))) == (path, expected)
    assert read(tmp_path).images[0].split == "train"


def test_a_pair_without_its_pictures_is_not_blamed_for_its_colours(tmp_path: Path) -> None:
    for name in ("SegmentationObject/a.png", "SegmentationClass/a.png"):
        save(tmp_path, name, COLOURS_OF_VOC[BASE])
    (line,) = stage_path(tmp_path).warnings
    assert line.startswith(
        "SegmentationObject: its PNGs (a.png) look like masks, but no picture of their names was found"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("another size", "is of another size than that in SegmentationObject"),
        ("gone", "a.png: is not there, though the mask of its objects is"),
        ("a link out", "a.png: is not there"),
        ("no name", "has the value 3, which class_names.txt does not name"),
    ],
)
def test_pairs_that_do_not_fit(change: str, said: str, tmp_path: Path) -> None:
    save(tmp_path / "set", "SegmentationObject/a.png", BASE.astype(np.uint8))
    values = CLASSES_OF_PAIR[1:] if change == "another size" else CLASSES_OF_PAIR
    path = save(tmp_path / "set", "SegmentationClass/a.png", values)
    (tmp_path / "set" / "class_names.txt").write_text("_background_\nfruit\nleaf\n")
    if change in ("gone", "a link out"):
        path.rename(tmp_path / "elsewhere.png")
    if change == "a link out":
        path.symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(StudioError, match=said):
        read(tmp_path / "set" / "SegmentationObject")


def test_photos_are_no_masks(tmp_path: Path, picture: Any) -> None:
    assert not masks.is_mask_folder(tmp_path)
    assert not masks.is_mask_folder(tmp_path / "none")
    picture("a.png")
    assert not masks.is_mask_folder(tmp_path)
    grey = np.random.default_rng(0).integers(0, 255, (40, 50), dtype=np.uint8)
    (tmp_path / "a.png").unlink()
    save(tmp_path, "b.png", grey)
    assert not masks.is_mask_folder(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[", "classes.json: the file has None as its content"),
        ('{"classes": 3}', 'has 3 as "classes"'),
        ('{"classes": {"a": "cat"}}', 'has "cat" as class "a"'),
        ('{"classes": {"1": ""}}', 'has "" as class "1"'),
        ('{"classes": ["cat"], "divisor": 0}', 'has 0 as "divisor"'),
        ('{"classes": ["cat"], "pictures": {"a.png": 3}}', 'the mask "a.png" has 3 as its entry'),
        ('{"classes": ["cat"]}', "a.png: the mask has the value 2, but there is no class 2"),
        ("[" * 10_000, "classes.json: the file has None"),
    ],
)
def test_a_wrong_classes_json_is_named(content: str, complaint: str, tmp_path: Path) -> None:
    save(tmp_path, "a.png", BASE)
    (tmp_path / "classes.json").write_text(content)
    with pytest.raises(StudioError) as caught:
        masks.read_folder(tmp_path)
    assert complaint in str(caught.value)


def test_what_is_no_mask_is_refused(tmp_path: Path, picture: Any) -> None:
    picture("colours.png")
    with pytest.raises(StudioError, match=r"colours\.png: has colours \(RGB\)"):
        masks.read_folder(tmp_path)
    (tmp_path / "colours.png").write_bytes(b"no picture")
    with pytest.raises(StudioError, match=r"colours\.png: this is not"):
        masks.read_folder(tmp_path)


def test_a_header_of_60000_pixels_is_refused(tmp_path: Path) -> None:
    header = bytearray(save(tmp_path, "a.png", BASE).read_bytes())
    header[16:24] = (60_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(bytes(header))
    assert not masks.is_mask_folder(tmp_path)
    with pytest.raises(StudioError, match=r"a\.png: the picture is .*scale it down"):
        masks.read_folder(tmp_path)


# Writing


def dataset_of(*regions: Region, classes: tuple[str, ...] = ("cat", "dog"), **fields: Any) -> Dataset:
    record = ImageRecord("a.jpg", regions, **{"width": 30, "height": 20, **fields})
    return Dataset((record,), classes, source=Path("in.json"))


def values_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_values_are_class_and_number() -> None:
    encoded = masks.encode(
        dataset_of(
            Region(Rect(3, 2, 6, 6), "cat"),
            Region(Rect(15, 2, 6, 6), "dog"),
            Region(Rect(3, 12, 6, 6), "dog"),
            Region(Rect(15, 12, 6, 6), "dog", iscrowd=True),
            split="val",
        )
    )
    values = values_of(encoded.files["a.png"])
    assert values.dtype == np.uint16
    assert [values[5, 5], values[5, 16], values[15, 5], values[15, 16], values[0, 0]] == [1001, 2001, 2002, 2000, 0]
    assert (values == 1001).sum() == 36
    assert json.loads(encoded.files["classes.json"]) == {
        "divisor": 1000,
        "classes": {"1": "cat", "2": "dog"},
        "pictures": {"a.png": {"file_name": "a.jpg", "split": "val"}},
    }


def test_many_classes_share_the_16_bits() -> None:
    classes = tuple(f"class {number}" for number in range(80))
    dataset = dataset_of(Region(Rect(3, 2, 6, 6), classes[-1]), classes=classes)
    encoded = masks.encode(dataset)
    assert json.loads(encoded.files["classes.json"])["divisor"] == 809  # 65536 // 81
    assert values_of(encoded.files["a.png"]).max() == 80 * 809 + 1


def test_too_many_objects_or_classes_are_refused() -> None:
    many = [Region(Rect(1, 1, 2, 2), "cat")] * 1000
    with pytest.raises(StudioError, match=r'region 1000 of "a\.jpg" is object 1000 of class "cat"; .* hold 999'):
        masks.encode(dataset_of(*many))
    with pytest.raises(StudioError, match="40000 classes are more than 16-bit masks can number"):
        masks.encode(dataset_of(classes=tuple(map(str, range(40_000)))))


def test_what_masks_cannot_hold_is_counted() -> None:
    encoded = masks.encode(
        dataset_of(
            Region(raster.from_mask(BASE == 1), "cat"),
            Region(Rect(3, 2, 3, 6), "cat", keypoints=Keypoints(((1, 1, 2),))),  # lies on the left half of it
            Region(Rect(15, 2, 4, 4), "dog", {"note": "x"}),  # wholly covered by the next
            Region(Rect(14, 1, 9, 9), "dog", source="model", score=0.5),
            Region(Rect(3, 12, 6, 6), "dog", iscrowd=True),
            Region(Rect(10, 12, 6, 6), "dog", iscrowd=True),
            Region(Point(1, 1), "dog"),
            Region(Polygon(((50, 50), (60, 50), (60, 60))), "dog"),
            attributes={"b": 1},
        )
    )
    assert encoded.warnings == (
        "in.json: 1 picture lost their attributes because PNG masks have none",
        "in.json: 5 regions drawn as outlines became their pixels because PNG masks have no outlines",
        "in.json: 1 region lost their keypoints because PNG masks have none",
        "in.json: 1 region lost their attributes because PNG masks have none",
        "in.json: 1 region no longer marked as suggested by a model because PNG masks have no such mark",
        "in.json: 1 region became one crowd with another because PNG masks have one crowd for each class",
        "in.json: 1 region without area (points, lines) left out because PNG masks are pixels",
        "in.json: 1 region left out because PNG masks are pixels, and theirs has none inside the picture",
        "in.json: 1 region lost pixels to another above them because PNG masks have one object for each pixel",
        "in.json: 1 region left out because others cover them whole, and PNG masks have one object for each pixel",
    )


def test_written_and_read_again(tmp_path: Path, picture: Any) -> None:
    regions = tuple(Region(raster.from_mask(n == BASE), name) for n, name in ((1, "cat"), (3, "dog"), (2, "dog")))
    records = tuple(
        ImageRecord(name, regions, picture(f"in/{name}", 30, 20), 30, 20, split="train")
        for name in ("a.jpg", "a.png", "sub/b.jpg")
    )
    dataset = Dataset(records, ("cat", "dog", "unused"))
    assert write(dataset, tmp_path / "out", "masks") == []
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert names == ["a.png", "a_mask.png", "images/a.png", "sub/b.png"]
    again = masks.read_folder(tmp_path / "out")
    assert again.classes == dataset.classes
    by_name = {record.file_name: record for record in again.images}
    for before in records:
        after = by_name[before.file_name]
        assert after.split == "train"
        assert after.path is not None
        assert after.path.read_bytes() == before.path.read_bytes()  # type: ignore[union-attr]
        assert [(found.class_name, found.shape) for found in after.regions] == [
            (region.class_name, region.shape) for region in before.regions
        ]


def test_numbers_are_not_turned(tmp_path: Path) -> None:
    save(tmp_path, "a.png", BASE)
    assert (pictures.values(tmp_path / "a.png") == BASE).all()
