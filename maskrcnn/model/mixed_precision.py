"""Which parts of a network may compute in bfloat16, and training with these parts in bfloat16."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.heads import MaskPredictorByCell
from maskrcnn.model.temporary_attributes import temporary_attributes


def supports_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: CUDA from Ampere on, processors with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return False


def wide_parts(model: StudioRCNN) -> list[nn.Module]:
    """The parts that may compute in bfloat16, where nearly all the arithmetic is: backbone, RPN head and heads.

    Not the last layers for classes, boxes and keypoints, nor anything that decodes, pools or sums: a box whose corner
    is at 300 would move by up to a pixel in bfloat16, which has eight bits, and equal scores have no order.
    """
    heads = model.roi_heads
    parts = [model.backbone, model.rpn.head, heads.box_head]
    parts += [heads.mask_head, heads.mask_predictor] if heads.has_mask() else []
    return parts + ([heads.keypoint_head] if heads.has_keypoint() else [])


def bfloat16_training(model: StudioRCNN) -> AbstractContextManager[None]:
    """Within the context the wide parts of `model` compute in bfloat16; their weights, gradients and results stay in
    float32. Afterwards, also after an exception, `model` is as it was."""
    return temporary_attributes(*((part, "forward", _in_bfloat16(part.forward)) for part in wide_parts(model)))


def _in_bfloat16(forward: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(forward)
    def wrapped(x: Any) -> Any:
        first = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, list) else x
        with torch.autocast(first.device.type, torch.bfloat16):
            return in_dtype(forward(x), torch.float32)

    return wrapped


def in_dtype(values: Any, dtype: torch.dtype | None) -> Any:
    """A tensor, or a dict, list or tuple of tensors, in that dtype; as it is where the dtype is None.

    >>> [part.dtype for part in in_dtype([torch.zeros(1), torch.zeros(2)], torch.bfloat16)]
    [torch.bfloat16, torch.bfloat16]
    """
    if dtype is None:
        return values
    if isinstance(values, Tensor):
        return values.to(dtype)
    if isinstance(values, dict):
        return type(values)((name, in_dtype(value, dtype)) for name, value in values.items())
    return type(values)(in_dtype(value, dtype) for value in values)


# bfloat16


class InDtype(nn.Module):
    """A part of a network that takes its input in the dtype `given` and returns its result in the dtype `result`; None
    leaves it as it is. The part is the submodule `part`."""

    def __init__(self, part: nn.Module, given: torch.dtype | None, result: torch.dtype | None) -> None:
        super().__init__()
        self.part, self.given, self.result = part, given, result

    def forward(self, x: Any) -> Any:
        return in_dtype(self.part(in_dtype(x, self.given)), self.result)


def _compute_in_bfloat16(model: StudioRCNN) -> None:
    """Let the wide parts, whose weights are in bfloat16 by now, take bfloat16 and return float32 to whatever makes
    decisions."""
    half, full, heads = torch.bfloat16, torch.float32, model.roi_heads
    model.transform.dtype = half
    model.rpn.head = InDtype(model.rpn.head, None, full)
    heads.box_head = InDtype(heads.box_head, half, full)
    if heads.has_mask():
        heads.mask_head = InDtype(heads.mask_head, half, None)
        if isinstance(heads.mask_predictor, MaskPredictorByCell):
            heads.mask_predictor.result = full
        else:
            heads.mask_predictor = InDtype(heads.mask_predictor, None, full)
    if heads.has_keypoint():
        heads.keypoint_head = InDtype(heads.keypoint_head, half, full)
