"""The folder of a run that waits, made at once so that no other run takes its name, and `queued.json` in it.

```
device              the device it is to train on, or "any"
priority, created   its place in the queue; `created` in seconds since 1970
expected_seconds    its estimated duration, or null
resume              whether the run was there before and is continued
claimed             when it was given its device, in seconds since 1970; absent while it waits
```

The file is removed when the training starts. It only tells readers of the folder that the run waits; what is started,
with which options, is in the table of jobs alone, because a folder comes from anybody.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import Any

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs.folder import LOG, QUEUED, RunFolder


def make(run: RunFolder, document: dict[str, Any]) -> None:
    """Make the folder of a new run, or take that of a run that is resumed, and write queued.json.

    Raises `ArgumentError` where a new run's folder exists, `StudioError` where nothing can be written, or the project
    is gone: it was renamed or deleted in this moment, and must not come back as a folder with nothing but a run.
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
    """Remove queued.json: the training starts, or it never will."""
    with contextlib.suppress(OSError):
        (run.path / QUEUED).unlink(missing_ok=True)


def undo(run: RunFolder) -> None:
    """Remove what `make` made: the folder of a new run; of a run that was to be resumed only queued.json."""
    end_waiting(run)
    with contextlib.suppress(OSError):
        if {entry.name for entry in run.path.iterdir()} <= {LOG}:
            shutil.rmtree(run.path)


def update(run: RunFolder, **changes: Any) -> None:
    """Change fields of queued.json; None removes a field. Nothing happens where there is no such file."""
    with contextlib.suppress(StudioError, OSError):
        document = run.read_json(QUEUED)
        if document is not None:
            document = {name: value for name, value in {**document, **changes}.items() if value is not None}
            run.write_json(QUEUED, {"expected_seconds": None, **document})
