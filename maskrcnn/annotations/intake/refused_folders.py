"""Refuse folders that hold far more than one dataset, such as system folders, and limit how much of a folder is
listed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import psutil

from maskrcnn.annotations import folder_walk
from maskrcnn.errors import ArgumentError
from maskrcnn.install_folders import workspace_folder

MOST_FILES = 200_000
MOST_SECONDS = 20.0
"""Time limit for walking a folder. A network disk lists several thousand files per second."""

_VIRTUAL_FILE_SYSTEMS = frozenset(
    (
        *("proc", "sysfs", "devtmpfs", "devpts", "devfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs"),
        *("pstore", "bpf", "mqueue", "hugetlbfs", "configfs", "fusectl", "binfmt_misc", "autofs", "rpc_pipefs"),
        *("nsfs", "efivarfs", "selinuxfs", "fdescfs", "linprocfs", "linsysfs", "procfs"),
    )
)
"""Types of virtual file systems, which hold no user files but information about the system."""
_VIRTUAL_FOLDERS = ("/proc", "/sys", "/dev")
_SYSTEM_FOLDERS = ("bin", "boot", "etc", "lib", "lib32", "lib64", "run", "sbin", "snap", "usr", "var", "windows")
"""Top-level folders of a disk that hold programs. They are refused, but folders inside them may hold a dataset."""


def require_dataset_folder(folder: Path, workspace: Path | None = None) -> None:
    """Raise `ArgumentError` for a folder that holds far more than a dataset: the root of a disk, system folders, the
    folder of all home folders, and the studio's own `workspace`. Does not read the folder."""
    mend = "give the folder of one dataset"
    real = Path(os.path.realpath(folder))
    if real == real.parent:
        raise ArgumentError(f"{folder}: is the root of the file system; {mend}")
    refuse_virtual_file(folder)
    if real.parent == real.parent.parent and real.name.lower() in _SYSTEM_FOLDERS:
        raise ArgumentError(f"{folder}: holds programs of the system; {mend}")
    with contextlib.suppress(RuntimeError):  # the user has no home folder
        if real in Path(os.path.realpath(Path.home())).parents:
            raise ArgumentError(f"{folder}: holds whole home folders; {mend}")
    own = Path(os.path.realpath(workspace_folder() if workspace is None else workspace))
    if real == own or real in own.parents:
        raise ArgumentError(f"{folder}: holds the studio's own workspace; {mend}")


def refuse_virtual_file(path: Path) -> None:
    """Raise `ArgumentError` for a file or folder in a virtual file system such as /proc. Such files may be endless
    or block."""
    if _is_refused_file_system(Path(os.path.realpath(path))):
        raise ArgumentError(f"{path}: is what the system says about itself, no data; give the folder of one dataset")


def _is_refused_file_system(real: Path) -> bool:
    """Whether a folder or file is refused for an import because it is in a virtual file system such as /proc.

    Shared memory (/dev/shm) is not refused, because it holds real files.
    """
    mounts: Iterable[tuple[str, str]] = ()
    with contextlib.suppress(OSError, RuntimeError):
        mounts = [(mount.mountpoint, mount.fstype) for mount in psutil.disk_partitions(all=True)]
    mount_point, kind = max(
        ((mount_point, kind) for mount_point, kind in mounts if real.is_relative_to(mount_point)),
        key=lambda mount: len(mount[0]),
        default=("", ""),
    )
    if kind.lower() in _VIRTUAL_FILE_SYSTEMS:
        return True
    is_below_dev = mount_point.startswith("/dev/")  # a file system with real files, such as shared memory
    return os.name == "posix" and not is_below_dev and any(real.is_relative_to(name) for name in _VIRTUAL_FOLDERS)


def walk_dataset_folder(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Return all files below a folder that is imported, and warnings, as `folder_walk.walk` does. A folder is refused
    with `StudioError` if it holds more than `MOST_FILES` files, or the walk takes more than `MOST_SECONDS`."""
    return folder_walk.walk(root, most_files=MOST_FILES, most_seconds=MOST_SECONDS)
