"""How a field of the Config is declared: `config_field` with its section, its role, and its effect on the step time.

The declaration is the only place with this metadata. Other modules find fields with `maskrcnn.config.fields_with`, so
that no other file lists fields by name.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

MOST = 1_000_000_000
"""Maximum of integers in a config, because a config may come from other people and is used in 64-bit arithmetic."""

Role = Literal["network", "reading", "pipeline", "training", "labels"]
"""What a field determines:

- network: the names and shapes of tensors; weights fit only if the field is equal;
- reading: no shapes, but the meaning of the weights; with another value they compute something else;
- pipeline: neither; for example the scale of pictures, the number of proposals, the filters of detections;
- training: how the weights are trained, and nothing about the network;
- labels: it follows from the training labels.
"""


class Section(StrEnum):
    """The headings under which pages show fields, in the order of the pages."""

    LABELS = "Classes and keypoints"
    TASKS = "Tasks"
    PICTURE = "Picture"
    AUGMENTATION = "Augmentation of training pictures"
    BODY = "Body and pyramid"
    RPN = "Anchors and region proposals"
    POOLING = "RoI pooling"
    BOX_HEAD = "Box head"
    MASK_HEAD = "Mask head"
    KEYPOINT_HEAD = "Keypoint head"
    DETECTIONS = "Detections"
    TRAINING = "Training"
    LOSS_WEIGHTS = "Loss weights"
    COMPUTER = "This computer"


TASK_OF_SECTION: dict[str, str] = {Section.MASK_HEAD: "mask", Section.KEYPOINT_HEAD: "keypoints"}
"""Sections that concern only networks with this task; the others concern every network."""


@dataclass(frozen=True)
class FieldMetadata:
    """The metadata of a field: its section, its role, its task and whether the time of a step depends on it.

    `task`, for a field of the role "network", is the task whose tensors it shapes; "box" for tensors that all networks
    have. It is None for other fields, and for `tasks` itself. `step_time` says whether the seconds of a training step
    depend on the field.
    """

    section: Section
    role: Role
    task: str | None = None
    step_time: bool = True


def config_field(
    default: Any,
    section: Section,
    role: Role,
    description: str,
    *,
    task: str | None = None,
    step_time: bool = True,
    **limits: Any,
) -> Any:
    """Declare a field of the Config: pydantic's `Field` with our metadata (`FieldMetadata`).

    `limits` are those of pydantic: ge, gt, le, lt, min_length. `step_time` is True by default. This is the safe
    default: the measured costs of a training are used again only for trainings with equal `step_time` fields.
    """
    metadata = FieldMetadata(section, role, task, step_time)
    return Field(default, description=description, json_schema_extra=asdict(metadata), **limits)
