"""A network prepared for inference: the same detections in less time and memory.

`prepare` returns a second network that shares tensors with the first and leaves it, its checkpoint and its training as
they are. Each of its changes was measured to be faster or smaller (`benchmarks/inference.py`):

- norms with fixed statistics are folded into the convolution before them, which is the same affine map;
- maps are stored channels last from the picture to the heads, so that convolutions need no reordering and RoIs are read
  cell by cell;
- the first fully connected layer of a head has its weights in that order too, so that no grid is reordered for it;
- the pyramid releases each map of the body once it has read it;
- the mask of a detection is computed for its own class only;
- everything with many weights computes in bfloat16 where the processor has units for it. Boxes, scores and what is
  decided by them stay in float32: a corner at 300 would move by a pixel in bfloat16, and scores would be equal.

A prepared network is for `detect`, `trace` and `features`; it cannot be trained or saved.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor

from maskrcnn.config import Precision
from maskrcnn.model.backbone_compilation import compile_backbone
from maskrcnn.model.backbones import LeanPyramid
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.heads import MaskPredictorByCell, _head_by_cell
from maskrcnn.model.mixed_precision import _compute_in_bfloat16, supports_bfloat16, wide_parts
from maskrcnn.model.norm_folding import fold_norms


def prepare(
    model: StudioRCNN, device: str | torch.device | None = None, precision: Precision = "auto", compile: bool = False
) -> StudioRCNN:
    """A copy of `model` for inference on `device` (the model's own if None), in eval mode. It shares its tensors.

    `precision`: float32 agrees with `model` up to rounding (1e-5 of the largest value of a map); bfloat16 halves the
    time where the processor has it; auto takes it there. `compile`: compile the backbone with torch.compile, which
    takes a minute or more at the first picture and at the first one of another size.

    Raises `StudioError` where `compile` is asked for and does not work on this machine.
    """
    device = next(model.parameters()).device if device is None else torch.device(device)
    half = precision == "bfloat16" or (precision == "auto" and supports_bfloat16(device))
    twin = _twin(model).eval().requires_grad_(False)
    fold_norms(twin)
    _use_lean_parts(twin)
    _store(twin, device, torch.bfloat16 if half else torch.float32)
    if half:
        _compute_in_bfloat16(twin)
    if compile:
        compile_backbone(twin)
    return twin


def _twin(model: StudioRCNN) -> StudioRCNN:
    """A network of new modules with the same tensors."""
    tensors = [*model.parameters(), *model.buffers()]
    twin = copy.deepcopy(model, {id(tensor): tensor.detach() for tensor in tensors})
    for module in twin.modules():
        # Within `bfloat16_training` and `folded_norms` these compute with modules of the first network.
        vars(module).pop("forward", None)
    return twin


def _use_lean_parts(model: StudioRCNN) -> None:
    """Replace heads by twins that take grids stored channels last without reordering them, and the pyramid by a lean
    one."""
    heads = model.roi_heads
    if isinstance(model.backbone, BackboneWithFPN):
        model.backbone.fpn = LeanPyramid(model.backbone.fpn)
    heads.box_head = _head_by_cell(heads.box_head, heads.box_roi_pool.output_size)
    if heads.has_mask():
        heads.mask_head = _head_by_cell(heads.mask_head, heads.mask_roi_pool.output_size)
        if isinstance(heads.mask_predictor, MaskRCNNPredictor):
            heads.mask_predictor = MaskPredictorByCell(heads.mask_predictor)


def _store(model: StudioRCNN, device: torch.device, dtype: torch.dtype) -> None:
    """Move the network to its device: weights of convolutions channels last, those of the wide parts in `dtype`.

    Each tensor is replaced, never changed, because the first network shares it.
    """
    model.to(device)  # does nothing where it is already
    wide = {module for part in wide_parts(model) for module in part.modules()}
    for module in model.modules():
        kind = dtype if module in wide else None
        for name, tensor in list(module.named_parameters(recurse=False)):
            layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
            stored = tensor.detach().to(device, kind, memory_format=layout)
            setattr(module, name, nn.Parameter(stored, requires_grad=False))
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, buffer.to(device, kind if buffer.is_floating_point() else None))
