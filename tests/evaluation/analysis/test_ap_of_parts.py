"""AP by class and by size: equal to COCO's figures, with intervals like those of the whole set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskrcnn.evaluation import MeasuredSet, intervals, measure, report_of
from maskrcnn.evaluation.analysis.ap_of_parts import FEWEST_PICTURES, ap_of_classes, ap_of_sizes

SIDES = {"small": 20, "medium": 40, "large": 100}


def many_boxes(pictures: int, seed: int = 0) -> MeasuredSet:
    """Boxes of three sizes and two classes on each picture; some are missed, some loose, some are wrong."""
    random = np.random.default_rng(seed)
    annotations: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for picture in range(1, pictures + 1):
        for place, side in enumerate(SIDES.values()):
            category = int(random.integers(1, 3))
            box = [150 * place, 10, side, side]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": picture, "category_id": category, "bbox": box, "iscrowd": 0}
                | {"area": side * side}
            )
            if random.random() < 0.7:
                loose = [box[0] + int(random.integers(0, side // 4)), *box[1:]]
                found.append({"image_id": picture, "category_id": category, "bbox": loose, "score": random.random()})
        if random.random() < 0.5:
            found.append({"image_id": picture, "category_id": 1, "bbox": [0, 200, 20, 20], "score": random.random()})
    truth = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 500, "height": 300} for n in range(1, pictures + 1)],
        "categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "dust"}],
        "annotations": annotations,
    }
    return measure(truth, found, tasks=["box"])


def test_parts_have_the_figures_of_coco() -> None:
    measured = many_boxes(12)
    report = report_of(measured)
    by_class = {part.name: part for part in ap_of_classes(measured, "bbox")}
    by_size = {part.name: part for part in ap_of_sizes(measured, "bbox")}
    assert {row.name: row.bbox["AP"] for row in report.per_class if row.bbox} == pytest.approx(
        {name: part.ap for name, part in by_class.items()}
    )
    assert [by_size[name].ap for name in SIDES] == pytest.approx([report.bbox[f"AP{name[0]}"] for name in SIDES])
    assert [by_size[name].objects for name in SIDES] == [12, 12, 12]  # one of each size on each picture
    assert sum(part.objects for part in by_class.values()) == 36
    assert all(part.interval is None for part in (*by_class.values(), *by_size.values()))  # no resamples


def test_a_set_that_is_one_part_has_the_interval_of_the_whole_set() -> None:
    """All objects are of one class, so the interval of this class is that of AP."""
    measured = many_boxes(12)
    entries = [entry | {"category_id": 1} for entry in measured.object_entries]
    found = [entry | {"category_id": 1} for entry in measured.detection_entries]
    images = list(measured.documents.images.values())
    one = measure(
        {"images": images, "annotations": entries, "categories": [{"id": 1, "name": "cell"}]}, found, tasks=["box"]
    )
    [part] = ap_of_classes(one, "bbox", resamples=200)
    whole = intervals(report_of(one, with_evidence=True), 200).edges("bbox")["AP"]
    assert part.interval == pytest.approx(whole)


def test_the_interval_of_a_size_is_that_of_a_set_with_this_size_only() -> None:
    """Detections that find objects of other sizes count neither way, as if they and their objects were not there."""
    measured = many_boxes(9)
    side = SIDES["medium"]
    entries = [entry for entry in measured.object_entries if entry["area"] == side**2]
    found = [entry for entry in measured.detection_entries if entry["bbox"][2] == side]
    images = list(measured.documents.images.values())
    categories = list(measured.documents.categories.values())
    only = measure({"images": images, "annotations": entries, "categories": categories}, found, tasks=["box"])
    medium = next(part for part in ap_of_sizes(measured, "bbox", resamples=200) if part.name == "medium")
    assert medium.ap == pytest.approx(report_of(only).bbox["AP"])
    assert medium.interval == pytest.approx(intervals(report_of(only, with_evidence=True), 200).edges("bbox")["AP"])


def test_objects_on_few_pictures_have_no_interval() -> None:
    for pictures, has_one in ((FEWEST_PICTURES - 1, False), (FEWEST_PICTURES + 3, True)):
        parts = ap_of_sizes(many_boxes(pictures), "bbox", resamples=100)
        assert [part.pictures for part in parts] == [pictures] * 3
        assert [part.interval is not None for part in parts] == [has_one] * 3
