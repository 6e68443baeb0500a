"""The modules of the box, mask and keypoint heads, which turn the pooled grid of each RoI into predictions.

They are torchvision's modules, with the variants that the paper compares. With a `c4` backbone all heads begin with
stage 5 of the body. The box head owns stage 5; the other heads run it too, on their own grids, with the same weights
(He et al. 2017, fig. 4, left: "res5" is shared). `channels_last_heads` has the variants for inference.
"""

from __future__ import annotations

from typing import Any

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
        (stage5,) = self._stage5  # in a tuple, so that this module does not own it
        return self.head(stage5(x))


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
        return self.mask_mlp_logits(x).unflatten(1, self.shape)


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

    The results are logits. `masks` is the number of classes, or 1 if masks are class-agnostic; `side` is
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

    The results are the logits of one heatmap for each keypoint. The loss is a softmax over its `side` x `side` cells
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
    """The modules of the last layers of the box, mask and keypoint heads, by their names in the state dict."""
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
