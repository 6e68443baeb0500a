"""Look up fields of the Config: all fields with their metadata, and `fields_with`, which finds fields by metadata."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict
from pydantic.fields import FieldInfo

from maskrcnn.config.field_declaration import FieldMetadata, Role, Section
from maskrcnn.config.network_fields import NetworkFields
from maskrcnn.config.training_fields import TrainingFields


class ConfigFields(TrainingFields, NetworkFields):
    """All fields of a `Config`, those of the network first. Rules between fields and derived values are in `Config`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def metadata_of(field: FieldInfo) -> FieldMetadata:
    """The metadata that `config_field` put into a field. Raises `TypeError` for a field made in another way.

    >>> from maskrcnn.config.field_declaration import config_field
    >>> metadata_of(config_field(4, Section.TRAINING, "training", "Pictures per step.", ge=1)).role
    'training'
    """
    if not isinstance(field.json_schema_extra, dict):
        raise TypeError("this field has no metadata; declare it with config_field(...)")
    found: dict[str, Any] = field.json_schema_extra
    return FieldMetadata(Section(found["section"]), found["role"], found["task"], found["step_time"])


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
