"""All fields of the Config with their metadata, and `fields_with`, which finds fields by it."""

from __future__ import annotations

from pydantic import ConfigDict

from maskrcnn.config.field_metadata import FieldMetadata, Role, Section, metadata_of
from maskrcnn.config.network_fields import NetworkFields
from maskrcnn.config.training_fields import TrainingFields


class ConfigFields(TrainingFields, NetworkFields):
    """All fields of a `Config`, those of the network first. Rules between fields and derived values are in `Config`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


FIELD_METADATA: dict[str, FieldMetadata] = {
    name: metadata_of(field) for name, field in ConfigFields.model_fields.items()
}
"""Field -> its metadata, in the order of the fields."""


def fields_with(
    *,
    section: Section | None = None,
    role: Role | None = None,
    task: str | None = None,
    step_time: bool | None = None,
) -> tuple[str, ...]:
    """Names of the fields whose metadata has all of the given values, in the order of the fields.

    >>> fields_with(role="network", task="keypoints")
    ('keypoint_head_depth', 'keypoint_head_width')
    >>> fields_with(section=Section.DETECTIONS)
    ('detection_min_confidence', 'detection_nms_threshold', 'detection_max_instances')
    """
    wanted = {
        name: value
        for name, value in (("section", section), ("role", role), ("task", task), ("step_time", step_time))
        if value is not None
    }
    return tuple(
        field
        for field, metadata in FIELD_METADATA.items()
        if all(getattr(metadata, name) == value for name, value in wanted.items())
    )
