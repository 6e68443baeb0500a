"""Train > Runs: watch a training, stop it, and look back at those that ended."""

import pandas as pd
import streamlit as st

from maskrcnn.jobs import local
from maskrcnn.studio import charts, session
from maskrcnn.studio.plain_text import plain
from maskrcnn.studio.run_words import STATES, bar_text, overview, settings
from maskrcnn.training.run_folder import CONFIG, runs_in

LAUNCH_PAGE = "pages/train/launch.py"
PREDICTIONS_PAGE = "pages/inspect/predictions.py"

with session.fail_softly():
    project = session.current_project()
    runs = {run.name: run for run in runs_in(project.runs_folder)}

if not runs:
    st.title("Runs")
    st.markdown(
        f"Nothing was trained in **{project.name}** yet. Here the losses and the AP of each training grow epoch by "
        "epoch; you can stop a training, and come back to it later."
    )
    if st.button("Launch a training", type="primary", icon=":material/rocket_launch:"):
        st.switch_page(LAUNCH_PAGE, query_params={"project": project.folder.name})
    st.stop()

# The address names the run, so that a reload or a link shows the same one; without, it is the newest.
asked = st.query_params.get("run")
if asked is not None and asked not in runs:
    st.toast(f'There is no run "{plain(asked)}" in this project.', icon=":material/warning:")
st.session_state["runs-chosen"] = asked if asked in runs else next(iter(runs))


def name_in_address() -> None:
    st.query_params["run"] = st.session_state["runs-chosen"]


chooser, links, actions = st.columns([5, 4, 2], vertical_alignment="center")
run = runs[
    chooser.selectbox("Run", list(runs), key="runs-chosen", on_change=name_in_address, label_visibility="collapsed")
]
with session.fail_softly():
    active = local.state(run) in local.ACTIVE
address = {"project": project.folder.name, "run": run.name}

with links, st.container(horizontal=True):
    if run.detection_epochs():
        st.page_link(PREDICTIONS_PAGE, label="Predictions", icon=":material/image_search:", query_params=address)
    st.page_link(
        LAUNCH_PAGE, label="New training", icon=":material/rocket_launch:", query_params={"project": address["project"]}
    )

if active:
    with actions.popover("Cancel", icon=":material/stop_circle:", width="stretch"):
        st.markdown("It ends after the current step and keeps what it has learned. It cannot be continued.")
        if st.button("Cancel this training", type="primary", icon=":material/stop_circle:"):
            with session.fail_softly(stop=False):
                local.cancel(run)
                st.rerun()
else:
    with actions.popover("Delete", icon=":material/delete:", width="stretch"):
        st.markdown(f"This removes **{run.name}** with its curves, predictions and trained weights, for good.")
        if st.button("Delete this run", type="primary", icon=":material/delete:"):
            with session.fail_softly():
                local.delete(run)
            st.query_params.pop("run", None)
            st.rerun()


# Both parts renew themselves while the training goes on; everything they show is read from the run folder.
@st.fragment(run_every="2s" if active else None)
def head() -> None:
    with session.fail_softly():
        now = local.progress(run)
        if active and not now.active:
            st.rerun()  # it has ended: other buttons, and no more renewing
        words = STATES[now.state]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(now.state, icon=words.icon, color=words.colour, help=words.meaning)
            st.markdown(settings(run))
        st.progress(now.fraction, text=bar_text(now))


@st.fragment(run_every="2s" if active else None)
def curves() -> None:
    with session.fail_softly():
        state = local.state(run)
        if state == "failed":
            st.error(plain(local.failure(run) or "It failed without saying why; see the log."), icon=":material/error:")
        elif state == "lost":
            st.warning(f"{STATES['lost'].meaning} The log may say more.", icon=":material/help:")

        rows = run.metrics()
        epochs = [row for row in rows if row["event"] == "epoch"]
        axis: charts.Axis = "epoch" if epochs else "step"
        shown = epochs or charts.thinned([row for row in rows if row["event"] == "step"])
        if losses := charts.losses_in(shown):
            end = charts.x_end(axis, shown[-1], (run.read_json(CONFIG) or {}).get("epochs"), active)
            left, right = st.columns(2)
            left.markdown(
                f"**loss**, the sum of the {len(losses)} below",
                help="Each loss times its weight. This is what is minimised.",
            )
            left.altair_chart(charts.loss_chart(shown, "loss", 220, end, axis))
            right.markdown("**AP** on the validation pictures", help=charts.AP_MEANING)
            if charts.has_ap(epochs):
                right.altair_chart(charts.ap_chart(epochs, 220, end))
            elif epochs:
                right.info("There were no labelled validation pictures, so there is no AP.")
            else:
                right.markdown(
                    "The first point comes with the end of the first epoch; until then, losses step by step."
                )
            for loss, column in zip(losses, st.columns(len(losses)), strict=True):
                column.markdown(f"**{charts.LOSS_TITLES[loss]}**", help=f"{loss}: {charts.LOSS_MEANINGS[loss]}")
                column.altair_chart(charts.loss_chart(shown, loss, 150, end, axis))
            st.markdown(":small[Solid, filled: mean over the training steps. Dashed, hollow: the validation pictures.]")
        elif active:
            st.info("The first losses come when packages and pictures are loaded.", icon=":material/hourglass_top:")

        if epochs:
            frame: pd.DataFrame = charts.table(epochs)
            st.dataframe(
                frame,
                hide_index=True,
                height=min(38 + 35 * len(frame), 320),
                column_config={
                    name: st.column_config.NumberColumn(format="%.3f")
                    for name in frame.columns
                    if name not in ("epoch", "step", "seconds")
                }
                | {"seconds": st.column_config.NumberColumn(format="%.0f")},
            )
            st.download_button(
                "Epochs as CSV",
                frame.to_csv(index=False),
                f"{run.name}.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
            )
        with st.expander("Log", expanded=state == "failed", icon=":material/article:"):
            st.code(run.log_tail(60) or "It has said nothing yet.", language=None, height=260)


head()
curves()

if len(runs) > 1:
    with st.expander("All runs of this project", icon=":material/list:"), session.fail_softly():
        st.dataframe(
            overview(runs.values()),
            hide_index=True,
            column_config={"best AP": st.column_config.NumberColumn(format="%.3f")},
        )
