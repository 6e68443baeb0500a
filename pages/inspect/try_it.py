"""Try it page: a trained network looks at pictures that it has never seen, and what it finds is taken away."""

import streamlit as st

from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.studio.try_it import (
    counting_view,
    figures_view,
    gallery_view,
    inputs_view,
    network_view,
    opened_set,
    picture_view,
    sets_view,
    status_view,
    take_away_view,
)

TITLE = "Try it"
project = session.current_project()
opened = opened_set.asked(project)

# Without a set: the network, and the ways in

if opened is None:
    chosen = network_view.choose(project, TITLE)
    if message := opened_set.pop_message():
        st.error(plain(on_page(message)), icon=":material/error:")
    sets = sets_view.of_project(project)
    inputs_view.show(project, chosen, bool(sets))
    sets_view.show(sets)
    st.stop()

# The set: how far the network is, and the large picture

columns = status_view.head(opened, TITLE)
if not opened.done:
    status_view.show(opened)
    status_view.waiting(opened)
    status_view.show_unreadable(opened)
    st.stop()
with session.fail_softly(), st.spinner("Loading"):
    choice = picture_view.choice_of(opened)
    order = counting_view.order(opened, choice)
    position = picture_view.choose(opened, order, columns)
status_view.show(opened)
choice = picture_view.show(opened, position)

# Below: all pictures, figures, and the ways out

status_view.show_unreadable(opened)
take_away_view.show(opened, choice)
figures = counting_view.figures(opened, choice)
if figures is not None:
    gallery_view.show(opened, figures, choice)
    figures_view.show(opened, figures, choice)
