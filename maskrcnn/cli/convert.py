"""`python -m maskrcnn convert`: convert labels from one format to another."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from maskrcnn.annotations import read
from maskrcnn.annotations.formats.via import class_attribute_across_files
from maskrcnn.annotations.formats.writing import FORMATS, encode, write_encoded, written_regions_in_words
from maskrcnn.cli.label_warnings import print_warnings
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.words import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `convert`."""
    parser.add_argument("source", metavar="SRC", help="a label file, a folder of labels, or a project folder")
    parser.add_argument(
        "destination", metavar="DST", help="the file to write; for labelme, yolo and masks a new folder"
    )
    parser.add_argument(
        "--to", required=True, choices=FORMATS, dest="format", help=f"format to write: {', '.join(FORMATS)}"
    )
    parser.add_argument(
        "--class-attribute",
        metavar="NAME",
        help="the VIA region attribute that is the class, or several (mango,orange), each where it is set; else it is "
        "found by rule",
    )
    parser.add_argument("--images", metavar="DIR", help="folder of the pictures, where they are not beside SRC")


def run(args: argparse.Namespace) -> None:
    """Read labels, write them in another format, and print what was written."""
    source, destination = Path(args.source), Path(args.destination)
    if source.exists() and destination.exists() and source.samefile(destination):
        raise ArgumentError(f"{destination}: this is the file to read; write to another one")
    dataset = read(source, args.images, args.class_attribute)
    class_attribute_across_files.require_class_choice(dataset, args.class_attribute)
    if not dataset.images:
        raise StudioError(f"{source}: holds no pictures, so there is nothing to convert; give labels, or a project")
    encoded = encode(dataset, args.format)
    print_warnings(dataset)
    for warning in write_encoded(encoded, destination, args.format):
        print(f"warning: {warning}", file=sys.stderr)
    classes = ", ".join(dataset.classes) or "none"
    regions = written_regions_in_words(encoded.n_regions, dataset.n_regions)
    print(f"{destination}: {counted(len(dataset.images), 'picture')}, {regions} written; classes: {classes}")
