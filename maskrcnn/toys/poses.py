"""Random poses of people, such as standing, walking or sitting, and random viewing directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from maskrcnn.toys.body_geometry import Limb, Pose, view

KINDS: dict[str, float] = {
    "stand": 0.18,
    "walk": 0.17,
    "run": 0.12,
    "wave": 0.10,
    "raise": 0.09,
    "akimbo": 0.07,
    "carry": 0.06,
    "stretch": 0.06,
    "sit": 0.06,
    "crouch": 0.04,
    "bend": 0.05,
}
"""Kind of pose -> its probability."""


def random_pose(rng: np.random.Generator) -> Pose:
    """A random pose of one of `KINDS`; all its angles vary at random."""
    kind = str(rng.choice(list(KINDS), p=np.array(list(KINDS.values())) / sum(KINDS.values())))
    pose = _POSES[kind](rng)
    if rng.random() < 0.15:  # one arm gets random angles
        odd = Limb(
            swing=rng.uniform(-30, 130),
            spread=rng.uniform(0, 80),
            bend=rng.uniform(0, 110),
            inward=rng.uniform(0, 1),
            upward=rng.uniform(0, 1),
        )
        pose = replace(pose, arms=(odd, pose.arms[1]))
    if rng.random() < 0.5:
        pose = Pose(pose.arms[::-1], pose.legs[::-1], (pose.trunk[0], -pose.trunk[1], -pose.trunk[2]), pose.head)
    return replace(pose, head=(_about(rng, 5, 10), _about(rng, 0, 8), _about(rng, 0, 22)))


def random_view(rng: np.random.Generator) -> np.ndarray:
    """A random rotation `(3, 3)` (see `body_geometry.view`): from the front, behind or a side, upright or tilted."""
    aspect = rng.random()
    if aspect < 0.6:
        turned = rng.normal(0, 22)
    elif aspect < 0.78:
        turned = 180 + rng.normal(0, 22)
    else:
        turned = float(rng.choice([-90, 90])) + rng.normal(0, 25)
    tilt = rng.uniform(-30, 30) if rng.random() < 0.2 else rng.normal(0, 4)
    return view(float(turned), float(rng.uniform(-6, 18)), float(tilt))


def _about(rng: np.random.Generator, middle: float, spread: float) -> float:
    """A normal random number, clipped to two standard deviations (`spread`) around `middle`."""
    return middle + spread * float(np.clip(rng.normal(), -2, 2))


def _hanging(rng: np.random.Generator) -> Limb:
    """A hanging arm."""
    return Limb(swing=_about(rng, 2, 9), spread=rng.uniform(4, 20), bend=rng.uniform(0, 35), inward=rng.uniform(0, 0.5))


def _standing_legs(rng: np.random.Generator) -> tuple[Limb, Limb]:
    """The legs of a person who stands."""
    left, right = (Limb(swing=_about(rng, 1, 4), spread=rng.uniform(0, 9), bend=rng.uniform(0, 8)) for _ in range(2))
    if rng.random() < 0.25:  # one leg is relaxed
        left = Limb(swing=rng.uniform(5, 16), spread=rng.uniform(5, 18), bend=rng.uniform(8, 25))
    return left, right


def _trunk(rng: np.random.Generator, forward: float = 2.0) -> tuple[float, float, float]:
    """Random angles of the trunk (see `Pose`), leaning forward by about `forward`."""
    return _about(rng, forward, 4), _about(rng, 0, 5), _about(rng, 0, 8)


def _stand(rng: np.random.Generator) -> Pose:
    """Standing with hanging arms."""
    return Pose((_hanging(rng), _hanging(rng)), _standing_legs(rng), _trunk(rng))


def _walk(rng: np.random.Generator) -> Pose:
    """Walking: one leg and the other arm forward."""
    step, arm = rng.uniform(14, 34), rng.uniform(10, 40)
    legs = (
        Limb(swing=step, spread=rng.uniform(0, 5), bend=rng.uniform(2, 18), foot=rng.uniform(-15, 5)),
        Limb(swing=-0.7 * step, spread=rng.uniform(0, 5), bend=rng.uniform(8, 50), foot=rng.uniform(0, 25)),
    )
    arms = (
        Limb(swing=-arm, spread=rng.uniform(4, 15), bend=rng.uniform(5, 30)),
        Limb(swing=arm, spread=rng.uniform(4, 15), bend=rng.uniform(10, 55), inward=rng.uniform(0, 0.4)),
    )
    return Pose(arms, legs, (_about(rng, 5, 3), _about(rng, 0, 3), _about(rng, 8, 5)))


def _run(rng: np.random.Generator) -> Pose:
    """Running: one leg forward and bent, bent elbows."""
    legs = (
        Limb(swing=rng.uniform(40, 80), spread=rng.uniform(0, 6), bend=rng.uniform(50, 105), foot=rng.uniform(-5, 30)),
        Limb(swing=rng.uniform(-35, 0), spread=rng.uniform(0, 6), bend=rng.uniform(20, 100), foot=rng.uniform(10, 45)),
    )
    arms = (
        Limb(
            swing=rng.uniform(-60, -15),
            spread=rng.uniform(5, 25),
            bend=rng.uniform(70, 115),
            inward=rng.uniform(0, 0.4),
        ),
        Limb(
            swing=rng.uniform(15, 55), spread=rng.uniform(5, 20), bend=rng.uniform(70, 115), inward=rng.uniform(0, 0.5)
        ),
    )
    return Pose(arms, legs, (rng.uniform(5, 28), _about(rng, 0, 4), _about(rng, 10, 6)))


def _wave(rng: np.random.Generator) -> Pose:
    """Standing and waving with one hand."""
    high = Limb(
        swing=_about(rng, 5, 10),
        spread=rng.uniform(60, 130),
        bend=rng.uniform(45, 115),
        inward=rng.uniform(-0.2, 0.3),
        upward=2.5,
    )
    return Pose((high, _hanging(rng)), _standing_legs(rng), _trunk(rng))


def _raise(rng: np.random.Generator) -> Pose:
    """Standing with both arms raised."""

    def up() -> Limb:
        if rng.random() < 0.3:  # forward and up
            return Limb(swing=rng.uniform(110, 175), spread=rng.uniform(0, 25), bend=rng.uniform(0, 40))
        return Limb(
            swing=_about(rng, 0, 8), spread=rng.uniform(120, 172), bend=rng.uniform(0, 70), inward=1.0, upward=1.0
        )

    return Pose((up(), up()), _standing_legs(rng), _trunk(rng))


def _akimbo(rng: np.random.Generator) -> Pose:
    """Standing with one hand or both on the hips."""

    def on_hip() -> Limb:
        return Limb(swing=rng.uniform(-30, -5), spread=rng.uniform(38, 55), bend=rng.uniform(85, 115), inward=1.6)

    return Pose((on_hip(), on_hip() if rng.random() < 0.6 else _hanging(rng)), _standing_legs(rng), _trunk(rng))


def _carry(rng: np.random.Generator) -> Pose:
    """Both hands in front of the body: arms folded, or as if holding something."""

    def in_front() -> Limb:
        return Limb(
            swing=rng.uniform(5, 60), spread=rng.uniform(5, 20), bend=rng.uniform(40, 115), inward=rng.uniform(0.2, 1.0)
        )

    return Pose((in_front(), in_front()), _standing_legs(rng), _trunk(rng))


def _stretch(rng: np.random.Generator) -> Pose:
    """Standing with both arms stretched out to the sides."""

    def out() -> Limb:
        return Limb(swing=_about(rng, 10, 15), spread=rng.uniform(55, 105), bend=rng.uniform(0, 30), inward=0, upward=1)

    legs = tuple(Limb(swing=_about(rng, 2, 8), spread=rng.uniform(5, 38), bend=rng.uniform(0, 20)) for _ in range(2))
    return Pose((out(), out()), (legs[0], legs[1]), _trunk(rng))


def _sit(rng: np.random.Generator) -> Pose:
    """Sitting: thighs forward, knees bent."""
    thigh = rng.uniform(68, 98)
    left, right = (
        Limb(swing=_about(rng, thigh, 5), spread=rng.uniform(3, 22), bend=rng.uniform(60, 105), foot=_about(rng, 0, 8))
        for _ in range(2)
    )
    arms = tuple(
        Limb(swing=rng.uniform(10, 55), spread=rng.uniform(3, 20), bend=rng.uniform(10, 75), inward=0.3)
        for _ in range(2)
    )
    return Pose((arms[0], arms[1]), (left, right), _trunk(rng, 6))


def _crouch(rng: np.random.Generator) -> Pose:
    """Crouching: knees fully bent, trunk forward."""
    thigh = rng.uniform(85, 122)
    left, right = (
        Limb(swing=_about(rng, thigh, 6), spread=rng.uniform(8, 28), bend=rng.uniform(108, 140), foot=_about(rng, 8, 8))
        for _ in range(2)
    )
    arms = tuple(
        Limb(swing=rng.uniform(25, 80), spread=rng.uniform(3, 25), bend=rng.uniform(10, 80), inward=0.3)
        for _ in range(2)
    )
    return Pose((arms[0], arms[1]), (left, right), (rng.uniform(15, 45), _about(rng, 0, 4), _about(rng, 0, 6)))


def _bend(rng: np.random.Generator) -> Pose:
    """Bending forward at the hips."""
    forward = rng.uniform(40, 95)
    arms = tuple(
        Limb(swing=forward * rng.uniform(0.5, 1.3), spread=rng.uniform(2, 18), bend=rng.uniform(0, 45), inward=0.2)
        for _ in range(2)
    )
    knee = rng.uniform(0, 40)
    left, right = (
        Limb(swing=_about(rng, knee / 2 - 6, 5), spread=rng.uniform(2, 10), bend=knee + rng.uniform(0, 10))
        for _ in range(2)
    )
    return Pose((arms[0], arms[1]), (left, right), (forward, _about(rng, 0, 4), _about(rng, 0, 6)))


_POSES: dict[str, Callable[[np.random.Generator], Pose]] = {
    "stand": _stand,
    "walk": _walk,
    "run": _run,
    "wave": _wave,
    "raise": _raise,
    "akimbo": _akimbo,
    "carry": _carry,
    "stretch": _stretch,
    "sit": _sit,
    "crouch": _crouch,
    "bend": _bend,
}
