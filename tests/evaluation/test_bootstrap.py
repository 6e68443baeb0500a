"""Resampled APs against pycocotools on documents that really hold their pictures several times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskrcnn.evaluation import coco_summary, evaluate, intervals
from maskrcnn.evaluation.bootstrap import basic_interval, resample_counts
from maskrcnn.evaluation.detection_evidence import class_rankings
from maskrcnn.evaluation.ranking_ap import FIGURES, ap_from_rankings
from tests.evaluation.random_sets import random_poses, random_set
from tests.evaluation.squares import FIRST, NOWHERE, found, truth

Document = dict[str, Any]


def repeated(document: Document, detections: list[Document], times: np.ndarray) -> tuple[Document, list[Document]]:
    """The documents with each picture as often as `times` says, under fresh ids, copies of one next to each other."""
    images, annotations, results = [], [], []
    for image, count in zip(document["images"], times.tolist(), strict=True):
        for _ in range(count):
            fresh = {"image_id": len(images) + 1}
            images.append({**image, "id": fresh["image_id"]})
            ours = [entry for entry in document["annotations"] if entry["image_id"] == image["id"]]
            annotations += [{**entry, **fresh, "id": len(annotations) + n} for n, entry in enumerate(ours, start=1)]
            results += [{**entry, **fresh} for entry in detections if entry["image_id"] == image["id"]]
    return {**document, "images": images, "annotations": annotations}, results


def slow_figures(document: Document, detections: list[Document], times: np.ndarray, kind: Any) -> Document:
    """Every figure on every resample by pycocotools, NaN where it has none."""
    summaries = [coco_summary(*repeated(document, detections, row), kind) for row in times]
    return {name: [np.nan if s[name] is None else s[name] for s in summaries] for name in FIGURES}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_a_picture_drawn_twice_counts_twice(seed: int, kind: Any) -> None:
    """Crowds, pictures without objects, and classes that a resample has no object of are among them."""
    document, detections = random_poses(seed) if kind == "keypoints" else random_set(seed, 6, objects=2, extra=4)
    tasks = ("box", "keypoints") if kind == "keypoints" else None
    report = evaluate(document, detections, tasks=tasks, with_evidence=True)
    times = resample_counts(len(document["images"]), 20, seed)
    slow = slow_figures(document, detections, times, kind)
    for name, values in ap_from_rankings(class_rankings(report, kind), times).items():
        assert values.tolist() == pytest.approx(slow[name], abs=1e-12, nan_ok=True)


def test_the_interval_is_the_middle_of_the_slow_values_turned_about_the_whole() -> None:
    """121 resamples: the edges of the middle 95 % are the sorted values number 3 and 117, counted from 0."""
    document, detections = random_set(4, images=8, objects=2, extra=1)
    report = evaluate(document, detections, with_evidence=True)
    slow = slow_figures(document, detections, resample_counts(8, 121, 7), "segm")
    for name, edges in intervals(report, 121, seed=7).segm.items():
        ordered, whole = sorted(slow[name]), report.segm[name]
        expected = [min(1, max(0, 2 * whole - ordered[place])) for place in (117, 3)]
        assert edges == pytest.approx(expected, abs=1e-12)


def test_draws_are_pictures_with_replacement() -> None:
    times = resample_counts(50, 400, seed=3)
    assert times.shape == (400, 50)
    assert (times.sum(axis=1) == 50).all()
    # A picture is left out with probability (1 - 1/50)^50 = .364, here 20,000 times.
    assert (times == 0).mean() == pytest.approx(0.364, abs=0.02)
    assert (times == resample_counts(50, 400, seed=3)).all()
    assert (times != resample_counts(50, 400, seed=4)).any()


def test_an_interval_leaves_out_what_is_not_defined() -> None:
    assert basic_interval(np.array([np.nan, 0.25, np.nan, 0.25]), 0.25) == [0.25, 0.25]
    assert basic_interval(np.array([np.nan]), np.nan) is None


def test_an_interval_takes_the_excess_of_resamples_away_and_stays_where_a_figure_can_be() -> None:
    """Of 0, 0.01, ..., 1 the middle 95 % are 0.025 to 0.975."""
    values = np.arange(101) / 100
    assert basic_interval(values, 0.4) == pytest.approx([0, 0.775])  # 0.8 - 0.975, 0.8 - 0.025
    assert basic_interval(values, 0.4, lowest=-1) == pytest.approx([-0.175, 0.775])
    assert basic_interval(values, 0.8) == pytest.approx([0.625, 1])
    assert basic_interval(0.3 + values / 10, 0.3) == pytest.approx([0.2025, 0.2975])


def test_a_class_without_an_object_on_the_resample_is_left_out_of_the_mean() -> None:
    """Class 1 is found in picture 0, class 2 is missed in picture 1; picture 2 is empty."""
    document = truth((0, 1, *FIRST), (1, 2, *FIRST), images=3)
    report = evaluate(document, [found(0, 1, *FIRST, 0.9), found(2, 1, *FIRST, 0.3)], with_evidence=True)
    times = np.array([[1, 1, 1], [3, 0, 0], [0, 2, 1], [0, 0, 3]])
    ap = ap_from_rankings(class_rankings(report, "segm"), times)["AP"]
    assert ap.tolist() == pytest.approx([0.5, 1.0, 0.0, np.nan], nan_ok=True)


def test_intervals_of_a_report() -> None:
    """Every picture has one object, found exactly and above all mistakes, so nothing moves."""
    document = truth(*((n, 1, *FIRST) for n in range(5)), images=5)
    detections = [found(n, 1, *FIRST, 0.9) for n in range(5)] + [found(0, 1, *NOWHERE, 0.1)]
    between = intervals(evaluate(document, detections, with_evidence=True), 100, seed=2)
    assert between.segm == between.bbox == {name: pytest.approx([1.0, 1.0]) for name in FIGURES}
    assert (between.keypoints, between.level, between.resamples, between.seed) == (None, 0.95, 100, 2)


@pytest.mark.parametrize(
    ("document", "detections", "expected"),
    [
        pytest.param(truth(images=3), [found(0, 1, *FIRST, 0.9)], None, id="no objects"),
        pytest.param(truth((0, 1, *FIRST), (1, 1, *FIRST), images=2), [], [0.0, 0.0], id="no detections"),
        pytest.param(truth((0, 1, *FIRST)), [found(0, 1, *FIRST, 0.9)], None, id="one picture"),
        pytest.param({"images": [], "annotations": [], "categories": []}, [], None, id="nothing"),
        pytest.param(truth(images=2, classes=0), [], None, id="no classes"),
    ],
)
def test_where_there_is_little(document: Document, detections: list[Document], expected: list[float] | None) -> None:
    report = evaluate(document, detections, tasks=("box", "mask"), with_evidence=True)
    assert intervals(report, 100).segm == dict.fromkeys(FIGURES, expected)


def test_progress_ends_at_the_whole() -> None:
    document, detections = random_set(0, images=3, objects=3, extra=1)
    calls: list[tuple[int, int]] = []
    intervals(
        evaluate(document, detections, with_evidence=True),
        1500,
        progress=lambda done, total: calls.append((done, total)),
    )
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert len(done) > 4
    assert calls[-1] == (3000, 3000)  # boxes and masks
