"""Where and how a network computes while it is trained: faster than as it was built, with the same gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.mixed_precision import bfloat16_training, supports_bfloat16
from maskrcnn.model.norm_folding import temporarily_folded_norms
from maskrcnn.model.temporary_attributes import temporary_attributes


@contextmanager
def prepared_for_training(model: StudioRCNN) -> Iterator[None]:
    """Within the context `model` takes pictures that have their working size already, applies frozen norms as part of
    convolutions, and computes its wide parts in bfloat16 where `config.precision` says so.

    Parameters, buffers and their names in `state_dict` are the same within; afterwards, also after an exception, the
    network computes as it was built.
    """
    device = next(model.parameters()).device
    precision = model.config.precision
    with ExitStack() as stack:
        stack.enter_context(temporary_attributes((model.transform, "resized", True)))
        stack.enter_context(temporarily_folded_norms(model))
        if precision == "bfloat16" or (precision == "auto" and supports_bfloat16(device)):
            stack.enter_context(bfloat16_training(model))
        yield
