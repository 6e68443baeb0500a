"""Copy a project to another folder. Links are not followed, and the copy shares no files with the original."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.annotations.store import DATABASE, Project, database_files
from maskrcnn.errors import StudioError
from maskrcnn.words import byte_size

Progress = Callable[[int, int], object]
"""A callback with two arguments: the number of bytes copied so far, and the total number of bytes."""

_DATABASE_FILES = (DATABASE, *(f"{DATABASE}{suffix}" for suffix in database_files.SUFFIXES))
_CHUNK = 32_000_000
_NO_RANGES = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EXDEV, errno.EBADF, errno.EPERM)
_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class _FileToCopy:
    """A file to copy; `place` is its path relative to the project, `bytes` its size."""

    path: str
    place: str
    bytes: int


def copy_project(project: Project, folder: Path, name: str, skip: Collection[str], progress: Progress | None) -> None:
    """Copy a project into `folder`, under the name `name`: labels with their history, pictures and all other files.

    Hidden files and the folders in `skip` ("runs", "runs/first") are left out. If the file system supports clones,
    files are cloned, which needs no space until a file changes. Raises `StudioError` for a link or another entry that
    is no regular file, if there is not enough disk space, and if the database cannot be read. After an error, `folder`
    may contain a part of the copy.
    """
    folders, files = _list_to_copy(project.folder, skip)
    total = sum(file.bytes for file in files)
    free = shutil.disk_usage(folder.parent).free
    if total > free:
        raise StudioError(
            f'project "{project.folder.name}": a copy needs {byte_size(total)} and {byte_size(free)} are free; '
            "free some space, or leave out its runs"
        )
    for place in ("", "images", "runs", *folders):
        (folder / place).mkdir(exist_ok=True)
    project.copy_database(folder, name)
    done, reported = 0, 0.0
    for file in files:
        for size in _copy_file(file, folder):
            done += size
            if progress and time.monotonic() - reported > _PROGRESS_SECONDS:
                reported = time.monotonic()
                progress(done, max(done, total))


def _list_to_copy(folder: Path, skip: Collection[str]) -> tuple[list[str], list[_FileToCopy]]:
    """The folders and the files of a project, without those to skip.

    Each folder comes after its parent. The sub folders of a folder are sorted by age, oldest first: runs are listed by
    their time of creation, so the copies must be created in this order.
    """
    folders: list[str] = []
    files: list[_FileToCopy] = []
    left = [""]
    while left:
        place = left.pop()
        found: list[tuple[float, str]] = []
        try:
            with os.scandir(folder / place) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    inside = f"{place}/{entry.name}" if place else entry.name
                    if entry.name.startswith(".") or inside in skip or inside in _DATABASE_FILES:
                        continue
                    about = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(about.st_mode):
                        found.append((about.st_ctime, inside))
                    elif stat.S_ISREG(about.st_mode):
                        files.append(_FileToCopy(entry.path, inside, about.st_size))
                    else:
                        raise _no_regular_file(entry.path)
        except OSError as error:
            raise _copy_read_error(folder / place, error) from None
        oldest_first = [inside for _, inside in sorted(found)]
        folders += oldest_first
        left += reversed(oldest_first)  # `pop` takes the last
    return folders, files


def _copy_file(file: _FileToCopy, folder: Path) -> Iterator[int]:
    """Copy a file in chunks into `folder`. Yields the number of bytes of each chunk."""
    target = folder / file.place
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(file.path, flags)
    except FileNotFoundError:
        if file.place.startswith("thumbnails/"):  # thumbnails may be created and deleted at any time
            return
        raise StudioError(f"{file.path}: was taken away while it was copied; do it again") from None
    except OSError as error:
        raise (
            _no_regular_file(file.path) if error.errno == errno.ELOOP else _copy_read_error(file.path, error)
        ) from None
    with os.fdopen(handle, "rb", buffering=0) as source:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise _no_regular_file(file.path)
        with target.open("xb", buffering=0) as sink:
            yield from _copy_chunks(source.fileno(), sink.fileno())
    os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))


def _copy_chunks(source: int, sink: int) -> Iterator[int]:
    """Copy one file descriptor to another, with `copy_file_range` if possible. Yields the bytes of each chunk."""
    ranges = hasattr(os, "copy_file_range")
    while True:
        size = 0
        if ranges:
            try:
                size = os.copy_file_range(source, sink, _CHUNK)
            except OSError as error:
                if error.errno not in _NO_RANGES:
                    raise
        if not size:  # the end of the file, or the file system does not support `copy_file_range`
            ranges = False
            chunk = os.read(source, 1_000_000)
            while size < len(chunk):
                size += os.write(sink, chunk[size:])
        if not size:
            return
        yield size


def _no_regular_file(path: str) -> StudioError:
    """Return the error for a part of the project that is not a regular file and so cannot be copied."""
    return StudioError(
        f"{path}: is a link or no file, so the project is not copied; put the file itself there, or take it away"
    )


def _copy_read_error(path: Path | str, error: OSError) -> StudioError:
    """Return the error for a part of the project that cannot be read, so that the project cannot be copied."""
    return StudioError(f"{path}: cannot be read ({error.strerror}); mend its rights")
