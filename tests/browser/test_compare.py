"""The Compare page in Chromium: one camera, the swipe line, one slider for both epochs, points that open pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from maskrcnn.annotations.store import Project
from tests import made_runs
from tests.made_runs import rectangle
from tests.sweeps import sweep

Settled = Callable[..., None]
WIDTH, HEIGHT = 1200, 800


def box(image: int, x: int, width: int = 200) -> dict[str, Any]:
    """A rectangle 200 px high, 100 px below the top."""
    return rectangle(image, 1, (x, 100, width, 200))


OBJECTS = [box(1, 100), box(1, 500), box(1, 900), box(2, 300)]
FOUND = {
    "older": {1: [], 2: [box(1, 100) | {"score": 0.9}, box(1, 500, 120) | {"score": 0.7}]},
    "newer": {
        1: [box(1, 100) | {"score": 0.8}],
        2: [box(1, 100) | {"score": 0.9}, box(1, 900) | {"score": 0.6}, box(2, 300) | {"score": 0.9}],
    },
}
"""Epoch 2: both find the first object of a.png, A the second and B the third; B that of b.png."""


@pytest.fixture(scope="module")
def project(server: Any) -> Project:
    made = made_runs.new_project_of_server(server, "compared", "ab", made_runs.clouds((WIDTH, HEIGHT)))
    truth = made_runs.document("ab", OBJECTS, ("cell",), (WIDTH, HEIGHT))
    for name, epochs in FOUND.items():
        made_runs.end_run(made_runs.begin_run(made, truth, name), epochs, {epoch: epoch / 10 for epoch in epochs})
    return made


def open_page(page: Any, server: Any, settled: Settled, query: str = "") -> Any:
    page.goto(f"{server.url}/compare?project=compared&a=older&b=newer{query}")
    page.locator("[data-drawn*=tp]").wait_for()
    page.locator('.side.b .picture-surface[data-ready="true"]').wait_for()
    settled(page, 60_000)
    return page


@pytest.fixture(scope="module")
def shared(browser: Any, server: Any, project: Project, settled: Settled) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield open_page(page, server, settled, "&image=a.png")
    context.close()


@pytest.fixture
def looked_at(shared: Any, kept_if_failed: Callable[[Any], None]) -> Any:
    """The window of the tests that only look: A and B side by side, fitted."""
    kept_if_failed(shared.context)
    shared.get_by_role("button", name="A and B", exact=True).click()
    shared.get_by_role("button", name="Fit the picture").last.click()
    return shared


def counts(page: Any, side: str) -> dict[str, int]:
    """The numbers of the legend of a side."""
    chips = page.locator(f".side.{side} .chip")
    return {chip.get_attribute("data-status"): int(chip.locator("strong").inner_text()) for chip in chips.all()}


def camera(page: Any, side: str) -> dict[str, float]:
    return json.loads(page.locator(f".side.{side} .picture-surface").get_attribute("data-camera"))


def wait_for_drawn(page: Any, **wanted: Any) -> None:
    """Wait until the pictures have drawn this: `picture`, or the counts of `a` or `b`."""
    page.wait_for_function(
        """wanted => {
          const inShadow = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
            [...(one.dataset?.drawn ? [one] : []), ...(one.shadowRoot ? inShadow(one.shadowRoot) : [])]);
          const drawn = inShadow(document).map((one) => JSON.parse(one.dataset.drawn)).find((one) => one.a);
          return drawn && Object.entries(wanted).every(([name, value]) =>
            JSON.stringify(drawn[name]) === JSON.stringify(value));
        }""",
        arg=wanted,
    )


def test_both_have_one_camera_and_their_own_counts(looked_at: Any) -> None:
    page = looked_at
    assert counts(page, "a") == {"tp": 2, "fp": 0, "fn": 1}
    assert counts(page, "b") == {"tp": 2, "fp": 0, "fn": 1}
    for side in ("a", "b"):
        assert camera(page, side)["scale"] * WIDTH >= 500
    fitted = camera(page, "a")
    surface = page.locator(".side.a .picture-surface").bounding_box()
    x, y = surface["x"] + surface["width"] / 2, surface["y"] + surface["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    page.mouse.down()
    page.mouse.move(x - 60, y - 20, steps=4)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert camera(page, "a")["scale"] > 1.2 * fitted["scale"]
    assert camera(page, "b") == camera(page, "a")
    page.get_by_role("button", name="With ground truth").click()
    page.locator(".side.truth").wait_for()
    assert counts(page, "truth") == {"both": 1, "onlyA": 1, "onlyB": 1, "none": 0}
    page.wait_for_timeout(200)
    views = [camera(page, side) for side in ("truth", "a", "b")]
    assert views[0]["scale"] == views[1]["scale"] == views[2]["scale"]


def test_the_swipe_line_is_moved_by_mouse_and_keys(looked_at: Any) -> None:
    page = looked_at
    page.get_by_role("heading", name="Compare").click()
    page.keyboard.press("l")
    line = page.get_by_role("slider", name="Line between A and B")
    line.wait_for()
    page.wait_for_timeout(200)
    assert camera(page, "a") == camera(page, "b")
    assert camera(page, "a")["scale"] * WIDTH >= 950
    picture = page.locator(".side.b .picture-surface").bounding_box()
    assert picture["y"] + picture["height"] <= 900
    assert picture == page.locator(".side.a .picture-surface").bounding_box()
    grip = line.bounding_box()
    middle = grip["y"] + grip["height"] / 2
    page.mouse.move(grip["x"] + grip["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(picture["x"] + picture["width"] / 4, middle, steps=5)
    page.mouse.up()
    assert line.get_attribute("aria-valuenow") == "25"
    holder = page.locator(".side.b .holder")
    assert holder.evaluate("one => one.style.clipPath").startswith("inset(0px 0px 0px 25")
    # Left of the line the pointer is on A, right of it on B.
    under = "([x, y]) => { const one = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.swipe-line')); return one.shadowRoot.elementFromPoint(x, y).closest('.side').className; }"  # noqa: E501
    for part, side in ((0.1, "side a"), (0.6, "side b")):
        assert page.evaluate(under, [picture["x"] + picture["width"] * part, middle]) == side
    before = page.url
    for key, value in (
        ("ArrowRight", "26"),
        ("Shift+ArrowRight", "36"),
        ("ArrowLeft", "35"),
        ("End", "100"),
        ("Home", "0"),
    ):
        page.keyboard.press(key)  # the line has the focus since it was dragged
        assert line.get_attribute("aria-valuenow") == value
    page.wait_for_timeout(300)
    assert page.url == before  # the arrow keys did not go to the next picture
    page.keyboard.press("l")
    line.wait_for(state="hidden")


@sweep
def test_the_swipe_line_is_moved_by_touch(browser: Any, server: Any, project: Project, settled: Settled) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    open_page(page, server, settled)
    page.get_by_role("button", name="Swipe").click()
    line = page.get_by_role("slider", name="Line between A and B")
    line.wait_for()
    page.wait_for_timeout(200)
    place, whole = line.bounding_box(), page.locator(".side.b .picture-surface").bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + 60
    client = context.new_cdp_session(page)
    client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 6):
        to = x + step / 5 * (whole["x"] + 0.75 * whole["width"] - x)
        client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": to, "y": y}]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert line.get_attribute("aria-valuenow") == "75"
    context.close()


def test_sliders_of_score_and_iou_are_answered_by_the_browser_and_then_by_the_page(
    page: Any, server: Any, project: Project, settled: Settled
) -> None:
    open_page(page, server, settled, "&image=a.png")
    page.get_by_role("heading", name="1 object lost").wait_for()
    slider = page.locator("input[name=iou]")
    slider.focus()
    page.keyboard.press("Tab")  # whoever moves by keys: the arrows belong to the slider
    page.keyboard.press("Shift+Tab")
    for _ in range(4):  # 0.70: the second object of A has an IoU of 0.6
        page.keyboard.press("ArrowRight")
    wait_for_drawn(page, a={"tp": 1, "fp": 1, "fn": 2}, b={"tp": 2, "fp": 0, "fn": 1})
    page.get_by_role("heading", name="0 objects lost").wait_for()
    page.get_by_text("at score 0.50 and IoU 0.70").wait_for()


def test_one_slider_moves_both_epochs_and_a_point_opens_its_picture(
    page: Any, server: Any, project: Project, settled: Settled
) -> None:
    open_page(page, server, settled, "&image=a.png")
    epochs = page.get_by_role("slider", name="Epoch of both")
    epochs.focus()
    page.keyboard.press("Tab")  # whoever moves by keys: the arrows belong to the slider
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")
    wait_for_drawn(page, a={"tp": 0, "fp": 0, "fn": 3}, b={"tp": 1, "fp": 0, "fn": 2})
    page.wait_for_url("**a_epoch=1*")
    assert "b_epoch=1" in page.url
    assert page.locator(".side.a .title").inner_text() == "epoch 1 of older"
    page.keyboard.press("ArrowRight")
    wait_for_drawn(page, a={"tp": 2, "fp": 0, "fn": 1})
    settled(page)
    # Points are drawn as the pictures differ: b.png first, of which A finds nothing and B the only object.
    page.locator(".stVegaLiteChart").last.locator(".mark-symbol path").first.click(force=True)
    wait_for_drawn(page, picture="b.png", a={"tp": 0, "fp": 0, "fn": 1}, b={"tp": 1, "fp": 0, "fn": 0})
    page.wait_for_url("**image=b.png*")


def test_the_shipped_pair_opens_by_one_click(page: Any, server: Any, project: Project, settled: Settled) -> None:
    open_page(page, server, settled)
    page.get_by_role("button", name="RoIPool beside RoIAlign: the shipped pair").click()
    page.locator(".side.a .title", has_text="of toy-c5-pool").wait_for()
    page.locator(".side.b .title", has_text="of toy-c5-align").wait_for()
    page.locator('.side.b .picture-surface[data-picture^="toy2-"][data-ready="true"]').wait_for()
    settled(page, 60_000)
    badges = [
        page.locator(f".side.{side} .badge").evaluate("one => getComputedStyle(one).backgroundColor") for side in "ab"
    ]
    assert badges == ["rgb(232, 113, 10)", "rgb(31, 111, 235)"]  # RoIPool orange, RoIAlign blue
    page.get_by_text("what the paper measured").wait_for()


@sweep
def test_a_crop_opens_its_object_magnified(page: Any, server: Any, project: Project, settled: Settled) -> None:
    open_page(page, server, settled, "&image=a.png")
    fitted = camera(page, "b")["scale"]
    page.locator('.crops [data-item="4"] .open').click()  # the fourth object, that of b.png
    wait_for_drawn(page, picture="b.png")
    page.locator('.side.b .picture-surface[data-picture="b.png"][data-ready="true"]').wait_for()
    settled(page)
    shown = page.locator(".side.b .picture-surface")
    page.wait_for_function("shown => shown.getBoundingClientRect().top > 0", arg=shown.element_handle())  # in sight
    view = camera(page, "b")
    assert view["scale"] > 1.2 * fitted
    surface = shown.bounding_box()
    middle = [(surface["width"] / 2 - view["x"]) / view["scale"], (surface["height"] / 2 - view["y"]) / view["scale"]]
    assert middle == [pytest.approx(400, abs=5), pytest.approx(200, abs=5)]  # of the object at (300, 100), 200 x 200
