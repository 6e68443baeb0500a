"""Toy worlds in a folder: whole, repeatable, however many processes draw; and the command that makes them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from maskrcnn.__main__ import main
from maskrcnn.annotations import pictures, read
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.errors import StudioError
from maskrcnn.toys import worlds
from maskrcnn.toys.worlds import WORLDS, generate
from tests.sweeps import one_in, sweep


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", one_in(2, WORLDS))
def test_the_same_seed_gives_the_same_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "_MIN_PICTURES_FOR_PROCESSES", 0)
    generate(WORLDS[name], tmp_path / "one", 3, seed=5, workers=1)
    generate(WORLDS[name], tmp_path / "two", 3, seed=5, workers=2)
    one = contents(tmp_path / "one")
    assert one == contents(tmp_path / "two")
    assert len(one) == 4
    generate(WORLDS[name], tmp_path / "other", 3, seed=6, workers=1)
    assert not set(one.values()) & set(contents(tmp_path / "other").values())


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_written_can_be_learned_from(tmp_path: Path, name: str) -> None:
    drawn = generate(WORLDS[name], tmp_path / "set", 4, seed=3)
    dataset = require_trainable(read(tmp_path / "set"))
    assert dataset.classes == WORLDS[name].classes
    assert [len(image.regions) for image in dataset.images] == [len(image.regions) for image in drawn.images]
    for image in dataset.images:
        assert image.path is not None
        assert pictures.load(image.path).shape == (image.height, image.width, 3)


@pytest.mark.parametrize(
    ("there", "named"),
    [
        (["via_project.json", "toy1-001.jpg"], "via_project.json"),
        (["photo.jpg"], "photo.jpg"),
        (["toy2-001.jpg"], "toy2-001.jpg"),
    ],
)
@pytest.mark.parametrize("name", WORLDS)
def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path, name: str, there: list[str], named: str) -> None:
    for file in there:
        (tmp_path / file).write_bytes(b"kept")
    with pytest.raises(StudioError, match=rf"/{named} exists already; name a new folder"):
        generate(WORLDS[name], tmp_path, 1, seed=1)
    assert contents(tmp_path) == dict.fromkeys(there, b"kept")


@pytest.mark.parametrize("name", WORLDS)
def test_drawing_that_was_stopped_goes_on(tmp_path: Path, name: str) -> None:
    generate(WORLDS[name], tmp_path / "whole", 2, seed=1)
    whole = contents(tmp_path / "whole")
    first = min(file for file in whole if file.endswith(".jpg"))
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / first).write_bytes(b"torn")
    generate(WORLDS[name], tmp_path / "begun", 2, seed=1)
    assert contents(tmp_path / "begun") == whole


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["toy", "shapes", str(tmp_path / "new"), "--pictures", "2", "--seed", "9"]) == 0
    assert "via_project.json: 2 pictures" in capsys.readouterr().out
    assert main(["toy", "shapes", str(tmp_path / "none"), "--pictures", "0"]) == 2
    assert "give one picture at least" in capsys.readouterr().err
    assert main(["toy", "shapes", str(tmp_path / "none"), "--seed", "-1"]) == 2
    assert "no negative seed" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@sweep
def test_workers_end_with_a_parent_that_is_killed(root: Path, tmp_path: Path) -> None:
    code = (
        "from maskrcnn.toys import worlds\n"
        "if __name__ == '__main__':\n"
        "    import sys; worlds.generate(worlds.WORLDS['shapes'], sys.argv[1], 100_000, seed=1, workers=2)\n"
    )
    script = tmp_path / "draw.py"
    script.write_text(code)
    drawing = subprocess.Popen([sys.executable, script, tmp_path / "set"], env={**os.environ, "PYTHONPATH": str(root)})
    try:
        wait_for(lambda: list((tmp_path / "set").glob("*.jpg")))
        workers = psutil.Process(drawing.pid).children(recursive=True)
        assert len(workers) >= 2
    finally:
        drawing.kill()
        drawing.wait()
    psutil.wait_procs(workers, timeout=20)
    assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]


def wait_for(ready: Callable[[], object]) -> None:
    ends = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < ends
        time.sleep(0.05)
