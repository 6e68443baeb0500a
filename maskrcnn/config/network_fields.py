"""Fields of the Config that describe the network: from the picture to its detections.

Lengths are pixels of the resized picture; IoU thresholds and scores lie in [0, 1].
"""

from __future__ import annotations

from pydantic import BaseModel

from maskrcnn.config.choices import (
    Backbone,
    HeadNorm,
    KeypointDecode,
    MaskHead,
    MaskKind,
    Norm,
    Pooling,
    PoolingMode,
    ScalesAt,
    Task,
)
from maskrcnn.config.field_declaration import MOST, Section, config_field


class NetworkFields(BaseModel):
    """What the network finds, and how each of its parts is built."""

    # Classes and keypoints
    num_classes: int = config_field(
        2, Section.LABELS, "labels", "Classes including the background, which is class 0.", ge=2, le=MOST
    )
    class_names: tuple[str, ...] = config_field(
        (), Section.LABELS, "labels", "Names of classes 1, 2, ...; empty where nobody named them.", step_time=False
    )
    num_keypoints: int = config_field(
        17, Section.LABELS, "labels", "Keypoints of each object, where they are a task.", ge=1, le=200
    )
    keypoint_names: tuple[str, ...] = config_field(
        (), Section.LABELS, "labels", "Names of the keypoints; empty where nobody named them.", step_time=False
    )
    keypoint_edges: tuple[tuple[int, int], ...] = config_field(
        (),
        Section.LABELS,
        "labels",
        "Pairs of keypoints, counted from 0, between which a limb is drawn.",
        step_time=False,
    )

    # Tasks
    tasks: tuple[Task, ...] = config_field(
        ("box", "mask"),
        Section.TASKS,
        "network",
        "What is found of each object: box alone is Faster R-CNN, box and mask Mask R-CNN, box and keypoints Keypoint "
        "R-CNN; all three go together.",
    )

    # Picture
    image_min_dim: int = config_field(
        384, Section.PICTURE, "pipeline", "The shorter side is scaled to this, if the longer fits.", ge=32, le=4096
    )
    image_max_dim: int = config_field(
        512, Section.PICTURE, "pipeline", "The longer side is never scaled beyond this.", ge=32, le=4096
    )
    mean_pixel: tuple[float, float, float] = config_field(
        (0.485, 0.456, 0.406),
        Section.PICTURE,
        "reading",
        "Mean of ImageNet's RGB values in [0, 1], which backbones were trained with.",
        step_time=False,
    )
    std_pixel: tuple[float, float, float] = config_field(
        (0.229, 0.224, 0.225),
        Section.PICTURE,
        "reading",
        "Standard deviation of ImageNet's RGB values in [0, 1].",
        step_time=False,
    )

    # Body and pyramid
    backbone: Backbone = config_field(
        "mobilenet_v2_fpn",
        Section.BODY,
        "network",
        "The body that turns the picture into feature maps, and which maps are used: fpn, a pyramid of strides 4 to "
        "64; c4, one map of stride 16 with the last stage in the heads; c5, one map of stride 32; fpn32, two maps of "
        "stride 32 as in torchvision's light detector.",
        task="box",
    )
    norm: Norm = config_field(
        "frozen",
        Section.BODY,
        "network",
        "Norm of the body: frozen BatchNorm for weights that were trained before; batch or, for batches of one or two "
        "pictures, group from scratch.",
        task="box",
    )
    norm_eps: float = config_field(
        1e-5,
        Section.BODY,
        "reading",
        "Added to a variance before dividing; 0 for torchvision's first COCO weights.",
        ge=0,
    )
    fpn_channels: int = config_field(
        128,
        Section.BODY,
        "network",
        "Channels of every map that the heads read (but c4's); 256 in the paper.",
        task="box",
        ge=8,
        le=1024,
    )

    # Anchors and region proposals
    rpn_scales_at: ScalesAt = config_field(
        "one-per-level",
        Section.RPN,
        "network",
        "Whether each pyramid level has its own anchor scale or all of them.",
        task="box",
    )
    rpn_anchor_scales: tuple[int, ...] = config_field(
        (32, 64, 128, 256, 512),
        Section.RPN,
        "network",
        "Anchor sides: one for each pyramid level P2..P6; on a single map every one at every place.",
        task="box",
        min_length=1,
    )
    rpn_anchor_ratios: tuple[float, ...] = config_field(
        (0.5, 1.0, 2.0), Section.RPN, "network", "Anchor height / width.", task="box", min_length=1
    )
    rpn_head_depth: int = config_field(
        1, Section.RPN, "network", "3x3 convolutions of the RPN before its two outputs.", task="box", ge=1, le=4
    )
    rpn_train_anchors_per_image: int = config_field(
        256, Section.RPN, "pipeline", "Anchors sampled for the two RPN losses.", ge=1, le=MOST
    )
    rpn_positive_ratio: float = config_field(
        0.5, Section.RPN, "pipeline", "Largest share of positives among those anchors.", gt=0, le=1
    )
    rpn_positive_iou: float = config_field(
        0.7, Section.RPN, "pipeline", "An anchor from this IoU on is positive.", gt=0, le=1
    )
    rpn_negative_iou: float = config_field(
        0.3, Section.RPN, "pipeline", "An anchor below this IoU with every object is negative.", ge=0, lt=1
    )
    rpn_nms_threshold: float = config_field(
        0.7, Section.RPN, "pipeline", "Proposals that overlap a better one by more are dropped.", gt=0, le=1
    )
    rpn_min_score: float = config_field(
        0.0, Section.RPN, "pipeline", "Proposals whose objectness is below this are dropped before NMS.", ge=0, lt=1
    )
    pre_nms_limit: int = config_field(
        500, Section.RPN, "pipeline", "Best proposals kept per level before NMS.", ge=1, le=MOST
    )
    pre_nms_limit_training: int | None = config_field(
        None, Section.RPN, "pipeline", "The same while training; empty: the same number.", ge=1, le=MOST
    )
    post_nms_rois_training: int = config_field(
        500, Section.RPN, "pipeline", "Proposals per picture after NMS, while training.", ge=1, le=MOST
    )
    post_nms_rois_inference: int = config_field(
        200, Section.RPN, "pipeline", "Proposals per picture after NMS, when predicting.", ge=1, le=MOST
    )

    # RoI pooling
    pooling: Pooling = config_field(
        "align",
        Section.POOLING,
        "reading",
        "align: RoIAlign with the half-pixel shift; align-legacy: without it, as torchvision's COCO weights were "
        "trained; pool: RoIPool, which rounds box and bins to whole cells; warp: RoIWarp, which rounds the box and "
        "then samples as RoIAlign does.",
    )
    sampling_ratio: int = config_field(
        2, Section.POOLING, "reading", "Samples per bin side of RoIAlign and RoIWarp; 0 adapts to the box.", ge=0, le=8
    )
    pooling_mode: PoolingMode = config_field(
        "auto",
        Section.POOLING,
        "reading",
        "Whether a bin becomes the average or the max of its values; auto: max for RoIPool, average for the others.",
    )
    fpn_roi_level: int = config_field(
        4,
        Section.POOLING,
        "reading",
        "Pyramid level that a box of 224 x 224 is read from; half the side, one level down. k0 of the FPN paper.",
        ge=2,
        le=8,
    )

    # Box head
    pool_size: int = config_field(
        7, Section.BOX_HEAD, "network", "Side of the grid that the box head sees.", task="box", ge=1, le=28
    )
    box_head_depth: int = config_field(
        0,
        Section.BOX_HEAD,
        "network",
        "3x3 convolutions in the box head; then one fully connected layer, else two.",
        task="box",
        ge=0,
        le=8,
    )
    box_head_width: int = config_field(
        512,
        Section.BOX_HEAD,
        "network",
        "Units of the fully connected layers of the box head (c4 has none: stage 5 is the head).",
        task="box",
        ge=8,
        le=MOST,
    )
    head_norm: HeadNorm = config_field(
        "none",
        Section.BOX_HEAD,
        "network",
        "Norm after the convolutions of pyramid and heads; batch in torchvision's v2.",
        task="box",
    )
    train_rois_per_image: int = config_field(
        64, Section.BOX_HEAD, "pipeline", "Proposals sampled for the head losses; 512 in torchvision.", ge=1, le=MOST
    )
    roi_positive_ratio: float = config_field(
        0.25, Section.BOX_HEAD, "pipeline", "Largest share of positives among those.", gt=0, le=1
    )
    roi_positive_iou: float = config_field(
        0.5, Section.BOX_HEAD, "pipeline", "A proposal from this IoU on is positive.", gt=0, le=1
    )
    bbox_std_dev: tuple[float, float, float, float] = config_field(
        (0.1, 0.1, 0.2, 0.2),
        Section.BOX_HEAD,
        "reading",
        "Scale of the box head's refinements (dx, dy, dw, dh); it learns them divided by this.",
    )

    # Mask head
    mask_pool_size: int = config_field(
        14,
        Section.MASK_HEAD,
        "network",
        "Side of the grid that the mask head sees; it predicts twice that.",
        task="mask",
        ge=2,
        le=56,
    )
    mask_head: MaskHead = config_field(
        "fcn",
        Section.MASK_HEAD,
        "network",
        "fcn: convolutions, which keep the position of each value; mlp: fully connected layers, which do not.",
        task="mask",
    )
    mask_kind: MaskKind = config_field(
        "sigmoid",
        Section.MASK_HEAD,
        "reading",
        "sigmoid: one mask per class, each pixel a yes or no; softmax: classes compete for each pixel; agnostic: one "
        "mask for whatever the class is.",
    )
    mask_head_depth: int = config_field(
        4,
        Section.MASK_HEAD,
        "network",
        "3x3 convolutions in the mask head; 4 in the paper, 0 with its c4.",
        task="mask",
        ge=0,
        le=8,
    )
    mask_head_width: int = config_field(
        128,
        Section.MASK_HEAD,
        "network",
        "Channels of the mask head's convolutions; 256 in the paper.",
        task="mask",
        ge=8,
        le=MOST,
    )

    # Keypoint head
    keypoint_pool_size: int = config_field(
        14,
        Section.KEYPOINT_HEAD,
        "pipeline",
        "Side of the grid that the keypoint head sees; it predicts four times that.",
        ge=2,
        le=56,
    )
    keypoint_head_depth: int = config_field(
        4,
        Section.KEYPOINT_HEAD,
        "network",
        "3x3 convolutions in the keypoint head; 8 in the paper.",
        task="keypoints",
        ge=1,
        le=12,
    )
    keypoint_head_width: int = config_field(
        128,
        Section.KEYPOINT_HEAD,
        "network",
        "Channels of the keypoint head's convolutions; 512 in the paper.",
        task="keypoints",
        ge=8,
        le=MOST,
    )
    keypoint_decode: KeypointDecode = config_field(
        "oks",
        Section.KEYPOINT_HEAD,
        "pipeline",
        "How a heatmap becomes a keypoint. oks: the position of the highest expected OKS, and poses are ranked by it; "
        "argmax: the peak, as in the paper and in torchvision.",
    )
    keypoint_sigmas: tuple[float, ...] = config_field(
        (),
        Section.KEYPOINT_HEAD,
        "labels",
        "How exactly each keypoint can be placed, as a share of the object's size; OKS forgives an error of about that "
        "much. Empty: COCO's for 17 keypoints, else 0.05 for each.",
        step_time=False,
    )

    # Detections
    detection_min_confidence: float = config_field(
        0.05, Section.DETECTIONS, "pipeline", "Detections below this score are dropped.", ge=0, lt=1
    )
    detection_nms_threshold: float = config_field(
        0.5, Section.DETECTIONS, "pipeline", "IoU beyond which the weaker of two goes.", gt=0, le=1
    )
    detection_max_instances: int = config_field(
        100, Section.DETECTIONS, "pipeline", "Most detections in one picture.", ge=1, le=MOST
    )
