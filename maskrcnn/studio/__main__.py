"""`python -m maskrcnn.studio`: `streamlit run app.py`, with one trap closed. Arguments go to Streamlit.

Streamlit takes a folder named `pages` beside the script for its own older kind of navigation, until `st.navigation` has
run once. The first visitor of a fresh server, and any tab that was left open over a restart, would be told "Page not
found" in a box over the page that they asked for, if that is not the first one.
"""

import os
import sys

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

from maskrcnn.studio.session import ROOT

PagesManager.uses_pages_directory = False
os.chdir(ROOT)  # where .streamlit/config.toml is
sys.exit(cli.main(["run", "app.py", *sys.argv[1:]]))
