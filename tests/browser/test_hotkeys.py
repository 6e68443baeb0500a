"""The keys of the pages in a real browser: which elements take a text, and arrows after a click on each control."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.regions import Circle, Region
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.studio.shell import hotkeys, session
from tests.sweeps import sweep

SCRIPT = (Path(hotkeys.__file__).parent / "hotkeys.js").read_text(encoding="utf-8")
PICTURES = 40

TAKES_TEXT = {
    "<input>": True,
    "<input type=text value=abc>": True,
    "<input type=search>": True,
    "<input type=number>": True,
    "<input type=date>": True,
    "<input type=password>": True,
    "<textarea></textarea>": True,
    "<div contenteditable tabindex=0>words</div>": True,
    "<span contenteditable tabindex=0 role=spinbutton>12</span>": True,
    '<input role=combobox aria-expanded="true">': True,
    '<input role=combobox aria-expanded="false">': False,
    "<input readonly value=abc>": False,
    "<textarea readonly></textarea>": False,
    "<input type=checkbox>": False,
    "<input type=radio>": False,
    "<input type=range>": False,
    "<input type=file>": False,
    "<input type=color>": False,
    "<select><option>a</select>": False,
    "<button>word</button>": False,
    "<div role=slider tabindex=0>5</div>": False,
    "<canvas tabindex=0></canvas>": False,
    "<a href=x>word</a>": False,
    "<summary tabindex=0>word</summary>": False,
}

NAMES = [
    ({"key": "d"}, ["d"]),
    ({"key": "D"}, ["d"]),  # Caps Lock
    ({"key": "D", "shiftKey": True}, ["shift+d"]),
    ({"key": "?", "shiftKey": True}, ["?"]),
    ({"key": "+", "shiftKey": True}, ["+"]),
    ({"key": "1", "code": "Numpad1"}, ["1"]),
    ({"key": "&", "code": "Digit1"}, ["&", "1"]),  # French
    ({"key": "!", "code": "Digit1", "shiftKey": True}, ["!"]),
    ({"key": "\u0432", "code": "KeyD"}, ["\u0432", "d"]),  # Russian
    ({"key": "z", "ctrlKey": True}, ["ctrl+z"]),
    ({"key": "z", "metaKey": True}, ["ctrl+z"]),
    ({"key": "Z", "ctrlKey": True, "shiftKey": True}, ["ctrl+shift+z"]),
    ({"key": "ArrowRight"}, ["ArrowRight"]),
    ({"key": "ArrowRight", "shiftKey": True}, []),  # selects text
    ({"key": "ArrowLeft", "altKey": True}, []),  # the browser goes back
]


def test_which_elements_take_a_text_and_what_a_key_is_called(page: Any) -> None:
    page.set_content("".join(f"<section>{html}</section>" for html in TAKES_TEXT))
    found = page.evaluate(
        """async ([script, events]) => {
          const keys = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
          const event = (given) => ({ shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...given });
          return {
            text: [...document.querySelectorAll("section > *")].map((element) => keys.takesText(element)),
            names: events.map((given) => keys.namesOf(event(given))),
          };
        }""",
        [SCRIPT, [event for event, _ in NAMES]],
    )
    assert dict(zip(TAKES_TEXT, found["text"], strict=True)) == TAKES_TEXT
    assert found["names"] == [names for _, names in NAMES]


@pytest.fixture
def project(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("MASKRCNN_WORKSPACE", str(server.workspace))
    session.this_workspace().projects()
    made = Project.create(server.workspace / "keys")
    files = [tmp_path / f"p{number:02}.png" for number in range(PICTURES)]
    for number, file in enumerate(files):
        cv2.imwrite(str(file), np.full((60, 80, 3), 60 + number, np.uint8))
    made.add_pictures(files, "train")
    for image in made.images():
        made.save(image.id, [Region(Circle(40, 30, 9), "cat"), Region(Circle(20, 15, 9), "cat")], image.revision)
    made.set_classes([*made.classes(), ProjectClass("dog", "#56b4e9")])
    return made


@sweep
def test_arrows_after_a_click_on_each_control_of_annotate(
    page: Any, server: Any, project: Project, settled: Callable[..., None]
) -> None:
    page.goto(f"{server.url}/?project=keys&image=p00.png&canvas=simple")
    page.locator("canvas.upper-canvas").first.wait_for()
    page.wait_for_timeout(600)
    settled(page)

    def choose(box: str, option: str) -> None:
        page.get_by_role("combobox", name=box).click()
        page.get_by_role("option", name=option).first.click()

    def open_and_leave(box: str) -> None:
        page.get_by_role("combobox", name=box).click()
        page.keyboard.press("Escape")

    def table() -> None:
        box = page.locator('[data-testid="stDataFrame"]').first.bounding_box()
        page.mouse.click(box["x"] + 90, box["y"] + 52)

    def popover() -> None:
        page.get_by_role("button", name="Classes").click()
        page.keyboard.press("Escape")

    clicks: dict[str, Callable[[], None]] = {
        "nothing": lambda: None,
        "box": lambda: page.get_by_role("radio", name="Box").click(),
        "edit": lambda: page.get_by_role("radio", name="Edit").click(),
        "polygon": lambda: page.get_by_role("radio", name="Polygon").click(),
        "zoom": lambda: choose("Zoom", "150%"),
        "zoom, left": lambda: open_and_leave("Zoom"),
        "picture": lambda: choose("Picture", "p08.png"),
        "picture, left": lambda: open_and_leave("Picture"),
        "done": lambda: page.get_by_text("Done", exact=True).click(),
        "class": lambda: page.locator(".st-key-annotate_class_2 button").click(),
        "classes": popover,
        "table": table,
        "next": lambda: page.get_by_role("button", name="Next").first.click(),
        "previous": lambda: page.get_by_role("button", name="Previous").first.click(),
        "thumbnail": lambda: page.locator('[class*="st-key-annotate_thumbnail"] button:visible').first.click(),
    }
    for name in clicks:
        before = shown(page)
        clicks[name]()
        if name in ("picture", "next", "previous", "thumbnail"):
            until(page, lambda before=before: shown(page) != before, f"another picture after a click on {name}")
        settled(page)
        before = shown(page)
        page.keyboard.press("ArrowRight")
        wait_for(page, before + 1, f"→ after a click on {name}")
        settled(page)

    # Digits and letters too: nothing is typed into Zoom, which has the focus.
    choose("Zoom", "100%")
    settled(page)
    page.keyboard.press("2")
    page.locator('.st-key-annotate_class_2 button[kind="primary"]').wait_for()
    assert page.get_by_role("combobox", name="Zoom").input_value() == "Zoom 100%"
    here = project.images()[shown(page)]
    done = here.done
    page.keyboard.press("d")
    until(page, lambda: project.images()[shown(page)].done != done)
    settled(page)
    page.keyboard.press("ArrowDown")
    settled(page)
    page.keyboard.press("Delete")
    until(page, lambda: len(project.regions(here.id)[0]) == 1)
    settled(page)
    page.keyboard.press("Control+z")
    until(page, lambda: len(project.regions(here.id)[0]) == 2)
    settled(page)

    # Quick presses are neither lost nor taken twice; a held key goes no faster than the page.
    before = shown(page)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    wait_for(page, before + 4, "→ four times, quickly")
    page.wait_for_timeout(700)
    settled(page)
    assert shown(page) == before + 4

    for _ in range(30):
        page.keyboard.down("ArrowRight")  # repeats, as of a key that is held
    page.keyboard.up("ArrowRight")
    page.wait_for_timeout(700)
    settled(page)
    assert before + 5 <= shown(page) <= before + 8
    before = shown(page)

    # A text that is being typed gets its keys.
    page.get_by_role("button", name="Classes").click()
    field = page.get_by_role("textbox", name="New class")
    field.click()
    field.press_sequentially("d1?")
    assert field.input_value() == "d1?"
    page.keyboard.press("Escape")
    page.mouse.click(5, 600)

    # The sheet tells all keys, and the page below it does not move.
    page.keyboard.press("?")
    page.get_by_role("dialog").get_by_text("Delete the selected region").wait_for()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert shown(page) == before
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def shown(page: Any) -> int:
    """The place of the picture that is on the page, by the list of pictures."""
    return int(page.get_by_role("combobox", name="Picture").input_value().split("/")[0]) - 1


def wait_for(page: Any, place: int, words: str) -> None:
    until(page, lambda: shown(page) == place, words)


def until(page: Any, condition: Callable[[], bool], words: str = "") -> None:
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(50)
    assert condition(), words
