"""docs/safety.md names a test for each thing that it says is defended; these tests must be there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py)?(?:::(test_\w+))?`")


def test_every_test_that_the_page_names_is_there() -> None:
    file, found = "", 0
    for path, test in NAMED.findall((ROOT / "docs" / "safety.md").read_text(encoding="utf-8")):
        file = path or file
        if file:
            found += 1
            text = (ROOT / file).read_text(encoding="utf-8")
            assert not test or f"def {test}(" in text, f"{file}::{test}"
    assert found > 40


def test_every_line_of_its_tables_names_a_test() -> None:
    lines = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith(("| what", "| limit"))]
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row] == []
