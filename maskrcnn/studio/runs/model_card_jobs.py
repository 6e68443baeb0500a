"""The model card of a run, computed in a thread: the page is there meanwhile and shows how far it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import BEST, CONFIG, DATASET, DETECTIONS, RESULT, START, RunFolder
from maskrcnn.studio.shell.file_stamps import stamp

if TYPE_CHECKING:
    from maskrcnn.inference.model_card import ModelCard


@dataclass(frozen=True)
class CardFiles:
    """A run with the modification times of the files of which its card is made, and whether it is still training.

    It is the key of the cache. A run that is training has a new card with each better epoch, not with each one.
    """

    run: str
    active: bool
    stamps: tuple[int, ...]

    @classmethod
    def of(cls, run: RunFolder, active: bool) -> CardFiles:
        """The run with the present stamps of its files."""
        names = (DATASET, CONFIG, START, RESULT, BEST, *(() if active and run.has(BEST) else (DETECTIONS,)))
        return cls(str(run.path), active, tuple(stamp(run.path / name) for name in names))


class CardJob:
    """The computation of one card. `card` is None until it is done; `fault` says why there is none, "" if there is."""

    def __init__(self, files: CardFiles) -> None:
        self.card: ModelCard | None = None
        self.fault = ""
        self.part = 0.0
        self.thread = threading.Thread(target=self._work, args=(files,), daemon=True, name="model card")
        self.thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it is not finished yet."""
        return self.card is None and not self.fault

    def _work(self, files: CardFiles) -> None:
        from maskrcnn.inference.model_card import model_card  # here, as pages load no part of `inference` at first

        try:
            self.card = model_card(RunFolder(files.run), self._progress)
        except (StudioError, OSError, MemoryError) as error:
            self.fault = str(error) or "too little memory"

    def _progress(self, done: int, total: int) -> None:
        self.part = min(1.0, done / total) if total else 1.0


def card_job(files: CardFiles) -> CardJob:
    """Return the computation of a card; the first call starts it, and its result is kept."""
    return _job(files)


@st.cache_resource(max_entries=16, show_spinner=False)
def _job(files: CardFiles) -> CardJob:
    return CardJob(files)
