"""What the Launch page works out: what there is to learn from, and the command line that its choices mean."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import ImageRecord, classes_in
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.studio.plain_text import plain

PRESET_WORDS: dict[str, str] = {
    "classroom": "Small and quick: learns from a few pictures in minutes on a processor.",
    "standard": "The paper's widths at a moderate picture size: for a graphics card.",
    "torchvision": "torchvision's maskrcnn_resnet50_fpn exactly, so that its COCO weights fit: for a graphics card.",
}
POOLING_WORDS: dict[str, str] = {
    "align": "RoIAlign",
    "align-legacy": "RoIAlign, legacy",
    "pool": "RoIPool",
}
LAYER_WORDS: dict[str, str] = {
    "heads": "heads (with RPN and FPN)",
    "5+": "stage 5 and up",
    "4+": "stage 4 and up",
    "3+": "stage 3 and up",
    "all": "all layers",
}

START_WORDS: dict[str, str] = {
    "imagenet": "ImageNet backbone",
    "coco": "COCO, the whole network",
    "file": "backbone from a file",
    "none": "nothing (from scratch)",
}

COCO_WEIGHTS = "maskrcnn_resnet50_fpn_coco"

MAIN_FIELDS = ("epochs", "minutes", "pooling", "layers", "backbone", "learning_rate", "batch_size")
"""Fields that the page always shows."""

MORE_FIELDS: dict[str, tuple[str, ...]] = {
    "Picture": ("image_min_dim", "image_max_dim", "mean_pixel", "std_pixel", "flip", "scale_jitter", "colour_jitter"),
    "Body": ("norm", "fpn_channels"),
    "Region proposals": (
        "rpn_anchor_scales",
        "rpn_anchor_ratios",
        "rpn_train_anchors_per_image",
        "rpn_positive_ratio",
        "rpn_positive_iou",
        "rpn_negative_iou",
        "rpn_nms_threshold",
        "pre_nms_limit",
        "pre_nms_limit_training",
        "post_nms_rois_training",
        "post_nms_rois_inference",
    ),
    "RoI pooling and heads": (
        "sampling_ratio",
        "pool_size",
        "mask_pool_size",
        "train_rois_per_image",
        "roi_positive_ratio",
        "roi_positive_iou",
        "box_head_width",
        "mask_head_width",
        "mask_head_depth",
    ),
    "Detections": ("detection_min_confidence", "detection_nms_threshold", "detection_max_instances"),
    "Training": (
        "optimiser",
        "learning_momentum",
        "weight_decay",
        "gradient_clip_norm",
        "warmup_steps",
        "steps_per_epoch",
        "loss_weights",
        "precision",
        "seed",
    ),
}
"""Fields under "More choices", by heading."""

FOLLOWING_FIELDS = ("num_classes", "class_names", "mask_shape")
"""Fields that follow from the labels or from another field, so nobody sets them."""

SHAPE_OF_COCO = (
    "backbone",
    "fpn_channels",
    "rpn_anchor_ratios",
    "pool_size",
    "mask_pool_size",
    "box_head_width",
    "mask_head_width",
    "mask_head_depth",
)
"""Fields that decide whether torchvision's COCO weights fit."""


@dataclass(frozen=True)
class Split:
    """One half of what there is: pictures to learn from, regions with an area on them, pictures that are left out.

    Left out are those that nobody has labelled yet: without a region and not marked as done.
    """

    pictures: int
    regions: int
    left_out: int


@dataclass(frozen=True)
class Material:
    """What a training of a project would learn from and be measured on.

    `nameless` counts regions without class, `unknown` are classes that only validation pictures have, `lines` counts
    points and lines, which have no area.
    """

    train: Split
    val: Split
    classes: tuple[str, ...]
    nameless: int
    unknown: tuple[str, ...]
    lines: int

    def obstacles(self) -> list[str]:
        """Why a training cannot start, each with its mend; empty if it can."""
        found = []
        if not self.train.pictures + self.train.left_out:
            found.append("There is no training picture; import some on the Annotate page.")
        elif not self.train.regions:
            found.append("There is no region to learn from in the training pictures; draw some on the Annotate page.")
        if self.nameless:
            found.append(
                f"{_count(self.nameless, 'region has', 'regions have')} no class; "
                "choose one for each on the Annotate page, or delete them."
            )
        if self.unknown and self.classes:
            found.append(
                f'Class "{self.unknown[0]}" is in the validation pictures but not in the training pictures; '
                "rename it, or label some for training."
            )
        return found

    def warnings(self) -> list[str]:
        """What a training can start with, but somebody should know."""
        found = []
        if not self.val.regions:
            found.append(
                "There is no labelled validation picture, so there will be no validation losses and no AP, "
                "and the last epoch counts as the best."
            )
        if self.lines:
            found.append(
                f"{_count(self.lines, 'point or line has', 'points or lines have')} no area and will be passed over."
            )
        return found


def material(project: Project) -> Material:
    """Count what a project has to learn from."""
    training, validation = _usable(project, "train"), _usable(project, "val")
    everything = [region for record in (*training, *validation) for region in record.regions]
    solid = [region for region in everything if raster.has_area(region.shape)]
    classes = classes_in(training)
    return Material(
        train=_split(project, "train", training),
        val=_split(project, "val", validation),
        classes=classes,
        nameless=sum(region.class_name is None for region in solid),
        unknown=tuple(name for name in classes_in(validation) if name not in classes),
        lines=len(everything) - len(solid),
    )


def is_downloaded(weights: str) -> bool:
    """Whether torchvision has kept weights of that name on this machine, by its own rule where (and without torch)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    folder = Path(os.environ.get("TORCH_HOME") or cache).expanduser() / "hub" / "checkpoints"
    return any(folder.glob(f"{weights}-*.pth"))


def usual_start(preset: str, backbone: str) -> str:
    """What to propose as the start (see `START_WORDS`): the most that is known without a download.

    A first training must not fail because the machine has no network.
    """
    if preset == "torchvision" and is_downloaded(COCO_WEIGHTS):
        return "coco"
    return "imagenet" if is_downloaded(backbone.removesuffix("_fpn")) else "none"


def start_note(start: str, backbone: str) -> str:
    """A line on what that start means for this training."""
    if start == "none":
        return "It must learn to see first: patience. With a network at hand, ImageNet is far quicker on photographs."
    weights = {"imagenet": backbone.removesuffix("_fpn"), "coco": COCO_WEIGHTS}.get(start)
    if weights is None:
        return "The file must fit the backbone."
    return "The weights are on this machine." if is_downloaded(weights) else "The weights will be downloaded once."


def free_name(runs_folder: Path, project: str) -> str:
    """A name that no run has yet: `project-0001`, `project-0002`, ..."""
    base = re.sub(r"[^\w-]+", "-", project).strip("-").lower() or "run"
    taken = [path.name for path in runs_folder.iterdir()] if runs_folder.is_dir() else []
    numbers = [int(match[1]) for name in taken if (match := re.fullmatch(rf"{re.escape(base)}-(\d+)", name))]
    return f"{base}-{max(numbers, default=0) + 1:04d}"


@dataclass(frozen=True)
class Choices:
    """What was chosen on the page. `changes` are Config fields; `weights` and `init` are as on the command line."""

    preset: str
    changes: Mapping[str, Any]
    weights: str = "none"
    init: str = "none"

    def config(self, classes: tuple[str, ...]) -> Config:
        """The Config of the run, as the trainer will make it.

        Raises `ArgumentError` for a value out of range, a weights file that is not there, and COCO weights that do not
        fit.
        """
        follows = {**starting_values(self.weights, self.init), "class_names": classes, "num_classes": len(classes) + 1}
        config = Config.preset(self.preset, **{**follows, **self.changes})
        if self.weights not in ("none", "imagenet") and not Path(self.weights).expanduser().is_file():
            raise ArgumentError(
                f"{self.weights or 'backbone weights'}: there is no such file; give the path of a .pth file"
            )
        if self.init == "coco":
            fitting = Config.preset("torchvision")
            for field in SHAPE_OF_COCO:
                if (value := getattr(config, field)) != (needed := getattr(fitting, field)):
                    raise ArgumentError(
                        f'COCO weights need {field} = {needed}, here it is {value}; choose the preset "torchvision", '
                        "or start without them"
                    )
        return config

    def options(self, project: Path) -> list[str]:
        """The options of `python -m maskrcnn train` that mean these choices, without `--out`."""
        named = {"epochs", "minutes", "pooling", "layers", "backbone", "seed"}
        options = ["--data", str(project), "--preset", self.preset]
        weights = (
            self.weights if self.weights in ("none", "imagenet") else str(Path(self.weights).expanduser().resolve())
        )
        options += ["--backbone-weights", weights, "--init", self.init]
        for name, value in {**starting_values(self.weights, self.init), **self.changes}.items():
            if name in named:
                if value is not None:
                    options += [f"--{name}", str(value)]
            else:
                options += ["--set", f"{name}={json.dumps(value)}"]
        return options


def weights_and_init(start: str, path: str) -> tuple[str, str]:
    """`--backbone-weights` and `--init` for a choice of START_WORDS (`path` is the file, where that is the choice)."""
    return {"imagenet": ("imagenet", "none"), "coco": ("none", "coco"), "file": (path.strip(), "none")}.get(
        start, ("none", "none")
    )


def in_words(material: Material) -> str:
    """What a training learns from, as Markdown: a small table, the pictures with nothing on them, the classes."""
    splits = {"training": material.train, "validation": material.val}
    rows = [f"| {title} | {split.pictures} | {split.regions} |" for title, split in splits.items()]
    parts = ["\n".join(["| | pictures | regions |", "|---|---:|---:|", *rows])]
    if waiting := material.train.left_out + material.val.left_out:
        parts.append(
            f"{_count(waiting, 'picture is', 'pictures are')} left out: no region yet, and not marked as done."
        )
    parts.append(f"{_count(len(material.classes), 'class', 'classes')}: {plain(', '.join(material.classes)) or 'none'}")
    return "\n\n".join(parts)


def starting_values(weights: str, init: str) -> dict[str, Any]:
    """Fields whose usual value depends on what is known at the start, and not on the preset.

    Without any weights BatchNorm has to learn, too; with them, the first stages (edges, colours) serve any picture.
    """
    return {"norm": "batch", "layers": "all"} if weights == init == "none" else {"norm": "frozen", "layers": "3+"}


def changed(preset: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are not the preset's, and always those of `starting_values`."""
    default = Config.preset(preset).model_dump()
    always = starting_values("none", "none")
    return {name: value for name, value in values.items() if name in always or value != default[name]}


def length(unit: Literal["epochs", "minutes"], number: float | None) -> dict[str, Any]:
    """The fields that set how long a run is; `StudioError` where there is no number, or none above 0."""
    if not number or number <= 0:
        raise StudioError(f"{unit}: the length of the run is missing; give a number above 0")
    return {"epochs": int(number), "minutes": None} if unit == "epochs" else {"epochs": None, "minutes": float(number)}


def _usable(project: Project, split: Literal["train", "val"]) -> tuple[ImageRecord, ...]:
    """The pictures that the trainer takes of a project: with regions, or marked as done and so meant to be empty."""
    finished = {image.file_name for image in project.images(split) if image.n_regions or image.done}
    return tuple(record for record in project.dataset(split).images if record.file_name in finished)


def _split(project: Project, split: Literal["train", "val"], records: tuple[ImageRecord, ...]) -> Split:
    regions = sum(raster.has_area(region.shape) for record in records for region in record.regions)
    return Split(len(records), regions, len(project.images(split)) - len(records))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
