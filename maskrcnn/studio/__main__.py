"""`python -m maskrcnn.studio`: `streamlit run app.py`, from any folder. Arguments go to Streamlit."""

import os
import sys

from streamlit.web import cli

from maskrcnn.studio import serving
from maskrcnn.studio.session import ROOT

serving.prepare()
os.chdir(ROOT)  # where .streamlit/config.toml is
sys.exit(cli.main(["run", "app.py", *sys.argv[1:]]))
