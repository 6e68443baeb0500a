"""Print the warnings about labels on standard error."""

from __future__ import annotations

import sys

from maskrcnn.annotations import Dataset
from maskrcnn.words import one_line


def print_warning(line: str) -> None:
    """Print a warning about labels on standard error, on one line."""
    print(f"warning: {one_line(line)}", file=sys.stderr)


def print_warnings(dataset: Dataset) -> None:
    """Print the warnings of the reader of a dataset, such as missing pictures and skipped regions."""
    for line in dataset.warnings:
        print_warning(line)
