"""The place of a run that waits: its folder, made at once so that no other takes its name, and `queued.json` in it.

```
device              what it asked for: "any" or a device
priority, created   its place in the queue; `created` in seconds since 1970
expected_seconds    how long it is thought to train, or null
resume              whether the run was there before, and goes on
claimed             when its device became free; absent while it waits
```

The file goes when the training starts. It says that the run waits, for whoever reads the folder; what is started, with
which choices, is in the table of jobs alone, because a folder comes from anybody.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import Any

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs.folder import LOG, QUEUED, RUNS, RunFolder


def reserve(run: RunFolder, document: dict[str, Any]) -> None:
    """Make the folder of a new run, or take that of one that goes on (`resume`), and note what it waits for.

    Raises `ArgumentError` where a new run's folder exists, `StudioError` where nothing can be written, or the project
    is gone: it was renamed or deleted in this moment, and must not come back as a folder with nothing but a run.
    """
    project = run.path.parent.parent
    if run.path.parent.name == RUNS and not project.is_dir():
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


def release(run: RunFolder) -> None:
    """The run waits no more: its training starts, or it never will."""
    with contextlib.suppress(OSError):
        (run.path / QUEUED).unlink(missing_ok=True)


def withdraw(run: RunFolder) -> None:
    """As if it had never been added: a new run's folder goes, one that was to go on stays as it was."""
    release(run)
    with contextlib.suppress(OSError):
        if {entry.name for entry in run.path.iterdir()} <= {LOG}:
            shutil.rmtree(run.path)


def change(run: RunFolder, **changes: Any) -> None:
    """Change some of the note; None takes a field away. Nothing happens where there is no note."""
    with contextlib.suppress(StudioError, OSError):
        document = run.read_json(QUEUED)
        if document is not None:
            document = {name: value for name, value in {**document, **changes}.items() if value is not None}
            run.write_json(QUEUED, {"expected_seconds": None, **document})
