"""The running training, small, for the side bar of every page."""

from __future__ import annotations

import streamlit as st

from maskrcnn.errors import StudioError
from maskrcnn.jobs import local
from maskrcnn.studio import session
from maskrcnn.studio.run_words import STATES, clock, place
from maskrcnn.training.run_folder import RunFolder

RUNS_PAGE = "pages/train/runs.py"
_KEY = "job_pill_run"


def job_pill() -> None:
    """Show the running training with its progress and ETA, as a link to its page; nothing where none runs.

    It renews itself while one runs, without running the page again. A training that ends stays until the page does.
    """
    jobs = local.running_jobs(project / "runs" for project in session.projects())
    st.session_state[_KEY] = str(jobs[0].path) if jobs else None
    # Not decorated above: whether it renews itself is known only here.
    st.fragment(_pill, run_every="3s" if jobs else None)()


def _pill() -> None:
    path = st.session_state.get(_KEY)
    if path is None:
        return
    run = RunFolder(path)
    project = run.path.parent.parent.name
    try:
        now = local.progress(run)
    except (StudioError, OSError):  # deleted or damaged in between; its own page says what is wrong
        return
    words = STATES[now.state]
    with st.container(border=True, gap="small"):
        st.page_link(
            RUNS_PAGE,
            label=f"**{run.name}** {now.state}",
            icon=words.icon,
            query_params={"project": project, "run": run.name},
            help=words.meaning,
        )
        ending = f"ETA {clock(now.eta)}" if now.active else clock(now.elapsed)
        st.progress(now.fraction, text=f"{place(now)}  ·  {ending}")
