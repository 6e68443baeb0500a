"""Choice of epoch and picture on the Predictions page, with buttons and keys for the previous and next picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streamlit.delta_generator import DeltaGenerator

from maskrcnn.runs.best_epoch import Best
from maskrcnn.studio.inspect import picture_steps
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
    position = picture_steps.choose(names, names[0], PAGE, hotkeys.PREDICTIONS, picture_column, step_column)
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
