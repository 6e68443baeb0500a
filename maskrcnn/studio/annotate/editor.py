"""The editor of the Annotate page: a component that talks to the server by the routes of `editor_routes`.

Streamlit only mounts it. The browser shows other pictures without a script run, and tells Python afterwards, so that
the URL names the picture that is shown. Every such step has a serial: `data["serial"]` is that of the last step Python
knows of, so the browser can tell a late answer from a link that asks for another picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.studio.annotate import picture_navigation
from maskrcnn.studio.annotate.editor_routes import editor_url, project_identity
from maskrcnn.studio.annotate.review import page_links
from maskrcnn.studio.serving import browser_code
from maskrcnn.studio.shell import page_visits, session

KEY = "annotate_editor"
"""Key of the component; the style sheet of the studio finds the page by its class `st-key-annotate_editor`."""

_SERIAL = "annotate_editor_serial"
_VISIT = "annotate_editor_visit"
_HEIGHT = 600
"""Height in CSS pixels until the browser has measured its window."""

_editor = st.components.v2.component(
    "studio_editor",
    html=f'<div style="min-height: {_HEIGHT}px"></div>',
    js=browser_code.importing_script(Path(__file__).parent / "editor" / "editor.js"),
)


@dataclass
class _Visit:
    """A visit of the page, with one project."""

    number: int
    project: str
    """Folder of the project."""
    is_linked: bool
    """Whether another page of the studio led to a picture: then no earlier step of the browser counts."""
    left: set[str] = field(default_factory=set)
    """File names of the pictures that were left."""


def show(project: Project, images: Sequence[StoredImage]) -> None:
    """Draw the editor with the picture in the URL (`?image=FILE`), else the last one of the session, else the first.

    An object in the URL (`?object=`), or a walk through suspected label errors (`?review=`), is shown in the picture.

    The editor tells of each picture that it shows, also when the browser goes back or forward. So the URL of a picture
    that was left during this visit of the page is old, however late its message comes, and is not followed. It is not
    replaced either: it may be that of a step back, of which the editor's own message is still on its way.
    """
    here, asked = picture_navigation.shown_image(project), st.query_params.get("image")
    is_old = asked in _visit(project).left
    image = picture_navigation.named(images, here if is_old else asked or here)
    if not is_old or image.file_name != here:
        _go_to(project, image)
    _editor(
        key=KEY,
        data={
            "server": editor_url(project),
            "project": project_identity(project),
            "image": image.file_name,
            "serial": st.session_state.get(_SERIAL),
            "isLinked": _visit(project).is_linked,
            "link": page_links.asked(),
        },
        default={"shown": None},
        on_shown_change=partial(_take_shown, project),
    )


def _take_shown(project: Project) -> None:
    """Write the picture that the browser shows now into the URL. Each step is handled once, by its serial."""
    shown: Any = st.session_state[KEY].get("shown")
    if not isinstance(shown, Mapping) or shown.get("serial") == st.session_state.get(_SERIAL):
        return
    st.session_state[_SERIAL] = shown.get("serial")
    with session.fail_softly(stop=False):
        for image in project.images():
            if image.file_name == shown.get("name"):
                _go_to(project, image)


def _visit(project: Project) -> _Visit:
    """The present visit of the page."""
    number, folder = page_visits.number(), str(project.folder)
    visit: _Visit | None = st.session_state.get(_VISIT)
    if visit is None or (visit.number, visit.project) != (number, folder):
        visit = st.session_state[_VISIT] = _Visit(number, folder, number > 1 and "image" in st.query_params)
    return visit


def _go_to(project: Project, image: StoredImage) -> None:
    """Open a picture, and note which ones were left for it: the last one, and the one in the URL.

    In a new session after a lost connection, the last one is not known.
    """
    left = _visit(project).left
    left.update(filter(None, (picture_navigation.shown_image(project), st.query_params.get("image"))))
    left.discard(image.file_name)
    picture_navigation.go_to(project, image)
