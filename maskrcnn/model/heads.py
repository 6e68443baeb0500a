"""The heads: what each RoI's grid becomes. torchvision's, with the variants that the paper compares.

With a `c4` backbone all heads begin with the body's stage 5. The box head owns it; the others run it too, on their own
grids, with the same weights (He et al. 2017, fig. 4, left: "res5" is shared).
"""

from __future__ import annotations

from torch import Tensor, nn
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
