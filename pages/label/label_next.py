"""Label next page: the pictures without labels that teach the network most, with what it suggests for them."""

import streamlit as st

from maskrcnn.studio.annotate.hints.networks import title_of
from maskrcnn.studio.label_next import look_progress, look_queue, network_order, ranked_gallery, ranking
from maskrcnn.studio.shell import session, url_state
from maskrcnn.words import counted

PAGE = "label_next"
MEANING = (
    "First comes the picture that stands for most others of which the network is not sure. A picture stands for those "
    "that are more like it than like a picture with labels, or one above it. A network looks at all pictures once, in "
    "the background; what it suggests is kept, so that the editor shows it at once."
)

project = session.current_project()
images = project.images()
query = {"project": project.folder.name}
title = st.container(horizontal=True, vertical_alignment="center", gap="medium")
with title:
    st.title("Label next", width="content", help=MEANING)
if not images:
    st.info("Here you see which pictures to label next. This project has no pictures yet.", icon=":material/photo:")
    st.page_link(
        "pages/label/dataset.py",
        label="Import pictures",
        icon=":material/upload:",
        query_params={**query, "view": "import"},
    )
    st.stop()
if not look_queue.unlabelled(images):
    words = f"All {len(images)} pictures have labels" if len(images) > 1 else "The only picture has labels"
    st.success(f"{words}: there is nothing to label next.", icon=":material/check_circle:")
    st.page_link(
        "pages/label/dataset.py",
        label="Bring more pictures",
        icon=":material/upload:",
        query_params={**query, "view": "import"},
    )
    st.page_link("pages/train/launch.py", label="Train", icon=":material/rocket_launch:", query_params=query)
    st.stop()

networks = {network.key: network for network in network_order.offered(project)}
own = [key for key, network in networks.items() if network.kind == "run"]
if not own:
    st.info(
        "Here you see which pictures to label next. That needs a network that has learned from this project: label "
        "some pictures and train on them.",
        icon=":material/rocket_launch:",
    )
    st.page_link("pages/train/launch.py", label="Start a training", icon=":material/rocket_launch:", query_params=query)
with title, st.container(width=340):
    options = [*(() if own else ("",)), *networks]
    key = url_state.select(
        "Network",
        "network",
        options,
        options[0] if options else "",
        show=lambda key: title_of(key) if key else "a model that ships with the studio",
        page=PAGE,
        label_visibility="collapsed",
    )
if key not in networks:
    st.stop()
network = networks[key]


def look() -> None:
    """Begin to look at the pictures."""
    with session.fail_softly(stop=False):
        look_queue.start(project, network)


with session.fail_softly():
    seen = ranking.overview(project, network, images)
    work = look_queue.work_of(project)
    if work is not None and work.network != network and not work.is_running:
        work = None
    running = work if work is not None and work.is_running else None
    if seen.waiting and (running is None or running.network != network):
        with title:
            st.button(
                f"Look at {counted(seen.waiting, 'picture')}",
                type="secondary" if seen.looked_at else "primary",
                icon=":material/visibility:",
                on_click=look,
                help="The network looks at each picture once, in the background. You may leave this page meanwhile.",
            )
    labelled = counted(seen.labelled, "picture has labels", "pictures have labels")
    looked = "" if running else f" The network has looked at {seen.looked_at} of these."
    st.markdown(f"{labelled}, {seen.unlabelled} have none.{looked}")
    if not seen.labelled:
        st.markdown("No picture has labels yet, so the most typical picture comes first.")
    if work is not None:
        look_progress.show(project, work)
    pictures = ranking.ranked(project, network, images) if seen.looked_at else []
if pictures:
    ranked_gallery.show(project, network, pictures)
elif running is None:
    st.markdown("Have the network look at the pictures to see which ones to label next.")
