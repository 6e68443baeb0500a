"""From a `Config` to a network: torchvision's MaskRCNN, composed part by part."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from maskrcnn.config import Config
from maskrcnn.model.backbones import body_of, build_backbone, set_trainable
from maskrcnn.model.pooling import RoIPooler


class PictureTransform(GeneralizedRCNNTransform):
    """Normalises and batches pictures; scales them first, unless `resized` says that this has been done.

    The trainer resizes (and augments) on its own, once; torchvision's transform would undo its scale jitter.
    """

    resized = False

    def resize(self, image: Tensor, target: dict[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor] | None]:
        return (image, target) if self.resized else super().resize(image, target)


class StudioMaskRCNN(MaskRCNN):
    """torchvision's MaskRCNN that knows the `config` it was built from.

    Called as torchvision's: a list of `(3, H, W)` float pictures in [0, 1] (in training also a list of targets with
    `boxes (N, 4)` xyxy, `labels (N,)` and `masks (N, H, W)`) in; a dict of losses in training, else a list of dicts
    with `boxes`, `labels`, `scores` and `masks (N, 1, H, W)` out.
    """

    config: Config
    transform: PictureTransform

    def set_layers(self, layers: str) -> None:
        """Choose what learns: "heads", "3+", "4+", "5+" or "all" (see `Config.layers`)."""
        self.requires_grad_(True)
        set_trainable(self.backbone, body_of(self.config.backbone), layers)


def build(config: Config) -> StudioMaskRCNN:
    """The network that `config` describes, randomly initialised (`maskrcnn.model.weights` fills it)."""
    backbone = build_backbone(config)
    channels = config.fpn_channels
    pooling: dict[str, Any] = {"pooling": config.pooling, "sampling_ratio": config.sampling_ratio}
    model = StudioMaskRCNN(
        backbone,
        num_classes=None,  # the predictors below know it
        rpn_anchor_generator=AnchorGenerator(
            tuple((scale,) for scale in config.rpn_anchor_scales),
            (config.rpn_anchor_ratios,) * len(config.rpn_anchor_scales),
        ),
        rpn_pre_nms_top_n_train=config.pre_nms_limit_training or config.pre_nms_limit,
        rpn_pre_nms_top_n_test=config.pre_nms_limit,
        rpn_post_nms_top_n_train=config.post_nms_rois_training,
        rpn_post_nms_top_n_test=config.post_nms_rois_inference,
        rpn_nms_thresh=config.rpn_nms_threshold,
        rpn_fg_iou_thresh=config.rpn_positive_iou,
        rpn_bg_iou_thresh=config.rpn_negative_iou,
        rpn_batch_size_per_image=config.rpn_train_anchors_per_image,
        rpn_positive_fraction=config.rpn_positive_ratio,
        box_roi_pool=RoIPooler(size=config.pool_size, **pooling),
        box_head=TwoMLPHead(channels * config.pool_size**2, config.box_head_width),
        box_predictor=FastRCNNPredictor(config.box_head_width, config.num_classes),
        box_score_thresh=config.detection_min_confidence,
        box_nms_thresh=config.detection_nms_threshold,
        box_detections_per_img=config.detection_max_instances,
        box_fg_iou_thresh=config.roi_positive_iou,
        box_bg_iou_thresh=config.roi_positive_iou,
        box_batch_size_per_image=config.train_rois_per_image,
        box_positive_fraction=config.roi_positive_ratio,
        mask_roi_pool=RoIPooler(size=config.mask_pool_size, **pooling),
        mask_head=MaskRCNNHeads(channels, (config.mask_head_width,) * config.mask_head_depth, dilation=1),
        mask_predictor=MaskRCNNPredictor(config.mask_head_width, config.mask_head_width, config.num_classes),
    )
    model.transform = PictureTransform(
        config.image_min_dim, config.image_max_dim, list(config.mean_pixel), list(config.std_pixel)
    )
    model.config = config
    calm_last_layers(model)
    return model.eval()


def calm_last_layers(model: MaskRCNN) -> None:
    """Start the three last layers close to 0: nothing is likely yet, no box is moved, every mask is undecided.

    Girshick 2015, "Fast R-CNN", sec. 2.3, for classes (0.01) and boxes (0.001); masks as boxes. With torchvision's own
    start the mask loss begins at ten times that of a coin, and the first epochs go by with calming it.
    """
    predictor = model.roi_heads.box_predictor
    for layer, std in (
        (predictor.cls_score, 0.01),
        (predictor.bbox_pred, 0.001),
        (model.roi_heads.mask_predictor.mask_fcn_logits, 0.001),
    ):
        nn.init.normal_(layer.weight, std=std)
        nn.init.zeros_(layer.bias)


PARTS: dict[str, tuple[str, ...]] = {
    "body": ("backbone.body",),
    "fpn": ("backbone.fpn",),
    "rpn": ("rpn",),
    "box head": ("roi_heads.box_head", "roi_heads.box_predictor"),
    "mask head": ("roi_heads.mask_head", "roi_heads.mask_predictor"),
}
"""The parts of the network that a lecture names -> the modules they are made of."""


def parameter_counts(model: nn.Module) -> dict[str, int]:
    """Parameters of each part of the network, and `total`."""
    counts = {
        part: sum(p.numel() for module in modules for p in model.get_submodule(module).parameters())
        for part, modules in PARTS.items()
    }
    return counts | {"total": sum(counts.values())}
