"""Slips in class names, against a slow oracle; classes that are rare; names that are missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskrcnn.annotations import similar_class_names
from maskrcnn.annotations.doctor import apply, class_checks, examine
from maskrcnn.annotations.regions import Point, Region
from tests.annotations.doctor import made_up


@pytest.mark.parametrize(
    ("counts", "slips"),
    [
        ({"car": 5, "Car": 1}, {"Car": "car"}),
        ({"car": 1, "Car": 5}, {"car": "Car"}),
        ({"car": 2, "Car": 2}, {"car": "Car"}),  # the first of the alphabet
        ({"red light": 3, "red_light": 1, " red  light ": 1}, {"red_light": "red light", " red  light ": "red light"}),
        ({"scratch": 20, "scrach": 2}, {"scrach": "scratch"}),
        ({"scratch": 20, "scarthc": 1}, {}),  # two slips
        ({"scratch": 20, "scratsch": 2, "Scratch": 1}, {"scratsch": "scratch", "Scratch": "scratch"}),
        ({"scratch": 20, "scrach": 3}, {}),  # 3 of 20 is not rare
        ({"scratch": 9, "scrach": 1}, {}),
        ({"cat": 50, "car": 1}, {}),  # too short to tell
        ({"type 1": 50, "type 2": 1}, {}),
        ({"boat": 500, "goat": 50, "gloat": 1}, {"goat": "boat", "gloat": "boat"}),
        ({"dent": 3, "unused": 0, "Unused": 0}, {}),
        ({"жук": 2, "Жук": 1}, {"Жук": "жук"}),
        ({"car": 5, "cars": 4}, {"cars": "car"}),  # however short and however common
        ({"cars": 5, "car": 4}, {"car": "cars"}),
        ({"box": 5, "Boxes": 1}, {"Boxes": "box"}),
        ({"berry": 3, "berries": 9}, {"berry": "berries"}),
        ({"knife": 3, "knives": 1, "Knives": 1}, {"knives": "knife", "Knives": "knife"}),
        ({"leaf": 2, "leaves": 2}, {"leaf": "leaves"}),  # equally common: the last of the alphabet
        ({"US": 3, "U": 1, "glass": 2, "glove": 2, "a1": 2, "a1s": 2}, {}),
        ({"traffic light": 3, "trafficlight": 1, "TrafficLight": 1}, {"trafficlight": "traffic light",
                                                                    "TrafficLight": "traffic light"}),
        ({"stop sign": 3, "\uff53top\u3000sign": 1}, {"\uff53top\u3000sign": "stop sign"}),
        ({"v1-2": 3, "v12": 1, "v1 2": 1}, {"v1 2": "v1-2"}),
        ({"HER2+": 50, "HER2-": 1, "her2 +": 1}, {"her2 +": "HER2+"}),
    ],
)  # fmt: skip
def test_slips(counts: dict[str, int], slips: dict[str, str]) -> None:
    assert similar_class_names.misspelt_classes(counts) == slips


def test_a_class_that_is_chosen_from_a_list_is_no_slip_of_one_letter() -> None:
    counts = {"boat": 50, "goat": 1, "Boat": 1}
    assert similar_class_names.misspelt_classes(counts, declared=("boat", "goat")) == {"Boat": "boat"}
    assert similar_class_names.misspelt_classes({"Boat": 2, "boat": 2}, declared=("boat",)) == {"Boat": "boat"}
    assert similar_class_names.misspelt_classes({"car": 5, "cars": 9}, declared=("car", "cars")) == {}
    assert similar_class_names.misspelt_classes({"car": 5, "cars": 9}, declared=("car",)) == {"cars": "car"}


def _distance(one: str, other: str) -> int:
    """Damerau-Levenshtein (optimal string alignment), by its recursion."""
    table = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            cost = one[i - 1] != other[j - 1]
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + cost)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(one), len(other)]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_slip_is_a_damerau_levenshtein_distance_of_one(one: str, other: str) -> None:
    assert similar_class_names.one_slip_apart(one, other) == (_distance(one, other) == 1)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"a": 10, "b": 1}, '"a" has 10 objects, but "b" 1'),
        ({"a": 10, "b": 2}, None),
        ({"a": 100, "b": 1, "c": 10, "d": 11, "e": 0}, '"a" has 100 objects, but "b" 1, "c" 10'),
        ({}, None),
    ],
)
def test_rare_classes(counts: dict[str, int], said: str | None) -> None:
    assert [finding.what for finding in class_checks.imbalance(counts)] == ([said] if said else [])


def test_renaming_leaves_no_class_without_regions(tmp_path: Path) -> None:
    dataset = made_up.MADE_UP["class-typo"](tmp_path)
    assert dataset.classes == ("Dent", "dent", "scratch")
    assert apply(dataset, examine(dataset)).classes == dataset.classes  # "Dent" and "dent" may be two classes
    found = made_up.decided(examine(dataset))
    assert found[0].fix is not None
    assert (found[0].file_name, found[0].region_number, found[0].fix.value) == ("c.png", 1, "dent")
    mended = apply(dataset, found)
    assert mended.classes == ("dent", "scratch")
    assert [region.class_name for region in mended.images[2].regions] == ["dent", "scratch"]


def test_where_there_is_one_class_it_is_given(tmp_path: Path) -> None:
    record = made_up.record(tmp_path, "a.png", made_up.PAIR[0], Region(made_up.SCRATCH, None), Region(Point(3, 3)))
    found = examine(made_up.dataset(record))
    assert [(f.check, f.region_number) for f in found] == [("line-or-point", 3), ("no-class", 2)]  # not the point
    assert [r.class_name for r in apply(made_up.dataset(record), found).images[0].regions] == ["dent", "dent", None]
    # A second class that is only declared is enough not to know.
    found = examine(made_up.dataset(record, classes=("dent", "window")))
    assert [(finding.check, finding.fix) for finding in found] == [("line-or-point", None), ("no-class", None)]


def test_a_class_is_counted_without_what_goes(tmp_path: Path) -> None:
    """10 dents, of which one is drawn twice, and one "dnet": 9 to 1 is too few to call it a slip."""
    places = [made_up.Rect(20 * column, 40 * row, 18, 38) for row in range(2) for column in range(9)]
    dents = [Region(place, "dent") for place in [*places[:9], places[0]]]
    record = made_up.record(tmp_path, "a.png", *dents, Region(places[10], "dnet"))
    assert {finding.check for finding in examine(made_up.dataset(record))} == {"duplicate"}
    more = replace(record, regions=(*record.regions, Region(places[12], "dent")))
    assert {finding.check for finding in examine(made_up.dataset(more))} == {"duplicate", "class-typo"}
