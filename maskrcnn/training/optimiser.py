"""The optimiser of a training: AdamW or SGD, with weight decay for weights only."""

from __future__ import annotations

import torch

from maskrcnn.model.build import StudioRCNN


def make_optimiser(model: StudioRCNN) -> torch.optim.Optimizer:
    """AdamW or SGD over all parameters, as `config.optimiser` selects; parameters without a gradient do not change.

    There are two groups: tensors of two or more dimensions with `config.weight_decay`, and biases and norms (one
    dimension) without weight decay. The learning rate is set at every step (`ScheduleClock.learning_rate`).
    """
    config = model.config
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.learning_momentum)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.learning_momentum, 0.999))
