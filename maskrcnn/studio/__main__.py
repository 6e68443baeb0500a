"""`python -m maskrcnn.studio`: `streamlit run app.py`, from any folder. Arguments go to Streamlit."""

import os
import sys

import click
from streamlit.web import cli

from maskrcnn.install_folders import ROOT
from maskrcnn.studio import serving

serving.prepare()
os.chdir(ROOT)  # where .streamlit/config.toml is
try:
    cli.main(["run", "app.py", *sys.argv[1:]], standalone_mode=False)
except click.ClickException as error:
    error.show()
    sys.exit(error.exit_code)
except click.Abort:  # Ctrl-C, after the server has stopped in good order
    print("Stopped.")
