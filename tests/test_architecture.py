"""Who may import whom, and what a light page must not load. ARCHITECTURE.md says why."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "maskrcnn"

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "words": set(),
    "foreign": {"errors"},
    "opened_projects": {"errors", "words", "foreign"},
    "presets": set(),
    "config": {"errors", "words", "presets"},
    "config_table": {"errors", "config"},
    "shipped": {"errors", "words", "foreign", "config"},
    "starts": {"errors", "config", "shipped"},
    "annotations": {"errors", "words", "foreign", "config"},
    "toys": {"errors", "words", "foreign", "config", "shipped", "annotations"},
    "evaluation": {"errors", "words", "foreign", "config"},
    # A model can be named by the run folder that it lies in, and its mask targets are cut by the one rasteriser.
    "model": {
        "errors",
        "words",
        "foreign",
        "config",
        "shipped",
        "starts",
        "training.run_folder",
        "annotations.outlines",
    },
    "lessons": {"errors", "words", "config"},
    "training": {"errors", "words", "foreign", "config", "annotations", "evaluation", "model"},
    # Not the loop: a training is started by its command line.
    "jobs": {"errors", "words", "foreign", "opened_projects", "config", "training.run_folder"},
    "workspace": {
        "errors",
        "words",
        "foreign",
        "opened_projects",
        "shipped",
        "annotations",
        "jobs",
        "training.run_folder",
    },
    "studio": {
        "errors",
        "words",
        "foreign",
        "workspace",
        "config",
        "config_table",
        "shipped",
        "starts",
        "annotations",
        "evaluation",
        "model",
        "lessons",
        "training",
        "jobs",
    },
    # Drawing is arrays in, arrays out; it loads no Streamlit.
    "cli": {
        "errors",
        "words",
        "foreign",
        "config",
        "config_table",
        "shipped",
        "starts",
        "annotations",
        "evaluation",
        "model",
        "training",
        "toys",
        "jobs.processes",
        "studio.overlays",
    },
    "__main__": {"cli"},
    "pages": {
        "errors",
        "words",
        "foreign",
        "config",
        "shipped",
        "annotations",
        "evaluation",
        "model",
        "lessons",
        "training",
        "jobs",
        "studio",
    },
    "app": {"errors", "studio"},
}
"""What each part may import beside itself; `a.b` allows that module alone."""

HEAVY = ("torch", "torchvision", "maskrcnn.model", "maskrcnn.training")
"""Modules that are torch, or load it; `LIGHT_TRAINING` are the exceptions."""

LIGHT_TRAINING = ("run_folder", "run_documents", "readiness", "schedule", "duration", "epochs", "labels")
"""Modules of the training that know no torch, so that pages may load them."""

LIGHT = (
    *(
        "errors",
        "foreign",
        "opened_projects",
        "presets",
        "config",
        "config_table",
        "shipped",
        "starts",
        "annotations",
        "evaluation",
        "jobs",
        "workspace",
    ),
    *("studio", "pages", "app"),
)
"""Parts that must be there in a moment. What they need of torch they import inside a function."""


def sources() -> list[Path]:
    """Every Python file of the program."""
    return [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py")), *sorted((ROOT / PACKAGE).rglob("*.py"))]


def part(file: Path) -> str:
    """The part of the house a file belongs to: `annotations`, `pages`, `app`, ..."""
    folders = file.relative_to(ROOT).with_suffix("").parts
    return folders[1] if folders[0] == PACKAGE and len(folders) > 1 else folders[0]


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imported(node: ast.stmt, file: Path) -> Iterator[str]:
    """The full names of the modules that an import statement loads."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            here = file.relative_to(ROOT).with_suffix("").parts[: -node.level]
            base = ".".join([*here, *filter(None, [node.module])])
        for alias in node.names:
            yield f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base


def statements(tree: ast.AST, *, inside_functions: bool) -> Iterator[ast.stmt]:
    """All statements; without those in functions, and under `if TYPE_CHECKING`, which do not run on import."""
    for child in ast.iter_child_nodes(tree):
        if not inside_functions:
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
        if isinstance(child, ast.stmt):
            yield child
        yield from statements(child, inside_functions=inside_functions)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


@cache
def imports(file: Path, *, inside_functions: bool = True) -> set[str]:
    tree = parsed(file)
    return {
        name for node in statements(tree, inside_functions=inside_functions) for name in imported(node, file) if name
    }


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_go_one_way(file: Path) -> None:
    here = part(file)
    allowed = [f"{PACKAGE}.{other}" for other in {*MAY_IMPORT.get(here, set()), here}]
    ours = {name for name in imports(file) if within(name, PACKAGE) and name != PACKAGE}
    wrong = {name for name in ours if not any(within(name, other) for other in allowed)}
    assert not wrong, f"{here} may import {sorted(MAY_IMPORT.get(here, set()))}"


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(ROOT)))
def test_only_the_rooms_with_a_screen_import_streamlit(file: Path) -> None:
    if part(file) in ("studio", "pages", "app"):
        return
    assert not {name for name in imports(file) if within(name, "streamlit")}


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(ROOT)))
def test_light_modules_do_not_load_torch_when_imported(file: Path) -> None:
    training = ROOT / PACKAGE / "training"
    light = [training / f"{name}.py" for name in ("__init__", *LIGHT_TRAINING)]
    if part(file) not in LIGHT and file not in light:
        return
    loads = {name for name in imports(file, inside_functions=False) if any(within(name, heavy) for heavy in HEAVY)}
    assert loads <= {"maskrcnn.training", *(f"maskrcnn.training.{name}" for name in LIGHT_TRAINING)}


def test_every_page_is_a_flat_script() -> None:
    """Streamlit runs a page from top to bottom; a main guard or an empty wrapper hides that."""
    for file in (ROOT / "pages").rglob("*.py"):
        assert "__main__" not in file.read_text(encoding="utf-8"), file
    # A script directly in pages/ would be served without the frame of app.py when it is the first address visited.
    assert not list((ROOT / "pages").glob("*.py"))


def test_the_first_page_runs_without_torch() -> None:
    """Import all of the studio and run the app as a browser would: torch must not be among what was loaded."""
    program = """
import importlib, pkgutil, sys
import maskrcnn.studio
for module in pkgutil.iter_modules(maskrcnn.studio.__path__, "maskrcnn.studio."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert "torch" not in sys.modules, "importing maskrcnn.studio loads torch"
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=60).run()
assert not app.exception, app.exception
assert "torch" not in sys.modules, "the first page loads torch"
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
