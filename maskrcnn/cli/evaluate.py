"""`python -m maskrcnn evaluate`: measure the AP of a network on labelled pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskrcnn.annotations import Dataset, learnable_objects
from maskrcnn.cli.ap_figures import (
    TASKS,
    add_resampling,
    ap_text,
    check_resampling,
    few_pictures_warning,
    glossary,
    interval_text,
)
from maskrcnn.cli.label_warnings import print_warning
from maskrcnn.cli.model_options import add_inference, load_for_inference
from maskrcnn.cli.progress_bars import progress_bar, watch
from maskrcnn.evaluation import Report
from maskrcnn.inference import evaluate
from maskrcnn.output_files import require_place, write_json
from maskrcnn.words import counted

SHOWN = (
    *("AP", "AP50", "AP75", "APs", "APm", "APl", "bbox", "segm", "keypoints", "matched_by"),
    *("n_gt", "ap", "ap50", "tp", "fp", "fn", "mean_ap50_pooled", "ap50_pooled", "limit", "intervals"),
)
"""Names of the definitions that `--help` shows: those of all printed figures."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `evaluate` and its help text."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = glossary(SHOWN)
    parser.add_argument(
        "model", metavar="MODEL", help="a run folder, a checkpoint, a shipped model (toy) or a .pth file"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DATASET", help="labels to measure against")
    parser.add_argument("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the labels")
    parser.add_argument(
        "--class-attribute",
        metavar="NAME",
        help="the VIA region attribute that is the class, or several (mango,orange), each where it is set; else what "
        "names the classes that the network has learned",
    )
    parser.add_argument("--out", type=Path, metavar="REPORT", help="also write the report, as JSON; compare reads it")
    parser.add_argument(
        "--detections",
        type=Path,
        metavar="JSON",
        help="also write the detections (COCO results), with the picture and category ids of DATASET (if it is no COCO "
        "file: those of `convert DATASET --to coco`), so that pycocotools gives the same AP",
    )
    add_resampling(parser, 500, "how often the pictures are drawn anew for the intervals of AP; 0: no intervals")
    add_inference(parser)


def run(args: argparse.Namespace) -> None:
    """Evaluate a network on labels and print the figures; write the files of `--out` and `--detections`."""
    check_resampling(args, zero_allowed=True)
    for place in filter(None, (args.out, args.detections)):
        require_place(place)
    model = load_for_inference(args)
    with progress_bar("resamples") as progress:
        found = evaluate(
            model,
            args.data,
            args.images,
            args.class_attribute,
            resamples=args.resamples,
            seed=args.seed,
            model_name=args.model,
            warn=print_warning,
            watch=watch("pictures"),
            progress=progress,
        )
    if args.out:
        write_json(args.out, found.report.to_json())
    if args.detections:
        write_json(args.detections, found.detections, indent=None)
    for line in unmeasured_region_lines(found.labels, outlines="mask" in model.config.tasks):
        print(line)
    if args.detections and found.unlabelled:
        others = ", ".join(f"{name} {found.category_ids[name]}" for name in found.unlabelled)
        print(f"{args.detections}: category ids of classes that {args.data} does not have: {others}")
    print(table(found.report))


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


def table(report: Report) -> str:
    """The report as text: a line for each picture, then the figures over all pictures."""
    width = max([len(row.file) for row in report.per_image] + [7])
    what = "" if report.matched_by == "segm" else "  (of boxes)"
    lines = [f"{'picture':{width}}  objects     AP   AP50   TP   FP   FN{what}"]
    lines += [
        f"{row.file:{width}}  {row.n_gt:7d}  {ap_text(row.ap)}  {ap_text(row.ap50)}"
        f"  {row.tp:3d}  {row.fp:3d}  {row.fn:3d}"
        for row in report.per_image
    ]
    edges = {kind: report.intervals.edges(kind) if report.intervals else {} for kind in TASKS}
    for kind, name in TASKS.items():
        if (summary := report.summary(kind)) is not None:
            figures = [
                f"{key} {ap_text(value)} {interval_text(edges[kind].get(key))}" for key, value in summary.items()
            ]
            lines.append(f"{name}: " + "  ".join(words.rstrip() for words in figures))
    lines.append(f"mean AP50 of a picture, classes pooled: {ap_text(report.mean_ap50_pooled)}")
    objects = sum(row.n_gt for row in report.per_image)
    lines.append(f"on {counted(len(report.per_image), 'picture')} with {counted(objects, 'object')}")
    if report.intervals and any(any(found.values()) for found in edges.values()):
        lines.append(f"in brackets: the 95 % interval over pictures, with {report.intervals.resamples} resamples")
        lines += few_pictures_warning(len(report.per_image))
    return "\n".join(lines)
