"""bfloat16: the devices on which it is faster, the parts of a network that may use it, and its use in training and
inference."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.channels_last_heads import ChannelsLastMaskPredictor
from maskrcnn.model.temporary_attributes import temporary_attributes


def supports_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 on a device: CUDA from Ampere on, CPUs with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return False


def wide_parts(model: StudioRCNN) -> list[nn.Module]:
    """The parts of a network that may compute in bfloat16: backbone, RPN head and heads.

    They do nearly all of the arithmetic. Not included are the last layers for classes, boxes and keypoints, and
    everything that decodes, pools or sums. bfloat16 has eight bits of precision: a box corner at 300 would move by up
    to a pixel, and scores that differ would become equal.
    """
    heads = model.roi_heads
    parts = [model.backbone, model.rpn.head, heads.box_head]
    parts += [heads.mask_head, heads.mask_predictor] if heads.has_mask() else []
    return parts + ([heads.keypoint_head] if heads.has_keypoint() else [])


def bfloat16_training(model: StudioRCNN) -> AbstractContextManager[None]:
    """Within the context the wide parts of `model` compute in bfloat16. Weights, gradients and results stay in float32.

    After the context, also after an exception, `model` computes as before.
    """
    return temporary_attributes(*((part, "forward", _in_bfloat16(part.forward)) for part in wide_parts(model)))


def _in_bfloat16(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A forward function that computes in bfloat16 (autocast) and returns float32."""

    @functools.wraps(forward)
    def wrapped(x: Any) -> Any:
        first = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, list) else x
        with torch.autocast(first.device.type, torch.bfloat16):
            return in_dtype(forward(x), torch.float32)

    return wrapped


def set_bfloat16_inference(model: StudioRCNN) -> None:
    """Make the wide parts of a network take bfloat16, and return float32 to the parts that make decisions. In place.

    The weights of the wide parts must be in bfloat16 already.
    """
    half, full, heads = torch.bfloat16, torch.float32, model.roi_heads
    model.transform.dtype = half
    model.rpn.head = CastingModule(model.rpn.head, None, full)
    heads.box_head = CastingModule(heads.box_head, half, full)
    if heads.has_mask():
        heads.mask_head = CastingModule(heads.mask_head, half, None)
        if isinstance(heads.mask_predictor, ChannelsLastMaskPredictor):
            heads.mask_predictor.result_dtype = full
        else:
            heads.mask_predictor = CastingModule(heads.mask_predictor, None, full)
    if heads.has_keypoint():
        heads.keypoint_head = CastingModule(heads.keypoint_head, half, full)


class CastingModule(nn.Module):
    """A module (`part`) with casts around it: its input to `input_dtype`, its result to `result_dtype`.

    None means no cast.
    """

    def __init__(self, part: nn.Module, input_dtype: torch.dtype | None, result_dtype: torch.dtype | None) -> None:
        super().__init__()
        self.part, self.input_dtype, self.result_dtype = part, input_dtype, result_dtype

    def forward(self, x: Any) -> Any:
        """The result of the part for `x`, with both casts."""
        return in_dtype(self.part(in_dtype(x, self.input_dtype)), self.result_dtype)


def in_dtype(values: Any, dtype: torch.dtype | None) -> Any:
    """A tensor, or a dict, list or tuple of tensors, cast to a dtype; unchanged if the dtype is None.

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
