"""How the models that ship are trained: on which world, with which options; and how a recipe is followed.

Everything is made in a working folder, step by step, and what is there already is not made again: `worlds/` holds drawn
pictures, `runs/` trainings, `reports/` evaluations. A training that was stopped goes on where it was. Trainings and
evaluations are started by their command lines, as a person would.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, Config, setting_word
from maskrcnn.errors import StudioError
from maskrcnn.install_folders import DATA, ROOT
from maskrcnn.toys.worlds import WORLDS

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
        if not (folder / WORLDS[self.world].labels).is_file():
            _command("toy", self.world, folder, "--pictures", self.pictures, "--seed", self.seed)
        return folder


@dataclass(frozen=True)
class Recipe:
    """One training: `what` it gives and what its `limits` are, which pictures it learns from (`data`), is measured
    (`test`) and validated on (`val`), the `fields` of its Config that are not the usual ones, and what it knows at the
    `start`, as options of `train`. `seed` is that of initialisation, order and augmentation."""

    name: str
    what: str
    limits: str
    data: Drawn
    test: Drawn
    val: Path
    fields: Mapping[str, Any]
    start: tuple[str, ...]
    seed: int = 0

    @property
    def options(self) -> tuple[str, ...]:
        """What makes this training of `train`, but for the pictures and the place."""
        settings = [word for name, value in self.fields.items() for word in ("--set", f"{name}={setting_word(value)}")]
        return (*self.start, "--seed", str(self.seed), *settings)

    def run_folder(self, work: Path) -> Path:
        return work / "runs" / f"{self.name}-{self.seed}"

    def trained(self, work: Path) -> Path:
        """Its finished run folder; trained, or trained on, if it is not finished. Raises `StudioError` where the folder
        holds a training by other options."""
        run = self.run_folder(work)
        begun = (run / "state_last.pt").is_file()
        if begun:
            self.require_own(run)
        if (_json(run / "result.json") or {}).get("state") == "done":
            return run
        data = self.data.made(work)
        if begun:
            _command("train", "--resume", "--out", run)
        else:
            shutil.rmtree(run, ignore_errors=True)  # it was stopped before there was anything to go on from
            _command("train", "--data", data, "--val", self.val, "--out", run, *self.options)
        return run

    def require_own(self, run: Path) -> None:
        """`StudioError` for a run that was trained by other options than these."""
        learned = Config.parse(_json(run / "config.json") or {})
        meant = Config.preset(DEFAULT_PRESET, **self.fields, seed=self.seed)
        for name in (*self.fields, "seed"):
            if (here := getattr(learned, name)) != (there := getattr(meant, name)):
                raise StudioError(
                    f"{run} was trained with {name} = {setting_word(here)}, but the recipe says "
                    f"{setting_word(there)}; move it away, and it is trained anew"
                )


def measured(run: Path, data: Drawn, work: Path) -> dict[str, Any]:
    """The report of `evaluate` for the best weights of a run on a set of pictures; made once for each."""
    weights = hashlib.sha256((run / "best.safetensors").read_bytes()).hexdigest()[:12]
    report = work / "reports" / f"{run.name}-{weights}-{data.world}-{data.seed}-{data.pictures}.json"
    if not report.is_file():
        _command("evaluate", run, "--data", data.made(work), "--out", report)
    found = _json(report)
    assert found is not None
    return found


def _command(*words: object) -> None:
    """One command of ours, shown before it runs; `StudioError` where it fails."""
    command = [sys.executable, "-m", "maskrcnn", *map(str, words)]
    print("$ python", *command[1:], flush=True)
    if _waited_for(command):
        raise StudioError(f"this command failed: python {' '.join(command[1:])}; its message is above")


def _waited_for(command: list[str]) -> int:
    """Its exit status. Ctrl-C reaches the command too, and `subprocess.run` would leave it a quarter of a second to
    save what it has."""
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise


def _json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


SHAPES, FRESH_SHAPES = Drawn("shapes", 10000, 1000), Drawn("shapes", 500, 9000)
PEOPLE, FRESH_PEOPLE = Drawn("people", 8000, 1000), Drawn("people", 500, 9000)

_LEARNING = {
    **{"batch_size": 8, "learning_rate": 0.001, "warmup_steps": 100, "scale_jitter": 0.2},
    # A toy picture has ten objects at the most.
    **{"pre_nms_limit": 300, "post_nms_rois_training": 200},
    **{"picture_cache_mb": 2200, "loader_threads": 0, "checkpoints_kept": 2},
}

SLIM = "resnet18_slim"

_PYRAMID = {"backbone": f"{SLIM}_fpn", "fpn_channels": 64, "box_head_width": 192, "mask_head_width": 64}

_ONE_MAP = {
    **{"rpn_anchor_scales": (24, 48, 96, 160), "fpn_channels": 64, "box_head_width": 96, "mask_head_width": 64},
    "image_min_dim": 256,
}

HEADS_READ: dict[str, tuple[str, dict[str, Any]]] = {
    "fpn": ("strides 4 to 32", _PYRAMID | {"image_min_dim": 256}),
    # Stage 5 of the body runs on every RoI, which takes most of the time.
    "c4": ("stride 16", _ONE_MAP | {"train_rois_per_image": 16}),
    "c5": ("stride 32", _ONE_MAP),
}
"""Kind of backbone -> the strides of the maps that its heads read, and the fields of such a network."""


def paired(kind: str, pooling: str, seed: int = 0, body: str = SLIM, weights: str = "toy") -> Recipe:
    """A network with that kind of backbone, one of a pair that differs in nothing but the pooling.

    Both begin with the body of `toy`, or with other `weights` of another `body`, as those of the paper begin with one
    that knows ImageNet: from nothing, a map of stride 32 takes too long to learn anything that could be compared.
    """
    strides, network = HEADS_READ[kind]
    word = {"align": "RoIAlign", "pool": "RoIPool"}[pooling]
    return Recipe(
        f"{'toy' if body == SLIM else body}-{kind}-{pooling}",
        f"Mask R-CNN whose heads read maps of {strides} with {word}, to be compared with its twin.",
        "It is here to be compared, not to be used: toy is far better.",
        SHAPES,
        FRESH_SHAPES,
        DATA / "shapes" / "val",
        {
            **network,
            "backbone": f"{body}_{kind}",
            **{"pooling": pooling, "layers": "all", "norm": "frozen", "epochs": 12, "steps_per_epoch": 100},
            **{"image_max_dim": 320, "ema": 0.99},
            **_LEARNING,
        },
        ("--backbone-weights", weights),
        seed,
    )


SHIPS: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "toy",
            "Mask R-CNN with a feature pyramid and RoIAlign, which knows six flat shapes.",
            "It has seen drawings only: on photographs it is a start for a training, not a detector.",
            SHAPES,
            FRESH_SHAPES,
            DATA / "shapes" / "val",
            {
                **_PYRAMID,
                **{"image_min_dim": 240, "image_max_dim": 320, "ema": 0.998, "epochs": 25, "steps_per_epoch": 120},
                **_LEARNING,
            },
            ("--init", "none"),
        ),
        Recipe(
            "toy-people",
            "Mask R-CNN with a keypoint head, which knows people that were drawn: masks and COCO's 17 keypoints.",
            "It has seen drawings only: on photographs it finds hardly anybody, but it is a start for a training. "
            "It guesses at hidden keypoints, and at times takes left for right.",
            PEOPLE,
            FRESH_PEOPLE,
            DATA / "people" / "val",
            {
                **{"tasks": ("box", "mask", "keypoints"), "layers": "all", "norm": "batch"},
                # To tell left from right at an ankle, the head has to see as far as the face: eight convolutions do.
                **{"keypoint_head_width": 64, "keypoint_head_depth": 8, "train_rois_per_image": 32},
                **{"image_min_dim": 240, "image_max_dim": 320, "ema": 0.998, "epochs": 110, "steps_per_epoch": 150},
                **_LEARNING,
            },
            ("--init", "toy"),
        ),
        paired("c5", "align"),
        paired("c5", "pool"),
    )
}
"""The models that ship, by name, in the order in which they are made."""
