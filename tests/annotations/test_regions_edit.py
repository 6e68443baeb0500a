"""Edits of a picture's regions: what they do and refuse, and that they are the difference of two states."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from maskrcnn.annotations.editing.regions_edit import (
    Edit,
    applied,
    edit_between,
    with_stored_fields,
    with_stored_values,
)
from maskrcnn.annotations.regions import Point, Polygon, Rect, Region
from maskrcnn.errors import StudioError

A, B, C = (Region(Point(n, n), "cell", id=name) for n, name in enumerate("abc"))


def test_a_changed_region_keeps_its_place_and_a_new_one_comes_last() -> None:
    changed = A.with_shape(Point(9, 9))
    assert applied((A, B), Edit(put=(C, changed))) == (changed, B, C)


def test_a_region_that_is_not_there_cannot_be_removed_twice() -> None:
    assert applied((A, B), Edit(remove=("a", "x"))) == (B,)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit(put=(A, A)), "same id"),
        (Edit(put=(A,), remove=("a",)), "changes and removes"),
        (Edit(order=("a",)), "orders other regions"),
        (Edit(order=("a", "b", "c")), "orders other regions"),
        (Edit(order=("a", "a")), "orders other regions"),
        (Edit(remove=("a",), order=("a", "b")), "orders other regions"),
        (Edit(order={"x": 0}), "orders other regions"),
        (Edit(order={"a": 0, "x": 1}), "orders other regions"),
        (Edit(order={"a": 0, "b": 0}), "to places that there are not"),
        (Edit(order={"a": 2}), "to places that there are not"),
        (Edit(order={"a": -1}), "to places that there are not"),
        (Edit(remove=("b",), order={"a": 1}), "to places that there are not"),
    ],
)
def test_an_edit_that_contradicts_itself_is_refused(edit: Edit, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        applied((A, B), edit)


def test_an_order_of_some_regions_lets_the_others_fill_the_free_places() -> None:
    rng = random.Random(3)
    for _ in range(300):
        before = tuple(Region(Point(n, 0), id=str(n)) for n in range(rng.randint(1, 9)))
        moving = rng.sample([region.id for region in before], rng.randint(0, len(before)))
        places = dict(zip(moving, rng.sample(range(len(before)), len(moving)), strict=True))
        after = [region.id for region in applied(before, Edit(order=places))]
        assert {identity: after.index(identity) for identity in moving} == places
        assert [identity for identity in after if identity not in places] == sorted(set(after) - places.keys())


def test_the_edit_between_two_states_makes_the_second_of_the_first() -> None:
    rng = random.Random(5)
    for _ in range(300):
        before = tuple(Region(Point(n, 0), id=str(n)) for n in rng.sample(range(9), rng.randint(0, 9)))
        kept = [replace(region, class_name=rng.choice([None, "a"])) for region in before if rng.random() < 0.7]
        after = [*kept, *(Region(Point(n, 1), id=f"new {n}") for n in range(rng.randint(0, 2)))]
        if rng.random() < 0.5:
            rng.shuffle(after)
        edit = edit_between(before, tuple(after))
        assert applied(before, edit) == tuple(after)
        assert bool(edit) == (before != tuple(after))
        assert not any(region in before for region in edit.put)


def test_what_a_browser_does_not_know_stays_with_the_region() -> None:
    stored = Region(Rect(1.0, 2.0, 3.0, 4.0), "cell", {"n": 2.0}, extras={"coco": {"id": 3}}, id="a")
    sent = Region(Rect(1, 2, 3, 4), "nut", {"n": 2, "new": 1}, id="a")
    result = with_stored_fields(sent, stored)
    assert result == replace(stored, class_name="nut", attributes={"n": 2.0, "new": 1})
    assert type(result.attributes["n"]) is float
    assert type(result.shape.x) is float  # type: ignore[union-attr]


def test_what_was_said_of_the_old_shape_goes_with_it() -> None:
    stored = Region(Rect(1, 2, 3, 4), "cell", extras={"coco": {"area": 12}}, id="a")
    sent = replace(stored, shape=Polygon(((0, 0), (1, 0), (1, 1))))
    assert with_stored_fields(sent, stored).extras == {}


def test_a_new_region_brings_no_extras() -> None:
    assert with_stored_fields(replace(A, extras={"via": {"number": "3"}}), None) == A


@pytest.mark.parametrize(
    ("stored", "sent", "kept"),
    [
        (1.0, 1, True),
        (1, True, False),
        (True, 1, False),
        (0, False, False),
        (None, False, False),
        (12345678901234567890, 12345678901234567000, True),
        (12345678901234567890, 12345678901234570000, False),
        (10**400, None, True),
        (float("nan"), None, True),
        ("1", 1, False),
        ({"a": 1.0, "b": [True, None]}, {"a": 1, "b": [True, None]}, True),
        ({"a": 1.0}, {"a": 1, "b": 1}, False),
        ([1, 2], [1], False),
    ],
)
def test_an_attribute_keeps_its_exact_value_if_the_browser_did_not_change_it(
    stored: object, sent: object, kept: bool
) -> None:
    result = with_stored_values({"x": sent}, {"x": stored, "gone": 1})
    assert result.keys() == {"x"}
    assert result["x"] is (stored if kept else sent)
