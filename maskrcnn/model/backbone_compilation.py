"""TODO-DOC."""

from __future__ import annotations

import torch
from torch import Tensor

from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN

# torch.compile


def compile_backbone(model: StudioRCNN) -> None:
    """Let torch.compile make the backbone faster, from its next call on.

    Raises `StudioError` where that does not work: it needs a C++ compiler, and on a GPU Triton.
    """
    device = next(model.parameters()).device
    try:
        torch.compile(_trial)(torch.ones(8, device=device))
    except Exception as error:  # whatever the compiler behind it raises
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise StudioError(
            f"torch.compile does not work on this machine ({words[0]}); install a C++ compiler, or do not compile"
        ) from None
    model.backbone.compile()


def _trial(x: Tensor) -> Tensor:
    return x.sin() + 1
