"""The badge and the card of a model that ships are for its weights, not for whoever has its files or its name."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components import network_choice
from tests.shipping import CARD, ship


@pytest.fixture
def toy(weights_folder: Path) -> Path:
    return ship(weights_folder)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    (tmp_path / "project" / "runs").mkdir(parents=True)
    return tmp_path / "project" / "runs"


def impostor(runs: Path, name: str = "toy", **card: Any) -> Path:
    """A run with a card and a name of its own choice, and weights of its own, as large as those that ship."""
    run = runs / name
    run.mkdir()
    (run / "card.json").write_text(json.dumps({**CARD, **card}))
    own = (shipped_models.FOLDER / "toy" / "best.safetensors").read_bytes()
    (run / "best.safetensors").write_bytes(own[:-1] + bytes([own[-1] ^ 1]))
    return run


def test_a_card_and_a_name_are_no_badge(toy: Path, runs: Path) -> None:
    assert shipped_models.card_in(impostor(runs)) is None


def test_a_copy_has_the_card_that_ships_whatever_its_own_says(toy: Path, runs: Path) -> None:
    copy = shipped_models.copy_into(runs, "toy", {})
    (copy / "card.json").write_text(json.dumps({**CARD, "what": "[evil](http://links.example)"}))
    assert (shipped_models.card_in(copy) or {})["what"] == CARD["what"]
    copy = copy.rename(runs / "mine")
    (copy / "card.json").unlink()
    assert (shipped_models.card_in(copy) or {})["name"] == "toy"


def test_weights_that_change_lose_the_badge(toy: Path, runs: Path) -> None:
    copy = shipped_models.copy_into(runs, "toy", {})
    assert shipped_models.card_in(copy)
    about = (copy / "best.safetensors").stat()
    with (copy / "best.safetensors").open("r+b") as file:
        file.write(b"\0")
    os.utime(copy / "best.safetensors", ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    assert shipped_models.card_in(copy) is None


def test_a_link_to_the_weights_that_ship_is_no_copy(toy: Path, runs: Path) -> None:
    (runs / "toy").mkdir()
    (runs / "toy" / "best.safetensors").symlink_to(toy / "best.safetensors")
    assert shipped_models.card_in(runs / "toy") is None


@pytest.mark.parametrize("kind", ["folder", "pipe", "circle", "nothing"])
def test_what_is_no_file_is_no_badge(toy: Path, runs: Path, kind: str) -> None:
    (runs / "toy").mkdir()
    weights = runs / "toy" / "best.safetensors"
    {
        "folder": weights.mkdir,
        "pipe": lambda: os.mkfifo(weights),
        "circle": lambda: weights.symlink_to(weights),
        "nothing": lambda: None,
    }[kind]()
    assert shipped_models.card_in(runs / "toy") is None


WRONG = (
    *(b"", b"[]", b"{", b"null", b'"toy"', b"\xff\xfe", b"[" * 200_000),
    *({**CARD, field: wrong} for field in ("name", "what", "train", "test", "limits", "ap") for wrong in (None, 3, [])),
    {**CARD, "train": {"world": "shapes", "pictures": "10", "seed": 0}},
    {**CARD, "ap": {"segm": {"AP": "0.7"}}},
    {**CARD, "ap": {"segm": 3}},
    {**CARD, "intervals": {"segm": {"AP": [0.7]}}},
    {**CARD, "intervals": {"segm": {"AP": "ab"}}},
)


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_card_that_is_none_is_no_card_and_no_error(toy: Path, number: int) -> None:
    wrong = WRONG[number]
    (toy / "card.json").write_bytes(wrong if isinstance(wrong, bytes) else json.dumps(wrong).encode())
    assert shipped_models.card("toy") is None
    assert shipped_models.card_in(toy) is None


def test_runs_and_models_that_ship_are_told_apart_in_a_list(toy: Path, runs: Path) -> None:
    names = ("toy", "toy (ships with the studio)", "Toy  (SHIPS with-the\N{NO-BREAK SPACE}studio)", "mine")
    made = [RunFolder(impostor(runs, name)) for name in names]
    offered = network_choice.on_offer(made)
    assert list(offered) == [
        "toy",
        "toy (ships with the studio) (a run of this project)",
        "Toy  (SHIPS with-the\N{NO-BREAK SPACE}studio) (a run of this project)",
        "mine",
        "toy (ships with the studio)",
    ]
    assert offered["toy (ships with the studio)"].path == toy


def test_a_copy_under_any_name_stands_for_the_model(toy: Path, runs: Path) -> None:
    copy = shipped_models.copy_into(runs, "toy", {}).rename(runs / "renamed")
    assert list(network_choice.on_offer([RunFolder(copy)])) == ["renamed"]
    shutil.rmtree(copy)
    assert list(network_choice.on_offer([])) == ["toy (ships with the studio)"]
