"""`python -m maskrcnn.studio` runs `streamlit run app.py` from any folder. Arguments are passed to Streamlit."""

import os
import sys

import click
from streamlit.web import cli

from maskrcnn.install_folders import ROOT
from maskrcnn.studio import serving

serving.prepare()
os.chdir(ROOT)  # Streamlit reads .streamlit/config.toml from the current folder
try:
    cli.main(["run", "app.py", *sys.argv[1:]], standalone_mode=False)
except click.ClickException as error:
    error.show()
    sys.exit(error.exit_code)
except click.Abort:  # Ctrl-C; the server has already shut down cleanly
    print("Stopped.")
