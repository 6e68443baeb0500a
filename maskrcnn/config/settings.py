"""Fields as a person types them: `FIELD=VALUE`, as `--set` takes it."""

from __future__ import annotations

import json
from typing import Any

from maskrcnn.config.field_errors import unknown_field
from maskrcnn.config.field_lookup import ConfigFields
from maskrcnn.errors import ArgumentError


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Field values from settings as `--set` takes them. A value is JSON, or words with commas between.

    Raises `ArgumentError` for a setting without `=` and for a field that does not exist. `Config` checks the values.

    >>> parse_settings(["learning_rate=0.001", "rpn_anchor_ratios=0.5,1", "tasks=box,mask"])
    {'learning_rate': 0.001, 'rpn_anchor_ratios': ['0.5', '1'], 'tasks': ['box', 'mask']}
    """
    fields: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ArgumentError(f'--set {setting}: write it as FIELD=VALUE, for example "learning_rate=0.001"')
        if name not in ConfigFields.model_fields:
            raise ArgumentError(f"--set {setting}: {unknown_field(name, ConfigFields.model_fields)}")
        try:
            fields[name] = json.loads(value)
        except json.JSONDecodeError:
            fields[name] = value.split(",") if "," in value else value
    return fields


def setting_word(value: object) -> str:
    """A field's value as `--set` reads it.

    >>> setting_word((16, 32)), setting_word(0.5)
    ('16,32', '0.5')
    """
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
