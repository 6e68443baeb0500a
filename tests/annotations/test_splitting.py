"""The split: shares and classes worked by hand, promises by hypothesis, and brute force as the oracle."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskrcnn.annotations import splitting
from maskrcnn.annotations.dataset import Dataset, ImageRecord, Split
from maskrcnn.annotations.duplicate_pictures import duplicates_in_both_splits
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.splitting import shares, stratified
from maskrcnn.errors import ArgumentError
from tests.sweeps import examples


def dataset(*rows: str) -> Dataset:
    """A picture for each row ("0.png", "1.png", ...) with an object for each letter, of the class of that letter."""
    return Dataset(
        [
            ImageRecord(f"{number}.png", tuple(Region(Rect(0, 0, 9, 9), letter) for letter in row))
            for number, row in enumerate(rows)
        ]
    )


def val_of(splits: dict[str, Split]) -> set[str]:
    return {name for name, split in splits.items() if split == "val"}


def lacking(rows: Sequence[str], val: set[int]) -> int:
    """How many classes of at least two pictures lie on one side only."""
    places = [[n for n, row in enumerate(rows) if letter in row] for letter in set("".join(rows))]
    return sum(len(where) > 1 and len({n in val for n in where}) == 1 for where in places)


# Worked by hand


def test_each_of_two_classes_gives_its_share() -> None:
    rows = ["a"] * 10 + ["b"] * 5
    for seed in range(10):
        val = val_of(stratified(dataset(*rows), 0.2, seed))
        assert sorted(rows[int(name.removesuffix(".png"))] for name in val) == ["a", "a", "b"]


def test_dealing_alone_gives_each_class_exactly_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many pictures only some are tried for a better place afterwards."""
    monkeypatch.setattr(splitting, "_SWAPS", 0)
    monkeypatch.setattr(splitting, "_TRIED", 0)
    rows = [letter for letter in "abcdefghijklmno" for _ in range(100)]
    found = shares(dataset(*rows), stratified(dataset(*rows), 0.2))
    assert [row.val_objects for row in found] == [20] * 15


def test_objects_count_and_not_only_pictures() -> None:
    # Half of 12 objects in half of 4 pictures: the picture with 5 must go with one of 1, as 5 + 1 = 3 + 3.
    splits = stratified(dataset("aaaaa", "aaa", "aaa", "a"), 0.5)
    assert splits["0.png"] == splits["3.png"] != splits["1.png"] == splits["2.png"]


def test_a_class_of_one_picture_goes_to_training() -> None:
    for seed in range(10):
        assert stratified(dataset("ab", "a", "a", "a"), 0.75, seed)["0.png"] == "train"


def test_pictures_without_objects_are_shared_out_too() -> None:
    rows = ["a"] * 10 + [""] * 10
    val = val_of(stratified(dataset(*rows), 0.2))
    assert sum(rows[int(name.removesuffix(".png"))] == "" for name in val) == 2


def test_a_rare_class_is_on_both_sides_although_common_ones_fill_the_pictures() -> None:
    rows = ["a"] * 50 + ["b"] * 50 + ["c", "c", "d", "d", "e", "e", "f", "f"]
    val = {int(name.removesuffix(".png")) for name in val_of(stratified(dataset(*rows), 0.06))}
    assert len(val) == 6  # 0.06 of 108 is 6.48, and there are 6 classes
    assert lacking(rows, val) == 0


def test_groups_stay_together_also_where_they_share_a_picture() -> None:
    groups = [["0.png", "1.png"], ["1.png", "2.png"], ["4.png", "unknown.png"]]
    for seed in range(20):
        splits = stratified(dataset(*"aaaaaa"), 0.5, seed, groups)
        assert splits["0.png"] == splits["1.png"] == splits["2.png"]
        assert len(val_of(splits)) == 3


def test_another_seed_is_another_split() -> None:
    assert len({frozenset(val_of(stratified(dataset(*"a" * 20), 0.2, seed))) for seed in range(10)}) > 5


@pytest.mark.parametrize(("share", "expected"), [(0, 0), (0.01, 1), (0.49, 1), (0.5, 2), (0.99, 2), (1, 3)])
def test_neither_side_is_empty_unless_that_was_asked_for(share: float, expected: int) -> None:
    assert len(val_of(stratified(dataset("a", "a", "b"), share))) == expected


def test_large_groups_leave_no_side_empty() -> None:
    groups = [[f"{n}.png" for n in range(5)], [f"{n}.png" for n in range(5, 10)]]
    assert len(val_of(stratified(dataset(*"aaaaaaaaaa"), 0.1, 0, groups))) == 5


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ArgumentError, match="from 0 to 1"):
        stratified(dataset("a"), share)


def test_nothing_to_split() -> None:
    assert stratified(Dataset(())) == {}
    assert stratified(dataset("a"), 0.2) == {"0.png": "train"}


def test_the_table_of_shares() -> None:
    images = [
        ImageRecord("0.png", (Region(Rect(0, 0, 9, 9), "a"), Region(Rect(0, 0, 9, 9), "a")), split="val"),
        ImageRecord("1.png", (Region(Rect(0, 0, 9, 9), "a"), Region(Rect(0, 0, 9, 9)))),
        ImageRecord("2.png", (Region(Rect(0, 0, 9, 9), "a", iscrowd=True),), split="val"),  # no object
    ]
    found = shares(Dataset(images, ("b", "a")))
    assert [tuple(row) for row in found] == [("b", 0, 0, 0, 0), ("a", 1, 2, 1, 1)]
    assert math.isnan(found[0].val_share)
    assert found[1].val_share == pytest.approx(2 / 3)
    other: dict[str, Split] = {"0.png": "train", "1.png": "train", "2.png": "val"}
    assert [row.val_objects for row in shares(Dataset(images, ("b", "a")), other)] == [0, 0]


# What always holds

rows_of_letters = st.lists(st.text("abcde", max_size=5), min_size=2, max_size=24)
some_groups = st.lists(st.lists(st.integers(0, 23).map("{}.png".format), min_size=2, max_size=5), max_size=3)
share_of_some = st.floats(0.02, 0.98)


@settings(max_examples=examples(60))
@given(rows_of_letters, some_groups, share_of_some, st.integers(0, 99), st.randoms(use_true_random=False))
def test_the_share_the_groups_and_the_order(
    rows: list[str], groups: list[list[str]], share: float, seed: int, shuffle: random.Random
) -> None:
    data = dataset(*rows)
    splits = stratified(data, share, seed, groups)
    assert list(splits) == sorted(record.file_name for record in data.images)
    assert duplicates_in_both_splits(splits, groups) == []

    largest = max((len(unit) for unit in united(len(rows), groups)), default=1)
    assert abs(len(val_of(splits)) - share * len(rows)) < largest + 0.5
    if largest < len(rows):
        assert 0 < len(val_of(splits)) < len(rows)

    images = list(data.images)
    shuffle.shuffle(images)
    for group in groups:
        shuffle.shuffle(group)
    shuffle.shuffle(groups)
    assert stratified(Dataset(images), share, seed, groups) == splits


@settings(max_examples=examples(100))
@given(st.lists(st.sampled_from("aaabbcde"), min_size=4, max_size=30), share_of_some, st.integers(0, 99))
def test_with_one_class_a_picture_every_class_that_can_is_on_both_sides(
    rows: list[str], share: float, seed: int
) -> None:
    val = {int(name.removesuffix(".png")) for name in val_of(stratified(dataset(*rows), share, seed))}
    can = sum(rows.count(letter) > 1 for letter in set(rows))
    if can <= len(val) and can <= len(rows) - len(val):
        assert lacking(rows, val) == 0


def test_no_split_of_that_size_brings_more_classes_to_both_sides() -> None:
    """Small made-up sets, against all splits with as many validation pictures."""
    chance = random.Random(7)
    for seed in range(60):
        letters = "abcdef"[: chance.randint(1, 6)]
        rows = ["".join(chance.choices(letters, k=chance.randint(0, 4))) for _ in range(chance.randint(4, 10))]
        splits = stratified(dataset(*rows), chance.choice([0.1, 0.2, 0.3, 0.5]), seed)
        val = {int(name.removesuffix(".png")) for name in val_of(splits)}
        best = min(lacking(rows, set(other)) for other in itertools.combinations(range(len(rows)), len(val)))
        assert lacking(rows, val) == best, rows


def united(count: int, groups: list[list[str]]) -> list[set[str]]:
    """The pictures in groups that share none, by plain merging."""
    units = [{f"{number}.png"} for number in range(count)]
    for group in groups:
        known = {name for unit in units for name in unit} & set(group)
        touched = [unit for unit in units if unit & known]
        units = [unit for unit in units if not unit & known] + ([set().union(*touched)] if touched else [])
    return units
