"""A jointed 3D figure of a person: its proportions, its pose, and the positions of its joints and body parts.

Body coordinates have the axes left (of the body), up and front. A person who stands straight is about 1 unit tall.
Angles are in degrees. `posed` computes the joints and parts of a pose in body coordinates.
`Figure.projected` converts them to picture coordinates: x to the right, y down, z towards the viewer. The left shoulder
of a body that faces the viewer is therefore on the right side of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

SIDES = (("left", 1.0), ("right", -1.0))
"""Name of a side -> sign of its left coordinate."""


@dataclass(frozen=True)
class Part:
    """A body part: the volume that an ellipsoid covers when it moves from `start` to `end`, both `(3,)`.

    The rows of `axes` `(3, 3)` are the half axes of the ellipsoid at `start`: left, front and up. `growth` is the size
    of the ellipsoid at `end` divided by its size at `start`.
    """

    name: str
    start: np.ndarray
    end: np.ndarray
    axes: np.ndarray
    growth: float = 1.0


@dataclass(frozen=True)
class Figure:
    """The parts of a body, and its joints: name of a COCO keypoint -> position `(3,)`."""

    parts: tuple[Part, ...]
    joints: dict[str, np.ndarray]

    def projected(self, view: np.ndarray, scale: float) -> Figure:
        """The figure in picture coordinates: rotated by `view` `(3, 3)` (see `view`) and multiplied by `scale`."""
        turn = scale * view
        parts = [replace(p, start=turn @ p.start, end=turn @ p.end, axes=p.axes @ turn.T) for p in self.parts]
        return Figure(tuple(parts), {name: turn @ place for name, place in self.joints.items()})

    def moved(self, offset: np.ndarray) -> Figure:
        """The figure moved by `offset` `(3,)`."""
        parts = [replace(p, start=p.start + offset, end=p.end + offset) for p in self.parts]
        return Figure(tuple(parts), {name: place + offset for name, place in self.joints.items()})

    def extent(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest x, y and z of all parts, each `(3,)`: the 3D bounding box."""
        reach = [np.sqrt((p.axes**2).sum(axis=0)) * max(1.0, p.growth) for p in self.parts]
        lowest = np.min([np.minimum(p.start, p.end) - r for p, r in zip(self.parts, reach, strict=True)], axis=0)
        highest = np.max([np.maximum(p.start, p.end) + r for p, r in zip(self.parts, reach, strict=True)], axis=0)
        return lowest, highest


@dataclass(frozen=True)
class Limb:
    """The angles of an arm or a leg, in degrees: swing forward, spread to the side, and bend of the elbow or knee.

    `inward` and `upward` are weights for the direction in which an elbow bends, in addition to forward. `foot` is the
    angle by which the toes point down.
    """

    swing: float = 0.0
    spread: float = 6.0
    bend: float = 8.0
    inward: float = 0.0
    upward: float = 0.0
    foot: float = 0.0


@dataclass(frozen=True)
class Pose:
    """The angles of a body. Limbs are (left, right); `trunk` and `head` are (forward, left side, turned left)."""

    arms: tuple[Limb, Limb] = (Limb(), Limb())
    legs: tuple[Limb, Limb] = (Limb(bend=3), Limb(bend=3))
    trunk: tuple[float, float, float] = (0.0, 0.0, 0.0)
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Build:
    """The proportions of a body: lengths as fractions of its height. `girth` multiplies the thickness of all parts."""

    girth: float = 1.0
    head: float = 0.078
    neck: float = 0.045
    trunk: float = 0.27
    shoulders: float = 0.118
    hips: float = 0.062
    upper_arm: float = 0.155
    fore_arm: float = 0.135
    thigh: float = 0.24
    shin: float = 0.23


def random_build(rng: np.random.Generator) -> Build:
    """Random body proportions, from children with large heads to tall adults."""

    def about(value: float, spread: float = 0.07) -> float:
        """A random length around `value`, at most two relative standard deviations (`spread`) away."""
        return value * float(np.clip(rng.normal(1, spread), 1 - 2 * spread, 1 + 2 * spread))

    return Build(
        girth=float(rng.uniform(0.85, 1.25)),
        head=about(0.08, 0.1),
        neck=about(0.045),
        trunk=about(0.27),
        shoulders=about(0.118),
        hips=about(0.062, 0.1),
        upper_arm=about(0.155),
        fore_arm=about(0.135),
        thigh=about(0.24),
        shin=about(0.23),
    )


def posed(pose: Pose, build: Build) -> Figure:
    """The figure of a pose in body coordinates (left, up, front), with the middle between the hips at 0."""
    girth = build.girth
    body = np.eye(3)
    trunk = _bent(body, pose.trunk)
    head = _bent(trunk, pose.head)
    joints: dict[str, np.ndarray] = {}
    parts: list[Part] = []

    def add_round_part(name: str, start: np.ndarray, end: np.ndarray, radius: float, end_radius: float) -> None:
        """Add a part with a round cross section."""
        parts.append(Part(name, start, end, radius * girth * np.eye(3), end_radius / radius))

    def add_ellipsoid(
        name: str, start: np.ndarray, end: np.ndarray, basis: np.ndarray, half: tuple, growth: float
    ) -> None:
        """Add a part with three half axes (left, front, up) along `basis` (rows left, up, front)."""
        parts.append(Part(name, start, end, np.array(half)[:, None] * basis[[0, 2, 1]], growth))

    waist = 0.35 * build.trunk * body[1]
    collar = waist + 0.65 * build.trunk * trunk[1]
    chest = (0.93 * build.shoulders, 0.066 * girth, 0.042)
    add_ellipsoid("chest", collar - 0.035 * trunk[1], waist, trunk, chest, 0.80)
    pelvis = (0.72 * build.hips + 0.044 * girth, 0.064 * girth, 0.042)
    add_ellipsoid("pelvis", waist, 0.005 * body[1], _bent(body, tuple(a / 2 for a in pose.trunk)), pelvis, 1.0)

    for (side, sign), limb in zip(SIDES, pose.legs, strict=True):
        along, forward = _limb_direction(body, sign, limb)
        back = -forward
        hip = sign * build.hips * body[0]
        knee = hip + build.thigh * along
        lower = _turned(along, back, limb.bend)
        ankle = knee + build.shin * lower
        ahead = _turned(along, back, limb.bend - 90 + limb.foot) + 0.2 * sign * body[0]
        ahead /= np.linalg.norm(ahead)
        add_round_part(f"{side} thigh", hip, knee, 0.056, 0.041)
        add_round_part(f"{side} shin", knee, ankle, 0.041, 0.027)
        heel = ankle + 0.012 * lower
        add_round_part(f"{side} foot", heel - 0.01 * ahead, heel + 0.085 * ahead, 0.031, 0.024)
        joints |= {f"{side}_hip": hip, f"{side}_knee": knee, f"{side}_ankle": ankle}

    for (side, sign), limb in zip(SIDES, pose.arms, strict=True):
        along, forward = _limb_direction(trunk, sign, limb)
        shoulder = collar - 0.01 * trunk[1] + sign * build.shoulders * trunk[0]
        elbow = shoulder + build.upper_arm * along
        bends_to = forward - limb.inward * sign * trunk[0] + limb.upward * trunk[1]
        lower = _turned(along, bends_to, limb.bend)
        wrist = elbow + build.fore_arm * lower
        add_round_part(f"{side} upper arm", shoulder, elbow, 0.037, 0.029)
        add_round_part(f"{side} fore-arm", elbow, wrist, 0.029, 0.020)
        add_round_part(f"{side} hand", wrist + 0.018 * lower, wrist + 0.05 * lower, 0.024, 0.018)
        joints |= {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_wrist": wrist}

    size = build.head
    middle = collar + (build.neck + 0.74 * size) * (0.5 * trunk[1] + 0.5 * head[1]) + 0.012 * trunk[2]
    add_round_part("neck", collar - 0.01 * trunk[1], middle - 0.3 * size * head[1], 0.032, 0.03)
    half = np.array([0.72, 1.0, 0.84]) * size  # left, up, front

    def on_head(left: float, up: float, front: float) -> np.ndarray:
        """A point on the head, from coordinates in half axes of the head ellipsoid."""
        return middle + (np.array([left, up, front]) * half) @ head

    add_ellipsoid("head", middle, middle, head, (half[0], half[2], half[1]), 1.0)
    nose = on_head(0, -0.12, 0.98)
    add_ellipsoid("nose", on_head(0, 0.05, 0.95), nose, head, (0.10 * size, 0.16 * size, 0.12 * size), 1.25)
    joints["nose"] = nose + 0.12 * size * head[2]
    for side, sign in SIDES:
        joints[f"{side}_eye"] = on_head(*(np.array([0.42 * sign, 0.14, 0.897])))
        ear = on_head(1.0 * sign, -0.02, -0.08)
        add_ellipsoid(f"{side} ear", ear, ear, head, (0.12 * size, 0.17 * size, 0.26 * size), 1.0)
        joints[f"{side}_ear"] = ear
    return Figure(tuple(parts), joints)


def view(turned: float, from_above: float, tilt: float) -> np.ndarray:
    """The rotation `(3, 3)` from body coordinates (left, up, front) to picture coordinates (x, y, z).

    At `turned` = 0 the body faces the viewer, at 90 the right edge of the picture, at 180 away from the viewer.
    `from_above` is the height angle of the viewer. `tilt` rotates clockwise in the picture. All angles are in degrees.
    """
    (c, s), (cp, sp), (ct, st) = (_cos_sin(angle) for angle in (turned, from_above, tilt))
    yaw = np.array([[c, 0, s], [0, -1, 0], [-s, 0, c]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[ct, -st, 0], [st, ct, 0], [0, 0, 1]])
    return roll @ pitch @ yaw


def _limb_direction(basis: np.ndarray, sign: float, limb: Limb) -> tuple[np.ndarray, np.ndarray]:
    """The direction in which a limb points, and the front direction after its swing, both unit vectors `(3,)`.

    `basis`: the axes (rows left, up, front) of the body or trunk; `sign`: 1 for a left limb, -1 for a right one.
    """
    left, up, front = basis
    (cs, ss), (cp, sp) = _cos_sin(limb.swing), _cos_sin(limb.spread)
    return cp * (ss * front - cs * up) + sp * sign * left, cs * front + ss * up


def _turned(along: np.ndarray, to: np.ndarray, angle: float) -> np.ndarray:
    """The unit vector `along` rotated by an angle towards `to`."""
    across = to - (to @ along) * along
    c, s = _cos_sin(angle)
    return c * along + s * across / max(float(np.linalg.norm(across)), 1e-9)


def _bent(basis: np.ndarray, angles: tuple[float, ...]) -> np.ndarray:
    """The axes `basis` (rows left, up, front) of a body or trunk, rotated by the angles of a trunk or head.

    `angles` are in degrees and in the order of `Pose`: forward, to the left side, turned left. It is turned first, then
    bent to the side and then forward, always around the axes of `basis`.
    """
    (cf, sf), (cs, ss), (ct, st) = (_cos_sin(angle) for angle in angles)
    turned = np.array([[ct, 0, -st], [0, 1, 0], [st, 0, ct]])
    to_side = np.array([[cs, -ss, 0], [ss, cs, 0], [0, 0, 1]])
    forward = np.array([[1, 0, 0], [0, cf, sf], [0, -sf, cf]])
    return turned @ to_side @ forward @ basis


def _cos_sin(degrees: float) -> tuple[float, float]:
    """Cosine and sine of an angle in degrees."""
    return float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
