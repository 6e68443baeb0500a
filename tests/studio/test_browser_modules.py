"""Rules for the studio's JavaScript and CSS: what they import exists, and text from data cannot become markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maskrcnn.studio.serving import browser_code

STUDIO = Path(browser_code.__file__).parents[1]
MODULES = sorted(STUDIO.rglob("*.js"))
SHEETS = sorted(STUDIO.rglob("*.css"))
_IMPORT = re.compile(r"""^\s*(?:import|export)\s+(?:([\w*{}\s,$]+?)\s+from\s+)?["']([^"']+)["']""", re.MULTILINE)
_DYNAMIC = re.compile(r"""\bimport\(\s*(?!new URL)([^)]*)\)""")
_EXPORT = re.compile(
    r"^export\s+(?:default\s+)?(?:async\s+)?(?:function\*?|class|const|let|var)\s+([\w$]+)", re.MULTILINE
)
_LIST = re.compile(r"^export\s*\{([^}]*)\}", re.MULTILINE)


def names(module: Path) -> set[str]:
    """The names that a module exports; "default" for its default export."""
    text = module.read_text(encoding="utf-8")
    found = set(_EXPORT.findall(text))
    for group in _LIST.findall(text):
        found |= {part.split(" as ")[-1].strip() for part in group.split(",") if part.strip()}
    if re.search(r"^export\s+default\b", text, re.MULTILINE):
        found.add("default")
    return found


def wanted_names(words: str) -> set[str]:
    """The names that an import statement takes from its module."""
    group = re.search(r"\{(.*)\}", words, re.DOTALL)
    found = {part.split(" as ")[0].strip() for part in group.group(1).split(",") if part.strip()} if group else set()
    outside = re.sub(r"\{.*\}", "", words, flags=re.DOTALL).strip(" ,\n")
    if outside and not outside.startswith("*"):
        found.add("default")
    return found


def label(path: Path) -> str:
    return path.relative_to(STUDIO).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=label)
def test_what_a_module_imports_is_there(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    for words, place in _IMPORT.findall(text):
        assert place.startswith("."), f"{place} is not a module of the studio"
        file = (module.parent / place).resolve()
        assert file.is_relative_to(STUDIO), place
        assert file.is_file(), place
        assert wanted_names(words) <= names(file), (place, wanted_names(words) - names(file))


@pytest.mark.parametrize("module", MODULES, ids=label)
def test_no_text_becomes_markup_or_code(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    for risky in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "DOMParser",
    ):
        assert risky not in text, risky
    assert not re.search(r"set(?:Timeout|Interval)\(\s*[\"'`]", text)


@pytest.mark.parametrize("file", [*MODULES, *SHEETS], ids=label)
def test_nothing_comes_from_another_site(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|wss?://", text)


def test_each_module_is_used() -> None:
    """By another module, or by the Python file that registers it."""
    imported = {
        (module.parent / place).resolve()
        for module in MODULES
        for _, place in _IMPORT.findall(module.read_text(encoding="utf-8"))
    }
    python = "\n".join(path.read_text(encoding="utf-8") for path in STUDIO.rglob("*.py"))
    unused = [
        label(module)
        for module in MODULES
        if module not in imported and f'"{module.name}"' not in python and not module.with_suffix(".py").is_file()
    ]
    assert unused == []
