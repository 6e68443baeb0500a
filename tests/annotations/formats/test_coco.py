"""COCO files: what pycocotools decodes from them is what we say it is."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from maskrcnn.annotations import raster
from maskrcnn.annotations.formats import coco, reading
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Dataset,
    Ellipse,
    ImageRecord,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
)
from maskrcnn.errors import StudioError

HEIGHT, WIDTH = 30, 40
BLOB = raster.from_mask(np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.4)
SQUARE = ((2, 2), (12, 2), (12, 12), (2, 12))
HOLE = ((5, 5), (8, 5), (8, 8), (5, 8))
SHAPES = [
    Polygon(((1, 1), (20.5, 3), (11, 17.25))),
    Polygon(((0, 0), (30, 25), (30, 0), (0, 25))),
    Polygon(((-20, -20), (60, 4), (5, 60))),
    Rect(3, 4, 10, 6),
    Circle(20, 15, 8.5),
    Ellipse(20, 15, 12, 4, 0.7),
    MultiPolygon(((SQUARE,), (((20, 20), (30, 20), (30, 28)),))),
    MultiPolygon(((SQUARE, HOLE),)),
    BLOB,
]


def loaded(document: dict[str, Any], folder: Path) -> COCO:
    path = folder / "coco.json"
    path.write_text(json.dumps(document))
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(path)


def dataset_of(*regions: Region, classes: tuple[str, ...] = ("thing",)) -> Dataset:
    return Dataset((ImageRecord("a.jpg", regions, width=WIDTH, height=HEIGHT),), classes, source=Path("labels.json"))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_area_and_box_are_those_of_the_decoded_mask(shape, tmp_path) -> None:
    index = loaded(coco.document(dataset_of(Region(shape, "thing"))), tmp_path)
    (annotation,) = index.anns.values()
    mask = index.annToMask(annotation).astype(bool)
    assert (mask == raster.mask(shape, HEIGHT, WIDTH)).all()
    assert annotation["area"] == mask.sum()
    ys, xs = np.nonzero(mask)
    assert annotation["bbox"] == [xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()]


def test_polygons_are_written_as_they_were_drawn() -> None:
    annotations = coco.document(dataset_of(*(Region(shape, "thing") for shape in SHAPES[:1])))["annotations"]
    assert annotations[0]["segmentation"] == [[1, 1, 20.5, 3, 11, 17.25]]
    assert json.dumps(annotations[0]["segmentation"]) == "[[1, 1, 20.5, 3, 11, 17.25]]"


def test_ids_count_from_one_in_the_order_given() -> None:
    first = ImageRecord("a.jpg", (Region(Rect(0, 0, 2, 2), "dog"),), width=9, height=9)
    second = ImageRecord("b.jpg", (Region(Rect(0, 0, 3, 2), "cat"), Region(Rect(1, 1, 2, 2), "dog")), width=9, height=9)
    document = coco.document(Dataset((first, second), ("cat", "dog")), classes=("dog", "cat"))
    assert [(c["id"], c["name"]) for c in document["categories"]] == [(1, "dog"), (2, "cat")]
    assert [(i["id"], i["file_name"], i["width"], i["height"]) for i in document["images"]] == [
        (1, "a.jpg", 9, 9),
        (2, "b.jpg", 9, 9),
    ]
    assert [(a["id"], a["image_id"], a["category_id"], a["area"]) for a in document["annotations"]] == [
        (1, 1, 1, 4),
        (2, 2, 2, 6),
        (3, 2, 1, 4),
    ]


def test_what_has_no_mask_is_left_out_with_a_warning() -> None:
    dataset = dataset_of(
        Region(Point(1, 1), "thing"),
        Region(Polyline(((0, 0), (9, 9), (0, 9)))),
        Region(Rect(100, 100, 5, 5), "thing"),
        Region(Rect(0, 0, 5, 5), "thing"),
    )
    encoded = coco.encode(dataset)
    document, warnings = json.loads(encoded.files["coco.json"]), encoded.warnings
    assert [annotation["area"] for annotation in document["annotations"]] == [25]
    assert len(warnings) == 2
    assert "labels.json: 2 regions without area" in warnings[0]
    assert "1 region left out" in warnings[1]


@pytest.mark.parametrize(
    ("region", "complaint"),
    [
        (Region(Rect(0, 0, 5, 5)), 'labels.json: region 1 of "a.jpg" has no class; '),
        (Region(Rect(0, 0, 5, 5), "cat"), 'region 1 of "a.jpg" is a "cat"; the classes are thing'),
        (Region(RLE((5, 5), "0"), "thing"), "region 1"),
    ],
)
def test_what_cannot_be_written_is_named(region: Region, complaint: str) -> None:
    if isinstance(region.shape, RLE):
        region = Region(raster.from_mask(np.ones((5, 5), bool)), "thing")
        complaint = "the mask is 5 x 5 px, the picture 40 x 30 px"
    with pytest.raises(StudioError) as caught:
        coco.document(dataset_of(region))
    assert complaint in str(caught.value)


def test_a_picture_of_unknown_size_is_measured_or_complained_about(picture) -> None:
    record = ImageRecord("a.jpg", (Region(Rect(0, 0, 5, 5), "thing"),), path=picture("a.jpg", 33, 22))
    image = coco.document(Dataset((record,), ("thing",)))["images"][0]
    assert (image["width"], image["height"]) == (33, 22)
    with pytest.raises(StudioError, match=r"not found beside it.*pass --images DIR"):
        coco.document(Dataset((ImageRecord("a.jpg"),)))


UNCOMPRESSED = {"size": [2, 3], "counts": [1, 2, 3]}
COCO_FILE = {
    "info": {"year": 2020},
    "licenses": [],
    "images": [
        {"id": 7, "file_name": "a.jpg", "width": 3, "height": 2, "license": 4},
        {"id": 3, "file_name": "b.jpg", "width": 40, "height": 30},
    ],
    "categories": [{"id": 90, "name": "dog", "supercategory": "pet"}, {"id": 2, "name": "cat", "supercategory": "pet"}],
    "annotations": [
        {
            "id": 1,
            "image_id": 7,
            "category_id": 90,
            "segmentation": UNCOMPRESSED,
            "area": 2,
            "bbox": [0, 0, 2, 2],
            "iscrowd": 1,
        },
        {
            "id": 2,
            "image_id": 3,
            "category_id": 2,
            "segmentation": [[0, 0, 4, 0, 4, 4]],
            "iscrowd": 0,
            "keypoints": [1, 2, 2],
        },
        {"id": 5, "image_id": 3, "category_id": 2, "segmentation": [[0, 0, 4, 0, 4, 4], [9, 9, 12, 9, 12, 12]]},
        {"id": 6, "image_id": 3, "category_id": 2, "bbox": [1, 2, 3, 4], "attributes": {"note": "x"}},
        {"id": 8, "image_id": 3, "category_id": 90, "segmentation": {"size": [30, 40], "counts": BLOB.counts}},
    ],
}


def test_reading_every_kind_of_segmentation() -> None:
    dataset = coco.parse(COCO_FILE, "coco.json")
    assert dataset.classes == ("cat", "dog")
    assert [image.file_name for image in dataset.images] == ["a.jpg", "b.jpg"]
    crowd = dataset.images[0].regions[0]
    assert (crowd.class_name, crowd.iscrowd) == ("dog", True)
    # Runs go down the columns: 1 off, 2 on, 3 off.
    assert raster.mask(crowd.shape, 2, 3).tolist() == [[False, True, False], [True, False, False]]
    polygon, parts, box, blob = dataset.images[1].regions
    assert polygon.shape == Polygon(((0, 0), (4, 0), (4, 4)))
    assert polygon.attributes == {"keypoints": [1, 2, 2]}
    assert parts.shape == MultiPolygon(((((0, 0), (4, 0), (4, 4)),), (((9, 9), (12, 9), (12, 12)),)))
    assert box.shape == Rect(1, 2, 3, 4)
    assert blob.shape == BLOB


def test_writing_it_again_keeps_what_is_not_ours() -> None:
    document = coco.document(coco.parse(COCO_FILE, "coco.json"))
    assert document["info"] == {"year": 2020}
    assert document["images"][0] == {"id": 1, "file_name": "a.jpg", "width": 3, "height": 2, "license": 4}
    assert document["categories"][1] == {"id": 2, "name": "dog", "supercategory": "pet"}
    assert [a["iscrowd"] for a in document["annotations"]] == [1, 0, 0, 0, 0]
    assert document["annotations"][1]["keypoints"] == [1, 2, 2]
    assert document["annotations"][3]["attributes"] == {"note": "x"}


def test_a_crowd_stays_a_crowd_by_way_of_via() -> None:
    from maskrcnn.annotations.formats import via

    again = via.parse(via.document(coco.parse(COCO_FILE, "coco.json"), "via-project"), "via.json")
    assert [[r.iscrowd for r in image.regions] for image in again.images] == [[True], [False] * 4]
    assert again.classes == ("cat", "dog")


@pytest.mark.parametrize("seed", range(20))
def test_run_lengths_are_measured_as_pycocotools_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(1, 60, 2))
    pixels = (rng.random((height, width)) < rng.random()).repeat(int(rng.integers(1, 9)), axis=0)
    shape = raster.from_mask(pixels)
    assert coco._pixels_of(shape.counts) == pixels.size
    assert coco._pixels_of(shape.counts + "5") != pixels.size
    assert coco_mask.decode({"size": list(shape.size), "counts": shape.counts.encode()}).sum() == pixels.sum()


def test_junk_anywhere_is_read_or_refused_in_one_line(refusals) -> None:
    assert refusals(COCO_FILE, lambda damaged: coco.encode(reading.parse(damaged, "labels.json"))) > 100


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"image_id": 99}, "annotation 2 belongs to image 99"),
        ({"category_id": 99}, "annotation 2 has category 99"),
        ({"segmentation": [[1, 2, 3]]}, 'annotation 2 has a "segmentation" outline'),
        ({"segmentation": {"size": [30, 40], "counts": [1200, 1]}}, "run lengths that do not add up"),
        ({"segmentation": {"size": [30, 40], "counts": "zzzz"}}, "run-length code is damaged"),
        ({"segmentation": {"size": [3, 4], "counts": [12]}}, 'mask of 4 x 3 px, but "b.jpg" is 40 x 30 px'),
        ({"segmentation": "x"}, 'has "x" as "segmentation"'),
        ({"segmentation": [], "keypoints": []}, 'neither "segmentation" nor "bbox"'),
    ],
)
def test_a_wrong_annotation_is_named(change: dict[str, Any], complaint: str) -> None:
    document = copy.deepcopy(COCO_FILE)
    document["annotations"][1].update(change)  # type: ignore[attr-defined]
    with pytest.raises(StudioError) as caught:
        coco.parse(document, "coco.json")
    assert complaint in str(caught.value)


def test_real_coco_masks_are_unchanged_by_reading_and_writing(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "coco/tinycoco/annotations/instances_val2017.json"
    dataset = reading.read(source)
    assert all(image.path is not None for image in dataset.images)
    with contextlib.redirect_stdout(io.StringIO()):
        original = COCO(source)
    written = loaded(coco.document(dataset), tmp_path)
    assert len(written.anns) == len(original.anns) == 136
    order = {image_id: position for position, image_id in enumerate(original.imgs)}
    in_order = sorted(original.anns.values(), key=lambda annotation: order[annotation["image_id"]])
    for ours, theirs in zip(written.anns.values(), in_order, strict=True):
        assert (written.annToMask(ours) == original.annToMask(theirs)).all()
        assert ours["iscrowd"] == theirs["iscrowd"]
        assert written.cats[ours["category_id"]]["name"] == original.cats[theirs["category_id"]]["name"]
