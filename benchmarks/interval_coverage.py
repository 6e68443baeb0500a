"""How often a 95 % interval holds what it is for, and how that depends on the number of pictures.

    python benchmarks/interval_coverage.py REPORT [REPORT_B] [--pictures 12,50,200] [--trials 300]

REPORT (of `python -m maskrcnn evaluate`, of some hundred pictures) stands for the world: the AP of all its pictures is
the truth. In each trial so many pictures are drawn from it, their interval is worked out as `evaluate` does, and it is
seen whether it holds the truth. With REPORT_B it is the difference of the two, as `compare` works it out.

The peer, on the same resamples, is the percentile interval (Efron and Tibshirani 1993, chapter 13): their middle 95 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.config import MEASURES
from maskrcnn.evaluation import Report
from maskrcnn.evaluation.bootstrap import basic_interval, resample_counts
from maskrcnn.evaluation.detection_evidence import Ranking, class_rankings
from maskrcnn.evaluation.ranking_ap import ap_from_rankings

RESAMPLES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of the intervals of `evaluate` and `compare`.")
    parser.add_argument("report", type=Path, help="a report of some hundred pictures")
    parser.add_argument("other", type=Path, nargs="?", help="another one of the same pictures")
    parser.add_argument("--pictures", default="12,50,200", help="sizes of the sets that are drawn (12,50,200)")
    parser.add_argument("--trials", type=int, default=300, help="sets of each size (300)")
    options = parser.parse_args()
    reports = [Report.read(path) for path in (options.report, options.other) if path]
    kind = next(kind for kind in MEASURES if all(kind in report.kinds for report in reports))
    sides, count = [class_rankings(report, kind) for report in reports], len(reports[0].per_image)
    truth = measure(sides, np.ones((1, count), dtype=np.int32))[0]
    what = f"{MEASURES[kind]} AP" + ", B minus A" * (len(sides) == 2)
    print(f"{what} of {count} pictures: {truth:.3f}; {options.trials} sets of each size")
    print("pictures  its mean  basic interval holds the truth, width  percentile interval, width")
    for pictures in map(int, options.pictures.split(",")):
        found, basic, percentile = [], [], []
        for trial in tqdm(range(options.trials), disable=None, leave=False):
            drawn = np.random.default_rng([pictures, trial]).integers(count, size=pictures)
            whole, *values = measure(sides, resampled(drawn, count, trial)).tolist()
            edges = basic_interval(np.array(values), whole, lowest=1.0 - len(sides))
            assert edges is not None
            found.append(whole)
            basic.append(edges)
            percentile.append(np.percentile(values, [2.5, 97.5]).tolist())
        said = [
            f"{held(edges, truth):.1%}, {np.mean([high - low for low, high in edges]):.3f}"
            for edges in (basic, percentile)
        ]
        print(f"{pictures:8d}  {np.mean(found):8.3f}  {said[0]:>37}  {said[1]:>26}", flush=True)


def measure(sides: Sequence[list[Ranking]], times: np.ndarray) -> np.ndarray:
    """AP, or that of the second side minus that of the first."""
    first, *second = (ap_from_rankings(side, times)["AP"] for side in sides)
    return second[0] - first if second else first


def resampled(drawn: np.ndarray, count: int, seed: int) -> np.ndarray:
    """How often each of the `count` pictures is in the set `drawn` (first row), and in each resample of that."""
    times = np.zeros((1 + RESAMPLES, count), dtype=np.int32)
    ones = np.ones((1, len(drawn)), dtype=np.int32)
    for row, counts in zip(times, [*ones, *resample_counts(len(drawn), RESAMPLES, seed)], strict=True):
        np.add.at(row, drawn, counts)
    return times


def held(edges: Sequence[Sequence[float]], truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in edges]))


if __name__ == "__main__":
    main()
