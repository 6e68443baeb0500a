"""Sampled APs against pycocotools on documents that really hold their pictures several times, and intervals by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from maskrcnn.evaluation import coco_summary, evaluate, intervals
from maskrcnn.evaluation.bootstrap import (
    MEASURED_COVERAGE,
    SampledFigure,
    ap_interval,
    coverage_note,
    difference_interval,
    jackknife_half_width,
    left_out_counts,
    resample_counts,
    student_quantile,
)
from maskrcnn.evaluation.detection_evidence import class_rankings
from maskrcnn.evaluation.ranking_ap import FIGURES, ap_from_rankings
from tests.evaluation.random_sets import random_poses, random_set
from tests.evaluation.squares import FIRST, NOWHERE, found, truth

Document = dict[str, Any]


def repeated(document: Document, detections: list[Document], times: np.ndarray) -> tuple[Document, list[Document]]:
    """The documents with each picture as often as `times` says, under fresh ids, copies of one next to each other."""
    images: list[Document] = []
    annotations: list[Document] = []
    results: list[Document] = []
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


def test_an_interval_from_slow_values() -> None:
    """Everything by pycocotools and in plain Python: seven of eight pictures at a time, 60 resamples, and the logit."""
    document, detections = random_set(4, images=8, objects=6, extra=1)
    report = evaluate(document, detections, with_evidence=True)
    without_each = np.array([[int(row != column) for column in range(8)] for row in range(8)])
    left_out = slow_figures(document, detections, without_each, "segm")
    resampled = slow_figures(document, detections, resample_counts(8, 60, 7), "segm")
    assert report.segm is not None
    for name, edges in intervals(report, 60, seed=7).edges("segm").items():
        whole = report.segm[name] or 0
        mean = sum(left_out[name]) / 8
        squares = [(value - mean) ** 2 for value in left_out[name]]
        kurtosis = sum(square**2 for square in squares) / 8 / (sum(squares) / 8) ** 2
        half = student_quantile(min(7, 16 / (kurtosis - 5 / 7))) * math.sqrt(7 / 8 * sum(squares))
        centre = max(whole / 2, whole - (sum(resampled[name]) / 60 - whole) / (math.sqrt(2) - 1))
        logit, slope = math.log(centre / (1 - centre)), 1 / centre / (1 - centre)
        low, high = (1 / (1 + math.exp(-(logit + sign * half * slope))) for sign in (-1, 1))
        expected = [max(low, centre - 2 * half), min(high, centre + 2 * half)]
        assert edges == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("degrees", "quantile"), [(1, 12.706), (2, 4.303), (12, 2.179), (24, 2.064), (499, 1.965)])
def test_quantiles_are_those_of_the_tables(degrees: int, quantile: float) -> None:
    assert student_quantile(degrees) == pytest.approx(quantile, abs=5e-4)


def test_one_picture_that_makes_all_the_difference_costs_degrees_of_freedom() -> None:
    """1, 0, 0, 0, 0 are 0.8 and four times -0.2 from their mean. The squares of these are 0.64 and four times 0.04, 0.8
    together: the standard error is sqrt(4/5 * 0.8) = 0.8. The kurtosis is 5 (0.4096 + 4 * 0.0016) / 0.8^2 = 3.25, so
    10 / (3.25 - 2/4) = 3.64 degrees of freedom are left of 4. The t of those is 2.889 (4: 2.776, 3: 3.182)."""
    assert jackknife_half_width(np.array([1.0, 0, 0, 0, 0])) == pytest.approx(0.8 * 2.889, abs=1e-3)


def test_the_interval_of_a_difference() -> None:
    """1, 2, 3 hundredths: a standard error of sqrt(2/3 * 2) = 1.155 hundredths, times 4.303 it is 0.0497."""
    left_out = np.array([[0.01, 0.02, 0.03]])
    figure = SampledFigure(3, 0.1, resampled=np.array([0.12, 0.10]), left_out=left_out)
    assert difference_interval(figure) == pytest.approx([0.1 - 0.0497, 0.1 + 0.0497], abs=1e-4)
    figure = SampledFigure(3, 0.1, resampled=np.array([0.1, np.nan]), left_out=20 * left_out)
    assert difference_interval(figure) == pytest.approx([0.1 - 0.9937, 1], abs=1e-4)  # at most 1


def test_an_interval_of_an_ap_stays_where_an_ap_can_be() -> None:
    """At 0.1 with a standard error of 0.01155 half a plain interval is 0.0497. The logit of 0.1 is -2.197, its slope is
    1 / (0.1 * 0.9) = 11.11, and 11.11 * 0.0497 = 0.552: 1 / (1 + exp(2.197 +- 0.552)) follows."""
    left_out = np.array([[0.01, 0.02, 0.03]])
    figure = SampledFigure(3, 0.1, resampled=np.array([0.1]), left_out=left_out)
    assert ap_interval(figure) == pytest.approx([0.0601, 0.1618], abs=2e-4)
    # However large the bias, the centre is at least half of the AP: that of 0.2 is 0.1.
    figure = SampledFigure(3, 0.2, resampled=np.array([0.9]), left_out=left_out)
    assert ap_interval(figure) == pytest.approx([0.0601, 0.1618], abs=2e-4)
    # At 0.02, the slope is 51: the logit would be -3.892 +- 2.535, and the upper edge 0.205. It is 0.02 + 2 * 0.0497.
    figure = SampledFigure(3, 0.02, resampled=np.array([0.02]), left_out=left_out)
    assert ap_interval(figure) == pytest.approx([0.0016, 0.1194], abs=2e-4)


def test_an_ap_of_1_or_0_in_all_pictures_is_that_of_a_share_of_pictures() -> None:
    """10 of 10 pictures are right. If fewer than 69.15 % of all were, the chance were below 0.6915^10 = 0.025."""
    assert ap_interval(SampledFigure(10, 1.0, np.ones(100), np.ones((1, 10)))) == pytest.approx([0.6915, 1], abs=1e-4)
    assert ap_interval(SampledFigure(10, 0.0, np.zeros(100), np.zeros((1, 10)))) == pytest.approx([0, 0.3085], abs=1e-4)
    assert difference_interval(SampledFigure(10, 0.0, np.zeros(100), np.zeros((1, 10)))) == [0, 0]


def test_differences_of_many_pictures_have_the_standard_error_of_the_resamples() -> None:
    """0.3 and 0.5 in turn are 0.1 from their mean. With 100 values the variance is 0.01 * 100 / 99, and with 101
    pictures 101 / 100 of that: 0.1 * sqrt(101 / 99) = 0.1010. The t of 100 degrees of freedom is 1.984."""
    figure = SampledFigure(101, 0.4, np.tile([0.3, 0.5], 50), left_out=np.zeros((1, 50)))
    assert difference_interval(figure) == pytest.approx([0.4 - 0.2004, 0.4 + 0.2004], abs=1e-4)
    # No objects in 30 of 100 resamples: they are all in one picture.
    assert difference_interval(figure._replace(resampled=np.append(np.full(30, np.nan), np.full(70, 0.4)))) is None


@pytest.mark.parametrize(("moves", "factor"), [(0.0, 1.0), (0.0035, 1.2), (9.0, 1.2)])
def test_an_ap_of_many_pictures_has_an_interval_near_that_of_its_resamples(moves: float, factor: float) -> None:
    """AP moves in steps: without a part of the pictures it may stay the same, or move by one each time.

    Resamples of 0.48 and 0.52 have a standard deviation of 0.02 (times sqrt(100 / 99), of 100), their mean is that of
    all pictures, so there is no bias. The logit of 0.5 is 0 and has a slope of 4; t of 100 degrees is 1.984.
    """
    left_out = 0.5 + moves * np.tile([-1.0, 1.0], 25)[None]
    error = 0.02 * math.sqrt(100 / 99) * math.sqrt(101 / 100)
    edges = ap_interval(SampledFigure(101, 0.5, np.tile([0.48, 0.52], 50), left_out))
    logit = 4 * factor * error * 1.984
    assert edges == pytest.approx([1 / (1 + math.exp(logit)), 1 / (1 + math.exp(-logit))], abs=1e-5)


def test_a_bias_beyond_a_quarter_of_the_interval_is_no_bias_in_many_pictures() -> None:
    """A resample is 0.06 above the whole on average: a bias of 0.06 / 0.414 = 0.145, several times the half width."""
    figure = SampledFigure(101, 0.5, np.tile([0.55, 0.57], 50), np.full((1, 50), 0.5))
    half = 0.01 * math.sqrt(100 / 99) * math.sqrt(101 / 100) * 1.984
    centre = 0.5 - half / 4
    logit, slope = math.log(centre / (1 - centre)), 1 / (centre * (1 - centre))
    low, high = ap_interval(figure) or []
    assert low == pytest.approx(1 / (1 + math.exp(slope * half - logit)), abs=1e-5)
    assert high == pytest.approx(1 / (1 + math.exp(-slope * half - logit)), abs=1e-5)


def test_many_pictures_are_left_out_in_parts() -> None:
    """Of 101 pictures three go together, in at most 50 parts: 33 parts of three, and one of two, chosen ten times."""
    times = left_out_counts(101, seed=1)
    assert times.shape == (10, 34, 101)
    assert ((times == 0).sum(axis=1) == 1).all()  # each picture is left out once in each grouping
    assert all(sorted((grouping == 0).sum(axis=1).tolist()) == [2] + [3] * 33 for grouping in times)
    assert (times[0] != times[1]).any()
    assert (times != left_out_counts(101, seed=2)).any()


def test_the_variance_is_the_mean_over_groupings() -> None:
    """-1, 0, 1 from the mean, and -2, 0, 2: sums of squares of 2 and 8, and 2/3 of their mean 5 is the variance. The
    kurtosis is (2 + 32) / 6 divided by (10 / 6)^2, 2.04: 6 / 2.04 is more than the two degrees that 3 parts have."""
    half = jackknife_half_width(np.array([[1.0, 2, 3], [5, 7, 9]]))
    assert half == pytest.approx(4.3027 * math.sqrt(10 / 3), abs=1e-3)


def test_few_pictures_are_told_of_with_what_was_measured_at_that_number_or_fewer() -> None:
    for pictures, measured in ((5, 5), (7, 5), (8, 8), (12, 8), (13, 13), (24, 13)):
        held = MEASURED_COVERAGE[measured]
        assert f"{pictures} pictures hold the truth in about {held} of 100" in (coverage_note(pictures) or "")
    assert f"those of 5 hold the truth in only about {MEASURED_COVERAGE[5]} of 100" in (coverage_note(4) or "")
    assert [coverage_note(pictures) for pictures in (0, 1, 25, 1000)] == [None] * 4


def test_draws_are_pictures_with_replacement() -> None:
    times = resample_counts(50, 400, seed=3)
    assert times.shape == (400, 50)
    assert (times.sum(axis=1) == 50).all()
    assert (times.sum(axis=0) == 400).all()
    # A picture is left out with probability (1 - 1/50)^50 = .364, here 20,000 times.
    assert (times == 0).mean() == pytest.approx(0.364, abs=0.02)
    assert (times == resample_counts(50, 400, seed=3)).all()
    assert (times != resample_counts(50, 400, seed=4)).any()


def test_an_interval_leaves_out_resamples_that_are_not_defined() -> None:
    left_out = np.array([[0.25, 0.25, 0.25]])
    assert ap_interval(SampledFigure(3, 0.25, np.array([np.nan, 0.25]), left_out)) == [0.25, 0.25]
    # Without the first picture there is nothing to find.
    assert ap_interval(SampledFigure(2, 0.25, np.array([np.nan, 0.25]), np.array([[np.nan, 0.25]]))) is None


def test_a_class_without_an_object_on_the_resample_is_left_out_of_the_mean() -> None:
    """Class 1 is found in picture 0, class 2 is missed in picture 1; picture 2 is empty."""
    document = truth((0, 1, *FIRST), (1, 2, *FIRST), images=3)
    report = evaluate(document, [found(0, 1, *FIRST, 0.9), found(2, 1, *FIRST, 0.3)], with_evidence=True)
    times = np.array([[1, 1, 1], [3, 0, 0], [0, 2, 1], [0, 0, 3]])
    ap = ap_from_rankings(class_rankings(report, "segm"), times)["AP"]
    assert ap.tolist() == pytest.approx([0.5, 1.0, 0.0, np.nan], nan_ok=True)


def test_intervals_of_a_report() -> None:
    """Every picture has one object, found exactly and above all mistakes, so nothing moves. 0.4782^5 = 0.025."""
    document = truth(*((n, 1, *FIRST) for n in range(5)), images=5)
    detections = [found(n, 1, *FIRST, 0.9) for n in range(5)] + [found(0, 1, *NOWHERE, 0.1)]
    between = intervals(evaluate(document, detections, with_evidence=True), 100, seed=2)
    assert between.segm == between.bbox == {name: pytest.approx([0.4782, 1.0], abs=1e-4) for name in FIGURES}
    assert (between.keypoints, between.level, between.resamples, between.seed) == (None, 0.95, 100, 2)


@pytest.mark.parametrize(
    ("document", "detections", "expected"),
    [
        pytest.param(truth(images=3), [found(0, 1, *FIRST, 0.9)], None, id="no objects"),
        pytest.param(truth((0, 1, *FIRST), (1, 1, *FIRST), images=2), [], [0.0, 1 - 0.025**0.5], id="no detections"),
        pytest.param(truth((0, 1, *FIRST)), [found(0, 1, *FIRST, 0.9)], None, id="one picture"),
        pytest.param(truth((0, 1, *FIRST), images=3), [found(0, 1, *FIRST, 0.9)], None, id="one with objects"),
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
    assert calls[-1] == (3008, 3008)  # boxes and masks: all pictures, the resamples, and three times two of the three
