"""Compilation of the backbone with torch.compile, for inference and for training."""

from __future__ import annotations

import torch
from torch import Tensor

from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN


def compile_backbone(model: StudioRCNN) -> None:
    """Compile the backbone with torch.compile. The compiler runs at the next call of the backbone.

    Raises `StudioError` if torch.compile does not work on this machine: it needs a C++ compiler, and on a GPU Triton.
    """
    device = next(model.parameters()).device
    try:
        torch.compile(_compile_probe)(torch.ones(8, device=device))
    except Exception as error:  # the compilers behind torch.compile raise many types
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise StudioError(
            f"torch.compile does not work on this machine ({words[0]}); install a C++ compiler, or do not compile"
        ) from None
    model.backbone.compile()


def _compile_probe(x: Tensor) -> Tensor:
    """A small function that is compiled to test whether torch.compile works: sin(x) + 1."""
    return x.sin() + 1
