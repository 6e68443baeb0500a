"""Nothing is cut off: every page in narrow, small and large windows, the side bar open and closed.

One page runs by default; `make fuzz` opens all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sweeps import sweep

SIZES = ((820, 1180), (1280, 720), (1400, 900), (1920, 1080))
VIEWS = ("pictures", "statistics", "doctor", "split", "import", "export", "classes")
PAGES = {
    "annotate": "/?project=shapes",
    **{view: f"/dataset?project=shapes&view={view}" for view in VIEWS},
    "launch": "/launch?project=shapes",
    "runs": "/runs?project=shapes",
    "predictions": "/predictions?project=shapes",
    "roi_align": "/roi_align?project=shapes",
}
CUT_OFF = (Path(__file__).parent / "cut_off.js").read_text(encoding="utf-8")

Settled = Callable[..., None]


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


def test_the_window_belongs_to_the_picture(page: Any, server: Any, settled: Settled) -> None:
    """A 3:2 picture on Annotate at 1400 x 900 with the side bar closed, and a picture in full screen."""
    page.goto(f"{server.url}/predictions?project=shapes")
    picture = page.locator('[data-testid="stImage"] img').first
    picture.wait_for()
    settled(page, 60_000)
    picture.hover()
    page.get_by_role("button", name="Fullscreen").first.click()
    page.get_by_role("button", name="Close fullscreen").first.wait_for()
    box = picture.bounding_box()
    natural = picture.evaluate("img => [img.naturalWidth, img.naturalHeight, getComputedStyle(img).objectFit]")
    assert natural[2] == "contain"  # its proportions
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1400
    assert box["y"] + box["height"] <= 900
    assert box["width"] >= 0.95 * 1400 or box["height"] >= 0.9 * 900
    page.keyboard.press("Escape")

    padding = page.locator('[data-testid="stMainBlockContainer"]').evaluate(
        "main => [main.getBoundingClientRect().width, getComputedStyle(main).paddingLeft]"
    )
    assert padding == [1400 - 256, "24px"]
