"""OKS sigmas: how exactly each keypoint of an object can be placed, as a share of the object's size."""

from __future__ import annotations

COCO_SIGMAS = (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89)
"""COCO's 17 sigmas, from repeated annotations, in thousandths of the object's size (Ronchi and Perona 2017)."""

OTHER_SIGMA = 0.05
"""Sigma of a keypoint for which none was measured: between COCO's eyes (0.025) and hips (0.107)."""


def usual_sigmas(count: int) -> tuple[float, ...]:
    """OKS sigmas of `count` keypoints where none are given: COCO's for 17, else `OTHER_SIGMA` for each.

    >>> usual_sigmas(2), usual_sigmas(17)[0]
    ((0.05, 0.05), 0.026)
    """
    if count == len(COCO_SIGMAS):
        return tuple(sigma / 1000 for sigma in COCO_SIGMAS)
    return (OTHER_SIGMA,) * count
