"""torchvision's region proposal network (RPN), with a gradient that is computed for the sampled anchors only.

The losses of the RPN use 256 sampled anchors of each picture, so the gradient of its 3 x 3 convolution is zero in all
other cells. torchvision computes it for all cells of all maps, which took a quarter of a training step on a CPU, most
of it on the finest map. Here the RPN head runs on the maps without a gradient, and again with a gradient on the cells
of the sampled anchors. Losses and gradients are the same (Ren et al. 2015, eq. 1).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork, concat_box_prediction_layers


class StudioRPN(RegionProposalNetwork):
    """A `RegionProposalNetwork` that computes its gradient for the sampled anchors only.

    With a head of several convolutions it computes the gradient for all cells, as torchvision does.
    """

    def forward(
        self, images: ImageList, features: dict[str, Tensor], targets: list[dict[str, Tensor]] | None = None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """The proposals of each picture, xyxy `(K, 4)` in pixels, and in training the two losses of the RPN."""
        if not self.training or targets is None or not self._is_single_convolution():
            return super().forward(images, features, targets)
        maps = list(features.values())
        with torch.no_grad():
            scores, deltas = self.head(maps)
            anchors = self.anchor_generator(images, maps)
            per_level = [score[0].numel() for score in scores]
            objectness, regression = concat_box_prediction_layers(scores, deltas)
            proposals = self.box_coder.decode(regression, anchors).view(len(anchors), -1, 4)
            boxes, _ = self.filter_proposals(proposals, objectness, images.image_sizes, per_level)
            labels, matched = self.assign_targets_to_anchors(anchors, targets)
            wanted = torch.cat(self.box_coder.encode(matched, anchors))
            positives, negatives = (torch.where(torch.cat(drawn))[0] for drawn in self.fg_bg_sampler(labels))
        sampled = torch.cat([positives, negatives])
        logits, moves = self._predict_at_anchors(maps, sampled, per_level)
        loss_box = functional.smooth_l1_loss(
            moves[: len(positives)], wanted[positives], beta=1 / 9, reduction="sum"
        ) / max(1, len(sampled))
        loss_objectness = functional.binary_cross_entropy_with_logits(logits, torch.cat(labels)[sampled])
        return boxes, {"loss_objectness": loss_objectness, "loss_rpn_box_reg": loss_box}

    def _is_single_convolution(self) -> bool:
        """Whether the RPN head has one 3 x 3 convolution with ReLU before its last layers."""
        parts = self.head.conv
        return len(parts) == 1 and [type(part) for part in parts[0]] == [torch.nn.Conv2d, torch.nn.ReLU]

    def _predict_at_anchors(self, maps: list[Tensor], sampled: Tensor, per_level: list[int]) -> tuple[Tensor, Tensor]:
        """Objectness logits `(S,)` and deltas `(S, 4)` of the anchors with the numbers `sampled (S,)`.

        Anchors are numbered over all pictures; within a picture level by level, and in a level by row, column and
        shape, as in torchvision. `per_level`: the number of anchors of a picture in each map of `maps`.
        """
        shapes = self.head.cls_logits.out_channels
        picture, within = sampled // sum(per_level), sampled % sum(per_level)
        positions, parts, first = [], [], 0
        for features, count in zip(maps, per_level, strict=True):
            on_level = torch.where((within >= first) & (within < first + count))[0]  # positions in `sampled`
            cell = (within[on_level] - first) // shapes
            positions.append(on_level)
            parts.append(rpn_neighbourhoods(features, picture[on_level], cell))  # (S of this level, 9, C)
            first += count
        # `parts` are in the order of the levels; `argsort` restores the order of `sampled`.
        grids = torch.cat(parts).flatten(1)[torch.argsort(torch.cat(positions))]
        convolution = self.head.conv[0][0]  # the only one: see `_is_single_convolution`
        weights = convolution.weight.permute(0, 2, 3, 1).flatten(1)
        hidden = functional.relu(functional.linear(grids, weights, convolution.bias))
        shape = within % shapes  # the number of anchors of a level is a multiple of `shapes`
        rows = torch.arange(len(sampled), device=sampled.device)
        logits = _rpn_layer_at_cells(self.head.cls_logits, hidden).view(-1, shapes)[rows, shape]
        moves = _rpn_layer_at_cells(self.head.bbox_pred, hidden).view(-1, shapes, 4)[rows, shape]
        return logits, moves


def rpn_neighbourhoods(features: Tensor, picture: Tensor, cell: Tensor) -> Tensor:
    """The input of the RPN's 3 x 3 convolution at single cells of a map: `(S, 9, C)`, 0 outside the map.

    `features (N, C, H, W)`: the map; `picture (S,)`: the index of the picture of each cell; `cell (S,)`: its number,
    row by row.
    """
    channels, height, width = features.shape[1:]
    step = torch.arange(-1, 2, device=cell.device)
    y = (cell // width)[:, None, None] + step[:, None]
    x = (cell % width)[:, None, None] + step
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    rows = (picture[:, None, None] * height + y.clamp(0, height - 1)) * width + x.clamp(0, width - 1)
    table = features.permute(0, 2, 3, 1).reshape(-1, channels)
    return functional.embedding(rows.flatten(1), table) * inside.flatten(1)[..., None]


def _rpn_layer_at_cells(layer: torch.nn.Conv2d, hidden: Tensor) -> Tensor:
    """The result of a last layer of the RPN head, a 1 x 1 convolution, for single cells `hidden (S, C)`."""
    return functional.linear(hidden, layer.weight.flatten(1), layer.bias)
