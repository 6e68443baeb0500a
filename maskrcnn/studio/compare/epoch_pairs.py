"""Pairs of epochs of two runs that one slider can choose: by number, or by the share of the training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class EpochPair:
    """An epoch of A and one of B, and the text of the pair on the slider."""

    a: int
    b: int
    words: str


def epoch_pairs(epochs_a: Sequence[int], epochs_b: Sequence[int], best_a: int, best_b: int) -> list[EpochPair]:
    """The pairs of kept epochs (both sorted, at least one each), from the start of the trainings to their end.

    If both end with the same epoch, a pair is the kept epochs nearest to a number; else, nearest to a share of the
    training (of equally near ones the earlier). The pair of both's best epochs is the last one, unless it is one of the
    others.

    >>> [pair.words for pair in epoch_pairs([1, 2, 4], [1, 3, 4], 2, 3)]
    ['epoch 1', 'epochs 2 and 1', 'epochs 2 and 3', 'epoch 4']
    >>> [pair.words for pair in epoch_pairs([5, 10], [10, 20], 5, 20)]
    ['50 %: epochs 5 and 10', '100 %: epochs 10 and 20', 'best epochs: 5 and 20']
    """
    last_a, last_b = epochs_a[-1], epochs_b[-1]
    by_number = last_a == last_b
    shares = {epoch / last_a for epoch in epochs_a} | {epoch / last_b for epoch in epochs_b}
    pairs: dict[tuple[int, int], EpochPair] = {}
    for share in sorted(shares):
        a, b = (
            min(epochs, key=lambda epoch: (abs(epoch - share * epochs[-1]), epoch)) for epochs in (epochs_a, epochs_b)
        )
        share_words = "" if by_number else f"{100 * share:.0f} %: "
        pairs.setdefault((a, b), EpochPair(a, b, f"{share_words}{_numbers(a, b)}"))
    if (best_a, best_b) not in pairs:
        pairs[best_a, best_b] = EpochPair(best_a, best_b, f"best epochs: {best_a} and {best_b}")
    return list(pairs.values())


def _numbers(a: int, b: int) -> str:
    """The numbers of two epochs."""
    return f"epoch {a}" if a == b else f"epochs {a} and {b}"
