"""The history of a workspace, in a small file: when each project was last opened, and which projects were renamed.

```
opened    [{"path", "at"}, ...]           the newest first; `path` is the name of a folder of the workspace, or absolute
renamed   [{"old", "new", "at"}, ...]     the newest last; names of folders of the workspace
```

`at` is in seconds since 1970. The file is optional: if it is damaged or cannot be written, nothing is remembered, but
everything else works. The file may come from another person, so its paths are only compared with existing projects and
never opened.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from maskrcnn import untrusted_files
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import StudioError
from maskrcnn.jobs.file_lock import alone

FILE = ".projects.json"
LOCK = ".projects.lock"
"""The lock file in the workspace. A process holds it while it changes the history, or adds or moves a project."""

MOST = 200
"""Maximum number of opened projects, and of renames, that are remembered; the newest are kept."""

_LARGEST = 4_000_000

_Text = Annotated[str, Field(min_length=1, max_length=4096)]
_Time = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


class OpenedEntry(TypedDict):
    """A project and the time at which it was last opened."""

    path: _Text
    at: _Time


class RenamedEntry(TypedDict):
    """A project of the workspace that was renamed."""

    old: _Text
    new: _Text
    at: _Time


class HistoryDocument(TypedDict):
    """The content of the file."""

    opened: list[OpenedEntry]
    renamed: list[RenamedEntry]


_SCHEMA: TypeAdapter[HistoryDocument] = TypeAdapter(HistoryDocument)


class WorkspaceHistory:
    """The history of the workspace in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def opened(self) -> dict[str, float]:
        """Map the absolute path of each project to the time at which it was last opened (seconds since 1970), the
        newest first."""
        found: dict[str, float] = {}
        for entry in self._read()["opened"]:
            found.setdefault(os.path.join(self.root, entry["path"]), entry["at"])
        return found

    def note_opened(self, project: Path) -> None:
        """Record that a project was opened now."""
        path = self._stored(project)

        def change(document: HistoryDocument) -> None:
            others = [entry for entry in document["opened"] if entry["path"] != path]
            document["opened"] = [OpenedEntry(path=path, at=time.time()), *others][:MOST]

        self._change(change)

    def renamed_to(self, name: str) -> str | None:
        """The current name of the project that was last called `name`; None if it was not renamed, or has this name
        again."""
        renames = self._read()["renamed"]
        from_name = [number for number, entry in enumerate(renames) if entry["old"] == name]
        if not from_name:
            return None
        current = name
        for entry in renames[from_name[-1] :]:  # the project may have been renamed again
            if entry["old"] == current:
                current = entry["new"]
        return current if current != name else None

    def note_renamed(self, old: str, new: str) -> None:
        """Record a rename, so that `renamed_to` finds the new name."""

        def change(document: HistoryDocument) -> None:
            # Earlier renames of the name `new` belong to another project, or are undone by this rename.
            kept = [entry for entry in document["renamed"] if entry["old"] != new]
            document["renamed"] = [*kept, RenamedEntry(old=old, new=new, at=time.time())][-MOST:]

        self._change(change)

    def note_moved(self, old: str, new: str) -> None:
        """Move the time at which the project was last opened from the path `old` to the path `new`."""

        def change(document: HistoryDocument) -> None:
            others = [entry for entry in document["opened"] if entry["path"] != new]
            document["opened"] = [
                OpenedEntry(path=new, at=entry["at"]) if entry["path"] == old else entry for entry in others
            ]

        self._change(change)

    def forget_renamed(self, name: str) -> None:
        """Delete the renames of `name`, because a new project has this name now."""

        def change(document: HistoryDocument) -> None:
            document["renamed"] = [entry for entry in document["renamed"] if entry["old"] != name]

        if any(entry["old"] == name for entry in self._read()["renamed"]):
            self._change(change)

    def _read(self) -> HistoryDocument:
        """The content of the file; empty if it is missing or damaged."""
        with suppress(StudioError):
            found = untrusted_files.read_json(self.root / FILE, _SCHEMA, self.root, _LARGEST)
            if found is not None:
                return {"opened": found["opened"][:MOST], "renamed": found["renamed"][-MOST:]}
        return {"opened": [], "renamed": []}

    def _change(self, change: Callable[[HistoryDocument], None]) -> None:
        """Read the file, call `change` and write the result, under the lock. Errors of the disk are ignored."""
        with suppress(OSError, UnicodeEncodeError), alone(self.root / LOCK):
            document = self._read()
            change(document)
            write_atomic(self.root / FILE, json.dumps(document, ensure_ascii=False))

    def _stored(self, project: Path) -> str:
        """The path of a project as it is stored: only its name if it is in the workspace."""
        return project.name if project.parent == self.root else str(project)
