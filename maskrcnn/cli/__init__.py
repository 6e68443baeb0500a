"""The commands of the command line, one file per command.

Each file has `add_arguments(parser)` and `run(args)`; `run` returns None or an exit status. `maskrcnn/__main__.py`
imports the file of a command only when it is used, because most of them import torch, which is slow.
"""
