"""The door of the studio: page configuration, navigation and the side bar. Start it with `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from maskrcnn.studio import serving
from maskrcnn.studio.shell import frame, session, sidebar

ICON = Path(__file__).parent / "maskrcnn" / "studio" / "icon.svg"


def show() -> None:
    """Draw the page that is asked for, in its frame."""
    frame.show("Mask R-CNN Studio", ICON)
    pages = {
        "Label": [
            st.Page("pages/label/annotate.py", title="Annotate", icon=":material/draw:", url_path="home", default=True),
            st.Page("pages/label/dataset.py", title="Dataset", icon=":material/dataset:", url_path="dataset"),
        ],
        "Train": [
            st.Page("pages/train/launch.py", title="Launch", icon=":material/rocket_launch:", url_path="launch"),
            st.Page("pages/train/runs.py", title="Runs", icon=":material/monitoring:", url_path="runs"),
        ],
        "Inspect": [
            st.Page(
                "pages/inspect/predictions.py",
                title="Predictions",
                icon=":material/image_search:",
                url_path="predictions",
            ),
        ],
        "Learn": [
            st.Page(
                "pages/learn/roi_align.py",
                title="RoIPool and RoIAlign",
                icon=":material/grid_on:",
                url_path="roi_align",
            ),
        ],
    }
    # The default page lies at "/" alone; people who type its name, as of any other page, should find it too.
    by_name = st.Page("pages/label/annotate.py", title="Annotate", icon=":material/draw:", url_path="annotate")
    page = st.navigation({**pages, "": [by_name]}, position="hidden")
    if page == by_name:
        pages["Label"][0] = page
    serving.show_refusal()
    sidebar.show(pages)
    with session.fail_softly():  # what a page has no box for: a project that is taken away while it is drawn, say
        page.run()


if __name__ == "__main__":  # Streamlit runs this file for each visit and after each click
    show()
else:  # and imports it once before, for the name `app`, which it serves
    app = st.App(__file__, lifespan=serving.lifespan, middleware=serving.middleware())
