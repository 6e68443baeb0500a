"""Which parts of a network may compute in bfloat16, and doing so in training."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from maskrcnn.model.build import StudioRCNN


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


def use_bfloat16(model: StudioRCNN) -> None:
    """Train with the wide parts in bfloat16, their weights and results in float32."""
    for part in wide_parts(model):
        part.forward = _in_bfloat16(part.forward)


def _in_bfloat16(forward: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(forward)
    def wrapped(x: Any) -> Any:
        kind = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, list) else x
        with torch.autocast(kind.device.type, torch.bfloat16):
            return in_dtype(forward(x), torch.float32)

    return wrapped


def in_dtype(result: Any, dtype: torch.dtype) -> Any:
    """A tensor, or a dict, list or tuple of tensors, in another dtype."""
    if isinstance(result, Tensor):
        return result.to(dtype)
    if isinstance(result, dict):
        return type(result)((name, in_dtype(value, dtype)) for name, value in result.items())
    return type(result)(in_dtype(value, dtype) for value in result)
