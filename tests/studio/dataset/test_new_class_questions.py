"""Which new classes are asked about, and what an import may call its classes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from maskrcnn.annotations import similar_class_names
from maskrcnn.annotations.class_renaming import renamed
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Rect, Region, Skeleton
from maskrcnn.annotations.similar_class_names import similar_classes_of_import
from maskrcnn.studio.dataset import new_class_questions


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
    assert similar_class_names.similar_class(new, existing) == other


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
    assert similar_classes_of_import(incoming, known) == names


def test_among_thousands_of_classes_nobody_looks() -> None:
    assert (
        similar_classes_of_import({f"class {number}": 1 for number in range(2000)} | {"Balloon": 1}, {"balloon": 1})
        == {}
    )


@dataclass
class Page:
    """Stands for Streamlit: keeps what is said, and presses the button of a label."""

    pressed: str = ""
    said: list[str] = field(default_factory=list)
    session_state: dict[str, Any] = field(default_factory=dict)

    def warning(self, text: str, **_: Any) -> None:
        self.said.append(text)

    def button(self, label: str, **_: Any) -> bool:
        self.said.append(label)
        return label == self.pressed

    def container(self, **_: Any) -> AbstractContextManager[None]:
        return nullcontext()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    shown = Page()
    monkeypatch.setattr(new_class_questions, "st", shown)
    monkeypatch.setattr(new_class_questions.session, "fail_softly", lambda **_: nullcontext())
    return shown


TWO = "To training, two names are two classes."
SEVEN = {f"N{number}": f"n{number}" for number in range(1, 8)}
SIX = "; ".join(f"“N{number}” looks like “n{number}”" for number in range(1, 7))


@pytest.mark.parametrize(
    ("names", "known", "said"),
    [
        ({}, [], []),
        ({"Leaf": "leaf"}, ["leaf"], [f"“Leaf” looks like “leaf” of this project. {TWO}", "Import it as “leaf”"]),
        (
            {"A": "a", "B": "b", "Aa": "a"},
            [],
            [f"“A” looks like “a”; “B” looks like “b”; “Aa” looks like “a”. {TWO}", "Import them as “a”, “b”"],
        ),
        (dict(list(SEVEN.items())[:6]), [], [f"{SIX}. {TWO}", "Import them as “n1”, “n2”, “n3”, …"]),
        (SEVEN, [], [f"{SIX} and 1 more class. {TWO}", "Import them as “n1”, “n2”, “n3”, …"]),
    ],
)
def test_an_import_is_asked_about_its_classes(
    names: dict[str, str], known: list[str], said: list[str], page: Page
) -> None:
    assert new_class_questions.ask_to_rename_import(names, known, "key") == {}
    assert page.said == said
    page.pressed = said[-1] if said else ""
    assert new_class_questions.ask_to_rename_import(names, known, "key") == names


@pytest.mark.parametrize(
    ("renaming", "use", "add"),
    [
        (False, "Use “leaf”", "Add “Leaf” all the same"),
        (True, "Merge into “leaf”", "Call it “Leaf” all the same"),
    ],
)
def test_a_new_class_is_asked_about_until_that_is_answered(renaming: bool, use: str, add: str, page: Page) -> None:
    done: list[str] = []

    def make(name: str | None, existing: list[str], press: str = "") -> list[str]:
        """What is said."""
        page.pressed, page.said = press, []
        new_class_questions.add_class_or_ask(
            "new", name, existing, lambda n: done.append(f"+{n}"), lambda n: done.append(n), renaming=renaming
        )
        return page.said

    assert make(None, ["leaf"]) == []
    question = [f"“Leaf” looks like “leaf”, which is there already. {TWO}", use, add]
    for press, became in ((use, "leaf"), (add, "+Leaf")):
        assert make("Leaf", ["leaf"]) == question
        assert make(None, ["leaf"]) == question
        assert done == []
        make(None, ["leaf"], press)
        assert (done.pop(), make(None, ["leaf"])) == (became, [])
    make("Leaf", ["leaf"])
    assert make(None, ["nut"]) == []  # the other one is gone meanwhile
    assert make("nut", ["leaf"]) == []
    assert done == ["+nut"]


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
