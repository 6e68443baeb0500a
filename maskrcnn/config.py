"""Every knob of the network and of its training: typed, frozen, validated, explained.

A `Config` describes one run completely; it is written into the run folder and into every checkpoint, so a model can
always be built again from its own file. Field names are the ones that Mask R-CNN lectures and code bases use.

Lengths are pixels of the resized picture; IoU thresholds and scores lie in [0, 1].
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from maskrcnn.errors import ArgumentError

Backbone = Literal["resnet18_fpn", "resnet50_fpn", "mobilenet_v2_fpn"]
Norm = Literal["frozen", "batch"]
Pooling = Literal["align", "align-legacy", "pool"]
Layers = Literal["heads", "3+", "4+", "5+", "all"]
Optimiser = Literal["adamw", "sgd"]
Precision = Literal["auto", "float32", "bfloat16"]

BACKBONES: tuple[str, ...] = get_args(Backbone)
POOLINGS: tuple[str, ...] = get_args(Pooling)
LAYERS: tuple[str, ...] = get_args(Layers)

LOSS_NAMES: dict[str, str] = {
    "loss_objectness": "rpn_class_loss",
    "loss_rpn_box_reg": "rpn_bbox_loss",
    "loss_classifier": "mrcnn_class_loss",
    "loss_box_reg": "mrcnn_bbox_loss",
    "loss_mask": "mrcnn_mask_loss",
}
"""torchvision's name of each loss -> ours (the names that the lectures use). The only such table."""

LOSSES: tuple[str, ...] = tuple(LOSS_NAMES.values())


class Config(BaseModel):
    """One network and one way to train it.

    `Config.preset(name, **changes)` is the usual way to get one. Unknown fields and values out of range raise
    `ArgumentError` naming the field and the choices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # What is learned
    num_classes: int = Field(2, ge=2, description="Classes including the background, which is class 0.")
    class_names: tuple[str, ...] = Field((), description="Names of classes 1, 2, ...; empty where nobody named them.")

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
    backbone: Backbone = Field("mobilenet_v2_fpn", description="The body that turns the picture into feature maps.")
    norm: Norm = Field(
        "frozen", description="BatchNorm of the body: frozen for weights that were trained before, batch from scratch."
    )
    fpn_channels: int = Field(128, ge=8, le=1024, description="Channels of every pyramid map; 256 in the paper.")

    # Region proposal network
    rpn_anchor_scales: tuple[int, ...] = Field(
        (32, 64, 128, 256, 512),
        min_length=5,
        max_length=5,
        description="Anchor side, one for each pyramid level P2..P6.",
    )
    rpn_anchor_ratios: tuple[float, ...] = Field((0.5, 1.0, 2.0), min_length=1, description="Anchor height / width.")
    rpn_train_anchors_per_image: int = Field(256, ge=1, description="Anchors sampled for the two RPN losses.")
    rpn_positive_ratio: float = Field(0.5, gt=0, le=1, description="Largest share of positives among those anchors.")
    rpn_positive_iou: float = Field(0.7, gt=0, le=1, description="An anchor from this IoU on is positive.")
    rpn_negative_iou: float = Field(
        0.3, ge=0, lt=1, description="An anchor below this IoU with every object is negative."
    )
    rpn_nms_threshold: float = Field(
        0.7, gt=0, le=1, description="Proposals that overlap a better one by more are dropped."
    )
    pre_nms_limit: int = Field(500, ge=1, description="Best proposals kept per level before NMS.")
    pre_nms_limit_training: int | None = Field(
        None, ge=1, description="The same while training; empty: the same number."
    )
    post_nms_rois_training: int = Field(500, ge=1, description="Proposals per picture after NMS, while training.")
    post_nms_rois_inference: int = Field(200, ge=1, description="Proposals per picture after NMS, when predicting.")

    # RoI pooling
    pooling: Pooling = Field(
        "align",
        description="align: RoIAlign with the half-pixel shift; align-legacy: without it, as torchvision's COCO "
        "weights were trained; pool: RoIPool, which rounds boxes to whole cells.",
    )
    sampling_ratio: int = Field(2, ge=0, le=8, description="Samples per bin side for RoIAlign; 0 adapts to the box.")
    pool_size: int = Field(7, ge=1, le=28, description="Side of the grid that the box head sees.")
    mask_pool_size: int = Field(14, ge=2, le=56, description="Side of the grid that the mask head sees.")

    # Heads
    train_rois_per_image: int = Field(
        64, ge=1, description="Proposals sampled for the head losses; 512 in torchvision."
    )
    roi_positive_ratio: float = Field(0.25, gt=0, le=1, description="Largest share of positives among those.")
    roi_positive_iou: float = Field(0.5, gt=0, le=1, description="A proposal from this IoU on is positive.")
    box_head_width: int = Field(512, ge=8, description="Units of the two fully connected layers of the box head.")
    mask_head_width: int = Field(128, ge=8, description="Channels of the mask head's convolutions; 256 in the paper.")
    mask_head_depth: int = Field(4, ge=1, le=8, description="3x3 convolutions in the mask head; 4 in the paper.")
    mask_shape: int = Field(28, description="Side of the predicted mask: twice mask_pool_size.")

    # Detections
    detection_min_confidence: float = Field(0.05, ge=0, lt=1, description="Detections below this score are dropped.")
    detection_nms_threshold: float = Field(0.5, gt=0, le=1, description="IoU beyond which the weaker of two goes.")
    detection_max_instances: int = Field(100, ge=1, description="Most detections in one picture.")

    # Training
    layers: Layers = Field("all", description="What learns: heads (and FPN, RPN), the body from a stage on, or all.")
    optimiser: Optimiser = Field("adamw", description="adamw learns quickly from few pictures; sgd is the paper's.")
    learning_rate: float = Field(5e-4, gt=0, description="Peak learning rate, after the warm-up.")
    learning_momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD (AdamW's first beta).")
    weight_decay: float = Field(1e-4, ge=0, description="L2 pull of the weights towards 0.")
    gradient_clip_norm: float = Field(5.0, gt=0, description="Gradients longer than this are scaled back.")
    warmup_steps: int = Field(50, ge=0, description="Steps over which the learning rate rises from 0.")
    batch_size: int = Field(4, ge=1, description="Pictures per step.")
    epochs: int | None = Field(20, ge=1, description="Length of the run in epochs; empty where minutes is set.")
    minutes: float | None = Field(
        None, gt=0, description="Length of the run in minutes; the schedule fits itself to it."
    )
    steps_per_epoch: int | None = Field(
        None,
        ge=1,
        description="Steps between two validations; empty: once through the pictures (more, if minutes is set).",
    )
    flip: float = Field(0.5, ge=0, le=1, description="Chance that a training picture is mirrored left to right.")
    scale_jitter: float = Field(
        0.25, ge=0, lt=1, description="Training pictures are shrunk or grown by up to this share."
    )
    colour_jitter: float = Field(0.3, ge=0, lt=1, description="Brightness, contrast and saturation vary by this share.")
    loss_weights: dict[str, float] = Field(
        dict.fromkeys(LOSSES, 1.0), description="Factor of each loss in the sum that is minimised."
    )
    precision: Precision = Field(
        "auto", description="Arithmetic of the convolutions while training; auto: bfloat16 where the processor has it."
    )
    seed: int = Field(0, ge=0, description="Seed of initialisation, order and augmentation.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.class_names and len(self.class_names) != self.num_classes - 1:
            raise ValueError(
                f"num_classes is {self.num_classes}, but {len(self.class_names)} class names plus the background"
            )
        if self.image_min_dim > self.image_max_dim:
            raise ValueError(f"image_min_dim {self.image_min_dim} is larger than image_max_dim {self.image_max_dim}")
        if self.mask_shape != 2 * self.mask_pool_size:
            raise ValueError(
                f"mask_shape must be twice mask_pool_size ({2 * self.mask_pool_size}), not {self.mask_shape}"
            )
        if self.rpn_negative_iou > self.rpn_positive_iou:
            raise ValueError("rpn_negative_iou must not be larger than rpn_positive_iou")
        if set(self.loss_weights) != set(LOSSES):
            raise ValueError(f"loss_weights needs exactly the keys {', '.join(LOSSES)}")
        if (self.epochs is None) == (self.minutes is None):
            raise ValueError("set either epochs or minutes")
        return self

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
        if "mask_pool_size" in fields and "mask_shape" not in fields:
            fields["mask_shape"] = 2 * int(fields["mask_pool_size"])
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise ArgumentError("; ".join(_explain(detail) for detail in error.errors())) from None

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each of classes 1, 2, ...: `class_names`, or "class 1", "class 2", ... where nobody named them."""
        return self.class_names or tuple(f"class {i}" for i in range(1, self.num_classes))

    def replace(self, **changes: Any) -> Config:
        """This Config with some fields changed, validated again."""
        return Config.parse({**self.model_dump(), **changes})


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
    return f"{name} = {detail['input']!r}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


PRESETS: dict[str, dict[str, Any]] = {
    # Small enough to fine-tune on two processor cores while a class waits.
    "classroom": {},
    # What a GPU makes comfortable: the paper's widths at a moderate picture size.
    "standard": {
        "backbone": "resnet50_fpn",
        "fpn_channels": 256,
        "image_min_dim": 640,
        "image_max_dim": 1024,
        "pre_nms_limit": 1000,
        "post_nms_rois_training": 1000,
        "post_nms_rois_inference": 500,
        "train_rois_per_image": 256,
        "box_head_width": 1024,
        "mask_head_width": 256,
        "learning_rate": 2e-4,
    },
    # maskrcnn_resnet50_fpn exactly: its COCO checkpoint loads key for key.
    "torchvision": {
        "num_classes": 91,
        "backbone": "resnet50_fpn",
        "fpn_channels": 256,
        "image_min_dim": 800,
        "image_max_dim": 1333,
        "pre_nms_limit": 1000,
        "pre_nms_limit_training": 2000,
        "post_nms_rois_training": 2000,
        "post_nms_rois_inference": 1000,
        "pooling": "align-legacy",
        "train_rois_per_image": 512,
        "box_head_width": 1024,
        "mask_head_width": 256,
        "optimiser": "sgd",
        "learning_rate": 0.005,
    },
}
