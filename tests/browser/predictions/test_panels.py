"""The panels below the pictures of the Predictions page in Chromium: ranking, instances, reasons, way to the editor."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.serving import browser_code
from tests import made_runs
from tests.made_runs import rectangle

Settled = Callable[..., None]
WIDTH, HEIGHT = 1200, 800
CELL, LEAF = 1, 2


def box(category: int, x: int, width: int = 200, **more: Any) -> dict[str, Any]:
    """A rectangle 200 px high, 100 px below the top."""
    return rectangle(1, category, (x, 100, width, 200), **more)


OBJECTS = [box(CELL, 100, id=11), box(CELL, 500, id=12), box(LEAF, 900, id=13)]

# With all scores at IoU 0.5: TP, TP, FP, FP, TP of 3 objects, so the AP is (1 + 1 + 3/5) / 3 = 0.867.
# At IoU 0.75: TP, FP, FP, FP, TP, so (1 + 2/5 + 0) / 3 = 0.467; for cells alone (1 + 0) / 2.
FOUND = [
    box(LEAF, 900, score=0.3),
    box(CELL, 100, 180, score=0.9),  # IoU 0.9
    box(CELL, 900, score=0.6),  # on the leaf
    box(CELL, 500, 120, score=0.7),  # IoU 0.6
    box(CELL, 100, score=0.55),  # the first cell once more
]


@pytest.fixture(scope="module")
def run(server: Any) -> RunFolder:
    project = made_runs.new_project_of_server(server, "prediction_panels", "a", made_runs.grey((WIDTH, HEIGHT)))
    truth = made_runs.document("a", OBJECTS, ("cell", "leaf"), (WIDTH, HEIGHT))
    truth["images"][0]["file_name"] = "photo one.png"
    return made_runs.end_run(made_runs.begin_run(project, truth), {1: FOUND})


@pytest.fixture
def opened(page: Any, server: Any, run: RunFolder, settled: Settled) -> Any:
    open_page(page, server, settled)
    return page


def open_page(page: Any, server: Any, settled: Settled, **query: str) -> None:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    page.goto(f"{server.url}/predictions?project=prediction_panels&run=first{more}")
    page.locator('.picture-surface[data-ready="true"]').nth(1).wait_for()
    page.locator("[data-drawn*=tp]").wait_for()
    settled(page)


def open_panel(page: Any, name: str) -> None:
    page.locator(f"[data-panel={name}]").click()
    page.locator(f"[data-panel={name}][aria-expanded=true]").wait_for()


def ranking(page: Any) -> list[list[str]]:
    return [line.locator("td").all_inner_texts() for line in page.locator(".ap tbody tr").all()]


def set_slider(page: Any, name: str, value: float) -> None:
    page.locator(f"input[name={name}]").fill(str(value))


def place_of(page: Any, side: str, x: float, y: float) -> tuple[float, float]:
    """The place in the window of a pixel of the picture."""
    surface = page.locator(f".side.{side} .picture-surface")
    look, box = json.loads(surface.get_attribute("data-camera")), surface.bounding_box()
    return box["x"] + look["x"] + x * look["scale"], box["y"] + look["y"] + y * look["scale"]


def test_the_ranking_is_worked_out_row_by_row_at_the_slider(opened: Any) -> None:
    page = opened
    open_panel(page, "showAp")
    assert page.locator(".ap .sum").inner_text() == "AP at IoU 0.50 = (1 + 1 + 3/5) / 3 = 0.867"
    assert ranking(page) == [
        ["1", "0.90", "cell", "TP, object 1", "1/1 = 1.000", "1/3 = 0.333", "1.000", "0.333"],
        ["2", "0.70", "cell", "TP, object 2", "2/2 = 1.000", "2/3 = 0.667", "1.000", "0.667"],
        ["3", "0.60", "cell", "FP", "2/3 = 0.667", "2/3 = 0.667", "0.667", "0.667"],
        ["4", "0.55", "cell", "FP", "2/4 = 0.500", "2/3 = 0.667", "0.600", "0.667"],
        ["5", "0.30", "leaf", "TP, object 3", "3/5 = 0.600", "3/3 = 1.000", "0.600", "0.867"],
    ]
    assert page.locator(".ap tr.is-below").count() == 1  # 0.30, which takes part all the same
    set_slider(page, "iou", 0.75)
    page.get_by_text("AP at IoU 0.75 = (1 + 2/5 + 0) / 3 = 0.467").wait_for()
    assert [row[3] for row in ranking(page)] == ["TP, object 1", "FP", "FP", "FP", "TP, object 3"]
    page.get_by_label("Classes that are ranked").select_option("cell")
    page.get_by_text("AP at IoU 0.75 = (1 + 0) / 2 = 0.500").wait_for()
    assert len(ranking(page)) == 4
    page.reload()  # it stays open
    page.locator(".ap tbody tr").nth(4).wait_for()


def test_a_row_and_its_detection_are_marked_together(opened: Any) -> None:
    page = opened
    open_panel(page, "showAp")
    rows, lines = page.locator(".ap tbody tr"), page.locator(".side .line:visible")
    page.mouse.move(*place_of(page, "found", 560, 200))
    page.locator(".ap tr.is-hovered[data-detection='1']").wait_for()
    assert page.locator(".ap tr.is-hovered").count() == 1
    assert page.locator(".ap .ring").get_attribute("visibility") == "visible"
    rows.first.hover()
    lines.get_by_text("cell 0.90: found, TP. IoU 0.90 with cell").wait_for()
    assert lines.first.inner_text() == "cell: found, TP. IoU 0.90 with cell 0.90"  # its object, on the other side
    rows.last.hover()  # below the slider: drawn as long as its row is under the pointer
    lines.get_by_text("leaf 0.30: its score is below the chosen one").wait_for()
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    page.locator(".ap tr.is-hovered[data-detection='1']").wait_for()
    page.keyboard.press("Enter")
    page.locator("[data-panel=showStory]").get_by_text("Selected: cell 0.70: found, TP").wait_for()


def test_single_instances_are_switched_off(opened: Any) -> None:
    page = opened
    open_panel(page, "showInstances")
    checks = page.locator(".instance input")
    assert page.locator(".instance").all_inner_texts() == [
        "1 cell", "2 cell", "3 leaf", "cell 0.90", "cell 0.70", "cell 0.60", "cell 0.55",
    ]  # fmt: skip
    line = page.locator(".side.found .line")
    page.mouse.move(*place_of(page, "found", 560, 200))
    line.get_by_text("cell 0.70").wait_for()
    checks.nth(4).uncheck()
    page.locator("[data-panel=showInstances]").get_by_text("Instances, 1 off").wait_for()
    page.mouse.move(*place_of(page, "found", 560, 700))
    page.mouse.move(*place_of(page, "found", 560, 200))
    line.wait_for(state="hidden")  # it is not there
    assert page.locator(".side.found .chip[data-status=tp] strong").inner_text() == "2"  # counts stay
    page.locator(".instance", has_text="cell 0.60").dblclick()
    assert [check.is_checked() for check in checks.all()] == [False] * 5 + [True, False]
    page.keyboard.press("o")
    page.locator("[data-panel=showInstances]").get_by_text("Instances", exact=True).wait_for()
    # The key draws the selected one and its partner.
    page.mouse.click(*place_of(page, "truth", 150, 200))
    page.locator("[data-panel=showStory]").get_by_text("Selected: 1 cell").wait_for()
    page.keyboard.press("o")
    page.locator("[data-panel=showInstances]").get_by_text("Instances, 5 off").wait_for()
    assert [check.is_checked() for check in checks.all()] == [True, False, False, True, False, False, False]
    page.get_by_role("button", name="Show all").click()
    assert all(check.is_checked() for check in checks.all())


def test_the_reason_follows_the_sliders(opened: Any) -> None:
    page = opened
    open_panel(page, "showStory")
    lines = page.locator(".story-lines li")
    page.mouse.click(*place_of(page, "truth", 1000, 200))
    page.locator(".story[data-kind='another class']").wait_for()
    assert lines.all_inner_texts() == [
        "Found as another class: cell 0.60 lies on it at IoU 1.00.",
        "leaf 0.30 fits it at IoU 1.00, but its score 0.30 is below the slider, 0.50.",
    ]
    set_slider(page, "score", 0.65)
    page.locator(".story[data-kind='low score']").wait_for()
    set_slider(page, "score", 0.25)
    page.locator(".story[data-kind=found]").wait_for()
    page.mouse.click(*place_of(page, "found", 560, 200))
    set_slider(page, "iou", 0.75)
    page.locator(".story[data-kind='too loose']").wait_for()
    assert lines.all_inner_texts() == ["Too loose: it lies on object 2 (cell) with IoU 0.60 < 0.75."]


def test_the_editor_opens_at_the_object_and_the_way_back_selects_it(opened: Any, server: Any, settled: Settled) -> None:
    page = opened
    page.mouse.click(*place_of(page, "truth", 1000, 200))
    page.locator("[data-panel=showStory]").get_by_text("Selected: 3 leaf").wait_for()
    page.keyboard.press("e")
    page.wait_for_url("**/?*object=*")
    assert parse_qs(urlsplit(page.url).query) == {
        "project": ["prediction_panels"], "image": ["a.png"], "object": ["first:1:truth:13"], "back": ["predictions"],
    }  # fmt: skip
    open_page(page, server, settled, epoch="1", object="first:1:found:2")  # cell 0.60, the third by score
    page.locator(".story[data-kind='another class']").wait_for()
    assert page.locator(".story-title").inner_text() == "cell 0.60: wrong, FP"
    page.get_by_role("button", name="Open in the editor").click()
    page.wait_for_url("**/?*object=*")
    assert parse_qs(urlsplit(page.url).query)["object"] == ["first:1:found:2"]


def test_reasons_by_hand(page: Any, server: Any) -> None:
    """Each kind once. Numbers in `overlaps` and `others` are [object, IoU]; score from 0.5, IoU from 0.5."""
    page.goto(f"{server.url}/_stcore/health")
    address = server.url + browser_code.module_url(browser_code._FOLDER / "inspect" / "panels" / "object_story.js")
    matching = server.url + browser_code.module_url(browser_code._FOLDER / "inspect" / "matching.js")
    tell = """async ([story, matching, table, which, place]) => {
      const stories = await import(story), { matchPicture } = await import(matching);
      return stories[which](table, matchPicture(table, 0.5, 0.5), place, { score: 0.5, iou: 0.5 });
    }"""

    def told(which: str, place: int, detections: list[tuple[float, Any, Any]], objects: int = 1) -> tuple[str, str]:
        table = {
            "objects": [{"label": f"cell{n}", "crowd": False} for n in range(objects)],
            "detections": [{"score": score, "label": f"{score:.2f}"} for score, _, _ in detections],
            "overlaps": [own for _, own, _ in detections],
            "others": [others for _, _, others in detections],
        }
        found = page.evaluate(tell, [address, matching, table, which, place])
        return found["kind"], found["lines"][0]

    of_object, of_detection = "objectStory", "detectionStory"
    cases: list[tuple[str, int, list[tuple[float, Any, Any]], int, str, str]] = [
        (of_object, 0, [(0.9, [[0, 0.8]], [])], 1, "found", "Found by 0.90 at IoU 0.80."),
        (of_object, 0, [(0.9, [[0, 0.43]], [])], 1, "too loose", "lies on it with IoU 0.43 < 0.50."),
        (of_object, 0, [(0.9, [[0, 0.499]], [])], 1, "too loose", "IoU 0.499 < 0.50"),
        (of_object, 0, [(0.31, [[0, 0.8]], [])], 1, "low score", "its score 0.31 is below the slider, 0.50."),
        (of_object, 0, [(0.9, [], [[0, 0.7]])], 1, "another class", "0.90 lies on it at IoU 0.70."),
        # The other class was less sure than the own one, which is below the slider: no, it was surer.
        (of_object, 0, [(0.9, [], [[0, 0.7]]), (0.4, [[0, 0.9]], [])], 1, "another class", "0.90 lies on it"),
        # One detection on two objects counts for the one that it overlaps more.
        (of_object, 0, [(0.9, [[0, 0.6], [1, 0.7]], [])], 2, "counted for another", "on object 2 at IoU 0.70"),
        (of_object, 0, [(0.9, [[0, 0.05]], [])], 1, "nothing", "No saved detection fits it"),
        (of_object, 0, [(0.3, [], [[0, 0.9]])], 1, "nothing", "No saved detection fits it"),
        (of_detection, 0, [(0.9, [[0, 0.8]], [])], 1, "found", "it found object 1 (cell0) at IoU 0.80"),
        (of_detection, 1, [(0.9, [[0, 0.8]], []), (0.8, [[0, 0.9]], [])], 1, "duplicate", "which 0.90 found."),
        (of_detection, 0, [(0.9, [[0, 0.3]], [])], 1, "too loose", "on object 1 (cell0) with IoU 0.30 < 0.50"),
        (of_detection, 0, [(0.9, [], [[0, 0.6]])], 1, "another class", "on object 1 (cell0) at IoU 0.60"),
        (of_detection, 0, [(0.9, [], [[0, 0.04]])], 1, "background", "at most IoU 0.04 with object 1"),
        (of_detection, 0, [(0.9, [], [])], 1, "background", "Nothing is labelled here. Is a label missing?"),
        (of_detection, 0, [(0.3, [[0, 0.8]], [])], 1, "below the slider", "Its score 0.30 is below the slider, 0.50"),
    ]
    for which, place, detections, objects, kind, words in cases:
        found = told(which, place, detections, objects)
        assert found[0] == kind, (which, detections)
        assert words in found[1], found
