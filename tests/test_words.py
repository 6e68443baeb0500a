"""Numbers with their nouns, and sizes in bytes."""

from __future__ import annotations

import pytest

from maskrcnn.words import byte_size, counted, decimals_below


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 boxes"), (1, "1 box"), (2, "2 boxes"), (1000, "1,000 boxes"), (1001, "1,001 boxes")]
)
def test_a_number_has_its_noun(number: int, said: str) -> None:
    assert counted(number, "box", "boxes") == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 kB"),
        (640, "640 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (25_600_000, "26 MB"),
        (999_400_000, "999 MB"),
        (999_600_000, "1.0 GB"),
        (2**30, "1.1 GB"),
        (141_000_000_000, "141.0 GB"),
        (999_940_000_000, "999.9 GB"),
        (999_960_000_000, "1.0 TB"),
        (2_400_000_000_000, "2.4 TB"),
    ],
)
def test_a_size_in_bytes(count: int, said: str) -> None:
    assert byte_size(count) == said


@pytest.mark.parametrize(
    ("score", "said"), [(0.1, "0.10"), (0.494, "0.49"), (0.496, "0.496"), (0.49996, "0.49996"), (0.0, "0.00")]
)
def test_a_score_below_a_limit_does_not_read_as_the_limit(score: float, said: str) -> None:
    assert decimals_below(score, 0.5) == said
