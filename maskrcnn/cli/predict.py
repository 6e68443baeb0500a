"""`python -m maskrcnn predict`: pictures in, overlays and COCO detections out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskrcnn.annotations import pictures
from maskrcnn.annotations.colours import colour_of
from maskrcnn.cli.model_options import add_inference, load_for_inference
from maskrcnn.cli.output_files import require_place, write_json
from maskrcnn.cli.overlay_files import overlay_names, pictures_of, require_folders, save
from maskrcnn.drawing.overlays import Edges, Mark, draw
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.model import detect
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
A picture that cannot be read is told in a line and left out; the others are done, and the exit status is 1."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
        "--min-score", type=float, default=0.5, metavar="S", help="draw detections from this score on (0.5)"
    )
    add_inference(parser)


def run(args: argparse.Namespace) -> int:
    if not 0 <= args.min_score <= 1:
        raise ArgumentError(f"--min-score {args.min_score}: give a number from 0 to 1")
    if args.out.is_file():
        raise ArgumentError(f"{args.out} is a file; give --out a folder")
    results = args.out / "detections.json"
    require_place(results)
    require_own(results)
    given, passed_over = pictures_of(args.images)
    overlays = overlay_names(given, args.out)
    require_folders(overlays, args.out)
    model = load_for_inference(args)
    for line in passed_over:
        print(line)
    names = model.config.names
    document: list[dict[str, Any]] = []
    broken = 0
    for image_id, (entry, overlay) in enumerate(
        zip(tqdm(given, unit=" pictures", disable=None), overlays, strict=True), start=1
    ):
        try:
            picture = pictures.load(entry.path)
        except StudioError as error:
            print(f"error: {error}", file=sys.stderr)
            broken += 1
            continue
        detections = detect(model, picture, image_id)
        shown = [detection for detection in detections if detection["score"] >= args.min_score]
        drawn = draw(picture, marks(shown, names, model.config.keypoint_edges), longest=max(picture.shape[:2]))
        save(drawn, args.out / overlay)
        about = {"file_name": entry.name, "overlay": overlay}
        document += [{**found, **about, "category_name": names[found["category_id"] - 1]} for found in detections]
        what = f"{len(shown)} of {counted(len(detections), 'detection')}"
        print(f"{entry.path}: {what} drawn in {args.out / overlay}")
    if broken < len(given):
        write_json(results, document, indent=None)
    done = f"{counted(len(given) - broken, 'picture')}, {counted(len(document), 'detection')}"
    left_out = f"; {counted(broken, 'picture')} could not be read" if broken else ""
    print(f"{done}{f' in {results}' if broken < len(given) else ''}{left_out}")
    return 1 if broken else 0


def require_own(results: Path) -> None:
    """`ArgumentError` where a file is there already that predict did not write."""
    if not results.exists():
        return
    try:
        found = json.loads(results.read_text(encoding="utf-8"))
        entries = found if isinstance(found, list) else [None]
        own = all(isinstance(entry, dict) and {"file_name", "category_name"} <= set(entry) for entry in entries)
    except (OSError, ValueError, RecursionError):
        own = False
    if not own:
        raise ArgumentError(f"{results}: is there already and was not written by predict; give --out another folder")


def marks(detections: list[dict[str, Any]], names: Sequence[str], edges: Edges = ()) -> list[Mark]:
    """The detections as things to draw, in the colours of their classes, with whatever they have of mask, keypoints and
    limbs (`edges`)."""
    return [
        Mark(
            tuple(found["bbox"]),
            colour_of(found["category_id"] - 1),
            f"{names[found['category_id'] - 1]} {found['score']:.2f}",
            rle=found.get("segmentation"),
            keypoints=found.get("keypoints", ()),
            edges=edges,
        )
        for found in detections
    ]
