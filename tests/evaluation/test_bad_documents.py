"""What bad documents get: one line that names the entry and the mend, or they are measured all the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import evaluate, match_image, measure
from maskrcnn.evaluation.coco_documents import encode_rle
from maskrcnn.run_length_codes import pixels_of, pixels_of_codes
from tests.evaluation.squares import FIRST, SECOND, SIDE, TWO, found
from tests.sweeps import examples

DETECTIONS = [found(0, 1, *FIRST, 0.9), found(0, 1, *SECOND, 0.8)]
FULL = SIDE * SIDE
Document = dict[str, Any]


def changed(entry: int, **fields: Any) -> Any:
    """The detections with fields of one of them changed; `...` takes the field out."""
    detections = copy.deepcopy(DETECTIONS)
    for field, value in fields.items():
        if value is ...:
            del detections[entry][field]
        else:
            detections[entry][field] = value
    return detections


def labels(change: Callable[[Document], object]) -> Document:
    """The labels after a change in place."""
    document = copy.deepcopy(TWO)
    change(document)
    return document


def compressed(*numbers: tuple[int, int]) -> str:
    """A code from numbers (value, characters), each with just as many characters."""
    text = ""
    for value, characters in numbers:
        for place in range(characters):
            text += chr(48 + (value >> 5 * place & 31) + 32 * (place < characters - 1))
    return text


def mask(counts: Any, size: Any = (SIDE, SIDE)) -> Document:
    return {"size": list(size) if isinstance(size, tuple) else size, "counts": counts}


BAD_DETECTIONS: dict[str, tuple[Any, str]] = {
    "a COCO document": (TWO, "this is a COCO document with labels, not a list of detections; write COCO results"),
    "one detection": (DETECTIONS[0], "this is one object, not a list"),
    "a text": ("detections.json", 'this is "detections.json", not a list'),
    "a number": (5, "this is 5, not a list"),
    "an entry that is a number": ([DETECTIONS[0], 7], "entry 1 is 7, not an object"),
    "an entry that is nothing": ([None], "entry 0 is None, not an object"),
    "no picture": (changed(1, image_id=...), 'entry 1 has no "image_id"'),
    "no class": (changed(1, category_id=...), 'entry 1 has no "category_id"'),
    "no score": (changed(1, score=...), 'entry 1 has no "score"'),
    "another dataset": (changed(1, image_id=99), "entry 1 is for image_id 99, .* give the labels that these"),
    "a picture that is a list": (changed(1, image_id=[0]), 'entry 1 has a list of 1 as "image_id", which is no id'),
    "a picture that is NaN": (changed(1, image_id=float("nan")), 'entry 1 has nan as "image_id"'),
    "a class that is an object": (changed(1, category_id={}), 'entry 1 has a group of 0 as "category_id"'),
    "a class between two": (changed(1, category_id=1.5), 'entry 1 has 1.5 as "category_id"'),
    "a percentage": (changed(1, score=87), 'entry 1 has 87 as "score", which is no number from 0 to 1; scale'),
    "a negative score": (changed(1, score=-0.1), 'entry 1 has -0.1 as "score"'),
    "a score of NaN": (changed(1, score=float("nan")), 'entry 1 has nan as "score"'),
    "an infinite score": (changed(1, score=float("inf")), 'entry 1 has inf as "score"'),
    "a score in quotes": (changed(1, score="0.9"), 'entry 1 has "0.9" as "score"'),
    "a score of true": (changed(1, score=True), 'entry 1 has True as "score"'),
    "nothing to match": (changed(1, bbox=..., segmentation=...), 'entry 1 has neither "segmentation" nor "bbox"'),
    "three numbers as box": (changed(1, bbox=[1, 2, 3]), 'entry 1 has a list of 3 as "bbox", not the four numbers'),
    "a box of words": (changed(1, bbox="1 2 3 4"), 'entry 1 has "1 2 3 4" as "bbox"'),
    "a box with a word": (changed(1, bbox=[1, 2, 3, "4"]), 'entry 1 has "4" in its "bbox"'),
    "a box with NaN": (changed(1, bbox=[1, float("nan"), 3, 4]), 'entry 1 has nan in its "bbox"'),
    "an endless box": (changed(1, bbox=[1, 2, float("inf"), 4]), 'entry 1 has inf in its "bbox"'),
    "a box of many digits": (changed(1, bbox=[1, 2, 10**400, 4]), 'entry 1 has a number of many digits in its "bbox"'),
    "corners instead of sizes": (changed(1, bbox=[9, 9, -3, 4]), 'entry 1 has a "bbox" of -3 x 4 pixels'),
    "a mask of another size": (
        changed(1, segmentation=mask([100], (10, 10))),
        rf"entry 1 \(0.jpg\) has a mask of size 10 x 10, but its picture is {SIDE} x {SIDE}; predict again",
    ),
    "a mask without a size": (changed(1, segmentation={"counts": "0"}), "entry 1 .* has a mask of size None"),
    "a mask of size 'big'": (changed(1, segmentation=mask("0", "big")), 'entry 1 .* has a mask of size "big"'),
    "a mask of no counts": (changed(1, segmentation=mask(None)), 'entry 1 .* has a mask with None as "counts"'),
    "runs that are too short": (changed(1, segmentation=mask([5, 5])), "run lengths that do not add up to the 40000"),
    "runs that are too long": (changed(1, segmentation=mask([0, FULL + 1])), "do not add up to the 40000"),
    "a negative run": (changed(1, segmentation=mask([FULL + 5, -5])), "do not add up to the 40000"),
    "half a pixel": (changed(1, segmentation=mask([0.5, FULL - 0.5])), "do not add up to the 40000"),
    "no runs": (changed(1, segmentation=mask([])), "do not add up to the 40000"),
    "a code that ends early": (changed(1, segmentation=mask("PPPP")), "entry 1 .* run-length code is damaged"),
    "a code that is too long": (
        changed(1, segmentation=mask(compressed((0, 1), (FULL + 1, 4)))),
        "run-length code is damaged",
    ),
    "a code that goes back": (
        changed(1, segmentation=mask(compressed((0, 1), (FULL + 9, 4), (0, 1), (-FULL - 18, 4)))),
        "run-length code is damaged",
    ),
    "an empty code": (changed(1, segmentation=mask("")), "run-length code is damaged"),
    "a code of other letters": (changed(1, segmentation=mask("\u00e4")), "run-length code is damaged"),
    "a code with an end in it": (changed(1, segmentation=mask("0\0`")), "run-length code is damaged"),
    "a mask of text": (changed(1, segmentation="mask.png"), 'entry 1 .* has "mask.png" as "segmentation"'),
    "two vertices": (changed(1, segmentation=[[1, 2, 3, 4]]), "an outline that is no list of x and y of at least"),
    "an odd outline": (changed(1, segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "an outline that is no list of x and y"),
    "an outline of numbers": (changed(1, segmentation=[1, 2, 3, 4, 5, 6]), "an outline that is no list of x and y"),
    "an outline with NaN": (changed(1, segmentation=[[1, 2, 3, float("nan"), 5, 6]]), "has nan as a coordinate"),
    "an outline with a word": (changed(1, segmentation=[[1, 2, 3, "4", 5, 6]]), 'has "4" as a coordinate'),
    "an outline to the moon": (changed(1, segmentation=[[1, 2, 3e12, 4, 5, 6]]), "has 3000000000000.0 as a coordinate"),
    "an outline without end": (
        changed(1, segmentation=[[0, 0, 1e6, 1e6] * 50]),
        "has outlines of 100,000,000 pixels, more than a picture holds",
    ),
    "too many classes": (
        [{**DETECTIONS[0], "category_id": number} for number in range(9000)],
        "of more than 5000 classes that the ground truth does not have",
    ),
}


@pytest.mark.parametrize("bad", BAD_DETECTIONS)
def test_bad_detections_are_one_line(bad: str) -> None:
    detections, says = BAD_DETECTIONS[bad]
    tasks = ["box", "mask"]
    with pytest.raises(StudioError, match=f"^detections: .*{says}") as raised:
        measure(TWO, detections, tasks=tasks)
    assert "\n" not in str(raised.value)
    assert "; " in str(raised.value)  # the mend
    with pytest.raises(StudioError):
        match_image(TWO, detections, 0, tasks=tasks)


BAD_LABELS: dict[str, tuple[Any, str]] = {
    "a list": (DETECTIONS, "this is a list of 2, not a COCO document"),
    "no classes": (labels(lambda all: all.pop("categories")), 'there is no "categories"'),
    "pictures by name": (labels(lambda all: all.update(images={"a.jpg": 1})), '"images" is a group of 1, not a list'),
    "a picture that is a name": (labels(lambda all: all.update(images=["a.jpg"])), "picture at index 0 is .*a.jpg"),
    "a picture without an id": (labels(lambda all: all["images"][0].pop("id")), 'picture at index 0 has no "id"'),
    "a picture twice": (labels(lambda all: all["images"].append(all["images"][0])), "picture 0 is there twice"),
    "a picture of no size": (labels(lambda all: all["images"][0].update(width=0)), "picture 0 has a size of 0 x 200"),
    "a picture without a size": (labels(lambda all: all["images"][0].pop("height")), "a size of 200 x None pixels"),
    "a picture of half a pixel": (labels(lambda all: all["images"][0].update(width=0.5)), "a size of 0.5 x 200"),
    "a picture like a country": (
        labels(lambda all: all["images"][0].update(width=90_000, height=90_000)),
        "picture 0 has 8,100,000,000 pixels",
    ),
    "a picture named 5": (labels(lambda all: all["images"][0].update(file_name=5)), 'has 5 as "file_name"'),
    "a class twice": (
        labels(lambda all: all["categories"].append({"id": 1, "name": "again"})),
        "category 1 is there twice; give each class an id of its own",
    ),
    "a class named 5": (labels(lambda all: all["categories"][0].update(name=5)), 'category 1 has 5 as "name"'),
    "an object of no picture": (
        labels(lambda all: all["annotations"][1].update(image_id=7)),
        'annotation 1 has image_id 7, which "images" does not have',
    ),
    "an object of no class": (
        labels(lambda all: all["annotations"][1].update(category_id=7)),
        'annotation 1 has category_id 7, which "categories" does not have',
    ),
    "an object without an id": (labels(lambda all: all["annotations"][1].pop("id")), "annotation at index 1 has no"),
    "an object without an outline": (
        labels(lambda all: all["annotations"][1].pop("segmentation")),
        "annotation 1 has no outline; draw one or take it out",
    ),
    "half a crowd": (labels(lambda all: all["annotations"][1].update(iscrowd=2)), '1 has 2 as "iscrowd", not 0 or 1'),
    "a negative area": (labels(lambda all: all["annotations"][1].update(area=-1)), '1 has -1 as "area"'),
    "an area of NaN": (labels(lambda all: all["annotations"][1].update(area=float("nan"))), '1 has nan as "area"'),
    "a box inside out": (
        labels(lambda all: all["annotations"][1].update(bbox=[5, 5, 4, -2])),
        'annotation 1 has a "bbox" of 4 x -2 pixels',
    ),
    "a mask of another size": (
        labels(lambda all: all["annotations"][1].update(segmentation=mask([4], (2, 2)))),
        r"annotation 1 \(0.jpg\) has a mask of size 2 x 2",
    ),
}


@pytest.mark.parametrize("bad", BAD_LABELS)
def test_bad_labels_are_one_line(bad: str) -> None:
    document, says = BAD_LABELS[bad]
    with pytest.raises(StudioError, match=f"^ground truth: .*{says}") as raised:
        measure(document, DETECTIONS)
    assert "\n" not in str(raised.value)
    assert "; " in str(raised.value)


POSES = [{**entry, "keypoints": [30.0, 30.0, 2], "pose_score": 0.5} for entry in DETECTIONS]
POSED = labels(lambda all: all["annotations"][0].update(keypoints=[30, 30, 2]))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("keypoints", [1, 2], 'entry 1 has "keypoints" that are no list of x, y and visibility'),
        ("keypoints", "1 2 2", 'entry 1 has "keypoints" that are no list'),
        ("keypoints", [1, float("nan"), 2], 'entry 1 has nan in its "keypoints"'),
        ("keypoints", [1, 2, 2, 3, 4, 2], "entry 1 has 2 keypoints, but ground truth, annotation 0 has 1"),
        ("keypoints", [], 'entry 1 has no "keypoints"; predict again'),
        ("pose_score", 5, 'entry 1 has 5 as "pose_score", which is no number from 0 to 1'),
    ],
)
def test_bad_keypoints_are_one_line(field: str, value: Any, says: str) -> None:
    detections = [POSES[0], {**POSES[1], field: value}]
    with pytest.raises(StudioError, match=f"^detections: {says}"):
        measure(POSED, detections, tasks=["box", "keypoints"])


def test_what_can_be_measured_is_measured() -> None:
    """Each of these gives the same report: both objects found, nothing wrong."""
    right = evaluate(TWO, DETECTIONS)
    assert (right.per_image[0].tp, right.per_image[0].fp, right.segm["AP"]) == (2, 0, pytest.approx(1))
    whole = {
        "ids as texts": changed(1, image_id="0", category_id="1"),
        "ids as decimals": changed(1, image_id=0.0, category_id=1.0),
        "numpy": changed(1, score=np.float32(0.8), bbox=np.array([100.0, 100, 40, 40])),
        "tuples": changed(1, bbox=(100, 100, 40, 40)),
        "bytes": changed(1, segmentation=mask(DETECTIONS[1]["segmentation"]["counts"].encode())),
        "no box": changed(1, bbox=...),
        "a box of null": changed(1, bbox=None),
        "an iterator": iter(DETECTIONS),
        "an outline": changed(1, segmentation=TWO["annotations"][1]["segmentation"]),
        "read from a file": json.loads(json.dumps(DETECTIONS)),
    }
    for name, detections in whole.items():
        assert evaluate(TWO, detections, tasks=["box", "mask"]).segm == right.segm, name
    texts = labels(lambda all: (all["images"][0].update(id="0"), all["categories"][0].update(id="1")))
    assert evaluate(texts, DETECTIONS).segm == right.segm  # its annotations have numbers, as the detections have
    assert evaluate(TWO, []).segm["AP"] == 0
    assert evaluate(labels(lambda all: all.update(annotations=[])), []).segm["AP"] is None


def test_a_class_that_the_labels_do_not_have_is_wrong_in_the_tables_and_no_part_of_ap() -> None:
    detections = [*DETECTIONS, found(0, 77, *FIRST, 0.95)]
    report = evaluate(TWO, detections)
    assert (report.per_image[0].tp, report.per_image[0].fp) == (2, 1)
    assert report.segm["AP"] == pytest.approx(1)
    assert [row.name for row in report.per_class] == ["class 1", "class 2", "class 77"]


def test_masks_that_are_not_measured_are_not_looked_at_and_go_no_further() -> None:
    detections = changed(1, segmentation=mask("PPPP"))
    measured = measure(TWO, detections, tasks=["box"])
    assert measured.coco("bbox").summary()["AP"] == pytest.approx(1)
    assert not any("segmentation" in entry for entry in measured.detection_entries)


# Run-length codes


def test_a_negative_number_of_seven_characters_is_refused() -> None:
    """Runs 10, 50, 10, 30 of a 10 x 10 mask; the last is stored as 30 - 50 = -20. pycocotools reads -20 from up to six
    characters, and from seven another number: the code then covers more pixels than the mask has."""
    for characters in range(2, 7):
        counts = compressed((10, 1), (50, 2), (10, 1), (-20, characters))
        assert pixels_of(counts) == 100
        assert coco_mask.area(mask(counts, (10, 10))) == 50 + 30
    counts = compressed((10, 1), (50, 2), (10, 1), (-20, 7))
    assert coco_mask.area(mask(counts, (10, 10))) != 50 + 30
    assert pixels_of(counts) is None
    assert pixels_of_codes([counts.encode()]).tolist() == [-1]
    with pytest.raises(StudioError, match="run-length code is damaged"):
        encode_rle(mask(counts, (10, 10)), 10, 10)


def slow_pixels(counts: str) -> int | None:
    """The pixels of a code, character by character as maskApi.c reads it; None for what it would read wrongly."""
    runs: list[int] = []
    place, value = 0, 0
    for character in counts:
        digit = ord(character) - 48
        if not 0 <= digit < 64:
            return None
        value |= (digit & 31) << 5 * place
        place += 1
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << 5 * place
        if place > 7 or (place == 7 and digit & 16):
            return None
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        if runs[-1] < 0:
            return None
        place, value = 0, 0
    return None if place else sum(runs)


characters = st.integers(48, 111).map(chr)
codes = st.lists(st.text(st.one_of(characters, st.integers(48, 63).map(chr)), max_size=12), max_size=8)


@settings(max_examples=examples(60), deadline=None)
@given(codes)
def test_codes_are_measured_together_as_one_by_one(given_codes: list[str]) -> None:
    expected = [slow_pixels(code) for code in given_codes]
    assert [pixels_of(code) for code in given_codes] == expected
    assert pixels_of_codes([code.encode() for code in given_codes]).tolist() == [
        -1 if pixels is None else pixels for pixels in expected
    ]


@pytest.mark.parametrize("seed", range(3))
def test_masks_of_any_picture_are_measured_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = [rng.random((int(rng.integers(1, 40)), int(rng.integers(1, 40)))) < rng.random() for _ in range(300)]
    encoded = [coco_mask.encode(np.asfortranarray(pixels.astype(np.uint8)))["counts"] for pixels in masks]
    assert pixels_of_codes(encoded).tolist() == [pixels.size for pixels in masks]
