"""`Config`: one network and one way to train it, validated as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import ValidationError, field_validator, model_validator

from maskrcnn.config.choices import LEVEL_NAMES, LOSSES, STRIDES, TASKS
from maskrcnn.config.field_errors import describe_error
from maskrcnn.config.field_lookup import ConfigFields
from maskrcnn.config.keypoint_sigmas import usual_sigmas
from maskrcnn.config.layer_schedule import Stage, parse_stages
from maskrcnn.config.presets import PRESETS
from maskrcnn.errors import ArgumentError
from maskrcnn.words import counted


class Config(ConfigFields):
    """One network and one way to train it: the fields of `ConfigFields`, rules between them, and derived values.

    A `Config` is frozen and describes one run completely; it is written into the run folder and into every checkpoint,
    so a model can always be built again from its own file. `Config.preset(name, **changes)` is the usual way to get
    one. Unknown fields and values out of range raise `ArgumentError` naming the field and the choices.

    >>> config = Config.preset("classroom", backbone="resnet18_fpn")
    >>> config.body, config.backbone_strides
    ('resnet18', (4, 8, 16, 32, 64))
    >>> config.replace(learning_rate=-1)
    Traceback (most recent call last):
    maskrcnn.errors.ArgumentError: learning_rate = -1: input should be greater than 0
    """

    @field_validator("tasks", mode="before")
    @classmethod
    def _ordered_tasks(cls, value: Any) -> Any:
        """Sort the tasks into the order in which the heads run."""
        given = value.split(",") if isinstance(value, str) else list(value)
        known = [task for task in TASKS if task in given]
        return known if set(given) <= set(TASKS) else given

    @field_validator("layers", mode="before")
    @classmethod
    def _one_schedule(cls, value: Any) -> Any:
        """Join a list of stages, as `--set layers=heads,all` passes it, into one string."""
        return ",".join(str(part) for part in value) if isinstance(value, list | tuple) else value

    @field_validator("loss_weights", mode="before")
    @classmethod
    def _all_weights(cls, value: Any) -> Any:
        """Give every loss that is not named a weight of 1."""
        return {**dict.fromkeys(LOSSES, 1.0), **value} if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        """Yield one line for each contradiction between fields, with how to correct it."""
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
        if fields.get("minutes") is not None:
            fields.setdefault("epochs", None)  # minutes replace the default number of epochs
        for name in ("keypoint_names", "keypoint_sigmas"):
            if isinstance(fields.get(name), list | tuple) and fields[name]:
                fields.setdefault("num_keypoints", len(fields[name]))
        mask_shape = fields.pop("mask_shape", None)
        try:
            config = cls.model_validate(fields)
        except ValidationError as error:
            raise ArgumentError(
                "; ".join(describe_error(detail, cls.model_fields) for detail in error.errors())
            ) from None
        if mask_shape not in (None, config.mask_shape):
            raise ArgumentError(f"mask_shape = {mask_shape}: it follows from mask_pool_size; set that instead")
        return config

    @property
    def names(self) -> tuple[str, ...]:
        """The names of classes 1, 2, ...: `class_names`, or "class 1", "class 2", ... if these are empty."""
        return self.class_names or tuple(f"class {i}" for i in range(1, self.num_classes))

    @property
    def body(self) -> str:
        """The classification network in the backbone: "resnet50" for `resnet50_c4`."""
        return self.backbone.rpartition("_")[0]

    @property
    def kind(self) -> str:
        """The kind of the backbone, which determines its feature maps: "fpn", "fpn32", "c4" or "c5"."""
        return self.backbone.rpartition("_")[2]

    @property
    def backbone_strides(self) -> tuple[int, ...]:
        """The stride of each feature map of the RPN, finest first: pixels of the resized picture per cell."""
        return STRIDES[self.kind]

    @property
    def level_names(self) -> dict[str, str]:
        """torchvision's key of each feature map of the RPN -> its name in the papers: "P2" to "P6", "C4" or "C5"."""
        return LEVEL_NAMES[self.kind]

    @property
    def anchor_scales(self) -> tuple[tuple[int, ...], ...]:
        """The anchor scales on each feature map of the RPN, finest first."""
        if len(self.backbone_strides) == 1 or self.rpn_scales_at == "every-level":
            return (self.rpn_anchor_scales,) * len(self.backbone_strides)
        return tuple((scale,) for scale in self.rpn_anchor_scales)

    @property
    def mask_shape(self) -> int:
        """Side of the predicted mask in cells: twice `mask_pool_size`."""
        return 2 * self.mask_pool_size

    @property
    def keypoint_shape(self) -> int:
        """Side of the heatmap of a keypoint in cells: four times `keypoint_pool_size`."""
        return 4 * self.keypoint_pool_size

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of the run in order, from the layer schedule `layers`; one stage if it is a single word."""
        return parse_stages(self.layers)

    @property
    def losses(self) -> tuple[str, ...]:
        """The names of the losses of this network: `LOSSES` without those of heads that it does not have."""
        missing = {"mask": "mrcnn_mask_loss", "keypoints": "mrcnn_keypoint_loss"}
        return tuple(name for name in LOSSES if name not in {missing[t] for t in missing if t not in self.tasks})

    @property
    def sigmas(self) -> tuple[float, ...]:
        """The OKS sigma of each keypoint: `keypoint_sigmas`, or the default ones if these are empty."""
        return self.keypoint_sigmas or usual_sigmas(self.num_keypoints)

    def replace(self, **changes: Any) -> Config:
        """This Config with some fields changed, validated again."""
        return Config.parse({**self.model_dump(), **changes})
