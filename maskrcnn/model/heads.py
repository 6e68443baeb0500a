"""The heads: what each RoI's grid becomes. torchvision's, with the variants that the paper compares.

With a `c4` backbone all heads begin with the body's stage 5. The box head owns it; the others run it too, on their own
grids, with the same weights (He et al. 2017, fig. 4, left: "res5" is shared).
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
        return self.stage5(x).mean(dim=(2, 3))


class AfterStage5(nn.Module):
    """A head that first runs the box head's stage 5, without owning it: its weights are saved and trained once."""

    def __init__(self, stage5: nn.Sequential, head: nn.Module) -> None:
        super().__init__()
        self._stage5 = (stage5,)  # in a tuple torch does not see it
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self._stage5[0](x))


class MLPMaskPredictor(nn.Module):
    """Masks from a vector: `(K, width)` -> `(K, masks, side, side)`, each pixel with weights of its own.

    The MLP of He et al. 2017, table 2e: it has to learn every position anew, where convolutions share.
    """

    def __init__(self, width: int, masks: int, side: int) -> None:
        super().__init__()
        self.shape = (masks, side, side)
        self.mask_mlp_logits = nn.Linear(width, masks * side * side)

    def forward(self, x: Tensor) -> Tensor:
        return self.mask_mlp_logits(x).reshape(len(x), *self.shape)


def box_head(config: Config, channels: int, stage5: nn.Sequential | None) -> tuple[nn.Module, nn.Module]:
    """Head and predictor: `(K, channels, pool_size, pool_size)` -> class logits `(K, C)`, deltas `(K, 4 C)`."""
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
    """Head and predictor: `(K, channels, mask_pool_size, mask_pool_size)` -> logits `(K, masks, side, side)`.

    `masks` is the number of classes, or 1 where they are class-agnostic; `side` is `config.mask_shape`.
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
    """Head and predictor: `(K, channels, keypoint_pool_size, ...)` -> heatmap logits `(K, keypoints, side, side)`.

    One heatmap for each keypoint, trained as a single one-hot pixel with a softmax over all `side` x `side` of them
    (He et al. 2017, section 5); `side` is `config.keypoint_shape`.
    """
    if stage5 is not None:
        channels = BODIES[config.body].channels[3]
    head = KeypointRCNNHeads(channels, (config.keypoint_head_width,) * config.keypoint_head_depth)
    predictor = KeypointRCNNPredictor(config.keypoint_head_width, config.num_keypoints)
    return head if stage5 is None else AfterStage5(stage5, head), predictor


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
        return self.mask_fcn_logits(functional.relu_(self.conv5_mask(x))).to(dtype=self.result)

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
        return (logits + self.mask_fcn_logits.bias[labels].view(count, 1, 1, 1)).to(dtype=self.result)


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
    weight = layer.weight.detach().unflatten(1, (-1, cells)).transpose(1, 2).flatten(1)
    layer.weight = nn.Parameter(weight, requires_grad=False)
    return layer


def init_last_layers(model: nn.Module) -> None:
    """Initialise the last layer of each head with small weights and no bias: all classes are nearly as likely, boxes
    are hardly refined, and every mask pixel is close to 0.5.

    Standard deviation 0.01 for classes and 0.001 for boxes (Girshick 2015, "Fast R-CNN", sec. 2.3); masks and keypoints
    as boxes. With torchvision's own initialisation the mask loss begins at ten times log 2, that of a probability of
    0.5, and the first epochs only bring it down.
    """
    for name, layer in last_layers(model).items():
        nn.init.normal_(layer.weight, std=0.01 if name.endswith("cls_score") else 0.001)
        nn.init.zeros_(layer.bias)


LAST_LAYERS = (
    "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred",
    "roi_heads.mask_predictor.mask_fcn_logits",
    "roi_heads.mask_predictor.mask_mlp_logits",
    "roi_heads.keypoint_predictor.kps_score_lowres",
)
"""The last layer of every kind of head, by its name in the state dict; its size follows classes and keypoints."""


def last_layers(model: nn.Module) -> dict[str, Any]:
    """The last layers that this network has, by their names in its state dict."""
    modules = dict(model.named_modules())
    return {name: modules[name] for name in LAST_LAYERS if name in modules}
