"""matching.js in Chromium against evaluation.match_image: the same matches, on random pictures."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.evaluation import match_image
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
