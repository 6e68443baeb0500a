"""Predictions: what a run found in each validation picture, beside what a person drew."""

import json
from functools import partial

import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.formats.spreadsheet import csv_of
from maskrcnn.drawing import overlays
from maskrcnn.evaluation import match_image
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.studio.components import trained_networks
from maskrcnn.studio.inspect import run_report, why_missed
from maskrcnn.studio.inspect.run_report import figure
from maskrcnn.studio.shell import address, hotkeys, session
from maskrcnn.studio.shell.plain_text import plain
from maskrcnn.words import counted

PAGE = "predictions"
TABLE = "predictions_table"
TALLEST, TALLEST_ALONE = 400, 640  # pixels on the screen: of two pictures side by side, and of one
BOTH, TRUTH, FOUND = "both", "ground truth", "prediction"

st.title("Predictions")
project = session.current_project()
with session.fail_softly():
    own = runs_in(project.runs_folder)
    runs = trained_networks.on_offer(own)

if not runs:
    st.info(
        "Here you see, picture by picture, what a trained network finds beside what you drew, and how good that is. "
        "This project has no training yet.",
        icon=":material/image_search:",
    )
    if st.button("Start a training", type="primary", icon=":material/rocket_launch:"):
        st.switch_page("pages/train/launch.py", query_params={"project": project.folder.name})
    st.stop()

# Which run, which epoch, which picture

run_column, epoch_column, picture_column, step_column = st.columns([3, 2.2, 3.6, 2], vertical_alignment="bottom")
with session.fail_softly():
    newest = next((name for name, run in runs.items() if run.detection_epochs()), next(iter(runs)))
    with run_column:
        run = runs[address.select("Run", "run", list(runs), newest, page=PAGE, resets=["epoch"])]
    epochs = run.detection_epochs()
    is_validated = bool((run.dataset()["val"] or {"images": ()})["images"])
    truth = run_report.shown(run)  # the validation pictures, or where there are none some that it learned from
    config = run.config()

if not is_validated and run.epochs():
    st.info(
        f"{plain(run.name)} was trained without validation pictures, so nothing says how well it finds objects on "
        f"pictures that it has not seen. Below: {counted(len(truth['images']), 'picture')} that it learned from. Keep "
        "some labelled pictures back for validation, then train again.",
        icon=":material/image_search:",
    )
    if st.button("Choose validation pictures", type="primary", icon=":material/call_split:"):
        st.switch_page("pages/label/dataset.py", query_params={"project": project.folder.name, "view": "split"})
if not epochs or not truth["images"]:
    if is_validated or not run.epochs():
        st.info(
            f"{plain(run.name)} has not finished an epoch yet. Its detections appear here after the first one.",
            icon=":material/hourglass_top:",
        )
        if st.button("See how the run is doing", type="primary"):
            st.switch_page("pages/train/runs.py", query_params={"project": project.folder.name, "run": run.name})
    st.stop()

if not own:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            "This project has no training yet; here is a network that ships with the studio, on its own pictures."
        )
        st.page_link(
            "pages/train/launch.py",
            label="Start a training",
            icon=":material/rocket_launch:",
            query_params={"project": project.folder.name},
        )
trained_networks.show_card(run)
with session.fail_softly():
    best = run_report.best_epoch(run, epochs)
images = {image["file_name"]: image for image in truth["images"]}
names = list(images)
with epoch_column:
    epoch = address.select(
        "Epoch",
        "epoch",
        epochs,
        best.epoch,
        page=PAGE,
        of=str(run.path),
        show=lambda number: run_report.epoch_words(number, best),
        help=run_report.epoch_help(best),
    )
with picture_column:
    name = address.select(
        "Picture",
        "image",
        names,
        names[0],
        page=PAGE,
        show=lambda text: f"{names.index(text) + 1} / {len(names)}   {text}",
    )
position = names.index(name)
steps = {
    words: partial(address.choose, "image", names[(position + step) % len(names)])
    for words, step in (("previous", -1), ("next", 1))
}


def switch_view() -> None:
    st.session_state[f"{PAGE}_view"] = FOUND if st.session_state.get(f"{PAGE}_view", BOTH) == BOTH else BOTH


with step_column.container(horizontal=True, gap="small", wrap=False):
    for words, icon in (("previous", ":material/chevron_left:"), ("next", ":material/chevron_right:")):
        tip = hotkeys.tip(hotkeys.PREDICTIONS, words)
        st.button("", key=f"{PAGE}_{words}", icon=icon, help=tip, on_click=steps[words])
    hotkeys.listen(hotkeys.PREDICTIONS, {**steps, "large": switch_view}, f"{PAGE}_keys")
    hotkeys.sheet_button(hotkeys.PREDICTIONS, f"{PAGE}_sheet", label="")

# The picture

picture_row = st.container()
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    view = st.segmented_control(
        "Show",
        [BOTH, TRUTH, FOUND],
        default=BOTH,
        required=True,
        key=f"{PAGE}_view",
        persist_state="session",
        help=f"Both side by side, or one of them large. {hotkeys.tip(hotkeys.PREDICTIONS, 'large')}",
    )
    min_score = st.slider(
        "Show scores from",
        0.0,
        0.95,
        0.5,
        0.05,
        key=f"{PAGE}_score",
        persist_state="session",
        width=200,
        help="Detections below this score are neither drawn nor counted as right or wrong. AP uses all of them.",
    )
    colouring = st.segmented_control(
        "Colour by",
        ["match", "class"],
        default="match",
        required=True,
        key=f"{PAGE}_colour",
        persist_state="session",
        help=f"match: right, wrong or missed, at {'mask' if 'mask' in config.tasks else 'box'} IoU 0.5 and with the "
        "same class. class: the project's colours.",
    )
    drawable = ["masks"] * ("mask" in config.tasks) + ["boxes"] + ["keypoints"] * ("keypoints" in config.tasks)
    drawable.append("labels")
    switches = dict.fromkeys(("masks", "keypoints"), False)
    with st.container(gap="xxsmall", width="content"):
        st.markdown(":small[Draw]")
        with st.container(horizontal=True, gap="small"):
            for part in drawable:
                switches[part] = st.checkbox(part, True, key=f"{PAGE}_{part}", persist_state="session")

with session.fail_softly():
    picture = pictures.load(run.picture_path(images[name]))
    detections = run.detections(epoch)
    matches = match_image(truth, detections, images[name]["id"], min_score, tasks=config.tasks)
    report = run_report.report(run, epoch, min_score)
row = report.per_image[position]
says = report.definitions
class_names = {category["id"]: category["name"] for category in truth["categories"]}
colours = None if colouring == "match" else run_report.class_colours(project, truth["categories"])
shown_width = round((TALLEST if view == BOTH else TALLEST_ALONE) * picture.shape[1] / picture.shape[0])
places = (
    dict(zip((TRUTH, FOUND), picture_row.columns(2, gap="small"), strict=True)) if view == BOTH else {view: picture_row}
)

if TRUTH in places:
    with places[TRUTH]:
        st.markdown(f"**Ground truth** · {counted(row.n_gt, 'object')}")
        drawn = overlays.draw(
            picture, overlays.truth_marks(matches, class_names, colours, config.keypoint_edges), **switches
        )
        st.image(drawn, width=shown_width, alt=f"{name} with its labelled objects")
if FOUND in places:
    with places[FOUND]:
        st.markdown(f"**Prediction** · {counted(row.n_pred, 'detection')}")
        drawn = overlays.draw(
            picture, overlays.prediction_marks(matches, class_names, colours, config.keypoint_edges), **switches
        )
        st.image(drawn, width=shown_width, alt=f"{name} with what {run.name} found in it")
with picture_row:
    below = [found["score"] for found in detections if found["image_id"] == images[name]["id"]]
    if below and max(below) < min_score:
        highest = run_report.score_below(max(below), min_score)
        st.markdown(f":small[The highest score here is {highest}: move the slider down to see it.]")
with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    learned = "" if is_validated else " The network learned from this picture, so it says little."
    st.metric("AP of this picture", figure(row.ap), help=says["ap"] + learned, width="content")
    if "keypoints" in config.tasks:
        st.markdown(f"**{figure(row.keypoints_ap)}** keypoint AP", help=says["keypoints_ap"])
    for colour, words, line, field in (
        ("green", "found, TP", "solid", "tp"),
        ("orange", "wrong, FP", "hatched", "fp"),
        ("blue", "missed, FN", "dashed", "fn"),
    ):
        style = f" ({line})" if colouring == "match" else ""
        st.markdown(f":{colour}-badge[**{getattr(row, field)}**] {words}{style}", help=says[field])
    if matches.matched_by == "bbox":
        st.markdown(":small[Judged by boxes: this network finds no masks.]", help=says["matched_by"])

why_missed.panel(run, epoch, images[name], matches, min_score)

if not is_validated:
    st.stop()  # what it says of pictures that it learned from is no measure of it

# The whole validation set

st.subheader(f"All {counted(len(names), 'validation picture')}" if len(names) > 1 else "The validation set: 1 picture")
summary = run_report.headline(report)
widths = [4] * (len(summary) - 1) + [5]
for column, (title, value, meaning) in zip(st.columns(widths), summary, strict=True):
    column.metric(title, figure(value), help=meaning)


def open_row() -> None:
    """Open the picture of the row that was clicked, in a cell or on its box."""
    selection = st.session_state[TABLE]["selection"]
    rows = [row for row, _ in selection["cells"]] or selection["rows"]
    if rows:
        address.choose("image", names[rows[0]])


st.session_state[TABLE] = {"selection": {"rows": [position], "columns": [], "cells": []}}
st.dataframe(
    run_report.table(report),
    key=TABLE,
    hide_index=True,
    column_config=run_report.column_config(says),
    placeholder="–",
    on_select=open_row,
    selection_mode=["single-row", "single-cell"],
)
with st.container(horizontal=True):
    st.markdown(":small[A click on a row opens its picture; a click on a column's title sorts.]")
    st.download_button(
        "Table (CSV)",
        csv_of(run_report.table(report)),
        file_name=f"{run.name}_epoch_{epoch:04d}_pictures.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.download_button(
        "Report (JSON)",
        json.dumps(report.to_json(), indent=1),
        file_name=f"{run.name}_epoch_{epoch:04d}_report.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    st.download_button(
        "Detections (COCO JSON)",
        json.dumps(detections),
        file_name=f"{run.name}_epoch_{epoch:04d}_detections.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
