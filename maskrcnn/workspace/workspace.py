"""The `Workspace`: the projects in the workspace folder, and projects in other folders that were opened."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from maskrcnn import external_projects, untrusted_files
from maskrcnn.annotations import intake
from maskrcnn.annotations.regions import new_id
from maskrcnn.annotations.store import DATABASE, ImportReport, Project, is_project
from maskrcnn.annotations.unused_names import HYPHEN, unused_name
from maskrcnn.durations import day_and_time
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.jobs import queue_backup, queue_database
from maskrcnn.jobs.file_lock import alone
from maskrcnn.jobs.queue_recovery import RUNNER_LOG
from maskrcnn.name_order import folded, natural_key
from maskrcnn.runs import project_runs
from maskrcnn.runs.folder import RUNS
from maskrcnn.runs.project_runs import is_project_run
from maskrcnn.workspace import folder_names, in_use, new_projects, project_bin, project_copy
from maskrcnn.workspace.folder_names import has_name_for_address, require_name_for_address
from maskrcnn.workspace.new_projects import SAMPLE_NAME
from maskrcnn.workspace.project_bin import Deleted
from maskrcnn.workspace.project_copy import Progress
from maskrcnn.workspace.project_errors import NoProject, ProjectGone, named_os_errors
from maskrcnn.workspace.project_folders import are_same_folder
from maskrcnn.workspace.typed_paths import typed_path
from maskrcnn.workspace.workspace_history import LOCK, WorkspaceHistory

HAD_PROJECTS = ".had_projects"
"""An empty marker file in a workspace that has or had a project. With it, the sample is not created automatically."""

_BUILDING = re.compile(r"\.building-(\d{1,10})-[0-9a-f]{8}")
_OWN_FILES = (queue_database.DATABASE, queue_backup.NAME, RUNNER_LOG, external_projects.FILE)
"""The names of the studio's own files in a workspace, except hidden ones. No project name may start like them."""

_LONGEST_SHOWN = 255
_creating = threading.Lock()


@dataclass(frozen=True)
class DuplicateProject:
    """A copy of a project. `left_out` are the names of runs that were not copied, because they train or wait."""

    folder: Path
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class OpenedProject:
    """A project that was opened. If it was created from labels and pictures, `report` is the report of their import,
    and `passed_over` are lines about what was not imported."""

    folder: Path
    report: ImportReport | None = None
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProjectFacts:
    """The facts of a project for a list: the numbers of pictures, finished pictures and runs, and the time at which it
    was last opened (seconds since 1970, None if unknown)."""

    pictures: int
    done: int
    runs: int
    opened: float | None


class Workspace:
    """The workspace in the folder `root` (an absolute path without links), and its projects.

    Each change of a whole project is a single rename of its folder, so it is never half done, even after a crash.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._history = WorkspaceHistory(root)

    # Find projects

    def projects(self) -> list[Path]:
        """The projects in the workspace folder, sorted by name, then the opened projects in other folders.

        In a workspace that never had a project, the sample project is created first.
        """
        found = self._own_projects()
        elsewhere = [
            path
            for path in external_projects.read_external_projects(self.root)
            if path not in found and is_project(path)
        ]
        marker = self.root / HAD_PROJECTS
        if not (found or elsewhere or os.path.lexists(marker)):
            self.create_sample()
            found = self._own_projects()
        if (found or elsewhere) and not os.path.lexists(marker):
            with suppress(OSError):  # the disk is full: the next call tries again
                marker.open("x").close()
        return found + elsewhere

    def find(self, name: str) -> Path:
        """The project with this name. If there are several, the one that was opened last; if that is unknown, the one
        in the workspace folder. Raises `ProjectGone` if there is none."""
        found = [path for path in self.projects() if path.name == name]
        if found:
            last = self._history.opened() if len(found) > 1 else {}
            return max(found, key=lambda path: last.get(str(path), 0.0))
        opened = [path for path in external_projects.read_external_projects(self.root) if path.name == name]
        raise self.gone_error(opened[-1] if opened else self.root / name, name)

    def first(self) -> Path:
        """The default project: the existing project that was opened last; if that is unknown, the sample or the first.

        Raises `NoProject` if there is no project, and `ProjectGone` if all projects that were opened are gone.
        """
        known = self.projects()
        if not known:
            raise NoProject("there is no project in this workspace; make one, or open one")
        opened = [Path(path) for path in self._history.opened()]
        for path in opened:
            if path in known and has_name_for_address(path):
                return path
        if opened and len(known) > 1:
            raise self.gone_error(opened[0], opened[0].name)
        found = {path.name: path for path in reversed(known)}
        return found.get(SAMPLE_NAME) or next(filter(has_name_for_address, known), known[0])

    def gone_error(self, where: Path, name: str) -> ProjectGone:
        """The error for a project that is not in the folder `where`.

        It says if a project of this name was renamed and is there under the new name, or else if the project is in the
        bin, perhaps under the new name.
        """
        if where.parent == self.root and untrusted_files.is_file_name(name):
            renamed = self._history.renamed_to(name)
            last_name = renamed or name
            deleted = next((entry for entry in self.bin() if entry.name == last_name), None)
            if renamed and is_project(self.root / last_name) and untrusted_files.is_file_name(last_name):
                return ProjectGone(
                    f'project "{name}" was renamed to "{last_name}"; open it by its new name', self.root / last_name
                )
            if deleted:
                now = f', which is called "{deleted.name}" now,' if deleted.name != name else ""
                return ProjectGone(
                    f'project "{name}"{now} was deleted {day_and_time(deleted.deleted)} and lies in the bin; bring it '
                    "back, or choose another one",
                    deleted=deleted,
                )
        place = f": none lies at {where}" if untrusted_files.is_file_name(name) else ""
        name = name if len(name) <= _LONGEST_SHOWN else f"{name[: _LONGEST_SHOWN - 1]}…"
        return ProjectGone(
            f'project "{name}" is not there{place}; put it back, or choose another one from the list of projects'
        )

    def is_own(self, project: Path) -> bool:
        """Whether a project is in the workspace folder itself, not in another folder or behind a link."""
        return project.parent == self.root and untrusted_files.is_real_folder(project)

    def is_taken(self, name: str) -> bool:
        """Whether a project or another entry of the workspace has this name, or a name that is equal on some file
        systems (`Balloon` and `balloon`)."""
        return self._holder(name) is not None

    def about(self, project: Path) -> ProjectFacts:
        """The facts of a project for a list. Raises `StudioError` for a project that cannot be read."""
        counts = Project.open(project).counts()
        runs = sum(is_project_run(project / RUNS / name) for name in project_runs.run_folder_names(project))
        return ProjectFacts(counts.pictures, counts.done, runs, self._history.opened().get(str(project)))

    def note_opened(self, project: Path) -> None:
        """Record that a project was opened now. Errors of the disk are ignored."""
        self._history.note_opened(project)

    # Create projects

    def create(self, name: str) -> Path:
        """Create a new, empty project in the workspace and return its folder.

        Raises `ArgumentError` if the name is invalid or taken.
        """
        name = folder_names.folder_name(name, "project")
        with self._changing():
            self._require_free(name)
            with named_os_errors(self.root / name, "be made"):
                Project.create(self.root / name, name)
            self._history.forget_renamed(name)
        return self.root / name

    def create_sample(self) -> Path:
        """Create the sample project with pictures, labels and the run of a shipped model, and return its folder.

        If two pages call this at the same time, only one project is created. Raises `StudioError` if files cannot be
        written.
        """
        with _creating:
            if found := [path for path in self._own_projects() if path.name == SAMPLE_NAME]:
                return found[0]
            with self._building(SAMPLE_NAME) as folder:
                new_projects.make_sample(folder)
                return self._place(folder, SAMPLE_NAME, number=True)

    def open_folder(self, text: str) -> Path:
        """Like `opened`, but returns only the folder of the project."""
        return self.opened(text).folder

    def opened(self, text: str) -> OpenedProject:
        """Open the path that the user typed. A project folder is used in place. Other data become a new project.

        Other data are labels of any format with their pictures, pictures alone, or a zip of these. Raises
        `StudioError` with the path and advice if it cannot be opened, also if none of the pictures is found.
        """
        path = typed_path(text)
        if path.name == DATABASE and is_project(path.parent):
            path = path.parent
        if is_project(path):
            path = path.resolve()
            require_name_for_address(path)
            Project.open(path)
            if path not in self.projects():
                external_projects.add_external_project(self.root, path)
            return OpenedProject(path)
        with intake.stage_path(path, workspace=self.root) as staged:
            new_projects.check_new_project(staged, path)
            path = path.resolve()
            name = folder_names.safe(path.name if path.is_dir() else f"{path.parent.name}-{path.stem}")
            if folded(name).startswith(_OWN_FILES):
                name = f"project {name}"
            with self._building(name) as folder:
                report, remarks = new_projects.make_of_labels(folder, self.free_name(name), staged.dataset)
                return OpenedProject(self._place(folder, name, number=True), report, (*remarks, *staged.warnings))

    def duplicate(
        self, project: Path, name: str, *, runs: bool = True, progress: Progress | None = None
    ) -> DuplicateProject:
        """Copy a project into the workspace under the new name `name`, with or without its runs.

        The copy shares no files with the original, and appears in the list only when it is complete. Raises
        `ArgumentError` if the name is invalid or taken. Raises `StudioError` if files cannot be read or written, if the
        project contains links, or while pictures are being imported into it.
        """
        name = folder_names.folder_name(name, "project")
        self._require_free(name)
        self._require_there(project)
        if project.parent == self.root and not self.is_own(project):
            raise StudioError(f'project "{project.name}": is a link, so it is not copied; duplicate what it leads to')
        source = Project.open(project)
        if source.is_importing():
            raise StudioError(f'project "{project.name}": pictures are being imported into it; wait until that is done')
        left_out = in_use.busy_runs(project) if runs else ()
        skip = [f"{RUNS}/{run}" for run in left_out] if runs else [RUNS]
        with self._building(name) as folder:
            folder.mkdir()
            project_copy.copy_project(source, folder, name, skip, progress)
            Project.open(folder).counts()
            return DuplicateProject(self._place(folder, name), left_out)

    # Rename, delete

    def rename(self, project: Path, name: str) -> Path:
        """Rename a project of the workspace and return its new folder. Its runs are kept, and addresses with the old
        name report the new name.

        Raises `ArgumentError` if the name is invalid or taken. Raises `StudioError` if the project is not in the
        workspace folder, does not exist, has a running or waiting training, or pictures are being imported into it.
        """
        name = folder_names.folder_name(name, "project")
        with self._changing():
            self._require_own(project, "renamed", "rename its folder there, and open it again")
            target = self.root / name
            if name == project.name:
                return project
            self._require_free(name, project)
            with in_use.without_trainings(self.root, project, "renamed"):
                # Record the rename first: if the computer stops after this, the record is either unused or correct.
                self._history.note_renamed(project.name, name)
                try:
                    with named_os_errors(project, "be renamed"):
                        os.rename(project, target)
                except StudioError:
                    self._history.forget_renamed(project.name)
                    raise
                self._history.note_moved(project.name, name)
            # The name inside the project is used only for exports; everywhere else, the folder is the name.
            with suppress(StudioError):
                Project(target).set_name(name)
        return target

    def delete(self, project: Path, *, waiting_too: bool = False) -> Deleted:
        """Move a project of the workspace, with all its files, into the bin.

        With `waiting_too`, waiting trainings of the project are removed from the queue; without it, they raise
        `JobsWait`. Raises `StudioError` if the project is not in the workspace folder, does not exist, has a running
        training, or pictures are being imported into it.
        """
        with self._changing():
            self._require_own(project, "deleted", "take it off the list instead")
            if waiting_too:
                in_use.take_out_waiting(self.root, project)
            with in_use.without_trainings(self.root, project, "deleted"):
                project_bin.sweep(self.root)
                with named_os_errors(project, "be moved into the bin"):
                    return project_bin.put(self.root, project)

    def require_idle(self, project: Path) -> None:
        """Raise like `delete` if the project is in use; change nothing."""
        with in_use.without_trainings(self.root, project, "deleted"):
            pass

    def remove_from_list(self, project: Path) -> None:
        """Remove a project in another folder from the list, without changing it. `open_folder` adds it again."""
        external_projects.remove_external_project(self.root, project)

    # The bin

    def bin(self) -> list[Deleted]:
        """The deleted projects, the newest first."""
        return project_bin.entries(self.root)

    def restore(self, id: str, name: str | None = None) -> Path:
        """Restore a project from the bin, under its old name or under `name`. Returns its folder.

        Raises `ArgumentError` if the name is taken or invalid, `StudioError` if the project is not in the bin.
        """
        with self._changing():
            deleted = project_bin.entry(self.root, id)
            name = deleted.name if name is None else folder_names.folder_name(name, "project")
            self._require_free(name)
            with named_os_errors(deleted.folder, "be brought back"):
                project_bin.take_out(deleted, self.root / name)
            self._history.forget_renamed(name)
        return self.root / name

    def free_name(self, wanted: str) -> str:
        """The name `wanted` if it is not taken; otherwise this name with the first free number."""
        return unused_name(wanted, self.is_taken, HYPHEN)

    def destroy(self, id: str) -> None:
        """Delete a project of the bin permanently. Raises `StudioError` if it is not there or cannot be deleted."""
        project_bin.destroy(self.root, project_bin.entry(self.root, id))

    # Internal

    def _own_projects(self) -> list[Path]:
        """The projects in the workspace folder, sorted by name. Links that lead out of the workspace are ignored."""
        try:
            folders = [path for path in self.root.iterdir() if not path.name.startswith(".")]
        except OSError as error:
            raise StudioError(
                f"{self.root}: the workspace cannot be read ({error.strerror}); mend its rights"
            ) from None
        found = (path for path in folders if is_project(path) and untrusted_files.is_confined(path, [self.root]))
        return sorted(found, key=lambda path: natural_key(path.name))

    def _holder(self, name: str, besides: Path | None = None) -> str | None:
        """The entry of the workspace whose name equals `name` on some file system; None if there is none.

        `besides` is a project to ignore: the project that is being renamed.
        """
        if os.path.lexists(self.root / name) and not (besides and are_same_folder(self.root / name, besides)):
            return name
        wanted = folded(name)
        with suppress(OSError):
            for other in os.listdir(self.root):
                if folded(other) == wanted and (besides is None or other != besides.name):
                    return other
        return None

    def _require_free(self, name: str, besides: Path | None = None) -> None:
        """Raise `ArgumentError` if `name` is reserved or taken; see `_holder` for `besides`."""
        if folded(name).startswith(_OWN_FILES):
            raise ArgumentError(
                f'"{name}" cannot be the name of a project: the studio has a file of that name; take another'
            )
        holder = self._holder(name, besides)
        if holder is not None and not is_project(self.root / holder):
            raise ArgumentError(
                f'"{name}" exists already, as something in the workspace that is no project; take another name'
            )
        if holder == name:
            raise ArgumentError(f'project "{name}" exists already; choose it from the list or take another name')
        if holder is not None:
            raise ArgumentError(
                f'"{name}" exists already as "{holder}", which some computers take for the same; take another name'
            )

    def _require_there(self, project: Path) -> None:
        """Raise `ProjectGone` if the project does not exist."""
        if not is_project(project):
            raise self.gone_error(project, project.name)

    def _require_own(self, project: Path, done: str, advice: str) -> None:
        """Raise `StudioError` if the project is not in the workspace folder itself. `done` ("renamed") and `advice` are
        parts of the message."""
        if project.parent != self.root:
            raise StudioError(f'project "{project.name}" lies at {project.parent}, so it is not {done} here; {advice}')
        self._require_there(project)
        if not self.is_own(project):
            raise StudioError(
                f'project "{project.name}" is a link to another place, so it is not {done}; take the link away yourself'
            )

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock of the workspace, so that no other process adds, renames or deletes a project in the block."""
        with ExitStack() as stack:
            with named_os_errors(self.root, "be changed"):
                stack.enter_context(alone(self.root / LOCK))
            yield

    @contextmanager
    def _building(self, name: str) -> Iterator[Path]:
        """The path of a hidden folder in which a project is built before it is moved to its name (`_place`).

        The folder is not created yet. It is deleted after the block, if it still exists.
        """
        self._sweep()
        folder = self.root / f".building-{os.getpid()}-{new_id()[:8]}"
        try:
            with named_os_errors(self.root / name, "be made"):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _place(self, folder: Path, name: str, *, number: bool = False) -> Path:
        """Move a finished project from `folder` to its name. With `number`, a number is added if the name is taken."""
        with self._changing():
            if number:
                name = self.free_name(name)
            self._require_free(name)
            os.rename(folder, self.root / name)
            self._history.forget_renamed(name)
        return self.root / name

    def _sweep(self) -> None:
        """Delete unfinished projects of processes that have died (see `_building`)."""
        with suppress(OSError):
            for path in self.root.iterdir():
                found = _BUILDING.fullmatch(path.name)
                if found and untrusted_files.is_real_folder(path) and not psutil.pid_exists(int(found[1])):
                    shutil.rmtree(path, ignore_errors=True)
