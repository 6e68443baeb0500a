"""What every test shares: few threads, a workspace of its own, and the way to the real pictures."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Before anything imports torch or OpenCV. What the tests compute is tiny: a second thread would only be waited for, and
# on a busy machine that takes a hundred times as long as the work.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false")
# For whatever is imported while tests are collected; each test then gets its own.
os.environ["MASKRCNN_WORKSPACE"] = tempfile.mkdtemp(prefix="maskrcnn-tests-")


@pytest.fixture(autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace folder, so that no test sees or touches the real one."""
    folder = tmp_path_factory.mktemp("workspace")
    monkeypatch.setenv("MASKRCNN_WORKSPACE", str(folder))
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds app.py."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real labelled photographs; the test is skipped where there is none."""
    folder = Path(os.environ.get("MASKRCNN_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "balloon").is_dir():
        pytest.skip(f"no real pictures in {folder}; name their folder in MASKRCNN_TEST_DATA")
    return folder
