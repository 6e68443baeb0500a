"""The modules of the box, mask and keypoint heads, which turn the pooled grid of each RoI into predictions.

They are torchvision's modules, with the variants that the paper compares. With a `c4` backbone all heads begin with
stage 5 of the body. The box head owns stage 5; the other heads run it too, on their own grids, with the same weights
(He et al. 2017, fig. 4, left: "res5" is shared). The second half of the file has the variants for inference.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

from maskrcnn.config import Config
from maskrcnn.model.backbones import BODIES, norm_layer


class Stage5Head(nn.Module):
    """Stage 5 of the body as the box head: `(K, C4, s, s)` -> `(K, C5)`, averaged over the grid."""

    def __init__(self, stage5: nn.Sequential) -> None:
        super().__init__()
        self.stage5 = stage5

    def forward(self, x: Tensor) -> Tensor:
        """`(K, C5)` from pooled grids `(K, C4, s, s)`."""
        return self.stage5(x).mean(dim=(2, 3))


class AfterStage5(nn.Module):
    """A head that first runs stage 5 of the box head, without owning it: the weights of stage 5 are saved only once."""

    def __init__(self, stage5: nn.Sequential, head: nn.Module) -> None:
        super().__init__()
        self._stage5 = (stage5,)  # torch does not register a module inside a tuple
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """The result of the head for pooled grids `(K, C4, s, s)`."""
        return self.head(self._stage5[0](x))


class MLPMaskPredictor(nn.Module):
    """Mask logits from a vector: `(K, width)` -> `(K, masks, side, side)`. Each pixel has weights of its own.

    This is the MLP of He et al. 2017, table 2e. It learns every position separately; convolutions share weights.
    """

    def __init__(self, width: int, masks: int, side: int) -> None:
        super().__init__()
        self.shape = (masks, side, side)
        self.mask_mlp_logits = nn.Linear(width, masks * side * side)

    def forward(self, x: Tensor) -> Tensor:
        """Mask logits `(K, masks, side, side)`."""
        return self.mask_mlp_logits(x).reshape(len(x), *self.shape)


def box_head(config: Config, channels: int, stage5: nn.Sequential | None) -> tuple[nn.Module, nn.Module]:
    """The box head and its predictor: `(K, channels, pool_size, pool_size)` -> logits `(K, C)`, deltas `(K, 4 C)`."""
    head: nn.Module
    width = config.box_head_width
    if stage5 is not None:
        head, width = Stage5Head(stage5), BODIES[config.body].channels[3]
    elif config.box_head_depth:
        norm = norm_layer(config.head_norm, config.norm_eps)
        grid = (channels, config.pool_size, config.pool_size)
        head = FastRCNNConvFCHead(grid, [config.fpn_channels] * config.box_head_depth, [width], norm_layer=norm)
    else:
        head = TwoMLPHead(channels * config.pool_size**2, width)
    return head, FastRCNNPredictor(width, config.num_classes)


def mask_head(config: Config, channels: int, stage5: nn.Sequential | None) -> tuple[nn.Module, nn.Module]:
    """The mask head and its predictor: `(K, channels, mask_pool_size, mask_pool_size)` -> `(K, masks, side, side)`.

    The result are logits. `masks` is the number of classes, or 1 if masks are class-agnostic; `side` is
    `config.mask_shape`.
    """
    head: nn.Module
    predictor: nn.Module
    masks = 1 if config.mask_kind == "agnostic" else config.num_classes
    if stage5 is not None:
        channels = BODIES[config.body].channels[3]
    if config.mask_head == "mlp":
        head = TwoMLPHead(channels * config.mask_pool_size**2, config.box_head_width)
        predictor = MLPMaskPredictor(config.box_head_width, masks, config.mask_shape)
    else:
        width, depth = config.mask_head_width, config.mask_head_depth
        norm = norm_layer(config.head_norm, config.norm_eps)
        head = MaskRCNNHeads(channels, (width,) * depth, dilation=1, norm_layer=norm)
        predictor = MaskRCNNPredictor(width if depth else channels, width, masks)
    return head if stage5 is None else AfterStage5(stage5, head), predictor


def keypoint_head(config: Config, channels: int, stage5: nn.Sequential | None) -> tuple[nn.Module, nn.Module]:
    """The keypoint head and its predictor: `(K, channels, keypoint_pool_size, ...)` -> `(K, keypoints, side, side)`.

    The result are the logits of one heatmap for each keypoint. The loss is a softmax over its `side` x `side` cells
    with one correct cell (He et al. 2017, section 5); `side` is `config.keypoint_shape`.
    """
    if stage5 is not None:
        channels = BODIES[config.body].channels[3]
    head = KeypointRCNNHeads(channels, (config.keypoint_head_width,) * config.keypoint_head_depth)
    predictor = KeypointRCNNPredictor(config.keypoint_head_width, config.num_keypoints)
    return head if stage5 is None else AfterStage5(stage5, head), predictor


LAST_HEAD_LAYERS = (
    "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred",
    "roi_heads.mask_predictor.mask_fcn_logits",
    "roi_heads.mask_predictor.mask_mlp_logits",
    "roi_heads.keypoint_predictor.kps_score_lowres",
)
"""Names in the state dict of the last layer of every kind of head. Its size depends on classes and keypoints."""


def last_head_layers(model: nn.Module) -> dict[str, Any]:
    """The last layers of the heads of a network, by their names in the state dict."""
    modules = dict(model.named_modules())
    return {name: modules[name] for name in LAST_HEAD_LAYERS if name in modules}


def init_last_head_layers(model: nn.Module) -> None:
    """Initialise the last layer of each head with small weights and zero bias.

    All classes are then nearly equally likely, boxes are hardly refined, and every mask pixel is close to 0.5. The
    standard deviation is 0.01 for classes, and 0.001 for boxes (Girshick 2015, "Fast R-CNN", sec. 2.3), masks and
    keypoints. With torchvision's own initialisation the mask loss begins at ten times log 2, which is the loss of a
    probability of 0.5, and the first epochs only reduce it to that.
    """
    for name, layer in last_head_layers(model).items():
        nn.init.normal_(layer.weight, std=0.01 if name.endswith("cls_score") else 0.001)
        nn.init.zeros_(layer.bias)


# Heads for pooled grids that are stored channels last: the C values of a cell lie together in memory.


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
        cells = x.permute(0, 2, 3, 1).reshape(-1, channels)
        matrix = weight.permute(0, 2, 3, 1).reshape(channels, -1)
        quarters = functional.relu_(torch.addmm(self.conv5_mask.bias.repeat(4), cells, matrix))
        own = self.mask_fcn_logits.weight[labels].reshape(count, inner, 1)
        logits = quarters.view(count, 4 * height * width, inner) @ own
        logits = logits.view(count, height, width, 2, 2).transpose(2, 3).reshape(count, 1, 2 * height, 2 * width)
        return (logits + self.mask_fcn_logits.bias[labels].view(count, 1, 1, 1)).to(dtype=self.result_dtype)
