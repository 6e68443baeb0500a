"""The snapshots of the labels, a section of the Classes view: the list, a new snapshot, and going back to one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pandas as pd
import streamlit as st

from maskrcnn.annotations.store import Project, Snapshot
from maskrcnn.studio.shell import session


def show(project: Project, generation: int, rerun: Callable[[str], None]) -> None:
    """Draw the snapshots of the labels, the form that makes one, and the choice of one to restore.

    `generation` is part of the widget keys; `rerun` reruns the page with a message after a change.
    """
    snapshots = project.snapshots()
    with st.expander(f"Snapshots ({len(snapshots)})", icon=":material/photo_camera:"):
        st.markdown("A snapshot keeps all labels as they are at one moment. One is made before each large change.")
        with st.form("dataset_new_snapshot", clear_on_submit=True, border=False):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                name = st.text_input("New snapshot", placeholder="for example before the second round")
                kept = st.form_submit_button("Keep a snapshot", icon=":material/photo_camera:")
            if kept:
                with session.fail_softly(stop=False):
                    made = project.snapshot(name.strip())
                    rerun(f"Snapshot {made.name} kept")
        if not snapshots:
            return
        table = pd.DataFrame(
            {
                "Snapshot": [entry.name for entry in snapshots],
                "Made": [_local_time_of_snapshot(entry) for entry in snapshots],
                "Pictures": [entry.pictures for entry in snapshots],
                "Regions": [entry.regions for entry in snapshots],
            }
        )
        st.dataframe(
            table,
            hide_index=True,
            height=min(38 + 35 * len(table), 320),
            column_config={"Made": st.column_config.DatetimeColumn("Made", format="YYYY-MM-DD HH:mm:ss")},
        )
        known = {entry.id: entry for entry in snapshots}
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox(
                "Go back to",
                list(known),
                index=None,
                format_func=lambda number: (
                    f"{known[number].name}, {_local_time_of_snapshot(known[number]):%Y-%m-%d %H:%M:%S}"
                ),
                key=f"dataset_restore_{generation}",
            )
            if st.button("Restore", icon=":material/history:", disabled=chosen is None, key="dataset_restore_button"):
                assert chosen is not None
                with session.fail_softly(stop=False):
                    with st.spinner("Bringing the labels back"):
                        project.restore(chosen)
                    rerun(f"Labels are as in {known[chosen].name}; how they were before is a snapshot too")


def _local_time_of_snapshot(snapshot: Snapshot) -> datetime:
    """When a snapshot was made, in the time zone of this computer."""
    return snapshot.made_at.astimezone().replace(tzinfo=None)
