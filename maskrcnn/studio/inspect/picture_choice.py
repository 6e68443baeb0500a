"""Which epoch and which picture the Predictions page shows, and the steps from one picture to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.runs.epochs import Best
from maskrcnn.studio.inspect import drawing_options, run_report
from maskrcnn.studio.inspect.run_choice import PAGE, InspectedRun
from maskrcnn.studio.shell import address, hotkeys, session


@dataclass(frozen=True)
class PictureChoice:
    """An epoch, and one of the pictures that its detections are of. `images` are the entries of the run's COCO
    document in the order of its report."""

    epoch: int
    images: Sequence[dict[str, Any]]
    position: int

    @property
    def image(self) -> dict[str, Any]:
        return self.images[self.position]

    @property
    def name(self) -> str:
        return self.image["file_name"]


def show(
    inspected: InspectedRun,
    epoch_column: DeltaGenerator,
    picture_column: DeltaGenerator,
    step_column: DeltaGenerator,
) -> PictureChoice:
    """Draw the choices of epoch and picture, and the buttons and keys that step."""
    run, images = inspected.run, inspected.truth["images"]
    with session.fail_softly():
        best = run_report.best_epoch(run, inspected.epochs)
    with epoch_column:
        epoch = address.select(
            "Epoch",
            "epoch",
            inspected.epochs,
            best.epoch,
            page=PAGE,
            of=str(run.path),
            show=lambda number: epoch_in_words(number, best),
            help=epoch_help(best),
        )
    names = [image["file_name"] for image in images]
    with picture_column:
        name = address.select(
            "Picture",
            "image",
            names,
            names[0],
            page=PAGE,
            show=lambda text: f"{names.index(text) + 1} / {len(names)}   {text}",
        )
    position = names.index(name)
    with step_column.container(horizontal=True, gap="small", wrap=False):
        _steps(names, position)
    return PictureChoice(epoch, images, position)


def epoch_in_words(number: int, best: Best) -> str:
    """An epoch in the list of choices: `3`, or `3 (best mask AP)`."""
    return f"{number} (best {best.judged_by})" if number == best.epoch and best.judged_by else str(number)


def epoch_help(best: Best) -> str:
    """What the list of epochs says on hover."""
    if best.judged_by is None:
        return "Detections are kept for each epoch. Nothing was measured, so the last one counts as the best."
    return (
        f"Detections are kept for each epoch. The best of these has the highest {best.judged_by} on the validation "
        "pictures; among equals it is the first. A run opens at it."
    )


def _steps(names: Sequence[str], position: int) -> None:
    """Buttons and keys for the picture before and after, which go round at the ends."""
    steps = {
        action: partial(address.choose, "image", names[(position + step) % len(names)])
        for action, step in (("previous", -1), ("next", 1))
    }
    for action, icon in (("previous", ":material/chevron_left:"), ("next", ":material/chevron_right:")):
        tip = hotkeys.tip(hotkeys.PREDICTIONS, action)
        st.button("", key=f"{PAGE}_{action}", icon=icon, help=tip, on_click=steps[action])
    hotkeys.listen(hotkeys.PREDICTIONS, {**steps, "large": drawing_options.switch_view}, f"{PAGE}_keys")
    hotkeys.sheet_button(hotkeys.PREDICTIONS, f"{PAGE}_sheet", label="")
