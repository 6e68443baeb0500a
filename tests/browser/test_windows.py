"""Nothing is cut off: every page in narrow, small and large windows, the side bar open and closed.

By default one page in two sizes; `make fuzz` opens all of them in four.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.store import Project
from maskrcnn.studio.shell import page_config, session
from tests.sweeps import FUZZ, sweep, wider

SIZES = ((820, 1180), (1280, 720), (1400, 900), (1920, 1080)) if FUZZ else ((820, 1180), (1280, 720))
VIEWS = ("pictures", "statistics", "doctor", "split", "import", "export", "classes")
PAGES = {
    "annotate": "/?project=shapes",
    "simple_canvas": "/?project=shapes&canvas=simple",
    **{view: f"/dataset?project=shapes&view={view}" for view in VIEWS},
    "launch": "/launch?project=shapes",
    "runs": "/runs?project=shapes",
    "predictions": "/predictions?project=shapes",
    "evaluation": "/evaluation?project=shapes",
    "roi_align": "/roi_align?project=shapes",
}
CUT_OFF = (Path(__file__).parent / "cut_off.js").read_text(encoding="utf-8")

Settled = Callable[..., None]


@wider
@pytest.mark.parametrize(
    "name", ["annotate", *(pytest.param(name, marks=sweep) for name in PAGES if name != "annotate")]
)
def test_nothing_is_cut_off(page: Any, server: Any, settled: Settled, name: str) -> None:
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(server.url + PAGES[name])
    page.locator('[data-testid="stMainBlockContainer"]').wait_for()
    for is_open in (True, False):
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(500)
            settled(page, 60_000)
            page.wait_for_timeout(200)
            faults = page.evaluate(CUT_OFF)
            if name == "simple_canvas":  # the boxes that delete are its last column
                aside = page.locator(".dvn-scroller").first.evaluate("table => table.scrollWidth - table.clientWidth")
                faults += [f"the table of regions is {aside} px too wide"] * (aside > 1)
            assert not faults, f"{name} at {width} x {height}, side bar {'open' if is_open else 'closed'}: {faults}"
        if is_open:
            page.locator('[data-testid="stSidebarCollapseButton"] button').dispatch_event("click")


def test_the_check_finds_what_is_cut_off(page: Any) -> None:
    """By hand: which of these can be read and pressed in a window of 400 px."""
    cases = {
        "<button style='width:100px'>whole</button>": False,
        "<div style='width:60px;overflow:hidden'><button style='width:100px'>cut by its box</button></div>": True,
        "<div style='width:60px;overflow:auto'><button style='width:100px'>to be scrolled to</button></div>": True,
        "<div style='margin-left:350px;white-space:nowrap'>runs out of the window</div>": True,
        "<p style='width:50px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap'>a shortened name</p>": True,
        "<p style='width:50px'>words that go on below</p>": False,
        "<div style='width:60px;overflow:hidden'><img alt='a picture' style='width:90px;height:9px'></div>": True,
        "<div style='width:60px;overflow:hidden'><svg width=90 height=70></svg></div>": True,
        "<div style='visibility:hidden;margin-left:330px;white-space:nowrap'>hidden</div>": False,
    }
    page.set_viewport_size({"width": 400, "height": 300})
    found = {}
    for html in cases:
        page.set_content(f"<body style='margin:0;overflow-x:hidden'><div data-testid=stApp>{html}</div></body>")
        found[html] = bool(page.evaluate(CUT_OFF))
    assert found == cases


def test_the_window_belongs_to_the_picture(
    page: Any, server: Any, settled: Settled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 3:2 picture on the simple canvas at 1400 x 900 with the side bar closed is at least 950 px wide."""
    monkeypatch.setenv("MASKRCNN_WORKSPACE", str(server.workspace))
    session.this_workspace().projects()
    made = Project.create(server.workspace / "wide")
    made.add_pictures([("wide.png", cv2.imencode(".png", np.full((400, 600, 3), 90, np.uint8))[1].tobytes())], "train")
    page.goto(f"{server.url}/?project=wide&canvas=simple")
    canvas = page.locator("canvas.upper-canvas").first
    canvas.wait_for()
    settled(page)
    page.locator('[data-testid="stSidebarCollapseButton"] button').dispatch_event("click")
    page.wait_for_timeout(800)
    settled(page)
    canvas.wait_for()
    page.wait_for_timeout(500)
    box = canvas.bounding_box()
    assert box["width"] >= 950
    assert box["y"] + box["height"] <= 900


def test_the_style_sheet_still_reaches_what_it_names(page: Any, server: Any, settled: Settled) -> None:
    """Names of Streamlit's own may change with its version; then the sheet is to be changed too."""
    page.goto(f"{server.url}/dataset?project=shapes&view=export")
    page.locator('[data-testid="stMainBlockContainer"] button').first.wait_for()
    settled(page)
    width, padding, header = page.evaluate(
        """() => {
          const main = document.querySelector('[data-testid="stMainBlockContainer"]');
          const header = document.querySelector('[data-testid="stHeader"]');
          return [main.getBoundingClientRect().width, getComputedStyle(main).paddingLeft, header.clientHeight];
        }"""
    )
    assert (width, padding, header) == (1400 - page_config.SIDE_BAR, "24px", 40)
