"""OKS sigmas: how exactly each keypoint of an object can be placed, as a share of the object's size."""

from __future__ import annotations

COCO_SIGMAS = (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89)
"""How exactly people place COCO's 17 keypoints, in thousandths of the object's size (Ronchi and Perona 2017)."""

OTHER_SIGMA = 0.05
"""The same for a keypoint that nobody has measured: between COCO's eyes (0.025) and hips (0.107)."""


def usual_sigmas(count: int) -> tuple[float, ...]:
    """OKS sigmas of `count` keypoints that nobody gave any: COCO's for its 17, else a middling one for each."""
    if count == len(COCO_SIGMAS):
        return tuple(sigma / 1000 for sigma in COCO_SIGMAS)
    return (OTHER_SIGMA,) * count
