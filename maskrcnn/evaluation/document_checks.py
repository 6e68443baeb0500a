"""Checks of the entries of COCO documents, field by field: each takes a few passes over all entries.

Documents come from other programs, or from strangers. What is wrong is told in one line that names the entry and the
mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.mask_codes import FARTHEST, wrong_numbers
from maskrcnn.words import brief

Document = Mapping[str, Any]
Id = int | str
"""An id of an image or a category: an integer in COCO's files, a text in the files of some other programs."""

LARGEST_SIDE = 100_000
"""Maximum width and height of a picture in pixels."""

MOST_PIXELS = 2**31
"""Maximum number of pixels of a picture: pycocotools counts them in 32 bits."""

RESULTS = 'write COCO results, a list of {"image_id": 1, "category_id": 1, "bbox": [x, y, w, h], "score": 0.9}'
"""Part of error messages: what detections look like."""

LABELS = 'give a COCO document with "images", "annotations" and "categories"'
"""Part of error messages: what ground truth looks like."""


class Entries:
    """The entries of one list of a document, and the errors about them.

    `named(index)` is the name of an entry in a message, `mend` the usual end of a message, `mask_mend` that of one
    about a mask.
    """

    def __init__(
        self, entries: Sequence[Document], named: Callable[[int], str], mend: str, mask_mend: str | None = None
    ) -> None:
        self.entries, self.named, self._mend, self.mask_mend = entries, named, mend, mask_mend or mend

    def fault(self, index: int, wrong: str, mend: str | None = None) -> StudioError:
        """The error about an entry: its name, what is wrong, the mend."""
        return StudioError(f"{self.named(index)} {wrong}; {mend or self._mend}")

    def column(self, field: str) -> list[Any]:
        """The values of a field. Raises `StudioError` for the first entry without it."""
        try:
            return [entry[field] for entry in self.entries]
        except KeyError:
            index = next(index for index, entry in enumerate(self.entries) if field not in entry)
            raise self.fault(index, f'has no "{field}"') from None

    def scores(self, field: str) -> None:
        """Raise `StudioError` for the first entry whose score is no number from 0 to 1."""
        values = self.column(field)
        for index in wrong_numbers(values, 0, 1)[:1]:
            raise self.fault(
                index,
                f'has {brief(values[index])} as "{field}", which is no number from 0 to 1',
                "scale the scores to 0 to 1, or write the detections again",
            )

    def own_ids(self) -> list[Id]:
        """The ids of the entries. Raises `StudioError` for the first that is neither a whole number nor a text."""
        ids = self.column("id")
        if not {int, str}.issuperset(map(type, ids)):
            for index, value in enumerate(ids):
                require_id(value, "id", index, self)
        return ids

    def flags(self, field: str) -> list[int]:
        """The values of a field that is 0 or 1, or missing for 0. Raises `StudioError` for the first other one."""
        values = [entry.get(field) or 0 for entry in self.entries]
        for index in wrong_numbers([int(value) if isinstance(value, bool) else value for value in values], 0, 1)[:1]:
            raise self.fault(index, f'has {brief(values[index])} as "{field}", not 0 or 1')
        return [int(value > 0) for value in values]

    def boxes(self, rows: Sequence[int], copies: Sequence[Document]) -> None:
        """Raise `StudioError` for the first of the `copies` of the entries `rows` whose box is not [x, y, w, h].

        A box of None counts as missing.
        """
        chosen = [place for place, entry in enumerate(copies) if entry.get("bbox") is not None]
        boxes = [copies[place]["bbox"] for place in chosen]
        try:
            array = np.array(boxes)
        except ValueError:  # boxes of several lengths
            array = np.zeros(0, dtype=object)
        is_plain = array.shape == (len(boxes), 4) and array.dtype.kind in "if"
        if not boxes or (is_plain and np.abs(array).max() <= FARTHEST and array[:, 2:].min() >= 0):
            return
        for index, box in zip((rows[place] for place in chosen), boxes, strict=True):
            if not isinstance(box, list | tuple | np.ndarray) or len(box) != 4:
                raise self.fault(index, f'has {brief(box)} as "bbox", not the four numbers x, y, width and height')
            for place in wrong_numbers([*box], -FARTHEST, FARTHEST)[:1]:
                raise self.fault(index, f'has {brief(box[place])} in its "bbox", which is no number of pixels')
            if min(box[2:]) < 0:
                raise self.fault(index, f'has a "bbox" of {brief(box[2])} x {brief(box[3])} pixels')

    def keypoints(self) -> None:
        """Raise `StudioError` for the first entry whose keypoints are not finite numbers in threes."""
        for index, entry in enumerate(self.entries):
            if not is_given(given := entry.get("keypoints")):
                continue
            if not isinstance(given, list | tuple | np.ndarray) or len(given) % 3:
                raise self.fault(index, 'has "keypoints" that are no list of x, y and visibility in turn')
            for place in wrong_numbers([*given], -FARTHEST, FARTHEST)[:1]:
                raise self.fault(index, f'has {brief(given[place])} in its "keypoints", which is no number of pixels')

    def known_ids(self, field: str, known: Iterable[Id], unknown: Callable[[int, Id], Id]) -> list[Id]:
        """The ids of a field as they are written in `known`: "12" for 12, or the other way round, if that is meant.

        `unknown(index, id)` gives the id to take for one that is not known, or raises.
        """
        values, exact = self.column(field), dict.fromkeys(known)
        try:
            if all(value in exact for value in set(values)):
                return values
        except TypeError:  # a list or an object as an id
            pass
        found = []
        for index, value in enumerate(values):
            require_id(value, field, index, self)
            if value not in exact:
                other = _other_spelling(value)
                value = other if other in exact else unknown(index, value)
            found.append(value)
        return found


def is_given(value: Any) -> bool:
    """Whether a field has a value: neither None nor an empty list."""
    return value is not None and (not hasattr(value, "__len__") or len(value) > 0)


def result_entries(detections: Any) -> Entries:
    """The entries of `result_list`."""
    return Entries(
        result_list(detections),
        lambda index: f"detections: entry {index}",
        "mend it, or write the detections again",
        "predict again on these pictures",
    )


def require_id(value: Any, field: str, index: int, entries: Entries) -> None:
    """Raise `StudioError` if the id of an entry is neither a whole number nor a text."""
    if isinstance(value, bool) or not isinstance(_whole(value), int | str):
        raise entries.fault(index, f'has {brief(value)} as "{field}", which is no id')


def _whole(value: Any) -> Any:
    """The value 3.0 as 3, because spreadsheets write whole numbers so; any other value as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _other_spelling(number: Id) -> Id:
    """The number of an id that is a text of digits, and the text of an id that is a number.

    >>> _other_spelling("12"), _other_spelling(12), _other_spelling("a.jpg")
    (12, '12', 'a.jpg')
    """
    if not isinstance(number, str):
        return str(_whole(number))
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else number


def result_list(detections: Any) -> list[Document]:
    """Detections as a list. Raises `StudioError` if they are no list, or an entry is no object."""
    if isinstance(detections, Mapping):
        what = "a COCO document with labels" if {"images", "annotations"} & set(detections) else "one object"
        raise StudioError(f"detections: this is {what}, not a list of detections; {RESULTS}")
    if isinstance(detections, str | bytes) or not isinstance(detections, Iterable):
        raise StudioError(f"detections: this is {brief(detections)}, not a list of detections; {RESULTS}")
    found = list(detections)
    require_objects(found, lambda index: f"detections: entry {index}", RESULTS)
    return found


def require_objects(entries: Sequence[Any], named: Callable[[int], str], mend: str) -> None:
    """Raise `StudioError` for the first entry that is not an object (a dict)."""
    if not {dict}.issuperset(map(type, entries)):
        for index, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                raise StudioError(f"{named(index)} is {brief(entry)}, not an object in braces; {mend}")


def label_lists(ground_truth: Any) -> tuple[Entries, Entries, Entries]:
    """The images, annotations and categories of ground truth. Raises `StudioError` if they are no lists of objects."""
    if not isinstance(ground_truth, Mapping):
        raise StudioError(f"ground truth: this is {brief(ground_truth)}, not a COCO document; {LABELS}")
    found = []
    for field, noun in (("images", "picture"), ("annotations", "annotation"), ("categories", "category")):
        entries = ground_truth.get(field)
        if not isinstance(entries, list | tuple):
            shown = f'"{field}" is {brief(entries)}, not a list' if field in ground_truth else f'there is no "{field}"'
            raise StudioError(f"ground truth: {shown}; {LABELS}")

        def named(index: int, entries: Sequence[Any] = entries, noun: str = noun) -> str:
            is_plain = isinstance(entries[index], Mapping) and isinstance(entries[index].get("id"), int | str)
            number = brief(entries[index]["id"]).strip('"') if is_plain else f"at index {index}"
            return f"ground truth: {noun} {number}"

        require_objects(entries, named, LABELS)
        found.append(Entries(entries, named, "mend it in the labels, or take it out"))
    return found[0], found[1], found[2]


def images_by_id(images: Entries) -> dict[Id, dict[str, Any]]:
    """Copies of the images by id, with whole numbers as `width` and `height`, and a `file_name`.

    Raises `StudioError` if two have the same id, or if one has no size.
    """
    found: dict[Id, dict[str, Any]] = {}
    for index, (image, number) in enumerate(zip(images.entries, _unique_ids(images, "picture"), strict=True)):
        sides = [_whole(image.get(side)) for side in ("width", "height")]
        if any(type(side) is not int or not 0 < side <= LARGEST_SIDE for side in sides):
            shown = " x ".join(brief(image.get(side)) for side in ("width", "height"))
            raise images.fault(index, f"has a size of {shown} pixels")
        if sides[0] * sides[1] >= MOST_PIXELS:
            raise images.fault(index, f"has {sides[0] * sides[1]:,} pixels, more than can be measured")
        name = image.get("file_name", f"picture {number}")
        if not isinstance(name, str):
            raise images.fault(index, f'has {brief(name)} as "file_name", not a text')
        found[number] = {**image, "width": sides[0], "height": sides[1], "file_name": name}
    return found


def categories_by_id(categories: Entries) -> dict[Id, dict[str, Any]]:
    """Copies of the categories by id, with a `name`. Raises `StudioError` if two have the same id."""
    found: dict[Id, dict[str, Any]] = {}
    for index, (category, number) in enumerate(zip(categories.entries, _unique_ids(categories, "class"), strict=True)):
        name = category.get("name", f"class {number}")
        if not isinstance(name, str):
            raise categories.fault(index, f'has {brief(name)} as "name", not a text')
        found[number] = {**category, "name": name}
    return found


def _unique_ids(entries: Entries, noun: str) -> list[Id]:
    """The ids of images or categories. Raises `StudioError` if one is no id or there twice."""
    ids = entries.own_ids()
    seen: set[Id] = set()
    for index, number in enumerate(ids):
        if number in seen:
            raise entries.fault(index, "is there twice", f"give each {noun} an id of its own")
        seen.add(number)
    return ids
