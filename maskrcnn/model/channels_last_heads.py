"""Heads for pooled grids that are stored channels last: the C values of a cell lie together in memory.

`fast_inference` puts them into a network that is prepared for inference, in place of the modules of `heads`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor


def channels_last_head(head: nn.Module, size: Any) -> nn.Module:
    """The same head for pooled grids of `size` (height, width) that are stored channels last. It may change `head`.

    Fully connected layers then read a grid in the order in which it is stored, `(h, w, C)`, so it is not copied. Other
    kinds of heads are returned as they are.
    """
    cells = size[0] * size[1]
    if isinstance(head, TwoMLPHead):
        return ChannelsLastMLPHead(head, cells)
    if isinstance(head, FastRCNNConvFCHead):
        after = next(number for number, layer in enumerate(head) if isinstance(layer, nn.Flatten))
        head[after] = ChannelsLastFlatten()
        head[after + 1] = _channels_last_linear(head[after + 1], cells)
    elif isinstance(inner := getattr(head, "head", None), nn.Module):
        head.head = channels_last_head(inner, size)
    return head


def _channels_last_linear(layer: nn.Linear, cells: int) -> nn.Linear:
    """A linear layer whose input is a flattened `(C, cells)` grid, changed to take the flattened `(cells, C)` grid."""
    weight = layer.weight.detach().unflatten(1, (-1, cells)).transpose(1, 2).flatten(1)
    layer.weight = nn.Parameter(weight, requires_grad=False)
    return layer


class ChannelsLastFlatten(nn.Module):
    """`(K, C, h, w)` -> `(K, h w C)`. A grid that is stored channels last is not copied."""

    def forward(self, x: Tensor) -> Tensor:
        """The flattened grids."""
        return x.permute(0, 2, 3, 1).flatten(1)


class ChannelsLastMLPHead(nn.Module):
    """A box or mask head `TwoMLPHead` that reads pooled grids in the order `(h, w, C)`."""

    def __init__(self, head: TwoMLPHead, cells: int) -> None:
        super().__init__()
        self.flatten = ChannelsLastFlatten()
        self.fc6, self.fc7 = _channels_last_linear(head.fc6, cells), head.fc7

    def forward(self, x: Tensor) -> Tensor:
        """`(K, width)` from pooled grids `(K, C, h, w)`."""
        return functional.relu_(self.fc7(functional.relu_(self.fc6(self.flatten(x)))))


class ChannelsLastMaskPredictor(nn.Module):
    """A mask predictor `MaskRCNNPredictor` that can compute the mask of one class alone (`of_class`).

    Its transposed convolution has kernel 2 and stride 2, so each cell becomes four cells independently of the others:
    a matrix product. Logits are returned in `result_dtype`, or in the dtype of the weights if that is None.
    """

    def __init__(self, predictor: MaskRCNNPredictor) -> None:
        super().__init__()
        self.conv5_mask, self.mask_fcn_logits = predictor.conv5_mask, predictor.mask_fcn_logits
        self.result_dtype: torch.dtype | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(K, masks, 2 h, 2 w)` of all classes from `(K, C, h, w)`."""
        return self.mask_fcn_logits(functional.relu_(self.conv5_mask(x))).to(dtype=self.result_dtype)

    def of_class(self, x: Tensor, labels: Tensor) -> Tensor:
        """Logits `(K, 1, 2 h, 2 w)` from `(K, C, h, w)`: for RoI k only the mask of class `labels[k]`."""
        count, channels, height, width = x.shape
        weight = self.conv5_mask.weight  # (channels, inner, 2, 2)
        inner = weight.shape[1]
        # The transposed convolution: each cell, a row of C values, becomes 2 x 2 pixels of `inner` values.
        cells = x.permute(0, 2, 3, 1).reshape(-1, channels)
        matrix = weight.permute(0, 2, 3, 1).reshape(channels, -1)  # (channels, 4 inner)
        pixels = functional.relu_(torch.addmm(self.conv5_mask.bias.repeat(4), cells, matrix))
        # The last layer, a 1 x 1 convolution, for one class.
        class_weights = self.mask_fcn_logits.weight[labels].reshape(count, inner, 1)
        logits = pixels.view(count, 4 * height * width, inner) @ class_weights
        # From (K, h, w, 2, 2) to (K, h, 2, w, 2): the 2 x 2 pixels of a cell into their rows and columns.
        logits = logits.view(count, height, width, 2, 2).transpose(2, 3).reshape(count, 1, 2 * height, 2 * width)
        return (logits + self.mask_fcn_logits.bias[labels].view(count, 1, 1, 1)).to(dtype=self.result_dtype)
