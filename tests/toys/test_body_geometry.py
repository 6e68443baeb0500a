"""The jointed figure: left is left from every side, bones keep their lengths, knees and elbows bend the right way."""

from __future__ import annotations

import numpy as np
import pytest

from maskrcnn.toys.body_geometry import Build, Figure, Limb, Pose, posed, view
from maskrcnn.toys.poses import random_pose, random_view


def standing(turned: float, tilt: float = 0.0, from_above: float = 0.0) -> Figure:
    return posed(Pose(), Build()).projected(view(turned, from_above, tilt), 100)


@pytest.mark.parametrize("joint", ["eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"])
def test_left_is_to_the_right_of_who_faces_us_and_to_the_left_from_behind(joint: str) -> None:
    front, back = standing(0).joints, standing(180).joints
    assert front[f"left_{joint}"][0] > front[f"right_{joint}"][0]
    assert back[f"left_{joint}"][0] < back[f"right_{joint}"][0]
    # whoever looks to the right edge of the picture shows us the right side: z grows towards us
    side = standing(90).joints
    assert side[f"left_{joint}"][2] < side[f"right_{joint}"][2]


def test_the_nose_is_where_the_body_looks() -> None:
    assert standing(0).joints["nose"][2] > standing(0).joints["left_ear"][2]
    assert standing(180).joints["nose"][2] < standing(180).joints["left_ear"][2]
    assert standing(90).joints["nose"][0] > standing(90).joints["left_ear"][0]
    assert standing(-90).joints["nose"][0] < standing(-90).joints["left_ear"][0]


def test_who_stands_is_upright_and_as_tall_as_one() -> None:
    heights = [-standing(0).joints[f"{name}"][1] for name in ("nose", "left_shoulder", "left_hip", "left_knee")]
    assert heights == sorted(heights, reverse=True)
    low, high = standing(0).extent()
    assert high[1] - low[1] == pytest.approx(100, rel=0.05)


def test_a_tilt_turns_clockwise_and_a_view_from_above_sinks_the_front() -> None:
    assert standing(0, tilt=30).joints["nose"][0] > standing(0).joints["nose"][0] + 10
    toes = next(part for part in standing(0, from_above=20).parts if part.name == "left foot")
    assert toes.end[1] > toes.start[1]  # y points down


def test_a_knee_bends_backward_and_an_elbow_forward() -> None:
    bent = posed(Pose(arms=(Limb(0, 0, 90), Limb(0, 0, 90)), legs=(Limb(0, 0, 90), Limb(0, 0, 90))), Build())
    knee, ankle = bent.joints["left_knee"], bent.joints["left_ankle"]
    np.testing.assert_allclose(ankle - knee, (0, 0, -Build().shin), atol=1e-12)  # l, u, f
    elbow, wrist = bent.joints["right_elbow"], bent.joints["right_wrist"]
    np.testing.assert_allclose(wrist - elbow, (0, 0, Build().fore_arm), atol=1e-12)


def test_who_sits_has_thighs_ahead_and_shins_down() -> None:
    seated = posed(Pose(legs=(Limb(90, 0, 90), Limb(90, 0, 90))), Build()).joints
    np.testing.assert_allclose(seated["left_knee"] - seated["left_hip"], (0, 0, Build().thigh), atol=1e-12)
    np.testing.assert_allclose(seated["left_ankle"] - seated["left_knee"], (0, -Build().shin, 0), atol=1e-12)


def test_an_arm_spread_to_its_side_and_bent_upward_waves() -> None:
    waving = posed(Pose(arms=(Limb(0, 90, 90, 0, 1e9), Limb())), Build()).joints
    np.testing.assert_allclose(waving["left_elbow"] - waving["left_shoulder"], (Build().upper_arm, 0, 0), atol=1e-9)
    np.testing.assert_allclose(waving["left_wrist"] - waving["left_elbow"], (0, Build().fore_arm, 0), atol=1e-6)


def test_bones_keep_their_lengths_in_every_pose_and_view() -> None:
    build = Build()
    bones = {
        ("shoulder", "elbow"): build.upper_arm,
        ("elbow", "wrist"): build.fore_arm,
        ("hip", "knee"): build.thigh,
        ("knee", "ankle"): build.shin,
    }
    for seed in range(30):
        rng = np.random.default_rng(seed)
        joints = posed(random_pose(rng), build).projected(random_view(rng), 200).joints
        for (a, b), length in bones.items():
            for side in ("left", "right"):
                drawn = np.linalg.norm(joints[f"{side}_{a}"] - joints[f"{side}_{b}"])
                assert drawn == pytest.approx(200 * length)
