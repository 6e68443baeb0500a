"""What a workspace remembers of its projects, in one small file: which were opened when, and which were renamed.

```
opened    [{"path", "at"}, ...]           the newest first; `path` is the name of a folder of the workspace, or absolute
renamed   [{"old", "new", "at"}, ...]     the newest last; names of folders of the workspace
```

`at` is in seconds since 1970. The file is a convenience: where it is damaged or cannot be written, nothing is
remembered and all else goes on. It may be anybody's, so whoever asks gets words to compare with the projects that are
there, and opens none of the paths.
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
    """A project of the workspace that got another name."""

    old: _Text
    new: _Text
    at: _Time


class Document(TypedDict):
    """What the file holds."""

    opened: list[Opened]
    renamed: list[Renamed]


_SCHEMA: TypeAdapter[Document] = TypeAdapter(Document)


class Memory:
    """What the workspace in the folder `root` remembers."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def opened(self) -> dict[str, float]:
        """The projects that were opened, the newest first, and when: by their paths, absolute."""
        found: dict[str, float] = {}
        for entry in self._read()["opened"]:
            found.setdefault(os.path.join(self.root, entry["path"]), entry["at"])
        return found

    def note_opened(self, project: Path) -> None:
        """A project is opened now."""
        path = self._stored(project)

        def change(document: Document) -> None:
            others = [entry for entry in document["opened"] if entry["path"] != path]
            document["opened"] = [Opened(path=path, at=time.time()), *others][:MOST]

        self._change(change)

    def became(self, name: str) -> tuple[str, float] | None:
        """The name that the last project called `name` has now, and when it lost the old one; None where it was not
        renamed."""
        now, since = name, None
        renamed = self._read()["renamed"]
        first = max((number for number, entry in enumerate(renamed) if entry["old"] == name), default=len(renamed))
        for entry in renamed[first:]:
            if entry["old"] == now:
                now, since = entry["new"], since or entry["at"]
        return (now, since) if since is not None and now != name else None

    def note_renamed(self, old: str, new: str) -> None:
        """A project of the workspace gets another name."""

        def change(document: Document) -> None:
            # Whatever was called `new` before is another project, or this one before.
            kept = [entry for entry in document["renamed"] if entry["old"] != new]
            document["renamed"] = [*kept, Renamed(old=old, new=new, at=time.time())][-MOST:]

        self._change(change)

    def note_moved(self, old: str, new: str) -> None:
        """What is remembered of the project `old` is that of `new` now."""

        def change(document: Document) -> None:
            others = [entry for entry in document["opened"] if entry["path"] != new]
            document["opened"] = [
                Opened(path=new, at=entry["at"]) if entry["path"] == old else entry for entry in others
            ]

        self._change(change)

    def forget_renamed(self, name: str) -> None:
        """There is a project of that name again: the one that was called so before is another."""

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
        """Read, change and write as one step. On a full or read-only disk nothing is remembered."""
        with suppress(OSError, UnicodeEncodeError), alone(self.root / LOCK):
            document = self._read()
            change(document)
            write_atomic(self.root / FILE, json.dumps(document, ensure_ascii=False))

    def _stored(self, project: Path) -> str:
        return project.name if project.parent == self.root else str(project)
