"""The picture of the Try it page in Chromium, without its page: controls, list, known length, what the page is told."""

from __future__ import annotations

import io
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.model.candidates import Candidates, Selection
from maskrcnn.studio.serving import browser_code
from maskrcnn.studio.try_it import candidate_routes, tried_picture
from maskrcnn.studio.try_it.tried_picture import TriedPicture

MODULE = browser_code._FOLDER / "try_it" / "tried_picture.js"
MOUNT = """async ([address, data]) => {
  if (!window.place) {
    document.body.replaceChildren();
    document.body.append(window.place = document.createElement("div"));
    window.place.append(document.createElement("div"));
    window.told = [];
  }
  const { default: component } = await import(address);
  const setStateValue = (name, value) => window.told.push([name, value]);
  component({ parentElement: window.place, data, setStateValue });
}"""
WIDTH, HEIGHT = 800, 600
SIDE = 28


def area_of(side: float) -> float:
    """The area of a mask of `made_candidates` in a square box, in px²."""
    return side**2 / 4 - 4 * (math.log(2) / 2 - 0.25) * (side / SIDE) ** 2


# x1, y1, x2, y2, class, score, rank: two leaves, two cells, and a second box on the first leaf (IoU 100 / 110).
FOUND = [
    (100, 100, 200, 200, 2, 0.9, 0),
    (400, 100, 600, 300, 1, 0.8, 3),
    (100, 100, 210, 200, 2, 0.7, 1),
    (100, 400, 150, 450, 1, 0.6, 2),
    (500, 400, 700, 550, 2, 0.4, 4),
]
LEAF, CELL, SECOND, SMALL, FAINT = range(5)


def made_candidates() -> Candidates:
    """Masks of 1 in the middle half of each box. Interpolation rounds the four corners: where two linear falls meet,
    1/4 - (1 - ln 2) / 2 = 0.097 of a cell is lost in each."""
    masks = np.zeros((len(FOUND), SIDE, SIDE), np.float16)
    masks[:, 7:21, 7:21] = 1
    numbers = np.array(FOUND, np.float32)
    labels, ranks = numbers[:, 4].astype(np.int64), numbers[:, 6].astype(np.int64)
    return Candidates(HEIGHT, WIDTH, numbers[:, :4], labels, numbers[:, 5], ranks, masks)


def data_of(name: str = "a.png", **changes: Any) -> TriedPicture:
    address = {"address": f"/made/{name}", "width": WIDTH, "height": HEIGHT, "name": name}
    own = Selection(min_score=0.5, proposals=200)
    values: dict[str, Any] = {"classes": (("cell", "#e69f00"), ("leaf", "#56b4e9")), "own": own, "selection": own}
    values |= {"name": name}
    return TriedPicture(address, f"/made/{name}/candidates", **(values | changes))


@pytest.fixture
def shown(page: Any, server: Any) -> Any:
    pixels = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (210, 210, 210)).save(pixels, "JPEG")
    found = json.dumps(candidate_routes.for_browser(made_candidates()))
    page.route("**/made/*/whole/*", lambda route: route.fulfill(body=pixels.getvalue(), content_type="image/jpeg"))
    page.route("**/made/*.png/candidates", lambda route: route.fulfill(body=found, content_type="application/json"))
    page.route("**/made/gone/candidates", lambda route: route.fulfill(status=422, body="gone.npz: is damaged\n"))
    page.goto(f"{server.url}/_stcore/health")
    mount(page, data_of())
    page.locator(".object-row[role=option]").first.wait_for()
    return page


def mount(page: Any, data: TriedPicture) -> None:
    """What a script run sends."""
    page.evaluate(MOUNT, [browser_code.module_url(MODULE), tried_picture.component_data(data)])


def state(page: Any) -> Any:
    return json.loads(page.locator(".tried").get_attribute("data-drawn"))


def wait_for_kept(page: Any, *places: int) -> None:
    page.locator(f".tried[data-drawn*='\"kept\":{json.dumps(places, separators=(',', ':'))}']").wait_for()


def told(page: Any, name: str) -> Any:
    """The last value that the page was told, once there is one more."""
    page.wait_for_function("name => window.told.some(([one]) => one === name)", arg=name)
    values = [value for one, value in page.evaluate("window.told.splice(0)") if one == name]
    return values[-1]


def slide(page: Any, name: str, step: int) -> None:
    page.locator(f"input[name={name}]").fill(str(step))


def place_of(page: Any, x: float, y: float) -> tuple[float, float]:
    surface = page.locator(".picture-surface")
    look, box = json.loads(surface.get_attribute("data-camera")), surface.bounding_box()
    return box["x"] + look["x"] + x * look["scale"], box["y"] + look["y"] + y * look["scale"]


def texts(page: Any, of: str) -> list[str]:
    return [text.strip() for text in page.locator(of).all_inner_texts()]


def test_sliders_and_classes_answer_in_the_browser(shown: Any) -> None:
    page = shown
    wait_for_kept(page, LEAF, CELL, SMALL)
    assert state(page)["areas"] == pytest.approx([area_of(100), area_of(200), area_of(50)], rel=0.001)
    assert texts(page, ".summary .count") == ["3 objects"]
    assert texts(page, ".summary .mean") == ["mean score 0.77"]  # (0.9 + 0.8 + 0.6) / 3
    assert texts(page, ".class-row .count") == ["2", "1"]
    slide(page, "nms_iou", 100)  # the last stop, 0.8: the IoU of the leaves is 0.91
    wait_for_kept(page, LEAF, CELL, SMALL)
    slide(page, "min_score", 30)
    wait_for_kept(page, LEAF, CELL, SMALL, FAINT)
    assert texts(page, ".class-row .count") == ["2", "2"]
    slide(page, "proposals", 1)  # two of them: ranks 0 and 1
    wait_for_kept(page, LEAF)
    page.get_by_role("button", name="Reset").click()
    wait_for_kept(page, LEAF, CELL, SMALL)
    assert told(page, "selection") == tried_picture._for_browser(data_of().own)
    slide(page, "mask_threshold", 18)
    page.locator(".tried[data-drawn*='\"mask_threshold\":0.95']").wait_for()
    # From 0.5 to 0.95 each edge moves by 0.45 of a cell, which is 100 / 28 px.
    assert state(page)["areas"][0] == pytest.approx((50 - 0.9 * 100 / SIDE) ** 2, rel=0.002)
    page.locator("input[name=class-1]").uncheck()
    wait_for_kept(page, LEAF)
    chosen = told(page, "selection")
    assert (chosen["classes"], chosen["mask_threshold"]) == ([2], 0.95)
    line = page.locator(".histogram").nth(1).bounding_box()
    page.mouse.click(line["x"] + 0.955 * line["width"], line["y"] + 5)  # beside the bars: the score from there
    wait_for_kept(page)
    page.get_by_text("The highest score here is 0.90").wait_for()
    # The page sends what it was told: nothing moves. What it was never told is taken over.
    now = told(page, "selection")
    assert now["min_score"] == pytest.approx(0.95, abs=0.011)
    echo = Selection(**(now | {"classes": frozenset([2])}))
    mount(page, data_of(selection=echo))
    wait_for_kept(page)
    mount(page, data_of(selection=Selection(min_score=0.75, classes=frozenset([1]))))
    wait_for_kept(page, CELL)


def test_list_and_picture_are_marked_together(shown: Any) -> None:
    page = shown
    line, rows = page.locator(".stage .line"), page.locator(".object-row[role=option]")
    assert area_of(100) == pytest.approx(2494, abs=1.5)
    assert rows.first.get_attribute("aria-label") == "leaf, score 0.90, area 2\u202f494 px²"
    page.mouse.move(*place_of(page, 500, 200))
    page.locator(".object-row.is-hovered", has_text="cell").wait_for()
    assert line.inner_text().startswith("cell 0.80: area 9\u202f97")
    page.mouse.click(*place_of(page, 150, 150))
    page.locator(".object-row[aria-selected=true]", has_text="leaf").wait_for()
    page.locator(".objects .rows").focus()
    page.keyboard.press("ArrowDown")
    page.locator(".object-row[aria-selected=true]", has_text="0.80").wait_for()
    page.get_by_role("button", name="Area").click()
    page.get_by_role("button", name="Area").click()
    assert texts(page, ".object-row .score") == ["0.60", "0.90", "0.80"]  # the smallest first
    mount(page, data_of(reports_selected=True))
    rows.nth(1).click()
    assert told(page, "selected") == {"picture": "/made/a.png/candidates", "value": LEAF}
    rows.nth(2).click()
    page.keyboard.press("o")  # only cells, that of the selected one
    wait_for_kept(page, CELL, SMALL)
    page.keyboard.press("o")
    wait_for_kept(page, LEAF, CELL, SMALL)
    before = json.loads(page.locator(".picture-surface").get_attribute("data-camera"))["scale"]
    rows.nth(0).dblclick()
    page.wait_for_function("before => JSON.parse(document.querySelector('.picture-surface').dataset.camera).scale"
                           " > 2 * before", arg=before)  # fmt: skip
    page.keyboard.press("l")
    page.locator(".tried[data-layout=alone]").wait_for()


def test_a_known_length_gives_areas_a_unit(shown: Any) -> None:
    page = shown
    page.get_by_role("button", name="Known length").click()
    page.mouse.move(*place_of(page, 100, 500))
    page.mouse.down()
    page.keyboard.down("Shift")  # level, although the end is 20 px lower
    page.mouse.move(*place_of(page, 300, 520), steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.keyboard.type("50")  # the number has the focus; 200 px are 50 mm, so a pixel is 0.25 mm
    page.locator(".object-row .area", has_text="156 mm²").wait_for()  # 2500 / 16
    length = told(page, "length")
    assert length["picture"] == "/made/a.png/candidates"
    assert length["value"]["line"] == pytest.approx([100, 500, 300, 500], abs=1)
    assert (length["value"]["value"], length["value"]["unit"]) == (50, "mm")
    page.get_by_label("Unit").select_option("cm")
    page.locator(".object-row .area", has_text="156 cm²").wait_for()
    page.mouse.move(*place_of(page, 300, 500))  # the end is dragged without the tool
    page.mouse.down()
    page.mouse.move(*place_of(page, 200, 500), steps=3)
    page.mouse.up()
    page.locator(".object-row .area", has_text=re.compile("62[34] cm²")).wait_for()  # 100 px are 50 cm now
    page.keyboard.press("Tab")
    # Another picture has no line, but the scale that the page sends; without one, pixels.
    mount(page, data_of("b.png", scale=(0.1, "m")))
    page.locator(".object-row .area", has_text="24.9 m²").wait_for()
    page.get_by_text("1 px = 0.1 m, from another picture").wait_for()
    mount(page, data_of("b.png"))
    page.locator(".object-row .area", has_text="2\u202f494 px²").wait_for()
    # By keys: Enter puts a line into the middle, arrows move its end, Escape ends the drawing.
    page.locator(".picture-surface").focus()
    page.keyboard.press("m")
    page.keyboard.press("Enter")
    page.get_by_text("The line has").wait_for()
    words = page.locator(".length .note").inner_text()
    page.keyboard.press("Shift+ArrowRight")
    page.locator(".length .note").get_by_text(words).wait_for(state="detached")
    page.keyboard.press("Escape")
    page.locator(".length [aria-pressed=false]").wait_for()
    page.get_by_role("button", name="Take the line away").click()
    page.locator("input[name=known-length]").wait_for(state="hidden")


def test_what_cannot_be_read_is_said_and_a_phone_has_the_controls_below(shown: Any) -> None:
    page = shown
    mount(page, data_of("gone"))
    page.locator(".stage .line").get_by_text("gone.npz: is damaged").wait_for()
    assert page.locator(".object-row[role=option]").count() == 0
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".tried[data-layout=below]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
