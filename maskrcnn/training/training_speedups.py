"""Speed-ups of a training, with the same gradients: channels last, compilation, folded norms and bfloat16."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from maskrcnn.model.backbone_compilation import compile_backbone
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.mixed_precision import bfloat16_training, supports_bfloat16
from maskrcnn.model.norm_folding import temporarily_folded_norms
from maskrcnn.model.temporary_attributes import temporary_attributes


@contextmanager
def prepared_for_training(model: StudioRCNN) -> Iterator[None]:
    """A context in which `model` is trained faster.

    It expects pictures that have the working size already, computes frozen norms as part of convolutions, and computes
    convolutions in bfloat16 if `config.precision` selects it. Parameters, buffers and their names in `state_dict` do
    not change. After the context, also after an exception, the network computes as it was built.
    """
    device = next(model.parameters()).device
    precision = model.config.precision
    with ExitStack() as stack:
        stack.enter_context(temporary_attributes((model.transform, "resized", True)))
        stack.enter_context(temporarily_folded_norms(model))
        if precision == "bfloat16" or (precision == "auto" and supports_bfloat16(device)):
            stack.enter_context(bfloat16_training(model))
        yield


def moved_to_device(model: StudioRCNN, device: torch.device) -> StudioRCNN:
    """Move `model` to `device` for a fast training, in the memory format channels last; return it.

    The backbone is compiled if `config.compile` is set. Raises `StudioError` if this machine has no compiler then.
    """
    if model.config.compile:
        compile_backbone(model.to(device))
    # Convolutions of small pictures are up to twice as fast with channels last.
    return model.to(device, memory_format=torch.channels_last)
