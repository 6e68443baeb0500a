"""The history of a workspace, in one small file: when each project was opened, and which were renamed.

```
opened    [{"path", "at"}, ...]           the newest first; `path` is the name of a folder of the workspace, or absolute
renamed   [{"old", "new", "at"}, ...]     the newest last; names of folders of the workspace
```

`at` is in seconds since 1970. The file is a convenience: if it is damaged or cannot be written, nothing is
remembered and everything else works. Anybody may have written it, so its paths are only compared with the projects that
exist; none is opened.
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

from maskrcnn import foreign
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import StudioError
from maskrcnn.jobs.file_lock import alone

FILE = ".projects.json"
LOCK = ".projects.lock"
"""In the workspace; held by whoever changes the file, or which projects there are."""

MOST = 200
"""Projects, and renames, that are remembered: the newest."""

_LARGEST = 4_000_000

_Text = Annotated[str, Field(min_length=1, max_length=4096)]
_Time = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


class Opened(TypedDict):
    """A project and when it was opened last."""

    path: _Text
    at: _Time


class Renamed(TypedDict):
    """A project of the workspace that was renamed."""

    old: _Text
    new: _Text
    at: _Time


class Document(TypedDict):
    """The content of the file."""

    opened: list[Opened]
    renamed: list[Renamed]


_SCHEMA: TypeAdapter[Document] = TypeAdapter(Document)


class Memory:
    """The history of the workspace in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def opened(self) -> dict[str, float]:
        """When each project was opened last, in seconds since 1970, by its absolute path; the newest first."""
        found: dict[str, float] = {}
        for entry in self._read()["opened"]:
            found.setdefault(os.path.join(self.root, entry["path"]), entry["at"])
        return found

    def note_opened(self, project: Path) -> None:
        """Record that a project was opened now."""
        path = self._stored(project)

        def change(document: Document) -> None:
            others = [entry for entry in document["opened"] if entry["path"] != path]
            document["opened"] = [Opened(path=path, at=time.time()), *others][:MOST]

        self._change(change)

    def renamed_to(self, name: str) -> tuple[str, float] | None:
        """The present name of the project that was last called `name`, and when it was renamed (seconds since 1970);
        None if it was not renamed."""
        now, since = name, None
        renamed = self._read()["renamed"]
        first = max((number for number, entry in enumerate(renamed) if entry["old"] == name), default=len(renamed))
        for entry in renamed[first:]:
            if entry["old"] == now:
                now, since = entry["new"], since or entry["at"]
        return (now, since) if since is not None and now != name else None

    def note_renamed(self, old: str, new: str) -> None:
        """Record that a project of the workspace is renamed."""

        def change(document: Document) -> None:
            # Whatever was called `new` before is another project, or this one before.
            kept = [entry for entry in document["renamed"] if entry["old"] != new]
            document["renamed"] = [*kept, Renamed(old=old, new=new, at=time.time())][-MOST:]

        self._change(change)

    def note_moved(self, old: str, new: str) -> None:
        """Record that the project `old` is called `new` now: the times when it was opened are those of `new`."""

        def change(document: Document) -> None:
            others = [entry for entry in document["opened"] if entry["path"] != new]
            document["opened"] = [
                Opened(path=new, at=entry["at"]) if entry["path"] == old else entry for entry in others
            ]

        self._change(change)

    def forget_renamed(self, name: str) -> None:
        """Forget renames of that name, because a new project has it now."""

        def change(document: Document) -> None:
            document["renamed"] = [entry for entry in document["renamed"] if entry["old"] != name]

        if any(entry["old"] == name for entry in self._read()["renamed"]):
            self._change(change)

    def _read(self) -> Document:
        with suppress(StudioError):
            found = foreign.read_json(self.root / FILE, _SCHEMA, self.root, _LARGEST)
            if found is not None:
                return {"opened": found["opened"][:MOST], "renamed": found["renamed"][-MOST:]}
        return {"opened": [], "renamed": []}

    def _change(self, change: Callable[[Document], None]) -> None:
        """Read, change and write the file under its lock. On a full or read-only disk nothing is written."""
        with suppress(OSError, UnicodeEncodeError), alone(self.root / LOCK):
            document = self._read()
            change(document)
            write_atomic(self.root / FILE, json.dumps(document, ensure_ascii=False))

    def _stored(self, project: Path) -> str:
        return project.name if project.parent == self.root else str(project)
