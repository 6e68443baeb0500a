"""`python -m maskrcnn predict`: detect objects in pictures; write overlays and COCO detections."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from maskrcnn.cli.model_options import add_inference, load_for_inference
from maskrcnn.cli.progress_bars import watch
from maskrcnn.errors import ArgumentError
from maskrcnn.evaluation.measures import DEFAULT_MIN_SCORE
from maskrcnn.inference import PredictionFolder, predict_into
from maskrcnn.inference.prediction_folder import RESULTS
from maskrcnn.output_files import require_place
from maskrcnn.words import counted

FIELDS = """\
detections.json is a list of COCO results, best first in each picture, with every detection whatever its score:
  image_id         the picture, counted from 1 in the order in which pictures were given
  file_name        its name; of a picture in a folder, its path there
  overlay          the file in DIR in which it is drawn
  category_id      the class, counted from 1 in the order of the network's classes; category_name is its name
  score            probability of the class, 0 to 1
  bbox             x, y, width, height in pixels of the picture as it is displayed
  segmentation     the mask as COCO's compressed run lengths; only of networks with masks
  keypoints, pose_score, keypoint_scores   x, y, 2 of each keypoint; how good they should be; only of networks with them
A picture that cannot be read is reported in one line and skipped; the exit status is then 1."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predict` and its help text."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = FIELDS
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a run folder, a checkpoint, a model that ships with the studio (toy), or a .pth file of torchvision",
    )
    parser.add_argument(
        "images", type=Path, nargs="+", metavar="IMAGE", help="pictures, or folders with pictures in them and below"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for overlays and detections.json; what predict did not make is not replaced there",
    )
    parser.add_argument(
        "--min-score",
        type=float,
        default=DEFAULT_MIN_SCORE,
        metavar="S",
        help=f"draw detections from this score on ({DEFAULT_MIN_SCORE:g})",
    )
    add_inference(parser)


def run(args: argparse.Namespace) -> int:
    """Predict pictures and write the output folder. Returns the exit status: 1 if a picture could not be read."""
    if not 0 <= args.min_score <= 1:
        raise ArgumentError(f"--min-score {args.min_score}: give a number from 0 to 1")
    if args.out.is_file():
        raise ArgumentError(f"{args.out} is a file; give --out a folder")
    require_place(args.out / RESULTS)
    folder = PredictionFolder.plan(args.images, args.out)
    model = load_for_inference(args)
    for line in folder.passed_over:
        print(line)
    detections = broken = 0
    for found, overlay in predict_into(folder, model, args.min_score, watch("pictures")):
        if found.error:
            print(f"error: {found.error}", file=sys.stderr)
            broken += 1
            continue
        detections += len(found.detections)
        what = f"{len(found.shown(args.min_score))} of {counted(len(found.detections), 'detection')}"
        print(f"{found.path}: {what} drawn in {overlay}")
    read = len(folder.pictures) - broken
    where = f" in {folder.results}" if read else ""
    left_out = f"; {counted(broken, 'picture')} could not be read" if broken else ""
    print(f"{counted(read, 'picture')}, {counted(detections, 'detection')}{where}{left_out}")
    return 1 if broken else 0
