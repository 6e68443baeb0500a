"""Random sequences of what a person does, with reruns, reloads and cut connections: the store has what the person has.

`Person` is a model: it knows what each picture should have, and its history for undo and redo. Every region has a cell
of the picture to itself, so that a click in it is a click on nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from maskrcnn.annotations.regions import Polygon, Region
from tests.browser.editor_driver import VIEW, EditorDriver, Place, until
from tests.sweeps import sweep

SEQUENCES = 100
STEPS = 20
COLUMNS, ROWS, CELL = 6, 4, 150
"""Cells of a picture of 900 x 600 px."""

Outline = tuple[Place, ...]


BY_DEFAULT = (50,)
"""Sequences that `make test` tries; `make fuzz` tries all."""


@dataclass
class Labels:
    """A picture as the person sees it: outlines in their order in all states, and an unfinished outline."""

    states: list[tuple[Outline, ...]] = field(default_factory=lambda: [()])
    now: int = 0
    unfinished: list[Place] = field(default_factory=list)
    cell: int | None = None
    """The cell of the unfinished outline."""

    @property
    def outlines(self) -> tuple[Outline, ...]:
        return self.states[self.now]

    def change(self, outlines: tuple[Outline, ...]) -> None:
        self.states[self.now + 1 :] = [outlines]
        self.now += 1


def cell_of(outline: Outline) -> int:
    return int(outline[0][1] // CELL) * COLUMNS + int(outline[0][0] // CELL)


def corner_of(cell: int) -> Place:
    return float(cell % COLUMNS * CELL), float(cell // COLUMNS * CELL)


def inside(outline: Outline) -> Place:
    """A place in it, away from its vertices and edges."""
    x, y = (sum(column) / len(outline) for column in zip(*outline, strict=True))
    return x, y


class Person:
    """Does random things with the editor, and remembers what the pictures should have."""

    def __init__(self, editor: EditorDriver, chance: random.Random) -> None:
        self.editor, self.chance = editor, chance
        self.names = [image.file_name for image in editor.project.images()]
        self.labels = {name: Labels() for name in self.names}
        self.here = editor.shown
        self.online = True
        self.done: list[str] = []

    def act(self) -> None:
        labels = self.labels[self.here]
        actions: list[tuple[Callable[[], None], int]]
        if labels.unfinished:
            actions = [(self.go_on_drawing, 4), (self.take_back_a_vertex, 1), (self.rerun, 1)]
        else:
            actions = [(self.draw, 5), (self.begin, 2), (self.rerun, 1), (self.undo, 3), (self.redo, 3)]
            actions += [(self.edit, 5), (self.move, 3), (self.delete, 2)] if labels.outlines else []
        if self.online:
            actions += [(self.switch_picture, 3), (self.switch_page, 1), (self.reload, 1), (self.cut, 2)]
        else:
            actions += [(self.restore, 2)]
        (action,) = self.chance.choices([a for a, _ in actions], [weight for _, weight in actions])
        self.done.append(f"{action.__name__} {self.here}")
        action()

    # Drawing and editing

    def draw(self) -> None:
        if (outline := self.new_outline()) is not None:
            self.editor.press("p")
            self.editor.polygon(outline, unhurried=True)
            labels = self.labels[self.here]
            labels.change((*labels.outlines, outline))

    def begin(self) -> None:
        if (outline := self.new_outline()) is not None:
            self.editor.press("p")
            self.editor.polygon(outline[:2], close="", unhurried=True)
            labels = self.labels[self.here]
            labels.unfinished, labels.cell = list(outline[:2]), cell_of(outline)

    def go_on_drawing(self) -> None:
        labels = self.labels[self.here]
        assert labels.cell is not None
        left, top = corner_of(labels.cell)
        places = [(left + 110.0, top + 115.0), (left + 60.0, top + 130.0), (left + 30.0, top + 110.0)]
        place = places[(len(labels.unfinished) - 1) % 3]
        self.editor.click(place, unhurried=True)
        labels.unfinished.append(place)
        if len(labels.unfinished) >= 4:
            self.editor.press("Enter")
            outline = tuple(labels.unfinished)
            labels.unfinished = []
            labels.change((*labels.outlines, outline))

    def take_back_a_vertex(self) -> None:
        labels = self.labels[self.here]
        if len(labels.unfinished) > 1:
            self.editor.press(self.chance.choice(["Backspace", "Control+z"]))
            labels.unfinished.pop()

    def new_outline(self) -> Outline | None:
        """Four places in a free cell; None if there is none."""
        labels = self.labels[self.here]
        free = [*range(COLUMNS * ROWS)]
        for outline in labels.outlines:
            free.remove(cell_of(outline))
        if not free:
            return None
        cell = self.chance.choice(free)
        left, top = corner_of(cell)
        corners = ((25, 20), (115, 30), (120, 120), (20, 110))
        shake = self.chance.uniform
        return tuple((left + x + shake(0, 10), top + y + shake(0, 10)) for x, y in corners)

    def edit(self) -> None:
        """Drag a vertex of a region by some pixels."""
        number, outline = self.some_region()
        self.choose(outline)
        vertex = self.chance.randrange(len(outline))
        (x, y), (left, top) = outline[vertex], corner_of(cell_of(outline))
        across = self.chance.uniform(4, 9) * (1 if x < left + CELL / 2 else -1)
        down = self.chance.uniform(4, 9) * (1 if y < top + CELL / 2 else -1)
        outward = -1 if abs(x - left - CELL / 2) < 35 or abs(y - top - CELL / 2) < 35 else 1
        moved = (x + outward * across, y + outward * down)
        self.editor.drag(outline[vertex], moved, steps=3)
        self.replace(number, (*outline[:vertex], moved, *outline[vertex + 1 :]))

    def move(self) -> None:
        """Drag a region by some pixels."""
        number, outline = self.some_region()
        self.choose(outline)
        dx, dy = self.chance.choice([6, -6]), self.chance.choice([5, -5])
        if cell_of(moved := tuple((x + dx, y + dy) for x, y in outline)) != cell_of(outline):
            return
        x, y = inside(outline)
        self.editor.drag((x, y), (x + dx, y + dy), steps=3)
        self.replace(number, moved)

    def delete(self) -> None:
        number, outline = self.some_region()
        self.choose(outline)
        self.editor.press("Delete")
        labels = self.labels[self.here]
        labels.change((*labels.outlines[:number], *labels.outlines[number + 1 :]))

    def some_region(self) -> tuple[int, Outline]:
        return self.chance.choice(list(enumerate(self.labels[self.here].outlines)))

    def choose(self, outline: Outline) -> None:
        self.editor.press("q", "Escape")
        self.editor.click(inside(outline), unhurried=True)

    def replace(self, number: int, outline: Outline) -> None:
        labels = self.labels[self.here]
        labels.change((*labels.outlines[:number], outline, *labels.outlines[number + 1 :]))

    def undo(self) -> None:
        self.editor.press("Control+z")
        labels = self.labels[self.here]
        labels.now = max(0, labels.now - 1)

    def redo(self) -> None:
        self.editor.press("Control+y")
        labels = self.labels[self.here]
        labels.now = min(len(labels.states) - 1, labels.now + 1)

    # The window and the connection

    def switch_picture(self) -> None:
        place = self.names.index(self.here)
        steps = [step for step in (-1, 1) if 0 <= place + step < len(self.names)]
        step = self.chance.choice(steps)
        self.here = self.names[place + step]
        self.editor.turn_to(self.here, "PageDown" if step > 0 else "PageUp")

    def switch_page(self) -> None:
        page = self.editor.page
        page.get_by_role("link", name="Runs").click()
        page.locator(VIEW).first.wait_for(state="detached")
        page.get_by_role("link", name="Annotate").click()
        self.editor.wait_for_picture(self.here)

    def rerun(self) -> None:
        page = self.editor.page
        page.evaluate("document.activeElement?.blur()")
        page.keyboard.press("r")  # Streamlit's own key
        page.wait_for_timeout(self.chance.choice([0, 50, 300]))
        if self.online:
            page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        self.editor.wait_for_picture(self.here)

    def reload(self) -> None:
        self.editor.page.reload()
        self.editor.wait_for_picture(self.here)

    def cut(self) -> None:
        """Cut the connection: nothing gets through, or only the requests of the editor fail."""
        self.online = False
        if self.chance.random() < 0.5:
            self.editor.page.context.set_offline(True)
        else:
            self.editor.page.route("**/studio/annotate/**", lambda route: route.abort())

    def restore(self) -> None:
        self.online = True
        self.editor.page.context.set_offline(False)
        self.editor.page.unroute("**/studio/annotate/**")

    # The store

    def compare(self) -> None:
        if not self.online:
            self.restore()
        self.editor.wait_until_saved(30)
        half_pixel = 0.5 / self.editor.camera().scale + 0.02
        for name in self.names:
            image = self.editor.image(name)
            wanted = self.labels[name].outlines

            def same(image: Any = image, wanted: tuple[Outline, ...] = wanted) -> bool:
                found = self.editor.project.regions(image.id)[0]
                return len(found) == len(wanted) and all(
                    near(region, outline, half_pixel) for region, outline in zip(found, wanted, strict=True)
                )

            until(self.editor.page, same, 10, lambda name=name: self.report(name))

    def report(self, name: str) -> str:
        found = "\n".join(str(getattr(region.shape, "points", region.shape)) for region in self.editor.regions(name))
        wanted = "\n".join(map(str, self.labels[name].outlines))
        return f"{name} has\n{found}\nnot\n{wanted}\nafter {'; '.join(self.done)}"


def near(region: Region, outline: Outline, within: float) -> bool:
    if not isinstance(region.shape, Polygon) or len(region.shape.points) != len(outline):
        return False
    pairs = zip(region.shape.points, outline, strict=True)
    return all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) <= 2 * within for a, b in pairs)


@pytest.fixture
def editor(new_editor: Callable[..., EditorDriver], kept_if_failed: Callable[[Any], None]) -> Iterator[EditorDriver]:
    driver = new_editor(pictures=3)
    kept_if_failed(driver.page.context)
    yield driver
    driver.page.context.set_offline(False)


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[] if seed in BY_DEFAULT else [sweep]) for seed in range(SEQUENCES)]
)
def test_the_store_has_what_the_person_has(editor: EditorDriver, seed: int) -> None:
    person = Person(editor, random.Random(seed))
    for _ in range(STEPS):
        person.act()
    person.compare()
