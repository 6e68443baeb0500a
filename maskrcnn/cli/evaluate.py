"""`python -m maskrcnn evaluate`: measure a network, or detections that were saved, on labelled pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from maskrcnn.annotations import Dataset, learnable_objects
from maskrcnn.cli.ap_figures import add_resampling, check_resampling, glossary
from maskrcnn.cli.label_warnings import print_warning
from maskrcnn.cli.model_options import add_inference, load_for_inference
from maskrcnn.cli.progress_bars import progress_bar, watch
from maskrcnn.cli.report_text import report_text
from maskrcnn.errors import ArgumentError
from maskrcnn.evaluation import Report
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE
from maskrcnn.inference.detections_evaluation import evaluate_detections
from maskrcnn.output_files import require_place, write_json
from maskrcnn.words import counted

SHOWN = (
    *("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl", "AR", "AR50", "AR75"),
    *("bbox", "segm", "keypoints", "matched_by", "n_gt", "tp", "fp", "fn", "f1", "count_error", "ap", "ap50"),
    *("mean_ap50_pooled", "ap50_pooled", "error_costs", "suggested_score", "limit", "intervals"),
)
"""Names of the definitions that `--help` shows: those of all printed figures."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `evaluate` and its help text."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = glossary(SHOWN)
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a run folder, a checkpoint, a shipped model (toy) or a .pth file; or a .json file of detections (COCO "
        "results of any program, with the ids of DATASET), which needs no network",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DATASET", help="labels to measure against")
    parser.add_argument("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the labels")
    parser.add_argument(
        "--class-attribute",
        metavar="NAME",
        help="the VIA region attribute that is the class, or several (mango,orange), each where it is set; else what "
        "names the classes that the network has learned",
    )
    parser.add_argument(
        "--min-score",
        type=float,
        default=DEFAULT_MIN_SCORE,
        metavar="SCORE",
        help=f"TP, FP and FN count detections of at least this score ({DEFAULT_MIN_SCORE:g}); AP uses all",
    )
    parser.add_argument(
        "--iou",
        type=float,
        default=DEFAULT_IOU,
        metavar="IOU",
        help=f"a detection finds an object of its class with at least this IoU ({DEFAULT_IOU:g}); AP has its own",
    )
    parser.add_argument("--out", type=Path, metavar="REPORT", help="also write the report, as JSON; compare reads it")
    parser.add_argument(
        "--detections",
        type=Path,
        metavar="JSON",
        help="also write the detections (COCO results), with the picture and category ids of DATASET (if it is no COCO "
        "file: those of `convert DATASET --to coco`), so that pycocotools gives the same AP",
    )
    add_resampling(parser, 2000, "how often the pictures are drawn anew for the intervals of AP; 0: no intervals")
    add_inference(parser)


def run(args: argparse.Namespace) -> None:
    """Evaluate a network or saved detections, and print the figures; write the files of `--out` and `--detections`."""
    check_resampling(args, zero_allowed=True)
    for option, value in (("--min-score", args.min_score), ("--iou", args.iou)):
        if not 0 <= value <= 1:
            raise ArgumentError(f"{option} {value:g}: give a number from 0 to 1")
    if args.iou == 0:
        raise ArgumentError("--iou 0: every detection would find something; give a number above 0")
    is_saved = Path(args.model).suffix.lower() == ".json"
    if is_saved and args.detections:
        raise ArgumentError(f"--detections is for a network; {args.model} has the detections already")
    if args.out and args.out.resolve() in (Path(args.model).resolve(), args.data.resolve()):
        raise ArgumentError(f"--out {args.out}: this file is read; name another place")
    for place in filter(None, (args.out, args.detections)):
        require_place(place)
    report = _measure_detections(args) if is_saved else _measure_network(args)
    if args.out:
        write_json(args.out, report.to_json())
    print(report_text(report))


def _common_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments that the evaluation of detections and of a network have in common."""
    return {
        "images": args.images,
        "class_attribute": args.class_attribute,
        "min_score": args.min_score,
        "iou": args.iou,
        "resamples": args.resamples,
        "seed": args.seed,
        "warn": print_warning,
    }


def _measure_detections(args: argparse.Namespace) -> Report:
    """The report of a file of detections."""
    with progress_bar("resamples") as progress:
        return evaluate_detections(args.model, args.data, **_common_arguments(args), progress=progress)


def _measure_network(args: argparse.Namespace) -> Report:
    """The report of a network; writes its detections with `--detections`."""
    model = load_for_inference(args)
    from maskrcnn.inference import evaluate  # here, because it imports torch

    with progress_bar("resamples") as progress:
        found = evaluate(
            model,
            args.data,
            **_common_arguments(args),
            model_name=args.model,
            watch=watch("pictures"),
            progress=progress,
        )
    if args.detections:
        write_json(args.detections, found.detections, indent=None)
    for line in unmeasured_region_lines(found.labels, outlines="mask" in model.config.tasks):
        print(line)
    if args.detections and found.unlabelled:
        others = ", ".join(f"{name} {found.category_ids[name]}" for name in found.unlabelled)
        print(f"{args.detections}: category ids of classes that {args.data} does not have: {others}")
    return found.report


def unmeasured_region_lines(dataset: Dataset, outlines: bool) -> list[str]:
    """The lines that `evaluate` prints about labelled regions that are not evaluated, one for each reason.

    The reasons are those of `annotations.learnable_objects`.
    """
    found = learnable_objects.tally(dataset.images, outlines=outlines)
    lines = []
    for reason in learnable_objects.REASONS:
        if number := found.n_skipped(reason):
            words = learnable_objects.WORDS[reason][number > 1]
            crowd_note = ": what lies there counts neither way" if reason == "crowd" else ""
            lines.append(f"not an object: {counted(number, 'region')} that {words}{crowd_note}")
    return lines
