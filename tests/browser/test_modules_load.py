"""Each module of the studio loads in a browser: no syntax error, and nothing that it imports is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskrcnn.studio.serving import browser_code

STUDIO = Path(browser_code.__file__).parents[1]
LOAD = """(places) => Promise.all(places.map((place) =>
  import(`/studio/code/any/${place}`).then(
    (module) => [place, Object.keys(module).length ? "" : "it exports nothing"], (error) => [place, String(error)])
))"""


def test_each_module_loads(page: Any, server: Any) -> None:
    places = sorted(path.relative_to(STUDIO).as_posix() for path in STUDIO.rglob("*.js"))
    assert len(places) > 50
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server.url}/_stcore/health")  # a page with no script of its own
    assert {place: problem for place, problem in page.evaluate(LOAD, places) if problem} == {}
    assert errors == []
