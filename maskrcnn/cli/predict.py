"""`python -m maskrcnn predict`: pictures in, overlays and COCO detections out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from maskrcnn.annotations import pictures
from maskrcnn.annotations.colours import colour_of
from maskrcnn.cli.inference import add_inference, load_for_inference
from maskrcnn.cli.outputs import require_place, write_json
from maskrcnn.errors import ArgumentError
from maskrcnn.model import detect
from maskrcnn.studio.overlays import Edges, Mark, draw


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a run folder, a checkpoint, a model that ships with the studio (toy), or a .pth file of torchvision",
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="pictures")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for overlays and detections.json"
    )
    parser.add_argument(
        "--min-score", type=float, default=0.5, metavar="S", help="draw detections from this score on (0.5)"
    )
    add_inference(parser)


def run(args: argparse.Namespace) -> None:
    if not 0 <= args.min_score <= 1:
        raise ArgumentError(f"--min-score {args.min_score}: give a number from 0 to 1")
    if missing := [path for path in args.images if not path.is_file()]:
        raise ArgumentError(f"{missing[0]} does not exist; give pictures")
    if args.out.is_file():
        raise ArgumentError(f"{args.out} is a file; give --out a folder")
    require_place(args.out / "detections.json")
    model = load_for_inference(args)
    for path in args.images:  # all of them are pictures, or nothing is written
        pictures.size(path)
    names = model.config.names
    document: list[dict[str, Any]] = []
    for image_id, path in enumerate(tqdm(args.images, unit=" pictures", disable=None), start=1):
        picture = pictures.load(path)
        detections = detect(model, picture, image_id)
        shown = [detection for detection in detections if detection["score"] >= args.min_score]
        args.out.mkdir(parents=True, exist_ok=True)
        overlay = args.out / f"{unused_stem(path, args.images[: image_id - 1])}.png"
        Image.fromarray(
            draw(picture, marks(shown, names, model.config.keypoint_edges), longest=max(picture.shape[:2]))
        ).save(overlay)
        document += [
            {**found, "file_name": path.name, "category_name": names[found["category_id"] - 1]} for found in detections
        ]
        print(f"{path}: {len(shown)} of {len(detections)} detections drawn in {overlay}")
    write_json(args.out / "detections.json", document, indent=None)


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


def unused_stem(path: Path, earlier: list[Path]) -> str:
    """The picture's name without its ending; numbered if an earlier picture has the same."""
    taken = sum(other.stem == path.stem for other in earlier)
    return f"{path.stem}-{taken + 1}" if taken else path.stem
