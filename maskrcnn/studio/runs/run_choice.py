"""The choice of the shown run and of the runs to compare. Both are in the address, for reloads and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.runs.checkpoint_files import checkpoints_by_epoch
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs import curve_data, model_files, run_actions
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain

LAUNCH_PAGE = "pages/train/launch.py"
PREDICTIONS_PAGE = "pages/inspect/predictions.py"
TRY_IT_PAGE = "pages/inspect/try_it.py"
EVALUATION_PAGE = "pages/inspect/evaluation.py"

_CHOSEN, _WITH = "runs-chosen", "runs-with"


@dataclass(frozen=True)
class RunChoice:
    """The shown run, the other runs of its project by name, whether it is unfinished (`active`), and the query
    parameters of its address."""

    run: RunFolder
    others: Mapping[str, RunFolder]
    active: bool
    address: dict[str, str]


def show(project: Project, runs: Mapping[str, RunFolder]) -> RunChoice:
    """Draw the row with the choice of the run, its links and its buttons. The default is the newest run.

    `runs` are the runs of the project by name, newest first.
    """
    asked = st.query_params.get("run")
    if asked is not None and asked not in runs:
        st.toast(f'There is no run "{plain(asked)}" in this project.', icon=":material/warning:")
    st.session_state[_CHOSEN] = asked if asked in runs else next(iter(runs))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = st.selectbox(
            "Run", list(runs), key=_CHOSEN, on_change=_put_run_in_address, label_visibility="collapsed", width=220
        )
        run = runs[name]
        address = {"project": project.folder.name, "run": name}
        with session.fail_softly():
            state = session.backend().state(run)
        if checkpoints_by_epoch(run):
            st.page_link(TRY_IT_PAGE, label="Try it", icon=":material/experiment:", query_params=address)
        if run.detection_epochs():
            st.page_link(PREDICTIONS_PAGE, label="Predictions", icon=":material/image_search:", query_params=address)
            st.page_link(EVALUATION_PAGE, label="Evaluation", icon=":material/fact_check:", query_params=address)
        st.page_link(
            LAUNCH_PAGE,
            label="New training",
            icon=":material/rocket_launch:",
            query_params={"project": address["project"]},
        )
        st.space("stretch")
        with session.fail_softly():
            run_actions.show(run)
    model_files.show_opened(run)
    others = {other: runs[other] for other in runs if other != name}
    return RunChoice(run, others, not state.ended, address)


def compared(others: Mapping[str, RunFolder]) -> list[RunFolder]:
    """The runs to compare, from the address."""
    asked = st.query_params.get("with", "").split(",")
    return [others[name] for name in asked if name in others][: curve_data.MOST_RUNS - 1]


def choose_compared(others: Mapping[str, RunFolder], now: Sequence[RunFolder]) -> list[RunFolder]:
    """Draw the input for the runs to compare and return the chosen runs; `now` are the selected ones."""
    st.session_state[_WITH] = [run.name for run in now]
    names = st.multiselect(
        "Compare with",
        list(others),
        key=_WITH,
        on_change=_put_compared_in_address,
        max_selections=curve_data.MOST_RUNS - 1,
        placeholder="other runs",
        select_all=False,
    )
    return [others[name] for name in names]


def _put_run_in_address() -> None:
    """Write the chosen run into the query parameters."""
    st.query_params["run"] = st.session_state[_CHOSEN]


def _put_compared_in_address() -> None:
    """Write the runs to compare into the query parameters."""
    st.query_params["with"] = ",".join(st.session_state[_WITH])
    if not st.session_state[_WITH]:
        st.query_params.pop("with")


_MOST_FAULTY = 20


def show_faulty(faulty: Mapping[str, str]) -> None:
    """Draw the list of the damaged runs of a project (name -> fault), which cannot be chosen."""
    if faulty:
        head = "1 run cannot be read" if len(faulty) == 1 else f"{len(faulty)} runs cannot be read"
        with st.expander(f"{head}; the others go on", icon=":material/broken_image:"):
            for name, wrong in list(faulty.items())[:_MOST_FAULTY]:
                st.error(f"**{plain(name)}**: {plain(wrong)}", icon=":material/error:")
