"""The pictures of the Predictions page: ground truth and prediction, with the controls of what is drawn.

The whole is one Streamlit component, `prediction_pictures.js`. It matches detections to objects by itself, so that a
slider is answered at once. The page is told only score and IoU, a missed object that was clicked, and what a button of
the panels asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.drawing.hex_colours import known_colour
from maskrcnn.drawing.overlays import MATCH_COLOURS, MATCH_STYLES
from maskrcnn.runs.checkpoint_files import checkpoints_by_epoch
from maskrcnn.studio.components.class_colours import category_colours
from maskrcnn.studio.components.picture.viewer import shown_picture, usual_aspect
from maskrcnn.studio.inspect import editor_link, match_routes, match_sliders
from maskrcnn.studio.inspect.inspected_run import PAGE, InspectedRun
from maskrcnn.studio.inspect.picture_choice import PictureChoice
from maskrcnn.studio.serving.browser_code import importing_script

_KEY = f"{PAGE}_pictures"
_ACTIONS = ("editor", "follow", "soft")

_component = st.components.v2.component(
    "studio_prediction_pictures", html="<div></div>", js=importing_script(Path(__file__).with_suffix(".js"))
)


@dataclass(frozen=True)
class Asked:
    """What a button of the panels asks for: `action` ("editor", "follow" or "soft"), of the object or detection `key`.

    `key` is `truth:ANNOTATION_ID` or `found:POSITION` (see `editor_link`).
    """

    action: str
    key: str

    @property
    def position(self) -> int | None:
        """The position of the detection in `RunFolder.detections`; None for an object."""
        side, _, name = self.key.partition(":")
        return int(name) if side == "found" else None


def selected_object(choice: PictureChoice) -> str | None:
    """Return the id of the missed object that was clicked on the chosen picture, as text; else None."""
    image, _, annotation = str(_component_state("selected") or "").rpartition(" ")
    return annotation if image and image == str(choice.image["id"]) else None


def show(
    project: Project, inspected: InspectedRun, choice: PictureChoice, verdicts: Mapping[str, str] | None = None
) -> Asked | None:
    """Draw the pictures, their controls and the panels below, and return what one of their buttons just asked for.

    `verdicts` are what the network told about missed objects: annotation id as text -> sentences. Raises `StudioError`
    if the picture or a file of the run cannot be read.
    """
    answer = _component(
        key=_KEY,
        data=component_data(project, inspected, choice, verdicts or {}),
        default={"score": match_sliders.min_score(), "iou": match_sliders.iou(), "selected": None},
        on_score_change=lambda: _keep("score"),
        on_iou_change=lambda: _keep("iou"),
        on_selected_change=lambda: None,
        on_asked_change=lambda: None,
    )
    asked: Any = answer.get("asked")
    if not isinstance(asked, Mapping) or asked.get("image") != str(choice.image["id"]):
        return None
    action, key = asked.get("action"), asked.get("object")
    if action not in _ACTIONS or not isinstance(key, str) or not editor_link.KEY.fullmatch(key):
        return None
    return Asked(action, key)


def component_data(
    project: Project, inspected: InspectedRun, choice: PictureChoice, verdicts: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the browser gets over the websocket: addresses of what it loads, and how to draw it.

    `verdicts` are those of `show`. Raises `StudioError` if the picture or a file of the run cannot be read.
    """
    run, config, categories = inspected.run, inspected.config, inspected.truth["categories"]
    colours = category_colours(project, categories)
    image = str(choice.image["id"])
    selected = selected_object(choice)
    return {
        "picture": shown_picture(run.picture_path(choice.image), choice.name),
        "table": match_routes.table_url(run, choice.epoch, choice.image["id"]),
        "truth_says": f"{choice.name} with its labelled objects",
        "found_says": f"{choice.name} with what {run.name} found in it",
        "categories": [
            {"colour": known_colour(colours[category["id"]]), "name": str(category["name"])} for category in categories
        ],
        "looks": {
            status: {"colour": colour, "style": MATCH_STYLES[status]} for status, colour in MATCH_COLOURS.items()
        },
        "limbs": [list(edge) for edge in config.keypoint_edges],
        "drawable": drawable_parts(config),
        "measure": "mask" if "mask" in config.tasks else "box",
        "aspect": usual_aspect((image["width"], image["height"]) for image in choice.images),
        "score": match_sliders.min_score(),
        "iou": match_sliders.iou(),
        "image": image,
        "selected": None if selected is None else f"{image} {selected}",
        "asks": choice.epoch in checkpoints_by_epoch(run),
        "softens": "mask" in config.tasks,
        "verdicts": dict(verdicts),
        "editor": {"says": editor_link.why_no_editor(project, run, choice.image)},
        "focus": editor_link.asked_object(run, choice.epoch),
    }


def drawable_parts(config: Config) -> list[str]:
    """Return the parts of an object that the network finds and that can be switched off."""
    parts = ["masks"] * ("mask" in config.tasks) + ["boxes"] + ["keypoints"] * ("keypoints" in config.tasks)
    return [*parts, "labels"]


def _component_state(name: str) -> Any:
    """Return a value of the component's state; None before the first one."""
    state = st.session_state.get(_KEY)
    return state.get(name) if state else None


def _keep(slider: str) -> None:
    """Store the value of a slider that the browser chose (callback)."""
    match_sliders.keep(slider, _component_state(slider))
