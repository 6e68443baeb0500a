"""The pictures of the Predictions page in Chromium: sizes, sliders without reruns, a common camera, linked hovering."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from maskrcnn.evaluation import match_image
from maskrcnn.runs.folder import RunFolder
from tests import made_runs
from tests.made_runs import rectangle

Settled = Callable[..., None]
WIDTH, HEIGHT = 1200, 800


def box(image: int, x: int, width: int = 200) -> dict[str, Any]:
    """A rectangle 200 px high, 100 px below the top."""
    return rectangle(image, 1, (x, 100, width, 200))


OBJECTS = [box(1, 100), box(1, 500), box(1, 900), box(2, 300)]
FOUND = [
    box(1, 100, 180) | {"score": 0.9},  # IoU 0.9
    box(1, 500, 120) | {"score": 0.7},  # IoU 0.6
    box(1, 720) | {"score": 0.6},  # IoU 20 / 380 with the third
    box(1, 900) | {"score": 0.3},
    box(2, 300) | {"score": 0.4},
]


@pytest.fixture(scope="module")
def run(server: Any) -> RunFolder:
    project = made_runs.new_project_of_server(server, "pictured", "ab", made_runs.clouds((WIDTH, HEIGHT)))
    truth = made_runs.document("ab", OBJECTS, ("cell",), (WIDTH, HEIGHT))
    return made_runs.end_run(made_runs.begin_run(project, truth), {1: FOUND})


def frames_sent_by(page: Any) -> list[Any]:
    """Everything that a page sends to the server by its websocket from now on."""
    frames: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame)))
    return frames


@pytest.fixture
def sent(page: Any) -> list[Any]:
    return frames_sent_by(page)


def open_pictures(page: Any, server: Any, settled: Settled) -> Any:
    page.goto(f"{server.url}/predictions?project=pictured&run=first&image=a.png")
    page.locator('.picture-surface[data-ready="true"]').nth(1).wait_for()
    page.locator("[data-drawn*=tp]").wait_for()
    settled(page)
    return page


@pytest.fixture
def opened(page: Any, server: Any, run: RunFolder, settled: Settled, sent: list[Any]) -> Any:
    """A window of its own, for a test that changes the choices of the page."""
    return open_pictures(page, server, settled)


@pytest.fixture(scope="module")
def shared(browser: Any, server: Any, run: RunFolder, settled: Settled) -> Iterator[tuple[Any, list[Any]]]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    frames = frames_sent_by(page)
    yield open_pictures(page, server, settled), frames
    context.close()


@pytest.fixture
def looked_at(shared: tuple[Any, list[Any]], kept_if_failed: Callable[[Any], None]) -> Any:
    """The window of all tests that only look: both pictures, fitted, and nothing under the pointer."""
    page, _ = shared
    kept_if_failed(page.context)
    page.get_by_role("button", name="Both", exact=True).click()
    for side in ("truth", "found"):
        page.locator(f".side.{side}").wait_for()
    page.get_by_role("button", name="Fit the picture").first.click()
    page.get_by_role("heading", name="Predictions").click()
    page.wait_for_timeout(300)
    return page


def counts(page: Any, side: str = "found") -> dict[str, int]:
    """The numbers of the legend."""
    chips = page.locator(f".side.{side} .chip")
    return {chip.get_attribute("data-status"): int(chip.locator("strong").inner_text()) for chip in chips.all()}


def expected(run: RunFolder, score: float, iou: float = 0.5) -> tuple[int, int, int]:
    found = match_image(run.dataset()["val"], run.detections(1), 1, score, iou, run.config().tasks)
    return found.tp, found.fp, found.fn


def drawn(page: Any) -> tuple[int, int, int]:
    truth, found = counts(page, "truth"), counts(page, "found")
    assert truth["tp"] == found["tp"]
    return found["tp"], found["fp"], truth["fn"]


def drag(page: Any, name: str, part: float) -> None:
    """Press the slider in its middle and move to a part of its way, without letting go."""
    place = page.locator(f"input[name={name}]").bounding_box()
    middle = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + place["width"] / 2, middle)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(place["x"] + place["width"] * (0.5 + (part - 0.5) * step / 8), middle)


def camera(page: Any, side: str) -> dict[str, float]:
    return json.loads(page.locator(f".side.{side} .picture-surface").get_attribute("data-camera"))


def at(page: Any, side: str, x: float, y: float) -> tuple[float, float]:
    """The place in the window of a pixel of the picture."""
    surface, look = page.locator(f".side.{side} .picture-surface").bounding_box(), camera(page, side)
    return surface["x"] + look["x"] + x * look["scale"], surface["y"] + look["y"] + y * look["scale"]


def test_a_moved_slider_changes_the_counts_without_a_rerun(
    opened: Any, run: RunFolder, settled: Settled, sent: list[Any]
) -> None:
    page = opened
    assert drawn(page) == expected(run, 0.5) == (2, 1, 1)
    before = len(sent)
    drag(page, "score", 0.82)
    score = float(page.locator("input[name=score]").input_value())
    assert 0.7 < score < 0.9
    assert drawn(page) == expected(run, score) == (1, 0, 2)
    assert page.locator(".side.found .heading").inner_text().startswith("Prediction · 1 detection")
    page.wait_for_timeout(700)
    assert len(sent) == before
    page.mouse.up()  # the tables follow, once
    page.wait_for_timeout(700)
    settled(page)
    assert len(sent) == before + 1
    assert drawn(page) == expected(run, score)


def test_iou_colours_and_parts_are_answered_by_the_browser_alone(opened: Any, run: RunFolder, sent: list[Any]) -> None:
    """The page is told the IoU once, after the slider was let go: what it says about missed objects depends on it."""
    page = opened
    before = len(sent)
    drag(page, "iou", 0.75)
    iou = float(page.locator("input[name=iou]").input_value())
    assert 0.6 < iou < 0.9
    assert drawn(page) == expected(run, 0.5, iou) == (1, 2, 2)
    assert len(sent) == before
    page.mouse.up()
    assert page.locator(".side.found .sample.hatched:visible").count() == 1
    page.get_by_role("button", name="class").click()
    assert page.locator(".side.found .sample:visible").count() == 0
    for part in ("masks", "boxes", "labels", "fill"):
        page.get_by_role("checkbox", name=part).uncheck()
    page.wait_for_timeout(700)
    assert len(sent) == before + 1


def test_choices_stay_when_the_picture_changes_and_after_a_reload(opened: Any, settled: Settled) -> None:
    page = opened
    page.get_by_role("checkbox", name="boxes").uncheck()
    drag(page, "iou", 0.75)
    page.mouse.up()
    iou = page.locator("input[name=iou]").input_value()
    page.wait_for_url("**iou=0.75**")
    settled(page)
    page.get_by_role("heading", name="Predictions").click()
    page.keyboard.press("ArrowRight")
    page.locator('.picture-surface[data-picture="b.png"][data-ready="true"]').nth(1).wait_for()
    page.locator('[data-drawn*="b.png"][data-drawn*=fn]').wait_for()
    assert page.get_by_text("The highest score here is 0.40: move the slider down to see it.").is_visible()
    assert not page.get_by_role("checkbox", name="boxes").is_checked()
    page.reload()
    page.locator('.picture-surface[data-picture="b.png"][data-ready="true"]').nth(1).wait_for()
    assert page.locator("input[name=iou]").input_value() == iou
    assert not page.get_by_role("checkbox", name="boxes").is_checked()


def test_two_pictures_are_500_px_wide_and_one_is_950(looked_at: Any, shared: tuple[Any, list[Any]]) -> None:
    page, (_, sent) = looked_at, shared
    for side in ("truth", "found"):
        assert camera(page, side)["scale"] * WIDTH >= 500
    before = len(sent)
    page.keyboard.press("l")
    page.locator(".side.truth").wait_for(state="hidden")
    page.wait_for_timeout(300)
    assert camera(page, "found")["scale"] * WIDTH >= 950
    surface = page.locator(".side.found .picture-surface").bounding_box()
    assert surface["y"] + surface["height"] <= 900
    assert surface["height"] >= camera(page, "found")["scale"] * HEIGHT - 1
    assert counts(page) == {"tp": 2, "fp": 1, "fn": 1}
    page.keyboard.press("l")
    page.locator(".side.truth").wait_for()
    page.wait_for_timeout(300)
    assert camera(page, "truth") == camera(page, "found")
    page.get_by_role("button", name="Ground truth").click()
    page.locator(".side.found").wait_for(state="hidden")
    assert len(sent) == before


def test_both_pictures_have_one_camera(looked_at: Any) -> None:
    page = looked_at
    fitted = camera(page, "truth")["scale"]
    page.mouse.move(*at(page, "found", 600, 200))
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(300)
    assert camera(page, "found")["scale"] > 1.2 * fitted
    assert camera(page, "truth") == camera(page, "found")
    x, y = at(page, "truth", 600, 300)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 20, steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert camera(page, "truth") == camera(page, "found")


def test_what_is_under_the_pointer_is_told_on_both_sides(looked_at: Any) -> None:
    page = looked_at
    lines = [page.locator(f".side.{side} .line") for side in ("truth", "found")]
    page.mouse.move(*at(page, "found", 560, 200))
    lines[1].get_by_text("cell 0.70: found, TP. IoU 0.60 with cell").wait_for()
    assert lines[0].inner_text() == "cell: found, TP. IoU 0.60 with cell 0.70"
    page.mouse.move(*at(page, "found", 820, 200))
    lines[1].get_by_text("cell 0.60: wrong, FP. At most IoU 0.05 with an object of its class").wait_for()
    assert not lines[0].is_visible()
    page.mouse.move(*at(page, "truth", 1050, 200))
    lines[0].get_by_text("cell: missed, FN. cell 0.30 fits, but its score is below the chosen one").wait_for()
    assert not lines[1].is_visible()


def test_both_pictures_fill_the_full_screen(looked_at: Any) -> None:
    page = looked_at
    page.get_by_role("button", name="Full screen").first.click()
    page.get_by_role("button", name="Leave full screen").first.wait_for()
    page.wait_for_timeout(300)
    boxes = [page.locator(f".side.{side} .picture-surface").bounding_box() for side in ("truth", "found")]
    assert boxes[0]["x"] >= 0
    assert boxes[1]["x"] + boxes[1]["width"] <= 1400
    assert sum(box["width"] for box in boxes) >= 0.95 * 1400
    for place in boxes:
        assert place["y"] + place["height"] <= 900
        assert place["height"] >= 0.85 * 900
    page.get_by_role("button", name="Leave full screen").first.click()
    page.get_by_role("button", name="Full screen").first.wait_for()
    page.wait_for_timeout(300)
    assert page.locator(".side.truth .picture-surface").bounding_box()["width"] < 700


def test_a_picture_of_streamlit_fills_the_full_screen(page: Any, server: Any, settled: Settled, run: RunFolder) -> None:
    """By the style sheet of the studio; on Runs, whose pictures after each epoch are drawn by the server."""
    page.goto(f"{server.url}/runs?project=pictured&run=first")
    picture = page.locator('[data-testid="stImage"] img').first
    picture.wait_for()
    settled(page, 60_000)
    picture.hover()
    page.get_by_role("button", name="Fullscreen").first.click()
    page.get_by_role("button", name="Close fullscreen").first.wait_for()
    box = picture.bounding_box()
    assert picture.evaluate("img => getComputedStyle(img).objectFit") == "contain"  # it keeps its proportions
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1400
    assert box["y"] + box["height"] <= 900
    assert box["width"] >= 0.95 * 1400
    assert box["height"] >= 0.9 * 900
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Close fullscreen").first.wait_for(state="detached")
    assert picture.bounding_box()["width"] < 700
