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
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d

from maskrcnn.config import Precision
from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.mixed_precision import in_dtype, supports_bfloat16, wide_parts
from maskrcnn.model.norm_folding import normed_convolutions


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


# Norms


def fold_norms(network: nn.Module) -> None:
    """Fold every BatchNorm with fixed statistics into the convolution right before it, in place.

    norm(conv(x)) = a (w * x + b) + c for each channel, which is a convolution with a w and a b + c. Other norms and
    ones that follow something else are left alone.
    """
    for parent, name, convolution in normed_convolutions(network, FrozenBatchNorm2d, nn.BatchNorm2d):
        _fold(convolution, getattr(parent, name))
        setattr(parent, name, nn.Identity())


def _fold(convolution: nn.Conv2d, norm: FrozenBatchNorm2d | nn.BatchNorm2d) -> None:
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None  # build makes no norm without statistics
    assert variance is not None
    weight, bias = fuse_conv_bn_weights(
        convolution.weight, convolution.bias, mean, variance, norm.eps, norm.weight, norm.bias
    )
    convolution.weight, convolution.bias = _fixed(weight), _fixed(bias)


def _fixed(tensor: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor.detach(), requires_grad=False)


# Memory layout and lifetime of maps


class FlattenByCell(nn.Module):
    """`(K, C, h, w)` -> `(K, h w C)`: no copy where the channels of a cell lie together."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class MLPHeadByCell(nn.Module):
    """A `TwoMLPHead` whose first layer takes the grid cell by cell."""

    def __init__(self, head: TwoMLPHead, cells: int) -> None:
        super().__init__()
        self.flatten = FlattenByCell()
        self.fc6, self.fc7 = _by_cell(head.fc6, cells), head.fc7

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu_(self.fc7(functional.relu_(self.fc6(self.flatten(x)))))


class MaskPredictorByCell(nn.Module):
    """A `MaskRCNNPredictor` that can compute the mask of one class alone.

    Its transposed convolution has a kernel of 2 and a stride of 2: each cell becomes four on its own, which is a matrix
    product. Logits are returned in the dtype `result`, None for that of the weights.
    """

    def __init__(self, predictor: MaskRCNNPredictor) -> None:
        super().__init__()
        self.conv5_mask, self.mask_fcn_logits = predictor.conv5_mask, predictor.mask_fcn_logits
        self.result: torch.dtype | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(K, masks, 2 h, 2 w)` from `(K, C, h, w)`."""
        return in_dtype(self.mask_fcn_logits(functional.relu_(self.conv5_mask(x))), self.result)

    def of_class(self, x: Tensor, labels: Tensor) -> Tensor:
        """Logits `(K, 1, 2 h, 2 w)`, of mask `labels[k]` for RoI k."""
        count, channels, height, width = x.shape
        weight = self.conv5_mask.weight  # (channels, inner, 2, 2)
        inner = weight.shape[1]
        cells = x.permute(0, 2, 3, 1).reshape(-1, channels)
        matrix = weight.permute(0, 2, 3, 1).reshape(channels, -1)
        quarters = functional.relu_(torch.addmm(self.conv5_mask.bias.repeat(4), cells, matrix))
        own = self.mask_fcn_logits.weight[labels].reshape(count, inner, 1)
        logits = quarters.view(count, 4 * height * width, inner) @ own
        logits = logits.view(count, height, width, 2, 2).transpose(2, 3).reshape(count, 1, 2 * height, 2 * width)
        return in_dtype(logits + self.mask_fcn_logits.bias[labels].view(count, 1, 1, 1), self.result)


class LeanPyramid(nn.Module):
    """A `FeaturePyramidNetwork` that releases each map of the body as soon as it has been read.

    It removes the maps from the dict that it is given, so that nothing else holds them either.
    """

    def __init__(self, fpn: FeaturePyramidNetwork) -> None:
        super().__init__()
        self.inner_blocks, self.layer_blocks, self.extra_blocks = fpn.inner_blocks, fpn.layer_blocks, fpn.extra_blocks

    def forward(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        """Key -> `(N, C, h, w)` of the body, finest first; the same keys, and "pool", of the pyramid."""
        names, pyramid = list(maps), list[Tensor]()
        above: Tensor | None = None
        for name, inner, layer in zip(names[::-1], self.inner_blocks[::-1], self.layer_blocks[::-1], strict=True):
            lateral = inner(maps.pop(name))
            if above is not None:
                lateral += functional.interpolate(above, size=lateral.shape[-2:])
            pyramid.insert(0, layer(lateral))
            above = lateral
        if self.extra_blocks is not None:
            pyramid, names = self.extra_blocks(pyramid, [], names)
        return OrderedDict(zip(names, pyramid, strict=True))


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


def _head_by_cell(head: nn.Module, size: Any) -> nn.Module:
    cells = size[0] * size[1]
    if isinstance(head, TwoMLPHead):
        return MLPHeadByCell(head, cells)
    if isinstance(head, FastRCNNConvFCHead):
        after = next(number for number, layer in enumerate(head) if isinstance(layer, nn.Flatten))
        head[after] = FlattenByCell()
        head[after + 1] = _by_cell(head[after + 1], cells)
    elif isinstance(inner := getattr(head, "head", None), nn.Module):
        head.head = _head_by_cell(inner, size)
    return head


def _by_cell(layer: nn.Linear, cells: int) -> nn.Linear:
    """The layer for inputs `(cells, C)` in the place of `(C, cells)`."""
    layer.weight = _fixed(layer.weight.unflatten(1, (-1, cells)).transpose(1, 2).flatten(1))
    return layer


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
            setattr(module, name, _fixed(tensor.to(device, kind, memory_format=layout)))
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, buffer.to(device, kind if buffer.is_floating_point() else None))


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
