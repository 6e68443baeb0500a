"""Where the studio is installed, what ships with it, and where it keeps the projects of whoever starts it."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds app.py and `maskrcnn/`; every process of the studio starts there."""

DATA = ROOT / "data"
"""What ships with the studio: sample projects and trained weights."""

WORKSPACE = "MASKRCNN_WORKSPACE"
"""The environment variable that names another folder for projects."""


def workspace_folder() -> Path:
    """The folder that holds the projects: `workspace/` beside app.py, or where MASKRCNN_WORKSPACE points. It may not
    be there yet."""
    return Path(os.environ.get(WORKSPACE) or ROOT / "workspace").expanduser()
