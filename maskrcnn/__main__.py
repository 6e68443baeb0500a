"""The command line: `python -m maskrcnn COMMAND --help`. The commands are the files of `maskrcnn/cli/`.

Exit status: 0 done, 1 failed, 2 bad arguments. An error is printed as one line on standard error.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.words import sentence

COMMANDS = {
    "train": "fine-tune a network on labelled pictures",
    "predict": "find objects in pictures and draw them",
    "evaluate": "measure a network, or saved detections, on labelled pictures: COCO AP, and what is wrong where",
    "compare": "tell whether two networks differ, from their reports on the same pictures",
    "convert": "turn labels of one format into another",
    "doctor": "find what in labels or pictures hurts training, and mend it",
    "stretch": "make copies of pictures that use their whole range from black to white",
    "toy": "draw a toy world: any number of pictures with their labels",
    "export": "take a trained network away: as ONNX, for torchvision, or as a bundle for another studio",
    "open": "open a model bundle that somebody sent as a run",
    "info": "show what a preset, a checkpoint or a run is made of",
}


class CommandLineParser(argparse.ArgumentParser):
    """An ArgumentParser that prints errors as one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Print a message about wrong arguments as one line and exit with status 2."""
        print(f"error: {message}; see `{self.prog} --help`", file=sys.stderr)
        raise SystemExit(2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (default: `sys.argv`) names and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = CommandLineParser(prog="maskrcnn", description="Mask R-CNN Studio on the command line.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=sentence(summary))
        if name in arguments[:1]:
            importlib.import_module(f"maskrcnn.cli.{name}").add_arguments(command)
    args = parser.parse_args(arguments)
    try:
        return importlib.import_module(f"maskrcnn.cli.{args.command}").run(args) or 0
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ArgumentError) else 1
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the output was piped into a program that ended, such as `head`
        return 1


if __name__ == "__main__":
    sys.exit(main())
