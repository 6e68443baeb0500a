"""The paths of a project's picture files, which must be inside its folder after following all links.

A project folder may come from an untrusted source. A picture that is a link to a file outside would leak that file
through an export.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.untrusted_files import is_confined, is_file_name


class PicturePaths:
    """The picture files of a project, in its folder `images/`."""

    def __init__(self, project: Path) -> None:
        self.folder = project / "images"
        self._project = os.path.realpath(project)
        self._inside = is_confined(self.folder, [self._project])

    def find(self, file_name: object) -> Path | None:
        """Return the path of a picture, even if it does not exist; None if it is outside the project or not a file."""
        # An ordinary picture needs only one `lstat`, because a project may have 10,000 pictures.
        if not self._inside or not is_file_name(file_name):
            return None
        path = self.folder / str(file_name)
        try:
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                if not is_confined(path, [self._project]):
                    return None
                mode = os.stat(path).st_mode
        except FileNotFoundError:
            return path
        except (OSError, ValueError):
            return None
        return path if stat.S_ISREG(mode) else None

    def require(self, file_name: object) -> Path:
        """Return the path of a picture file. Raises `StudioError` if it is outside the project or not a file."""
        path = self.find(file_name)
        if path is None:
            raise StudioError(
                f"{self.folder / str(file_name)}: leads out of the project or is no file, so it is not opened; "
                "put the picture itself there"
            )
        return path
