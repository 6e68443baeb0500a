"""A copy of the waiting jobs beside the table of jobs; they are queued again where the table was damaged.

The run folders cannot serve for that: they come from anybody, and only what this workspace queued is ever started.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from maskrcnn import foreign
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import StudioError

NAME = "jobs-waiting.json"


class Waiting(TypedDict):
    """A job that waits: the columns of its row in the table."""

    run: Annotated[str, Field(min_length=1, max_length=4096)]
    options: list[str]
    wanted: str
    priority: int
    resume: int
    expected_seconds: float | None
    created: float


_SCHEMA: TypeAdapter[list[Waiting]] = TypeAdapter(list[Waiting])


def write(workspace: Path, jobs: list[dict[str, Any]]) -> None:
    """Write the copy, if it changes. On a full disk it stays as it is."""
    path, text = workspace / NAME, json.dumps(jobs)
    with suppress(OSError):
        if jobs and _text(path) == text:
            return
        if not jobs:
            path.unlink(missing_ok=True)
            return
        write_atomic(path, text)


def read(workspace: Path) -> list[Waiting]:
    """The jobs that waited when the copy was written; none where there is no copy, or a damaged one."""
    with suppress(StudioError):
        return foreign.read_json(workspace / NAME, _SCHEMA, workspace, 50_000_000) or []
    return []


def _text(path: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return None
