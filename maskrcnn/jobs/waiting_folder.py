"""The folder of a waiting run and its file `queued.json`. The folder is created at once, to reserve the run's name.

```
device              the requested device, or "any"
priority, created   its place in the queue; `created` in seconds since 1970
expected_seconds    its estimated duration, or null
resume              whether the run existed before and is continued
claimed             when a device was assigned, in seconds since 1970; absent while the run waits
```

The file is deleted when the training starts. It only shows that the run waits. The options of the training are read
from the table of jobs, because a run folder may come from another person.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import Any

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs.folder import LOG, QUEUED, RunFolder


def make(run: RunFolder, document: dict[str, Any]) -> None:
    """Create the folder of a new run (not with `document["resume"]`), and write queued.json.

    Raises `ArgumentError` if the folder of a new run exists already. Raises `StudioError` if files cannot be written,
    or if the project folder does not exist: the project was just renamed or deleted, and is not created again.
    """
    project = run.project_folder
    if project is not None and not project.is_dir():
        raise StudioError(f"{project}: the project is gone; open it by its new name, or put its folder back")
    try:
        if not document["resume"]:
            run.path.mkdir(parents=True)
        run.write_json(QUEUED, document)
    except FileExistsError:
        raise ArgumentError(f"{run.path} exists already; choose another name for the run") from None
    except OSError as error:
        if not document["resume"]:
            shutil.rmtree(run.path, ignore_errors=True)
        raise StudioError(
            f"{run.path}: cannot be made ({error.strerror}); free some space or mend its rights"
        ) from None


def end_waiting(run: RunFolder) -> None:
    """Delete queued.json, because the training starts or was given up."""
    with contextlib.suppress(OSError):
        (run.path / QUEUED).unlink(missing_ok=True)


def undo(run: RunFolder) -> None:
    """Undo `make`: delete queued.json, and the folder if it is empty except for a log (a new run)."""
    end_waiting(run)
    with contextlib.suppress(OSError):
        if {entry.name for entry in run.path.iterdir()} <= {LOG}:
            shutil.rmtree(run.path)


def update(run: RunFolder, **changes: Any) -> None:
    """Change fields of queued.json. None removes a field, but sets `expected_seconds` to null.

    Does nothing if the file does not exist or cannot be read or written.
    """
    with contextlib.suppress(StudioError, OSError):
        document = run.read_json(QUEUED)
        if document is not None:
            document = {name: value for name, value in {**document, **changes}.items() if value is not None}
            run.write_json(QUEUED, {"expected_seconds": None, **document})
