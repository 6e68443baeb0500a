"""The layer schedule: which layers of the network are trained in which stage of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LAYERS: tuple[str, ...] = ("heads", "3+", "4+", "5+", "all")
"""Groups of layers that can be trained: the heads (with RPN and pyramid), also the body from a stage on, or all."""

LATER_RATE = 0.1
"""Default factor of the learning rate in the second and later stages of a schedule."""


class Stage(NamedTuple):
    """A stage of a run: `layers` (one of `LAYERS`) are trained until the progress of the run is `until`, in (0, 1].

    Its learning rate is `rate` times the `learning_rate` of the config.
    """

    layers: str
    until: float
    rate: float


def parse_stages(layers: str) -> tuple[Stage, ...]:
    """Parse a layer schedule: stages separated by commas, each written as LAYERS:SHARE:RATE.

    SHARE is the part of the run; stages without it share the rest equally. RATE is the factor of the learning rate; the
    default is 1 for the first stage and `LATER_RATE` for the others. Raises `ValueError` with the correct form.

    >>> parse_stages("heads:0.25,all")
    (Stage(layers='heads', until=0.25, rate=1.0), Stage(layers='all', until=1.0, rate=0.1))
    """
    parts = [part.strip().split(":") for part in layers.split(",")]
    shares: list[float | None] = []
    rates: list[float] = []
    for number, (word, *numbers) in enumerate(parts):
        if word not in LAYERS:
            raise ValueError(f'"{word}" is none of {", ".join(LAYERS)}')
        try:
            share, rate, *rest = [float(value) if value else None for value in numbers] + [None] * (2 - len(numbers))
        except ValueError:
            raise ValueError("write each stage as LAYERS:SHARE:RATE, for example heads:0.4,all:0.6:0.1") from None
        if rest or (share is not None and not 0 < share <= 1) or (rate is not None and rate <= 0):
            raise ValueError("write each stage as LAYERS:SHARE:RATE, shares in (0, 1], rates above 0")
        shares.append(share)
        rates.append(rate if rate is not None else LATER_RATE if number else 1.0)
    left = 1 - sum(share for share in shares if share is not None)
    open_shares = shares.count(None)
    if (open_shares and left <= 1e-9) or (not open_shares and abs(left) > 1e-6):
        raise ValueError("the shares of the stages must add up to 1")
    whole = [left / open_shares if share is None else share for share in shares]
    ends = [sum(whole[: number + 1]) for number in range(len(whole) - 1)] + [1.0]
    return tuple(Stage(word, end, rate) for (word, *_), end, rate in zip(parts, ends, rates, strict=True))


def layer_shares(stages: Sequence[Stage]) -> dict[str, float]:
    """Map each group of layers (a value of `LAYERS`) to the share of the run, in (0, 1], in which it is trained.

    >>> layer_shares(parse_stages("heads:0.25,all"))
    {'heads': 0.25, 'all': 0.75}
    """
    shares: dict[str, float] = {}
    begins = 0.0
    for stage in stages:
        shares[stage.layers] = shares.get(stage.layers, 0.0) + stage.until - begins
        begins = stage.until
    return shares
