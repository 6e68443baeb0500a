"""Norms with fixed statistics computed as part of the convolution before them, while the network is trained.

`FrozenBatchNorm2d` multiplies and shifts every value of every map: twice as much memory traffic as the convolution
itself, and in float32, so that each map is converted to bfloat16 again for the next convolution. For weights w and a
norm of scale a and shift b, norm(w * x) = a (w * x) + b = (a w) * x + b: scaling the weights, which are few, gives the
same maps and the same gradients.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torchvision.ops import FrozenBatchNorm2d

from maskrcnn.model.temporary_attributes import temporary_attributes


def normed_convolutions(network: nn.Module, *kinds: type[nn.Module]) -> Iterator[tuple[nn.Module, str, nn.Conv2d]]:
    """Every norm of those kinds that follows right after a convolution: `(parent, name of the norm, convolution)`.

    Convolutions pad with zeros, as all of torchvision's do; one that pads otherwise is left out.
    """
    for parent in network.modules():
        before: nn.Module | None = None
        for name, child in list(parent.named_children()):
            if isinstance(child, kinds) and isinstance(before, nn.Conv2d) and before.padding_mode == "zeros":
                yield parent, name, before
            before = child


def folded_norms(network: nn.Module) -> AbstractContextManager[None]:
    """Within the context each convolution also applies the frozen norm that follows it, with the same gradients.

    Modules, weights and their names in `state_dict` stay as they are; afterwards, also after an exception, `network`
    computes as before. (`fast_inference.fold_norms` folds for good, and removes the norms.)
    """
    changes: list[tuple[nn.Module, str, Callable[..., Tensor]]] = []
    for parent, name, convolution in normed_convolutions(network, FrozenBatchNorm2d):
        norm = getattr(parent, name)
        changes += [
            (convolution, "forward", functools.partial(_normed, convolution, norm)),
            (norm, "forward", _identity),
        ]
    return temporary_attributes(*changes)


def _normed(convolution: nn.Conv2d, norm: FrozenBatchNorm2d, x: Tensor) -> Tensor:
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    shift = norm.bias - norm.running_mean * scale
    if convolution.bias is not None:
        shift = shift + convolution.bias * scale
    return functional.conv2d(
        x,
        convolution.weight * scale.view(-1, 1, 1, 1),
        shift,
        convolution.stride,
        convolution.padding,
        convolution.dilation,
        convolution.groups,
    )


def _identity(x: Tensor) -> Tensor:
    return x


# Norms


def fold_norms(network: nn.Module) -> None:
    """Fold every BatchNorm with fixed statistics into the convolution right before it, in place.

    norm(conv(x)) = a (w * x + b) + c for each channel, which is a convolution with a w and a b + c. Other norms and
    ones that follow something else are left alone.
    """
    for parent, name, convolution in normed_convolutions(network, FrozenBatchNorm2d, nn.BatchNorm2d):
        _fold(convolution, getattr(parent, name))
        setattr(parent, name, nn.Identity())


def _fold(convolution: nn.Conv2d, norm: FrozenBatchNorm2d | nn.BatchNorm2d) -> None:
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None  # build makes no norm without statistics
    assert variance is not None
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight, convolution.bias, mean, variance, norm.eps, norm.weight, norm.bias
    )
