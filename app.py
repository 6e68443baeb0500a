"""The Streamlit app of the studio: page configuration, navigation and side bar. Start: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from maskrcnn.studio import serving
from maskrcnn.studio.shell import page_config, page_visits, session, sidebar

ICON = Path(__file__).parent / "maskrcnn" / "studio" / "icon.svg"


def show() -> None:
    """Configure the page, draw the side bar, and run the page that the URL names."""
    page_config.show("Mask R-CNN Studio", ICON)
    pages = {
        "Label": [
            st.Page("pages/label/annotate.py", title="Annotate", icon=":material/draw:", url_path="home", default=True),
            st.Page("pages/label/dataset.py", title="Dataset", icon=":material/dataset:", url_path="dataset"),
            st.Page(
                "pages/label/label_next.py",
                title="Label next",
                icon=":material/playlist_play:",
                url_path="label_next",
            ),
        ],
        "Train": [
            st.Page("pages/train/launch.py", title="Launch", icon=":material/rocket_launch:", url_path="launch"),
            st.Page("pages/train/runs.py", title="Runs", icon=":material/monitoring:", url_path="runs"),
        ],
        "Inspect": [
            st.Page("pages/inspect/try_it.py", title="Try it", icon=":material/experiment:", url_path="try_it"),
            st.Page(
                "pages/inspect/predictions.py",
                title="Predictions",
                icon=":material/image_search:",
                url_path="predictions",
            ),
            st.Page(
                "pages/inspect/evaluation.py",
                title="Evaluation",
                icon=":material/fact_check:",
                url_path="evaluation",
            ),
            st.Page("pages/inspect/compare.py", title="Compare", icon=":material/compare:", url_path="compare"),
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
    # Streamlit serves the default page at "/" only. This entry makes /annotate work as well.
    by_name = st.Page("pages/label/annotate.py", title="Annotate", icon=":material/draw:", url_path="annotate")
    page = st.navigation({**pages, "": [by_name]}, position="hidden")
    if page == by_name:
        pages["Label"][0] = page
    page_visits.note(page.url_path)
    serving.show_refusal()
    sidebar.show(pages)
    with session.fail_softly():  # errors that a page does not catch itself, such as a project deleted meanwhile
        page.run()


if __name__ == "__main__":  # Streamlit runs this file in each script run: for each visit and after each click
    show()
else:  # before that, Streamlit imports this file once and serves the ASGI application `app`
    app = st.App(__file__, lifespan=serving.lifespan, routes=serving.routes(), middleware=serving.middleware())
