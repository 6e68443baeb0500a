"""What each field of the Config says of itself: its section, its role, and whether it changes the time of a step.

A field carries this once, in its own line (`config_field`); what other modules need of it they ask for with
`maskrcnn.config.fields_with`, so that no other file lists fields by name.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

MOST = 1_000_000_000
"""No whole number of a config is larger: it may come from anybody, and is used in 64-bit arithmetic."""

Role = Literal["network", "reading", "pipeline", "training", "labels"]
"""What a field decides:

- network: the names and shapes of tensors, so weights fit only where it is equal;
- reading: no shape, but what the weights mean; with another value they compute something else;
- pipeline: neither: how pictures are scaled, how many proposals are kept, which detections are dropped;
- training: how the weights are learned, and nothing about the network;
- labels: it follows from the labels that are trained on.
"""


class Section(StrEnum):
    """Heading under which fields are shown, in the order in which pages show them."""

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
    """What a field says of itself.

    `task`: of a field of role network, the task whose tensors it shapes, "box" for what all networks have; None for
    other fields and for `tasks`, which decides what heads there are. `step_time`: whether the seconds that a training
    step takes depend on it.
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
    """A field of the Config: pydantic's `Field` with our metadata. `limits` are pydantic's: ge, gt, le, lt, min_length.

    A field counts as one that changes the time of a step unless it says otherwise: then costs measured with another
    value are not used for it, which costs a measurement but is never wrong.
    """
    metadata = FieldMetadata(section, role, task, step_time)
    return Field(default, description=description, json_schema_extra=asdict(metadata), **limits)
