"""Building of a network from a `Config`: torchvision's R-CNN, composed of its parts."""

from __future__ import annotations

from typing import Any

from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.rpn import RPNHead

from maskrcnn.config import Config
from maskrcnn.model import heads
from maskrcnn.model.backbones import body_of, build_backbone, set_trainable
from maskrcnn.model.pooling import RoIPooler
from maskrcnn.model.resize import PictureTransform
from maskrcnn.model.roi_heads import StudioRoIHeads
from maskrcnn.model.rpn import StudioRPN
from maskrcnn.model.training_sampling import TrainingSampler


class StudioRCNN(GeneralizedRCNN):
    """torchvision's R-CNN with the `config` from which it was built.

    It is called as in torchvision, with a list of float pictures `(3, H, W)` in [0, 1], and in training also a list of
    targets: `boxes (N, 4)` xyxy, `labels (N,)` and, for the tasks of the network, `masks (N, H, W)` and `keypoints (N,
    K, 3)`. It returns a dict of losses in training, else a list of dicts with `boxes`, `labels`, `scores`, `masks (N,
    1, H, W)`, `keypoints (N, K, 3)` and `keypoints_scores (N, K)`.
    """

    config: Config
    transform: PictureTransform
    roi_heads: StudioRoIHeads

    @property
    def level_names(self) -> dict[str, str]:
        """Key of each map that the backbone returns ("0") -> its name in the papers ("P2")."""
        return self.config.level_names

    @property
    def samplers(self) -> dict[str, TrainingSampler]:
        """The samplers that draw the anchors ("rpn") and the RoIs ("roi") of a training step."""
        return {"rpn": self.rpn.fg_bg_sampler, "roi": self.roi_heads.fg_bg_sampler}

    def set_layers(self, layers: str) -> None:
        """Choose the layers that are trained: "heads", "3+", "4+", "5+" or "all" (see `Config.layers`).

        Stage 5 of a `c4` backbone is part of the heads and is always trained.
        """
        self.requires_grad_(True)
        set_trainable(self.backbone, body_of(self.config), layers)


def build(config: Config) -> StudioRCNN:
    """The network that `config` describes, in eval mode, with random weights (`maskrcnn.model.weights` loads others).

    >>> network = build(Config.preset("classroom", num_classes=3))
    >>> sum(value.numel() for value in network.parameters()) == parameter_counts(network)["total"]
    True
    """
    backbone, stage5 = build_backbone(config)
    transform = PictureTransform(
        config.image_min_dim, config.image_max_dim, list(config.mean_pixel), list(config.std_pixel)
    )
    model = StudioRCNN(
        backbone, _rpn(config, backbone.out_channels), _roi_heads(config, backbone.out_channels, stage5), transform
    )
    model.config = config
    for part in (model.rpn, model.roi_heads):
        part.fg_bg_sampler = TrainingSampler(part.fg_bg_sampler)
    heads.init_last_head_layers(model)
    return model.eval()


def _rpn(config: Config, channels: int) -> StudioRPN:
    """The RPN for maps with `channels` channels."""
    ratios = (config.rpn_anchor_ratios,) * len(config.anchor_scales)
    anchors = AnchorGenerator(config.anchor_scales, ratios)
    return StudioRPN(
        anchors,
        RPNHead(channels, anchors.num_anchors_per_location()[0], config.rpn_head_depth),
        fg_iou_thresh=config.rpn_positive_iou,
        bg_iou_thresh=config.rpn_negative_iou,
        batch_size_per_image=config.rpn_train_anchors_per_image,
        positive_fraction=config.rpn_positive_ratio,
        pre_nms_top_n={
            "training": config.pre_nms_limit_training or config.pre_nms_limit,
            "testing": config.pre_nms_limit,
        },
        post_nms_top_n={"training": config.post_nms_rois_training, "testing": config.post_nms_rois_inference},
        nms_thresh=config.rpn_nms_threshold,
        score_thresh=config.rpn_min_score,
    )


def _roi_heads(config: Config, channels: int, stage5: nn.Sequential | None) -> StudioRoIHeads:
    """The box, mask and keypoint heads with their RoI poolers, for maps with `channels` channels."""

    def pooler(size: int) -> RoIPooler:
        # With `fpn`, the heads read all maps but the last (P6, for the RPN only); with `fpn32`, the first map only.
        strides = {"fpn": config.backbone_strides[:-1], "fpn32": config.backbone_strides[:1]}
        return RoIPooler(
            config.pooling,
            size,
            config.sampling_ratio,
            mode=config.pooling_mode,
            strides=strides.get(config.kind, config.backbone_strides),
            roi_level=config.fpn_roi_level,
        )

    parts: dict[str, Any] = {}
    for task, make, size in (
        ("box", heads.box_head, config.pool_size),
        ("mask", heads.mask_head, config.mask_pool_size),
        ("keypoints", heads.keypoint_head, config.keypoint_pool_size),
    ):
        if task in config.tasks:
            name = task.removesuffix("s")
            parts[f"{name}_roi_pool"] = pooler(size)
            parts[f"{name}_head"], parts[f"{name}_predictor"] = make(config, channels, stage5)
    return StudioRoIHeads(
        **parts,
        fg_iou_thresh=config.roi_positive_iou,
        bg_iou_thresh=config.roi_positive_iou,
        batch_size_per_image=config.train_rois_per_image,
        positive_fraction=config.roi_positive_ratio,
        bbox_reg_weights=tuple(1 / std for std in config.bbox_std_dev),
        score_thresh=config.detection_min_confidence,
        nms_thresh=config.detection_nms_threshold,
        detections_per_img=config.detection_max_instances,
        mask_kind=config.mask_kind,
        aligned_targets=config.pooling != "align-legacy",
        oks_sigmas=config.sigmas if config.keypoint_decode == "oks" else None,
    )


PARTS: dict[str, tuple[str, ...]] = {
    "body": ("backbone.body",),
    "neck": ("backbone.fpn", "backbone.neck"),
    "rpn": ("rpn",),
    "box head": ("roi_heads.box_head", "roi_heads.box_predictor"),
    "mask head": ("roi_heads.mask_head", "roi_heads.mask_predictor"),
    "keypoint head": ("roi_heads.keypoint_head", "roi_heads.keypoint_predictor"),
}
"""Part of a network by its usual name -> prefixes of its modules. A network has only the modules of its kind."""


def parameter_counts(model: nn.Module) -> dict[str, int]:
    """Number of parameters of each part of a network, and `total`.

    >>> from torch import device
    >>> with device("meta"):  # without memory for the parameters
    ...     parameter_counts(build(Config.preset("torchvision")))["total"]
    44401393
    """
    modules = dict(model.named_modules())
    counts = {
        part: sum(p.numel() for name in names if name in modules for p in modules[name].parameters())
        for part, names in PARTS.items()
    }
    return {part: count for part, count in counts.items() if count} | {"total": sum(counts.values())}
