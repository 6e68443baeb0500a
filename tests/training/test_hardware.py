"""What a training computed on, in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from maskrcnn.training.hardware import machine, machines, processor


def test_the_name_of_the_processor(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: Abacus: 7 beads\nprocessor\t: 1\nmodel name\t: other\n")
    assert processor(told) == "Abacus: 7 beads"
    told.write_text("processor\t: 0\n")
    assert processor(told)
    assert processor(tmp_path / "nowhere")


@pytest.mark.parametrize(("threads", "cores", "words"), [(1, 4, "1 of 4 cores of "), (8, 4, "4 of 4 cores of ")])
def test_a_processor_with_what_it_was_allowed(
    threads: int, cores: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert machine(torch.device("cpu")) == words + processor()


def test_a_graphics_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"a card, number {device.index}")
    assert machine(torch.device("cuda", 1)) == "a card, number 1"
    assert machine(torch.device("mps")) == f"mps of {processor()}"


def test_what_has_computed_a_training_that_went_on() -> None:
    assert machines(None, "an abacus") == machines("an abacus", "an abacus") == "an abacus"
    assert machines("an abacus", "a card") == "an abacus, then a card"
    assert machines("an abacus, then a card", "a card") == "an abacus, then a card"
    assert machines("an abacus, then a card", "an abacus") == "an abacus, then a card, then an abacus"
