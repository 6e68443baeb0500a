"""Which pictures make each batch, and that nothing but the seed and its number decides about it."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maskrcnn.annotations.polygon_outline import stacked_outlines
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.training.batch_loader import Batch, BatchLoader, batch_order, loader_threads
from maskrcnn.training.labelled_samples import LabelledSamples
from tests import tiny


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.squares(tmp_path_factory.mktemp("squares"), pictures=5)


def samples(labels: Path, **changes: Any) -> LabelledSamples:
    documents = training_documents(labels, None, None, labels.parent / "run")
    fields = {**tiny.CONFIG, "copy_paste": 0.5, "crop": 0.5, "batch_size": 2, **changes}
    config = Config.preset("classroom", **fields)
    return LabelledSamples(documents["train"], lambda image: Path(image["path"]), config, augment=True)


def first(pictures: LabelledSamples, count: int, **options: Any) -> list[Batch]:
    with BatchLoader(pictures, pictures.config, **options) as loader:
        return [next(loader) for _ in range(count)]


def same(one: Batch, other: Batch) -> bool:
    return (one.names, one.seeds, len(one.samples)) == (other.names, other.seeds, len(other.samples)) and all(
        torch.equal(a, b)
        and torch.equal(s["boxes"], t["boxes"])
        and np.array_equal(stacked_outlines(s["masks"], *a.shape[1:]), stacked_outlines(t["masks"], *b.shape[1:]))
        for (a, s), (b, t) in zip(one.samples, other.samples, strict=True)
    )


def test_threads_change_nothing(labels: Path) -> None:
    alone = first(samples(labels), 6, threads=0)
    for threads in (1, 4):
        # Nothing in memory either: the pictures are read anew.
        assert all(map(same, alone, first(samples(labels, picture_cache_mb=0), 6, threads=threads)))
    assert len({name for batch in alone for name in batch.names}) == 5
    assert not same(alone[0], first(samples(labels, seed=1), 1)[0])


@pytest.mark.parametrize("number", [1, 3, 7])
def test_it_goes_on_with_the_batches_that_it_would_have_had(number: int, labels: Path) -> None:
    whole = first(samples(labels), 9, threads=1)
    assert all(map(same, whole[number:], first(samples(labels), 9 - number, first=number, threads=1)))


def test_several_processes_share_the_batches_of_one(labels: Path) -> None:
    whole = first(samples(labels, batch_size=4), 4, threads=0)
    shares = [first(samples(labels, batch_size=4), 4, rank=rank, size=2) for rank in (0, 1)]
    for batch, *halves in zip(whole, *shares, strict=True):
        for rank, half in enumerate(halves):
            assert same(Batch(batch.samples[rank::2], batch.seeds[rank::2], batch.names[rank::2]), half)


def test_a_picture_has_another_seed_in_every_batch(labels: Path) -> None:
    batches = first(samples(labels), 10, threads=0)
    seeds = [seed for batch in batches for seed in batch.seeds]
    assert len(set(seeds)) == 20


def test_it_reads_two_batches_ahead_and_no_more(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = samples(labels)
    asked: list[int] = []
    monkeypatch.setattr(LabelledSamples, "sample", lambda self, index, draw: asked.append(index))
    with BatchLoader(pictures, pictures.config, threads=1) as loader:
        next(loader)
    # That one, and the two that were begun; what nobody waits for may be left out at the end.
    assert 2 <= len(asked) <= 6
    monkeypatch.undo()
    with BatchLoader(pictures, pictures.config, threads=0) as loader:
        monkeypatch.setattr(LabelledSamples, "sample", lambda self, index, draw: asked.append(index))
        asked.clear()
        next(loader)
    assert len(asked) == 2


@pytest.mark.parametrize("threads", [0, 1])
def test_a_picture_that_went_away_is_named(threads: int, labels: Path) -> None:
    pictures = samples(labels)
    pictures.picture_path = lambda image: Path(image["path"]).with_name("gone.png")
    with pytest.raises(StudioError, match=r"gone\.png"):
        first(pictures, 1, threads=threads)


def test_its_threads_end_with_it_and_torchs_stay_as_many(labels: Path) -> None:
    before = torch.get_num_threads()
    first(samples(labels), 1, threads=3)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("loader")]
    assert torch.get_num_threads() == before


def test_how_many_threads() -> None:
    assert loader_threads(Config.preset("classroom", loader_threads=0), torch.device("cpu")) == 0
    assert loader_threads(Config.preset("classroom", loader_threads=9), torch.device("cuda")) == 9
    assert 1 <= loader_threads(Config.preset("classroom"), torch.device("cpu")) <= 4


def images(*shapes: str) -> list[dict[str, Any]]:
    sizes = {"upright": (90, 60), "lying": (60, 90)}
    return [{"height": sizes[shape][0], "width": sizes[shape][1]} for shape in shapes]


def test_every_picture_comes_once_in_a_pass_and_uprights_are_batched_apart() -> None:
    order = batch_order(images(*["upright", "lying"] * 3), 3, seed=0)
    for _ in range(4):
        one_pass = [next(order) for _ in range(2)]
        assert sorted(index for batch in one_pass for index in batch) == [0, 1, 2, 3, 4, 5]
        assert all(len({index % 2 for index in batch}) == 1 for batch in one_pass)


def test_what_is_left_of_a_pass_waits_for_the_next() -> None:
    """Five pictures in twos: after five batches each has come twice, after ten four times."""
    order = batch_order(images(*["lying"] * 5), 2, seed=3)
    assert Counter(index for _ in range(5) for index in next(order)) == dict.fromkeys(range(5), 2)


def test_another_seed_is_another_order() -> None:
    orders = [
        [next(order) for _ in range(4)] for order in (batch_order(images(*["lying"] * 8), 2, s) for s in (0, 0, 1))
    ]
    assert orders[0] == orders[1] != orders[2]


def test_fewer_pictures_than_a_batch_still_make_one() -> None:
    assert sorted(next(batch_order(images("lying", "lying"), 4, seed=0))) == [0, 1]
    # Of one upright and one lying picture each kind waits until it has two.
    mixed = batch_order(images("lying", "upright"), 4, seed=0)
    assert {tuple(next(mixed)) for _ in range(4)} == {(0, 0), (1, 1)}
