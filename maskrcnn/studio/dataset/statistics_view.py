"""The Statistics view: numbers and charts of a project, for all pictures or one split."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from maskrcnn.annotations.formats.spreadsheet import csv_of
from maskrcnn.annotations.learnable_objects import WORDS
from maskrcnn.annotations.statistics import GRID, Statistics, statistics
from maskrcnn.annotations.store import Project
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.components.class_colours import class_colours
from maskrcnn.studio.dataset import project_cache, statistics_charts
from maskrcnn.studio.dataset.statistics_charts import MOST_CLASSES, NO_CLASS
from maskrcnn.studio.shell import session, url_state
from maskrcnn.studio.shell.markdown_escape import plain

PAGE = "dataset"
SPLITS = {"all": "All pictures", "train": "Training", "val": "Validation"}
_HEIGHT, _MAP = 230, 330

OBJECTS = (
    "Regions that are learned from: they have a class, an area and a pixel inside their picture, and mark no crowd. "
    "Launch, Split and the trainer count the same. With masks switched off on Launch, keypoints alone count there too."
)
AREA = (
    "The number of pixels of its mask inside the picture, in the picture's own size. Training scales pictures to its "
    "working size (image_min_dim), and objects with them."
)
SIZE = (
    "COCO's size classes by mask area: small below 32² px, large from 96² px on, medium between. Detectors usually "
    "find small objects much worse, so AP is reported for each class of size too."
)
COVERAGE = (
    f"Every picture is stretched to a square of {GRID} x {GRID} cells. A cell's value is the share of it that objects "
    "cover, as a mean over the pictures: 100 % is a place that an object covers in every picture. A map with a bright "
    "middle says that the network never sees objects at the edges."
)
COLUMNS: dict[str, tuple[str, str]] = {
    "pictures": ("%d", "Pictures with at least one object of the class."),
    "objects": ("%d", OBJECTS),
    "share": ("%.1f %%", "The class's objects in percent of all objects of the pictures that are chosen above."),
    "per picture": ("%.2f", "Objects of the class divided by the pictures that have one."),
    "small": ("%d", SIZE),
    "medium": ("%d", SIZE),
    "large": ("%d", SIZE),
    "not learned": (
        "%d",
        "Regions of the class that are no objects: crowds, points, lines, and what has no pixel inside.",
    ),
    "median area (px²)": ("%.1f", AREA),
    "median width / height": ("%.2f", "Of the box around the object, inside the picture."),
}


def show(project: Project) -> None:
    """Draw the numbers, the charts, and the table of the classes."""
    with session.fail_softly():
        whole = project_cache.cached_result(
            "statistics",
            project,
            "Measuring the objects",
            lambda progress: statistics(project.dataset(), progress),
        )
        colours = class_colours(project)
    split = url_state.segments(
        "Pictures", "split", list(SPLITS), "all", page=f"{PAGE}_statistics", show=SPLITS.__getitem__
    )
    found = whole if split == "all" else whole.of("train" if split == "train" else "val")
    _statistics_figures(found)
    if (passed_over := not_learned_in_words(found)) and found.n_objects:
        st.markdown(f":small[{plain(passed_over.replace('Not among them', 'Not learned from', 1))}]")
    if not found.n_objects:
        _no_objects(project, found)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        classes = len(found.classes)
        many = f" The {MOST_CLASSES} most common of {classes} classes." if classes > MOST_CLASSES else ""
        st.subheader("Objects of each class", help=OBJECTS + many)
        draw(statistics_charts.classes(found, colours), alt="Bars: objects of each class")
    with right:
        st.subheader("Small, medium, large", help=SIZE + many)
        draw(statistics_charts.sizes(found), alt="Bars: share of small, medium and large objects")
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Objects per picture", help="How many pictures have how many objects, those with none included.")
        draw(statistics_charts.per_picture(found, _HEIGHT), alt="Histogram: objects in a picture")
        st.subheader("Sizes", help=f"The side of a square with the area of the object. {AREA}")
        draw(statistics_charts.areas(found, _HEIGHT), alt="Histogram: sizes of objects")
    with right:
        st.subheader(
            "Shapes",
            help="Width divided by height of the box around each object. The anchors (rpn_anchor_ratios) should span "
            "most of it; what lies beyond 8 is counted at the end.",
        )
        draw(statistics_charts.aspects(found, _HEIGHT), alt="Histogram: width by height of objects")
        _coverage_map(found)
    _classes_table(found, project.folder.name, split)


def median_in_words(numbers: np.ndarray) -> str:
    """The median of the numbers as text, with one decimal if it is not whole: `8` or `8.5`."""
    return f"{np.median(numbers):.1f}".removesuffix(".0")


def not_learned_in_words(found: Statistics) -> str:
    """The regions that the Statistics view does not count as objects, as a sentence; empty if there are none.

    For example `Not among them: 2 regions that mark a crowd, 1 that is a line.`
    """
    parts: list[str] = []
    for reason, number in found.left().items():
        for_one, for_several = WORDS[reason]
        who = f"{number:,}" if parts else f"{number:,} {'region' if number == 1 else 'regions'}"
        parts.append(f"{who} that {for_one if number == 1 else for_several}")
    return f"Not among them: {', '.join(parts)}." if parts else ""


def _statistics_figures(found: Statistics) -> None:
    """Draw the row of figures above the charts."""
    numbers = found.per_picture()
    sides = np.sqrt(found.area[found.area > 0])
    figures = (
        ("pictures", f"{found.n_pictures:,}", "Of the split that is chosen above. Removed pictures do not count."),
        ("objects", f"{found.n_objects:,}", f"{OBJECTS} {not_learned_in_words(found)}"),
        (
            "objects per picture",
            f"{numbers.mean():.1f}" if len(numbers) else "–",
            f"The mean. The median is {median_in_words(numbers)}: half of the pictures have as many or fewer."
            if len(numbers)
            else "No pictures.",
        ),
        (
            "pictures without objects",
            f"{int((numbers == 0).sum()):,}",
            "Nothing is learned on them but background: right if they show no object, harmful if all that they hold is "
            "not learned from. Those without a region stay out of training until somebody marks them as done.",
        ),
        (
            "typical size",
            f"{median_in_words(sides)} px" if len(sides) else "–",
            f"The median side of a square with the area of the object. {AREA}",
        ),
    )
    for column, (label, value, meaning) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value, help=meaning)


def _no_objects(project: Project, found: Statistics) -> None:
    """Draw a message for pictures without objects, and a button to draw the first one or to choose a split."""
    st.info(
        "Here you see how many objects of each class there are, how large they are and where they lie. "
        + ("There is no object on these pictures yet." if found.n_pictures else "There are no pictures in this split."),
        icon=":material/bar_chart:",
    )
    if left := not_learned_in_words(found):
        st.markdown(plain(left.replace("Not among them", "Not learned from", 1)))
    if found.n_pictures and st.button("Draw the first one", type="primary", icon=":material/draw:"):
        st.switch_page("pages/label/annotate.py", query_params={"project": project.folder.name})
    if not found.n_pictures:
        st.button(
            "Choose a split",
            type="primary",
            icon=":material/call_split:",
            on_click=url_state.choose,
            args=("view", "split"),
        )


def _coverage_map(found: Statistics) -> None:
    """Draw the map of where objects are in the picture, with the choice of a class."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Where in the picture", help=COVERAGE, width="content")
        rows = [row.name for row in found.table() if row.objects]
        names: dict[str, str | Literal[True]] = {"any class": True, **{name: name for name in rows if name}}
        chosen = st.selectbox(
            "Class", list(names), key="dataset_coverage_class", label_visibility="collapsed", width=220
        )
    cells = found.coverage(names[chosen])
    draw(statistics_charts.coverage(cells, _MAP), alt="Map: where in the picture objects lie")


def _classes_table(found: Statistics, project: str, split: str) -> None:
    """Draw the table of the classes, and the button to download it as CSV."""
    st.subheader("All classes", help="Each column says on hover what it counts.")
    frame = pd.DataFrame(
        [
            {
                "class": row.name or NO_CLASS,
                "pictures": row.pictures,
                "objects": row.objects,
                "share": 100 * row.objects / found.n_objects,
                "per picture": row.objects / row.pictures if row.pictures else None,
                "small": row.small,
                "medium": row.medium,
                "large": row.large,
                "not learned": row.left,
                "median area (px²)": row.median_area,
                "median width / height": row.median_aspect,
            }
            for row in found.table()
        ]
    )
    config = {
        name: st.column_config.NumberColumn(format=format, help=meaning) for name, (format, meaning) in COLUMNS.items()
    }
    st.dataframe(frame, hide_index=True, column_config=config, placeholder="–")
    st.download_button(
        "Table (CSV)",
        csv_of(frame),
        f"{project}-{split}-classes.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
