"""What `make fuzz` does in full is found by it, and what `make test` does is the same each time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import settings

from tests.sweeps import FUZZ

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("test_*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_the_number_of_examples_grows_in_fuzz(path: Path) -> None:
    """A property that fixes its number of examples would have no more of them there."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg in ("max_examples", "derandomize"):
            assert isinstance(node.value, ast.Call), f"line {node.value.lineno}: use tests.sweeps.examples(...)"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_what_asks_for_fuzz_is_marked(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path != Path(__file__) and "import FUZZ" in text:
        assert "@wider" in text or "marks=wider" in text


def test_by_default_the_examples_are_the_same_each_time() -> None:
    assert settings.default.derandomize is not FUZZ
    assert settings.default.deadline is None
