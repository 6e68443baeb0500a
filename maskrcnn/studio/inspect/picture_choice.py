"""Choice of epoch and picture on the Predictions page, with buttons and keys for the previous and next picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.runs.best_epoch import Best
from maskrcnn.studio.inspect.inspected_run import PAGE, InspectedRun, best_kept_epoch
from maskrcnn.studio.shell import hotkeys, session, url_state


@dataclass(frozen=True)
class PictureChoice:
    """The chosen epoch, and the position of the chosen picture in `images`.

    `images` are the entries of the run's COCO document, in the order of its report.
    """

    epoch: int
    images: Sequence[dict[str, Any]]
    position: int

    @property
    def image(self) -> dict[str, Any]:
        """The COCO entry of the chosen picture."""
        return self.images[self.position]

    @property
    def name(self) -> str:
        """The file name of the chosen picture."""
        return self.image["file_name"]


def show(
    inspected: InspectedRun,
    epoch_column: DeltaGenerator,
    picture_column: DeltaGenerator,
    step_column: DeltaGenerator,
) -> PictureChoice:
    """Draw the lists of epochs and pictures and the previous and next buttons, and listen to the page's keys."""
    run, images = inspected.run, inspected.truth["images"]
    with session.fail_softly():
        best = best_kept_epoch(run, inspected.epochs)
    with epoch_column:
        epoch = url_state.select(
            "Epoch",
            "epoch",
            inspected.epochs,
            best.epoch,
            page=PAGE,
            owner=str(run.path),
            show=lambda number: epoch_in_words(number, best),
            help=epoch_choice_help(best),
        )
    names = [image["file_name"] for image in images]
    with picture_column:
        name = url_state.select(
            "Picture",
            "image",
            names,
            names[0],
            page=PAGE,
            show=lambda text: f"{names.index(text) + 1} / {len(names)}   {text}",
        )
    position = names.index(name)
    with step_column.container(horizontal=True, gap="small", wrap=False):
        _show_picture_steps(names, position)
    return PictureChoice(epoch, images, position)


def epoch_in_words(number: int, best: Best) -> str:
    """Return the text of an epoch in the list, such as `3` or `3 (best mask AP)`."""
    return f"{number} (best {best.judged_by})" if number == best.epoch and best.judged_by else str(number)


def epoch_choice_help(best: Best) -> str:
    """Return the tooltip of the choice of an epoch, beside the choice of a picture: which epoch counts as the best."""
    if best.judged_by is None:
        return "Detections are kept for each epoch. Nothing was measured, so the last one counts as the best."
    return (
        f"Detections are kept for each epoch. The best of these has the highest {best.judged_by} on the validation "
        "pictures; among equals it is the first. A run opens at it."
    )


def _show_picture_steps(names: Sequence[str], position: int) -> None:
    """Draw buttons and listen to keys for the previous and next picture. After the last picture comes the first."""
    steps = {
        action: partial(url_state.choose, "image", names[(position + step) % len(names)])
        for action, step in (("previous", -1), ("next", 1))
    }
    for action, icon in (("previous", ":material/chevron_left:"), ("next", ":material/chevron_right:")):
        tip = hotkeys.tip(hotkeys.PREDICTIONS, action)
        st.button("", key=f"{PAGE}_{action}", icon=icon, help=tip, on_click=steps[action])
    # The other keys of the page are answered by the pictures in the browser.
    shortcuts = [entry for entry in hotkeys.PREDICTIONS if entry.action in (*steps, hotkeys.SHEET.action)]
    hotkeys.listen(shortcuts, steps, f"{PAGE}_keys")
    hotkeys.sheet_button(hotkeys.PREDICTIONS, f"{PAGE}_sheet", label="")
