"""A backup of the waiting jobs, in a JSON file next to the table. The jobs are queued again if the table is damaged.

The run folders cannot be used as a backup, because they may come from other people: only jobs that were queued in this
workspace are started.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from maskrcnn import untrusted_files
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import StudioError

NAME = "jobs-waiting.json"


class BackedUpJob(TypedDict):
    """A waiting job in the backup: columns of its row in the table."""

    run: Annotated[str, Field(min_length=1, max_length=4096)]
    options: list[str]
    wanted: str
    priority: int
    resume: int
    expected_seconds: float | None
    created: float


_SCHEMA: TypeAdapter[list[BackedUpJob]] = TypeAdapter(list[BackedUpJob])


def write(workspace: Path, jobs: list[dict[str, Any]]) -> None:
    """Write the backup if the waiting jobs have changed. If the file cannot be written, the old backup is kept."""
    path, text = workspace / NAME, json.dumps(jobs)
    with suppress(OSError):
        if jobs and _backup_text(path) == text:
            return
        if not jobs:
            path.unlink(missing_ok=True)
            return
        write_atomic(path, text)


def read(workspace: Path) -> list[BackedUpJob]:
    """The jobs in the backup; empty if the file is missing or damaged."""
    with suppress(StudioError):
        return untrusted_files.read_json(workspace / NAME, _SCHEMA, workspace, 50_000_000) or []
    return []


def _backup_text(path: Path) -> str | None:
    """The content of the backup file; None if it is missing or unreadable."""
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return None
