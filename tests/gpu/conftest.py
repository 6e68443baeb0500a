"""Tests that need a graphics card; without one each is skipped, and says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def card() -> Iterator[torch.device]:
    """The first CUDA device, with float32 computed as float32: TF32, which cards have on, keeps ten bits."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine; `python benchmarks/gpu.py` says what is to be seen on one")
    kinds = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [kind.allow_tf32 for kind in kinds]
    for kind in kinds:
        kind.allow_tf32 = False
    yield torch.device("cuda", 0)
    for kind, allowed in zip(kinds, before, strict=True):
        kind.allow_tf32 = allowed
