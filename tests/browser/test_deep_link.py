"""A page opened by its address on a server that nobody has visited yet still has the whole frame around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sweeps import sweep


def test_launch_as_the_first_visit_of_a_fresh_server(
    new_server: Callable[..., Any], page: Any, settled: Callable[[Any], None]
) -> None:
    server = new_server()
    page.goto(f"{server.url}/launch")

    sidebar = page.locator('[data-testid="stSidebar"]')
    for group in ("Label", "Train", "Inspect", "Learn"):
        sidebar.get_by_text(group, exact=True).wait_for()
    for name in ("Annotate", "Launch", "Runs", "Predictions", "RoIPool and RoIAlign"):
        sidebar.get_by_role("link", name=name).wait_for()
    sidebar.get_by_text("pictures done").wait_for()
    page.get_by_role("button", name="Start training").wait_for()
    settled(page)
    assert "/launch" in page.url
    assert page.locator('[role="dialog"]').count() == 0  # "Page not found"
    assert page.locator('[data-testid="stException"]').count() == 0


def test_the_address_names_the_project_and_leads_back_to_it(server: Any, page: Any) -> None:
    page.goto(f"{server.url}/runs?project=shapes")
    page.locator('[data-testid="stSidebar"]').get_by_role("link", name="Annotate").click()
    page.locator('[role="application"][data-ready="true"]').wait_for()
    assert "project=shapes" in page.url


@sweep
def test_the_default_page_has_an_address_of_its_own_too(server: Any, page: Any) -> None:
    page.goto(f"{server.url}/annotate")
    page.locator('[role="application"][data-ready="true"]').wait_for()
    assert page.locator('[role="dialog"]').count() == 0  # "Page not found"
    assert page.locator('[data-testid="stSidebar"]').get_by_role("link", name="Annotate").count() == 1
