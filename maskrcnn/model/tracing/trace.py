"""The trace of a picture: the intermediate results of every stage of the network, as named arrays.

```python
found = trace(model, picture, {"boxes": boxes, "labels": labels})
[(step.name, step.count) for step in found.rpn.filters + found.heads.filters]  # how many survive each filter
found.maps["P3"].shape, found.heads.features[0], found.detections.pasted_masks
```

Frames: unless a docstring says "of the picture", boxes are xyxy in pixels of the *resized* picture;
`Trace.to_picture` converts them to pixels of the picture. Maps are padded on the right and bottom to a multiple of 32
pixels.

The same modules as in `detect` run on the same tensors, and the steps between them are torchvision's (see `filters`),
so proposals and detections equal those of the network. A trace takes a tenth more time than a detection. It needs
memory for the maps and the pooled grids: 25 to 40 MB with the preset `classroom`, about 320 MB with `torchvision`, and
about 210 MB with a ResNet-50 `c4` at the sizes of `standard`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import concat_box_prediction_layers

from maskrcnn.config import Config
from maskrcnn.model.backbones import FIRST_AND_LAST, body_of
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.mask_pasting import paste_mask, pastes_legacy
from maskrcnn.model.resize import resize, to_tensor, working_size
from maskrcnn.model.tracing.assignment import Assignment, GroundTruth, assign
from maskrcnn.model.tracing.filters import Filter, Suppression, filter_detections, filter_proposals

Maps = dict[str, np.ndarray]


@dataclass(frozen=True)
class RegionProposals:
    """The results of the RPN.

    By level name, for the A anchors at each of h x w cells, float32: `anchors (h, w, A, 4)`, logits
    `objectness (h, w, A)`, `deltas (h, w, A, 4)` (dx, dy, dw, dh). All M anchors are numbered level after level, row by
    row.

    `filters`: the seven steps from the decoded box of every anchor to the proposals; `nms`: what NMS dropped.
    """

    anchors: Maps
    objectness: Maps
    deltas: Maps
    filters: tuple[Filter, ...]
    nms: Suppression

    @property
    def boxes(self) -> np.ndarray:
        """The K proposals, `(K, 4)`, best first."""
        return self.filters[-1].boxes

    @property
    def scores(self) -> np.ndarray:
        """The objectness of the K proposals, `(K,)` in [0, 1]."""
        return self.filters[-1].scores

    @property
    def all_anchors(self) -> np.ndarray:
        """All M anchors, `(M, 4)`, in the order of their numbers."""
        return np.concatenate([anchors.reshape(-1, 4) for anchors in self.anchors.values()])

    def place(self, anchor: int) -> tuple[str, int, int, int]:
        """Level, row, column and shape index in `anchors` of the anchor with that number."""
        for level, anchors in self.anchors.items():
            count = len(anchors.reshape(-1, 4))
            if anchor < count:
                row, column, shape = np.unravel_index(anchor, anchors.shape[:3])
                return level, int(row), int(column), int(shape)
            anchor -= count
        raise IndexError(f"there is no anchor {anchor}")


@dataclass(frozen=True)
class HeadStages:
    """The results of the box head for the K proposals (`RegionProposals.boxes`).

    `levels (K,)` str: the map that each proposal is pooled from; `features (K, channels, pool_size, pool_size)`
    float32: the pooled grids; `probabilities (K, C)`: of each class, background first; `deltas (K, C, 4)`: (dx, dy, dw,
    dh) in units of `bbox_std_dev`; `refined (K, C, 4)`: the proposals with these deltas applied, not clipped.

    `filters`: the six steps from every proposal for every class to the detections; `nms`: what NMS dropped. Candidate i
    is proposal i // (C - 1) for class i % (C - 1) + 1.
    """

    levels: np.ndarray
    features: np.ndarray
    probabilities: np.ndarray
    deltas: np.ndarray
    refined: np.ndarray
    filters: tuple[Filter, ...]
    nms: Suppression


@dataclass(frozen=True)
class Detections:
    """The D detections, best first.

    `boxes (D, 4)`; `labels (D,)` int64; `scores (D,)`; `proposals (D,)` int64: the proposal that each was made from.

    With the mask task: `mask_features (D, channels, mask_pool_size, mask_pool_size)`, the pooled grids; `mask_logits
    (D, masks, M, M)` with M = `mask_shape`, one mask for each class or one for all; `soft_masks (D, M, M)`, the mask of
    the detection's own class in [0, 1]. With the keypoint task: `heatmaps (D, keypoints, S, S)`, logits with S =
    `keypoint_shape`; `keypoints (D, keypoints, 3)`, (x, y, 1), decoded as `keypoint_decode` says. None without a task.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    proposals: np.ndarray
    mask_features: np.ndarray | None
    mask_logits: np.ndarray | None
    soft_masks: np.ndarray | None
    heatmaps: np.ndarray | None
    keypoints: np.ndarray | None


@dataclass(frozen=True)
class Trace:
    """All stages of the network for one picture, in their order.

    `picture_size`: (height, width) of the picture; `size`: of the resized picture; `scale`: (sx, sy), resized pixels
    per pixel of the picture; `input (3, H, W)` float32: the resized picture, normalised and padded.

    `body`: name -> map of the backbone's body, float32 `(C, h, w)`: "C2".."C5", as many as the body has ("C5 first" and
    "C5 last" with `fpn32`); `maps`: level name (see `StudioRCNN.level_names`) -> map that the RPN and the heads read;
    `strides`: level name -> resized pixels per cell.

    `rpn`, `heads`, `detections`: see these classes. `assignment`: the training targets, None if the trace was made
    without the objects of the picture.
    """

    config: Config
    picture_size: tuple[int, int]
    size: tuple[int, int]
    scale: tuple[float, float]
    input: np.ndarray
    body: Maps
    maps: Maps
    strides: dict[str, int]
    rpn: RegionProposals
    heads: HeadStages
    detections: Detections
    assignment: Assignment | None

    def to_picture(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes `(..., 4)` of the resized picture, converted to pixels of the picture."""
        (height, width), (inner_height, inner_width) = self.picture_size, self.size
        return boxes * np.array([width / inner_width, height / inner_height] * 2, np.float32)

    def pasted_mask(self, detection: int) -> np.ndarray:
        """The mask of one detection, bool `(H, W)` of the picture's size. It is computed at each call."""
        if self.detections.soft_masks is None:
            raise LookupError("a network without the mask task has no masks")
        box = self.to_picture(self.detections.boxes[detection])
        mask, legacy = self.detections.soft_masks[detection], pastes_legacy(self.config)
        return paste_mask(mask, box, *self.picture_size, legacy=legacy).astype(bool)

    @property
    def pasted_masks(self) -> np.ndarray:
        """The masks of all detections, bool `(D, H, W)`, computed at each call. They take D bytes per picture pixel."""
        masks = [self.pasted_mask(number) for number in range(len(self.detections.boxes))]
        return np.stack(masks) if masks else np.zeros((0, *self.picture_size), bool)


@torch.inference_mode()
def trace(model: StudioRCNN, image: np.ndarray, targets: Mapping[str, Any] | None = None) -> Trace:
    """Run `model`, in eval mode, on one uint8 `(H, W, 3)` RGB picture and keep the results of every stage.

    `targets`: the objects, if they are known, in pixels of the picture: `boxes (N, 4)` xyxy, `labels (N,)` from 1, and
    optionally `masks (N, H, W)` and `keypoints (N, K, 3)`. Raises `StudioError` if they do not fit picture or network.

    >>> from maskrcnn.model import build
    >>> found = trace(build(Config.preset("classroom")), np.zeros((64, 64, 3), np.uint8))
    >>> found.rpn.boxes.shape[1], [step.name for step in found.rpn.filters][:2]
    (4, ['decoded', 'best per level'])
    """
    config, picture_size = model.config, (image.shape[0], image.shape[1])
    truth = None if targets is None else GroundTruth.parse(targets, picture_size, config)
    size = working_size(*picture_size, config)
    scale = (size[1] / picture_size[1], size[0] / picture_size[0])
    device = next(model.parameters()).device
    images, _ = model.transform([to_tensor(resize(image, size)).to(device)])

    body, maps = _trace_backbone(model, images.tensors)
    rpn, anchors = _propose(model, images, maps)
    proposals = torch.from_numpy(rpn.boxes).to(device)
    heads = _classify(model, maps, proposals, size)
    detections = _detect(model, maps, heads, size)
    parts = (model.rpn, model.roi_heads, config)
    return Trace(
        config=config,
        picture_size=picture_size,
        size=size,
        scale=scale,
        input=_array(images.tensors[0]),
        body=body,
        maps={model.level_names[key]: _array(value[0]) for key, value in maps.items()},
        strides=dict(zip(model.level_names.values(), config.backbone_strides, strict=True)),
        rpn=rpn,
        heads=heads,
        detections=detections,
        assignment=None if truth is None else assign(*parts, truth, anchors, proposals, size, scale),
    )


def _array(tensor: Tensor) -> np.ndarray:
    """The tensor as a NumPy array; floating point values as float32."""
    return np.ascontiguousarray((tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy())


def _trace_backbone(model: StudioRCNN, pictures: Tensor) -> tuple[Maps, dict[str, Tensor]]:
    """Run the backbone, and return the maps of its body and the maps that the RPN and the heads read.

    The maps of the body are arrays by name ("C2"), for the trace; the others are tensors by torchvision's key ("0").
    """
    body: Maps = {}
    mine = threading.get_ident()  # several sessions can use the same network at the same time

    def keep(name: str) -> Any:
        def hook(module: nn.Module, arguments: Any, output: Tensor) -> None:
            if threading.get_ident() == mine:
                body[name] = _array(output[0])

        return hook

    blocks = model.backbone.get_submodule("body")
    names = {end: f"C{stage}" for stage, end in enumerate(body_of(model.config).ends, start=2)}
    if model.config.kind == "fpn32":
        (first, _), (last, _) = FIRST_AND_LAST[model.config.body]
        c2_to_c4 = dict(list(names.items())[:3])
        names = c2_to_c4 | {first: "C5 first", last: "C5 last"}
    there = {name: blocks.get_submodule(end) for end, name in names.items() if end in blocks}
    hooks = [block.register_forward_hook(keep(name)) for name, block in there.items()]
    try:
        # Not `model.backbone(pictures)`: with hooks, that would compile a compiled backbone again.
        maps = model.backbone.forward(pictures)
    finally:
        for handle in hooks:
            handle.remove()
    return body, maps


def _propose(model: StudioRCNN, images: ImageList, maps: dict[str, Tensor]) -> tuple[RegionProposals, Tensor]:
    """The results of the RPN, and all anchors `(M, 4)`."""
    rpn, features = model.rpn, list(maps.values())
    objectness, deltas = rpn.head(features)
    (anchors,) = rpn.anchor_generator(images, features)
    grids = [(logits.shape[2], logits.shape[3], logits.shape[1]) for logits in objectness]
    level_sizes = [int(np.prod(grid)) for grid in grids]
    logits, codes = concat_box_prediction_layers(objectness, deltas)
    decoded = rpn.box_coder.decode(codes, [anchors])[:, 0]
    filters, nms = filter_proposals(rpn, decoded, logits.flatten(), level_sizes, images.image_sizes[0])

    def by_level(values: Tensor) -> Maps:
        pieces = zip(model.level_names.values(), values.split(level_sizes), grids, strict=True)
        return {name: _array(piece).reshape(*grid, *values.shape[1:]) for name, piece, grid in pieces}

    stages = RegionProposals(by_level(anchors), by_level(logits.flatten()), by_level(codes), filters, nms)
    return stages, anchors


def _classify(model: StudioRCNN, maps: dict[str, Tensor], proposals: Tensor, size: tuple[int, int]) -> HeadStages:
    """The results of the box head for `proposals (K, 4)` of a picture of `size` (height, width)."""
    heads = model.roi_heads
    pooler = heads.box_roi_pool
    grids = pooler(maps, [proposals], [size])
    logits, codes = heads.box_predictor(heads.box_head(grids))
    probabilities = logits.softmax(dim=-1)
    refined = heads.box_coder.decode(codes, [proposals]).reshape(*probabilities.shape, 4)
    filters, nms = filter_detections(heads, refined, probabilities, size)
    names = np.array([model.level_names[key] for key in pooler.featmap_names])
    levels = np.zeros(len(proposals), np.int64) if len(names) == 1 else pooler.level_of([proposals]).cpu().numpy()
    return HeadStages(
        levels=names[levels],
        features=_array(grids),
        probabilities=_array(probabilities),
        deltas=_array(codes).reshape(refined.shape),
        refined=_array(refined),
        filters=filters,
        nms=nms,
    )


def _detect(model: StudioRCNN, maps: dict[str, Tensor], stages: HeadStages, size: tuple[int, int]) -> Detections:
    """The detections of a picture of `size` (height, width), with the results of the mask and keypoint heads."""
    heads, best = model.roi_heads, stages.filters[-1]
    device = next(iter(maps.values())).device
    boxes, labels = torch.from_numpy(best.boxes).to(device), torch.from_numpy(best.groups).to(device)
    more: dict[str, np.ndarray | None] = dict.fromkeys(
        ("mask_features", "mask_logits", "soft_masks", "heatmaps", "keypoints")
    )
    if heads.has_mask():
        grids = heads.mask_roi_pool(maps, [boxes], [size])
        logits = heads.mask_predictor(heads.mask_head(grids))
        soft = heads.mask_probabilities(logits, labels)[:, 0]
        more |= {"mask_features": _array(grids), "mask_logits": _array(logits), "soft_masks": _array(soft)}
    if heads.has_keypoint():
        heatmaps = heads.keypoint_logits(maps, [boxes], [size])
        (keypoints,), _ = heads.read_keypoints(heatmaps, [boxes])
        more |= {"heatmaps": _array(heatmaps), "keypoints": _array(keypoints)}
    return Detections(
        boxes=best.boxes,
        labels=best.groups,
        scores=best.scores,
        proposals=best.survivors // (model.config.num_classes - 1),
        **more,
    )
