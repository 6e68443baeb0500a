"""The pictures and classes that two sets of labels and detections have in common, with ids in common.

Two runs have documents of their own: other ids, perhaps other pictures and classes, and labels from before and after a
mend. For a comparison, both are judged on the pictures of the same name and size, by the labels of one of them.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_documents import Document, Entry, Id
from maskrcnn.words import counted, quoted_list

Side = Literal["a", "b"]
"""One of the two sides of a comparison."""

Reason = Literal["only in A", "only in B", "other size", "named twice"]


@dataclass(frozen=True)
class LeftOut:
    """The file name of a picture that is not compared, and why."""

    file: str
    why: Reason


@dataclass(frozen=True)
class CommonPictures:
    """Labels and detections on the P pictures and K classes that two sides have in common.

    `truth` is a COCO document; its ids are 1, 2, ... for pictures, classes and objects. `detections_a` and
    `detections_b` are COCO results with the same ids. What the ids were: `images_a` and `images_b` for the pictures,
    `annotation_ids` for the G objects in the labels that were used, those of the side `labels`; `positions_a` and
    `positions_b` are the indices of the detections in the lists that were given. `left_out` are the pictures that are
    not compared. `classes_a` and `classes_b` are the classes that only one side has; what is labelled or found as one
    of them is left out, too.
    """

    truth: dict[str, Any]
    detections_a: list[Entry]
    detections_b: list[Entry]
    labels: Side
    images_a: tuple[Id, ...]
    images_b: tuple[Id, ...]
    annotation_ids: tuple[Id, ...]
    positions_a: tuple[int, ...]
    positions_b: tuple[int, ...]
    left_out: tuple[LeftOut, ...] = ()
    classes_a: tuple[str, ...] = ()
    classes_b: tuple[str, ...] = ()


def common_pictures(
    truth_a: Document,
    detections_a: Iterable[Document],
    truth_b: Document,
    detections_b: Iterable[Document],
    labels: Side = "b",
) -> CommonPictures:
    """The pictures that two runs have in common, with the labels of one of them (`labels`) and both's detections.

    `truth_a` and `truth_b` are COCO documents, `detections_a` and `detections_b` COCO results for them. Pictures are
    the same if file name and size are equal, classes if their names are. Evaluate both sides on `truth` of the result
    for `compare`. Raises `StudioError` if there is no picture or no class in common, or a detection belongs to no
    picture of its side.

    >>> def document(number):
    ...     image = {"id": number, "file_name": "a.png", "width": 100, "height": 100}
    ...     label = {"id": 5, "image_id": number, "category_id": number, "bbox": [0, 0, 9, 9], "area": 81, "iscrowd": 0}
    ...     return {"images": [image], "categories": [{"id": number, "name": "cell"}], "annotations": [label]}
    >>> found = {"image_id": 7, "category_id": 7, "bbox": [0, 0, 9, 9], "score": 0.9}
    >>> common = common_pictures(document(3), [], document(7), [found])
    >>> common.images_a, common.images_b, common.truth["images"][0]["id"], common.detections_b[0]["image_id"]
    ((3,), (7,), 1, 1)
    """
    a, b = _Side("A", truth_a, detections_a), _Side("B", truth_b, detections_b)
    judge = a if labels == "a" else b
    left_out: list[LeftOut] = []
    names = []
    for name in judge.images:
        if name in a.repeated or name in b.repeated:
            continue
        if name in a.images and name in b.images:
            if a.size(name) == b.size(name):
                names.append(name)
            else:
                left_out.append(LeftOut(name, "other size"))
    left_out += [LeftOut(name, "named twice") for name in sorted(a.repeated | b.repeated)]
    left_out += [LeftOut(name, "only in A") for name in a.images if name not in b.images and name not in a.repeated]
    left_out += [LeftOut(name, "only in B") for name in b.images if name not in a.images and name not in b.repeated]
    if not names:
        raise _no_picture(a, b, left_out)
    known_a, known_b = set(a.classes.values()), set(b.classes.values())
    classes = [name for name in dict.fromkeys(judge.classes.values()) if name in known_a and name in known_b]
    if not classes:
        raise StudioError(
            f"no class is in both: A finds {_names(a.classes.values())}, B {_names(b.classes.values())}; compare two "
            "trainings that find the same things"
        )
    images = {name: number for number, name in enumerate(names, 1)}
    categories = {name: number for number, name in enumerate(classes, 1)}
    annotations, annotation_ids = judge.annotations(images, categories)
    found_a, positions_a = a.detections(images, categories)
    found_b, positions_b = b.detections(images, categories)
    entries = {category["name"]: category for category in judge.truth["categories"]}
    return CommonPictures(
        truth={
            "images": [{**judge.images[name], "id": number} for name, number in images.items()],
            "categories": [{**entries[name], "id": number} for name, number in categories.items()],
            "annotations": annotations,
        },
        detections_a=found_a,
        detections_b=found_b,
        labels=labels,
        images_a=tuple(a.images[name]["id"] for name in names),
        images_b=tuple(b.images[name]["id"] for name in names),
        annotation_ids=annotation_ids,
        positions_a=positions_a,
        positions_b=positions_b,
        left_out=tuple(left_out),
        classes_a=tuple(sorted(known_a - known_b)),
        classes_b=tuple(sorted(known_b - known_a)),
    )


class _Side:
    """One side of a comparison: its pictures by name, and its classes by id."""

    def __init__(self, name: str, truth: Document, detections: Iterable[Document]) -> None:
        self.name = name
        self.truth = truth
        self.given = list(detections)
        names = [unicodedata.normalize("NFC", image["file_name"]) for image in truth["images"]]
        self.images: dict[str, Document] = dict(zip(names, truth["images"], strict=True))
        self.repeated = {name for name, times in Counter(names).items() if times > 1}
        self.classes: dict[Id, str] = {category["id"]: str(category["name"]) for category in truth["categories"]}
        self._names = {image["id"]: name for name, image in zip(names, truth["images"], strict=True)}

    def size(self, name: str) -> tuple[int, int]:
        """Width and height of a picture in pixels."""
        return self.images[name]["width"], self.images[name]["height"]

    def annotations(
        self, images: Mapping[str, int], categories: Mapping[str, int]
    ) -> tuple[list[Entry], tuple[Id, ...]]:
        """The labelled objects with ids in common (pictures and classes by name), and the ids that they had."""
        found, ids = [], []
        for entry in self.truth["annotations"]:
            image = images.get(self._names.get(entry["image_id"], ""))
            category = categories.get(self.classes.get(entry["category_id"], ""))
            if image is not None and category is not None:
                ids.append(entry["id"])
                found.append({**entry, "id": len(ids), "image_id": image, "category_id": category})
        return found, tuple(ids)

    def detections(
        self, images: Mapping[str, int], categories: Mapping[str, int]
    ) -> tuple[list[Entry], tuple[int, ...]]:
        """The detections with ids in common, and their indices in the given list.

        Raises `StudioError` for a detection that belongs to no picture of this side.
        """
        found, positions = [], []
        for position, entry in enumerate(self.given):
            name = self._names.get(entry.get("image_id", ""))
            if name is None:
                raise StudioError(
                    f"detections of {self.name}: entry {position} is for image_id {entry.get('image_id')}, which its "
                    "labels do not have; give the labels that these detections were made on"
                )
            category = categories.get(self.classes.get(entry.get("category_id", ""), ""))
            if name in images and category is not None:
                positions.append(position)
                found.append({**entry, "image_id": images[name], "category_id": category})
        return found, tuple(positions)


def _no_picture(a: _Side, b: _Side, left_out: Sequence[LeftOut]) -> StudioError:
    """The error for two sides without a picture in common."""
    if sized := [entry.file for entry in left_out if entry.why == "other size"]:
        return StudioError(
            f"{counted(len(sized), 'picture')} of the same name, but of another size in A and B ({_names(sized)}); "
            "compare two trainings on the same pictures"
        )
    sides = [f"{side.name} has {_names(side.images)}" for side in (a, b)]
    return StudioError(
        f"no picture is in both: {sides[0]}, {sides[1]}; compare two trainings that were validated on the same pictures"
    )


def _names(names: Iterable[str]) -> str:
    """The first names of a list in quotes."""
    found = tuple(names)
    return quoted_list(found) if found else "nothing"
