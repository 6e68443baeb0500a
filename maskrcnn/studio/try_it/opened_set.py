"""The set that the Try it page shows: the one in the URL, with all that the parts of the page need of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.studio.components.class_colours import category_colours
from maskrcnn.studio.shell import session
from maskrcnn.studio.try_it.sets import finding, set_folders, tried_set, works
from maskrcnn.studio.try_it.sets.incoming import GivenIn
from maskrcnn.studio.try_it.sets.tried_set import SetNetwork, TriedSet
from maskrcnn.studio.try_it.sets.works import Work

PAGE = "try_it"
"""Prefix of the page's keys in the session state, and name under which its choices are remembered."""

SET = "set"
"""The query parameter that names the set."""

_OF_A_SET = ("image", "sort", "class")
"""Query parameters that belong to one set."""


@dataclass(frozen=True)
class OpenedSet:
    """A set that the page shows.

    `project` is the project of the tab, `source` that of the set (None: it is gone). `done` are the positions of the
    pictures that were looked at. `work` is the search for objects, if it was started since the server runs;
    `is_running` says whether it was running when `done` was read.
    """

    workspace: Path
    project: Project
    source: Project | None
    tried: TriedSet
    done: tuple[int, ...]
    work: Work | None
    is_running: bool

    @property
    def colours(self) -> tuple[str, ...]:
        """The colour of each class of the network, `#rrggbb`."""
        categories = [{"id": number, "name": name} for number, name in enumerate(self.tried.config.names, start=1)]
        return tuple(category_colours(self.project, categories).values())

    def path(self, position: int) -> Path:
        """The file of a picture. Raises `StudioError` if it is gone."""
        return tried_set.picture_path(self.workspace, self.source, self.tried, position)


def asked(project: Project) -> OpenedSet | None:
    """Read the set that the URL names; None without one. One that is gone is told in a message."""
    identity = st.query_params.get(SET)
    if identity is None:
        return None
    workspace = session.workspace()
    try:
        work = works.work_of("finding", workspace, identity)
        is_running = work is not None and work.is_running
        tried = tried_set.read(workspace, identity)  # after the state of the work: what it did last is in it
        done = tuple(tried_set.done(workspace, tried))
        return OpenedSet(workspace, project, source_of(project, tried), tried, done, work, is_running)
    except StudioError as error:
        leave()
        session_message(error)
        return None


def source_of(project: Project, tried: TriedSet) -> Project | None:
    """The project of a set; None if it is gone. `project` is that of the tab."""
    if tried.project == project.folder.name:
        return project
    try:
        return Project.open(session.this_workspace().find(tried.project))
    except StudioError:
        return None


def start(
    project: Project,
    network: SetNetwork,
    config: Config,
    given_in: GivenIn,
    now: float,
    afterwards: Callable[[], None],
) -> None:
    """Make a set of what was given, let the network look at it, and show it: the page runs again.

    `given_in` puts the pictures into the folder of the new set; `afterwards` is called when they are there. Raises
    `StudioError` if that fails, and leaves nothing.
    """
    workspace = session.workspace()
    folder = set_folders.new_folder(workspace)
    try:
        given = given_in(folder)
        tried = TriedSet(
            folder.name,
            now,
            project.folder.name,
            given.title,
            network,
            config.model_dump(mode="json"),
            given.pictures,
            given.unreadable,
            video=given.video,
        )
        tried_set.write(workspace, tried)
    except BaseException:
        set_folders.delete(workspace, folder.name)
        raise
    set_folders.make_room(workspace, [folder.name])
    finding.start(workspace, project, tried)
    afterwards()
    show(folder.name)
    st.rerun()


def show(identity: str) -> None:
    """Write the set into the URL; also for callbacks."""
    for name in _OF_A_SET:
        st.query_params.pop(name, None)
    st.query_params[SET] = identity


def leave() -> None:
    """Leave the set, so that the page asks for pictures; also for callbacks."""
    for name in (SET, *_OF_A_SET):
        st.query_params.pop(name, None)


def delete(identity: str) -> None:
    """Delete a set; for callbacks. If it is the one that is shown, the page asks for pictures."""
    workspace = session.workspace()
    works.forget(workspace, identity)
    with session.fail_softly(stop=False):
        set_folders.delete(workspace, identity)
    if st.query_params.get(SET) == identity:
        leave()


_MESSAGE = f"{PAGE}_message"


def session_message(error: StudioError) -> None:
    """Keep a message for the next `pop_message` of this tab."""
    st.session_state[_MESSAGE] = str(error)


def pop_message() -> str | None:
    """The message that was kept, once."""
    return st.session_state.pop(_MESSAGE, None)
