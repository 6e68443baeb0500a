"""A run goes into one zip and comes out as a run of another studio, with nothing about this computer in it."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from maskrcnn.errors import ArgumentError
from maskrcnn.inference.export.bundle import write_bundle
from maskrcnn.inference.export.bundle_weights import check_weights
from maskrcnn.inference.export.source import export_source
from maskrcnn.runs.folder import DATASET, LOG, PROCESS, RESULT, START, STATE, RunFolder
from maskrcnn.runs.opened_bundle import linked_pictures, open_bundle

ROOT = Path(__file__).resolve().parents[3]
TOY = ROOT / "data" / "weights" / "toy-c5-align"
SECRET = "/home/ada/secret place"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run that names places of its computer wherever a run can."""
    run = RunFolder(tmp_path / "home" / "runs" / "cells")
    shutil.copytree(TOY, run.path)
    (run.path / "card.json").unlink()
    labels = run.dataset()
    for image in labels["val"]["images"]:
        image |= {"path": f"{SECRET}/{image['file_name']}", "flickr_url": SECRET}
    labels["val"]["info"] = {"description": SECRET}
    labels["val"]["annotations"][0]["attributes"] = {"from": SECRET}
    run.write_json(DATASET, labels)
    options = ["--data", SECRET, "--init", f"{SECRET}/best.safetensors"]
    run.write_json(START, {"preset": "classroom", "init": f"{SECRET}/old.safetensors", "options": options})
    run.write_json(PROCESS, {"pid": 1, "create_time": 1.0, "argv": ["python", SECRET]})
    run.write_json(RESULT, {**(run.result() or {}), "error": f"{SECRET} is gone"})
    (run.path / LOG).write_text(f"reading {SECRET}")
    run.state.write_bytes(b"\x80\x02.")
    return run


def test_it_comes_out_as_the_same_run(run: RunFolder, tmp_path: Path) -> None:
    steps: list[float] = []
    made = write_bundle(export_source(run.path), tmp_path / "cells.zip", lambda share, words: steps.append(share))
    assert made.epoch == 12
    assert steps == sorted(steps)
    assert steps[-1] == 1
    opened = open_bundle(made.file, tmp_path / "other" / "runs", check_weights=check_weights)

    assert opened.path == tmp_path / "other" / "runs" / "cells"
    assert opened.config() == run.config()
    assert opened.metrics() == run.metrics()
    assert opened.detection_epochs() == [12]
    assert opened.detections(12) == run.detections(12)
    assert opened.best.read_bytes() == run.best.read_bytes()
    before, after = run.dataset()["val"], opened.dataset()["val"]
    assert [image["file_name"] for image in after["images"]] == [image["file_name"] for image in before["images"]]
    assert [one["segmentation"] for one in after["annotations"]] == [
        one["segmentation"] for one in before["annotations"]
    ]
    assert (opened.result() or {})["state"] == "done"
    assert not opened.has(STATE)


def test_nothing_in_it_names_a_place_of_this_computer(run: RunFolder, tmp_path: Path) -> None:
    made = write_bundle(export_source(run.path), tmp_path / "cells.zip")
    with zipfile.ZipFile(made.file) as archive:
        names = archive.namelist()
        texts = {name: archive.read(name).decode() for name in names if not name.endswith(".safetensors")}
    assert not {LOG, PROCESS, STATE} & set(names)
    assert not any(name.endswith((".py", ".pt", ".pth", ".pkl")) for name in names)
    for name, text in texts.items():
        assert SECRET not in text, name
        assert "/home/ada" not in text, name
        assert str(tmp_path) not in text, name
    assert json.loads(texts[START])["init"] == "old.safetensors"
    assert texts["classes.txt"].splitlines() == list(run.config().names)
    assert "# cells" in texts["card.md"]


def test_pictures_that_are_here_too_are_shown_with_its_labels(run: RunFolder, tmp_path: Path) -> None:
    made = write_bundle(export_source(run.path), tmp_path / "cells.zip")
    first, second = run.shown()["images"][:2]
    images = tmp_path / "project" / "images"
    same = (images / first["file_name"], first["width"], first["height"])
    resized = (images / second["file_name"], second["width"] + 1, second["height"])
    opened = open_bundle(
        made.file,
        tmp_path / "project" / "runs",
        pictures={first["file_name"]: same, second["file_name"]: resized},
    )
    assert linked_pictures(opened) == (1, len(run.shown()["images"]))
    assert opened.picture_path(opened.shown()["images"][0]) == images / first["file_name"]
    assert opened.picture_path(opened.shown()["images"][1]) == opened.path / "pictures" / second["file_name"]


def test_another_epoch_can_be_taken(run: RunFolder, tmp_path: Path) -> None:
    run.checkpoint(4).parent.mkdir()
    content = run.best.read_bytes()
    run.checkpoint(4).write_bytes(content)  # its header says 12: that of the file counts
    made = write_bundle(export_source(run.path, 4), tmp_path / "cells.zip")
    assert made.epoch == 12


def test_a_file_of_weights_is_no_run(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="a bundle is made of a run; give the run folder"):
        write_bundle(export_source(run.best), tmp_path / "cells.zip")
    with pytest.raises(ArgumentError, match=r"a bundle is a zip; give --out cells\.zip"):
        write_bundle(export_source(run.path), tmp_path / "cells.tar")


def test_nothing_is_left_of_a_bundle_that_fails(run: RunFolder, tmp_path: Path) -> None:
    def full(share: float, _words: str) -> None:
        if share > 0.5:
            raise OSError(28, "No space left on device")

    with pytest.raises(ArgumentError, match="cannot be written"):
        write_bundle(export_source(run.path), tmp_path / "out" / "cells.zip", full)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_run_is_not_opened_over_another(run: RunFolder, tmp_path: Path) -> None:
    made = write_bundle(export_source(run.path), tmp_path / "cells.zip")
    with pytest.raises(ArgumentError, match="is there already"):
        open_bundle(made.file, run.path.parent, name="cells")
    assert run.has(LOG)
