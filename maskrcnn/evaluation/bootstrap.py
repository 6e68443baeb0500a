"""Intervals of an AP: how much it would vary with other pictures of the same kind.

Each is Student's t interval. Its three parts:

- The standard error is that of the jackknife: each picture is left out once, and the squared differences between the
  APs of all other pictures are summed (Efron and Tibshirani 1993, eq. 11.5). Whole pictures are left out, not objects,
  because the objects of one picture depend on each other: they share its light and its background. Of more than 50
  pictures several are left out together: AP moves in steps, as it is sampled at 101 recalls, and one picture of many is
  less than a step (Shao and Wu 1989 show why leaving out more mends that). That is not enough for AP50 or AP75 of a
  single class whose objects are nearly all found. Only a few steps are near, and what is left out changes nothing, or a
  whole step each time. A resample changes more, so it passes several steps. Of more than 50 pictures the standard error
  is therefore the standard deviation of the resamples, or the error of the jackknife if that is larger, but at most a
  fifth larger.
- The degrees of freedom of the t quantile are the parts left out less one, or fewer if a few of them make up most of
  the variance: 2 n / (k - (n - 3) / (n - 1)) with the kurtosis k of the differences (O'Neill 2014).
  The normal quantile would take the standard error as known, and intervals of few pictures would be too narrow.
- The bias is estimated by the bootstrap. The AP of few pictures is biased upwards, as its precision is a maximum over
  noise, and most of all if it is low. The bias falls as 1 / sqrt(P). A resample draws P of the P pictures with
  replacement; because of its repetitions it is worth only P / 2 of them (Kish 1965), so its bias is sqrt(2) times as
  large. What resamples add to the AP is then sqrt(2) - 1 = 0.414 of the bias. Measured at 13 to 50 pictures it was 0.27
  to 0.49 of it in the populations below, except for 0.8 at the low AP and 25 pictures, where the bias is small. Of more
  than 50 pictures at most a quarter of the half width is taken away: what looks like a larger bias is a step of AP.

The interval of an AP is worked out for its logit, log(AP / (1 - AP)), and turned back. So it stays between 0 and 1, and
is wider towards 0.5, but at most twice as wide as without the logit. An AP of 0 or 1 that no picture changes has the
exact interval of a share of the pictures (Clopper and Pearson 1934). The interval of a difference of two APs is worked
out for the difference itself, and about the measured one: the two biases nearly cancel, and to estimate what is left
would add more noise than it takes away. Its standard error is that of the jackknife for up to 50 pictures, and the
standard deviation of the resamples for more: what two networks share cancels, but not the steps, and the jackknife is
too wide then.

Detections are not matched again. A picture that is drawn k times counts k times: its objects, and each of its
detections at its place in the ranking. pycocotools gives the same AP for a document that has the picture k times, if no
two detections of a class in one picture have equal scores.

Coverage: of so many sets of 100 the interval of AP held the AP of the whole population, and that of a difference the
difference (`benchmarks/interval_coverage.py`; 1,000 sets of each size, a standard error of 0.7; * 500 sets, 1.0):

```
pictures in a set                           5     8    13    25    50   100   200
simulated, one class, AP .071            90.6  93.7  94.0  95.3  94.5  96.2* 93.9
simulated, one class, AP .709            93.0  92.0  93.6  94.8  94.6  96.0* 96.8*
simulated, six classes, AP .423          91.7  92.8  94.1  94.3  95.1  96.6* 94.6*
simulated, six classes, AP .777                      93.0  94.1  94.7  96.2* 95.2*
toy-c5-pool, six classes, AP .201        92.9  93.2  95.3  94.5  94.6  95.2* 97.0*
toy, six classes, AP .759                            95.1  95.5  93.6  95.2* 95.0*
toy-people, one class, AP .685           87.6  91.9  92.2  94.4  95.3  94.4* 96.0*
toy-people, keypoints, AP .672                                         95.8* 96.4*
simulated, one class, +.030              95.0  94.6  95.9  95.8  95.8  93.6* 95.3
simulated, one class, +.049              94.4  95.3  94.5  95.2  94.9  95.8* 95.4
simulated, six classes, +.058            95.3  94.7  96.1  95.5  95.4  93.4* 94.2*
simulated, six classes, +.037                        95.9  95.6  95.6  93.4* 95.4*
toy-c5-pool to toy-c5-align, +.141       96.7  95.5  94.6  96.0  95.2        94.6*
```

Of the same sets, the percentile interval held the AP for 64 to 90 of 100 at 13 pictures and 82 to 95 at 200, the basic
one for 81 to 88 and 91 to 95, BCa for 78 to 89 and 91 to 94. AP50 and AP75 of the same networks (from .035 to .977)
were held for 92.7 to 98.0 of 100 at 100 and 200 pictures. At 13 pictures they are not as good where they are near 0 or
1: 89 for an AP75 of .035, and 90 for an AP50 of .959.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from maskrcnn.evaluation.detection_evidence import class_rankings
from maskrcnn.evaluation.measures import KINDS
from maskrcnn.evaluation.ranking_ap import FIGURES, Progress, ResampledAp, ap_from_rankings
from maskrcnn.evaluation.report import Edges, Report, ReportIntervals
from maskrcnn.words import counted

LEVEL = 0.95
"""Confidence level of the intervals."""

_ADDED = 2**0.5 - 1
"""What resamples add to an AP, as a part of its bias."""

_NEVER_0_OR_1 = 1e-6
"""The centre of the interval of an AP stays so far inside of [0, 1], where its logit is finite."""

_NOTHING = 1e-12
"""A standard error below this is rounding: no picture makes a difference."""

_MOST_LACKING = 0.25
"""Largest part of the resamples without objects. It is 1 / e = 0.37 if one picture has any, and 0.14 if two have."""

MEASURED_COVERAGE = {5: 88, 8: 92, 13: 92}
"""Number of pictures -> of 100 intervals, how many hold the truth, measured where it was lowest (see above)."""

ENOUGH_PICTURES = 25
"""From so many pictures on, intervals hold the truth about as often as they should."""

MOST_PARTS = 50
"""Pictures are left out one by one if there are no more than this, else in at most so many parts."""

_WIDEST = 1.2
"""Of more than `MOST_PARTS` pictures: how much wider than the bootstrap's the interval of the jackknife may be."""

_MOST_BIAS = 0.25
"""Of more than `MOST_PARTS` pictures: the largest bias that is taken away, as a part of the half width."""

GROUPINGS = 10
"""How often more pictures than that are divided into parts at random. The variance is the mean."""


class SampledFigure(NamedTuple):
    """A figure on all `pictures`, on each resample `(R,)`, and with each part left out, `(groupings, parts)`.

    NaN where it is not defined: without objects.
    """

    pictures: int
    whole: float
    resampled: np.ndarray
    left_out: np.ndarray

    def minus(self, other: SampledFigure) -> SampledFigure:
        """The difference of two figures on the same pictures."""
        return SampledFigure(
            self.pictures,
            self.whole - other.whole,
            self.resampled - other.resampled,
            self.left_out - other.left_out,
        )


@dataclass(frozen=True)
class PictureSamples:
    """The samples of P pictures that an interval needs, as counts: `times` `(1 + R + groupings * parts, P)` int32.

    The first row is all pictures, the next R are `resamples`, the others leave one of the `parts` out.
    """

    times: np.ndarray
    resamples: int
    parts: int

    @classmethod
    def draw(cls, pictures: int, resamples: int, seed: int = 0) -> PictureSamples:
        """Draw the resamples, and the parts if there are more than `MOST_PARTS` pictures."""
        whole = np.ones((1, pictures), dtype=np.int32)
        left_out = left_out_counts(pictures, seed)
        rows = [whole, resample_counts(pictures, resamples, seed), left_out.reshape(-1, pictures)]
        return cls(np.concatenate(rows), resamples, left_out.shape[1])

    def figures(self, values: ResampledAp) -> dict[str, SampledFigure]:
        """AP, AP50 and AP75, from their values on all `times`."""
        pictures, end = self.times.shape[1], 1 + self.resamples
        return {
            name: SampledFigure(pictures, float(row[0]), row[1:end], row[end:].reshape(-1, max(self.parts, 1)))
            for name, row in values.items()
        }


def resample_counts(pictures: int, resamples: int, seed: int = 0) -> np.ndarray:
    """The number of times that each picture is drawn in each resample: `(resamples, pictures)` int32.

    The sum of each row is `pictures`. The resamples are balanced: in all of them together, each picture is drawn
    `resamples` times, so a few hundred tell the bias (Davison, Hinkley and Schechtman 1986).

    >>> times = resample_counts(pictures=5, resamples=2)
    >>> times.sum(axis=1).tolist(), times.sum(axis=0).tolist()
    ([5, 5], [2, 2, 2, 2, 2])
    """
    every = np.repeat(np.arange(pictures), resamples)
    drawn = np.random.default_rng(seed).permutation(every).reshape(resamples, pictures)
    rows = np.arange(resamples)[:, None] * pictures
    return np.bincount((drawn + rows).ravel(), minlength=resamples * pictures).reshape(drawn.shape).astype(np.int32)


def left_out_counts(pictures: int, seed: int = 0) -> np.ndarray:
    """All pictures without one part of them, for each part: `(groupings, parts, pictures)` int32, 0 or 1.

    Up to `MOST_PARTS` pictures are a part each. More are divided at random `GROUPINGS` times, into parts of equal size
    (or one less), as few pictures in each as that number allows.

    >>> left_out_counts(pictures=3).tolist()
    [[[0, 1, 1], [1, 0, 1], [1, 1, 0]]]
    >>> left_out_counts(pictures=1000).shape
    (10, 50, 1000)
    """
    together = max(1, -(-pictures // MOST_PARTS))
    parts = -(-pictures // together)  # rounded up
    in_order = np.arange(pictures) % max(parts, 1)
    rng = np.random.default_rng(seed)
    groupings = [in_order] if together == 1 else [rng.permutation(in_order) for _ in range(GROUPINGS)]
    return (np.array(groupings)[:, None] != np.arange(parts)[:, None]).astype(np.int32)


def student_quantile(degrees: float, level: float = LEVEL) -> float:
    """The t for which `level` of Student's distribution with `degrees` degrees of freedom, >= 1, is in [-t, t].

    With t = sqrt(degrees) tan(a), the density is cos(a) ** (degrees - 1) times a constant, which is summed numerically.

    >>> round(student_quantile(1), 3), round(student_quantile(12), 3), round(student_quantile(1000), 3)
    (12.706, 2.179, 1.962)
    """
    angle = np.linspace(0, np.pi / 2, 10_001)
    density = np.cos(angle) ** (degrees - 1)
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return float(np.sqrt(degrees) * np.tan(np.interp(level * below[-1], below, angle)))


def jackknife_half_width(left_out: np.ndarray) -> float | None:
    """Half the width of Student's 95 % interval of a figure, from its values without each part: `([groupings,] parts)`.

    None if it is not defined: fewer than two parts, or nothing to find without one of them.

    The values 1, 2, 3 are -1, 0, 1 from their mean, so the standard error is sqrt(2/3 * 2), and with as few as three
    the kurtosis says nothing: t has two degrees of freedom and is 4.303.

    >>> round(jackknife_half_width(np.array([1.0, 2.0, 3.0])), 2), round(4.303 * (4 / 3) ** 0.5, 2)
    (4.97, 4.97)
    """
    n = left_out.shape[-1]
    if n < 2 or np.isnan(left_out).any():
        return None
    squares = (left_out - left_out.mean(axis=-1, keepdims=True)) ** 2
    error = float(np.sqrt((n - 1) * squares.mean()))
    if error < _NOTHING:
        return 0.0
    kurtosis = (squares**2).mean() / squares.mean() ** 2
    degrees = min(n - 1, 2 * n / (kurtosis - (n - 3) / (n - 1)))
    return error * student_quantile(degrees)


def bootstrap_half_width(figure: SampledFigure) -> float | None:
    """Half the width of Student's 95 % interval of a figure, from its values on the resamples.

    None if it is not defined: no objects, or in one picture only.
    """
    n = figure.pictures
    lacking = np.isnan(figure.resampled)
    if lacking.mean() > _MOST_LACKING:
        return None
    return float(figure.resampled[~lacking].std(ddof=1) * np.sqrt(n / (n - 1))) * student_quantile(n - 1)


def ap_interval(figure: SampledFigure) -> list[float] | None:
    """The 95 % interval [low, high] of an AP; None if there are no objects, or in one picture only.

    >>> left_out = np.array([[0.4, 0.5, 0.6]])  # a standard error of sqrt(2/3 * 0.02), and 4.303 times as much: 0.497
    >>> low, high = ap_interval(SampledFigure(3, 0.5, resampled=np.array([0.5]), left_out=left_out)) or []

    The logit of 0.5 is 0, and its slope there is 1 / (0.5 * 0.5).

    >>> round(low, 2), round(high, 2), round(1 / (1 + 2.718**1.988), 2)
    (0.12, 0.88, 0.12)
    """
    half = _ap_half_width(figure)
    if half is None:
        return None
    whole = figure.whole
    if half < _NOTHING:
        share = ((1 - LEVEL) / 2) ** (1 / figure.pictures)
        low = share if whole > 1 - _NOTHING else whole
        high = 1 - share if whole < _NOTHING else whole
        return [low, high]
    bias = _bias(figure)
    if figure.pictures > MOST_PARTS:
        bias = float(np.clip(bias, -_MOST_BIAS * half, _MOST_BIAS * half))
    # However large the bias: the centre is at most halfway to 0 or to 1.
    centre = np.clip(whole - bias, whole / 2, (1 + whole) / 2).clip(_NEVER_0_OR_1, 1 - _NEVER_0_OR_1)
    logit, slope = np.log(centre / (1 - centre)), 1 / (centre * (1 - centre))
    edges = (1 + np.tanh((logit + slope * half * np.array([-1, 1])) / 2)) / 2
    return [float(edge) for edge in edges.clip(centre - 2 * half, centre + 2 * half)]


def difference_interval(figure: SampledFigure) -> list[float] | None:
    """The 95 % interval [low, high] of the difference of two APs, in [-1, 1]; None as in `ap_interval`."""
    few = figure.pictures <= MOST_PARTS
    half = jackknife_half_width(figure.left_out) if few else bootstrap_half_width(figure)
    return None if half is None else [max(-1.0, figure.whole - half), min(1.0, figure.whole + half)]


def intervals(report: Report, resamples: int, seed: int = 0, progress: Progress | None = None) -> ReportIntervals:
    """The 95 % intervals of AP, AP50 and AP75 of a report with evidence.

    A measure that the report does not have is None. An interval is None if there are no objects, or if only one picture
    has any. `progress(done, total)` is called after each batch.
    """
    samples = PictureSamples.draw(len(report.per_image), resamples, seed)
    found: dict[str, Edges | None] = dict.fromkeys(KINDS)
    for number, kind in enumerate(report.kinds):
        part = part_of_resampling_progress(progress, number, len(report.kinds))
        figures = samples.figures(ap_from_rankings(class_rankings(report, kind), samples.times, part))
        found[kind] = {name: ap_interval(figures[name]) for name in FIGURES}
    return ReportIntervals(level=LEVEL, resamples=resamples, seed=seed, **found)


def coverage_note(pictures: int) -> str | None:
    """One sentence about how far intervals of so few pictures can be trusted; None if there are enough, or no interval.

    >>> coverage_note(3)
    'intervals of 3 pictures say little: even those of 5 hold the truth in only about 88 of 100 cases'
    """
    if not 1 < pictures < ENOUGH_PICTURES:
        return None
    of_these = f"intervals of {counted(pictures, 'picture')}"
    measured = [size for size in MEASURED_COVERAGE if size <= pictures]
    if not measured:
        least, held = min(MEASURED_COVERAGE.items())
        return f"{of_these} say little: even those of {least} hold the truth in only about {held} of 100 cases"
    held = MEASURED_COVERAGE[max(measured)]
    return f"{of_these} hold the truth in about {held} of 100 cases, not in {100 * LEVEL:g}"


def part_of_resampling_progress(progress: Progress | None, number: int, parts: int) -> Progress | None:
    """A progress callback for part `number` of `parts` equal parts of the resampling; it reports the whole progress."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, parts * total)


def _ap_half_width(figure: SampledFigure) -> float | None:
    """Half the width of the 95 % interval of an AP, not on the logit scale; None as in `ap_interval`."""
    half = jackknife_half_width(figure.left_out)
    if half is None or figure.pictures <= MOST_PARTS:
        return half
    least = bootstrap_half_width(figure)
    return None if least is None else float(np.clip(half, least, _WIDEST * least))


def _bias(figure: SampledFigure) -> float:
    """The bias of the figure, which is estimated from what resamples add to it on average."""
    defined = figure.resampled[~np.isnan(figure.resampled)]
    return float((defined.mean() - figure.whole) / _ADDED) if len(defined) else 0.0
