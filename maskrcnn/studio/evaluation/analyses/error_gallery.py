"""The worst errors as crops: false positives with the highest scores, and the largest objects that were missed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from maskrcnn.evaluation.set_matches import FN, FP
from maskrcnn.studio.components.crops import crop_grid
from maskrcnn.studio.components.crops.crop_grid import Tile
from maskrcnn.studio.evaluation import page_state
from maskrcnn.studio.evaluation.epoch_routes import base_url
from maskrcnn.studio.evaluation.match_sentences import KIND_WORDS, kind_name
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.words import counted

_FP_HELP = "Detections that found no object, the highest score first: those that the network was surest of."
_SEEN = 0.005  # the least IoU that two decimals show
_FN_HELP = "Labelled objects that no detection found, the largest first: the hardest to excuse."


def show(shown: ShownEpoch, board: Board) -> None:
    """Draw both galleries side by side."""
    wrong, missed = false_positives(shown, board), missed_objects(shown, board)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(counted(len(wrong), "false positive"), help=_FP_HELP)
        show_crops(shown, board, wrong, f"{PAGE}_fp_crops", "No detection is wrong at this score.")
    with right:
        st.subheader(counted(len(missed), "missed object"), help=_FN_HELP)
        show_crops(shown, board, missed, f"{PAGE}_fn_crops", "Every labelled object was found.")


def show_crops(shown: ShownEpoch, board: Board, items: Sequence[str], key: str, empty: str) -> None:
    """Draw the crops of detections and objects, as `page_state.parsed` names them."""

    def tile_of(item: str) -> Tile:
        side, number = page_state.parsed(item)
        return (detection_tile if side == "found" else object_tile)(shown, board, number)

    edited = crop_grid.show(items, tile_of, key, empty, lambda item: page_state.open_item(shown, item))
    if edited is not None:
        page_state.open_editor(shown, edited)


def false_positives(shown: ShownEpoch, board: Board) -> list[str]:
    """The false positives of all pictures, highest score first."""
    wrong = np.flatnonzero(board.matches.detection_status == FP)
    wrong = wrong[np.argsort(-shown.measured.detections.score[wrong], kind="stable")]
    return [f"found-{number}" for number in wrong.tolist()]


def missed_objects(shown: ShownEpoch, board: Board) -> list[str]:
    """The missed objects of all pictures, largest first."""
    missed = np.flatnonzero(board.matches.object_status == FN)
    missed = missed[np.argsort(-shown.measured.objects.area[missed], kind="stable")]
    return [f"truth-{number}" for number in missed.tolist()]


def detection_tile(shown: ShownEpoch, board: Board, number: int) -> Tile:
    """The tile of a detection: its class and score, and what kind of error it is."""
    found, is_wrong = shown.measured.detections, board.matches.detection_status[number] == FP
    says = KIND_WORDS[kind_name(int(board.kinds.detection[number]))] if is_wrong else ""
    iou = board.matches.detection_iou[number]
    if not is_wrong or iou >= _SEEN:
        says = ", ".join(filter(None, [says, f"IoU {iou:.2f}"]))
    name = shown.measured.names[found.category[number]]
    title, picture = f"{name} {found.score[number]:.2f}", f"{base_url(shown.files)}/found/{number}"
    return Tile(f"found-{number}", picture, title, says, "FP" if is_wrong else "TP")


def object_tile(shown: ShownEpoch, board: Board, number: int) -> Tile:
    """The tile of a labelled object: its class, its size, and the best IoU that a detection of its class has."""
    objects = shown.measured.objects
    iou = board.matches.object_iou[number]
    best = f"best IoU {iou:.2f}" if iou >= _SEEN else "nothing found here"
    size = f"{objects.area[number]:,.0f} px²"
    name = shown.measured.names[objects.category[number]]
    return Tile(f"truth-{number}", f"{base_url(shown.files)}/truth/{number}", name, f"{best}, {size}", "FN")
