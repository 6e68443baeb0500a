"""The projects of a workspace that lie elsewhere on this computer: a file with a line for the folder of each.

Pages list them, and the queue looks for trainings in them. The file may be damaged, or written by somebody else: a line
that cannot be the path of a project is passed over.
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
"""In the workspace."""

MOST = 1000
"""Projects that are listed: of more, those that were opened last."""

_MOST_BYTES = 64_000_000
_LONGEST = 4096  # bytes of a path, on Linux


def read(workspace: Path) -> list[Path]:
    """The absolute paths in the file, each once, as they were written; whether there is a project is not looked up."""
    path = workspace / FILE
    try:
        about = path.lstat()
    except OSError:
        return []
    return list(_paths(path, about.st_ino, about.st_mtime_ns, about.st_size))


def add(workspace: Path, project: Path) -> None:
    """Note a project, once. Raises `StudioError` for a path that a line cannot hold, and where nothing can be written.

    A link that lies in the place of the file is not followed.
    """
    line = str(project)
    if not _can_be_a_line(line):
        raise StudioError(f"{project}: its path cannot be noted; rename the folder, without line breaks, in UTF-8")
    if project in read(workspace):
        return
    path = workspace / FILE
    # Neither a link is followed, nor a pipe waited for.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags, 0o644), "ab") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise StudioError(f"{path}: is not a file; take it away")
            torn = about.st_size and os.pread(file.fileno(), 1, about.st_size - 1) != b"\n"
            file.write(b"\n" * bool(torn) + line.encode() + b"\n")
    except OSError as error:
        raise StudioError(f"{path}: cannot be written ({error.strerror}); take away what lies there") from None


def remove(workspace: Path, project: Path) -> None:
    """Take a project off the list; nothing happens to its folder. Raises `StudioError` where nothing can be written."""
    path = workspace / FILE
    lines = [str(each) for each in read(workspace) if each != project]
    try:
        write_atomic(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise StudioError(f"{path}: cannot be written ({error.strerror}); mend its rights or free some space") from None


@lru_cache(maxsize=4)
def _paths(path: Path, inode: int, changed: int, size: int) -> tuple[Path, ...]:
    """`inode`, `changed` and `size` tell a file that was written again from the one before."""
    try:
        content = untrusted_files.read_bytes(path, path.parent, _MOST_BYTES)
    except (OSError, StudioError):
        return ()
    found: dict[str, None] = {}
    for raw in reversed(content.split(b"\n")):
        line = raw.removesuffix(b"\r").decode(errors="replace")
        if "\N{REPLACEMENT CHARACTER}" not in line and _can_be_a_line(line):
            found[line] = None
            if len(found) == MOST:
                break
    return tuple(Path(line) for line in reversed(found))


def _can_be_a_line(text: str) -> bool:
    """Whether a text is an absolute path that one line of UTF-8 can hold."""
    try:
        long = len(text.encode())
    except UnicodeEncodeError:
        return False
    return os.path.isabs(text) and long <= _LONGEST and not any(sign in text for sign in "\0\r\n")
