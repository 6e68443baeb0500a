"""`python -m maskrcnn predict`: detect objects in pictures and videos; write overlays, detections and other files."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from maskrcnn.cli.interrupts import INTERRUPTED, stopping_on_interrupt
from maskrcnn.cli.model_options import add_inference, load_for_inference
from maskrcnn.cli.progress_bars import print_line, watch
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.evaluation.measures import DEFAULT_MIN_SCORE
from maskrcnn.inference.outputs import KINDS, require_kinds
from maskrcnn.output_files import require_place
from maskrcnn.words import counted

if TYPE_CHECKING:
    from maskrcnn.inference.prediction_run import FinishedPicture, PredictionRun

EPILOG = """\
--write takes one or several of these, with commas between them:
  overlays         NAME.png: the picture with what was found drawn on it; of a video NAME.webm
  cutouts          cutouts/NAME_001_CLASS.png: each object for itself, transparent around it; cutouts/cutouts.csv
  masks            masks/NAME.png: each pixel is the number of its object, 0 where there is none; masks/legend.csv
  coco             coco.json: a COCO data set with scores
  via              via.json: a project of the VGG Image Annotator
  labelme, yolo    a folder of that name, in the format of that program
                   (with one of these four, the frames of videos are written to frames/)
  csv              detections.csv: one row for each object
All but detections.json have the objects from --min-score on.

detections.json is a list of COCO results, best first in each picture, with every detection whatever its score:
  image_id         the picture, counted from 1 in the order in which pictures were given
  file_name        its name; of a picture in a folder, its path there
  overlay          the file in DIR in which it is drawn
  category_id      the class, counted from 1 in the order of the network's classes; category_name is its name
  score            probability of the class, 0 to 1
  bbox             x, y, width, height in pixels of the picture as it is displayed
  segmentation     the mask as COCO's compressed run lengths; only of networks with masks
  keypoints, pose_score, keypoint_scores   x, y, 2 of each keypoint; how good they should be; only of networks with them
  time             seconds from the start of the video; only of frames, which are named VIDEO_NUMBER.png

A picture that cannot be read is reported in one line and skipped; the exit status is then 1. Ctrl-C ends after the
pictures that are being worked on, with exit status 130. The same command goes on from there: DIR/journal.jsonl says
what is done. A picture that has changed since is predicted again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predict` and its help text."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a run folder, a checkpoint, a model that ships with the studio (toy), or a .pth file of torchvision",
    )
    parser.add_argument(
        "images",
        type=Path,
        nargs="+",
        metavar="IMAGE",
        help="pictures, folders with pictures in them and below, or videos",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for all that is written; what predict did not make is not replaced there",
    )
    parser.add_argument(
        "--write",
        default="overlays",
        metavar="KINDS",
        help=f"what to write beside detections.json: {','.join(KINDS)} (overlays)",
    )
    parser.add_argument(
        "--min-score",
        type=float,
        default=DEFAULT_MIN_SCORE,
        metavar="S",
        help=f"draw and write detections from this score on ({DEFAULT_MIN_SCORE:g})",
    )
    parser.add_argument(
        "--every",
        type=float,
        metavar="SECONDS",
        help="look at a frame of a video every so many seconds, 0 for all frames (all frames of a video of up to 300, "
        "else one each second)",
    )
    parser.add_argument(
        "--again", action="store_true", help="start over, where without it the pictures that are done are left out"
    )
    add_inference(parser)


def run(args: argparse.Namespace) -> int:
    """Predict pictures and write the output folder. Returns the exit status: 1 if a picture could not be read."""
    kinds = _checked_options(args)
    from maskrcnn.inference import PredictionFolder
    from maskrcnn.inference.prediction_folder import RESULTS
    from maskrcnn.inference.prediction_journal import file_digest
    from maskrcnn.inference.prediction_run import PredictionRun
    from maskrcnn.inference.prediction_work import RunOptions
    from maskrcnn.model.weights import find_checkpoint

    require_place(args.out / RESULTS)
    folder = PredictionFolder.plan(args.images, args.out)
    network = {"name": str(args.model), "digest": file_digest(find_checkpoint(args.model).path)}
    options = RunOptions(kinds, args.min_score, args.every, args.again, args.precision, args.compile)
    model = load_for_inference(args)
    for line in folder.passed_over:
        print(line)
    words = "stopping after the pictures that are being worked on; Ctrl-C again stops at once"
    with (
        stopping_on_interrupt(words) as stopped,
        PredictionRun(folder, model, network, options, stopped) as prediction,
    ):
        return _predict(prediction)


def _checked_options(args: argparse.Namespace) -> tuple[str, ...]:
    """The kinds of `--write`. Raises `ArgumentError` for a wrong value of an option."""
    if not 0 <= args.min_score <= 1:
        raise ArgumentError(f"--min-score {args.min_score}: give a number from 0 to 1")
    if args.every is not None and not (math.isfinite(args.every) and args.every >= 0):
        raise ArgumentError(f"--every {args.every}: give a number of seconds, 0 for all frames")
    kinds = tuple(dict.fromkeys(kind.strip() for kind in args.write.split(",") if kind.strip()))
    require_kinds(kinds)
    if args.out.is_file():
        raise ArgumentError(f"{args.out} is a file; give --out a folder")
    return kinds


def _predict(prediction: PredictionRun) -> int:
    """Predict and report. Returns the exit status."""
    total, before = len(prediction.folder.pictures), prediction.done_before
    if before:
        rest = f"goes on with {total - before:,}" if before < total else "none is left"
        print(f"{before:,} of {counted(total, 'picture')} {'was' if before == 1 else 'were'} done before; {rest}")
    done, broken, frames = before, 0, 0
    try:
        for found in prediction.pictures(watch("pictures")):
            if found.error:
                _print_error(found.error)
                broken += 1
                continue
            done += 1
            print_line(f"{found.path}: {_drawn(found)}")
        for found in prediction.videos(watch("frames")):
            if found.error:
                _print_error(found.error)
                broken += 1
            if found.frames:
                frames += found.frames
                step = f", one every {found.every:g} s" if found.every else ""
                print_line(f"{found.path}: {counted(found.frames, 'frame')}{step}, {_drawn(found)}")
        if prediction.is_stopped:
            print(f"stopped: {_done(done, total)}; the same command goes on with the rest", file=sys.stderr)
            return INTERRUPTED
        written = prediction.finish(print)
    except ArgumentError as error:  # a full disk
        raise StudioError(f"{error}, or make room and give the same command again: {_done(done, total)}") from None
    counts = [counted(done, "picture")] if total or not frames else []
    counts += [counted(frames, "frame")] if frames else []
    files = [str(path) if path == prediction.folder.results else path.name for path in written]
    where = f" in {', '.join(files)}" if written else ""
    left_out = f"; {counted(broken, 'picture')} could not be read" if broken else ""
    print(f"{', '.join(counts)}, {counted(prediction.detections, 'detection')}{where}{left_out}")
    return 1 if broken else 0


def _done(done: int, total: int) -> str:
    """How much is done, for a run that ends early."""
    return f"{done:,} of {counted(total, 'picture')} are done" if total else "frames that are done are kept"


def _print_error(error: StudioError) -> None:
    """Print an error of one picture above the progress bar."""
    print_line(f"error: {error}", sys.stderr)


def _drawn(found: FinishedPicture) -> str:
    """What was found, and where it is drawn."""
    where = f" drawn in {found.output}" if found.output else " kept"
    return f"{found.shown} of {counted(found.detections, 'detection')}{where}"
