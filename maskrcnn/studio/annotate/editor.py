"""The editor of the Annotate page: a component that talks to the server by the routes of `editor_routes`.

Streamlit only mounts it. The browser shows other pictures without a script run, and tells Python afterwards, so that
the URL names the picture that is shown. Every such step has a serial: `data["serial"]` is that of the last step Python
knows of, so the browser can tell a late answer from a link that asks for another picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.studio.annotate import picture_navigation
from maskrcnn.studio.annotate.editor_routes import editor_url, project_identity
from maskrcnn.studio.annotate.review import page_links
from maskrcnn.studio.serving import browser_code
from maskrcnn.studio.shell import session

KEY = "annotate_editor"
"""Key of the component; the style sheet of the studio finds the page by its class `st-key-annotate_editor`."""

_SERIAL = "annotate_editor_serial"
_LEFT = "annotate_editor_left"
"""File names of the pictures that were left during this visit of the page."""
_OWNER = "annotate_editor_project"
"""Folder of the project that the editor showed last."""
_HEIGHT = 600
"""Height in CSS pixels until the browser has measured its window."""

_editor = st.components.v2.component(
    "studio_editor",
    html=f'<div style="min-height: {_HEIGHT}px"></div>',
    js=browser_code.importing_script(Path(__file__).parent / "editor" / "editor.js"),
)


def show(project: Project, images: Sequence[StoredImage]) -> None:
    """Draw the editor with the picture in the URL (`?image=FILE`), else the last one of the session, else the first.

    An object in the URL (`?object=`), or a walk through suspected label errors (`?review=`), is shown in the picture.

    The editor tells of each picture that it shows, also when the browser goes back or forward. So the URL of a picture
    that was left during this visit of the page is old, however late its message comes, and is not followed. It is not
    replaced either: it may be that of a step back, of which the editor's own message is still on its way.
    """
    here, asked = picture_navigation.shown_image(project), st.query_params.get("image")
    is_old = asked in _left(project)
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


def _left(project: Project) -> set[str]:
    """File names of the pictures that were left during this visit of the page."""
    if KEY not in st.session_state or st.session_state.get(_OWNER) != str(project.folder):
        st.session_state[_OWNER], st.session_state[_LEFT] = str(project.folder), set()
    left: set[str] = st.session_state[_LEFT]
    return left


def _go_to(project: Project, image: StoredImage) -> None:
    """Open a picture, and note which ones were left for it: the last one, and the one in the URL.

    In a new session after a lost connection, the last one is not known.
    """
    left = _left(project)
    left.update(filter(None, (picture_navigation.shown_image(project), st.query_params.get("image"))))
    left.discard(image.file_name)
    picture_navigation.go_to(project, image)
