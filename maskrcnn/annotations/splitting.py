"""Split pictures into training and validation sets with the same proportion of every class.

The method is iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-label Data",
2011): classes are distributed from the rarest to the most common, and each picture goes to the side that lacks most
objects of the class. Two steps are added. The number of validation pictures is limited during distribution, so the
share is exact to one picture. Afterwards, pictures are swapped while this improves the proportions or brings a class to
both sides.

Only objects count (`learnable_objects.why_not`). Pictures with the same content go to the same side, because a copy of
a training picture in the validation set would make the measured quality too high. A class that appears on only one
picture (or in one group of copies) goes to training.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from maskrcnn.annotations import learnable_objects
from maskrcnn.annotations.dataset import Dataset, ImageRecord, Split
from maskrcnn.errors import ArgumentError
from maskrcnn.name_order import natural_key

_SWAPS, _TRIED = 400, 50
"""Number of pictures tried in swaps after distribution, and number tried for each class that one side lacks."""
_ATTEMPTS = 6
"""Maximum number of distributions, with other random orders, while a class that could be on both sides is not."""


class ClassShare(NamedTuple):
    """The numbers of objects of one class, and of pictures with such objects, in training and validation."""

    name: str
    train_objects: int
    val_objects: int
    train_pictures: int
    val_pictures: int

    @property
    def val_share(self) -> float:
        """The share of the class's objects that are in validation, in [0, 1]; NaN for a class without objects."""
        objects = self.train_objects + self.val_objects
        return self.val_objects / objects if objects else math.nan

    @property
    def on_one_side(self) -> bool:
        """Whether the class appears on at least two pictures, but all of them are on the same side."""
        return self.train_pictures + self.val_pictures > 1 and not (self.train_pictures and self.val_pictures)


def held_back(pictures: int, val_share: float) -> int:
    """Return the number of validation pictures for a share of all `pictures`, rounded.

    If there are at least two pictures and the share is neither 0 nor 1, each side gets at least one.

    >>> held_back(5, 0.05), held_back(15, 0.2), held_back(1, 0.5)
    (1, 3, 1)
    """
    wanted = math.floor(val_share * pictures + 0.5)
    return min(max(wanted, 1), pictures - 1) if 0 < val_share < 1 and pictures > 1 else wanted


def stratified(
    dataset: Dataset, val_share: float = 0.2, seed: int = 0, groups: Iterable[Collection[str]] = ()
) -> dict[str, Split]:
    """Return a stratified split: `{file name: "train" or "val"}`.

    The result depends only on the pictures, share, seed and groups, not on their order. `groups` are sets of file names
    with the same content. Each group stays on one side; groups with a common picture are merged. The number of
    validation pictures is `held_back`; it may differ by the size of the largest group minus one. Raises `ArgumentError`
    if the share is not in [0, 1].

    >>> from maskrcnn.annotations.regions import Rect, Region
    >>> cell = Region(Rect(2, 2, 8, 8), "cell")
    >>> pictures = tuple(ImageRecord(f"{name}.png", width=20, height=20, regions=(cell,)) for name in "abcde")
    >>> splits = stratified(Dataset(pictures, ("cell",)), val_share=0.4)
    >>> sorted(splits.values())
    ['train', 'train', 'train', 'val', 'val']
    """
    if not 0 <= val_share <= 1:
        raise ArgumentError(f"the validation share is {val_share}; give a number from 0 to 1")
    records = sorted(dataset.images, key=lambda record: record.file_name)
    units = _units(records, groups)
    if not units:
        return {}
    rng = np.random.default_rng(seed)
    best: _SplitSearch | None = None
    for _ in range(_ATTEMPTS):
        search = _SplitSearch.start(units, val_share, rng)
        search.assign_sides()
        search.fill_the_empty_side()
        search.swap()
        if best is None or search.cost() < best.cost():
            best = search
        if not best.on_one_side_only().any():
            break
    assert best is not None
    of = {record.file_name: val for unit, val in zip(units, best.val, strict=True) for record in unit}
    return {record.file_name: "val" if of[record.file_name] else "train" for record in records}


def known_to_training(
    dataset: Dataset,
    splits: Mapping[str, Split],
    shown: Mapping[str, Collection[str | None]],
    groups: Iterable[Collection[str]] = (),
) -> dict[str, Split]:
    """Return `splits` changed so that every class in validation is also in training. Training cannot start otherwise.

    Pictures with classes that training lacks are moved to training, and others to validation in their place. So the
    number of validation pictures is kept if possible, but the first picture with objects is moved even if its group is
    too large for that. Validation is empty if no picture can be moved. `shown` gives the classes on each picture by its
    file name. Pictures of the same group (`groups`) stay on the same side.
    """
    units = [[record.file_name for record in unit] for unit in _units(list(dataset.images), groups)]
    units.sort(key=lambda names: natural_key(names[0]))
    classes = [frozenset().union(*(shown[name] for name in names)) for names in units]
    is_val = [splits[names[0]] == "val" for names in units]
    wanted = n_val = sum(len(names) for names, val in zip(units, is_val, strict=True) if val)  # pictures
    units_in_training = Counter(
        name for in_unit, val in zip(classes, is_val, strict=True) if not val for name in in_unit
    )

    while True:  # move to training: the unit with most of the classes that training lacks
        lacks = [
            sum(not units_in_training[name] for name in in_unit) if val else 0
            for in_unit, val in zip(classes, is_val, strict=True)
        ]
        if not any(lacks):
            break
        moved = lacks.index(max(lacks))
        is_val[moved] = False
        n_val -= len(units[moved])
        units_in_training.update(classes[moved])

    val_classes = set().union(*(in_unit for in_unit, val in zip(classes, is_val, strict=True) if val))
    # Move other units to validation in their place, units with objects first. Training keeps a unit of every class.
    for index in sorted(range(len(units)), key=lambda index: not classes[index]):
        size, in_unit = len(units[index]), classes[index]
        can_move = not is_val[index] and all(units_in_training[name] > 1 for name in in_unit)
        fits = n_val + size <= wanted
        has_first_objects = bool(in_unit) and not val_classes  # validation needs objects, even if the unit is too large
        if can_move and (fits or has_first_objects):
            is_val[index] = True
            n_val += size
            val_classes |= in_unit
            units_in_training.subtract(in_unit)
    side = {name: val for names, val in zip(units, is_val, strict=True) for name in names}
    return {name: "val" if side[name] else "train" for name in splits}


def shares(dataset: Dataset, splits: Mapping[str, Split] | None = None) -> list[ClassShare]:
    """Return a `ClassShare` for each class, in the dataset's order. `splits` None: use the splits of the records.

    >>> from maskrcnn.annotations.regions import Rect, Region
    >>> cell = Region(Rect(2, 2, 8, 8), "cell")
    >>> labels = Dataset(tuple(ImageRecord(f"{n}.png", width=20, height=20, regions=(cell,)) for n in "abc"), ("cell",))
    >>> [share] = shares(labels, {"a.png": "train", "b.png": "train", "c.png": "val"})
    >>> share.train_pictures, share.val_pictures
    (2, 1)
    """
    counts = {name: [0, 0, 0, 0] for name in dataset.classes}
    for record in dataset.images:
        side = int((record.split or "train") == "val" if splits is None else splits[record.file_name] == "val")
        drawn = [region.class_name or "" for region in learnable_objects.objects(record)]
        for name in drawn:
            counts.setdefault(name, [0, 0, 0, 0])[side] += 1
        for name in set(drawn):
            counts[name][2 + side] += 1
    return [ClassShare(name, *numbers) for name, numbers in counts.items()]


def _units(records: list[ImageRecord], groups: Iterable[Collection[str]]) -> list[list[ImageRecord]]:
    """Merge records into units that must stay together (`groups` with common pictures are joined by union-find)."""
    head = {record.file_name: record.file_name for record in records}

    def first(name: str) -> str:
        while head[name] != name:
            head[name] = head[head[name]]
            name = head[name]
        return name

    for group in groups:
        known = [first(name) for name in group if name in head]
        for name in known:
            head[name] = min(known)
    units: dict[str, list[ImageRecord]] = {}
    for record in records:
        units.setdefault(first(record.file_name), []).append(record)
    return list(units.values())


@dataclass
class _SplitSearch:
    """The distribution of U units to training and validation. A unit is a picture, or pictures with the same content.

    - `objects` (U, L) float64: number of objects of each class in each unit. The last column is not a class:
      it counts the pictures of the unit that have no objects.
    - `has_class` (U, L) int64: 1 if the unit has objects of the class, else 0.
    - `pictures` (U,) int64: number of pictures of each unit.
    - `wanted`: target number of validation pictures.
    - `aim` (L,) float64: target number of validation objects of each class.
    - `can_be_on_both` (L,) bool: whether the class can be on both sides.
    - `val` (U,) bool: the result; True for validation.
    """

    objects: np.ndarray
    has_class: np.ndarray
    pictures: np.ndarray
    wanted: int
    aim: np.ndarray
    can_be_on_both: np.ndarray
    val: np.ndarray
    rng: np.random.Generator

    @classmethod
    def start(cls, units: list[list[ImageRecord]], val_share: float, rng: np.random.Generator) -> _SplitSearch:
        """Start the search: count the objects and classes of all units, and set the targets of validation.

        All units are in training at first. Validation should get `val_share` of the objects of each class (`aim`). A
        class in one unit only stays in training (`aim` 0). A class in several units can be on both sides.
        """
        drawn = [[[r.class_name or "" for r in learnable_objects.objects(record)] for record in unit] for unit in units]
        names = sorted({name for unit in drawn for record in unit for name in record})
        place = {name: index for index, name in enumerate(names)}
        objects = np.zeros((len(units), len(names) + 1))
        for row, unit in zip(objects, drawn, strict=True):
            for record in unit:
                for name in record:
                    row[place[name]] += 1
                if not record:  # a picture without objects
                    row[-1] += 1
        pictures = np.array([len(unit) for unit in units])
        total = int(pictures.sum())
        wanted = held_back(total, val_share)
        has_class = (objects > 0).astype(int)
        units_of_class = has_class.sum(axis=0)
        aim = np.where((units_of_class == 1) & (val_share < 1), 0.0, val_share * objects.sum(axis=0))
        can_be_on_both = (units_of_class > 1) & (0 < val_share < 1)
        can_be_on_both[-1] = False  # pictures without objects need not be on both sides
        return cls(objects, has_class, pictures, wanted, aim, can_be_on_both, np.zeros(len(units), bool), rng)

    def assign_sides(self) -> None:
        """Assign all units to a side, from the rarest class on; large units first, else in random order.

        A unit goes to the side that lacks most objects of the rarest class, or if equal, most pictures. If the side has
        no room for all pictures of the unit, it goes to the other side; if neither has, to the side with more room.
        """
        order = self.rng.permutation(len(self.pictures))
        order = order[np.argsort(-self.pictures[order], kind="stable")]
        is_assigned = np.zeros(len(order), bool)
        lacking = np.stack([self.objects.sum(axis=0) - self.aim, self.aim])  # objects, for training and validation
        room = [int(self.pictures.sum()) - self.wanted, self.wanted]  # pictures
        while not is_assigned.all():
            units_left = self.has_class[~is_assigned].sum(axis=0)  # of each class
            rarest = int(np.where(units_left > 0, units_left, len(order) + 1).argmin())
            for unit in order[(self.has_class[order, rarest] > 0) & ~is_assigned[order]]:
                size = int(self.pictures[unit])
                val_lacks_more = (lacking[1, rarest], room[1]) > (lacking[0, rarest], room[0])
                side = int(val_lacks_more)  # 0: training, 1: validation
                if room[side] < size:
                    other = 1 - side
                    side = other if room[other] >= size else int(room[1] > room[0])
                is_assigned[unit] = True
                self.val[unit] = side == 1
                lacking[side] -= self.objects[unit]
                room[side] -= size

    def fill_the_empty_side(self) -> None:
        """Move the smallest unit to a side that is empty. (Large groups can leave a side empty.)"""
        needs_both_sides = 0 < self.wanted < self.pictures.sum() and len(self.val) > 1
        is_one_side_empty = self.val.all() or not self.val.any()
        if needs_both_sides and is_one_side_empty:
            smallest = self.pictures.argmin()
            self.val[smallest] = not self.val[smallest]

    def swap(self) -> None:
        """Swap pairs of units between the sides while this improves the split.

        First the units of classes that a side lacks, until none of them can be swapped, then `_SWAPS` random units. The
        number of validation pictures may differ from `wanted` by as much as it does before the swaps, or by the size of
        the largest unit minus one.
        """
        if self.val.all() or not self.val.any():
            return
        off_by = max(abs(self._too_many()), int(self.pictures.max()) - 1)
        while any([self._swapped(unit, off_by) for unit in self._units_of_one_sided_classes()]):
            pass
        for unit in self.rng.permutation(len(self.val))[:_SWAPS]:
            self._swapped(unit, off_by)

    def on_one_side_only(self) -> np.ndarray:
        """Return a mask (L,) bool of the classes that could be on both sides but are on one only."""
        val_units = self.has_class[self.val].sum(axis=0)
        return self.can_be_on_both & ((val_units == 0) | (val_units == self._n_units_of_class))

    def cost(self) -> float:
        """Return the cost of the present split (`_cost_of`); lower is better."""
        return float(self._cost_of(self.objects[self.val].sum(axis=0), self.has_class[self.val].sum(axis=0)))

    def _swapped(self, unit: int, off_by: int) -> bool:
        """Swap a unit with the best unit of the other side, if this lowers the cost. Return whether they were swapped.

        A unit is a picture or a group of copies. The cost (`_cost_of`) says how far the objects in validation are from
        their targets. Afterwards, the number of validation pictures may differ from `wanted` by at most `off_by`.
        """
        sign = 1 if self.val[unit] else -1
        others = np.flatnonzero(self.val != self.val[unit])
        more = sign * (self.pictures[others] - self.pictures[unit])
        others = others[np.abs(self._too_many() + more) <= off_by]
        if not len(others):
            return False
        objects, units = self.objects[self.val].sum(axis=0), self.has_class[self.val].sum(axis=0)
        after = self._cost_of(
            objects + sign * (self.objects[others] - self.objects[unit]),
            units + sign * (self.has_class[others] - self.has_class[unit]),
        )
        best = int(after.argmin())
        better = bool(after[best] < self._cost_of(objects, units) - 1e-9)
        if better:
            self.val[[unit, others[best]]] ^= True
        return better

    def _units_of_one_sided_classes(self) -> list[int]:
        """Return random units (at most `_TRIED` for each class) of the classes in `on_one_side_only`."""
        with_class = [
            self.rng.permutation(np.flatnonzero(self.has_class[:, c])) for c in np.flatnonzero(self.on_one_side_only())
        ]
        return [unit for units in with_class for unit in units[:_TRIED].tolist()]

    def _too_many(self) -> int:
        """Return the number of validation pictures minus `wanted`."""
        return int(self.pictures[self.val].sum()) - self.wanted

    def _cost_of(self, val_objects: np.ndarray, val_units: np.ndarray) -> np.ndarray:
        """Return the cost of a split: squared relative deviation from `aim`, summed over the classes, shape (...).

        A class that is missing on one side costs more than all deviations together. `val_objects` and `val_units`
        (..., L): the number of objects and of units of each class in validation.
        """
        far = ((val_objects - self.aim) / self._all_objects) ** 2
        lacking = self.can_be_on_both & ((val_units == 0) | (val_units == self._n_units_of_class))
        return far.sum(axis=-1) + 2 * len(self.aim) * lacking.sum(axis=-1)

    @cached_property
    def _all_objects(self) -> np.ndarray:
        """The number of objects of each class, in training and validation together, at least 1, (L,) float64."""
        return self.objects.sum(axis=0).clip(1)

    @cached_property
    def _n_units_of_class(self) -> np.ndarray:
        """The number of units with objects of each class, in training and validation together, (L,) int64."""
        return self.has_class.sum(axis=0)
