"""Temporary (staging) folders for dropped files until they are imported, and limits for folders that the user names."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from maskrcnn.annotations import folder_walk
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.install_folders import workspace_folder

PREFIX = "maskrcnn-import-"
KEPT_SECONDS = 24 * 3600
"""A staging folder that was not discarded is removed after this time, when the next one is created."""

MOST_FILES = 200_000
MOST_SECONDS = 20.0
"""Time limit for walking a folder. A network disk lists several thousand files per second."""

_NO_DISKS = frozenset(
    (
        *("proc", "sysfs", "devtmpfs", "devpts", "devfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs"),
        *("pstore", "bpf", "mqueue", "hugetlbfs", "configfs", "fusectl", "binfmt_misc", "autofs", "rpc_pipefs"),
        *("nsfs", "efivarfs", "selinuxfs", "fdescfs", "linprocfs", "linsysfs", "procfs"),
    )
)
"""Types of virtual file systems, which hold no user files but information about the system."""
_OF_THE_SYSTEM = ("/proc", "/sys", "/dev")
_PROGRAMS = ("bin", "boot", "etc", "lib", "lib32", "lib64", "run", "sbin", "snap", "usr", "var", "windows")
"""Top-level folders of a disk that hold programs. They are refused, but folders inside them may hold a dataset."""


def make(base: Path | None = None) -> Path:
    """Create and return a new, empty staging folder below `base` (default: the system's temporary folder). Old staging
    folders there are removed.

    Raises `StudioError` if it cannot be created.
    """
    base = Path(tempfile.gettempdir()) if base is None else base
    try:
        base.mkdir(parents=True, exist_ok=True)
        _sweep(base)
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    except OSError as error:
        raise StudioError(f"{base}: cannot be written ({error.strerror}); free some space there") from None


def remove(folder: Path) -> None:
    """Remove a staging folder with its content. A missing folder is ignored."""
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove the staging folders in `base` that are older than `KEPT_SECONDS`."""
    with os.scandir(base) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if (
                    entry.name.startswith(PREFIX)
                    and entry.is_dir(follow_symlinks=False)
                    and time.time() - entry.stat(follow_symlinks=False).st_mtime > KEPT_SECONDS
                ):
                    remove(Path(entry.path))


def require_of_one_dataset(folder: Path, workspace: Path | None = None) -> None:
    """Raise `ArgumentError` for a folder that holds far more than a dataset: the root of a disk, system folders, the
    folder of all home folders, and the studio's own `workspace`. Does not read the folder."""
    mend = "give the folder of one dataset"
    real = Path(os.path.realpath(folder))
    if real == real.parent:
        raise ArgumentError(f"{folder}: is the root of the file system; {mend}")
    require_kept(folder)
    if real.parent == real.parent.parent and real.name.lower() in _PROGRAMS:
        raise ArgumentError(f"{folder}: holds programs of the system; {mend}")
    with contextlib.suppress(RuntimeError):  # the user has no home folder
        if real in Path(os.path.realpath(Path.home())).parents:
            raise ArgumentError(f"{folder}: holds whole home folders; {mend}")
    own = Path(os.path.realpath(workspace_folder() if workspace is None else workspace))
    if real == own or real in own.parents:
        raise ArgumentError(f"{folder}: holds the studio's own workspace; {mend}")


def require_kept(path: Path) -> None:
    """Raise `ArgumentError` for a file or folder in a virtual file system such as /proc. Such files may be endless
    or block."""
    if _is_of_the_system(Path(os.path.realpath(path))):
        raise ArgumentError(f"{path}: is what the system says about itself, no data; give the folder of one dataset")


def _is_of_the_system(real: Path) -> bool:
    """Whether a path is in a virtual file system, such as /proc. Shared memory does not count, because it holds real
    files."""
    mounts: Iterable[tuple[str, str]] = ()
    with contextlib.suppress(OSError, RuntimeError):
        mounts = [(mount.mountpoint, mount.fstype) for mount in psutil.disk_partitions(all=True)]
    place, kind = max(
        ((place, kind) for place, kind in mounts if real.is_relative_to(place)),
        key=lambda mount: len(mount[0]),
        default=("", ""),
    )
    if kind.lower() in _NO_DISKS:
        return True
    is_mounted_there = place.startswith("/dev/")
    return os.name == "posix" and not is_mounted_there and any(real.is_relative_to(name) for name in _OF_THE_SYSTEM)


def walk(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Return all files below a folder that the user named, and warnings, as `folder_walk.walk` does with the limits
    of this module."""
    return folder_walk.walk(root, most_files=MOST_FILES, most_seconds=MOST_SECONDS)
