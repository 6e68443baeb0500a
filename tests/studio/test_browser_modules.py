"""Rules for the studio's JavaScript and CSS: what they import exists, and text from data cannot become markup."""

from __future__ import annotations

import re
from pathlib import Path

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


def missing(module: Path) -> list[str]:
    """What a module imports and is not there, in words."""
    found = []
    for words, place in _IMPORT.findall(module.read_text(encoding="utf-8")):
        file = (module.parent / place).resolve()
        if not place.startswith(".") or not file.is_relative_to(STUDIO):
            found.append(f"{place} is not a module of the studio")
        elif not file.is_file():
            found.append(f"{place} is not there")
        elif lacking := wanted_names(words) - names(file):
            found.append(f"{place} does not export {sorted(lacking)}")
    return found


def test_what_a_module_imports_is_there() -> None:
    assert {label(module): found for module in MODULES if (found := missing(module))} == {}


def test_no_text_becomes_markup_or_code() -> None:
    risky = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser")
    wrong = {}
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        found = [word for word in risky if word in text]
        found += re.findall(r"set(?:Timeout|Interval)\(\s*[\"'`]", text)
        if found:
            wrong[label(module)] = found
    assert wrong == {}


def test_nothing_comes_from_another_site() -> None:
    wrong = {}
    for file in (*MODULES, *SHEETS):
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        if found := re.findall(r"https?://|@import|wss?://", text):
            wrong[label(file)] = found
    assert wrong == {}


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
