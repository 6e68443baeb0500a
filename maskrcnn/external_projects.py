"""The list of a workspace's external projects: projects in other folders of this computer that the user opened.

The list is a text file in the workspace with one path per line. Pages show these projects, and the queue searches them
for trainings. The file may be damaged or come from another person, so lines that cannot be a path are ignored.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path

from maskrcnn import untrusted_files
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import StudioError

FILE = "opened_projects.txt"
"""The name of the list's file in the workspace."""

MOST = 1000
"""Maximum number of projects that are read from the list; the last lines are used."""

_MOST_BYTES = 64_000_000
_LONGEST = 4096  # bytes of a path, on Linux


def read_external_projects(workspace: Path) -> list[Path]:
    """The absolute paths in the list of external projects, each once, oldest first.

    It is not checked whether the folders exist and are projects.
    """
    path = workspace / FILE
    try:
        about = path.lstat()
    except OSError:
        return []
    return list(_external_project_paths(path, about.st_ino, about.st_mtime_ns, about.st_size))


def add_external_project(workspace: Path, project: Path) -> None:
    """Add a project in another folder to the list of external projects, if it is not in the list.

    Raises `StudioError` if the path cannot be written on one line, or the file cannot be written. If the file is a
    link, the link is not followed.
    """
    line = str(project)
    if not _fits_list_line(line):
        raise StudioError(f"{project}: its path cannot be noted; rename the folder, without line breaks, in UTF-8")
    if project in read_external_projects(workspace):
        return
    path = workspace / FILE
    # O_NOFOLLOW refuses a link; O_NONBLOCK does not wait if the file is a pipe.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags, 0o644), "ab") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise StudioError(f"{path}: is not a file; take it away")
            is_last_line_open = about.st_size and os.pread(file.fileno(), 1, about.st_size - 1) != b"\n"
            file.write(b"\n" * bool(is_last_line_open) + line.encode() + b"\n")
    except OSError as error:
        raise StudioError(f"{path}: cannot be written ({error.strerror}); take away what lies there") from None


def remove_external_project(workspace: Path, project: Path) -> None:
    """Remove a project from the list of external projects, without changing the project.

    Raises `StudioError` if the file cannot be written.
    """
    path = workspace / FILE
    lines = [str(each) for each in read_external_projects(workspace) if each != project]
    try:
        write_atomic(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise StudioError(f"{path}: cannot be written ({error.strerror}); mend its rights or free some space") from None


@lru_cache(maxsize=4)
def _external_project_paths(path: Path, inode: int, changed: int, size: int) -> tuple[Path, ...]:
    """The paths in the file `path`, the list of external projects.

    They are cached for each state of the file: `inode`, `changed` (ns) and `size`.
    """
    try:
        content = untrusted_files.read_bytes(path, path.parent, _MOST_BYTES)
    except (OSError, StudioError):
        return ()
    found: dict[str, None] = {}
    for raw in reversed(content.split(b"\n")):
        line = raw.removesuffix(b"\r").decode(errors="replace")
        if "\N{REPLACEMENT CHARACTER}" not in line and _fits_list_line(line):
            found[line] = None
            if len(found) == MOST:
                break
    return tuple(Path(line) for line in reversed(found))


def _fits_list_line(text: str) -> bool:
    """Whether a text can be a line in the list of external projects: an absolute path on one line of UTF-8."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        return False
    return os.path.isabs(text) and length <= _LONGEST and not any(character in text for character in "\0\r\n")
