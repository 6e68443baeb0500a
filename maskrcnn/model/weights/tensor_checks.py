"""Checks of the tensors of a weights file before they are loaded: names, shapes, finite values and kind of norm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Size, Tensor

from maskrcnn.errors import StudioError

StateDict = dict[str, Tensor]
"""Name in a network's `state_dict` -> tensor."""

MISMATCHES_SHOWN = 3
"""Maximum number of mismatches that a message lists."""


def refuse_not_finite(tensors: Iterable[tuple[str, Tensor]], source: object) -> None:
    """Raise `StudioError` if a tensor of `source` has a value that is NaN or infinite. It names the first of them."""
    for name, tensor in tensors:
        # If the sum is finite, so are all values, and it takes a thirtieth of the time of `isfinite`. The sum of very
        # large values can overflow, so `isfinite` decides.
        if tensor.is_floating_point() and not math.isfinite(tensor.sum()) and not torch.isfinite(tensor).all():
            raise StudioError(
                f'{source} is of no use: its tensor "{name}" has values that are NaN or infinite; give another '
                "(of a training that diverged, an earlier checkpoint)"
            )


def refuse_batch_statistics(norm: str, state: StateDict, source: Path | str) -> None:
    """Raise `StudioError` if `norm` is "group" and the tensors have the statistics of BatchNorm.

    The weights of GroupNorm have the same shape as those of BatchNorm, but another meaning.
    """
    if norm == "group" and any(name.endswith("running_var") for name in state):
        raise StudioError(
            f"{source} was trained with BatchNorm, but norm is group; set it as trained: --set norm=frozen"
        )


def tensor_mismatches(
    expected: Mapping[str, Size], given: Mapping[str, Tensor], extra: Iterable[str] = ()
) -> list[str]:
    """The differences between the `expected` shapes and the tensors of a file, as phrases.

    There is one phrase for each tensor that has another shape, is missing in the file, or is named in `extra` (tensors
    of the file that the network does not have).
    """
    return [
        *(
            f"{name} {_shape_text(given[name].shape)} in the file, {_shape_text(shape)} here"
            for name, shape in expected.items()
            if name in given and given[name].shape != shape
        ),
        *(
            f"{name} not in the file, {_shape_text(shape)} here"
            for name, shape in expected.items()
            if name not in given
        ),
        *(f"{name} {_shape_text(given[name].shape)} in the file, not here" for name in extra),
    ]


def mismatch_summary(mismatches: Sequence[str]) -> str:
    """The number of `tensor_mismatches`, and the first ones.

    >>> mismatch_summary(["fc6 is missing"])
    '1 tensor differs (fc6 is missing)'
    """
    count = f"{len(mismatches)} tensor{'s differ' if len(mismatches) > 1 else ' differs'}"
    more = f", and {len(mismatches) - MISMATCHES_SHOWN} more" if len(mismatches) > MISMATCHES_SHOWN else ""
    return f"{count} ({', '.join(mismatches[:MISMATCHES_SHOWN])}{more})"


def _shape_text(shape: Size) -> str:
    """The shape of a tensor as text, such as `(3, 64, 64)`."""
    return f"({', '.join(map(str, shape))})"
