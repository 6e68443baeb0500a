"""Saves what the canvas, the table and the keys of the Annotate page change in the project store.

An `Editor` belongs to one mounted canvas. Each message of the canvas is saved at once, on top of the revision that the
editor holds. A save by somebody else since then is never overwritten: it becomes a conflict (`Editor.conflict`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations.regions import Region, Shape, Skeleton
from maskrcnn.annotations.store import Project, StaleSave, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.three_way_merge import Regions, merged
from maskrcnn.studio.components import canvas
from maskrcnn.studio.components.canvas_drawing import Drawing
from maskrcnn.studio.components.canvas_objects import on_canvas
from maskrcnn.studio.components.canvas_view import View
from maskrcnn.studio.components.class_colours import class_colours

FIRST_CLASS = "object"
"""The class of the first region in a project without classes."""


_EDITORS = "annotate_editors"
_GENERATION = "annotate_generation"
_CLASS = "annotate_class"
_NEXT_CLASS = "annotate_next_class"
_SELECTED = "annotate_selected"
_KEPT = 4


@dataclass(frozen=True)
class Conflict:
    """Two versions of one picture's regions, `mine` and `theirs`, that both started from `base`.

    Both are in the history: theirs is stored now, mine is one undo before it.
    """

    base: Regions
    mine: Regions
    theirs: Regions


@dataclass
class Editor:
    """One picture on one mounted canvas. `key` is the canvas's; no other mount uses it.

    `revision` is the one that the canvas shows, `seen` the newest one that this tab made or was shown. An editor
    `is_over` once its conflict is resolved: later messages of its canvas are ignored.
    """

    project: Path
    image_id: int
    key: str
    mode: canvas.Mode
    drawing: Drawing
    revision: int
    seen: int
    saved_at: str | None = None
    problem: str | None = None
    conflict: Conflict | None = None
    is_over: bool = False

    @property
    def regions(self) -> Regions:
        return self.drawing.regions

    @property
    def painted(self) -> set[str]:
        """Ids of the regions that the background shows in colour: those the canvas cannot edit, and newly drawn ones,
        which are white on the canvas."""
        coloured = {region.id for region in self.drawing.base if on_canvas(region.shape)}
        return {region.id for region in self.regions} - coloured


def skeletons(project: Project) -> dict[str, Skeleton]:
    """The skeletons of the classes that have keypoints."""
    return {entry.name: entry.skeleton for entry in project.classes() if entry.skeleton}


def open_editor(project: Project, image: StoredImage, view: View, mode: canvas.Mode) -> Editor:
    """The editor for this picture: the last one while its canvas is mounted and up to date, else a new one."""
    editors: dict[str, Editor] = st.session_state.setdefault(_EDITORS, {})
    last = next(reversed(editors.values()), None)
    if (
        last is not None
        and not last.is_over
        and canvas.mounted(last.key)
        and (last.project, last.image_id, last.mode, last.drawing.view) == (project.folder, image.id, mode, view)
        and (last.revision == image.revision or last.conflict is not None)
    ):
        return last
    generation = st.session_state.get(_GENERATION, 0) + 1
    st.session_state[_GENERATION] = generation
    regions, revision = project.regions(image.id)
    drawing = Drawing.start(regions, view, class_colours(project))
    editor = Editor(project.folder, image.id, f"annotate_canvas_{generation}", mode, drawing, revision, revision)
    if last is not None and (last.project, last.image_id) == (editor.project, editor.image_id):
        editor.saved_at, editor.problem = last.saved_at, last.problem
    editors[editor.key] = editor
    for key in list(editors)[:-_KEPT]:
        del editors[key]
    return editor


def editor_of(key: str) -> Editor:
    """The editor of the canvas of this key."""
    return st.session_state[_EDITORS][key]


def last_editor() -> Editor | None:
    """The editor of the canvas that was mounted last."""
    return next(reversed(st.session_state.get(_EDITORS, {}).values()), None)


def select_region(editor: Editor, number: int) -> None:
    """Select a region, counted from 0; keys act on the selected one."""
    st.session_state[_SELECTED] = editor.image_id, editor.regions[number].id


def selected(editor: Editor) -> int | None:
    """Number of the selected region, counted from 0; None where none is selected."""
    chosen = st.session_state.get(_SELECTED)
    ids = [(editor.image_id, region.id) for region in editor.regions]
    return ids.index(chosen) if chosen in ids else None


def remount() -> None:
    """Mount a new canvas in the next run, because class colours or names changed."""
    st.session_state.pop(_EDITORS, None)


def take_drawing(key: str) -> None:
    """Save the last message of the canvas of this key, even when the page shows another picture by now."""
    editor: Editor | None = st.session_state.get(_EDITORS, {}).get(key)
    objects = canvas.objects_of(key)
    if editor is None or objects is None or editor.is_over:
        return
    drawing = editor.drawing.after(objects, _new_region)
    if drawing.regions == editor.regions:
        return
    _save(editor, drawing.regions, drawing)


def change(key: str, regions: Regions) -> None:
    """Save regions that were changed outside the canvas, and mount a new canvas with them."""
    editor = editor_of(key)
    if regions != editor.regions:
        _save(editor, regions, None)


def step(key: str, direction: str) -> None:
    """Undo or redo the last save of the picture, unless it is one that this tab has not shown yet."""
    editor = editor_of(key)
    project = Project(editor.project)

    def go() -> None:
        _, now = project.regions(editor.image_id)
        if now != editor.seen:
            raise StudioError(
                "This picture was saved elsewhere meanwhile, and is shown as it is now; "
                f"press {direction.capitalize()} again to step from there."
            )
        editor.seen = (project.undo if direction == "undo" else project.redo)(editor.image_id)

    _attempt(editor, go)


def resolve(key: str, choice: str) -> None:
    """Resolve a conflict: `choice` is "both" (merge), "mine" or "theirs". The other version stays in the history."""
    editor = editor_of(key)
    conflict, project = editor.conflict, Project(editor.project)
    if conflict is None:  # a second click, before the window closed
        return

    def save() -> None:
        theirs, revision = project.regions(editor.image_id)
        if choice == "both":
            project.save(editor.image_id, merged(conflict.base, conflict.mine, theirs), revision)
        elif choice == "mine":
            project.save(editor.image_id, conflict.mine, revision)
        # A new canvas is mounted now; a late message of this one must not reopen the conflict.
        editor.conflict, editor.is_over = None, True

    _attempt(editor, save)


def chosen_class(project: Project) -> str | None:
    """The class that the next region gets; None in a project without classes.

    A choice takes effect in the next run of the script, so that a polygon in the same message still gets the class with
    which it was drawn.
    """
    names = [entry.name for entry in project.classes()]
    chosen = st.session_state.pop(_NEXT_CLASS, None) or st.session_state.get(_CLASS)
    if chosen not in names:
        chosen = names[0] if names else None
    st.session_state[_CLASS] = chosen
    return chosen


def choose_class(name: str) -> None:
    """Choose the class of the next region; for callbacks and keys."""
    st.session_state[_NEXT_CLASS] = name


def _new_region(shape: Shape) -> Region:
    return Region(shape, st.session_state.get(_CLASS) or FIRST_CLASS)


def _save(editor: Editor, regions: Regions, drawing: Drawing | None) -> None:
    """Save on top of the editor's revision.

    With a `drawing` the canvas stays mounted. Without one the editor keeps its old revision, so that the next run
    mounts a new canvas. Where somebody saved other regions since then, theirs stay stored, and these go into the
    history before them: they are safe even if the tab is closed before the conflict is resolved.
    """

    def save() -> None:
        project = Project(editor.project)
        try:
            revision = project.save(editor.image_id, regions, editor.revision)
        except StaleSave as stale:
            if stale.regions == regions:
                revision = stale.revision  # a table may send the same change twice
            elif stale.regions != editor.regions:
                mine = project.save(editor.image_id, regions, stale.revision)
                project.save(editor.image_id, stale.regions, mine)
                base = editor.conflict.base if editor.conflict is not None else editor.regions
                editor.conflict = Conflict(base, regions, stale.regions)
                # The canvas may send the same drawing again; then nothing has changed.
                editor.drawing = drawing or editor.drawing
                return
            else:  # another revision with the same regions, as after undo and redo
                revision = project.save(editor.image_id, regions, stale.revision)
        editor.seen = revision
        if drawing is not None:
            editor.drawing, editor.revision, editor.conflict = drawing, revision, None

    _attempt(editor, save)


def _attempt(editor: Editor, action: Any) -> None:
    """Run an action on the store, and keep its time or its error for the status line."""
    editor.problem = None
    try:
        action()
    except StudioError as error:
        editor.problem = str(error)
        return
    if editor.conflict is None:
        editor.saved_at = time.strftime("%H:%M:%S")
