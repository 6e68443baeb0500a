"""Every knob of the network and of its training: typed, frozen, validated, explained.

A `Config` describes one run completely; it is written into the run folder and into every checkpoint, so a model can
always be built again from its own file. Field names are the ones that Mask R-CNN lectures and code bases use.

Lengths are pixels of the resized picture; IoU thresholds and scores lie in [0, 1].
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from maskrcnn.errors import ArgumentError
from maskrcnn.presets import PRESETS
from maskrcnn.words import counted

# fmt: off
Backbone = Literal[
    "resnet18_slim_fpn", "resnet18_slim_c4", "resnet18_slim_c5",
    "resnet18_fpn", "resnet18_c4", "resnet18_c5",
    "resnet34_fpn", "resnet34_c4", "resnet34_c5",
    "resnet50_fpn", "resnet50_c4", "resnet50_c5",
    "resnet101_fpn", "resnet101_c4", "resnet101_c5",
    "resnet152_fpn", "resnet152_c4", "resnet152_c5",
    "resnext50_fpn", "resnext50_c4", "resnext50_c5",
    "resnext101_fpn", "resnext101_c4", "resnext101_c5",
    "mobilenet_v2_fpn", "mobilenet_v2_c4", "mobilenet_v2_c5",
    "mobilenet_v3_small_fpn", "mobilenet_v3_small_c4", "mobilenet_v3_small_c5",
    "mobilenet_v3_large_fpn", "mobilenet_v3_large_fpn32", "mobilenet_v3_large_c4", "mobilenet_v3_large_c5",
    "alexnet_fpn", "alexnet_c4",
]
# fmt: on
Norm = Literal["frozen", "batch", "group"]
HeadNorm = Literal["none", "batch", "group"]
ScalesAt = Literal["one-per-level", "every-level"]
Pooling = Literal["align", "align-legacy", "pool", "warp"]
PoolingMode = Literal["auto", "average", "max"]
Task = Literal["box", "mask", "keypoints"]
MaskHead = Literal["fcn", "mlp"]
MaskKind = Literal["sigmoid", "softmax", "agnostic"]
KeypointDecode = Literal["oks", "argmax"]
Optimiser = Literal["adamw", "sgd"]
Precision = Literal["auto", "float32", "bfloat16"]

BACKBONES: tuple[str, ...] = get_args(Backbone)
POOLINGS: tuple[str, ...] = get_args(Pooling)
TASKS: tuple[str, ...] = get_args(Task)
MASK_HEADS: tuple[str, ...] = get_args(MaskHead)
MASK_KINDS: tuple[str, ...] = get_args(MaskKind)
LAYERS: tuple[str, ...] = ("heads", "3+", "4+", "5+", "all")
"""What can learn: the heads (with RPN and pyramid), also the body from a stage on, or everything."""

MOST = 1_000_000_000
"""No whole number of a config is larger: it may come from anybody, and is used in 64-bit arithmetic."""

DEFAULT_PRESET = "classroom"
"""Where all values start from if nobody says otherwise."""

LATER_RATE = 0.1
"""Factor of the learning rate in the later stages of a schedule, where none is given."""

LOSS_NAMES: dict[str, str] = {
    "loss_objectness": "rpn_class_loss",
    "loss_rpn_box_reg": "rpn_bbox_loss",
    "loss_classifier": "mrcnn_class_loss",
    "loss_box_reg": "mrcnn_bbox_loss",
    "loss_mask": "mrcnn_mask_loss",
    "loss_keypoint": "mrcnn_keypoint_loss",
}
"""torchvision's name of each loss -> ours (the names that the lectures use). The only such table."""

LOSSES: tuple[str, ...] = tuple(LOSS_NAMES.values())
"""Every loss that a network can have; `Config.losses` are those that one network has."""

MEASURES: dict[str, str] = {"segm": "mask", "keypoints": "keypoint", "bbox": "box"}
"""COCO's word for what an AP measures -> ours, in the order in which a network is judged: the finest first."""

STRIDES: dict[str, tuple[int, ...]] = {"fpn": (4, 8, 16, 32, 64), "fpn32": (32, 32, 64), "c4": (16,), "c5": (32,)}
"""Kind of backbone -> pixels of the resized picture per cell of each map that the RPN slides over, finest first."""

LEVEL_NAMES: dict[str, dict[str, str]] = {
    "fpn": {"0": "P2", "1": "P3", "2": "P4", "3": "P5", "pool": "P6"},
    "fpn32": {"0": "P5 first", "1": "P5 last", "pool": "P6"},
    "c4": {"0": "C4"},
    "c5": {"0": "C5"},
}
"""Kind of backbone -> torchvision's key of each of those maps -> its name in the papers."""

COCO_SIGMAS = (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89)
"""How exactly people place COCO's 17 keypoints, in thousandths of the object's size (Ronchi and Perona 2017)."""

OTHER_SIGMA = 0.05
"""The same for a keypoint that nobody has measured: between COCO's eyes (0.025) and hips (0.107)."""


class Stage(NamedTuple):
    """A part of a run: which `layers` learn, `until` which progress in (0, 1], at which `rate` (a factor of
    `learning_rate`)."""

    layers: str
    until: float
    rate: float


class Config(BaseModel):
    """One network and one way to train it.

    `Config.preset(name, **changes)` is the usual way to get one. Unknown fields and values out of range raise
    `ArgumentError` naming the field and the choices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # What is learned
    num_classes: int = Field(2, ge=2, le=MOST, description="Classes including the background, which is class 0.")
    class_names: tuple[str, ...] = Field((), description="Names of classes 1, 2, ...; empty where nobody named them.")
    tasks: tuple[Task, ...] = Field(
        ("box", "mask"),
        description="What is found of each object: box alone is Faster R-CNN, box and mask Mask R-CNN, box and "
        "keypoints Keypoint R-CNN; all three go together.",
    )
    num_keypoints: int = Field(17, ge=1, le=200, description="Keypoints of each object, where they are a task.")
    keypoint_names: tuple[str, ...] = Field((), description="Names of the keypoints; empty where nobody named them.")
    keypoint_edges: tuple[tuple[int, int], ...] = Field(
        (), description="Pairs of keypoints, counted from 0, between which a limb is drawn."
    )
    keypoint_sigmas: tuple[float, ...] = Field(
        (),
        description="How exactly each keypoint can be placed, as a share of the object's size; OKS forgives an error "
        "of about that much. Empty: COCO's for 17 keypoints, else 0.05 for each.",
    )

    # Picture
    image_min_dim: int = Field(
        384, ge=32, le=4096, description="The shorter side is scaled to this, if the longer fits."
    )
    image_max_dim: int = Field(512, ge=32, le=4096, description="The longer side is never scaled beyond this.")
    mean_pixel: tuple[float, float, float] = Field(
        (0.485, 0.456, 0.406), description="Mean of ImageNet's RGB values in [0, 1], which backbones were trained with."
    )
    std_pixel: tuple[float, float, float] = Field(
        (0.229, 0.224, 0.225), description="Standard deviation of ImageNet's RGB values in [0, 1]."
    )

    # Backbone and feature pyramid
    backbone: Backbone = Field(
        "mobilenet_v2_fpn",
        description="The body that turns the picture into feature maps, and which maps are used: fpn, a pyramid of "
        "strides 4 to 64; c4, one map of stride 16 with the last stage in the heads; c5, one map of stride 32; fpn32, "
        "two maps of stride 32 as in torchvision's light detector.",
    )
    norm: Norm = Field(
        "frozen",
        description="Norm of the body: frozen BatchNorm for weights that were trained before; batch or, for batches "
        "of one or two pictures, group from scratch.",
    )
    norm_eps: float = Field(
        1e-5, ge=0, description="Added to a variance before dividing; 0 for torchvision's first COCO weights."
    )
    head_norm: HeadNorm = Field(
        "none", description="Norm after the convolutions of pyramid and heads; batch in torchvision's v2."
    )
    fpn_channels: int = Field(
        128, ge=8, le=1024, description="Channels of every map that the heads read (but c4's); 256 in the paper."
    )

    # Region proposal network
    rpn_anchor_scales: tuple[int, ...] = Field(
        (32, 64, 128, 256, 512),
        min_length=1,
        description="Anchor sides: one for each pyramid level P2..P6; on a single map every one at every place.",
    )
    rpn_scales_at: ScalesAt = Field(
        "one-per-level", description="Whether each pyramid level has its own anchor scale or all of them."
    )
    rpn_anchor_ratios: tuple[float, ...] = Field((0.5, 1.0, 2.0), min_length=1, description="Anchor height / width.")
    rpn_head_depth: int = Field(1, ge=1, le=4, description="3x3 convolutions of the RPN before its two outputs.")
    rpn_train_anchors_per_image: int = Field(256, ge=1, le=MOST, description="Anchors sampled for the two RPN losses.")
    rpn_positive_ratio: float = Field(0.5, gt=0, le=1, description="Largest share of positives among those anchors.")
    rpn_positive_iou: float = Field(0.7, gt=0, le=1, description="An anchor from this IoU on is positive.")
    rpn_negative_iou: float = Field(
        0.3, ge=0, lt=1, description="An anchor below this IoU with every object is negative."
    )
    rpn_nms_threshold: float = Field(
        0.7, gt=0, le=1, description="Proposals that overlap a better one by more are dropped."
    )
    rpn_min_score: float = Field(
        0.0, ge=0, lt=1, description="Proposals whose objectness is below this are dropped before NMS."
    )
    pre_nms_limit: int = Field(500, ge=1, le=MOST, description="Best proposals kept per level before NMS.")
    pre_nms_limit_training: int | None = Field(
        None, ge=1, le=MOST, description="The same while training; empty: the same number."
    )
    post_nms_rois_training: int = Field(
        500, ge=1, le=MOST, description="Proposals per picture after NMS, while training."
    )
    post_nms_rois_inference: int = Field(
        200, ge=1, le=MOST, description="Proposals per picture after NMS, when predicting."
    )

    # RoI pooling
    pooling: Pooling = Field(
        "align",
        description="align: RoIAlign with the half-pixel shift; align-legacy: without it, as torchvision's COCO "
        "weights were trained; pool: RoIPool, which rounds box and bins to whole cells; warp: RoIWarp, which rounds "
        "the box and then samples as RoIAlign does.",
    )
    pooling_mode: PoolingMode = Field(
        "auto", description="What becomes of the values in a bin; auto: max for RoIPool, average for the others."
    )
    sampling_ratio: int = Field(
        2, ge=0, le=8, description="Samples per bin side of RoIAlign and RoIWarp; 0 adapts to the box."
    )
    fpn_roi_level: int = Field(
        4,
        ge=2,
        le=8,
        description="Pyramid level that a box of 224 x 224 is read from; half the side, one level down. k0 of the "
        "FPN paper.",
    )
    pool_size: int = Field(7, ge=1, le=28, description="Side of the grid that the box head sees.")
    mask_pool_size: int = Field(
        14, ge=2, le=56, description="Side of the grid that the mask head sees; it predicts twice that."
    )
    keypoint_pool_size: int = Field(
        14, ge=2, le=56, description="Side of the grid that the keypoint head sees; it predicts four times that."
    )

    # Heads
    train_rois_per_image: int = Field(
        64, ge=1, le=MOST, description="Proposals sampled for the head losses; 512 in torchvision."
    )
    roi_positive_ratio: float = Field(0.25, gt=0, le=1, description="Largest share of positives among those.")
    roi_positive_iou: float = Field(0.5, gt=0, le=1, description="A proposal from this IoU on is positive.")
    bbox_std_dev: tuple[float, float, float, float] = Field(
        (0.1, 0.1, 0.2, 0.2),
        description="Scale of the box head's refinements (dx, dy, dw, dh); it learns them divided by this.",
    )
    box_head_depth: int = Field(
        0, ge=0, le=8, description="3x3 convolutions in the box head; then one fully connected layer, else two."
    )
    box_head_width: int = Field(
        512,
        ge=8,
        le=MOST,
        description="Units of the fully connected layers of the box head (c4 has none: stage 5 is the head).",
    )
    mask_head: MaskHead = Field(
        "fcn", description="fcn: convolutions, which keep where things are; mlp: fully connected layers, which do not."
    )
    mask_kind: MaskKind = Field(
        "sigmoid",
        description="sigmoid: one mask per class, each pixel a yes or no; softmax: classes compete for each pixel; "
        "agnostic: one mask for whatever the class is.",
    )
    mask_head_width: int = Field(
        128, ge=8, le=MOST, description="Channels of the mask head's convolutions; 256 in the paper."
    )
    mask_head_depth: int = Field(
        4, ge=0, le=8, description="3x3 convolutions in the mask head; 4 in the paper, 0 with its c4."
    )
    keypoint_head_width: int = Field(
        128, ge=8, le=MOST, description="Channels of the keypoint head's convolutions; 512 in the paper."
    )
    keypoint_head_depth: int = Field(
        4, ge=1, le=12, description="3x3 convolutions in the keypoint head; 8 in the paper."
    )
    keypoint_decode: KeypointDecode = Field(
        "oks",
        description="Where a heatmap says that its keypoint is. oks: where the OKS to expect is highest; poses are "
        "then ranked by what the network expects of them. argmax: at the peak, as in the paper and in torchvision.",
    )

    # Detections
    detection_min_confidence: float = Field(0.05, ge=0, lt=1, description="Detections below this score are dropped.")
    detection_nms_threshold: float = Field(0.5, gt=0, le=1, description="IoU beyond which the weaker of two goes.")
    detection_max_instances: int = Field(100, ge=1, le=MOST, description="Most detections in one picture.")

    # Training
    layers: str = Field(
        "all",
        description="What learns: heads (and FPN, RPN), the body from a stage on (3+, 4+, 5+), or all. Or one after "
        "the other, as in heads,all: later stages take a tenth of the learning rate. heads:0.4,all:0.6:0.2 also sets "
        "their shares of the run and the factor of the rate.",
    )
    optimiser: Optimiser = Field("adamw", description="adamw learns quickly from few pictures; sgd is the paper's.")
    learning_rate: float = Field(5e-4, gt=0, description="Peak learning rate, after the warm-up.")
    learning_momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD (AdamW's first beta).")
    weight_decay: float = Field(1e-4, ge=0, description="L2 pull of the weights towards 0.")
    gradient_clip_norm: float = Field(5.0, gt=0, description="Gradients longer than this are scaled back.")
    warmup_steps: int = Field(50, ge=0, le=MOST, description="Steps over which the learning rate rises from 0.")
    batch_size: int = Field(4, ge=1, le=MOST, description="Pictures per step.")
    epochs: int | None = Field(
        20, ge=1, le=MOST, description="Length of the run in epochs; empty where minutes is set."
    )
    minutes: float | None = Field(
        None, gt=0, description="Length of the run in minutes; the schedule fits itself to it."
    )
    patience: int | None = Field(
        None,
        ge=1,
        le=MOST,
        description="End the run when the validation AP has not risen for so many epochs; empty: go to the end.",
    )
    steps_per_epoch: int | None = Field(
        None,
        ge=1,
        le=MOST,
        description="Steps between two validations; empty: once through the pictures, or more often if minutes is set.",
    )
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="What is validated and kept is a running mean of the weights, which forgets 1 - ema of itself at "
        "each step (0.99: the last hundred steps or so); 0: the weights as they are.",
    )
    flip: float = Field(0.5, ge=0, le=1, description="Chance that a training picture is mirrored left to right.")
    scale_jitter: float = Field(
        0.25, ge=0, lt=1, description="Training pictures are shrunk or grown by up to this share."
    )
    crop: float = Field(
        0.0, ge=0, le=1, description="Chance that a training picture is cut to a part of it that keeps an object."
    )
    colour_jitter: float = Field(0.3, ge=0, lt=1, description="Brightness, contrast and saturation vary by this share.")
    copy_paste: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Chance that objects of another training picture are pasted into this one (Ghiasi et al. 2021).",
    )
    picture_cache_mb: int = Field(
        1024,
        ge=0,
        le=MOST,
        description="Memory for decoded training pictures, in MB (1,000,000 bytes); others are read anew each time.",
    )
    loader_threads: int | None = Field(
        None, ge=0, le=64, description="Threads that read pictures while the network computes; empty: as many as help."
    )
    checkpoints_kept: int = Field(
        3, ge=0, le=MOST, description="How many of the last epochs keep their weights, beside the best one."
    )
    tensorboard: bool = Field(
        False, description="Write events for TensorBoard, too (needs its package: pip install tensorboard)."
    )
    loss_weights: dict[str, float] = Field(
        dict.fromkeys(LOSSES, 1.0), description="Factor of each loss in the sum that is minimised."
    )
    compile: bool = Field(
        False,
        description="Compile the backbone with torch.compile: a minute or more for each picture size, which may pay in "
        "a long run. Needs a C++ compiler.",
    )
    precision: Precision = Field(
        "auto", description="Arithmetic of the convolutions while training; auto: bfloat16 where the processor has it."
    )
    seed: int = Field(0, ge=0, le=MOST, description="Seed of initialisation, order and augmentation.")

    @field_validator("tasks", mode="before")
    @classmethod
    def _ordered_tasks(cls, value: Any) -> Any:
        """A set, in the order in which the heads run."""
        given = value.split(",") if isinstance(value, str) else list(value)
        known = [task for task in TASKS if task in given]
        return known if set(given) <= set(TASKS) else given

    @field_validator("layers", mode="before")
    @classmethod
    def _one_schedule(cls, value: Any) -> Any:
        """`["heads", "all"]` is how `--set layers=heads,all` arrives."""
        return ",".join(str(part) for part in value) if isinstance(value, list | tuple) else value

    @field_validator("loss_weights", mode="before")
    @classmethod
    def _all_weights(cls, value: Any) -> Any:
        """What is not named counts once."""
        return {**dict.fromkeys(LOSSES, 1.0), **value} if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        """What does not go together, each in one line with the mend."""
        try:
            parse_stages(self.layers)
        except ValueError as error:
            yield f"layers = {self.layers}: {error}"
        if self.class_names and len(self.class_names) != self.num_classes - 1:
            names = counted(len(self.class_names), "class name")
            yield f"num_classes is {self.num_classes}, but {names} plus the background"
        if "box" not in self.tasks:
            yield f"tasks = {','.join(self.tasks)}: every network finds boxes first; add box"
        for name in ("keypoint_names", "keypoint_sigmas"):
            if (given := len(getattr(self, name))) not in (0, self.num_keypoints):
                yield f"{name} has {counted(given, 'entry', 'entries')}, but num_keypoints is {self.num_keypoints}"
        if any(sigma <= 0 for sigma in self.keypoint_sigmas):
            yield "keypoint_sigmas must be larger than 0"
        if any(not 0 <= end < self.num_keypoints for edge in self.keypoint_edges for end in edge):
            yield f"keypoint_edges names a keypoint that is not there; they are counted 0 to {self.num_keypoints - 1}"
        if self.image_min_dim > self.image_max_dim:
            yield f"image_min_dim {self.image_min_dim} is larger than image_max_dim {self.image_max_dim}"
        levels = len(self.backbone_strides)
        if levels > 1 and self.rpn_scales_at == "one-per-level" and len(self.rpn_anchor_scales) != levels:
            yield (
                f"rpn_anchor_scales has {counted(len(self.rpn_anchor_scales), 'entry', 'entries')}, but "
                f'{self.backbone} has {levels} levels; give one for each, or set rpn_scales_at to "every-level"'
            )
        if min(self.rpn_anchor_scales) <= 0 or min(self.rpn_anchor_ratios) <= 0:
            yield "rpn_anchor_scales and rpn_anchor_ratios must be larger than 0"
        if self.rpn_negative_iou > self.rpn_positive_iou:
            yield "rpn_negative_iou must not be larger than rpn_positive_iou"
        if self.pooling_mode == "max" and self.pooling != "pool" and self.sampling_ratio == 0:
            yield "pooling_mode max needs a fixed sampling_ratio (1 to 8) with align and warp, not 0"
        if set(self.loss_weights) != set(LOSSES):
            yield f"loss_weights knows only {', '.join(LOSSES)}"
        if (self.epochs is None) == (self.minutes is None):
            yield "set either epochs or minutes"

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Config:
        """The preset of that name with the given fields changed.

        Raises `ArgumentError` for an unknown preset, an unknown field or a value out of range.
        """
        if name not in PRESETS:
            raise ArgumentError(f'preset "{name}" is unknown; choose {", ".join(PRESETS)}')
        return cls.parse({**PRESETS[name], **changes})

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Config:
        """A validated Config from plain values (strings are converted); `ArgumentError` names what does not fit."""
        fields = dict(fields)
        if fields.get("class_names") and "num_classes" not in fields:
            fields["num_classes"] = len(fields["class_names"]) + 1
        if fields.get("minutes") is not None and fields.get("epochs") is None:
            fields["epochs"] = None
        for name in ("keypoint_names", "keypoint_sigmas"):
            if isinstance(fields.get(name), list | tuple) and fields[name]:
                fields.setdefault("num_keypoints", len(fields[name]))
        mask_shape = fields.pop("mask_shape", None)
        try:
            config = cls.model_validate(fields)
        except ValidationError as error:
            raise ArgumentError("; ".join(_explain(detail) for detail in error.errors())) from None
        if mask_shape not in (None, config.mask_shape):
            raise ArgumentError(f"mask_shape = {mask_shape}: it follows from mask_pool_size; set that instead")
        return config

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each of classes 1, 2, ...: `class_names`, or "class 1", "class 2", ... where nobody named them."""
        return self.class_names or tuple(f"class {i}" for i in range(1, self.num_classes))

    @property
    def body(self) -> str:
        """The classification network that the backbone is made of: `resnet50_c4` -> resnet50."""
        return self.backbone.rpartition("_")[0]

    @property
    def kind(self) -> str:
        """Which of its maps are used: fpn, fpn32, c4 or c5."""
        return self.backbone.rpartition("_")[2]

    @property
    def backbone_strides(self) -> tuple[int, ...]:
        """Pixels of the resized picture per cell, for each map that the RPN slides over."""
        return STRIDES[self.kind]

    @property
    def level_names(self) -> dict[str, str]:
        """torchvision's key of each of those maps -> its name in the papers: "P2".."P6", "C4" or "C5"."""
        return LEVEL_NAMES[self.kind]

    @property
    def anchor_scales(self) -> tuple[tuple[int, ...], ...]:
        """The anchor scales of each of those maps."""
        if len(self.backbone_strides) == 1 or self.rpn_scales_at == "every-level":
            return (self.rpn_anchor_scales,) * len(self.backbone_strides)
        return tuple((scale,) for scale in self.rpn_anchor_scales)

    @property
    def mask_shape(self) -> int:
        """Side of the predicted mask: the head doubles its grid."""
        return 2 * self.mask_pool_size

    @property
    def keypoint_shape(self) -> int:
        """Side of each keypoint's heatmap: four times the grid that its head sees."""
        return 4 * self.keypoint_pool_size

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The parts of the run, in order; one where `layers` is a single word."""
        return parse_stages(self.layers)

    @property
    def losses(self) -> tuple[str, ...]:
        """The losses that this network has, by our names."""
        missing = {"mask": "mrcnn_mask_loss", "keypoints": "mrcnn_keypoint_loss"}
        return tuple(name for name in LOSSES if name not in {missing[t] for t in missing if t not in self.tasks})

    @property
    def sigmas(self) -> tuple[float, ...]:
        """One OKS sigma for each keypoint: `keypoint_sigmas`, or what is usual."""
        return self.keypoint_sigmas or usual_sigmas(self.num_keypoints)

    def replace(self, **changes: Any) -> Config:
        """This Config with some fields changed, validated again."""
        return Config.parse({**self.model_dump(), **changes})


def parse_stages(layers: str) -> tuple[Stage, ...]:
    """`heads:0.4,all:0.6:0.1` -> what learns until when and at which factor of the rate.

    Shares that are not given are what the others leave, in equal parts; factors that are not given are 1 for the first
    stage and `LATER_RATE` for the others. Raises `ValueError` with the mend.
    """
    parts = [part.strip().split(":") for part in layers.split(",")]
    shares: list[float | None] = []
    rates: list[float] = []
    for number, (word, *numbers) in enumerate(parts):
        if word not in LAYERS:
            raise ValueError(f'"{word}" is none of {", ".join(LAYERS)}')
        try:
            share, rate, *rest = [float(value) if value else None for value in numbers] + [None] * (2 - len(numbers))
        except ValueError:
            raise ValueError("write each stage as LAYERS:SHARE:RATE, for example heads:0.4,all:0.6:0.1") from None
        if rest or (share is not None and not 0 < share <= 1) or (rate is not None and rate <= 0):
            raise ValueError("write each stage as LAYERS:SHARE:RATE, shares in (0, 1], rates above 0")
        shares.append(share)
        rates.append(rate if rate is not None else LATER_RATE if number else 1.0)
    left = 1 - sum(share for share in shares if share is not None)
    open_shares = shares.count(None)
    if (open_shares and left <= 1e-9) or (not open_shares and abs(left) > 1e-6):
        raise ValueError("the shares of the stages must add up to 1")
    whole = [left / open_shares if share is None else share for share in shares]
    ends = [sum(whole[: number + 1]) for number in range(len(whole) - 1)] + [1.0]
    return tuple(Stage(word, end, rate) for (word, *_), end, rate in zip(parts, ends, rates, strict=True))


def usual_sigmas(count: int) -> tuple[float, ...]:
    """OKS sigmas of `count` keypoints that nobody gave any: COCO's for its 17, else a middling one for each."""
    if count == len(COCO_SIGMAS):
        return tuple(sigma / 1000 for sigma in COCO_SIGMAS)
    return (OTHER_SIGMA,) * count


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """`["learning_rate=0.001", "rpn_anchor_scales=16,32,64,128,256"]` -> field values, as `--set` gives them."""
    fields: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ArgumentError(f'--set {setting}: write it as FIELD=VALUE, for example "learning_rate=0.001"')
        if name not in Config.model_fields:
            raise ArgumentError(f"--set {setting}: {_unknown(name)}")
        try:
            fields[name] = json.loads(value)
        except json.JSONDecodeError:
            fields[name] = value.split(",") if "," in value else value
    return fields


def setting_word(value: object) -> str:
    """A field's value as `--set` reads it."""
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, Config.model_fields, n=1)
    hint = f'did you mean "{close[0]}"?' if close else "`python -m maskrcnn info RUN` lists them all"
    return f'there is no field "{name}"; {hint}'


def _explain(detail: Any) -> str:
    """One pydantic error as a sentence that names the field, the value and what is allowed."""
    if not detail["loc"]:
        return str(detail["ctx"]["error"])
    name = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        return _unknown(name)
    given = repr(detail["input"])
    given = given if len(given) <= 80 else f"{given[:77]}..."
    return f"{name} = {given}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
