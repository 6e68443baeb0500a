"""The canvas of the Annotate page with the picture as its background, sized to fit the browser window."""

from __future__ import annotations

from functools import partial

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.studio.annotate import canvas_background, editing
from maskrcnn.studio.annotate.editing import Editor
from maskrcnn.studio.components import canvas, viewport
from maskrcnn.studio.components.canvas_view import View
from maskrcnn.studio.components.class_colours import class_colours
from maskrcnn.studio.shell import session

_OTHER_ROWS = 244
"""Height of the rows above and below the canvas in CSS pixels."""

_MIN_HEIGHT = 320
"""Minimum height of the canvas in CSS pixels."""


def show(project: Project, image: StoredImage, tool: canvas.Mode, zoom: float) -> Editor:
    """Draw the canvas and return the editor of its regions."""
    size = viewport.viewport_size("annotate")
    height = max(_MIN_HEIGHT, size.height - _OTHER_ROWS)
    view = View.fit(image.width, image.height, size.width, height, zoom)
    with session.fail_softly():
        editor = editing.open_editor(project, image, view, tool)
        background = canvas_background.background(
            project.picture(image.id),
            editor.regions,
            editor.painted,
            class_colours(project),
            zoom,
            editing.skeletons(project),
            editing.selected_index(editor),
        )
    canvas.show(
        editor.drawing.objects(),
        background,
        view,
        key=editor.key,
        mode=tool,
        visible_height=height if zoom > 1 else None,
        on_change=partial(editing.take_drawing, editor.key),
    )
    return editor
