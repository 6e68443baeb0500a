"""The toy people: seeded, labelled as they are painted, in COCO's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely

from maskrcnn.annotations import doctor, pictures, raster, read
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.skeletons import mirrored
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.toys import people_world
from maskrcnn.toys.body_geometry import Build, Limb, Part, Pose, posed, view
from maskrcnn.toys.body_rendering import render
from maskrcnn.toys.worlds import WORLDS

PICTURES = 16


@dataclass(frozen=True)
class Drawn:
    picture: np.ndarray
    record: ImageRecord
    scene: people_world._Scene

    def people(self) -> Iterator[tuple[int, people_world._Person, Region]]:
        """Each person with the number that the scene's map has for them."""
        placed = [(n, p) for n, p in enumerate(self.scene.layout, start=1) if isinstance(p, people_world._Person)]
        assert len(placed) == len(self.record.regions)
        for (number, person), region in zip(placed, self.record.regions, strict=True):
            yield number, person, region


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    arrange, scenes = people_world._arrange, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people_world, "_arrange", lambda *given: scenes.append(arrange(*given)) or scenes[-1])
        made = [people_world.draw(21, index) for index in range(PICTURES)]
    return [Drawn(*pair, scene) for pair, scene in zip(made, scenes, strict=True)]


def test_the_same_seed_draws_the_same() -> None:
    (one, record), (two, again) = people_world.draw(5, 3), people_world.draw(5, 3)
    assert (one == two).all()
    assert record == again
    assert record.file_name == "people5-0004.jpg"
    assert record.regions != people_world.draw(6, 3)[1].regions
    assert record.regions != people_world.draw(5, 4)[1].regions


def test_keypoints_and_bones_are_cocos() -> None:
    # the category "person" of person_keypoints_val2017.json
    names = (
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
        "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
    )
    bones = (
        "16-14 14-12 17-15 15-13 12-13 6-12 7-13 6-7 6-8 7-9 8-10 9-11 2-3 1-2 1-3 2-4 3-5 4-6 5-7"  # counted from 1
    )
    assert people_world.SKELETON.names == tuple(names.split())
    assert [f"{a + 1}-{b + 1}" for a, b in people_world.SKELETON.edges] == bones.split()
    assert mirrored(people_world.SKELETON.names, 17) == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)


def seen_from(turned: float, arms: float = 0.0) -> dict[str, people_world._Sighting]:
    """What a body that stands straight, its arms lifted forward, shows of itself, 200 px tall."""
    figure = posed(Pose(arms=(Limb(arms), Limb(arms))), Build()).projected(view(turned, 0, 0), people_world.FINE * 200)
    figure = figure.moved(np.array([200.0, 250, 0]))
    layer = render(figure.parts, lambda name, along, around: np.zeros_like(around), np.array([0, 0, 1.0]), 500, 400)
    return dict(zip(people_world.SKELETON.names, people_world._joint_sightings(figure, layer, 200), strict=True))


def test_from_the_front_everything_is_seen() -> None:
    seen = seen_from(0)
    assert all(sighting.visible_pixels for sighting in seen.values())
    assert seen["left_shoulder"].x > seen["right_shoulder"].x


def test_from_behind_the_face_is_not_labelled_and_the_joints_are_seen() -> None:
    seen = seen_from(180)
    assert [name for name, sighting in seen.items() if sighting.is_turned_away] == ["nose", "left_eye", "right_eye"]
    assert all(
        sighting.visible_pixels for name, sighting in seen.items() if name not in ("nose", "left_eye", "right_eye")
    )
    assert seen["left_shoulder"].x < seen["right_shoulder"].x


@pytest.mark.parametrize(("turned", "near", "far"), [(90, "right", "left"), (-90, "left", "right")])
def test_from_a_side_the_far_limbs_are_hidden(turned: float, near: str, far: str) -> None:
    seen = seen_from(turned, arms=60)
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee"):
        assert seen[f"{near}_{joint}"].visible_pixels
        assert not seen[f"{far}_{joint}"].visible_pixels
        assert not seen[f"{far}_{joint}"].is_turned_away  # labelled, as hidden
    for place in ("eye", "ear"):
        assert seen[f"{near}_{place}"].visible_pixels
        assert seen[f"{far}_{place}"].is_turned_away
    assert seen["nose"].visible_pixels


def test_labels_keep_the_rules_of_the_format(drawn: list[Drawn]) -> None:
    for d in drawn:
        height, width = d.picture.shape[:2]
        assert (d.picture.dtype, d.record.width, d.record.height) == (np.uint8, width, height)
        assert 1 <= len(d.record.regions) <= 4
        for _, _, region in d.people():
            assert region.class_name == "person"
            assert region.keypoints is not None
            assert len(region.keypoints.points) == 17
            assert sum(v == 2 for _, _, v in region.keypoints.points) >= 5
            for x, y, v in region.keypoints.points:
                assert (0 <= x <= width and 0 <= y <= height) if v else (x, y) == (0, 0)


def covered(part: Part, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slow way: whether each place lies on any of many ellipsoids along the part, and how near it then is."""
    spread = part.axes.T @ part.axes
    metric = np.linalg.inv(spread[:2, :2])
    lean = metric @ spread[:2, 2]
    bulge = spread[2, 2] - lean @ spread[:2, 2]
    hit, near = np.zeros(x.shape, bool), np.full(x.shape, -np.inf)
    for t in np.linspace(0, 1, 40):
        cx, cy, cz = part.start + t * (part.end - part.start)
        size = 1 + t * (part.growth - 1)
        dx, dy = x - cx, y - cy
        rest = size**2 - (metric[0, 0] * dx**2 + 2 * metric[0, 1] * dx * dy + metric[1, 1] * dy**2)
        on = rest >= 0
        hit |= on
        depth = cz + lean[0] * dx + lean[1] * dy + np.sqrt(np.maximum(bulge * rest, 0))
        near = np.where(on, np.maximum(near, depth), near)
    return hit, near


def slow_map(d: Drawn) -> tuple[np.ndarray, np.ndarray]:
    """Who is on top in the middle of each pixel, and which of their parts: painted anew from the figures."""
    height, width = d.picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width] + 0.5
    owner, top = np.zeros((height, width), int), np.full((height, width), -1)
    for number, item in enumerate(d.scene.layout, start=1):
        if isinstance(item, people_world._Thing):
            on = shapely.contains_xy(shapely.Polygon(item.outline), x, y)
            owner[on], top[on] = number, -1
            continue
        nearest = np.full(x.shape, -np.inf)
        for place, part in enumerate(item.figure.parts):
            reach = np.linalg.norm(part.axes) * max(1, part.growth)
            low = (np.minimum(part.start, part.end)[:2] - reach + (item.x, item.y)) // people_world.FINE
            high = (np.maximum(part.start, part.end)[:2] + reach + (item.x, item.y)) // people_world.FINE + 1
            (left, top_row), (right, bottom) = low.astype(int).clip(0).tolist(), high.astype(int).clip(0).tolist()
            window = np.s_[top_row:bottom, left:right]
            hit, near = covered(part, people_world.FINE * x[window] - item.x, people_world.FINE * y[window] - item.y)
            on = hit & (near > nearest[window])
            nearest[window][on], owner[window][on], top[window][on] = near[on], number, place
    return owner, top


@pytest.fixture(scope="module")
def maps(drawn: list[Drawn]) -> list[tuple[Drawn, np.ndarray, np.ndarray]]:
    crowded = sorted(drawn, key=lambda d: -len(d.scene.layout))[:5]
    return [(d, *slow_map(d)) for d in crowded]


def rim(mask: np.ndarray) -> np.ndarray:
    """The pixels within one of a mask's edge."""
    kernel = np.ones((3, 3), np.uint8)
    return (cv2.dilate(mask.astype(np.uint8), kernel) - cv2.erode(mask.astype(np.uint8), kernel)).astype(bool)


def test_masks_are_what_is_on_top(maps: list[tuple[Drawn, np.ndarray, np.ndarray]]) -> None:
    pairs = [
        (raster.mask(region.shape, *owner.shape).astype(bool), owner == number)
        for d, owner, _ in maps
        for number, _, region in d.people()
    ]
    for mask, truth in pairs:
        wrong = mask ^ truth
        assert (wrong & ~rim(truth)).sum() <= 3 + 0.001 * truth.sum()  # cracks below a pixel
        assert wrong.sum() < 0.14 * rim(truth).sum()  # the rim is two wide: half a pixel off would be a quarter
    too_large = sum(int(mask.sum()) - int(truth.sum()) for mask, truth in pairs)
    assert abs(too_large) < 0.03 * sum(rim(truth).sum() for _, truth in pairs)  # 0.06 px


def test_visible_keypoints_show_their_part_and_hidden_ones_something_else(
    maps: list[tuple[Drawn, np.ndarray, np.ndarray]],
) -> None:
    hidden_by_others = hidden_by_themselves = 0
    for d, owner, top in maps:
        for number, person, region in d.people():
            names = [part.name for part in person.figure.parts]
            for name, (x, y, v) in zip(people_world.SKELETON.names, region.keypoints.points, strict=True):
                side, _, joint = name.rpartition("_")
                shown_by = [part.format(side=side) for part in people_world._SHOWN_BY[joint][0]]
                around = np.s_[max(int(y) - 1, 0) : int(y) + 2, max(int(x) - 1, 0) : int(x) + 2]
                tops = {names[part] for part in top[around][owner[around] == number] if part >= 0}
                if v == 2:
                    assert tops & set(shown_by), (name, tops)
                if v == 1 and owner[int(y), int(x)] != number:
                    assert owner[int(y), int(x)] > 0  # by a person or a thing, never by the ground
                    hidden_by_others += 1
                elif v == 1:
                    hidden_by_themselves += 1
    assert hidden_by_others > 5
    assert hidden_by_themselves > 5


def test_visible_keypoints_lie_in_the_mask(drawn: list[Drawn]) -> None:
    for d in drawn:
        height, width = d.picture.shape[:2]
        for _, _, region in d.people():
            mask = raster.mask(region.shape, height, width).astype(np.uint8)
            away = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
            for x, y, v in region.keypoints.points:
                if v == 2:
                    assert away[min(int(y), height - 1), min(int(x), width - 1)] <= 1.5


def test_a_face_that_looks_away_has_no_nose(drawn: list[Drawn]) -> None:
    away = 0
    for d in drawn:
        for _, person, region in d.people():
            joints = person.figure.joints
            behind = (joints["left_ear"] + joints["right_ear"])[2] / 2 - joints["nose"][2]
            if behind > 0.06 * people_world.FINE * person.stature:  # 0.075 is straight away from us
                away += 1
                assert region.keypoints.points[0] == (0, 0, 0)
    assert away >= 2


def test_joints_are_where_the_figure_has_them(drawn: list[Drawn]) -> None:
    for d in drawn[:4]:
        for _, person, region in d.people():
            for name, (x, y, v) in zip(people_world.SKELETON.names, region.keypoints.points, strict=True):
                if v:
                    across, down = person.figure.joints[name][:2]
                    placed = ((across + person.x) / people_world.FINE, (down + person.y) / people_world.FINE)
                    assert (x, y) == pytest.approx(placed, abs=0.006)


def test_a_person_is_painted_where_the_mask_is() -> None:
    rng = np.random.default_rng(4)
    person = replace(people_world._random_person(rng, 120, 0.0), x=40, y=30)
    person = replace(person, layer=replace(person.layer, colour=np.full_like(person.layer.colour, 200)))
    person.layer.colour[~person.body] = 0
    canvas = np.zeros((200, 200, 3), np.float32)
    people_world._paint_person(canvas, person, 0.0)
    scene = people_world._Scene(np.zeros((400, 400), np.int16), [])
    people_world._add_first_fitting(scene, [person])
    shape = people_world._person_outline(scene.owner == 1)
    assert shape is not None
    half_covered = canvas[:, :, 0] > 100
    assert (half_covered ^ raster.mask(shape, 200, 200).astype(bool)).sum() < 0.05 * half_covered.sum()


def test_nobody_is_buried() -> None:
    figure = posed(Pose(), Build()).projected(view(0, 0, 0), people_world.FINE * 150).moved(np.array([250.0, 250, 0]))
    layer = render(figure.parts, lambda name, along, around: np.zeros_like(around), np.array([0, 0, 1.0]), 500, 500)
    scene = people_world._Scene(np.zeros((500, 500), np.int16), [])
    people_world._add_first_fitting(
        scene, [people_world._Person(figure, layer, 150, people_world._joint_sightings(figure, layer, 150))]
    )
    assert len(scene.layout) == 1

    def up_to(row: float) -> people_world._Thing:
        return people_world._Thing(np.array([(0, row), (250, row), (250, 250), (0, 250)]))

    chest = figure.joints["left_shoulder"][1] / people_world.FINE + 12
    knees = figure.joints["left_knee"][1] / people_world.FINE - 3
    people_world._add_first_fitting(
        scene, [up_to(0), up_to(chest)]
    )  # seven keypoints are in view above the chest, but little else
    assert len(scene.layout) == 1
    people_world._add_first_fitting(scene, [up_to(0), up_to(knees)])
    assert len(scene.layout) == 2
    hidden = people_world._coco_keypoints(scene, 1, scene.layout[0])[-4:]
    assert [v for _, _, v in hidden] == [1, 1, 1, 1]


@pytest.mark.parametrize(("visible", "placed"), [(4, 0), (5, 1)])
def test_who_shows_too_few_keypoints_is_left_out(visible: int, placed: int) -> None:
    person = people_world._random_person(np.random.default_rng(2), 150, 0.0)
    row, column = np.argwhere(person.body)[0].tolist()
    shown = people_world._Sighting(column, row, ((row, column),), is_turned_away=False)
    sightings = (shown,) * visible + (replace(shown, visible_pixels=()),) * (17 - visible)
    scene = people_world._Scene(np.zeros((600, 600), np.int16), [])
    people_world._add_first_fitting(scene, [replace(person, sightings=sightings, x=50, y=50)])
    assert len(scene.layout) == placed


def test_an_outline_has_its_holes_and_parts() -> None:
    mask = np.zeros((100, 100), bool)
    mask[10:50, 10:50] = True  # in pixels 5 to 25
    mask[20:40, 20:40] = False
    mask[50:60, 50:60] = True  # touches it at a corner only
    mask[80, 80] = True  # a speck
    shape = people_world._person_outline(mask)
    assert [len(part) for part in shape.parts] in ([2, 1], [1, 2])
    rings = sorted(raster.rings(shape), key=lambda ring: shapely.Polygon(ring).area)
    assert [shapely.Polygon(ring).bounds for ring in rings] == [(25, 25, 30, 30), (10, 10, 20, 20), (5, 5, 25, 25)]
    assert people_world._person_outline(np.zeros((9, 9), bool)) is None


def test_a_drawn_set_is_a_coco_file_that_can_be_trained_on(drawn: list[Drawn], tmp_path: Path) -> None:
    records = []
    for d in drawn[:6]:
        cv2.imwrite(str(tmp_path / d.record.file_name), d.picture[:, :, ::-1])
        records.append(replace(d.record, path=tmp_path / d.record.file_name))
    written = WORLDS["people"].dataset(records)
    writing.write(written, tmp_path / "people.json", "coco")
    dataset = require_trainable(read(tmp_path))
    assert (dataset.classes, dataset.skeletons) == (people_world.CLASSES, {"person": people_world.SKELETON})
    for before, after in zip(written.images, dataset.images, strict=True):
        assert after.path is not None
        assert pictures.load(after.path).shape[:2] == (before.height, before.width)
        for a, b in zip(before.regions, after.regions, strict=True):
            masks = [raster.mask(region.shape, before.height, before.width) for region in (a, b)]
            assert (masks[0] == masks[1]).all()
            assert a.keypoints == b.keypoints
    assert doctor.examine(dataset) == []
