"""The metadata of the fields: every field has all of it, and the sets that follow are the ones that were listed by hand
before the fields carried it."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import Field

from maskrcnn.config import FIELD_METADATA, TASK_OF_SECTION, TASKS, Config, Section, fields_with
from maskrcnn.config.field_declaration import Role
from maskrcnn.config.field_lookup import metadata_of
from maskrcnn.studio.launch.training_inputs import FOLLOWING_FIELDS, MAIN_FIELDS, MORE_FIELDS

NETWORK = {
    "box": (
        *("backbone", "norm", "head_norm", "fpn_channels", "rpn_scales_at", "rpn_anchor_scales", "rpn_anchor_ratios"),
        *("rpn_head_depth", "pool_size", "box_head_depth", "box_head_width"),
    ),
    "mask": ("mask_pool_size", "mask_head", "mask_head_width", "mask_head_depth"),
    "keypoints": ("keypoint_head_width", "keypoint_head_depth"),
}

READING = (
    *("mean_pixel", "std_pixel", "norm_eps", "bbox_std_dev", "mask_kind"),
    *("pooling", "pooling_mode", "sampling_ratio", "fpn_roi_level"),
)

LABELS = ("class_names", "num_classes", "keypoint_names", "num_keypoints", "keypoint_edges", "keypoint_sigmas")

TRAINING = (
    *("layers", "optimiser", "learning_rate", "learning_momentum", "weight_decay", "gradient_clip_norm"),
    *("warmup_steps", "batch_size", "epochs", "minutes", "patience", "steps_per_epoch", "ema", "flip", "scale_jitter"),
    *("crop", "colour_jitter", "copy_paste", "picture_cache_mb", "loader_threads", "checkpoints_kept", "tensorboard"),
    *("loss_weights", "compile", "precision", "seed"),
)

INDEPENDENT_OF_STEP_TIME = (
    *("class_names", "keypoint_names", "keypoint_edges", "keypoint_sigmas", "mean_pixel", "std_pixel", "layers"),
    *("learning_rate", "learning_momentum", "weight_decay", "gradient_clip_norm", "warmup_steps", "epochs", "minutes"),
    *("patience", "steps_per_epoch", "checkpoints_kept", "tensorboard", "loss_weights", "seed"),
)

LAUNCH_HEADINGS = {
    "Picture": ("image_min_dim", "image_max_dim", "mean_pixel", "std_pixel"),
    "Augmentation of training pictures": ("flip", "scale_jitter", "crop", "colour_jitter", "copy_paste"),
    "Body and pyramid": ("norm", "norm_eps", "fpn_channels"),
    "Anchors and region proposals": (
        *("rpn_scales_at", "rpn_anchor_scales", "rpn_anchor_ratios", "rpn_head_depth", "rpn_train_anchors_per_image"),
        *("rpn_positive_ratio", "rpn_positive_iou", "rpn_negative_iou", "rpn_nms_threshold", "rpn_min_score"),
        *("pre_nms_limit", "pre_nms_limit_training", "post_nms_rois_training", "post_nms_rois_inference"),
    ),
    "RoI pooling": ("sampling_ratio", "pooling_mode", "fpn_roi_level"),
    "Box head": (
        *("pool_size", "box_head_depth", "box_head_width", "head_norm", "train_rois_per_image", "roi_positive_ratio"),
        *("roi_positive_iou", "bbox_std_dev"),
    ),
    "Mask head": ("mask_pool_size", "mask_head_depth", "mask_head_width"),
    "Keypoint head": (
        *("keypoint_pool_size", "keypoint_head_depth", "keypoint_head_width", "keypoint_decode", "keypoint_sigmas"),
    ),
    "Detections": ("detection_min_confidence", "detection_nms_threshold", "detection_max_instances"),
    "Training": (
        *("optimiser", "learning_momentum", "weight_decay", "gradient_clip_norm", "warmup_steps", "steps_per_epoch"),
        *("ema", "seed"),
    ),
    "Loss weights": ("loss_weights",),
    "This computer": (
        *("precision", "picture_cache_mb", "loader_threads", "compile", "checkpoints_kept", "tensorboard"),
    ),
}


@pytest.mark.parametrize("name", Config.model_fields)
def test_every_field_has_section_role_and_step_time(name: str) -> None:
    metadata = metadata_of(Config.model_fields[name])
    assert metadata == FIELD_METADATA[name]
    assert metadata.section in Section
    assert metadata.role in get_args(Role)
    assert isinstance(metadata.step_time, bool)
    shapes_a_part = metadata.role == "network" and name != "tasks"
    assert (metadata.task in TASKS) if shapes_a_part else metadata.task is None
    # A part is shown under the heading of its task.
    if metadata.task in ("mask", "keypoints"):
        assert TASK_OF_SECTION[metadata.section] == metadata.task


def test_a_field_without_metadata_is_refused() -> None:
    with pytest.raises(TypeError, match="declare it with config_field"):
        metadata_of(Field(1, description="Pictures per step."))


@pytest.mark.parametrize("task", TASKS)
def test_fields_that_shape_the_tensors_of_a_task(task: str) -> None:
    assert sorted(fields_with(task=task)) == sorted(fields_with(role="network", task=task)) == sorted(NETWORK[task])


def test_each_role_has_its_fields() -> None:
    assert sorted(fields_with(role="reading")) == sorted(READING)
    assert sorted(fields_with(role="labels")) == sorted(LABELS)
    assert sorted(fields_with(role="training")) == sorted(TRAINING)
    assert set(fields_with(role="network")) == {"tasks", *(name for names in NETWORK.values() for name in names)}
    # The rest: what neither shapes tensors nor changes what they mean.
    assert {"image_min_dim", "rpn_nms_threshold", "keypoint_pool_size"} <= set(fields_with(role="pipeline"))


def test_fields_on_which_the_time_of_a_step_does_not_depend() -> None:
    assert sorted(fields_with(step_time=False)) == sorted(INDEPENDENT_OF_STEP_TIME)


def test_launch_shows_every_field_once_under_its_section() -> None:
    assert MORE_FIELDS == LAUNCH_HEADINGS
    assert list(MORE_FIELDS) == list(LAUNCH_HEADINGS)
    assert sorted(FOLLOWING_FIELDS) == sorted(set(LABELS) - {"keypoint_sigmas"})
    shown = [*MAIN_FIELDS, *FOLLOWING_FIELDS, *(name for names in MORE_FIELDS.values() for name in names)]
    assert sorted(shown) == sorted(Config.model_fields)


def test_criteria_are_combined() -> None:
    assert fields_with(section=Section.MASK_HEAD, role="reading") == ("mask_kind",)
    assert fields_with(section=Section.DETECTIONS, role="training") == ()
    assert fields_with() == tuple(Config.model_fields)
