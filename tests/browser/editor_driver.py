"""The person at the editor: real mouse, keyboard, pen and touch events, at places given in picture pixels.

`EditorDriver` opens the Annotate page of a project on one picture. It reads the camera of the picture from the page,
converts picture pixels to window pixels, and reads what was stored through `Project`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import Project
from maskrcnn.annotations.store.picture_listing import StoredImage

Place = tuple[float, float]

VIEW = '[role="application"][data-camera]'
STATUS = "[data-status]"
STILL = """(element) => new Promise((done) => {
  let before = "", same = 0, frames = 0;
  const look = () => {
    const { left, top } = element.getBoundingClientRect();
    const now = `${element.dataset.camera} ${left} ${top}`;
    same = now === before ? same + 1 : 0;
    before = now;
    if (same >= 4) done(true);
    else if (++frames > 400) done(false);
    else requestAnimationFrame(look);
  };
  look();
})"""
DOUBLE_CLICK_SECONDS = 0.5
DOUBLE_CLICK_PX = 2
"""A browser counts a click as the second of a double click within this time, and within this distance in x and y."""


@dataclass(frozen=True)
class Camera:
    """What part of the picture is shown: a picture pixel p is at `left + x + scale * p` in the window."""

    scale: float
    x: float
    y: float
    left: float
    top: float

    def to_window(self, place: Place) -> Place:
        return self.left + self.x + self.scale * place[0], self.top + self.y + self.scale * place[1]

    def to_picture(self, place: Place) -> Place:
        return (place[0] - self.left - self.x) / self.scale, (place[1] - self.top - self.y) / self.scale


class EditorDriver:
    """A person who labels `project` in the window `page`, at the studio `url`."""

    def __init__(self, page: Any, url: str, project: Project) -> None:
        self.page, self.url, self.project = page, url, project
        self.clicks = 0
        """Presses of the mouse, the pen or a finger so far."""
        self.keys = 0
        """Pressed keys so far."""
        self._last_click: tuple[float, Place, int] = (0.0, (0.0, 0.0), 0)
        self._devtools: Any = None

    # The page

    def open(self, image: str, **query: str) -> None:
        """Open the Annotate page on a picture, by its address."""
        rest = "".join(f"&{name}={value}" for name, value in query.items())
        self.page.goto(f"{self.url}/?project={self.project.folder.name}&image={image}{rest}")
        self.wait_for_picture(image)

    @property
    def view(self) -> Any:
        """The element that shows the picture."""
        return self.page.locator(VIEW).first

    @property
    def shown(self) -> str:
        """The file name of the picture that is shown."""
        return self.view.get_attribute("data-picture") or ""

    def wait_for_picture(self, name: str) -> None:
        """Wait until this picture is drawn."""
        self.page.locator(f'{VIEW}[data-ready="true"][data-picture="{name}"]').first.wait_for()
        self.wait_until_still()

    def wait_until_still(self) -> None:
        """Wait until the picture's camera and place in the window stay the same for some frames."""
        assert self.view.evaluate(STILL), "the picture does not come to rest"

    def camera(self) -> Camera:
        found = self.view.evaluate(
            """(element) => {
              const { left, top } = element.getBoundingClientRect();
              return { camera: element.dataset.camera, left, top };
            }"""
        )
        state = json.loads(found["camera"])
        return Camera(state["scale"], state["x"], state["y"], found["left"], found["top"])

    @property
    def status(self) -> str:
        """ "saved", "saving", "unsaved" or "conflict"."""
        return self.page.locator(STATUS).first.get_attribute("data-status") or ""

    def wait_until_saved(self, seconds: float = 15) -> None:
        until(self.page, lambda: self.status == "saved", seconds, lambda: f"the status is {self.status!r}")

    # The store

    def image(self, name: str | None = None) -> StoredImage:
        """The stored picture of this name, by default the one that is shown."""
        wanted = name or self.shown
        return next(image for image in self.project.images() if image.file_name == wanted)

    def regions(self, name: str | None = None) -> tuple[Region, ...]:
        return self.project.regions(self.image(name).id)[0]

    def stored(
        self, condition: Callable[[tuple[Region, ...]], Any], name: str | None = None, seconds: float = 8
    ) -> Any:
        """Wait until the stored regions of a picture meet a condition, and return them."""
        image = self.image(name)
        found: list[tuple[Region, ...]] = []

        def met() -> bool:
            found[:] = [self.project.regions(image.id)[0]]
            return bool(condition(found[0]))

        until(self.page, met, seconds, lambda: f"{image.file_name} has {found[0] if found else 'nothing'}")
        return found[0]

    # Mouse

    def at(self, place: Place) -> Place:
        """Window pixels of a place in the picture."""
        return self.camera().to_window(place)

    def move(self, place: Place, steps: int = 1) -> None:
        self.page.mouse.move(*self.at(place), steps=steps)

    def click(
        self, place: Place, modifiers: Sequence[str] = (), camera: Camera | None = None, unhurried: bool = False
    ) -> None:
        """Click, as the second of a double click where a browser would count it so.

        `unhurried`: as it is counted when more than half a second has passed since the last click.
        """
        x, y = (camera or self.camera()).to_window(place)
        if unhurried:
            self._last_click = (0.0, (0.0, 0.0), 0)
        count = self._count_of_click((x, y))
        self.clicks += 1
        with self.held(modifiers):
            self.page.mouse.move(x, y)
            self.page.mouse.down(click_count=count)
            self.page.mouse.up(click_count=count)

    def double_click(self, place: Place) -> None:
        self._last_click = (0.0, (0.0, 0.0), 0)
        self.click(place)
        self.click(place)
        self._last_click = (0.0, (0.0, 0.0), 0)

    def _count_of_click(self, place: Place) -> int:
        now = time.monotonic()
        before, (x, y), count = self._last_click
        near = max(abs(place[0] - x), abs(place[1] - y)) <= DOUBLE_CLICK_PX
        count = count + 1 if near and now - before < DOUBLE_CLICK_SECONDS else 1
        self._last_click = (now, place, count)
        return count

    def drag(self, *places: Place, modifiers: Sequence[str] = (), steps: int = 6) -> None:
        """Press at the first place, move through the others, let go at the last."""
        camera = self.camera()
        self.clicks += 1
        with self.held(modifiers):
            self.page.mouse.move(*camera.to_window(places[0]))
            self.page.mouse.down()
            for place in places[1:]:
                self.page.mouse.move(*camera.to_window(place), steps=steps)
            self.page.mouse.up()

    def wheel(self, place: Place, delta: float, modifiers: Sequence[str] = ()) -> None:
        self.move(place)
        with self.held(modifiers):
            self.page.mouse.wheel(0, delta)

    def zoom_to(self, place: Place, scale: float) -> Camera:
        """Turn the wheel over a place until a picture pixel is `scale` CSS pixels wide, or a little more."""
        turn, gain = 100.0, 0.0
        for _ in range(60):
            before = self.camera().scale
            if before >= scale:
                break
            if gain:
                turn = min(600.0, math.log(1.001 * scale / before) / gain)
            self.wheel(place, -turn)
            self._wait_for_other_scale(before)
            gain = math.log(self.camera().scale / before) / turn
        self.wait_until_still()
        return self.camera()

    def _wait_for_other_scale(self, scale: float) -> None:
        until(self.page, lambda: self.camera().scale != scale, 8, lambda: "the wheel does not zoom")

    def bring_to_middle(self, place: Place) -> None:
        """Move the picture with the middle button, until a place is in the middle of the view."""
        box, mouse = self.view.bounding_box(), self.page.mouse
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        x, y = self.at(place)
        mouse.move(*middle)
        mouse.down(button="middle")
        mouse.move(2 * middle[0] - x, 2 * middle[1] - y, steps=4)
        mouse.up(button="middle")
        self.wait_until_still()

    # Pen and touch, which Playwright has no words for

    @property
    def _protocol(self) -> Any:
        if self._devtools is None:
            self._devtools = self.page.context.new_cdp_session(self.page)
        return self._devtools

    def pen_click(self, place: Place) -> None:
        self.pen("mousePressed", place)
        self.pen("mouseReleased", place)
        self.clicks += 1

    def pen_drag(self, *places: Place, steps: int = 6) -> None:
        self.pen("mousePressed", places[0])
        for start, end in pairwise(places):
            for step in range(1, steps + 1):
                self.pen("mouseMoved", between(start, end, step / steps), buttons=1)
        self.pen("mouseReleased", places[-1])
        self.clicks += 1

    def pen(self, kind: str, place: Place, buttons: int = 0) -> None:
        """Send one event of a pen: "mousePressed", "mouseMoved" or "mouseReleased"."""
        x, y = self.at(place)
        event = {"type": kind, "x": x, "y": y, "pointerType": "pen", "force": 0.5}
        if kind == "mouseMoved":
            event |= {"button": "left" if buttons else "none", "buttons": buttons}
        else:
            event |= {"button": "left", "clickCount": 1, "buttons": int(kind == "mousePressed")}
        self._protocol.send("Input.dispatchMouseEvent", event)

    def tap(self, place: Place) -> None:
        self.touch([[place]])

    def touch(self, fingers: Sequence[Sequence[Place]], steps: int = 6, cancelled_after: float | None = None) -> None:
        """Put one or more fingers down and lead each through its places, all at the same pace.

        `cancelled_after`: seconds after which the system takes them away, instead of the person lifting them.
        """
        camera = self.camera()
        paths = [_path(places, steps) for places in fingers]
        for step in range(len(paths[0])):
            points = [
                dict(zip(("x", "y"), camera.to_window(path[step]), strict=True), id=finger)
                for finger, path in enumerate(paths)
            ]
            kind = "touchMove" if step else "touchStart"
            self._protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        if cancelled_after is not None:
            self.page.wait_for_timeout(1000 * cancelled_after)
        end = "touchEnd" if cancelled_after is None else "touchCancel"
        self._protocol.send("Input.dispatchTouchEvent", {"type": end, "touchPoints": []})
        self.clicks += 1

    # Keyboard

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys += 1
            self.page.keyboard.press(key)

    def held(self, modifiers: Sequence[str]) -> _Held:
        return _Held(self.page.keyboard, modifiers)

    # What people do

    def tool(self, key: str) -> None:
        """Choose a tool by its key."""
        self.press(key)

    def polygon(self, places: Iterable[Place], close: str = "Enter", unhurried: bool = False) -> None:
        """Draw a polygon click by click; `close` is the key that closes it, "double" or "first"."""
        camera, places = self.camera(), list(places)
        for place in places:
            self.click(place, camera=camera, unhurried=unhurried)
        if close == "double":  # the click of the last vertex was its first
            self.click(places[-1], camera=camera)
        elif close == "first":
            self.click(places[0], camera=camera)
        elif close:
            self.press(close)

    def select(self, place: Place) -> None:
        """Select what is at a place, with the tool that selects."""
        self.press("q")
        self.click(place)

    def turn_to(self, name: str, key: str = "PageDown") -> None:
        """Show another picture by a key of the keyboard."""
        for _ in range(len(self.project.images())):
            before = self.shown
            if before == name:
                return
            self.press(key)
            self._wait_for_other_than(before, key)
            self.page.locator(f'{VIEW}[data-ready="true"]').first.wait_for()
        self.wait_for_picture(name)

    def _wait_for_other_than(self, name: str, key: str) -> None:
        until(self.page, lambda: self.shown != name, 15, lambda: f"{key} changed no picture")


class _Held:
    """Modifier keys that are held down while the block runs."""

    def __init__(self, keyboard: Any, modifiers: Sequence[str]) -> None:
        self._keyboard, self._modifiers = keyboard, modifiers

    def __enter__(self) -> None:
        for key in self._modifiers:
            self._keyboard.down(key)

    def __exit__(self, *_: object) -> None:
        for key in self._modifiers:
            self._keyboard.up(key)


def _path(places: Sequence[Place], steps: int) -> list[Place]:
    """The places, with `steps` moves from each to the next."""
    path = [places[0]]
    for start, end in pairwise(places):
        path += [between(start, end, step / steps) for step in range(1, steps + 1)]
    return path


def between(start: Place, end: Place, part: float) -> Place:
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def until(page: Any, condition: Callable[[], bool], seconds: float = 8, words: Callable[[], str] = str) -> None:
    """Wait until a condition is met; fail with the words otherwise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        page.wait_for_timeout(20)
    assert condition(), words()


def labelled_project(folder: Path, pictures: int, size: tuple[int, int], regions: Sequence[Region] = ()) -> Project:
    """Make a project with pictures `p000.jpg`, ... of a width and height; each gets copies of the same regions."""
    width, height = size
    project = Project.create(folder)
    files = []
    for number in range(pictures):
        rng = np.random.default_rng(number)
        coarse = rng.integers(40, 215, (max(2, height // 40), max(2, width // 40), 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        files.append((f"p{number:03}.jpg", cv2.imencode(".jpg", picture)[1].tobytes()))
    project.add_pictures(files, "train")
    for image in project.images() if regions else []:
        copies = [Region(region.shape, region.class_name, region.attributes) for region in regions]
        project.save(image.id, copies, image.revision)
    return project
