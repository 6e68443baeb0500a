"""The choice of the shown run and of the runs to compare. Both are in the address, for reloads and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.jobs import run_state
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs import compared_runs, run_actions
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain

LAUNCH_PAGE = "pages/train/launch.py"
PREDICTIONS_PAGE = "pages/inspect/predictions.py"

_CHOSEN, _WITH = "runs-chosen", "runs-with"


@dataclass(frozen=True)
class Choice:
    """The shown run, the other runs of its project by name, whether it is unfinished (`active`), and the query
    parameters of its address."""

    run: RunFolder
    others: Mapping[str, RunFolder]
    active: bool
    address: dict[str, str]


def show(project: Project, runs: Mapping[str, RunFolder]) -> Choice:
    """Draw the row with the choice of the run, its links and its buttons. The default is the newest run.

    `runs` are the runs of the project by name, newest first.
    """
    asked = st.query_params.get("run")
    if asked is not None and asked not in runs:
        st.toast(f'There is no run "{plain(asked)}" in this project.', icon=":material/warning:")
    st.session_state[_CHOSEN] = asked if asked in runs else next(iter(runs))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = st.selectbox(
            "Run", list(runs), key=_CHOSEN, on_change=_name_in_address, label_visibility="collapsed", width=220
        )
        run = runs[name]
        address = {"project": project.folder.name, "run": name}
        with session.fail_softly():
            state = run_state.state(run)
        if run.detection_epochs():
            st.page_link(PREDICTIONS_PAGE, label="Predictions", icon=":material/image_search:", query_params=address)
        st.page_link(
            LAUNCH_PAGE,
            label="New training",
            icon=":material/rocket_launch:",
            query_params={"project": address["project"]},
        )
        st.space("stretch")
        with session.fail_softly():
            run_actions.show(run)
    others = {other: runs[other] for other in runs if other != name}
    return Choice(run, others, not state.ended, address)


def compared(others: Mapping[str, RunFolder]) -> list[RunFolder]:
    """The runs to compare, from the address."""
    asked = st.query_params.get("with", "").split(",")
    return [others[name] for name in asked if name in others][: compared_runs.MOST_RUNS - 1]


def choose_compared(others: Mapping[str, RunFolder], now: Sequence[RunFolder]) -> list[RunFolder]:
    """Draw the input for the runs to compare and return the chosen runs; `now` are the selected ones."""
    st.session_state[_WITH] = [run.name for run in now]
    names = st.multiselect(
        "Compare with",
        list(others),
        key=_WITH,
        on_change=_name_others_in_address,
        max_selections=compared_runs.MOST_RUNS - 1,
        placeholder="other runs",
        select_all=False,
    )
    return [others[name] for name in names]


def _name_in_address() -> None:
    st.query_params["run"] = st.session_state[_CHOSEN]


def _name_others_in_address() -> None:
    st.query_params["with"] = ",".join(st.session_state[_WITH])
    if not st.session_state[_WITH]:
        st.query_params.pop("with")
