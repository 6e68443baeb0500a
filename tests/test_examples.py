"""Every example runs: those in docstrings with the output that they show, and those of docs/python.md from the top."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

import maskrcnn
from maskrcnn.runs import shipped_models

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def what_ships(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", ROOT / "data" / "weights")


def modules_with_examples() -> list[str]:
    files = sorted((ROOT / "maskrcnn").rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return [name for name, file in zip(names, files, strict=True) if ">>> " in file.read_text(encoding="utf-8")]


def test_the_examples_of_each_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each module in a folder of its own. What doctest says of a failure names its file and line."""
    said = list[str]()
    for name in modules_with_examples():
        module = importlib.import_module(name)
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(tempfile, "tempdir", str(folder))  # what examples make goes with the test
        runner = doctest.DocTestRunner(verbose=False)
        found = [test for test in doctest.DocTestFinder(exclude_empty=True).find(module, name) if test.examples]
        for test in found:
            runner.run(test, out=said.append)
        if not found:
            said.append(f"{name}: doctest finds no example there, though its text holds one\n")
    assert not said, "".join(said)


def blocks() -> list[tuple[int, str]]:
    """The Python blocks of the page: the line where each begins, and its code."""
    text = PAGE.read_text(encoding="utf-8")
    return [(text.count("\n", 0, match.start()) + 2, match.group(1)) for match in BLOCK.finditer(text)]


def test_the_page_runs_from_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    found = blocks()
    for line, code in found:
        exec(compile("\n" * (line - 1) + code, str(PAGE), "exec"), names)
    assert len(found) > 10
    assert {"found.png", "loss.html", "report.json", "predictions"} <= {path.name for path in tmp_path.iterdir()}


def test_ten_lines_train_measure_and_plot() -> None:
    """The first block of the page, which needs neither argparse nor Streamlit."""
    (_, code), *_ = blocks()
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    assert not {"argparse", "streamlit"} & set(re.findall(r"\w+", code))


def test_the_package_loads_nothing_before_it_is_used() -> None:
    program = "import maskrcnn, sys; sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_the_names_at_the_top_are_those_of_their_rooms() -> None:
    found = {name: getattr(maskrcnn, name) for name in maskrcnn.__all__}
    assert {name: thing.__name__ for name, thing in found.items()} == {name: name for name in found}
    assert [name for name, thing in found.items() if not thing.__module__.startswith("maskrcnn.")] == []


def test_an_unknown_name_at_the_top_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'maskrcnn' has no attribute 'lead'"):
        maskrcnn.lead  # noqa: B018
