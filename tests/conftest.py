"""What every test shares: few threads, a workspace of its own, no weights, and the way to the real pictures."""

from __future__ import annotations

import functools
import gc
import itertools
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.sweeps import FUZZ, examples, sweep

ROOT = Path(__file__).resolve().parent.parent

# The same examples each time, so that a failure is one of the change at hand; `make fuzz` looks for others. How long an
# example takes is no failure: other programs may keep the machine busy.
PROPERTIES = settings(deadline=None, max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", PROPERTIES, derandomize=True)
settings.register_profile("fuzz", PROPERTIES, derandomize=False, print_blob=True)
settings.load_profile("fuzz" if FUZZ else "repeatable")

# Before anything imports torch or OpenCV. What the tests compute is tiny: a second thread would only be waited for, and
# on a busy machine that takes a hundred times as long as the work.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
import cv2  # noqa: E402

cv2.setNumThreads(1)  # and a test's fork of a process would wait for ever for threads that are not in it
os.environ.setdefault("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false")


def memory_folder(folder: Path = Path("/dev/shm"), enough: int = 4 << 30) -> Path | None:
    """A folder in memory with room for all that tests write, in which programs can be started; `None` if there is none.

    Each project and each run waits several times until what it wrote is on the disk: half of the time of the tests that
    make some. None of them pulls the plug, so what is in memory is as good.
    """
    try:
        found = os.statvfs(folder)
    except (AttributeError, OSError):
        return None
    fits = found.f_bavail * found.f_frsize >= enough and not found.f_flag & os.ST_NOEXEC
    return folder if fits and os.access(folder, os.W_OK) else None


if "TMPDIR" not in os.environ and (in_memory := memory_folder()):
    os.environ["TMPDIR"], tempfile.tempdir = str(in_memory), None
# For whatever is imported while tests are collected; each test then gets its own.
os.environ["MASKRCNN_WORKSPACE"] = tempfile.mkdtemp(prefix="maskrcnn-tests-")
# Nothing was downloaded, whatever lies on the machine that the tests run on.
os.environ["TORCH_HOME"] = str(Path(os.environ["MASKRCNN_WORKSPACE"]) / "nothing")
_WHILE_COLLECTING = Path(os.environ["MASKRCNN_WORKSPACE"])


def pytest_unconfigure() -> None:
    shutil.rmtree(_WHILE_COLLECTING, ignore_errors=True)


LONG = (
    *("browser/test_main_job.py", "browser/test_queue.py", "browser/test_server.py"),
    *("cli/", "jobs/", "training/", "app/", "hostile/", "toys/", "model/"),
)
"""Tests that start processes, run pages and compute. They come first, so that no process of `make test` is left with a
long file when the others have ended."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    @functools.cache
    def place(file: Path) -> int:
        path = file.relative_to(ROOT / "tests").as_posix()
        return next((number for number, long in enumerate(LONG) if path.startswith(long)), len(LONG))

    items.sort(key=lambda item: place(item.path))
    for item in items:
        if not FUZZ and item.get_closest_marker(sweep.name):
            item.add_marker(pytest.mark.skip(reason="a sweep, which make fuzz runs"))


gc.disable()  # until the tests are there: what is imported and collected stays


def pytest_collection_finish() -> None:
    """Python's collector would look through all modules and all tests again and again, in vain."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def random_numbers_are_repeatable() -> None:
    """A test draws the same numbers whatever ran before it in this process. `make fuzz` lets them differ."""
    if not FUZZ:
        random.seed(0)
        if torch := sys.modules.get("torch"):
            # `torch.manual_seed` also writes down where it was called from, once for each kind of card that is not in
            # use: it takes longer than many a test.
            torch.default_generator.manual_seed(0)
            if torch.cuda.is_initialized():
                torch.cuda.manual_seed_all(0)


@pytest.fixture(autouse=True, scope="session")
def nothing_ships() -> Iterator[None]:
    """A training begins from nothing unless a test says otherwise (`tests.shipping` has models that ship)."""
    from maskrcnn.runs import shipped_models

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped_models, "FOLDER", ROOT / "tests" / "no weights")
        yield


@pytest.fixture(autouse=True, scope="session")
def packages_are_looked_through_once() -> Iterator[None]:
    """Each new `AppTest` reads what every installed package says of itself, in search of components: a fifth of all the
    time that the tests of pages take."""
    from streamlit.components.v2 import manifest_scanner

    found = functools.cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(scope="session")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders that are not there yet, one for each test. (`mktemp` would look through all earlier ones each time.)"""
    folder = tmp_path_factory.mktemp("workspaces")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def workspace(workspaces: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace folder, so that no test sees or touches the real one."""
    folder = next(workspaces)
    folder.mkdir()
    monkeypatch.setenv("MASKRCNN_WORKSPACE", str(folder))
    return folder


@pytest.fixture
def weights_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for models that ship; `tests.shipping.ship` puts one there."""
    from maskrcnn.runs import shipped_models

    folder = tmp_path_factory.mktemp("data") / "weights"
    monkeypatch.setattr(shipped_models, "FOLDER", folder)
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
