"""Which keypoints a dataset has, and which of them change places in a mirror."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import coco
from maskrcnn.annotations.learnable_objects import has_outline
from maskrcnn.annotations.regions import Keypoints, Polygon, Rect, Region, Skeleton
from maskrcnn.annotations.skeletons import KeypointLabels, keypoint_labels, mirrored
from maskrcnn.errors import StudioError

COCO_NAMES = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)


@pytest.mark.parametrize(
    ("names", "order"),
    [
        pytest.param(COCO_NAMES, (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15), id="COCO"),
        pytest.param(("left_eye", "right_eye", "nose"), (1, 0, 2), id="words"),
        pytest.param(("l_eye", "r_eye"), (1, 0), id="one letter"),
        pytest.param(("eye-R", "eye-L"), (1, 0), id="at the end"),
        pytest.param(("Left eye", "Right eye", "Mouth"), (1, 0, 2), id="capitals and blanks"),
        pytest.param(("leftEye", "tail", "rightEye"), (2, 1, 0), id="camel case"),
        pytest.param(("LEye", "REye"), (1, 0), id="one capital"),
        pytest.param(("lefteye", "righteye"), (1, 0), id="glued"),
        pytest.param(("eyeleft", "eyeright"), (1, 0), id="glued at the end"),
        pytest.param(("left1", "left2", "right1", "right2"), (2, 3, 0, 1), id="numbered sides"),
        pytest.param(("head", "tail"), (0, 1), id="no sides"),
        pytest.param(("bright spot", "upright"), (0, 1), id="a side only by chance"),
        pytest.param(("left_eye", "nose"), None, id="one side missing"),
        pytest.param(("left_eye", "left eye", "right_eye"), None, id="two names alike"),
        pytest.param(("1", "2", "3"), None, id="numbers"),
        pytest.param(("kp_1", "kp_2"), None, id="numbers with a word"),
        pytest.param((), None, id="no names"),
    ],
)
def test_left_and_right_change_places(names: Sequence[str], order: tuple[int, ...] | None) -> None:
    assert mirrored(names, len(names) or 5) == order


def test_a_single_keypoint_needs_no_name() -> None:
    assert mirrored((), 1) == (0,)


PLACES = ((1.0, 1.0, 2), (5.0, 5.0, 1), (0.0, 0.0, 0))
SQUARE = Polygon(((0, 0), (9, 0), (9, 9), (0, 9)))
NAMES = ("head", "left", "right")


def dataset(*regions: Region, **skeletons: Skeleton) -> Dataset:
    record = ImageRecord("a.png", regions, width=20, height=20)
    return Dataset((record,), tuple(dict.fromkeys(r.class_name or "" for r in regions)), skeletons=skeletons)


def posed(class_name: str, places: tuple[tuple[float, float, int], ...] = PLACES) -> Region:
    return Region(SQUARE, class_name, keypoints=Keypoints(places))


def test_a_skeleton_gives_names_and_limbs() -> None:
    found = keypoint_labels(dataset(posed("cat"), cat=Skeleton(NAMES, ((0, 1),))))
    assert found == KeypointLabels(3, NAMES, ((0, 1),))


def test_keypoints_without_a_skeleton_have_no_names() -> None:
    assert keypoint_labels(dataset(posed("cat"))) == KeypointLabels(3)


@pytest.mark.parametrize("region", [Region(SQUARE, "cat"), posed("cat", ((0, 0, 0),) * 3)])
def test_where_none_is_labelled_there_are_none(region: Region) -> None:
    assert keypoint_labels(dataset(region, cat=Skeleton(NAMES))) is None


def test_classes_may_share_a_skeleton_and_one_may_have_none() -> None:
    skeleton = Skeleton(NAMES)
    found = keypoint_labels(dataset(posed("cat"), posed("dog"), Region(SQUARE, "box"), cat=skeleton, dog=skeleton))
    assert found == KeypointLabels(3, NAMES)


@pytest.mark.parametrize(
    ("other", "places", "says"),
    [
        (Skeleton(("nose", "left", "right")), PLACES, '"cat" and "dog" have different keypoints'),
        (Skeleton(("nose", "tail")), PLACES[:2], "2: nose, tail"),
    ],
)
def test_classes_with_different_skeletons_are_named(
    other: Skeleton, places: tuple[tuple[float, float, int], ...], says: str
) -> None:
    with pytest.raises(StudioError, match=says) as raised:
        keypoint_labels(dataset(posed("cat"), posed("dog", places), cat=Skeleton(NAMES), dog=other))
    assert "\n" not in str(raised.value)


def test_objects_of_a_class_must_have_as_many() -> None:
    with pytest.raises(StudioError, match=r'class "cat" have 3 keypoints, but one on "a\.png" has 2'):
        keypoint_labels(dataset(posed("cat"), posed("cat", PLACES[:2])))


def test_a_box_of_a_coco_file_is_no_outline_but_a_drawn_rectangle_is() -> None:
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 20, "height": 20}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}],
    }
    (boxed,) = coco.parse(document, "coco.json").images[0].regions
    assert not has_outline(boxed)
    assert has_outline(Region(Rect(1, 1, 5, 5), "cat"))
    assert not has_outline(Region(Keypoints(PLACES), "cat"))


def test_ground_truth_takes_objects_of_keypoints_only_where_no_masks_are_learned() -> None:
    labels = dataset(Region(Keypoints(PLACES), "cat"), posed("cat"), cat=Skeleton(NAMES, ((0, 2),)))
    assert len(coco.document(labels, ("cat",))["annotations"]) == 1
    document = coco.document(labels, ("cat",), outlines=False)
    bare, outlined = document["annotations"]
    assert bare["bbox"] == [1, 1, 4, 4]
    assert bare["area"] == 16
    assert "segmentation" not in bare
    assert bare["keypoints"] == outlined["keypoints"] == [1, 1, 2, 5, 5, 1, 0, 0, 0]
    assert bare["num_keypoints"] == 2
    assert document["categories"][0]["keypoints"] == list(NAMES)
    assert document["categories"][0]["skeleton"] == [[1, 3]]
