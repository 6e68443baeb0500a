"""Which new classes are asked about, and what an import may call its classes."""

from __future__ import annotations

import pytest

from maskrcnn.annotations.class_renaming import renamed
from maskrcnn.annotations.doctor import class_names
from maskrcnn.annotations.doctor.class_names import of_import
from maskrcnn.annotations.regions import Dataset, ImageRecord, Rect, Region, Skeleton


@pytest.mark.parametrize(
    ("new", "existing", "other"),
    [
        ("Balloon", ["cat", "balloon"], "balloon"),
        ("red-light", ["red light"], "red light"),
        ("red_light", ["Red Light"], "Red Light"),
        ("balloons", ["balloon"], "balloon"),
        ("ballon", ["balloon"], "balloon"),
        ("d\u0065\u0301nt", ["d\u00e9nt"], "d\u00e9nt"),
        ("Жук", ["жук"], "жук"),
        ("cat", ["cat", "Cat"], None),  # the very same is there, and says so itself
        ("car", ["cat"], None),
        ("type 2", ["type 1"], None),
        ("leaf", ["balloon"], None),
        ("", ["balloon"], None),
    ],
)
def test_a_new_class_that_looks_like_one_that_is_there(new: str, existing: list[str], other: str | None) -> None:
    assert class_names.alike(new, existing) == other


@pytest.mark.parametrize(
    ("incoming", "known", "names"),
    [
        ({"Balloon": 9}, {"balloon": 3}, {"Balloon": "balloon"}),
        ({"Balloon": 9}, {"balloon": 0}, {"Balloon": "balloon"}),  # the project has the class, and no region of it
        ({"balloon": 9, "Balloon": 1}, {}, {"Balloon": "balloon"}),
        ({" leaf": 9}, {"leaf": 30}, {" leaf": "leaf"}),
        ({"baloon": 1}, {"balloon": 20}, {"baloon": "balloon"}),
        ({"baloon": 9}, {"balloon": 20}, {}),  # 9 of 20 may well be a class of its own, as for the doctor
        ({"balloon": 9, "leaf": 2}, {"balloon": 3}, {}),
        ({"cat": 3, "car": 90}, {"dog": 3}, {}),
    ],
)
def test_classes_of_an_import_that_look_like_others(
    incoming: dict[str, int], known: dict[str, int], names: dict[str, str]
) -> None:
    assert of_import(incoming, known) == names


def test_among_thousands_of_classes_nobody_looks() -> None:
    assert of_import({f"class {number}": 1 for number in range(2000)} | {"Balloon": 1}, {"balloon": 1}) == {}


def test_classes_are_renamed_and_joined() -> None:
    leaf, nut = Region(Rect(0, 0, 9, 9), "Leaf"), Region(Rect(0, 0, 9, 9), "nut")
    bones = Skeleton(("a", "b"))
    images = (ImageRecord("a.png", (leaf, nut)), ImageRecord("b.png", (nut,)))
    found = renamed(Dataset(images, ("Leaf", "leaf", "nut"), skeletons={"Leaf": bones}), {"Leaf": "leaf"})
    assert found.classes == ("leaf", "nut")
    assert [region.class_name for region in found.images[0].regions] == ["leaf", "nut"]
    assert found.images[0].regions[1] is nut
    assert found.images[1] is images[1]
    assert found.skeletons == {"leaf": bones}
