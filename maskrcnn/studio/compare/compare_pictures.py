"""The pictures of the Compare page: ground truth, A and B with one camera, or A and B divided by a line.

The whole is one Streamlit component, `compare_pictures.js`. It matches by itself, so that a slider is answered at once.
The page is told the minimum score and the IoU threshold after their slider was let go.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.store import Project
from maskrcnn.drawing.hex_colours import known_colour
from maskrcnn.drawing.overlays import MATCH_COLOURS, MATCH_STYLES
from maskrcnn.errors import StudioError
from maskrcnn.studio.compare import compare_routes
from maskrcnn.studio.compare.compared_runs import PAGE, Side, side_colours
from maskrcnn.studio.compare.compared_sets import ComparedEpochs, ComparedSets
from maskrcnn.studio.components.class_colours import category_colours
from maskrcnn.studio.components.picture.viewer import shown_picture, usual_aspect
from maskrcnn.studio.inspect import match_sliders
from maskrcnn.studio.runs.labels_and_detections import pictures_with_detections
from maskrcnn.studio.serving.browser_code import importing_script
from maskrcnn.words import one_line

FOCUS = f"{PAGE}_focus"
"""Session state key of the object to show magnified: {"position", "box", "serial"}."""

_KEY = f"{PAGE}_pictures"
_component = st.components.v2.component(
    "studio_compare_pictures", html="<div></div>", js=importing_script(Path(__file__).with_suffix(".js"))
)


def show(project: Project, a: Side, b: Side, epochs: ComparedEpochs, sets: ComparedSets, position: int) -> None:
    """Draw the pictures and their controls. `position` is that of the chosen picture among those in common."""
    _component(
        key=_KEY,
        data=component_data(project, a, b, epochs, sets, position),
        default={"score": match_sliders.min_score(), "iou": match_sliders.iou()},
        on_score_change=_keep,
        on_iou_change=_keep,
    )


def component_data(
    project: Project, a: Side, b: Side, epochs: ComparedEpochs, sets: ComparedSets, position: int
) -> dict[str, Any]:
    """What the browser gets over the websocket: addresses of what it loads, and how to draw it."""
    file, categories = sets.files[position], sets.common.truth["categories"]
    colours = category_colours(project, categories)
    picture, message = picture_of(a, b, sets, position)
    focus = st.session_state.get(FOCUS)
    return {
        "picture": picture,
        "message": message,
        "file": file,
        "table": compare_routes.table_url(epochs, position),
        "names": {"a": f"epoch {epochs.epoch_a} of {a.run.name}", "b": f"epoch {epochs.epoch_b} of {b.run.name}"},
        "colours": dict(zip("ab", side_colours(a, b), strict=True)),
        "categories": [{"colour": known_colour(colours[category["id"]])} for category in categories],
        "looks": {
            status: {"colour": colour, "style": MATCH_STYLES[status]} for status, colour in MATCH_COLOURS.items()
        },
        "limbs": [list(edge) for edge in b.config.keypoint_edges],
        "drawable": drawable_parts(sets.tasks),
        "measure": "mask" if "mask" in sets.tasks else "box",
        "aspect": usual_aspect(sets.measured_b.sizes.tolist()),
        "score": match_sliders.min_score(),
        "iou": match_sliders.iou(),
        "focus": focus if focus and focus["position"] == position else None,
    }


def picture_of(a: Side, b: Side, sets: ComparedSets, position: int) -> tuple[dict[str, Any] | None, str]:
    """The picture to show, and a message instead of it if it cannot be shown."""
    try:
        return shown_picture(file_of(a, b, sets, position), sets.files[position]), ""
    except (StudioError, OSError) as error:
        return None, one_line(str(error))


def file_of(a: Side, b: Side, sets: ComparedSets, position: int) -> Path:
    """The file of a picture: that of the run whose labels decide, or else that of the other one.

    Raises `StudioError` if neither has it any more, or in another size.
    """
    order = ((a, sets.common.images_a), (b, sets.common.images_b))
    width, height = sets.measured_b.sizes[position].tolist()
    reasons = []
    for side, ids in order if sets.common.labels == "a" else order[::-1]:
        images = {image["id"]: image for image in pictures_with_detections(side.run)["images"]}
        try:
            path = side.run.picture_path(images[ids[position]])
            size = pictures.size(path, sets.files[position])
        except KeyError:
            reasons.append(f"{sets.files[position]}: {side.run.name} does not have it any more; load the page again")
        except (StudioError, OSError) as error:
            reasons.append(one_line(str(error)))
        else:
            if size == (width, height):
                return path
            reasons.append(
                f"{sets.files[position]}: is {size[0]} x {size[1]} px, but was {width} x {height} px when the network "
                "was trained; put that file back"
            )
    raise StudioError(reasons[0])


def drawable_parts(tasks: tuple[str, ...]) -> list[str]:
    """The parts of an object that both networks find and that can be switched off."""
    return [*["masks"] * ("mask" in tasks), "boxes", *["keypoints"] * ("keypoints" in tasks), "labels"]


def _keep() -> None:
    """Store the minimum score and the IoU threshold that the browser chose (callback)."""
    state = st.session_state.get(_KEY) or {}
    for name in match_sliders.LIMITS:
        match_sliders.keep(name, state.get(name))
