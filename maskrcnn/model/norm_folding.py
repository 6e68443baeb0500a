"""Folding of norms with fixed statistics into the convolution before them: for good, or temporarily while training.

For weights w, bias b and a norm with scale a and shift c, norm(w * x + b) = a (w * x + b) + c for each channel. This is
a convolution with weights a w and bias a b + c, so the maps and the gradients are the same. It saves time: a norm as a
module of its own (`FrozenBatchNorm2d`) multiplies and shifts every value of every map, which is twice as much memory
traffic as the convolution, and in float32, so that each map is converted to bfloat16 again for the next convolution.
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
    """Every norm of the given classes that directly follows a convolution: `(parent, name of the norm, convolution)`.

    Convolutions that do not pad with zeros are left out; torchvision has none.
    """
    for parent in network.modules():
        before: nn.Module | None = None
        for name, child in list(parent.named_children()):
            if isinstance(child, kinds) and isinstance(before, nn.Conv2d) and before.padding_mode == "zeros":
                yield parent, name, before
            before = child


def fold_norms(network: nn.Module) -> None:
    """Fold every BatchNorm with fixed statistics into the convolution directly before it, in place.

    The folded norms are removed from the network. Other norms, and norms that follow something else, are not changed.
    """
    for parent, name, convolution in normed_convolutions(network, FrozenBatchNorm2d, nn.BatchNorm2d):
        _fold_norm_into(convolution, getattr(parent, name))
        setattr(parent, name, nn.Identity())


def _fold_norm_into(convolution: nn.Conv2d, norm: FrozenBatchNorm2d | nn.BatchNorm2d) -> None:
    """Replace weights and bias of a convolution by those that also apply the norm."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None  # `build` makes no norm without statistics
    assert variance is not None
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight, convolution.bias, mean, variance, norm.eps, norm.weight, norm.bias
    )


def temporarily_folded_norms(network: nn.Module) -> AbstractContextManager[None]:
    """Within the context each convolution also applies the frozen norm that follows it, with the same gradients.

    Modules, weights and their names in `state_dict` do not change. After the context, also after an exception,
    `network` computes as before.
    """
    changes: list[tuple[nn.Module, str, Callable[..., Tensor]]] = []
    for parent, name, convolution in normed_convolutions(network, FrozenBatchNorm2d):
        norm = getattr(parent, name)
        changes += [
            (convolution, "forward", functools.partial(_convolve_with_norm, convolution, norm)),
            (norm, "forward", _skip_norm),
        ]
    return temporary_attributes(*changes)


def _convolve_with_norm(convolution: nn.Conv2d, norm: FrozenBatchNorm2d, x: Tensor) -> Tensor:
    """The forward function of a convolution that also applies the norm, computed from the weights of both."""
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


def _skip_norm(x: Tensor) -> Tensor:
    """The forward function of a norm that its convolution already applies: the input, unchanged."""
    return x
