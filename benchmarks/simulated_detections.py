"""Simulated worlds: matched detections of two networks on thousands of pictures, without pictures and without networks.

Each picture has a difficulty, and each object one of its own. They decide for both networks whether an object is found,
how exactly (IoU), and with what score; hard pictures have more false positives. So the objects of a picture depend on
each other, and so do the two networks, as they do in real sets. The numbers of objects in the pictures vary, too.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.evaluation.detection_evidence import Ranking
from maskrcnn.evaluation.measures import THRESHOLDS

PICTURES = 2000

SPREAD_OF_PICTURES, SPREAD_OF_OBJECTS, SPREAD_OF_NETWORKS = 0.8, 0.7, 0.5
"""Standard deviations of difficulty: between pictures, between objects, and between two networks on an object."""


@dataclass(frozen=True)
class SimulatedWorld:
    """How a world is drawn. `objects` is the median number in a picture; more `skill` finds more, and more exactly.

    The second network has `gap` more skill than the first.
    """

    classes: int
    objects: float
    skill: float
    gap: float = 0.3
    seed: int = 7

    def rankings(self) -> tuple[list[Ranking], list[Ranking]]:
        """The rankings of all classes, of the first network and of the second."""
        rng = np.random.default_rng(self.seed)
        difficulty = rng.normal(0, SPREAD_OF_PICTURES, PICTURES)
        counts = rng.poisson(np.exp(rng.normal(np.log(self.objects), 0.5, PICTURES)))
        picture = np.repeat(np.arange(PICTURES), counts)
        shares = np.linspace(1, 0.3, self.classes)  # some classes are rare
        category = rng.choice(self.classes, len(picture), p=shares / shares.sum())
        # Rare classes are harder.
        harder = 0.3 * (category - (self.classes - 1) / 2) / max(self.classes - 1, 1)
        ease = rng.normal(0, SPREAD_OF_OBJECTS, len(picture)) - difficulty[picture] - harder
        objects = [np.bincount(picture[category == n], minlength=PICTURES) for n in range(self.classes)]
        networks = []
        for skill in (self.skill, self.skill + self.gap):
            own = skill + ease + rng.normal(0, SPREAD_OF_NETWORKS, len(picture))
            found = rng.random(len(picture)) < _share(own + 1)
            iou = _share(0.6 * own + rng.normal(0, 0.6, len(picture)) + 0.6)
            score = _share(own + rng.normal(0, 0.8, len(picture)) + 0.5)
            mistakes = rng.poisson(0.25 * self.objects * np.exp(0.6 * difficulty - 0.3 * skill))
            mistake_picture = np.repeat(np.arange(PICTURES), mistakes)
            mistake_category = rng.choice(self.classes, len(mistake_picture), p=shares / shares.sum())
            mistake_score = _share(rng.normal(-1, 1, len(mistake_picture)))
            rankings = []
            for number in range(self.classes):
                right, wrong = found & (category == number), mistake_category == number
                order = np.argsort(-np.concatenate([score[right], mistake_score[wrong]]), kind="stable")
                reached = np.concatenate(
                    [iou[right, None] >= THRESHOLDS, np.zeros((wrong.sum(), len(THRESHOLDS)), bool)]
                )
                pictures = np.concatenate([picture[right], mistake_picture[wrong]])[order]
                rankings.append(Ranking(str(number), objects[number], pictures, reached[order], np.zeros_like(reached)))
            networks.append(rankings)
        return networks[0], networks[1]


WORLDS = {
    "one class, low AP": SimulatedWorld(classes=1, objects=4, skill=-1.2),
    "one class, high AP": SimulatedWorld(classes=1, objects=4, skill=2.5),
    "six classes, middling AP": SimulatedWorld(classes=6, objects=6, skill=1.0),
    "six classes, high AP": SimulatedWorld(classes=6, objects=6, skill=3.0),
}


def _share(logit: np.ndarray) -> np.ndarray:
    result: np.ndarray = 1 / (1 + np.exp(-logit))
    return result
