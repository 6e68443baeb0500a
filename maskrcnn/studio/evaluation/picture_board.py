"""The upper part of the Evaluation page: sliders, one picture in large, and the table of all pictures.

The whole is one Streamlit component, `picture_board.js`. It sends what is chosen; matching is done here, once for the
page. What does not depend on the sliders is loaded by the browser from the addresses of the epoch (`epoch_routes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from maskrcnn.drawing.overlays import MATCH_COLOURS, MATCH_STYLES
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import SetMatches
from maskrcnn.evaluation.analysis.error_kinds import ErrorKinds, error_kinds
from maskrcnn.evaluation.figure_definitions import report_definitions
from maskrcnn.evaluation.set_matches import BELOW, FN, FP, IGNORED, TP
from maskrcnn.studio.components.picture.viewer import shown_picture
from maskrcnn.studio.evaluation import page_state
from maskrcnn.studio.evaluation.epoch_routes import base_url, detections_of, objects_of
from maskrcnn.studio.evaluation.match_sentences import sentence
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_ranking import WHY, numbers_or_none, worst_first
from maskrcnn.studio.inspect import match_sliders
from maskrcnn.studio.serving.browser_code import importing_script

KEY = f"{PAGE}_board"
"""Session state key of the component."""

STATUS = {TP: "tp", FP: "fp", FN: "fn", IGNORED: "ignored", BELOW: "below"}
"""Status of a detection or an object -> its name in the browser."""

_DEFINED = ("ap", "ap50", "tp", "fp", "fn", "f1", "mean_iou", "count_error", "beyond_limit")

_LEAST_FOCUS, _MOST_FOCUS = 0.25, 0.75
"""The part shown at first has at least this share of the picture's longer side; above the second, all is shown."""

_component = st.components.v2.component(
    "studio_picture_board", html="<div></div>", js=importing_script(Path(__file__).with_suffix(".js"))
)


@dataclass(frozen=True)
class Board:
    """What the board shows: matches at the sliders, kinds of errors, the pictures worst first, and the open `picture`.

    `selected` names the selected detection or object (see `page_state.parsed`), None for none.
    """

    matches: SetMatches
    kinds: ErrorKinds
    order: np.ndarray
    picture: int
    selected: str | None


def state_of(shown: ShownEpoch) -> Board:
    """Return what the board shows. At first the worst picture is open."""
    measured = shown.measured
    min_score, iou = match_sliders.min_score(), match_sliders.iou()
    matches = measured.match(min_score, iou)
    order = worst_first(matches)
    asked = page_state.asked_picture(shown)
    picture = int(order[0]) if asked is None else asked
    kinds = error_kinds(measured, iou, min_score=min_score)
    return Board(matches, kinds, order, picture, page_state.selected_item(shown, picture))


def show(shown: ShownEpoch) -> Board:
    """Draw the board, and return what it shows."""
    board = state_of(shown)
    _component(
        key=KEY,
        data=component_data(shown, board),
        default={"sliders": None},
        on_sliders_change=lambda: _move_sliders(shown, board),
        on_opened_change=lambda: _open(shown),
    )
    return board


def component_data(shown: ShownEpoch, board: Board) -> dict[str, Any]:
    """Return what the browser gets over the websocket: the columns of the table that the sliders change, and the open
    picture."""
    measured, matches = shown.measured, board.matches
    objects, detections = objects_of(measured, board.picture), detections_of(measured, board.picture)
    definitions = report_definitions(matches.min_score, measured.matched_by, matches.iou)
    picture, message = _picture(shown, board.picture)
    return {
        "base": base_url(shown.files),
        "score": matches.min_score,
        "iou": matches.iou,
        "measure": "mask" if measured.documents.masks else "box",
        "order": board.order.tolist(),
        "columns": {
            "f1": numbers_or_none(matches.f1, 3),
            "tp": matches.tp.tolist(),
            "fp": matches.fp.tolist(),
            "fn": matches.fn.tolist(),
            "iou": numbers_or_none(matches.mean_iou, 3),
        },
        "place": board.picture,
        "picture": picture,
        "message": message,
        "objects": [STATUS[status] for status in matches.object_status[objects].tolist()],
        "detections": [STATUS[status] for status in matches.detection_status[detections].tolist()],
        "sentence": [
            {"status": clause.status, "text": clause.text}
            for clause in sentence(measured, matches, board.kinds.detection, board.picture)
        ],
        "selected": board.selected,
        "focus": focus_box(shown, board),
        "one_class": len(measured.names) == 1,
        "reveal": page_state.reveals(),
        "looks": {status: {"colour": MATCH_COLOURS[status], "style": MATCH_STYLES[status]} for status in MATCH_COLOURS},
        "limbs": [list(edge) for edge in shown.run.config().keypoint_edges],
        "definitions": {name: definitions[name] for name in _DEFINED} | {"why": WHY},
    }


def focus_box(shown: ShownEpoch, board: Board) -> list[float] | None:
    """The part of the picture that is shown at first: [x, y, w, h] around the selected object, else around all errors.

    None: the whole picture, because nothing is wrong, or what is wrong takes up most of it.
    """
    measured, matches = shown.measured, board.matches
    if board.selected:
        side, number = page_state.parsed(board.selected)
        boxes = (measured.detections if side == "found" else measured.objects).boxes[number][None]
    else:
        wrong = (measured.detections.picture == board.picture) & (matches.detection_status == FP)
        missed = (measured.objects.picture == board.picture) & (matches.object_status == FN)
        boxes = np.concatenate([measured.detections.boxes[wrong], measured.objects.boxes[missed]])
    if not len(boxes):
        return None
    low, high = boxes[:, :2].min(axis=0), (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    size = measured.sizes[board.picture]
    margin = np.maximum(0.3 * (high - low).max(), _LEAST_FOCUS * size.max() - (high - low).max()) / 2
    low, high = np.maximum(low - margin, 0), np.minimum(high + margin, size)
    if not (np.isfinite([low, high]).all() and (high > low).all()) or ((high - low) / size).max() > _MOST_FOCUS:
        return None
    return [round(float(value), 1) for value in (*low, *(high - low))]


def _picture(shown: ShownEpoch, number: int) -> tuple[dict[str, Any] | None, str]:
    """The picture for the browser, or None and the reason why it cannot be shown."""
    name = shown.measured.files[number]
    try:
        return shown_picture(shown.run.picture_path(shown.images[number]), name), ""
    except StudioError as error:
        return None, str(error)
    except OSError:
        return None, f"{name} is not where the run has it; put it back, or train again on the pictures of today."


def _move_sliders(shown: ShownEpoch, board: Board) -> None:
    """Take over the sliders (callback). The open picture stays, also if another one is the worst now."""
    sliders = page_state.component_value(KEY, "sliders")
    if not isinstance(sliders, Mapping):
        return
    for name in match_sliders.LIMITS:
        match_sliders.keep(name, sliders.get(name))
    if page_state.asked_picture(shown) is None:
        page_state.open_picture(shown, board.picture, board.selected)


def _open(shown: ShownEpoch) -> None:
    """Open the picture that was clicked, or select what was clicked in it (callback)."""
    opened = page_state.component_value(KEY, "opened")
    if not isinstance(opened, Mapping) or not isinstance(opened.get("place"), int):
        return
    item = opened.get("item")
    page_state.open_picture(shown, opened["place"], item if shown.has(item) else None)
