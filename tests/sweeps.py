"""Slow sweeps over many members of a kind, of which the default run keeps one; `make fuzz` runs all."""

from __future__ import annotations

import os

import pytest

FUZZ = bool(os.environ.get("MASKRCNN_FUZZ"))

sweep = pytest.mark.skipif(not FUZZ, reason="a sweep, which make fuzz runs")
