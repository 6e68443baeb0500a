"""The intervals of an epoch's AP, computed in a thread: the page is there meanwhile and shows how far it is."""

from __future__ import annotations

import threading

import streamlit as st

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import MeasuredSet, Report, intervals, report_of
from maskrcnn.studio.evaluation.measured_epoch import EpochFiles

RESAMPLES = 2000
"""How often the pictures are drawn anew, as in `python -m maskrcnn evaluate`."""


class IntervalJob:
    """The computation of one report with intervals. `report` is None until it is done."""

    def __init__(self, measured: MeasuredSet) -> None:
        self.report: Report | None = None
        self.fault = ""
        self.part = 0.0
        self.thread = threading.Thread(target=self._work, args=(measured,), daemon=True, name="intervals of AP")
        self.thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it is not finished yet."""
        return self.report is None and not self.fault

    def _work(self, measured: MeasuredSet) -> None:
        try:
            report = report_of(measured, with_evidence=True)
            self.report = report.with_intervals(intervals(report, RESAMPLES, progress=self._progress))
        except (StudioError, MemoryError) as error:
            self.fault = str(error) or "too little memory"

    def _progress(self, done: int, total: int) -> None:
        self.part = done / total if total else 1.0


def interval_job(files: EpochFiles, measured: MeasuredSet) -> IntervalJob:
    """Return the computation of an epoch; the first call starts it, and its result is kept."""
    return _job(files, measured)


@st.cache_resource(max_entries=16, show_spinner=False)
def _job(files: EpochFiles, _measured: MeasuredSet) -> IntervalJob:
    return IntervalJob(_measured)
