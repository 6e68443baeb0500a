"""The benchmarks can be started. What they measure is no matter of tests."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_all_that_a_benchmark_imports_is_there(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(file.parent), *sys.path])
    name = f"benchmark_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)  # where dataclasses look for it
    spec.loader.exec_module(module)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):  # also those inside functions
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("maskrcnn"):
            imported = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(imported, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


def test_a_benchmark_says_where_the_engine_lies_before_it_imports_it() -> None:
    late = []
    for file in FILES:
        lines = [ast.unparse(node) for node in ast.parse(file.read_text(encoding="utf-8")).body]
        engine = [number for number, line in enumerate(lines) if line.startswith(("from maskrcnn", "import maskrcnn"))]
        path = [number for number, line in enumerate(lines) if line.startswith("sys.path.insert(0, ")]
        if engine and not (path and path[0] < engine[0]):
            late.append(file.name)
    assert late == []
