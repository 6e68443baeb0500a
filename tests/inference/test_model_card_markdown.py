"""A model card as Markdown: names of strangers stay names, tables stay tables, and model hubs can read its head."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from maskrcnn.inference.model_card import ModelCard, model_card
from maskrcnn.inference.model_cards.card_parts import Overlap
from maskrcnn.inference.model_cards.front_matter import yaml_text
from maskrcnn.inference.model_cards.markdown_text import escaped, name, table
from maskrcnn.words import one_line
from tests.made_runs import begin_run, document, end_run, new_project, noise, rectangle

HOSTILE = (
    "<script>alert(1)</script>",
    "[x](http://evil.example)",
    "![x](http://evil.example/p.png)",
    "[x]: http://evil.example",
    "[0.100, 0.200](http://evil.example)",
    "a|b",
    "a\\|b",
    "a`b``c",
    "`",
    "line\n\n# heading\n---\n",
    "---",
    "- item",
    "1. item",
    "www.evil.example",
    "https://evil.example",
    "*bold* _it_ $x$ &lt; :smile: ~~s~~",
    "\u202eevil\x00",
    'quote " and \\ back',
    "x" * 900,
    "",
)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    """A card with every section: two classes, a wrong picture, a copy of a training picture."""
    project = new_project(tmp_path_factory.mktemp("w") / "cells", ["a", "b"], noise())
    truth = document(["a", "b"], [rectangle(1, 1, (5, 5, 20, 20)), rectangle(2, 2, (5, 5, 20, 20))], ["cell", "dust"])
    run = end_run(begin_run(project, truth), {1: [rectangle(1, 1, (5, 5, 20, 20), score=0.9)]}, {1: 0.5})
    return model_card(run)


def with_name(card: ModelCard, text: str) -> ModelCard:
    """The card with this text wherever a name or a text of the run can be."""
    assert card.measured is not None
    assert card.learned.training is not None
    training = replace(
        card.learned.training, classes=tuple(replace(row, name=text) for row in card.learned.training.classes)
    )
    measured = replace(
        card.measured,
        classes=tuple(replace(part, name=text) for part in card.measured.classes),
        worst=tuple(replace(row, name=text) for row in card.measured.worst),
        score=replace(card.measured.score, score=None, reason=text or "none"),
    )
    return replace(
        card,
        name=text,
        network=replace(card.network, classes=(text, text), keypoints=(text,)),
        learned=replace(card.learned, training=training, left_out=(text, f'all 2 of "{text}"'), start=text),
        overlap=Overlap(((text, text),), 2, text or "none"),
        measured=measured,
        training=replace(card.training, error=one_line(text) or "none", machine=text or "none", versions={text: text}),
        limits=(text, f'AP of "{text}" is low.'),
    )


BORDER = re.compile(r"(?<!\\)(?:\\\\)*\|")
"""A bar without a backslash of its own: GitHub's Markdown ends a cell there, also within code."""


def shape(text: str) -> list[str]:
    """The lines of a document without what stands in them: headings, list items, and tables with their columns."""
    kinds = []
    for line in text.splitlines():
        if line.startswith("|"):
            kinds.append(f"table {len(BORDER.findall(line))}")
        else:
            start = re.match(r"#+ |- |---$|```", line)
            kinds.append(start.group() if start else "text" if line else "")
    return kinds


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_change_no_line(card: ModelCard, text: str) -> None:
    written, usual = with_name(card, text).markdown(), with_name(card, "cell").markdown()
    assert shape(written) == shape(usual)
    prose = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", written.split("\n---\n", 1)[1])  # without code
    assert not re.search(r"(?<!\\)<|(?<!\\)\[(?!\d\.\d{3}, \d\.\d{3}\](?!\())|(?<!\\)!|https?:/|www\.|\u202e", prose)


@pytest.mark.parametrize("text", HOSTILE)
def test_front_matter_is_yaml_and_keeps_names(card: ModelCard, text: str) -> None:
    head = with_name(card, text).markdown().split("---\n")[1]
    read = yaml.safe_load(head)
    assert read["pipeline_tag"] == "image-segmentation"
    assert read["metrics"] == ["mask-ap", "box-ap"]
    [model] = read["model-index"]
    assert model["name"] == one_line(text)[:200]
    values = {metric["name"]: metric["value"] for metric in model["results"][0]["metrics"]}
    assert values["mask AP"] == 0.5  # one of two classes is found: (1 + 0) / 2
    assert "license" not in read  # a place to fill in


def test_yaml_writes_what_a_stream_must_not_hold_as_escapes() -> None:
    assert yaml.safe_load(yaml_text("a\ufeffb")) == "a\ufeffb"
    assert "\ufeff" not in yaml_text("a\ufeffb")


def test_names_are_code_and_texts_are_escaped() -> None:
    assert name("bolt_01.jpg") == "`bolt_01.jpg`"
    assert name("a`b") == "``a`b``"
    assert name("`") == "`` ` ``"
    assert escaped("torch 2.11, cpu") == "torch 2.11, cpu"
    assert escaped("# 1") == "\\# 1"
    assert escaped("2.11.0") == "2.11.0"
    assert escaped("1. a") == "1\\. a"
    assert escaped("AP is 0.1 [0.050, 0.200] of 3") == "AP is 0.1 [0.050, 0.200] of 3"
    assert len(escaped("x" * 999)) == 200


def test_tables_are_aligned_as_text() -> None:
    assert table(("", "AP"), [("cell", "0.5"), ("b", "0.25")], numbers=[1]) == [
        "|      |   AP |",
        "|------|-----:|",
        "| cell |  0.5 |",
        "| b    | 0.25 |",
    ]


def test_sections_and_places_to_fill_in(card: ModelCard) -> None:
    text = card.markdown()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "What it is",
        "What it learned from",
        "How good it is",
        "Where it fails",
        "Limits",
        "How it was trained",
        "Intended use",
        "Licence",
    ]
    assert text.count("_Fill in._") == 2
    assert "| `b.png` |" in text  # the picture in which the dust was missed
    assert "look like a copy of a training picture" in text  # training and validation are the same pictures here


def test_a_set_of_many_classes_stays_readable(tmp_path: Path) -> None:
    names = [f"class {number}" for number in range(200)]
    project = new_project(tmp_path / "cells", ["a"], noise())
    run = begin_run(project, document(["a"], [rectangle(1, 1, (5, 5, 20, 20))], names))
    text = model_card(end_run(run, {1: []}, {1: 0.0})).markdown()
    assert "and 140 more classes" in text
    assert len(text) < 30_000
