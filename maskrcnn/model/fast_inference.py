"""A network prepared for inference: the same detections in less time and memory.

`prepare` returns a second network that shares tensors with the first. The first network, its checkpoint and its
training do not change. Each change was measured to be faster or smaller (`benchmarks/inference.py`):

- norms with fixed statistics are folded into the convolution before them (`norm_folding`);
- maps are stored channels last from the picture to the heads, so that convolutions do not reorder them and the channels
  of a cell lie together when RoIs are pooled;
- the first fully connected layer of a head has its weights in that order too, so that the pooled grid is not reordered
  (`channels_last_heads`);
- the pyramid releases each map of the body after reading it (`backbones.LeanPyramid`);
- the mask of a detection is computed for its own class only (`ChannelsLastMaskPredictor`);
- the parts with many weights compute in bfloat16 if the processor supports it (`mixed_precision`). Boxes and scores
  stay in float32: in bfloat16 a box corner at 300 would move by a pixel, and different scores would become equal.

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
from maskrcnn.model.channels_last_heads import ChannelsLastMaskPredictor, channels_last_head
from maskrcnn.model.mixed_precision import set_bfloat16_inference, supports_bfloat16, wide_parts
from maskrcnn.model.norm_folding import fold_norms


def prepare(
    model: StudioRCNN, device: str | torch.device | None = None, precision: Precision = "auto", compile: bool = False
) -> StudioRCNN:
    """A copy of `model` for inference on `device` (the model's own if None), in eval mode. It shares its tensors.

    `precision`: float32 agrees with `model` up to rounding (1e-5 of the largest value of a map). bfloat16 halves the
    time on processors that support it. auto is bfloat16 on these and float32 on others. `compile`: compile the backbone
    with torch.compile, which takes a minute or more at the first picture and at the first picture of another size.

    Raises `StudioError` if `compile` is set and torch.compile does not work on this machine.
    """
    device = next(model.parameters()).device if device is None else torch.device(device)
    half = precision == "bfloat16" or (precision == "auto" and supports_bfloat16(device))
    twin = _copy_with_shared_tensors(model).eval().requires_grad_(False)
    fold_norms(twin)
    _use_faster_parts(twin)
    _store_tensors(twin, device, torch.bfloat16 if half else torch.float32)
    if half:
        set_bfloat16_inference(twin)
    if compile:
        compile_backbone(twin)
    return twin


def _copy_with_shared_tensors(model: StudioRCNN) -> StudioRCNN:
    """A network of new modules that has the same tensors as `model`."""
    tensors = [*model.parameters(), *model.buffers()]
    twin = copy.deepcopy(model, {id(tensor): tensor.detach() for tensor in tensors})
    for module in twin.modules():
        # Within `bfloat16_training` and `temporarily_folded_norms` some modules have a `forward` attribute that runs
        # modules of `model`. Without it, the copy has the `forward` of its class.
        vars(module).pop("forward", None)
    return twin


def _use_faster_parts(model: StudioRCNN) -> None:
    """Replace the heads by heads for grids stored channels last, and the pyramid by a `LeanPyramid`, in place."""
    heads = model.roi_heads
    if isinstance(model.backbone, BackboneWithFPN):
        model.backbone.fpn = LeanPyramid(model.backbone.fpn)
    heads.box_head = channels_last_head(heads.box_head, heads.box_roi_pool.output_size)
    if heads.has_mask():
        heads.mask_head = channels_last_head(heads.mask_head, heads.mask_roi_pool.output_size)
        if isinstance(heads.mask_predictor, MaskRCNNPredictor):
            heads.mask_predictor = ChannelsLastMaskPredictor(heads.mask_predictor)


def _store_tensors(model: StudioRCNN, device: torch.device, dtype: torch.dtype) -> None:
    """Move a network to `device`, with convolution weights channels last and the weights of its wide parts in `dtype`.

    Tensors are replaced, not changed in place, because the first network shares them.
    """
    model.to(device)  # does nothing if it is there already
    wide = {module for part in wide_parts(model) for module in part.modules()}
    for module in model.modules():
        kind = dtype if module in wide else None
        for name, tensor in list(module.named_parameters(recurse=False)):
            layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
            stored = tensor.detach().to(device, kind, memory_format=layout)
            setattr(module, name, nn.Parameter(stored, requires_grad=False))
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, buffer.to(device, kind if buffer.is_floating_point() else None))
