"""Editing state of the Annotate page: saves changes from the canvas, the region table and the keys in the project.

An `Editor` belongs to one mounted canvas. Each message of the canvas is saved immediately, based on the editor's
revision. If another tab or user saved the picture after that revision, nothing is overwritten: the two versions become
a conflict (`Editor.conflict`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import Project, StaleSave, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.simple_canvas.class_picker import class_of_new_region
from maskrcnn.studio.annotate.three_way_merge import Regions, merged
from maskrcnn.studio.components import canvas
from maskrcnn.studio.components.canvas_drawing import Drawing
from maskrcnn.studio.components.canvas_objects import on_canvas
from maskrcnn.studio.components.canvas_view import View
from maskrcnn.studio.components.class_colours import class_colours

_EDITORS = "annotate_editors"
_GENERATION = "annotate_generation"
_SELECTED = "annotate_selected"
_KEPT = 4
"""Number of editors that are kept, because late messages of an old canvas may still arrive."""


@dataclass(frozen=True)
class Conflict:
    """Two versions of one picture's regions, `mine` and `theirs`, which were both edited from `base`.

    Both are in the history: `theirs` is the current version, and `mine` is one undo step before it.
    """

    base: Regions
    mine: Regions
    theirs: Regions


@dataclass
class Editor:
    """One picture on one mounted canvas. `key` is the widget key of the canvas; each mount has its own.

    `revision` is the revision that the canvas shows. `seen` is the newest revision that this tab saved or showed.
    `is_over` is True once a conflict is resolved: later messages of the canvas are then ignored.
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
        """The current regions of the picture."""
        return self.drawing.regions

    @property
    def painted(self) -> set[str]:
        """Ids of the regions that are painted in their colours on the background.

        These are the regions that the canvas cannot edit, and the newly drawn ones, which the canvas shows in white.
        """
        coloured = {region.id for region in self.drawing.base if on_canvas(region.shape)}
        return {region.id for region in self.regions} - coloured


def open_editor(project: Project, image: StoredImage, view: View, mode: canvas.Mode) -> Editor:
    """Return the editor for this picture: the last one if its canvas is mounted and up to date, else a new one."""
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
    """Return the editor of the canvas with this key."""
    return st.session_state[_EDITORS][key]


def last_editor() -> Editor | None:
    """Return the editor of the canvas that was mounted last; None before the first one."""
    return next(reversed(st.session_state.get(_EDITORS, {}).values()), None)


def select_region(editor: Editor, number: int) -> None:
    """Select a region by its index. Keys such as Delete act on the selected region."""
    st.session_state[_SELECTED] = editor.image_id, editor.regions[number].id


def selected_index(editor: Editor) -> int | None:
    """Return the index of the selected region; None if no region is selected."""
    chosen = st.session_state.get(_SELECTED)
    ids = [(editor.image_id, region.id) for region in editor.regions]
    return ids.index(chosen) if chosen in ids else None


def remount() -> None:
    """Mount a new canvas in the next script run, because class colours or names changed."""
    st.session_state.pop(_EDITORS, None)


def take_drawing(key: str) -> None:
    """Save the last message of the canvas with this key, even if the page now shows another picture."""
    editor: Editor | None = st.session_state.get(_EDITORS, {}).get(key)
    objects = canvas.objects_of(key)
    if editor is None or objects is None or editor.is_over:
        return
    drawing = editor.drawing.after(objects, lambda shape: Region(shape, class_of_new_region()))
    if drawing.regions == editor.regions:
        return
    _save_or_conflict(editor, drawing.regions, drawing)


def save_regions(key: str, regions: Regions) -> None:
    """Save regions that were changed outside the canvas (table, keys), and mount a new canvas with them."""
    editor = editor_of(key)
    if regions != editor.regions:
        _save_or_conflict(editor, regions, None)


def undo_or_redo(key: str, direction: str) -> None:
    """Undo or redo (`direction`) the last save of the picture, unless this tab has not shown that save yet."""
    editor = editor_of(key)
    project = Project(editor.project)

    def run() -> None:
        _, now = project.regions(editor.image_id)
        if now != editor.seen:
            raise StudioError(
                "This picture was saved elsewhere meanwhile, and is shown as it is now; "
                f"press {direction.capitalize()} again to step from there."
            )
        editor.seen = (project.undo if direction == "undo" else project.redo)(editor.image_id)

    _run_and_note_result(editor, run)


def resolve(key: str, choice: str) -> None:
    """Resolve a conflict. `choice` is "both" (merge), "mine" or "theirs"; the other version stays in the history."""
    editor = editor_of(key)
    conflict, project = editor.conflict, Project(editor.project)
    if conflict is None:  # a second click before the dialog closed
        return

    def save() -> None:
        theirs, revision = project.regions(editor.image_id)
        if choice == "both":
            project.save(editor.image_id, merged(conflict.base, conflict.mine, theirs), revision)
        elif choice == "mine":
            project.save(editor.image_id, conflict.mine, revision)
        # A new canvas is mounted in the next script run. A late message of this canvas must not reopen the conflict.
        editor.conflict, editor.is_over = None, True

    _run_and_note_result(editor, save)


def _save_or_conflict(editor: Editor, regions: Regions, drawing: Drawing | None) -> None:
    """Save regions, based on the editor's revision. If another tab saved different regions meanwhile, note a conflict.

    With a `drawing` the canvas stays mounted. Without a `drawing` the editor keeps its old revision, so the next script
    run mounts a new canvas. In a conflict two revisions are saved: these regions, then those of the other tab, which
    stay the current version. One undo gives these regions, so they are not lost if the user never resolves the
    conflict.
    """

    def save() -> None:
        project = Project(editor.project)
        try:
            revision = project.save(editor.image_id, regions, editor.revision)
        except StaleSave as stale:
            theirs, their_revision = stale.regions, stale.revision
            if theirs == regions:  # the same change again; a table may send it twice
                revision = their_revision
            elif theirs == editor.regions:  # no other change, only a newer revision: for example after undo and redo
                revision = project.save(editor.image_id, regions, their_revision)
            else:
                my_revision = project.save(editor.image_id, regions, their_revision)
                project.save(editor.image_id, theirs, my_revision)
                base = editor.conflict.base if editor.conflict is not None else editor.regions
                editor.conflict = Conflict(base, mine=regions, theirs=theirs)
                # If the canvas sends the same drawing again, it must count as unchanged.
                editor.drawing = drawing or editor.drawing
                return
        editor.seen = revision
        if drawing is not None:
            editor.drawing, editor.revision, editor.conflict = drawing, revision, None

    _run_and_note_result(editor, save)


def _run_and_note_result(editor: Editor, action: Any) -> None:
    """Run an action on the project store, and note its time or its error for the status line."""
    editor.problem = None
    try:
        action()
    except StudioError as error:
        editor.problem = str(error)
        return
    if editor.conflict is None:
        editor.saved_at = time.strftime("%H:%M:%S")
