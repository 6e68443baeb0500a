"""Compare page: two epochs, of two runs or of one, on the same pictures: what the second finds better and worse."""

import streamlit as st

from maskrcnn.studio.compare import (
    changes_view,
    compare_pictures,
    compared_runs,
    differences_view,
    epoch_choice,
    paper_figures,
    picture_choice,
)
from maskrcnn.studio.compare.compared_sets import ComparedEpochs, compared_sets, comparison
from maskrcnn.studio.shell import session

project = session.current_project()
offered = compared_runs.offered(project)

# Choice of both runs, their epochs and the picture. The rows are close together: the window belongs to the pictures.

top = st.container(gap="xsmall")
with top:
    sides = compared_runs.choose(offered.runs, offered.own)
    if sides is None:
        st.stop()
    a, b = sides
    slider_column, lock_column, picture_column, step_column = st.columns(
        [5.6, 1.8, 4.0, 2.6], vertical_alignment="center"
    )
    epoch_a, epoch_b = epoch_choice.show(a, b, slider_column, lock_column)
    if (a.run.path, epoch_a) == (b.run.path, epoch_b):
        st.info(
            "A and B are the same epoch of the same training, so nothing differs. Choose another training or epoch.",
            icon=":material/info:",
        )
    with session.fail_softly():
        epochs = ComparedEpochs.of(a.run, epoch_a, b.run, epoch_b, compared_runs.labels())
        sets = compared_sets(epochs)
    position = picture_choice.show(sets.files, changes_view.most_changed(sets), picture_column, step_column)

    # The pictures, under one line with the answer

    verdict = st.empty()
    verdict.markdown("Measuring how far apart A and B are")
    with session.fail_softly():
        compare_pictures.show(project, a, b, epochs, sets, position)

# The numbers

with session.fail_softly():
    found = comparison(epochs, sets)
    verdict.markdown(differences_view.verdict_line(found))
    differences_view.show(a, b, epochs, sets, found)
    if compared_runs.is_pooling_pair(a, b):
        paper_figures.show(project, len(sets.files))
    changes_view.show(project, a, b, epochs, sets, found, position)
