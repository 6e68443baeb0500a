"""The version and the folders of the studio: its installation, the data that ships with it, and the workspace."""

from __future__ import annotations

import os
from pathlib import Path

VERSION = "0.2.0"
"""The version of the studio, as in pyproject.toml, and `maskrcnn.__version__`. Parts of the package import it here."""

ROOT = Path(__file__).resolve().parents[1]
"""The folder with app.py and `maskrcnn/`. It is the working directory of every process of the studio."""

DATA = ROOT / "data"
"""The folder of the data that ships with the studio: sample datasets and trained weights."""

WORKSPACE = "MASKRCNN_WORKSPACE"
"""The environment variable for another workspace folder."""


def workspace_folder() -> Path:
    """The workspace folder, which holds the projects: `workspace/` next to app.py, or `MASKRCNN_WORKSPACE` if set.

    The folder may not exist yet.
    """
    return Path(os.environ.get(WORKSPACE) or ROOT / "workspace").expanduser()
