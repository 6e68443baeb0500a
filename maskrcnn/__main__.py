"""The command line `python -m maskrcnn COMMAND` (see `maskrcnn.cli`)."""

import sys

from maskrcnn.cli import main

sys.exit(main())
