"""How the models that ship are trained: on which world, with which options; and how a recipe is followed.

Everything is made in a working folder, step by step, and what is there already is not made again: `worlds/` holds drawn
pictures, `runs/` trainings, `reports/` evaluations. A training that was stopped goes on where it was. Trainings and
evaluations are started by their command lines, as a person would.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskrcnn.errors import StudioError
from maskrcnn.toys.worlds import world

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "workspace" / ".toys"


@dataclass(frozen=True)
class Drawn:
    """A set of pictures: the first so many of a seed."""

    world: str
    pictures: int
    seed: int

    def made(self, work: Path) -> Path:
        """Its folder, drawn if it is not there yet."""
        folder = work / "worlds" / f"{self.world}-{self.seed}-{self.pictures}"
        if not (folder / world(self.world).labels).is_file():
            _command("toy", self.world, folder, "--pictures", self.pictures, "--seed", self.seed)
        return folder


@dataclass(frozen=True)
class Recipe:
    """One training: what it learns from, and the `options` of the command line that make it."""

    name: str
    data: Drawn
    val: Path
    options: tuple[str, ...]
    seed: int = 0

    def sown(self, seed: int) -> Recipe:
        """The same with another seed of initialisation, order and augmentation."""
        return replace(self, seed=seed)

    def run_folder(self, work: Path) -> Path:
        return work / "runs" / f"{self.name}-{self.seed}"

    def trained(self, work: Path) -> Path:
        """Its finished run folder; trained, or trained on, if it is not finished."""
        run = self.run_folder(work)
        data = self.data.made(work)
        result = _json(run / "result.json") or {}
        if result.get("state") != "done":
            if (run / "state_last.pt").is_file():
                _command("train", "--resume", "--out", run)
            else:
                _command("train", "--data", data, "--val", self.val, "--out", run, "--seed", self.seed, *self.options)
        return run


def measured(model: Path | str, data: Drawn, work: Path, name: str) -> dict[str, Any]:
    """The report of `evaluate` for a model on a set of pictures."""
    report = work / "reports" / f"{name}.json"
    if not report.is_file():
        _command("evaluate", model, "--data", data.made(work), "--out", report)
    found = _json(report)
    assert found is not None
    return found


def _command(*words: object) -> None:
    """One command of ours, shown before it runs; `StudioError` where it fails."""
    command = [sys.executable, "-m", "maskrcnn", *map(str, words)]
    print("$ python", *command[1:], flush=True)
    if subprocess.run(command, cwd=ROOT).returncode:
        raise StudioError(f"this command failed: python {' '.join(command[1:])}; its message is above")


def _json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _set(**fields: object) -> tuple[str, ...]:
    return tuple(word for name, value in fields.items() for word in ("--set", f"{name}={value}"))


_SMALL = {"pre_nms_limit": 300, "post_nms_rois_training": 200, "picture_cache_mb": 2200}
"""Few proposals do: a toy picture has ten objects at the most."""

SHAPES = Drawn("shapes", 10000, 1000)
FRESH_SHAPES = Drawn("shapes", 500, 9000)
