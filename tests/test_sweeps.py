"""What `make fuzz` does in full is found by it, and what `make test` does is the same each time."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from hypothesis import settings

from tests.sweeps import FUZZ

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("test_*.py"))


def test_the_number_of_examples_grows_in_fuzz() -> None:
    """A property that fixes its number of examples would have no more of them there."""
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "hypothesis" in text else ():
            if isinstance(node, ast.keyword) and node.arg in ("max_examples", "derandomize"):
                place = f"{path.relative_to(TESTS)}, line {node.value.lineno}"
                assert isinstance(node.value, ast.Call), f"{place}: use tests.sweeps.examples(...)"


def test_what_asks_for_fuzz_is_marked() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if path != Path(__file__) and re.search(r"from tests.sweeps import .*\bFUZZ\b", text):
            assert "wider" in text or "@sweep" in text, path.relative_to(TESTS)


def test_by_default_the_examples_are_the_same_each_time() -> None:
    assert settings.default.derandomize is not FUZZ
    assert settings.default.deadline is None
