"""Training recipes of the models that ship with the studio, and the functions that carry them out.

All files are made in a working folder: drawn pictures in `worlds/`, trainings in `runs/`, evaluations in `reports/`.
What exists already is not made again, and an interrupted training is resumed. Trainings and evaluations run as commands
of the command line, as a user would start them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, Config, setting_word
from maskrcnn.errors import StudioError
from maskrcnn.install_folders import DATA, ROOT
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.toys.worlds import WORLDS

WORK = ROOT / "workspace" / ".toys"


@dataclass(frozen=True)
class PictureSet:
    """A set of drawn pictures: the first `pictures` ones of a world and seed."""

    world: str
    pictures: int
    seed: int

    def drawn_folder(self, work: Path) -> Path:
        """The folder of the set below `work`; draws the pictures if it does not exist yet."""
        folder = work / "worlds" / f"{self.world}-{self.seed}-{self.pictures}"
        if not (folder / WORLDS[self.world].labels).is_file():
            _command("toy", self.world, folder, "--pictures", self.pictures, "--seed", self.seed)
        return folder


@dataclass(frozen=True)
class Recipe:
    """A training and the model that it gives.

    `what` and `limits` describe the model. `data` are the pictures for training, `val` those for validation and `test`
    those for the final evaluation. `fields` are the fields of its Config that differ from the default preset. `start`
    are the options of `train` that choose the initial weights. `seed` is for initialisation, order and augmentation.
    """

    name: str
    what: str
    limits: str
    data: PictureSet
    test: PictureSet
    val: Path
    fields: Mapping[str, Any]
    start: tuple[str, ...]
    seed: int = 0

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `train` for this training, without those of pictures and run folder."""
        request = TrainingRequest.from_argv(self.start)
        changed = {**request.changed, "seed": self.seed, **self.fields}
        return tuple(replace(request, changed=changed).to_argv())

    def run_folder(self, work: Path) -> Path:
        """The run folder of this training below the working folder."""
        return work / "runs" / f"{self.name}-{self.seed}"

    def trained_run(self, work: Path) -> Path:
        """The finished run folder of this training. Starts or resumes the training if it is not finished.

        Raises `StudioError` if the folder holds a training with other options.
        """
        run = self.run_folder(work)
        begun = RunFolder(run).state.is_file()
        if begun:
            self.require_same_options(run)
        if (RunFolder(run).result() or {}).get("state") == "done":
            return run
        data = self.data.drawn_folder(work)
        if begun:
            _command("train", "--resume", "--out", run)
        else:
            shutil.rmtree(run, ignore_errors=True)  # it was interrupted before it could be resumed
            _command("train", "--data", data, "--val", self.val, "--out", run, *self.options)
        return run

    def require_same_options(self, run: Path) -> None:
        """Raise `StudioError` if a run was trained with other options than this recipe's."""
        learned = RunFolder(run).config()
        intended = Config.preset(DEFAULT_PRESET, **self.fields, seed=self.seed)
        for name in (*self.fields, "seed"):
            if (here := getattr(learned, name)) != (there := getattr(intended, name)):
                raise StudioError(
                    f"{run} was trained with {name} = {setting_word(here)}, but the recipe says "
                    f"{setting_word(there)}; move it away, and it is trained anew"
                )


def evaluation_report(run: Path, data: PictureSet, work: Path) -> dict[str, Any]:
    """The evaluation report (JSON) of the best weights of a recipe's run on a set of pictures.

    `evaluate` runs only if `work` does not have the report yet.
    """
    weights = hashlib.sha256((run / "best.safetensors").read_bytes()).hexdigest()[:12]
    report = work / "reports" / f"{run.name}-{weights}-{data.world}-{data.seed}-{data.pictures}.json"
    if not report.is_file():
        _command("evaluate", run, "--data", data.drawn_folder(work), "--out", report)
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def _command(*words: object) -> None:
    """Print and run `python -m maskrcnn` with these arguments. Raise `StudioError` if it fails."""
    command = [sys.executable, "-m", "maskrcnn", *map(str, words)]
    print("$ python", *command[1:], flush=True)
    if _run_and_wait(command):
        raise StudioError(f"this command failed: python {' '.join(command[1:])}; its message is above")


def _run_and_wait(command: list[str]) -> int:
    """Run a command and return its exit status.

    On Ctrl-C this waits until the command has saved its state. `subprocess.run` would kill it after 0.25 seconds.
    """
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise


SHAPES, FRESH_SHAPES = PictureSet("shapes", 10000, 1000), PictureSet("shapes", 500, 9000)
PEOPLE, FRESH_PEOPLE = PictureSet("people", 8000, 1000), PictureSet("people", 500, 9000)

_LEARNING = {
    **{"batch_size": 8, "learning_rate": 0.001, "warmup_steps": 100, "scale_jitter": 0.2},
    # A toy picture has at most ten objects.
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
    # Stage 5 of the backbone runs on every RoI, which takes most of the time.
    "c4": ("stride 16", _ONE_MAP | {"train_rois_per_image": 16}),
    "c5": ("stride 32", _ONE_MAP),
}
"""Kind of backbone -> the strides of the feature maps that its heads read, and the Config fields of such a network."""


def paired(kind: str, pooling: str, seed: int = 0, body: str = SLIM, weights: str = "toy") -> Recipe:
    """The recipe of a network for the comparison of RoIAlign ("align") and RoIPool ("pool").

    The two recipes of a `kind` of backbone (a key of `HEADS_READ`) differ only in the `pooling`. Both start from the
    backbone weights of `toy`, or from other `weights` of another `body`, as the networks of the paper start from
    ImageNet weights. From random weights, a map of stride 32 would need too much training for a comparison.
    """
    strides, network = HEADS_READ[kind]
    pooling_name = {"align": "RoIAlign", "pool": "RoIPool"}[pooling]
    return Recipe(
        f"{'toy' if body == SLIM else body}-{kind}-{pooling}",
        f"Mask R-CNN whose heads read maps of {strides} with {pooling_name}, to be compared with its twin.",
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
                # To tell left from right at an ankle, the receptive field must reach the face: eight convolutions do.
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
"""Name of a model that ships with the studio -> its recipe, in the order of training."""
