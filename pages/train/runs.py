"""Train > Runs: watch trainings, compare their curves, stop, resume and download them, and see masks sharpen."""

import streamlit as st

from maskrcnn.jobs import run_state
from maskrcnn.jobs.backend import JobState
from maskrcnn.runs.epochs import EPOCH_MEANING, PASS_MEANING
from maskrcnn.runs.folder import CONFIG, RunFolder
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.studio.components import trained_networks
from maskrcnn.studio.runs import compared_runs, curve_charts, predictions_by_epoch, run_actions
from maskrcnn.studio.runs.curve_lines import losses_in, table
from maskrcnn.studio.runs.run_words import STATES, TIME_MEANING, bar_text, ended_early, learns_now, overview, settings
from maskrcnn.studio.runs.table_columns import epoch_columns, run_columns
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.page_words import on_page
from maskrcnn.studio.shell.plain_text import plain

LAUNCH_PAGE = "pages/train/launch.py"
PREDICTIONS_PAGE = "pages/inspect/predictions.py"

with session.fail_softly():
    project = session.current_project()
    runs = {run.name: run for run in runs_in(project.runs_folder)}
    run_actions.show_faulty(project.runs_folder)

if not runs:
    st.title("Runs")
    st.markdown(
        f"Nothing was trained in **{plain(project.name)}** yet. Here the losses and the AP of each training grow epoch "
        "by epoch; you can stop a training, and come back to it later."
    )
    if st.button("Launch a training", type="primary", icon=":material/rocket_launch:"):
        st.switch_page(LAUNCH_PAGE, query_params={"project": project.folder.name})
    st.stop()

# The address names the run and those drawn with it, so that a reload or a link shows the same; without, the newest.
asked = st.query_params.get("run")
if asked is not None and asked not in runs:
    st.toast(f'There is no run "{plain(asked)}" in this project.', icon=":material/warning:")
st.session_state["runs-chosen"] = asked if asked in runs else next(iter(runs))


def name_in_address() -> None:
    st.query_params["run"] = st.session_state["runs-chosen"]


def name_others_in_address() -> None:
    st.query_params["with"] = ",".join(st.session_state["runs-with"])
    if not st.session_state["runs-with"]:
        st.query_params.pop("with")


with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    name = st.selectbox(
        "Run", list(runs), key="runs-chosen", on_change=name_in_address, label_visibility="collapsed", width=220
    )
    run = runs[name]
    others = [other for other in runs if other != name]
    address = {"project": project.folder.name, "run": name}
    with session.fail_softly():
        active = not run_state.state(run).ended
    if run.detection_epochs():
        st.page_link(PREDICTIONS_PAGE, label="Predictions", icon=":material/image_search:", query_params=address)
    st.page_link(
        LAUNCH_PAGE, label="New training", icon=":material/rocket_launch:", query_params={"project": address["project"]}
    )
    st.space("stretch")
    with session.fail_softly():
        run_actions.show(run)


# The parts below renew themselves while the training goes on; everything they show is read from the run folder.
@st.fragment(run_every="2s" if active else None)
def head() -> None:
    if not run.path.is_dir():
        st.rerun()  # deleted in another tab
    with session.fail_softly():
        now = run_state.progress(run)
        if active != (not now.state.ended):
            st.rerun()  # it has ended: other buttons, and no more renewing
        words = STATES[now.state]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(now.state, icon=words.icon, color=words.colour, help=f"{words.meaning} {TIME_MEANING}")
            st.markdown(settings(run))
            if now.active and (learning := learns_now(now.row, run.read_json(CONFIG) or {})):
                st.markdown(learning)
        trained_networks.show_card(run)
        if now.state == "queued":
            st.markdown(run_actions.turn_words(run))
        else:
            st.progress(now.fraction, text=bar_text(now))
        if now.state == "failed":
            why = run_state.failure(run) or "It failed without saying why; see the log."
            st.error(plain(on_page(why)), icon=":material/error:")
        elif now.state == "lost":
            st.warning(f"{STATES[JobState.LOST].meaning} The log may say more.", icon=":material/help:")
        elif early := ended_early(run):
            st.info(early, icon=":material/flag:")


@st.fragment(run_every="2s" if active else None)
def curves() -> None:
    with session.fail_softly():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            smoothing = st.slider(
                "Smoothing",
                0.0,
                0.99,
                0.6,
                0.01,
                key="runs-smoothing",
                persist_state="session",
                width=180,
                help="Of single steps: a running mean, as in TensorBoard. 0 shows them as they are.",
            )
            asked = st.query_params.get("with", "").split(",")
            compared = [name for name in asked if name in others][: compared_runs.MOST_RUNS - 1]
            axes = compared_runs.axes([run, *(runs[name] for name in compared)])
            axis = st.segmented_control(
                "Over",
                axes,
                default=axes[0],
                required=True,
                key="runs-axis-compared" if compared else "runs-axis",
                persist_state="session",
                help=f"{EPOCH_MEANING} {PASS_MEANING} Several runs are not drawn over epochs, which may have "
                "different lengths.",
            )
            log = st.toggle("Log scale", key="runs-log", persist_state="session", help="Of the losses.")
            drawn: list[RunFolder] = [run]
            if others:
                st.session_state["runs-with"] = compared
                drawn += [
                    runs[name]
                    for name in st.multiselect(
                        "Compare with",
                        others,
                        key="runs-with",
                        on_change=name_others_in_address,
                        max_selections=compared_runs.MOST_RUNS - 1,
                        placeholder="other runs",
                        select_all=False,
                    )
                ]
        if len(drawn) > 1:
            st.dataframe(
                compared_runs.comparison(drawn),
                hide_index=True,
                column_config={" ": st.column_config.ImageColumn(width=40), **run_columns()},
            )
            st.markdown(":small[Of the settings, the start and those that differ.]")
            if not compared_runs.judged_alike(drawn):
                st.warning("These runs were validated on different pictures, so their AP cannot be compared.")

        lines = compared_runs.curves(drawn)
        if any(losses_in(one.rows) for one in lines):
            view = curve_charts.View(axis, curve_charts.end_of(drawn, lines, axis), smoothing, log)
            curve_charts.losses(lines, view)
            with st.expander("How it computes", icon=":material/speed:", key="runs-computes", on_change="rerun") as box:
                if box.open:
                    curve_charts.gauges(lines, view)
        elif run_state.state(run).active:
            st.info("The first losses come when packages and pictures are loaded.", icon=":material/hourglass_top:")


@st.fragment(run_every="0.8s" if st.session_state.get("runs-playing") else "4s" if active else None)
def pictures() -> None:
    with session.fail_softly(stop=False):
        if epochs := run.detection_epochs():
            predictions_by_epoch.show(run, epochs, PREDICTIONS_PAGE, address)


@st.fragment(run_every="5s" if active else None)
def numbers() -> None:
    with session.fail_softly():
        epochs = run.epochs()
        if epochs:
            frame = table(epochs, compared_runs.pass_steps(run))
            with st.expander("Epochs", icon=":material/table:"):
                st.dataframe(
                    frame, hide_index=True, height=min(38 + 35 * len(frame), 320), column_config=epoch_columns(frame)
                )
        with st.expander("Log", expanded=run_state.state(run) == "failed", icon=":material/article:"):
            st.code(run.log_tail(60) or "It has said nothing yet.", language=None, height=260)


head()
run_actions.show_queue_if_any()
curves()
pictures()
numbers()

if len(runs) > 1:
    with st.expander("All runs of this project", icon=":material/list:"), session.fail_softly():
        st.dataframe(overview(runs.values()), hide_index=True, column_config=run_columns())
