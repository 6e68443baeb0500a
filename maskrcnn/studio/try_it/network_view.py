"""Choice of the network on the Try it page: a run of the project or a model that ships, and its epoch."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.inspect import offered_runs
from maskrcnn.studio.shell import session, url_state
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.try_it.opened_set import PAGE
from maskrcnn.studio.try_it.sets import tried_network
from maskrcnn.studio.try_it.sets.tried_network import Checkpoints
from maskrcnn.studio.try_it.sets.tried_set import SetNetwork

ABOUT = (
    "Here a trained network looks at pictures that it has never seen, and you see at once what it finds, change its "
    "thresholds, and take the result away."
)


@dataclass(frozen=True)
class ChosenNetwork:
    """The chosen run, and its network at the chosen epoch."""

    run: RunFolder
    network: SetNetwork
    config: Config


def choose(project: Project, title: str) -> ChosenNetwork:
    """Draw the title of the page and the lists of networks and epochs.

    The page script stops if the project has no network, or the chosen run has no checkpoint yet.
    """
    offered = offered_runs.read(project, title, ABOUT, ":material/experiment:")
    title_column, run_column, epoch_column, _ = st.columns([1.6, 2.6, 2.2, 3.6], vertical_alignment="bottom")
    title_column.title(title)
    with session.fail_softly():
        known = {label: tried_network.checkpoints(run) for label, run in offered.runs.items()}
        ready = next((label for label, files in known.items() if files), next(iter(known)))
        with run_column:
            label = url_state.select("Network", "run", list(known), ready, page=PAGE, resets=["epoch"])
        run, files = offered.runs[label], known[label]
        if files is None:
            _show_no_checkpoint(project, run)
            st.stop()
        with epoch_column:
            epoch = url_state.select(
                "Epoch",
                "epoch",
                list(files.files),
                files.best,
                page=PAGE,
                owner=str(run.path),
                show=lambda number: _epoch_words(number, files),
                help="The epochs whose weights are kept. The best one had the highest AP on the validation pictures.",
            )
        network, config = tried_network.network_at(run, epoch)
    network_choice.show_shipped_model_card(run)
    return ChosenNetwork(run, network, config)


def network_words(network: SetNetwork) -> str:
    """The name of a network with its epoch, safe for Markdown."""
    ships = " (ships with the studio)" if network.key.startswith("shipped/") else ""
    return f"{plain(network.name)}{ships}, epoch {network.epoch}"


def _epoch_words(number: int, files: Checkpoints) -> str:
    """An epoch in the list."""
    return f"{number} (best)" if number == files.best and len(files.files) > 1 else str(number)


def _show_no_checkpoint(project: Project, run: RunFolder) -> None:
    """Draw a message that a run cannot be tried yet, and a link to it."""
    st.info(
        f"{plain(run.name)} has no checkpoint yet; one is written after its first epoch. Choose another network "
        "meanwhile.",
        icon=":material/hourglass_top:",
    )
    st.page_link(
        "pages/train/runs.py",
        label="See how the run is doing",
        icon=":material/monitoring:",
        query_params={"project": project.folder.name, "run": run.name},
    )
