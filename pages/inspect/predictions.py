"""Predictions: what a run found in each validation picture, beside what a person drew."""

import json

import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.formats.spreadsheet import csv_of
from maskrcnn.evaluation import match_image
from maskrcnn.studio import address, inspection, networks, overlays, session, why_missed
from maskrcnn.studio.inspection import figure
from maskrcnn.studio.plain_text import plain
from maskrcnn.training.run_folder import runs_in
from maskrcnn.words import counted

PAGE = "predictions"
TABLE = "predictions_table"
TALLEST = 400  # pixels on the screen, about what the controls beside it take, so that the table below stays put

st.title("Predictions")
project = session.current_project()
with session.fail_softly():
    own = runs_in(project.runs_folder)
    runs = networks.on_offer(own)

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

run_column, epoch_column, picture_column, step_column = st.columns([3, 2.1, 4, 1.6], vertical_alignment="bottom")
with session.fail_softly():
    newest = next((name for name, run in runs.items() if run.detection_epochs()), next(iter(runs)))
    with run_column:
        run = runs[address.select("Run", "run", list(runs), newest, page=PAGE)]
    epochs = run.detection_epochs()
    truth = run.dataset()["val"]
    config = run.config()

if not epochs or not truth or not truth["images"]:
    if truth is None and run.epochs():
        st.info(
            f"{plain(run.name)} was trained without validation pictures, so there is nothing to compare it with. "
            "Put some pictures into the validation split and train again.",
            icon=":material/image_search:",
        )
        label, target = "Choose validation pictures", "pages/label/annotate.py"
    else:
        st.info(
            f"{plain(run.name)} has not finished an epoch yet. Its detections appear here after the first one.",
            icon=":material/hourglass_top:",
        )
        label, target = "See how the run is doing", "pages/train/runs.py"
    if st.button(label, type="primary"):
        st.switch_page(target, query_params={"project": project.folder.name, "run": run.name})
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
networks.show_card(run)
with session.fail_softly():
    best, best_by = inspection.best_epoch(run, epochs)
images = {image["file_name"]: image for image in truth["images"]}
names = list(images)
with epoch_column:
    epoch = address.select(
        "Epoch",
        "epoch",
        epochs,
        best,
        page=PAGE,
        show=lambda number: f"{number} (best {best_by} AP)" if number == best and best_by else str(number),
        help="Detections are kept for each epoch. The best one has the highest AP on these pictures.",
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
with step_column.container(horizontal=True, gap="small", wrap=False):
    for icon, step, words in ((":material/chevron_left:", -1, "previous"), (":material/chevron_right:", 1, "next")):
        st.button(
            "",
            key=f"{PAGE}_{words}",
            icon=icon,
            help=f"The {words} picture",
            on_click=address.choose,
            args=("image", names[(position + step) % len(names)]),
        )

# The picture

truth_column, found_column, side = st.columns([10, 10, 6.2])
with side:
    min_score = st.slider(
        "Show scores from",
        0.0,
        0.95,
        0.5,
        0.05,
        key=f"{PAGE}_score",
        persist_state="session",
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
    with st.container(gap="xxsmall"):
        st.markdown(":small[Draw]")
        with st.container(horizontal=True, gap="small"):
            for part in drawable:
                switches[part] = st.checkbox(part, True, key=f"{PAGE}_{part}", persist_state="session")

with session.fail_softly():
    picture = pictures.load(run.picture_path(images[name]))
    detections = run.detections(epoch)
    matches = match_image(truth, detections, images[name]["id"], min_score, tasks=config.tasks)
    report = inspection.report(run, epoch, min_score)
row = report["per_image"][position]
says = report["definitions"]
class_names = {category["id"]: category["name"] for category in truth["categories"]}
colours = None if colouring == "match" else inspection.class_colours(project, truth["categories"])
shown_width = min(800, round(TALLEST * picture.shape[1] / picture.shape[0]))

with truth_column:
    st.markdown(f"**Ground truth** · {counted(row['n_gt'], 'object')}")
    drawn = overlays.draw(
        picture, overlays.truth_marks(matches, class_names, colours, config.keypoint_edges), **switches
    )
    st.image(drawn, width=shown_width, alt=f"{name} with its labelled objects")
with found_column:
    st.markdown(f"**Prediction** · {counted(row['n_pred'], 'detection')}")
    drawn = overlays.draw(
        picture, overlays.prediction_marks(matches, class_names, colours, config.keypoint_edges), **switches
    )
    st.image(drawn, width=shown_width, alt=f"{name} with what {run.name} found in it")
    below = [found["score"] for found in detections if found["image_id"] == images[name]["id"]]
    if below and max(below) < min_score:
        st.markdown(f":small[The highest score here is {max(below):.2f}: move the slider down to see it.]")
with side, st.container(gap="xsmall"):
    st.metric("AP of this picture", figure(row["ap"]), help=says["ap"])
    if "keypoints" in config.tasks:
        st.markdown(f"**{figure(row['keypoints_ap'])}** keypoint AP", help=says["keypoints_ap"])
    for colour, words, line, field in (
        ("green", "found, TP", "solid", "tp"),
        ("orange", "wrong, FP", "hatched", "fp"),
        ("blue", "missed, FN", "dashed", "fn"),
    ):
        style = f" ({line})" if colouring == "match" else ""
        st.markdown(f":{colour}-badge[**{row[field]}**] {words}{style}", help=says[field])
    if matches.matched_by == "bbox":
        st.markdown(":small[Judged by boxes: this network finds no masks.]", help=says["matched_by"])

why_missed.panel(run, epoch, images[name], matches, min_score)

# The whole validation set

st.subheader(f"All {len(names)} validation pictures")
summary = inspection.headline(report)
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
    inspection.table(report),
    key=TABLE,
    hide_index=True,
    column_config=inspection.column_config(says),
    placeholder="–",
    on_select=open_row,
    selection_mode=["single-row", "single-cell"],
)
with st.container(horizontal=True):
    st.markdown(":small[A click on a row opens its picture; a click on a column's title sorts.]")
    st.download_button(
        "Table (CSV)",
        csv_of(inspection.table(report)),
        file_name=f"{run.name}_epoch_{epoch:04d}_pictures.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.download_button(
        "Report (JSON)",
        json.dumps(report, indent=1),
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
