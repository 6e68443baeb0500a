"""The pages of documentation name files and functions that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMED = re.compile(r"(?<![\w./-])((?:[a-z_]+/)*[a-z_]+\.(?:py|js|css))(?![\w*])")
NEW = {"NAME.py", "jobs/slurm.py"}
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.fixture(scope="module")
def files() -> set[str]:
    tops = ("maskrcnn", "pages", "tests", "benchmarks")
    found = [*ROOT.glob("*.py"), *(path for top in tops for path in (ROOT / top).rglob("*"))]
    return {f"/{path.relative_to(ROOT).as_posix()}" for path in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path, files: set[str]) -> None:
    named = set(NAMED.findall(page.read_text(encoding="utf-8")))
    gone = {name for name in named - NEW if not any(path.endswith(f"/{name}") for path in files)}
    assert gone == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
