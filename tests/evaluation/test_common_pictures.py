"""The pictures and classes that two sets of labels and detections have in common."""

from __future__ import annotations

from typing import Any

import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import compare, evaluate
from maskrcnn.evaluation.common_pictures import LeftOut, common_pictures

Label = tuple[str, str, int]
"""File name of the picture, name of the class, and x of a square of 20 pixels at y = 10."""


def document(
    files: dict[int, str], classes: dict[int, str], labels: list[Label], size: tuple[int, int] = (100, 100)
) -> dict[str, Any]:
    """A COCO document with these ids; annotation ids start at 50."""
    image_of, class_of = ({name: number for number, name in names.items()} for names in (files, classes))
    width, height = size
    return {
        "images": [{"id": n, "file_name": name, "width": width, "height": height} for n, name in files.items()],
        "categories": [{"id": n, "name": name} for n, name in classes.items()],
        "annotations": [
            {
                "id": 50 + number,
                "image_id": image_of[file],
                "category_id": class_of[name],
                "iscrowd": 0,
                "area": 400,
                "bbox": [x, 10, 20, 20],
            }
            for number, (file, name, x) in enumerate(labels)
        ],
    }


def found(image: int, category: int, x: int, score: float = 0.9) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": [x, 10, 20, 20], "score": score}


A = document({1: "a.png", 2: "b.png", 3: "old.png"}, {1: "cat", 2: "dog"}, [("a.png", "cat", 10), ("b.png", "dog", 10)])
B = document(
    {7: "b.png", 8: "a.png", 9: "new.png"},
    {4: "dog", 5: "cat"},
    [("a.png", "cat", 10), ("a.png", "cat", 60), ("new.png", "dog", 10)],
)


def test_pictures_are_matched_by_name_and_classes_by_name() -> None:
    common = common_pictures(A, [found(2, 2, 10), found(3, 1, 0), found(1, 1, 10)], B, [found(8, 5, 60)])
    assert [(image["id"], image["file_name"]) for image in common.truth["images"]] == [(1, "b.png"), (2, "a.png")]
    assert [(entry["id"], entry["name"]) for entry in common.truth["categories"]] == [(1, "dog"), (2, "cat")]
    assert (common.images_a, common.images_b) == ((2, 1), (7, 8))
    assert [(entry["image_id"], entry["category_id"]) for entry in common.detections_a] == [(1, 1), (2, 2)]
    assert common.positions_a == (0, 2)  # the second one is on old.png
    assert [(entry["image_id"], entry["category_id"]) for entry in common.detections_b] == [(2, 2)]
    assert common.left_out == (LeftOut("old.png", "only in A"), LeftOut("new.png", "only in B"))


@pytest.mark.parametrize(("labels", "objects", "ids"), [("a", 2, (50, 51)), ("b", 2, (50, 51))])
def test_the_labels_of_one_side_decide(labels: Any, objects: int, ids: tuple[int, ...]) -> None:
    common = common_pictures(A, [], B, [], labels)
    assert len(common.truth["annotations"]) == objects
    assert common.annotation_ids == ids
    # In A, each picture has an object; in B, a.png has two and b.png has none.
    per_picture = sorted(entry["image_id"] for entry in common.truth["annotations"])
    assert per_picture == ([1, 2] if labels == "a" else [2, 2])


def test_a_label_fix_changes_the_figures_of_the_same_detections() -> None:
    """A finds one of two objects after the fix, and it was the only one before: AP50 is 1, then 51 of 101 recalls."""
    before = document({1: "a.png"}, {1: "cat"}, [("a.png", "cat", 10)])
    after = document({1: "a.png"}, {1: "cat"}, [("a.png", "cat", 10), ("a.png", "cat", 60)])
    one, both = [found(1, 1, 10)], [found(1, 1, 10), found(1, 1, 60)]
    for labels, of_a, of_b in (("a", 1.0, 1.0), ("b", 51 / 101, 1.0)):
        common = common_pictures(before, one, after, both, labels)  # type: ignore[arg-type]
        reports = [
            evaluate(common.truth, side, tasks=["box"], with_evidence=True)
            for side in (common.detections_a, common.detections_b)
        ]
        row = compare(reports[0], reports[1], resamples=10)["bbox"]["AP50"]
        assert (row["a"], row["b"]) == (pytest.approx(of_a), pytest.approx(of_b))


def test_pictures_of_another_size_or_named_twice_are_left_out() -> None:
    small = document({1: "a.png", 2: "b.png", 3: "c.png"}, {1: "cat"}, [])
    large = document({1: "a.png", 2: "b.png", 3: "c.png", 4: "c.png"}, {1: "cat"}, [])
    large["images"][0]["width"] = 101
    common = common_pictures(small, [], large, [])
    assert [image["file_name"] for image in common.truth["images"]] == ["b.png"]
    assert set(common.left_out) == {LeftOut("a.png", "other size"), LeftOut("c.png", "named twice")}


def test_names_in_other_unicode_forms_are_the_same() -> None:
    composed = document({1: "caf\u00e9.png"}, {1: "cat"}, [])
    decomposed = document({1: "cafe\u0301.png"}, {1: "cat"}, [])
    assert len(common_pictures(composed, [], decomposed, []).truth["images"]) == 1


def test_classes_of_one_side_are_left_out_on_both() -> None:
    other = document({1: "a.png"}, {1: "cat", 2: "fox"}, [("a.png", "cat", 10), ("a.png", "fox", 60)])
    common = common_pictures(A, [found(1, 2, 60), found(1, 1, 10)], other, [found(1, 2, 60)])
    assert (common.classes_a, common.classes_b) == (("dog",), ("fox",))
    assert [entry["name"] for entry in common.truth["categories"]] == ["cat"]
    assert len(common.truth["annotations"]) == 1
    assert (common.positions_a, common.positions_b) == ((1,), ())


def test_what_has_nothing_in_common_gets_one_line() -> None:
    cases = [
        (document({1: "x.png"}, {1: "cat"}, []), 'no picture is in both: A has "a.png", "b.png" and "old.png"'),
        (document({1: "a.png"}, {1: "cat"}, [], (50, 50)), "of another size in A and B"),
        (document({1: "a.png"}, {1: "fox"}, []), 'no class is in both: A finds "cat" and "dog", B "fox"'),
        (document({}, {1: "cat"}, []), "no picture is in both"),
        (document({1: "a.png"}, {}, []), "no class is in both"),
    ]
    for other, says in cases:
        with pytest.raises(StudioError, match="; compare two trainings") as error:
            common_pictures(A, [], other, [])
        assert says in str(error.value)
        assert "\n" not in str(error.value)


def test_detections_of_other_labels_are_refused() -> None:
    with pytest.raises(StudioError, match="detections of B: entry 1 is for image_id 1, which its labels do not have"):
        common_pictures(A, [], B, [found(8, 5, 10), found(1, 1, 10)])


def test_the_documents_are_not_changed() -> None:
    detections = [found(8, 5, 10)]
    before = repr((A, B, detections))
    common_pictures(A, [], B, detections)
    assert repr((A, B, detections)) == before
