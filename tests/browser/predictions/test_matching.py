"""matching.js and pr_curve.js in Chromium against evaluation.match_image and pooled_ap, on random pictures."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.evaluation import match_image
from maskrcnn.evaluation.ranking_ap import pooled_ap
from maskrcnn.studio.inspect import match_table
from maskrcnn.studio.serving import browser_code
from tests.evaluation.random_sets import random_poses, random_set

# pycocotools 2.0.11 decodes masks through a numpy call that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MODULE = Path(match_table.__file__).with_name("matching.js")
RUN = """async ([address, cases]) => {
  const { matchPicture } = await import(address);
  return cases.map(({ table, score, iou }) => matchPicture(table, score, iou));
}"""
CURVE_MODULE = MODULE.with_name("panels") / "pr_curve.js"
CURVES = """async ([address, cases]) => {
  const { prCurve, writtenSum } = await import(address);
  return cases.map(({ table, iou, category }) => {
    const curve = prCurve(table, iou, category);
    return { ...curve, sum: writtenSum(curve) };
  });
}"""


@dataclass(frozen=True)
class Case:
    """One picture, a minimum score and a threshold."""

    truth: dict[str, Any]
    detections: list[dict[str, Any]]
    image: int
    tasks: tuple[str, ...]
    score: float
    iou: float

    def table(self) -> dict[str, Any]:
        """What the browser gets, after the way through JSON."""
        return json.loads(json.dumps(match_table.match_table(self.truth, self.detections, self.image, self.tasks)))

    def expected(self) -> dict[str, Any]:
        """What `match_image` says, in the form of matching.js."""
        found = match_image(self.truth, self.detections, self.image, self.score, self.iou, self.tasks)
        pick = ("status", "partner", "iou")
        return {
            "objects": [{name: getattr(truth, name) for name in pick} for truth in found.truths],
            "detections": [{name: getattr(entry, name) for name in pick} for entry in found.predictions],
            "tp": found.tp,
            "fp": found.fp,
            "fn": found.fn,
        }


def random_case(seed: int) -> Case:
    """A picture of three classes with crowds, or one of poses. Every third has ties in all numbers."""
    rng = np.random.default_rng(seed)
    tasks: tuple[str, ...] = (("box", "mask"), ("box",), ("box", "keypoints"))[seed % 3]
    if "keypoints" in tasks:
        truth, detections = random_poses(seed)
    else:
        truth, detections = random_set(seed, images=2, objects=9, extra=3)
    if rng.random() < 0.4:  # ties: scores of few values, and each object and detection twice
        for entry in detections:
            entry["score"] = round(entry["score"], 1)
        detections = [copy.deepcopy(entry) for entry in detections for _ in range(2)]
        twice = [copy.deepcopy(entry) for entry in truth["annotations"] for _ in range(2)]
        truth["annotations"] = [entry | {"id": number} for number, entry in enumerate(twice, 1)]
        for entry in detections[::3]:  # exactly on an object of the picture
            on = [other for other in truth["annotations"] if other["image_id"] == entry["image_id"]]
            if on and "keypoints" not in tasks:
                chosen = on[int(rng.integers(len(on)))]
                entry |= {name: chosen[name] for name in ("bbox", "segmentation", "category_id")}
    score = float(rng.choice([0.0, 0.05, 0.3, 0.5, 0.7, 1.0, rng.random()]))
    iou = float(rng.choice([0.05, 0.25, 0.5, 0.75, 0.95, rng.uniform(0.05, 1.0)]))
    image = truth["images"][int(rng.integers(len(truth["images"])))]["id"]
    return Case(truth, detections, image, tasks, score, iou)


def test_the_browser_matches_as_the_evaluation_does(page: Any, server: Any) -> None:
    cases = [random_case(seed) for seed in range(200)]
    page.goto(f"{server.url}/_stcore/health")
    sent = [{"table": case.table(), "score": case.score, "iou": case.iou} for case in cases]
    matched = page.evaluate(RUN, [server.url + browser_code.module_url(MODULE), sent])
    seen = set()
    for case, ours in zip(cases, matched, strict=True):
        expected = case.expected()
        assert ours == expected, case
        seen |= {item["status"] for part in ("objects", "detections") for item in expected[part]}
    assert seen == {"tp", "fp", "fn", "ignored"}
    assert sum(case.expected()["tp"] for case in cases) > 200


def test_ties_and_thresholds_by_hand(page: Any, server: Any) -> None:
    """Of equal IoUs the last object is taken; the threshold itself is enough; a crowd is the last resort."""
    objects = [{"crowd": False}, {"crowd": False}, {"crowd": True}]
    table = {
        "objects": objects,
        "detections": [{"score": 0.9}, {"score": 0.9}, {"score": 0.5}],
        "overlaps": [[[0, 0.6], [1, 0.6], [2, 1.0]], [[1, 0.8], [2, 0.5]], []],
    }
    page.goto(f"{server.url}/_stcore/health")
    address = server.url + browser_code.module_url(MODULE)

    def at(score: float, iou: float) -> Any:
        (found,) = page.evaluate(RUN, [address, [{"table": table, "score": score, "iou": iou}]])
        return [(item["status"], item["partner"]) for item in found["detections"]], [found["tp"], found["fp"]]

    assert at(0.5, 0.5) == ([("tp", 1), ("ignored", 2), ("fp", None)], [1, 1])
    assert at(0.9, 0.6) == ([("tp", 1), ("fp", None)], [1, 1])
    assert at(0.91, 0.6) == ([], [0, 0])
    assert at(0.0, 0.7) == ([("ignored", 2), ("tp", 1), ("fp", None)], [1, 1])


def curve_by_the_evaluation(case: Case, category: int | None) -> dict[str, Any]:
    """The AP of a picture by `pooled_ap`, of all classes or of the class with an index, and its ranking."""
    found = match_image(case.truth, case.detections, case.image, -1.0, case.iou, case.tasks)
    chosen = None if category is None else case.truth["categories"][category]["id"]
    ranked = [one for one in found.predictions if one.status != "ignored" and chosen in (None, one.category_id)]
    objects = [one for one in found.truths if one.status != "ignored" and chosen in (None, one.category_id)]
    hits = np.array([one.status == "tp" for one in ranked], bool)
    return {"objects": len(objects), "hits": hits.tolist(), "area": pooled_ap(hits, len(objects))}


def test_the_curve_of_a_picture_is_that_of_the_evaluation(page: Any, server: Any) -> None:
    cases = [random_case(seed) for seed in range(200)]
    chosen = [None if seed % 2 else seed // 2 % len(case.truth["categories"]) for seed, case in enumerate(cases)]
    page.goto(f"{server.url}/_stcore/health")
    sent = [{"table": case.table(), "iou": case.iou, "category": one} for case, one in zip(cases, chosen, strict=True)]
    curves = page.evaluate(CURVES, [server.url + browser_code.module_url(CURVE_MODULE), sent])
    seen = {"none": 0, "between": 0}
    for case, category, ours in zip(cases, chosen, curves, strict=True):
        expected = curve_by_the_evaluation(case, category)
        ranked = [row for row in ours["rows"] if row["rank"] is not None]
        assert ours["objects"] == expected["objects"]
        assert [row["status"] == "tp" for row in ranked] == expected["hits"]
        assert [row["rank"] for row in ranked] == list(range(1, len(ranked) + 1))
        if expected["area"] is None:
            seen["none"] += 1
            assert ours["area"] is None
            continue
        seen["between"] += 0 < expected["area"] < 1
        assert ours["area"] == pytest.approx(expected["area"], abs=1e-12), case
        written = ours["sum"].split(f" / {expected['objects']} = ")[1]
        assert float(written) == pytest.approx(ours["area"], abs=0.00051)
        if ranked:
            assert ranked[-1]["area"] == ours["area"]
    assert seen["between"] > 50, seen


def test_the_curve_of_three_objects_by_hand(page: Any, server: Any) -> None:
    """Right, wrong, right, on a crowd, wrong: precisions 1, 1/2, 2/3, -, 2/4. The third object is never found."""
    table = {
        "objects": [{"crowd": False, "class": 0}] * 3 + [{"crowd": True, "class": 0}],
        "detections": [{"score": 0.9 - 0.1 * place, "class": 0} for place in range(5)],
        "overlaps": [[[0, 0.8]], [[0, 0.7]], [[1, 0.6]], [[3, 0.9]], []],
    }
    page.goto(f"{server.url}/_stcore/health")
    address = server.url + browser_code.module_url(CURVE_MODULE)
    (curve,) = page.evaluate(CURVES, [address, [{"table": table, "iou": 0.5, "category": None}]])
    assert curve["sum"] == "(1 + 2/3 + 0) / 3 = 0.556"
    assert [row["rank"] for row in curve["rows"]] == [1, 2, 3, None, 4]
    assert [row["envelope"] for row in curve["rows"]] == pytest.approx([1, 2 / 3, 2 / 3, None, 0.5])
    assert [row["area"] for row in curve["rows"]] == pytest.approx([1 / 3, 1 / 3, 5 / 9, None, 5 / 9])
    # One right detection and twenty wrong ones below it.
    table["objects"] = table["objects"][:1]
    table["detections"] = [{"score": 1 - 0.01 * place, "class": 0} for place in range(21)]
    table["overlaps"] = [[[0, 0.9]]] + [[] for _ in range(20)]
    (curve,) = page.evaluate(CURVES, [address, [{"table": table, "iou": 0.5, "category": None}]])
    assert (curve["sum"], curve["rows"][-1]["precision"]) == ("1 / 1 = 1.000", pytest.approx(1 / 21))
