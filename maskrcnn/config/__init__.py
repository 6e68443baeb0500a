"""The configuration: every field of the network and of its training, typed, frozen, validated, explained.

Field names are the ones that Mask R-CNN lectures and code bases use. `network_fields` and `training_fields` declare
them, `Config` adds the rules between them, `presets` are named starting points, and `fields_with` finds fields by
section, role or task.
"""

from maskrcnn.config.choices import (
    BACKBONES,
    LOSS_NAMES,
    LOSSES,
    MASK_HEADS,
    MASK_KINDS,
    MEASURES,
    POOLINGS,
    STRIDES,
    TASKS,
    Precision,
    Task,
)
from maskrcnn.config.config import Config
from maskrcnn.config.field_declaration import MOST, TASK_OF_SECTION, Section
from maskrcnn.config.field_lookup import FIELD_METADATA, fields_with
from maskrcnn.config.keypoint_sigmas import COCO_SIGMAS, usual_sigmas
from maskrcnn.config.layer_schedule import LAYERS, Stage, parse_stages
from maskrcnn.config.presets import DEFAULT_PRESET, PRESETS
from maskrcnn.config.settings import parse_settings, setting_word

__all__ = [
    "BACKBONES",
    "COCO_SIGMAS",
    "DEFAULT_PRESET",
    "FIELD_METADATA",
    "LAYERS",
    "LOSSES",
    "LOSS_NAMES",
    "MASK_HEADS",
    "MASK_KINDS",
    "MEASURES",
    "MOST",
    "POOLINGS",
    "PRESETS",
    "STRIDES",
    "TASKS",
    "TASK_OF_SECTION",
    "Config",
    "Precision",
    "Section",
    "Stage",
    "Task",
    "fields_with",
    "parse_settings",
    "parse_stages",
    "setting_word",
    "usual_sigmas",
]
