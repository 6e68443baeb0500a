"""Norms with fixed statistics as part of the convolution before them, while the network learns.

`FrozenBatchNorm2d` multiplies and shifts every value of every map: twice as much memory traffic as the convolution
itself, and in float32, so that each map is turned into bfloat16 again for the next convolution. norm(conv(x)) =
a (w * x) + b = (a w) * x + b, so the same is had by scaling the weights, which are few. Gradients are the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import cast

from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d


def normed_convolutions(network: nn.Module, *kinds: type[nn.Module]) -> Iterator[tuple[nn.Module, str, nn.Conv2d]]:
    """Every norm of those kinds that follows right after a convolution: `(parent, name of the norm, convolution)`."""
    for parent in network.modules():
        before: nn.Module | None = None
        for name, child in list(parent.named_children()):
            if isinstance(child, kinds) and isinstance(before, nn.Conv2d):
                yield parent, name, before
            before = child


def use_folded_norms(network: nn.Module) -> None:
    """Let each convolution do the frozen norm that follows it. Modules, weights and their names stay as they are."""
    for parent, name, convolution in normed_convolutions(network, FrozenBatchNorm2d):
        norm, whole = getattr(parent, name), cast(nn.Module, convolution)
        whole.forward = functools.partial(_normed, convolution, norm)
        norm.forward = _as_it_is


def _normed(convolution: nn.Conv2d, norm: FrozenBatchNorm2d, x: Tensor) -> Tensor:
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    shift = norm.bias - norm.running_mean * scale
    if convolution.bias is not None:
        shift = shift + convolution.bias * scale
    return convolution._conv_forward(x, convolution.weight * scale.view(-1, 1, 1, 1), shift)


def _as_it_is(x: Tensor) -> Tensor:
    return x
