"""TODO-DOC."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Size, Tensor

from maskrcnn.errors import StudioError

State = dict[str, Tensor]


def refuse_not_finite(tensors: Iterable[tuple[str, Tensor]], source: object) -> None:
    """`StudioError` naming the first tensor of `source` with a value that is NaN or infinite."""
    for name, tensor in tensors:
        # A sum is thirty times faster to take and finite only if all of it is; huge values may overflow it.
        if tensor.is_floating_point() and not math.isfinite(tensor.sum()) and not torch.isfinite(tensor).all():
            raise StudioError(
                f'{source} is of no use: its tensor "{name}" has values that are NaN or infinite; give another '
                "(of a training that diverged, an earlier checkpoint)"
            )


SHOWN = 3
"""How many mismatches are written out."""


def mismatches(expected: Mapping[str, Size], given: Mapping[str, Tensor], extra: Iterable[str] = ()) -> list[str]:
    """What of a file does not fit: one phrase for each tensor of another shape, missing, or `extra`."""
    return [
        *(
            f"{name} {_size(given[name].shape)} in the file, {_size(shape)} here"
            for name, shape in expected.items()
            if name in given and given[name].shape != shape
        ),
        *(f"{name} not in the file, {_size(shape)} here" for name, shape in expected.items() if name not in given),
        *(f"{name} {_size(given[name].shape)} in the file, not here" for name in extra),
    ]


def listed(problems: Sequence[str]) -> str:
    """Mismatches as a count and the first few.

    >>> listed(["fc6 is missing"])
    '1 tensor differs (fc6 is missing)'
    """
    count = f"{len(problems)} tensor{'s differ' if len(problems) > 1 else ' differs'}"
    more = f", and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return f"{count} ({', '.join(problems[:SHOWN])}{more})"


def _size(shape: Size) -> str:
    return f"({', '.join(map(str, shape))})"


def refuse_batch_statistics(norm: str, part: State, source: Path | str) -> None:
    """GroupNorm would take BatchNorm's factors, which are of the same shape, and mean something else by them."""
    if norm == "group" and any(name.endswith("running_var") for name in part):
        raise StudioError(
            f"{source} was trained with BatchNorm, but norm is group; set it as trained: --set norm=frozen"
        )
