"""Temporary folders for dropped files until they are imported, and limits for folders that a person named."""

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
"""A staging folder that nobody discarded is removed after this time, when the next one is made."""

MOST_FILES = 200_000
MOST_SECONDS = 20.0
"""A folder is not walked through for longer; a network disk has some thousand files a second."""

_NO_DISKS = frozenset(
    (
        *("proc", "sysfs", "devtmpfs", "devpts", "devfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs"),
        *("pstore", "bpf", "mqueue", "hugetlbfs", "configfs", "fusectl", "binfmt_misc", "autofs", "rpc_pipefs"),
        *("nsfs", "efivarfs", "selinuxfs", "fdescfs", "linprocfs", "linsysfs", "procfs"),
    )
)
"""Types of file systems that hold no files, but what the system says about itself."""
_OF_THE_SYSTEM = ("/proc", "/sys", "/dev")
_PROGRAMS = ("bin", "boot", "etc", "lib", "lib32", "lib64", "run", "sbin", "snap", "usr", "var", "windows")
"""What lies at the root of a disk and holds programs; folders in them may well hold a dataset."""


def make(base: Path | None = None) -> Path:
    """A new, empty staging folder below `base` (the system's place for temporary files); old ones there are removed.

    Raises `StudioError` where it cannot be made.
    """
    base = Path(tempfile.gettempdir()) if base is None else base
    try:
        base.mkdir(parents=True, exist_ok=True)
        _sweep(base)
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    except OSError as error:
        raise StudioError(f"{base}: cannot be written ({error.strerror}); free some space there") from None


def remove(folder: Path) -> None:
    """Remove a staging folder with all that is in it; one that is gone already is no matter."""
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
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
    """Raises `ArgumentError` for a folder that holds far more than a dataset: the root of a disk, what the system says
    about itself, everybody's home folders, and the studio's own `workspace`. Reads nothing in it."""
    mend = "give the folder of one dataset"
    real = Path(os.path.realpath(folder))
    if real == real.parent:
        raise ArgumentError(f"{folder}: is the root of the file system; {mend}")
    require_kept(folder)
    if real.parent == real.parent.parent and real.name.lower() in _PROGRAMS:
        raise ArgumentError(f"{folder}: holds programs of the system; {mend}")
    with contextlib.suppress(RuntimeError):  # somebody without a home
        if real in Path(os.path.realpath(Path.home())).parents:
            raise ArgumentError(f"{folder}: holds whole home folders; {mend}")
    own = Path(os.path.realpath(workspace_folder() if workspace is None else workspace))
    if real == own or real in own.parents:
        raise ArgumentError(f"{folder}: holds the studio's own workspace; {mend}")


def require_kept(path: Path) -> None:
    """Raises `ArgumentError` for a file or folder that is not kept anywhere, but is what the system says about itself:
    it may be endless, or keep us waiting."""
    if _is_of_the_system(Path(os.path.realpath(path))):
        raise ArgumentError(f"{path}: is what the system says about itself, no data; give the folder of one dataset")


def _is_of_the_system(real: Path) -> bool:
    """Whether a folder is in no file system that keeps files; shared memory is one that does."""
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
    """All files below a folder that somebody named, as `folder_walk.walk` finds them, within these limits."""
    return folder_walk.walk(root, most_files=MOST_FILES, most_seconds=MOST_SECONDS)
