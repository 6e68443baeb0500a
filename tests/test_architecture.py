"""Who may import whom, and what a light page must not load. ARCHITECTURE.md says why."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "maskrcnn"

FLOORS: tuple[tuple[str, ...], ...] = (
    ("words", "durations", "install_folders", "name_order", "run_length_codes"),
    ("errors", "atomic_files"),
    ("untrusted_files", "output_files", "config"),
    ("external_projects",),
    ("annotations",),
    ("evaluation", "runs"),
    ("drawing", "toys", "lessons"),
    ("model",),
    ("training",),
    ("inference", "jobs"),
    ("workspace",),
    ("studio", "cli"),
    ("pages", "__main__"),
    ("app",),
)
"""The parts of the house from the ground up. A part imports from the floors below its own, never from its own floor or
from above; `NOT` says what else it leaves alone."""

NOT: dict[str, set[str]] = {
    "evaluation": {"annotations"},
    "model": {"drawing", "toys", "lessons", "evaluation"},
    "training": {"drawing", "toys", "lessons"},
    # A training is started by its command line, never by an import.
    "jobs": {"training", "model", "evaluation", "drawing", "toys", "lessons", "annotations"},
    "workspace": {"inference", "training", "model", "evaluation", "drawing", "toys", "lessons"},
    "lessons": {"annotations", "evaluation", "runs"},
    "pages": {"cli"},
    "app": {"cli", "pages", "__main__"},
}

HEAVY = ("torch", "torchvision", "maskrcnn.model", "maskrcnn.training", "maskrcnn.inference")
"""Modules that are torch, or load it."""

LIGHT = tuple(
    part
    for floor in FLOORS
    for part in floor
    if part not in ("model", "training", "inference", "cli", "toys", "lessons", "__main__")
)
"""Parts that must be there in a moment. What they need of torch they import inside a function."""

MOST_FILES = 25
"""Of a folder: what is more has rooms of its own."""

LONGEST_PAGE = 150


def allowed(here: str) -> set[str]:
    """The parts that `here` may import beside itself."""
    below = [part for floor in FLOORS[: floor_of(here)] for part in floor]
    return set(below) - NOT.get(here, set())


def floor_of(name: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if name in floor)


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


def files_that_import(wrong: Callable[[Path], set[str]]) -> dict[str, list[str]]:
    """File of the program -> what `wrong` finds in it, for those in which it finds something.

    One test looks at all files: a test for each would take longer to be collected than to run.
    """
    return {str(file.relative_to(ROOT)): sorted(found) for file in sources() if (found := wrong(file))}


def test_imports_go_down() -> None:
    def from_above(file: Path) -> set[str]:
        here = part(file)
        if here == "__init__":
            return set()
        ours = {name.removeprefix(f"{PACKAGE}.").split(".")[0] for name in imports(file) if within(name, PACKAGE)}
        return ours - {PACKAGE, here} - allowed(here)

    wrong = files_that_import(from_above)
    parts = sorted({part(ROOT / name) for name in wrong})
    assert not wrong, "; ".join(f"{here} may import {sorted(allowed(here))}" for here in parts)


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Within a part, too: a circle of modules can only be understood, and moved, as one."""
    modules = {module_of(file): file for file in sources()}
    above: list[str] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        assert name not in above, " -> ".join([*above[above.index(name) :], name])
        if name in done:
            return
        above.append(name)
        for other in sorted(imports(modules[name]) & modules.keys()):
            visit(other)
        above.pop()
        done.add(name)

    for name in sorted(modules):
        visit(name)


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_folder_is_a_heap() -> None:
    folders = {file.parent for top in (PACKAGE, "pages", "tests", "benchmarks") for file in (ROOT / top).rglob("*.py")}
    crowded = {
        str(folder.relative_to(ROOT)): number
        for folder in folders
        if (number := sum(1 for file in folder.iterdir() if file.is_file())) > MOST_FILES
    }
    assert crowded == {}


def test_a_page_is_read_in_a_moment() -> None:
    long = {
        file.name: lines
        for file in (ROOT / "pages").rglob("*.py")
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > LONGEST_PAGE
    }
    assert long == {}


def test_only_the_rooms_with_a_screen_import_streamlit() -> None:
    def streamlit(file: Path) -> set[str]:
        with_a_screen = part(file) in ("studio", "pages", "app")
        return set() if with_a_screen else {name for name in imports(file) if within(name, "streamlit")}

    assert files_that_import(streamlit) == {}


def test_light_modules_do_not_load_torch_when_imported() -> None:
    def heavy(file: Path) -> set[str]:
        loaded = imports(file, inside_functions=False) if part(file) in LIGHT else set()
        return {name for name in loaded if any(within(name, module) for module in HEAVY)}

    assert files_that_import(heavy) == {}


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
for module in pkgutil.walk_packages(maskrcnn.studio.__path__, "maskrcnn.studio."):
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


@pytest.mark.parametrize(
    ("module", "unloaded"),
    [
        ("maskrcnn.runs.project_runs", ("numpy", "shapely", "PIL")),
        ("maskrcnn.jobs.local_backend", ("numpy", "shapely", "PIL")),
        ("maskrcnn.jobs.runner", ("numpy", "shapely", "PIL")),  # a process for each training
    ],
)
def test_runs_and_jobs_load_no_libraries_of_pictures(module: str, unloaded: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print(*sorted(set({unloaded}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr[-3000:]
