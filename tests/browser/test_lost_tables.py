"""Objects that cannot be loaded: the pages of Inspect say so in the picture, and load them the next time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from maskrcnn.annotations.store import Project
from tests import made_runs
from tests.made_runs import rectangle
from tests.sweeps import FUZZ, one_in, wider

SAYS = "The objects could not be loaded from the studio. Reload the page."
PAGES = [
    ("predictions", "run=older", "**/studio/inspect/*", 2),
    ("evaluation", "run=older", "**/studio/evaluation/*/shapes/*", 1),
    ("evaluation", "run=older", "**/studio/evaluation/*/list*", 1),
    ("compare", "a=older&b=newer", "**/studio/compare/*", 2),
]
"""Page, its query, the address that does not answer, the number of pictures beside each other."""


@pytest.fixture(scope="module")
def project(server: Any) -> Project:
    size = (600, 400)
    made = made_runs.new_project_of_server(server, "lost-tables", "ab", made_runs.clouds(size))
    objects = [rectangle(image, 1, (50, 50, 200, 200)) for image in (1, 2)]
    for name in ("older", "newer"):
        run = made_runs.begin_run(made, made_runs.document("ab", objects, ("cell",), size), name)
        made_runs.end_run(run, {1: [entry | {"score": 0.9} for entry in objects]})
    return made


@wider
@pytest.mark.parametrize(
    ("address", "query", "lost", "pictures"),
    one_in(2, PAGES),
    ids=["predictions", "evaluation", "evaluation's list", "compare"],
)
@pytest.mark.parametrize("how", ["refused", "no JSON", "cut off"] if FUZZ else ["refused"])
def test_objects_that_do_not_come_are_told_in_the_picture_and_come_after_a_reload(
    page: Any,
    server: Any,
    project: Project,
    settled: Callable[..., None],
    address: str,
    query: str,
    lost: str,
    pictures: int,
    how: str,
) -> None:
    answers = {
        "refused": lambda route: route.fulfill(status=500, body="it broke"),
        "no JSON": lambda route: route.fulfill(status=200, body="{"),
        "cut off": lambda route: route.abort(),
    }
    page.route(lost, answers[how])
    page.goto(f"{server.url}/{address}?project=lost-tables&{query}")
    told = page.get_by_text(SAYS).locator("visible=true")
    told.first.wait_for()
    settled(page)
    assert told.count() == pictures
    page.unroute(lost)
    page.reload()
    page.locator("[data-drawn]").first.wait_for()
    settled(page)
    assert not told.count()
