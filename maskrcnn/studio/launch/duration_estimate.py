"""The Launch page: the estimated duration of the training, from known costs or a measurement in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import streamlit as st

from maskrcnn.config import Config
from maskrcnn.durations import about, time_of_day_words
from maskrcnn.errors import StudioError
from maskrcnn.jobs import cost_measurement, devices, known_costs
from maskrcnn.jobs.cost_measurement import Measurement
from maskrcnn.jobs.known_costs import KnownCosts
from maskrcnn.runs.cost_estimate import Estimate, estimate_of, estimate_parts_in_words
from maskrcnn.runs.epochs_and_passes import EPOCH_MEANING
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.studio.runs.run_words import TIME_MEANING
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.page_messages import on_page

STORE = ".speed"
"""The folder in the workspace with the measured costs."""

LOADING = "loading its packages"
"""The text for a measurement that has not printed a line yet."""

NO_REASON = "its process was killed and gave no reason"
"""The text for a measurement that failed without printing a line."""


@dataclass(frozen=True)
class EstimatedTraining:
    """The training whose duration the page estimates.

    `pictures` and `validated` are the numbers of training and validation pictures. `device` is a device or "any".
    `waits` is the waiting time in the queue in seconds, None if unknown. `beside` says whether another training is
    running now.
    """

    config: Config
    options: Sequence[str]
    project: Path
    runs_folder: Path
    pictures: int
    validated: int
    device: str
    waits: float | None
    beside: bool

    @property
    def store(self) -> Path:
        """The folder with the measured costs."""
        return session.workspace() / STORE

    @property
    def likely_device(self) -> str:
        """The device on which the training would most likely run."""
        return devices.candidates(self.device)[0]

    @property
    def timing_key(self) -> str:
        """The key under which the measured costs of the training are stored."""
        return known_costs.timing_key(self.config, self.project, self.likely_device)

    def measuring(self) -> Measurement | None:
        """The running or failed measurement, None if there is none. The costs of a finished one are saved."""
        return cost_measurement.poll(self.timing_key, self.options, self.store)

    def known_costs(self) -> KnownCosts | None:
        """The known costs of the training, None if there are none."""
        return known_costs.newest_known_costs(
            self.config, self.project, self.likely_device, runs_in(self.runs_folder), self.store
        )

    def estimate(self, known: KnownCosts) -> Estimate:
        """The estimated duration with these costs."""
        return estimate_of(known.costs, self.config, self.pictures, self.validated)


def show(training: EstimatedTraining) -> Estimate | None:
    """Draw the estimated duration and end time, or a button to measure. Returns the estimate, None if unknown."""
    measuring = training.measuring()
    known = training.known_costs()
    running = measuring is not None and measuring.state == "running"
    with st.container(border=True, gap="xsmall"):
        st.markdown("**How long will it take?**")
        if known:
            _show_estimate(training, known, again=measuring is None)
        elif measuring is None:
            st.markdown("Not known yet for these choices on this computer.")
            _measure_button("Measure it here", training)
        if measuring is not None and not running:
            st.error(plain(measuring.line or NO_REASON), icon=":material/error:")
            _measure_button("Try again", training)
        # `st.fragment` is called here, not as a decorator, because only here it is known whether it must refresh.
        st.fragment(_measurement_progress, run_every="1s" if running else None)(training, running)
    return training.estimate(known) if known else None


def _show_estimate(training: EstimatedTraining, known: KnownCosts, again: bool) -> None:
    """Draw the estimate, its source and, with `again`, a button to measure again."""
    found = training.estimate(known)
    config = training.config
    most = "at most " if config.patience else ""
    st.markdown(f"#### {most}{about(found.seconds_of_training)}", help=f"{TIME_MEANING} The time of day counts all.")
    if training.waits is not None:
        ready = datetime.now(_browser_time_zone()) + timedelta(seconds=training.waits + found.seconds)
        start = "if it starts now" if training.waits == 0 else f"after {about(training.waits)} of waiting for its turn"
        st.markdown(f":material/schedule: {most}ready {time_of_day_words(ready)}, {start}")
    st.markdown(
        f":small[{estimate_parts_in_words(found, config)}]", help=f"{EPOCH_MEANING} A GB is 1,000,000,000 bytes."
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        st.markdown(f":small[{source_in_words(known)}]", width="content")
        if again:
            _measure_button("Measure again", training, kind="tertiary")


def _measure_button(label: str, training: EstimatedTraining, kind: str = "secondary") -> None:
    """Draw a button that starts a measurement."""
    beside = " Another training runs now, which makes it come out too long." if training.beside else ""

    def begin() -> None:
        try:
            cost_measurement.start(
                training.timing_key, training.options, training.store, training.device, training.beside
            )
        except StudioError as error:
            st.toast(plain(on_page(error)), icon=":material/error:")

    st.button(
        label,
        type=kind,  # type: ignore[arg-type]
        icon=":material/timer:",
        on_click=begin,
        help="Takes a few steps of exactly this training, with its pictures, and keeps nothing of it but the time. "
        f"It takes half a minute or so, and you may go on meanwhile.{beside}",
        key="launch_measure",
    )


def _measurement_progress(training: EstimatedTraining, running: bool) -> None:
    """Draw the progress of a running measurement. When it has ended, rerun the page to show the result."""
    if not running:
        return
    measuring = training.measuring()
    if measuring is None or measuring.state == "failed":
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        with st.container(width="content", gap=None):
            st.markdown(f":material/timer: Measuring, {round(measuring.seconds)} s so far")
            st.markdown(f":small[{plain(measuring.line or LOADING)}]")
        if st.button("Cancel", icon=":material/close:", key="launch_measure_cancel"):
            cost_measurement.cancel(training.timing_key, training.store)
            st.rerun()


def source_in_words(known: KnownCosts) -> str:
    """The source of the costs as text: `as fast as the run shapes-0003`, `measured 13:44`.

    A measurement beside another training is too slow, so the text adds that the training takes rather less time.
    """
    if known.run:
        return f"as fast as the run {plain(known.run)}"
    text = f"measured {time_of_day_words(datetime.fromtimestamp(known.when, _browser_time_zone()), '')}"
    return f"{text}, beside another training: rather less" if known.beside_training else text


def _browser_time_zone() -> tzinfo | None:
    """The time zone of the browser, for the times of day of the estimate; None (that of this computer) if unknown."""
    try:
        return ZoneInfo(st.context.timezone) if st.context.timezone else None
    except (OSError, ValueError):  # this computer does not know the name of the zone
        return None
