"""How often a 95 % interval of AP holds what it is for, and how that depends on the method and on how many pictures.

    python benchmarks/interval_coverage.py [REPORT [REPORT_B]] [--pictures 13,25,50,200] [--trials 1000] [--figure AP50]

REPORT (of `python -m maskrcnn evaluate`, of some hundred pictures) stands for the world: the AP of all its pictures is
the truth. In each trial so many pictures are drawn from it, their interval is worked out as `evaluate` does, and it is
seen whether it holds the truth. With REPORT_B it is also the difference of the two, as `compare` works it out. Without
reports, the worlds are those of `simulated_detections.py`, each with two networks.

The peers are worked out from the same samples, those of the jackknife from the first of its groupings. `wider` is by
the t quantile of n - 1 degrees of freedom over the normal one, and by sqrt(n / (n - 1)):

- percentile: the middle 95 % of the resamples (Efron and Tibshirani 1993, chapter 13)
- expanded percentile: with t quantiles, and wider (Hesterberg 2015, section 5)
- basic: the percentiles turned about the AP (Davison and Hinkley 1997, eq. 5.6), and the same wider
- BCa: percentiles moved by bias and acceleration (Efron and Tibshirani 1993, chapter 14)
- bootstrap t, jackknife t: t of n - 1 degrees of freedom times the standard error of either, about the AP, and about
  the AP less the bias of the jackknife
- jackknife t, logit: the same on the logit scale (AP only)
- studio: what `evaluate` and `compare` use (`maskrcnn/evaluation/bootstrap.py`)

A cell is the coverage in percent, with the mean width of the intervals. At 1,000 trials the standard error of a
coverage of 95 % is 0.7 points.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import NormalDist

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.simulated_detections import WORLDS
from maskrcnn.config import MEASURES
from maskrcnn.evaluation import Report
from maskrcnn.evaluation.bootstrap import (
    PictureSamples,
    SampledFigure,
    ap_interval,
    difference_interval,
    student_quantile,
)
from maskrcnn.evaluation.detection_evidence import Ranking, class_rankings
from maskrcnn.evaluation.measures import KINDS
from maskrcnn.evaluation.ranking_ap import FIGURES, ap_from_rankings

NORMAL = NormalDist()
Z = NORMAL.inv_cdf(0.975)
Edges = Sequence[float]


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of the intervals of `evaluate` and `compare`.")
    parser.add_argument("reports", type=Path, nargs="*", help="a report of some hundred pictures, and another of them")
    parser.add_argument("--pictures", default="13,25,50,200", help="sizes of the sets that are drawn (13,25,50,200)")
    parser.add_argument("--trials", type=int, default=1000, help="sets of each size (1000)")
    parser.add_argument("--resamples", type=int, default=200, help="resamples of each set (200)")
    parser.add_argument("--figure", choices=FIGURES, default="AP", help="which AP (AP)")
    parser.add_argument("--measure", choices=KINDS, help="of the reports (masks, else keypoints, else boxes)")
    parser.add_argument("--worlds", default=",".join(map(str, range(1, len(WORLDS) + 1))), help="simulated ones (all)")
    options = parser.parse_args()
    if len(options.reports) > 2:
        parser.error("give one report, or two of the same pictures")
    sizes = [int(size) for size in options.pictures.split(",")]
    error = 100 * (0.95 * 0.05 / options.trials) ** 0.5
    print(f"{options.trials} sets of each size: the standard error of 95 % is {error:.1f} points")
    for name, sides in populations(options):
        measured = {pictures: trials(sides, pictures, options) for pictures in sizes}
        for title in measured[sizes[0]]:
            print(f"\n{name}, {title}\n")
            print(table({size: found[title] for size, found in measured.items()}), flush=True)


def populations(options: argparse.Namespace) -> Iterator[tuple[str, list[list[Ranking]]]]:
    """Name and rankings of one network or two, of the reports given or of the simulated worlds."""
    if options.reports:
        reports = [Report.read(path) for path in options.reports]
        kinds = [kind for kind in KINDS if all(kind in report.kinds for report in reports)]
        kind = options.measure or min(kinds, key=list(MEASURES).index)
        name = " and ".join(path.stem for path in options.reports)
        yield f"{name} ({MEASURES[kind]})", [class_rankings(report, kind) for report in reports]
        return
    for number in map(int, options.worlds.split(",")):
        name, world = list(WORLDS.items())[number - 1]
        yield name, list(world.rankings())


def trials(sides: Sequence[list[Ranking]], pictures: int, options: argparse.Namespace) -> dict[str, dict[str, str]]:
    """Title of a quantity -> name of a method -> its coverage and width at that number of pictures."""
    count = len(sides[0][0].objects)
    truths = [float(ap_from_rankings(side, np.ones((1, count), np.int32))[options.figure][0]) for side in sides]
    quantities = {f"{options.figure} {truths[0]:.3f}": (truths[0], False)}
    if len(sides) == 2:
        quantities[f"difference of {options.figure} {truths[1] - truths[0]:+.3f}"] = (truths[1] - truths[0], True)
    edges: dict[str, dict[str, list[Edges]]] = {title: {} for title in quantities}
    for trial in tqdm(range(options.trials), desc=str(pictures), disable=None, leave=False):
        drawn = np.random.default_rng([pictures, trial]).integers(count, size=pictures)
        samples = PictureSamples.draw(pictures, options.resamples, seed=trial)
        figures = [sampled_figure(side, drawn, samples, options.figure) for side in sides]
        for title, (_, difference) in quantities.items():
            figure = figures[1].minus(figures[0]) if difference else figures[0]
            for method, found in all_intervals(figure, difference).items():
                edges[title].setdefault(method, []).append(found)
    return {
        title: {method: cell(found, truth) for method, found in edges[title].items()}
        for title, (truth, _) in quantities.items()
    }


def sampled_figure(side: list[Ranking], drawn: np.ndarray, samples: PictureSamples, name: str) -> SampledFigure:
    """A figure of the pictures `drawn` `(n,)`, which may hold one several times, and of all samples of these."""
    own, place = np.unique(drawn, return_inverse=True)
    times = np.zeros((len(samples.times), len(own)), dtype=np.int32)
    np.add.at(times.T, place, samples.times.T)
    index = np.full(len(side[0].objects), -1)
    index[own] = np.arange(len(own))
    rankings = []
    for ranking in side:
        ours = np.flatnonzero(index[ranking.picture] >= 0)
        rankings.append(
            Ranking(
                ranking.name,
                ranking.objects[own],
                index[ranking.picture[ours]],
                ranking.found[ours],
                ranking.ignored[ours],
            )
        )
    return samples.figures(ap_from_rankings(rankings, times))[name]


def all_intervals(figure: SampledFigure, difference: bool) -> dict[str, Edges]:
    """The interval by each method, clipped to the range of the figure."""
    whole, n = figure.whole, figure.pictures
    values = figure.resampled[~np.isnan(figure.resampled)]
    left_out = figure.left_out[0][~np.isnan(figure.left_out[0])]
    parts = figure.left_out.shape[1]
    if np.isnan(whole) or len(left_out) < 2:
        return dict.fromkeys(METHODS[: -2 if difference else None], (np.nan, np.nan))
    t = student_quantile(n - 1)
    root = (n / (n - 1)) ** 0.5
    wider = t / Z * root
    low, high = np.percentile(values, [2.5, 97.5])
    tail = 100 * NORMAL.cdf(-t * root)
    expanded = np.percentile(values, [tail, 100 - tail])
    centre = 2 * whole - values.mean()
    moves = left_out.mean() - left_out
    error = ((parts - 1) / parts * (moves**2).sum()) ** 0.5
    jackknife_centre = whole - (parts - 1) * (left_out.mean() - whole)
    bootstrap_error = values.std(ddof=1) * root
    studio = (difference_interval if difference else ap_interval)(figure) or (np.nan, np.nan)
    found = [
        (low, high),
        (whole + (low - whole) * wider, whole + (high - whole) * wider),
        tuple(expanded),
        (2 * whole - high, 2 * whole - low),
        (centre + (2 * whole - high - centre) * wider, centre + (2 * whole - low - centre) * wider),
        bca(values, whole, moves, Z),
        bca(values, whole, moves, t * root),
        (whole - t * bootstrap_error, whole + t * bootstrap_error),
        (whole - t * error, whole + t * error),
        (jackknife_centre - t * error, jackknife_centre + t * error),
        tuple(studio),
    ]
    if not difference:
        found += [on_logit(whole, t * bootstrap_error), on_logit(whole, t * error)]
    lowest = -1.0 if difference else 0.0
    return {
        name: (float(np.maximum(low, lowest)), float(np.minimum(high, 1.0)))
        for name, (low, high) in zip(METHODS, found, strict=False)
    }


METHODS = (
    "percentile",
    "percentile, wider",
    "expanded percentile",
    "basic",
    "basic, wider",
    "BCa",
    "BCa, expanded",
    "bootstrap t",
    "jackknife t",
    "jackknife t, jackknife's bias",
    "studio",
    "bootstrap t, logit",
    "jackknife t, logit",
)


def bca(values: np.ndarray, whole: float, moves: np.ndarray, z: float) -> Edges:
    """The BCa interval from resamples, with the acceleration from the jackknife's `moves`."""
    share = ((values < whole).mean() + (values <= whole).mean()) / 2
    bias = NORMAL.inv_cdf(float(np.clip(share, 1 / len(values), 1 - 1 / len(values))))
    squares = (moves**2).sum()
    acceleration = (moves**3).sum() / (6 * squares**1.5) if squares > 0 else 0.0
    levels = [NORMAL.cdf(float(bias + (bias + side) / max(1 - acceleration * (bias + side), 0.05))) for side in (-z, z)]
    return tuple(np.percentile(values, [100 * level for level in levels]))


def on_logit(whole: float, half: float) -> Edges:
    """The interval of an AP about the logit of the AP."""
    centre = min(max(whole, 1e-6), 1 - 1e-6)
    logit, half = np.log(centre / (1 - centre)), half / (centre * (1 - centre))
    return tuple((1 + np.tanh((logit + edge) / 2)) / 2 for edge in (-half, half))


def cell(edges: Sequence[Edges], truth: float) -> str:
    """Coverage and mean width; a set without an interval (NaN) is left out, a dash stands for none at all."""
    found = np.array(edges, dtype=float)
    found = found[~np.isnan(found).any(axis=1)]
    if not len(found):
        return "-"
    held = (found[:, 0] <= truth) & (truth <= found[:, 1])
    return f"{100 * held.mean():.1f} ({(found[:, 1] - found[:, 0]).mean():.3f})"


def table(cells: dict[int, dict[str, str]]) -> str:
    """A Markdown table: a row for each method, a column for each number of pictures."""
    lines = ["| method | " + " | ".join(f"{size} pictures" for size in cells) + " |", "|---|" + "---|" * len(cells)]
    for method in METHODS:
        if all(method in column for column in cells.values()):
            lines.append(f"| {method} | " + " | ".join(column[method] for column in cells.values()) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
