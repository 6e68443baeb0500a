"""The Evaluation page in Chromium: sort, filter, open a row, sliders, a cell of the confusion matrix, a point of a
precision-recall curve, and the way to the editor."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from maskrcnn.evaluation import measure
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.evaluation import epoch_routes, picture_board
from maskrcnn.studio.evaluation.picture_ranking import worst_first
from maskrcnn.studio.serving import browser_code
from tests import made_runs
from tests.evaluation.random_sets import random_set
from tests.made_runs import rectangle

# pycocotools 2.0.11 decodes masks through a numpy call that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Settled = Callable[..., None]
MATCHED = """async ([address, tables, asked]) => {
  const { localMatches, matchTables } = await import(address);
  return asked.map((one) => localMatches(matchTables(tables), ...one));
}"""
WIDTH, HEIGHT = 600, 400


def box(image: int, x: int, category: int = 1) -> dict[str, Any]:
    """A square of 100 px, 100 px below the top."""
    return rectangle(image, category, (x, 100, 100, 100))


OBJECTS = [box(1, 50), box(1, 250), box(2, 50), box(3, 50)]
FOUND = [
    box(1, 50) | {"score": 0.9},  # a: one of two cells found: F1 = 2 / 3
    box(1, 250) | {"score": 0.4},  # and the other one below a score of .5
    box(2, 50) | {"score": 0.95},  # b: right
    box(3, 50, 2) | {"score": 0.8},  # c: a cell found as a leaf, and a leaf where nothing is: F1 = 0
    box(3, 400, 2) | {"score": 0.7},
]
# Worst first: c (0), a (.67), b (1).


@pytest.fixture(scope="module")
def run(server: Any) -> RunFolder:
    project = made_runs.new_project_of_server(server, "evaluated", "abc", made_runs.clouds((WIDTH, HEIGHT)))
    truth = made_runs.document("abc", OBJECTS, ("cell", "leaf"), (WIDTH, HEIGHT))
    return made_runs.end_run(made_runs.begin_run(project, truth), {1: FOUND})


def opened(page: Any, server: Any, query: str = "") -> None:
    page.goto(f"{server.url}/evaluation?project=evaluated{query}")
    wait_for_picture(page)
    page.locator(".pictures tr[data-place]").first.wait_for()


def drawn(page: Any) -> dict[str, Any]:
    return json.loads(page.locator(".board").get_attribute("data-drawn"))


def wait_for_picture(page: Any, name: str = "", **parts: Any) -> None:
    """Wait until a picture and its objects are drawn; `parts` are what else `data-drawn` has to say."""
    wanted = {"picture": name, **parts} if name else parts
    page.locator('.board [role="application"][data-ready="true"]').wait_for()
    page.wait_for_function(
        """(wanted) => {
          const find = (root) => root.querySelector(".board")
            ?? [...root.querySelectorAll("*")].map((one) => one.shadowRoot && find(one.shadowRoot)).find(Boolean);
          const drawn = JSON.parse(find(document)?.dataset.drawn ?? "{}");
          return drawn.objects && Object.entries(wanted).every(
            ([key, value]) => JSON.stringify(drawn[key]) === JSON.stringify(value));
        }""",
        arg=wanted,
    )


def names(page: Any) -> list[str]:
    return page.locator(".pictures tr[data-place] .file").all_inner_texts()


def test_the_browser_matches_as_the_page_does(page: Any, server: Any) -> None:
    """Sets with crowds, several classes and ties, at scores and IoUs of the sliders."""
    page.goto(f"{server.url}/_stcore/health")
    address = browser_code.module_url(Path(epoch_routes.__file__).with_name("local_matches.js"))
    for seed in range(6):
        rng = np.random.default_rng(seed)
        truth, detections = random_set(seed, images=6, objects=9, extra=3)
        for entry in detections[::2]:
            entry["score"] = round(entry["score"], 1)
        measured = measure(truth, detections, ["box", "mask"])
        asked = [(int(rng.integers(101)) / 100, int(rng.integers(1, 20)) / 20, int(rng.integers(6))) for _ in range(8)]
        given = json.loads(json.dumps([address, epoch_routes.match_tables(measured), asked]))
        for (score, iou, place), found in zip(asked, page.evaluate(MATCHED, given), strict=True):
            matches = measured.match(score, iou)
            assert found["order"] == worst_first(matches).tolist()
            for name in ("tp", "fp", "fn"):
                assert found["columns"][name] == getattr(matches, name).tolist()
            for name, values in (("f1", matches.f1), ("iou", matches.mean_iou)):
                np.testing.assert_allclose(np.array(found["columns"][name], float), values)
            objects = matches.object_status[measured.objects.picture == place].tolist()
            assert found["objects"] == [picture_board.STATUS[status] for status in objects]
            shown = matches.detection_status[measured.detections.picture == place].tolist()
            assert found["detections"] == [picture_board.STATUS[status] for status in shown]


def test_a_long_sentence_is_in_sight_as_a_whole(page: Any, server: Any, run: RunFolder) -> None:
    page.set_viewport_size({"width": 400, "height": 900})
    opened(page, server)
    sentence = page.locator(".board .sentence")
    assert sentence.bounding_box()["height"] > 50  # longer than the two lines that are kept free
    assert sentence.evaluate("one => one.scrollHeight - one.clientHeight") <= 1
    above, below = page.locator(".board .head").bounding_box(), page.locator(".board .holder").bounding_box()
    for clause in sentence.locator(".clause").all():
        box = clause.bounding_box()
        assert above["y"] + above["height"] <= box["y"] + 1
        assert box["y"] + box["height"] <= below["y"] + 1


def test_the_table_sorts_filters_and_opens_pictures(page: Any, server: Any, run: RunFolder) -> None:
    opened(page, server)
    assert drawn(page)["picture"] == "c.png"  # the worst one
    clauses = page.locator(".sentence .clause span").all_inner_texts()
    assert clauses == [
        "1 of 1 object missed (cell)",
        "1 found where nothing is labelled, 1 of another class",
    ]
    assert names(page) == ["c.png", "a.png", "b.png"]
    page.locator('[data-sort="file"]').click()
    assert names(page) == ["a.png", "b.png", "c.png"]
    page.locator('[data-sort="fn"]').click()
    assert names(page) == ["c.png", "a.png", "b.png"]  # 1, 1, 0: among equals the worst first
    page.locator('input[name="fp"]').check()
    assert names(page) == ["c.png"]
    page.locator('input[name="fp"]').uncheck()
    page.locator('input[name="filter"]').fill("B")
    assert names(page) == ["b.png"]
    page.locator('input[name="filter"]').fill("")
    page.locator('[data-bar="6"]').click()  # F1 .6 to .7
    assert names(page) == ["a.png"]
    page.locator(".pictures tr[data-place]").first.click()
    wait_for_picture(page, "a.png", objects=["tp", "fn"], detections=["tp", "below"])
    assert "image=a.png" in page.url
    page.locator('[data-step="best"]').click()
    wait_for_picture(page, "b.png")


def test_a_slider_changes_the_counts_at_once_and_keeps_the_picture(
    page: Any, server: Any, run: RunFolder, settled: Settled
) -> None:
    opened(page, server, "&image=a.png")
    row = page.locator('.pictures tr[data-place="0"]')
    assert row.locator("td").all_inner_texts()[1:6] == ["0.67", "1", "0", "1", "1"]
    page.locator('input[name="score"]').fill("0.35")
    wait_for_picture(page, "a.png", objects=["tp", "tp"], detections=["tp", "tp"])
    assert row.locator("td").all_inner_texts()[1:6] == ["1.00", "2", "0", "0", "0"]
    page.locator('input[name="score"]').fill("0.96")
    wait_for_picture(page, "a.png", objects=["fn", "fn"])
    settled(page)
    assert page.locator('[data-testid="stHeading"]', has_text="4 missed objects").is_visible()


def test_a_cell_a_point_and_a_crop_open_their_picture_and_the_editor_opens_the_object(
    page: Any, server: Any, run: RunFolder, settled: Settled
) -> None:
    opened(page, server, "&view=confusion&image=b.png")
    # Two classes and the background: 3 x 3 cells without the last one. That of cells found as leaves is the second.
    cells = page.locator('[data-testid="stVegaLiteChart"] .mark-rect path')
    cells.nth(7).wait_for()
    settled(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Charts as SVG").click()
    assert saved.value.suggested_filename == "first_epoch_0001_confusion.svg"
    drawing = ElementTree.fromstring(Path(saved.value.path()).read_bytes())
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert {"cell", "leaf"} <= {element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")}
    cells.nth(1).click(force=True)
    page.locator('[data-testid="stHeading"]', has_text="cell → leaf: 1 instance").wait_for()
    page.locator('.crops [data-item="found-3"] .open').click()
    wait_for_picture(page, "c.png", selected="found-3")
    page.goto(f"{server.url}/evaluation?project=evaluated&view=curves&image=b.png")
    wait_for_picture(page, "b.png")
    points = page.locator('[data-testid="stVegaLiteChart"] .mark-symbol path')
    points.first.wait_for()
    settled(page)
    points.nth(1).click(force=True)  # cells: b.png (.95), a.png (.9), a.png (.4)
    wait_for_picture(page, "a.png", selected="found-0")
    page.locator('[data-testid="stPageLink"] a', has_text="Open this object in the editor").click()
    page.locator('[data-testid="stPageLink"] a', has_text="Back to Evaluation").wait_for()
    assert "object=first%3A1%3Afound%3A0" in page.url
    assert "back=evaluation" in page.url
