"""The network as one ONNX graph: a picture of the working size in, detections out.

The graph begins with the resized picture and ends with soft masks of 28 x 28 cells. Resizing by averaging and pasting
of masks are not in it: ONNX has no such resize, and pasted masks would need a hundred times the memory. The script
beside the file does both (`use_script`).

| name | shape | what it is |
|---|---|---|
| `picture` (input) | uint8 `(height, width, 3)` | RGB, resized to the working size |
| `boxes` | float32 `(N, 4)` | xyxy in pixels of that picture, best score first |
| `labels`, `scores` | int64 `(N,)`, float32 `(N,)` | the class, counted from 1, and its probability |
| `masks` | float32 `(N, M, M)` | with the mask task: probability in each cell of the box |
| `keypoints`, `keypoint_scores` | float32 `(N, K, 3)`, `(N, K)` | with keypoints: x, y, 1; expected OKS or logit |

The modules are those of the network. What differs from `model.detect` is only what torch's exporter cannot follow:
branches on a number of boxes, and assignment to parts of a tensor.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import keypointrcnn_inference

from maskrcnn.config import Config
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.keypoint_decoding import highest_expected_oks
from maskrcnn.model.norm_folding import fold_norms
from maskrcnn.model.pooling import RoIPooler

OPSET = 17
"""Version of ONNX's operators: RoIAlign knows our pixel model from 16 on. ONNX Runtime reads 17 since 1.12 (2022)."""

INPUT = "picture"
_MULTIPLE = 32
"""Pictures are padded to a multiple of the coarsest stride, as `GeneralizedRCNNTransform.batch_images` does."""


def output_names(config: Config) -> list[str]:
    """The names of the outputs of the graph of a network.

    >>> output_names(Config.preset("classroom"))
    ['boxes', 'labels', 'scores', 'masks']
    """
    masks = ["masks"] if "mask" in config.tasks else []
    keypoints = ["keypoints", "keypoint_scores"] if "keypoints" in config.tasks else []
    return ["boxes", "labels", "scores", *masks, *keypoints]


class OnnxGraph(nn.Module):
    """A network in eval mode and float32, written so that torch's exporter can trace it. The network is copied."""

    def __init__(self, model: StudioRCNN) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        fold_norms(self.model)

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """The outputs `output_names` of one picture, uint8 `(height, width, 3)` RGB."""
        model, heads = self.model, self.model.roi_heads
        height, width = picture.shape[:2]
        pixels = model.transform.normalize(picture.permute(2, 0, 1).float() / 255)
        batch = functional.pad(pixels[None], (0, -width % _MULTIPLE, 0, -height % _MULTIPLE))
        maps = model.backbone(batch)
        (proposals,), _ = model.rpn(ImageList(batch, [(height, width)]), maps)

        # Each head gets one box more, which is taken away from its result: many operators of ONNX Runtime fail without
        # a box, and a picture without objects is no error.
        grids = _pooled(heads.box_roi_pool, maps, _with_a_box(proposals))
        logits, deltas = heads.box_predictor(heads.box_head(grids))
        (boxes,), (scores,), (labels,) = heads.postprocess_detections(
            logits[:-1], deltas[:-1], [proposals], [(height, width)]
        )
        found = [boxes, labels, scores]
        if heads.has_mask():
            grids = _pooled(heads.mask_roi_pool, maps, _with_a_box(boxes))
            found.append(self._masks(heads.mask_predictor(heads.mask_head(grids))[:-1], labels))
        if heads.has_keypoint():
            near = _with_a_box(boxes)
            grids = _pooled(heads.keypoint_roi_pool, maps, near)
            heatmaps = heads.keypoint_predictor(heads.keypoint_head(grids))
            if heads.oks_sigmas is None:
                (places,), (values,) = keypointrcnn_inference(heatmaps, [near])
            else:
                places, values = highest_expected_oks(heatmaps, near, heads.oks_sigmas)
            found += [places[:-1], values[:-1]]
        return tuple(found)

    def _masks(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The soft mask of each detection's class `(N, M, M)` from the logits `(N, masks, M, M)`."""
        kind = self.model.roi_heads.mask_kind
        probabilities = logits.softmax(dim=1) if kind == "softmax" else logits.sigmoid()
        if kind == "agnostic":
            return probabilities[:, 0]
        side = logits.shape[-1]
        return probabilities.gather(1, labels[:, None, None, None].expand(-1, 1, side, side))[:, 0]


def write_graph(model: StudioRCNN, example: np.ndarray, target: Path) -> None:
    """Write the ONNX graph of a network to `target`, for pictures of any size.

    `example` is a picture of a working size, uint8 `(H, W, 3)`; the exporter traces the network with it. Raises
    `RuntimeError` and other errors of torch's exporter if the network has a part that ONNX lacks.
    """
    outputs = output_names(model.config)
    with torch.inference_mode(), _quietly():
        torch.onnx.export(
            OnnxGraph(model),
            (torch.from_numpy(np.ascontiguousarray(example)),),
            str(target),
            dynamo=False,  # torch's newer exporter cannot follow the filters of torchvision's RPN
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=outputs,
            dynamic_axes={INPUT: {0: "height", 1: "width"}} | {name: {0: "detections"} for name in outputs},
        )


@contextmanager
def _quietly() -> Iterator[None]:
    """A context without the warnings of the exporter, which are about its own code and torchvision's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _with_a_box(boxes: Tensor) -> Tensor:
    """Boxes `(N, 4)` and one more of 16 x 16 pixels: `(N + 1, 4)`."""
    return torch.cat([boxes, torch.tensor([[0.0, 0.0, 16.0, 16.0]])])


def _pooled(pooler: RoIPooler, maps: dict[str, Tensor], boxes: Tensor) -> Tensor:
    """`RoIPooler.forward` for the boxes `(N, 4)` of one picture: `(N, C, size, size)`."""
    rois = torch.cat([torch.zeros_like(boxes[:, :1]), boxes], dim=1)
    read = [maps[name] for name in pooler.featmap_names]
    if len(read) == 1:
        return pooler.pool(read[0], rois, pooler.strides[0])
    levels = pooler.level_of([boxes])
    order, grids = [], []
    for level, (feature_map, stride) in enumerate(zip(read, pooler.strides, strict=True)):
        chosen = torch.where(levels == level)[0]
        order.append(chosen)
        grids.append(pooler.pool(feature_map, rois[chosen], stride))
    return torch.cat(grids)[torch.argsort(torch.cat(order))]
