"""Small projects for the tests of what is done to whole ones."""

from __future__ import annotations

import atexit
import io
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import CONFIG, DATASET, RESULT, RUNS, RunFolder

TRIANGLE = Polygon(((5, 5), (40, 8), (20, 40)))


def make(folder: Path, pictures: int = 2) -> Path:
    """A project of small pictures, with a triangle on the first, and one finished run that learned from them. It calls
    itself "cells" wherever it lies."""
    return Path(shutil.copytree(_made_once(pictures), folder))


@cache
def _made_once(pictures: int) -> Path:
    home = tempfile.TemporaryDirectory()
    atexit.register(home.cleanup)
    folder = Path(home.name) / "cells"
    project = Project.create(folder)
    encoded = io.BytesIO()
    for number in range(1, pictures + 1):
        encoded.seek(0)
        Image.fromarray(np.full((48, 64, 3), 40 * number, np.uint8)).save(encoded, "PNG")
        project.add_pictures([(f"{number}.png", encoded.getvalue())], "train")
    if pictures:
        project.save(1, [Region(TRIANGLE, "cell")], project.regions(1)[1])
        run(folder, "first")
    return folder


def run(project: Path, name: str, state: str = "done") -> RunFolder:
    """A run that ended, with a picture of its project and a checkpoint."""
    path = project / RUNS / name
    (path / "checkpoints").mkdir(parents=True)
    image = {"id": 1, "file_name": "1.png", "width": 64, "height": 48, "path": "../../images/1.png"}
    documents = {
        CONFIG: {"epochs": 2},
        DATASET: {"train": {"images": [image], "annotations": [], "categories": []}, "val": None},
        RESULT: {"state": state, "seconds": 1.0},
    }
    for document, content in documents.items():
        (path / document).write_text(json.dumps(content))
    (path / "checkpoints" / "best.safetensors").write_bytes(b"weights of " + name.encode())
    return RunFolder(path)


def shown(workspace: Path) -> list[str]:
    """What lies in a workspace, but for what the studio notes for itself."""
    return sorted(path.name for path in workspace.iterdir() if not path.name.startswith((".", "jobs")))


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but for what SQLite keeps beside its database while somebody reads."""
    files = (path for path in folder.rglob("*") if path.is_file() and "project.db" not in path.name)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def plant(project: Path, kind: str, tmp_path: Path) -> str:
    """Put something into a project that is no file; where."""
    secret = tmp_path / "secret"
    secret.write_text("private")
    place = {"a folder": "letters", "in a run": "runs/first/config2.json", "beside": "notes"}.get(kind, "images/9.png")
    path = project / place
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.symlink_to(tmp_path)
    elif kind == "inside":
        path.symlink_to("1.png")
    elif kind == "a circle":
        path.symlink_to(path)
    else:
        path.symlink_to(secret)
    return place


LINKS = ["a picture", "a folder", "in a run", "beside", "inside", "a circle", "a pipe"]
