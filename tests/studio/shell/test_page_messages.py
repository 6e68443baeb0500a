"""Messages of the engine on a page: no option of the command line is left in their mends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskrcnn.studio.shell.page_messages import on_page

PACKAGE = Path(__file__).resolve().parents[3] / "maskrcnn"
OPTIONS = ("training/training_start.py", "runs/request.py", "runs/request_options.py")
"""Files with the help texts of command line options."""

PARTS = ("annotations", "evaluation", "jobs", "model", "runs", "training", "workspace")
OPTION = re.compile(r"--[a-z]|python -m maskrcnn")

NO_PAGE = (
    "is no VIA file, so its classes",  # of the option itself
    "give --images the folder that holds the pictures",
    "python -m maskrcnn stretch",  # no page does that
    "evaluate both models on the same labels",  # no page compares reports
    "that `python -m maskrcnn evaluate` wrote",  # no page reads reports
    "torchrun started more processes",
    "processes cannot share batches",  # of torchrun: a page starts one process
)
"""Parts of messages that no page shows, or that name what only a terminal does."""

CASES = (
    ("no such picture; put it there, or pass --images DIR", "no such picture; put it there, or remove it on Dataset"),
    (
        "a.png: this is no picture; replace it, or take it out of the label file",
        "a.png: this is no picture; replace it, or leave it out",
    ),
    ("no such label file; put it there, or pass --images DIR", "no such label file; put it there"),
    ('"a.jpg" not found beside it; pass --images DIR', '"a.jpg" not found beside it; put it beside the labels'),
    ('which is the class (--class-attribute "b,c", or Dataset > Classes)', "which is the class (Dataset > Classes)"),
    (
        "say which is the class (--class-attribute NAME, or Dataset > Classes)",
        "say which is the class (Dataset > Classes)",
    ),
    ('take each of these for one: --class-attribute "b,c"', 'take each of "b,c" for one under Dataset > Classes'),
    ("no picture to learn from; label some, or give another --data", "no picture to learn from; label some"),
    ("keep some back on the Split page, or name others with --val", "keep some back on the Split page"),
    ("--tasks box,mask,keypoints learns them", "switch keypoints on under “What it finds” to learn them"),
    ("make room there and go on with: train --resume --out /w/a 1", "make room there and press Resume"),
    (
        "/w/a already holds a run; choose another --out folder",
        "/w/a already holds a run; choose another name for the run",
    ),
    (
        "start a new run from what it has learned: --init /w/a 1",
        "start a new training on the Launch page from the run /w/a 1",
    ),
    (
        "a.zip is a zip; if it is a model bundle, open it first: python -m maskrcnn open a.zip --out RUN",
        "a.zip is a zip; if it is a model bundle, open it first, at the end of Runs",
    ),
    ('project "a -- b" is there already', 'project "a -- b" is there already'),
)


@pytest.mark.parametrize(("message", "shown"), CASES)
def test_a_page_says_what_can_be_done_on_a_page(message: str, shown: str) -> None:
    assert on_page(message) == shown


def test_every_message_that_names_an_option_has_words_for_a_page() -> None:
    found = [text for path in sources() for text in messages(path) if OPTION.search(text)]
    assert len(found) > 15
    left = [text for text in found if OPTION.search(on_page(text)) and not any(part in text for part in NO_PAGE)]
    assert left == []


def sources() -> Iterator[Path]:
    excluded = {PACKAGE / name for name in OPTIONS}
    for part in PARTS:
        yield from (file for file in sorted((PACKAGE / part).rglob("*.py")) if file not in excluded)


def messages(path: Path) -> Iterator[str]:
    """The texts of a file that could be read by a person: with blanks, and no docstrings. What is filled in is `x`."""
    text = path.read_text(encoding="utf-8")
    if not OPTION.search(text):
        return
    tree = ast.parse(text)
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            inside.add(id(node.value))  # a docstring
        elif isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
            said = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        else:
            continue
        if " " in said:
            yield said
