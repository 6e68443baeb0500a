"""`python -m maskrcnn compare`: compare the AP of two networks on the same pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from maskrcnn.cli.ap_figures import (
    TASKS,
    add_resampling,
    ap_text,
    check_resampling,
    difference_text,
    few_pictures_warning,
    glossary,
    interval_text,
)
from maskrcnn.cli.progress_bars import progress_bar
from maskrcnn.errors import ArgumentError
from maskrcnn.evaluation import Report, compare
from maskrcnn.evaluation.comparison import Comparison
from maskrcnn.evaluation.figure_definitions import VERDICTS
from maskrcnn.output_files import require_place, write_json
from maskrcnn.words import counted

SHOWN = 5
"""Number of pictures printed for each network: those with its largest AP advantage. `--json` lists all."""

SHOWN_FIGURES = ("AP", "AP50", "AP75", "bbox", "segm", "keypoints", "ap", "intervals", "n_gt")
"""Names of the definitions that `--help` shows."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `compare` and its help text."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "Both reports come from `python -m maskrcnn evaluate MODEL --data DATASET --out REPORT` on the same labels.\n"
        f"A difference is B minus A: above 0 where the second is better.\n\n{glossary(SHOWN_FIGURES)}"
    )
    parser.add_argument("report_a", type=Path, metavar="REPORT_A", help="the report of one model")
    parser.add_argument("report_b", type=Path, metavar="REPORT_B", help="the report of another on the same pictures")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the comparison there, for programs")
    add_resampling(parser, 2000, "how often the pictures are drawn anew for the intervals")


def run(args: argparse.Namespace) -> None:
    """Compare two reports, print the comparison, and write it as JSON with `--json`."""
    check_resampling(args)
    if args.json and any(args.json.resolve() == path.resolve() for path in (args.report_a, args.report_b)):
        raise ArgumentError(f"--json {args.json}: this is a report that is read; name another place")
    if args.json:
        require_place(args.json)
    report_a, report_b = Report.read(args.report_a), Report.read(args.report_b)
    names = _report_names(args.report_a, args.report_b)
    with progress_bar("resamples") as progress:
        found = compare(report_a, report_b, names, resamples=args.resamples, seed=args.seed, progress=progress)
    if args.json:
        write_json(args.json, found)
    print(table(found))


def table(found: Comparison) -> str:
    """The comparison as text: the figures of each task, explanations, then the most different pictures."""
    a, b = found["a"], found["b"]
    lines = [
        f"A is {a}",
        f"B is {b}",
        f"The same {counted(found['pictures'], 'picture')} with {counted(found['objects'], 'object')}, drawn anew "
        f"{counted(found['resamples'], 'time')} (seed {found['seed']}).",
        "",
        f"{'':15}  {'A':22}  {'B':22}  B minus A",
    ]
    verdicts = []
    for kind, task in TASKS.items():
        for name, row in (found[kind] or {}).items():
            difference = f"{difference_text(row['difference'])} {interval_text(row['difference_interval'], '+')}"
            a_and_b = "  ".join(f"{_ap_and_interval(row, side):22}" for side in ("a", "b"))
            lines.append(f"{task if name == 'AP' else '':9}  {name:4}  {a_and_b}  {difference:25}  {row['verdict']}")
            verdicts.append(row["verdict"])
    lines += [
        "",
        f"In brackets: the 95 % interval. B minus A is above 0 where {b} is better, below 0 where {a} is.",
        *(f"{what}: {meaning}." for what, meaning in VERDICTS.items() if what in verdicts),
        *few_pictures_warning(found["pictures"]),
    ]
    if missing := [task for kind, task in TASKS.items() if found[kind] is None]:
        lines.append(f"Not compared: {' and '.join(missing)}, which not both reports have.")
    return "\n".join([*lines, "", *_picture_lines(found)])


def _ap_and_interval(row: dict[str, Any], side: str) -> str:
    """The AP of one `side` ("a" or "b") and its interval, as text."""
    return f"{ap_text(row[side])} {interval_text(row[f'{side}_interval'])}"


def _picture_lines(found: Comparison) -> list[str]:
    """The comparison by picture as text: how often each network is better, and the largest differences."""
    a, b, rows = found["a"], found["b"], found["per_image"]
    what = TASKS[rows["kind"]]
    lines = [
        f"Picture by picture, AP of {what}: {a} is better on {rows['a_better']}, {b} on {rows['b_better']}; they are "
        f"equal on {rows['equal']}; without objects: {rows['without_objects']}."
    ]
    defined = sorted((row for row in rows["pictures"] if row["difference"] is not None), key=lambda r: r["difference"])
    ahead = [
        (f"{a} (A)", [row for row in defined[:SHOWN] if row["difference"] < 0]),
        (f"{b} (B)", [row for row in defined[: -SHOWN - 1 : -1] if row["difference"] > 0]),
    ]
    width = max([len(row["file"]) for _, shown in ahead for row in shown] + [7])
    for name, shown in ahead:
        if shown:
            lines += ["", f"{name} is most ahead on", f"  {'picture':{width}}      A      B  B minus A"]
        lines += [
            f"  {row['file']:{width}}  {ap_text(row['a'])}  {ap_text(row['b'])}  {difference_text(row['difference'])}"
            for row in shown
        ]
    return lines


def _report_names(path_a: Path, path_b: Path) -> tuple[str, str]:
    """A name for each report: its file name, or its whole path if both files have the same name."""
    return (path_a.name, path_b.name) if path_a.name != path_b.name else (str(path_a), str(path_b))
