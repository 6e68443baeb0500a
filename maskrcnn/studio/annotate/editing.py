"""The labels of the picture that is being annotated, between the canvas, the table and the project store.

An `Editor` belongs to one mounted canvas. What the canvas sends is saved at once, on top of the revision that the
editor holds; whoever saved the same picture meanwhile is never overwritten (`Editor.conflict`).
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
"""The class of what is drawn in a project that has no class yet."""


_EDITORS = "annotate_editors"
_GENERATION = "annotate_generation"
_CLASS = "annotate_class"
_NEXT_CLASS = "annotate_next_class"
_SELECTED = "annotate_selected"
_KEPT = 4


@dataclass(frozen=True)
class Conflict:
    """Two versions of one picture's regions, `mine` and `theirs`, that both started from `base`.

    Both are in the history already: theirs is what is stored now, mine is one undo away.
    """

    base: Regions
    mine: Regions
    theirs: Regions


@dataclass
class Editor:
    """One picture on one mounted canvas. `key` is the canvas's; it is never used for another mount.

    `revision` is the one that the canvas shows, `seen` the newest one that this tab made or was shown. Of an editor
    that `is_over` the conflict is resolved: what its canvas still sends counts no more.
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
        """Ids of regions that are no coloured objects of the canvas: what it cannot edit, and what was drawn on it."""
        coloured = {region.id for region in self.drawing.base if on_canvas(region.shape)}
        return {region.id for region in self.regions} - coloured


def skeletons(project: Project) -> dict[str, Skeleton]:
    """The skeletons of the classes that have keypoints."""
    return {entry.name: entry.skeleton for entry in project.classes() if entry.skeleton}


def open_editor(project: Project, image: StoredImage, view: View, mode: canvas.Mode) -> Editor:
    """The editor for this picture: that of the run before if its canvas still shows all of that, else a new one."""
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
    """Select a region, counted from 0, for the keys that do something to one."""
    st.session_state[_SELECTED] = editor.image_id, editor.regions[number].id


def selected(editor: Editor) -> int | None:
    """Which of the editor's regions is selected, counted from 0; None where none is."""
    chosen = st.session_state.get(_SELECTED)
    ids = [(editor.image_id, region.id) for region in editor.regions]
    return ids.index(chosen) if chosen in ids else None


def remount() -> None:
    """Have the canvas mounted afresh, because colours or names changed that it was seeded with."""
    st.session_state.pop(_EDITORS, None)


def take_drawing(key: str) -> None:
    """Save what the canvas of this key sent; also when the page shows another picture already."""
    editor: Editor | None = st.session_state.get(_EDITORS, {}).get(key)
    objects = canvas.objects_of(key)
    if editor is None or objects is None or editor.is_over:
        return
    drawing = editor.drawing.after(objects, _new_region)
    if drawing.regions == editor.regions:
        return
    _save(editor, drawing.regions, drawing)


def change(key: str, regions: Regions) -> None:
    """Save regions that were changed beside the canvas, and have it mounted afresh."""
    editor = editor_of(key)
    if regions != editor.regions:
        _save(editor, regions, None)


def step(key: str, direction: str) -> None:
    """Undo or redo the last save of the picture; not one that this tab has not seen yet."""
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
    """End a conflict: "both" merges, "mine" or "theirs" wins; whatever does not is in the history, where undo goes."""
    editor = editor_of(key)
    conflict, project = editor.conflict, Project(editor.project)
    if conflict is None:  # a second click on a button that is about to go
        return

    def save() -> None:
        theirs, revision = project.regions(editor.image_id)
        if choice == "both":
            project.save(editor.image_id, merged(conflict.base, conflict.mine, theirs), revision)
        elif choice == "mine":
            project.save(editor.image_id, conflict.mine, revision)
        # Another canvas is mounted now; what this one may still send is decided already.
        editor.conflict, editor.is_over = None, True

    _attempt(editor, save)


def chosen_class(project: Project) -> str | None:
    """The class that the next region gets; None in a project without classes.

    A choice counts from the next run of the script on, so that a polygon that arrives together with it still gets the
    class with which it was drawn.
    """
    names = [entry.name for entry in project.classes()]
    chosen = st.session_state.pop(_NEXT_CLASS, None) or st.session_state.get(_CLASS)
    if chosen not in names:
        chosen = names[0] if names else None
    st.session_state[_CLASS] = chosen
    return chosen


def choose_class(name: str) -> None:
    st.session_state[_NEXT_CLASS] = name


def _new_region(shape: Shape) -> Region:
    return Region(shape, st.session_state.get(_CLASS) or FIRST_CLASS)


def _save(editor: Editor, regions: Regions, drawing: Drawing | None) -> None:
    """Save on top of the editor's revision. With a `drawing` the canvas stays as it is; without, it is mounted afresh,
    because the editor then keeps its old revision.

    Where somebody saved other regions meanwhile, theirs stay what is stored. These go into the history below them, so
    that they are safe even if this tab is closed before its person has chosen.
    """

    def save() -> None:
        project = Project(editor.project)
        try:
            revision = project.save(editor.image_id, regions, editor.revision)
        except StaleSave as stale:
            if stale.regions == regions:
                revision = stale.revision  # a table sends the same change twice, at times
            elif stale.regions != editor.regions:
                mine = project.save(editor.image_id, regions, stale.revision)
                project.save(editor.image_id, stale.regions, mine)
                base = editor.conflict.base if editor.conflict is not None else editor.regions
                editor.conflict = Conflict(base, regions, stale.regions)
                # The canvas may send the same again, which then is no further change.
                editor.drawing = drawing or editor.drawing
                return
            else:  # undone and redone, say: what is stored is what this canvas shows
                revision = project.save(editor.image_id, regions, stale.revision)
        editor.seen = revision
        if drawing is not None:
            editor.drawing, editor.revision, editor.conflict = drawing, revision, None

    _attempt(editor, save)


def _attempt(editor: Editor, action: Any) -> None:
    """Do something with the store; the editor remembers when it was done, or what was wrong."""
    editor.problem = None
    try:
        action()
    except StudioError as error:
        editor.problem = str(error)
        return
    if editor.conflict is None:
        editor.saved_at = time.strftime("%H:%M:%S")
