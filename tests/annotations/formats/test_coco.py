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
from pycocotools.cocoeval import COCOeval

from maskrcnn.annotations import raster, read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import coco, label_file, writing
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Skeleton,
)
from maskrcnn.errors import StudioError
from maskrcnn.run_length_codes import pixels_of

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
    assert polygon.keypoints == Keypoints(((1, 2, 2),))
    assert box.attributes == {"note": "x"}
    assert parts.shape == MultiPolygon(((((0, 0), (4, 0), (4, 4)),), (((9, 9), (12, 9), (12, 12)),)))
    assert box.shape == Rect(1, 2, 3, 4)
    assert blob.shape == BLOB


def written_again(document: dict[str, Any]) -> dict[str, Any]:
    encoded = coco.encode(coco.parse(document, "coco.json"))
    assert encoded.warnings == ()
    return json.loads(encoded.files["coco.json"])


def test_writing_it_again_keeps_what_is_not_ours() -> None:
    document = written_again(COCO_FILE)
    assert document["info"] == {"year": 2020}
    assert document["images"] == COCO_FILE["images"]
    assert document["categories"] == sorted(COCO_FILE["categories"], key=lambda category: category["id"])
    assert [a["id"] for a in document["annotations"]] == [1, 2, 5, 6, 8]
    assert [a["image_id"] for a in document["annotations"]] == [7, 3, 3, 3, 3]
    assert [a["category_id"] for a in document["annotations"]] == [90, 2, 2, 2, 90]
    assert [a["iscrowd"] for a in document["annotations"]] == [1, 0, 0, 0, 0]
    assert document["annotations"][1]["keypoints"] == [1, 2, 2]
    assert document["annotations"][1]["num_keypoints"] == 1
    assert document["annotations"][3]["attributes"] == {"note": "x"}
    assert "segmentation" not in document["annotations"][3]  # it came as a box, and pycocotools sees a box again
    assert document["annotations"][3]["area"] == 12


def test_ground_truth_for_training_is_numbered_and_measured_afresh() -> None:
    document = coco.document(coco.parse(COCO_FILE, "coco.json"), ("cat", "dog"))
    assert [image["id"] for image in document["images"]] == [1, 2]
    assert [category["id"] for category in document["categories"]] == [1, 2]
    assert [(a["id"], a["image_id"], a["category_id"]) for a in document["annotations"]] == [
        *((1, 1, 2), (2, 2, 1), (3, 2, 1)),
        *((4, 2, 1), (5, 2, 2)),
    ]
    assert document["annotations"][3]["segmentation"] == [[1, 2, 4, 2, 4, 6, 1, 6]]
    assert document["annotations"][1]["keypoints"] == [1, 2, 2]


def test_an_edited_shape_is_measured_and_a_new_one_gets_a_new_id() -> None:
    said = {"id": 40, "area": 3.25, "bbox": [0.5, 0.5, 2, 2]}
    region = Region(Rect(0, 0, 5, 5), "thing", extras={"coco": said})
    edited, fresh = Region(Rect(0, 0, 5, 5), "thing", extras={"coco": {**said, "id": 7}}), Region(SHAPES[3], "thing")
    annotations = coco.document(dataset_of(region, edited.with_shape(Rect(0, 0, 4, 4)), fresh))["annotations"]
    assert [(a["id"], a["area"], a["bbox"]) for a in annotations] == [
        (40, 3.25, [0.5, 0.5, 2, 2]),
        (41, 16, [0, 0, 4, 4]),
        (42, 60, [3, 4, 10, 6]),
    ]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ([5, 3, 9], [5, 3, 9]),
        ([5, 5, 3], [5, 6, 3]),
        ([None, 2, None], [3, 2, 4]),
        (["a", "b"], ["a", "b"]),
        (["a", "a"], [1, 2]),
        (["a", 4], [5, 4]),
        ([10**20, 1], [2, 1]),
    ],
)
def test_ids_are_kept_where_no_two_are_alike(given: list[Any], written: list[Any]) -> None:
    regions = [Region(Rect(0, 0, 5, 5), "thing", extras={"coco": {"id": value} if value else {}}) for value in given]
    assert [a["id"] for a in coco.document(dataset_of(*regions))["annotations"]] == written


def test_whole_numbers_that_a_table_program_wrote_are_read_and_others_refused() -> None:
    box = {"id": 4.0, "image_id": 7.0, "category_id": 1, "bbox": [0, 0, 2, 2]}
    images = [{"id": 7, "file_name": "a.jpg", "width": 9.0, "height": 9}]
    document = {"images": images, "annotations": [box], "categories": [{"id": 1.0, "name": "x"}]}
    written = coco.document(coco.parse(document, "coco.json"))
    assert (written["annotations"][0]["id"], written["images"][0]["id"], written["images"][0]["width"]) == (4, 7, 9)
    document["annotations"] = [box | {"image_id": 7.5}]
    with pytest.raises(StudioError, match=r"annotation 4.0 has 7\.5 as \"image_id\", which is no id"):
        coco.parse(document, "coco.json")


def test_fields_beside_and_inside_attributes_go_back_where_they_were() -> None:
    annotation = {
        **{"id": 1, "image_id": 3, "category_id": 2, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 0},
        **{"segmentation": [[0, 0, 2, 0, 2, 2]], "note": "outside", "track": 5, "score": 0.5},
        "attributes": {"note": "inside", "occluded": True},
    }
    document = {**COCO_FILE, "annotations": [annotation]}
    assert written_again(document)["annotations"] == [annotation]
    (region,) = coco.parse(document, "coco.json").images[1].regions
    assert region.attributes == {"note": "inside", "occluded": True, "track": 5, "score": 0.5}
    assert (region.source, region.score) == ("human", None)
    moved = coco.document(dataset_of(region.with_shape(Rect(0, 0, 9, 9)), classes=("cat",)))["annotations"]
    assert moved[0]["attributes"] == region.attributes


def test_what_a_model_suggested_stays_a_suggestion() -> None:
    document = coco.document(dataset_of(Region(Rect(0, 0, 5, 5), "thing", source="model", score=0.75)))
    (region,) = coco.parse(document, "coco.json").images[0].regions
    assert (region.source, region.score, region.attributes) == ("model", 0.75, {})


def test_the_split_of_a_picture_goes_along() -> None:
    dataset = Dataset((ImageRecord("a.jpg", width=9, height=9, split="val"),))
    assert coco.parse(coco.document(dataset), "coco.json").images[0].split == "val"


def test_two_categories_of_one_name_are_one_class_with_the_id_that_is_used() -> None:
    categories = [{"id": 0, "name": "dog", "supercategory": "none"}, {"id": 1, "name": "dog", "supercategory": "dog"}]
    annotation = {"id": 1, "image_id": 3, "category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 2]]}
    document = written_again({**COCO_FILE, "categories": categories, "annotations": [annotation]})
    assert document["categories"] == [categories[1]]


# Keypoints. A triangle with its three corners named.

CORNERS = {
    "id": 1,
    "name": "sail",
    "supercategory": "",
    "keypoints": ["head", "tack", "clew"],
    "skeleton": [[1, 2], [3, 1]],
}
TRIANGLE = [[4, 1, 1, 9, 9, 9]]


def sails(*annotations: dict[str, Any]) -> dict[str, Any]:
    images = [{"id": 1, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}]
    common = {"image_id": 1, "category_id": 1, "iscrowd": 0}
    numbered = [{"id": number, **common, **annotation} for number, annotation in enumerate(annotations, start=1)]
    return {"images": images, "annotations": numbered, "categories": [CORNERS]}


def test_keypoints_and_their_skeleton() -> None:
    points = [4, 1, 2, 1.5, 9, 1, 0, 0, 0]
    document = sails(
        {"segmentation": TRIANGLE, "keypoints": points, "num_keypoints": 99, "area": 32, "bbox": [1, 1, 8, 8]},
        {"segmentation": TRIANGLE, "keypoints": [0] * 9, "num_keypoints": 0, "area": 32, "bbox": [1, 1, 8, 8]},
        {"keypoints": points, "num_keypoints": 2, "area": 50, "bbox": [1, 1, 8, 8]},
        {"keypoints": points, "num_keypoints": 2},
        {"segmentation": [[]], "keypoints": points, "num_keypoints": 2, "area": 1, "bbox": [0, 0, 0, 0]},
    )
    dataset = coco.parse(document, "coco.json")
    assert dataset.skeletons == {"sail": Skeleton(("head", "tack", "clew"), ((0, 1), (2, 0)))}
    keypoints = Keypoints(((4, 1, 2), (1.5, 9, 1), (0, 0, 0)))
    triangle = Polygon(((4, 1), (1, 9), (9, 9)))
    assert [(region.shape, region.keypoints) for region in dataset.images[0].regions] == [
        (triangle, keypoints),
        (triangle, None),
        (Rect(1, 1, 8, 8), keypoints),
        (keypoints, None),
        (keypoints, None),
    ]
    written = written_again(document)
    assert written["categories"] == [CORNERS]
    expected = copy.deepcopy(document["annotations"])
    expected[0]["num_keypoints"] = 2  # counted: the visibilities above 0
    expected[3] |= {"area": 2.5 * 8, "bbox": [1.5, 1, 2.5, 8]}  # the box around what is labelled
    assert written["annotations"] == expected
    assert [len(a["segmentation"]) for a in coco.document(dataset, ("sail",))["annotations"]] == [1, 1, 1]


def test_an_object_without_keypoints_gets_unlabelled_ones_where_its_class_has_a_skeleton() -> None:
    dataset = Dataset(
        (ImageRecord("a.jpg", (Region(Rect(0, 0, 5, 5), "sail"),), width=9, height=9),),
        ("sail",),
        skeletons={"sail": Skeleton(("head", "tack"))},
    )
    (annotation,) = coco.document(dataset)["annotations"]
    assert (annotation["keypoints"], annotation["num_keypoints"]) == ([0] * 6, 0)


@pytest.mark.parametrize(
    ("keypoints", "category", "complaint"),
    [
        ([1, 2, 2, 3], {}, "not x, y, visibility"),
        ([1, 2, 2], {}, "annotation 1 has 1 keypoint, but its category has 3"),
        ([1, 2, 2, 1, 2, 3, 0, 0, 0], {}, "a keypoint of visibility 3"),
        ([1, 2, 2, 1, 2, 1.5, 0, 0, 0], {}, "a keypoint of visibility 1.5"),
        ([1, 1e308, 2, 1, 2, 1, 0, 0, 0], {}, "no place in a picture"),
        ("x", {}, 'has no list "keypoints"'),
    ],
)
def test_wrong_keypoints_are_named(keypoints: Any, category: dict[str, Any], complaint: str) -> None:
    document = sails({"segmentation": TRIANGLE, "keypoints": keypoints})
    document["categories"] = [CORNERS | category]
    with pytest.raises(StudioError) as caught:
        coco.parse(document, "coco.json")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("segmentation", "shape"),
    [
        ([], Rect(1, 2, 3, 4)),
        ([[]], Rect(1, 2, 3, 4)),
        ([[], TRIANGLE[0], []], Polygon(((4, 1), (1, 9), (9, 9)))),
        (None, Rect(1, 2, 3, 4)),
    ],
)
def test_empty_outlines_are_as_good_as_none(segmentation: Any, shape: Any) -> None:
    document = sails({"segmentation": segmentation, "bbox": [1, 2, 3, 4]})
    assert coco.parse(document, "coco.json").images[0].regions[0].shape == shape


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
    assert pixels_of(shape.counts) == pixels.size
    assert pixels_of(shape.counts + "5") != pixels.size
    assert coco_mask.decode({"size": list(shape.size), "counts": shape.counts.encode()}).sum() == pixels.sum()


def test_junk_anywhere_is_read_or_refused_in_one_line(refusals) -> None:
    assert (
        refusals(COCO_FILE, lambda damaged: coco.encode(label_file.dataset_of_document(damaged, "labels.json"))) > 100
    )


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


REAL = {
    "coco/tinycoco/annotations/instances_train2017.json": (32, 288),
    "coco/tinycoco/annotations/instances_val2017.json": (6, 136),
    "coco/pose_minicoco/annotations/person_keypoints_train2017.json": (30, 87),
    "coco/pose_minicoco/annotations/person_keypoints_val2017.json": (30, 65),
}


def opened(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(path)


@pytest.mark.parametrize("name", REAL)
def test_pycocotools_sees_in_a_written_file_what_it_sees_in_the_read_one(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    dataset = read(real_data / name)
    assert all(image.path is not None for image in dataset.images)
    assert writing.write(dataset, tmp_path / "coco.json", "coco") == []
    before, after = opened(real_data / name), opened(tmp_path / "coco.json")
    assert (len(after.imgs), len(after.anns)) == REAL[name]
    assert before.imgs == after.imgs
    assert before.cats == after.cats
    assert before.anns.keys() == after.anns.keys()
    for number, theirs in before.anns.items():
        ours = after.anns[number]
        assert (before.annToMask(theirs) == after.annToMask(ours)).all()
        masks = ("segmentation",) if theirs["iscrowd"] else ()  # a crowd's run lengths are compressed now
        assert {k: v for k, v in ours.items() if k not in masks} == {k: v for k, v in theirs.items() if k not in masks}


@pytest.mark.parametrize(
    ("name", "kind"), [(n, k) for n in REAL for k in ("segm", "bbox", "keypoints") if k != "keypoints" or k in n]
)
def test_ground_truth_against_itself_is_perfect(name: str, kind: str, real_data: Path, tmp_path: Path) -> None:
    writing.write(read(real_data / name), tmp_path / "coco.json", "coco")
    truth = opened(tmp_path / "coco.json")
    detections = []
    for annotation in truth.anns.values():
        if annotation["iscrowd"] or (kind == "keypoints" and not annotation["num_keypoints"]):
            continue
        found = {"image_id": annotation["image_id"], "category_id": annotation["category_id"], "score": 0.9}
        match kind:
            case "segm":
                found["segmentation"] = truth.annToRLE(annotation)
            case "bbox":
                found["bbox"] = annotation["bbox"]
            case _:
                found["keypoints"] = annotation["keypoints"]
        detections.append(found)
    with contextlib.redirect_stdout(io.StringIO()):
        scored = COCOeval(truth, truth.loadRes(detections), kind)
        scored.params.maxDets = [20] if kind == "keypoints" else [1, 10, 1000]
        scored.evaluate()
        scored.accumulate()
    precision = scored.eval["precision"][:, :, :, 0, -1]  # all sizes, the most detections
    assert precision[precision > -1].size
    assert precision[precision > -1].min() == pytest.approx(1, abs=1e-12)  # pycocotools adds an epsilon to 1


@pytest.mark.parametrize("name", ["balloon/train", "balloon/val", "car_damage/train", "car_damage/val"])
def test_via_to_coco_to_via_keeps_every_polygon(name: str, real_data: Path, tmp_path: Path) -> None:
    before = read(real_data / name / "via_region_data.json")
    assert writing.write(before, tmp_path / "coco.json", "coco") == []
    again = read(tmp_path / "coco.json", real_data / name)
    writing.write(again, tmp_path / "via.json", "via-project")
    after = read(tmp_path / "via.json")
    assert [image.file_name for image in after.images] == [image.file_name for image in before.images]
    pairs = [
        (old, new)
        for was, now in zip(before.images, after.images, strict=True)
        for old, new in zip(was.regions, now.regions, strict=True)
    ]
    assert len(pairs) == before.n_regions > 5
    for old, new in pairs:
        assert old.class_name == new.class_name
        assert isinstance(old.shape, Polygon)
        np.testing.assert_allclose(new.shape.points, old.shape.points, rtol=0, atol=1e-6)
