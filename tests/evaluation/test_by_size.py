"""AP by size against pycocotools: boxes with results that hold boxes only, masks with results that hold masks only."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskrcnn.evaluation import coco_summary, evaluate
from tests.sweeps import FUZZ, sweep

# pycocotools 2.0.11 decodes masks through a numpy call that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

HEIGHT, WIDTH = 180, 240
CATEGORIES = (3, 7, 11, 40)
"""Ids with gaps. Of the last there is no object."""

NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl")

Entry = dict[str, Any]


def ellipse(x: float, y: float, width: float, height: float) -> Entry:
    """The run-length code of the ellipse in a box: its area is 0.79 of the box's, so the two are often of other sizes,
    and near 32^2 and 96^2 they nearly always are."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    across, down = (columns - x - width / 2) / (width / 2), (rows - y - height / 2) / (height / 2)
    code = coco_mask.encode(np.asfortranarray(across**2 + down**2 <= 1, dtype=np.uint8))
    return {"size": code["size"], "counts": code["counts"].decode()}


def made(seed: int, pictures: int) -> tuple[Entry, list[Entry]]:
    """Pictures with none to six objects of all sizes, crowds, an `area` that is neither the box's nor the mask's in a
    third of them; detections right, loose, doubled, of another class and of nothing, with scores of two decimals, so
    that many are equal. Some pictures have objects and no detections, others the other way round."""
    rng = np.random.default_rng(seed)
    annotations: list[Entry] = []
    detections: list[Entry] = []

    def found(image_id: int, category_id: int, box: np.ndarray) -> None:
        box = np.maximum(box, [0, 0, 2, 2])
        mask = ellipse(*(box + rng.normal(0, 0.5, 4)).clip(1))
        score = round(float(rng.random()), 2)
        entry = {"image_id": image_id, "category_id": category_id, "score": score}
        detections.append({**entry, "bbox": box.tolist(), "segmentation": mask})

    for image_id in 5 * np.arange(pictures) + 1000:
        empty, blind = rng.random(2) < 0.1
        for _ in range(0 if empty else int(rng.integers(1, 7))):
            side = float(rng.choice([12, 24, 32, 36, 60, 96, 108, 140]))
            box = np.array([*rng.uniform(0, (WIDTH - 60, HEIGHT - 60)), *rng.uniform(0.8, 1.25, 2) * side])
            mask, category_id = ellipse(*box), int(rng.choice(CATEGORIES[:3]))
            area = float(coco_mask.area(mask)) * float(rng.choice([1, 1, 1.3]))
            entry = {"id": len(annotations) + 1, "image_id": int(image_id), "category_id": category_id, "area": area}
            entry |= {"iscrowd": int(rng.random() < 0.1), "bbox": box.tolist(), "segmentation": mask}
            annotations.append(entry)
            for _ in range(0 if blind else int(rng.integers(0, 4))):
                other = int(rng.choice(CATEGORIES)) if rng.random() < 0.15 else category_id
                found(int(image_id), other, box + rng.normal(0, 0.07 * side, 4))
        for _ in range(0 if blind else int(rng.integers(0, 3))):
            box = np.array([*rng.uniform(0, (WIDTH - 30, HEIGHT - 30)), *rng.uniform(8, 120, 2)])
            found(int(image_id), int(rng.choice(CATEGORIES)), box)
    images = [
        {"id": int(n), "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT}
        for n in 5 * np.arange(pictures) + 1000
    ]
    categories = [{"id": number, "name": f"class {number}"} for number in CATEGORIES]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}, detections


def only(detections: list[Entry], field: str) -> list[Entry]:
    """The results with their boxes alone, or their masks alone."""
    return [
        {name: value for name, value in entry.items() if name not in ("bbox", "segmentation") or name == field}
        for entry in detections
    ]


def official(document: Entry, detections: list[Entry], kind: str) -> list[float | None]:
    """The first six numbers that pycocotools prints, None for -1."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = copy.deepcopy(document)
        truth.createIndex()
        kept = only(detections, {"bbox": "bbox", "segm": "segmentation"}[kind])
        evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(kept)), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [None if value == -1 else float(value) for value in evaluation.stats[:6]]


def largest_difference(document: Entry, detections: list[Entry]) -> float:
    """Between the report's twelve numbers and pycocotools'. Raises where one is defined and the other is not."""
    report, differences = evaluate(document, detections), []
    for kind in ("bbox", "segm"):
        for name, theirs in zip(NAMES, official(document, detections, kind), strict=True):
            ours = report.summary(kind)[name]
            assert (ours is None) == (theirs is None), (kind, name)
            differences.append(0.0 if ours is None else abs(ours - theirs))
    return max(differences)


@pytest.mark.parametrize("seed", range(4))
def test_numbers_by_size_are_pycocotools_own(seed: int) -> None:
    assert largest_difference(*made(seed, 12)) < 1e-9


@sweep
def test_numbers_by_size_of_a_thousand_pictures_are_pycocotools_own() -> None:
    assert largest_difference(*made(int(np.random.default_rng().integers(2**32)) if FUZZ else 0, 1000)) < 1e-9


@pytest.mark.parametrize(
    ("side", "box_size", "mask_size"),
    # An ellipse fills 0.785 of its box: 34^2 is medium (1156), its ellipse small (908).
    [(30, "APs", "APs"), (34, "APm", "APs"), (60, "APm", "APm"), (100, "APl", "APm"), (140, "APl", "APl")],
)
def test_a_detection_of_nothing_counts_at_the_size_of_what_is_measured(
    side: int, box_size: str, mask_size: str
) -> None:
    """One object of each size is found with score 0.5, and something that is not there with 0.9.

    Where the latter counts, the precision is 1/2 at every recall; where it does not, 1. So the AP of its size is 0.5,
    the other two are 1.
    """
    places = {"APs": (4.0, 4.0, 12.0), "APm": (30.0, 4.0, 50.0), "APl": (100.0, 4.0, 130.0)}
    annotations, detections = [], []
    for number, (x, y, length) in enumerate(places.values(), start=1):
        mask = ellipse(x, y, length, length)
        fields = {"image_id": 1, "category_id": 1, "bbox": [x, y, length, length], "segmentation": mask}
        area = float(coco_mask.area(mask))
        annotations.append({"id": number, "area": area, "iscrowd": 0, **fields})
        detections.append({"score": 0.5, **fields})
    fields = {"bbox": [0.0, 0.0, side, side], "segmentation": ellipse(0, 0, side, side)}
    detections.append({"image_id": 2, "category_id": 1, "score": 0.9, **fields})
    images = [{"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT} for n in (1, 2)]
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "egg"}]}
    for kind, wrong in (("bbox", box_size), ("segm", mask_size)):
        summary = coco_summary(document, detections, kind)  # type: ignore[arg-type]
        for name in places:
            assert summary[name] == pytest.approx(0.5 if name == wrong else 1), (kind, name)


@pytest.mark.parametrize(
    ("area", "sizes"),
    [
        (1023.999, {"APs"}),
        (32**2, {"APs", "APm"}),  # COCO's ranges have this edge in common
        (1024.001, {"APm"}),
        (96**2, {"APm", "APl"}),
        (9216.001, {"APl"}),
        (0, {"APs"}),
    ],
)
def test_an_object_counts_by_its_area_and_at_the_edge_on_both_sides(area: float, sizes: set[str]) -> None:
    fields = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "segmentation": ellipse(10, 10, 40, 40)}
    document = {
        "images": [{"id": 1, "file_name": "1.png", "width": WIDTH, "height": HEIGHT}],
        "annotations": [{"id": 1, "area": area, "iscrowd": 0, **fields}],
        "categories": [{"id": 1, "name": "egg"}],
    }
    for kind in ("bbox", "segm"):
        summary = coco_summary(document, [{"score": 0.9, **fields}], kind)  # type: ignore[arg-type]
        assert {name for name in NAMES[3:] if summary[name] is not None} == sizes


def test_boxes_are_measured_alike_with_masks_and_without() -> None:
    document, detections = made(9, 10)
    assert coco_summary(document, detections, "bbox") == coco_summary(document, only(detections, "bbox"), "bbox")


def test_ids_may_be_texts() -> None:
    """Some programs write texts; the numbers are the same as with ids in the same order."""
    document, detections = made(5, 8)
    expected = evaluate(document, detections, with_evidence=True)
    for entry in document["images"] + document["categories"]:
        entry["id"] = f"{entry['id']:04d}"
    for entry in document["annotations"] + detections:
        entry["image_id"], entry["category_id"] = f"{entry['image_id']:04d}", f"{entry['category_id']:04d}"
    report = evaluate(document, detections, with_evidence=True)
    assert [report.bbox, report.segm] == [expected.bbox, expected.segm]
    assert report.evidence == expected.evidence
    assert [row.image_id for row in report.per_image] == [entry["id"] for entry in document["images"]]
