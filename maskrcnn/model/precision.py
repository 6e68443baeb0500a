"""Computing the convolutions in bfloat16 where the processor is made for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from maskrcnn.model.build import StudioMaskRCNN


def supports_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: CUDA from Ampere on, processors with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return False


def use_bfloat16(model: StudioMaskRCNN) -> None:
    """Run body, pyramid, RPN head, box head and mask head in bfloat16 with float32 weights and float32 results.

    Only these: a box whose corner is at 300 would move by up to a pixel if it were kept in bfloat16, which has eight
    bits, so deltas are decoded, RoIs pooled and losses summed in float32.
    """
    heads = model.roi_heads
    for part in (model.backbone, model.rpn.head, heads.box_head, heads.mask_head, heads.mask_predictor):
        part.forward = _in_bfloat16(part.forward)


def _in_bfloat16(forward: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(forward)
    def wrapped(x: Any) -> Any:
        kind = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, list) else x
        with torch.autocast(kind.device.type, torch.bfloat16):
            return _to_float32(forward(x))

    return wrapped


def _to_float32(result: Any) -> Any:
    if isinstance(result, Tensor):
        return result.float()
    if isinstance(result, dict):
        return type(result)((name, _to_float32(value)) for name, value in result.items())
    return type(result)(_to_float32(value) for value in result)
