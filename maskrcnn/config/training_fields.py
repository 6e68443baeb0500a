"""Fields of the Config that describe a training: its schedule, its optimiser, its pictures and its computer."""

from __future__ import annotations

from pydantic import BaseModel

from maskrcnn.config.choices import LOSSES, Optimiser, Precision
from maskrcnn.config.field_declaration import MOST, Section, config_field


class TrainingFields(BaseModel):
    """How a network is trained."""

    # Training
    layers: str = config_field(
        "all",
        Section.TRAINING,
        "training",
        "What learns: heads (and FPN, RPN), the body from a stage on (3+, 4+, 5+), or all. Or one after the other, as "
        "in heads,all: later stages take a tenth of the learning rate. heads:0.4,all:0.6:0.2 also sets their shares of "
        "the run and the factor of the rate.",
        step_time=False,  # it does change it: costs are kept for each word of the schedule apart
    )
    optimiser: Optimiser = config_field(
        "adamw", Section.TRAINING, "training", "adamw learns quickly from few pictures; sgd is the paper's."
    )
    learning_rate: float = config_field(
        5e-4, Section.TRAINING, "training", "Peak learning rate, after the warm-up.", step_time=False, gt=0
    )
    learning_momentum: float = config_field(
        0.9, Section.TRAINING, "training", "Momentum of SGD (AdamW's first beta).", step_time=False, ge=0, lt=1
    )
    weight_decay: float = config_field(
        1e-4,
        Section.TRAINING,
        "training",
        "L2 pull of the weights towards 0; biases and norms have none.",
        step_time=False,
        ge=0,
    )
    gradient_clip_norm: float = config_field(
        5.0, Section.TRAINING, "training", "Gradients longer than this are scaled back.", step_time=False, gt=0
    )
    warmup_steps: int = config_field(
        50,
        Section.TRAINING,
        "training",
        "Steps over which the learning rate rises from 0.",
        step_time=False,
        ge=0,
        le=MOST,
    )
    batch_size: int = config_field(4, Section.TRAINING, "training", "Pictures per step.", ge=1, le=MOST)
    epochs: int | None = config_field(
        20,
        Section.TRAINING,
        "training",
        "Length of the run in epochs; empty where minutes is set.",
        step_time=False,
        ge=1,
        le=MOST,
    )
    minutes: float | None = config_field(
        None,
        Section.TRAINING,
        "training",
        "Length of the run in minutes; the schedule fits itself to it.",
        step_time=False,
        gt=0,
    )
    patience: int | None = config_field(
        None,
        Section.TRAINING,
        "training",
        "End the run when the validation AP has not risen for this many epochs; empty: go to the end.",
        step_time=False,
        ge=1,
        le=MOST,
    )
    steps_per_epoch: int | None = config_field(
        None,
        Section.TRAINING,
        "training",
        "Steps between two validations; empty: once through the pictures, or more often if minutes is set.",
        step_time=False,
        ge=1,
        le=MOST,
    )
    ema: float = config_field(
        0.0,
        Section.TRAINING,
        "training",
        "What is validated and kept is a running mean of the weights, which forgets 1 - ema of itself at each step "
        "(0.99: the last hundred steps or so); 0: the weights as they are.",
        ge=0,
        lt=1,
    )
    seed: int = config_field(
        0,
        Section.TRAINING,
        "training",
        "Seed of initialisation, order and augmentation.",
        step_time=False,
        ge=0,
        le=MOST,
    )
    loss_weights: dict[str, float] = config_field(
        dict.fromkeys(LOSSES, 1.0),
        Section.LOSS_WEIGHTS,
        "training",
        "Factor of each loss in the sum that is minimised.",
        step_time=False,
    )

    # Augmentation of training pictures
    flip: float = config_field(
        0.5,
        Section.AUGMENTATION,
        "training",
        "Probability that a training picture is mirrored left to right.",
        ge=0,
        le=1,
    )
    scale_jitter: float = config_field(
        0.25, Section.AUGMENTATION, "training", "Training pictures are shrunk or grown by up to this share.", ge=0, lt=1
    )
    crop: float = config_field(
        0.0,
        Section.AUGMENTATION,
        "training",
        "Probability that a training picture is cut to a part of it that keeps an object.",
        ge=0,
        le=1,
    )
    colour_jitter: float = config_field(
        0.3, Section.AUGMENTATION, "training", "Brightness, contrast and saturation vary by this share.", ge=0, lt=1
    )
    copy_paste: float = config_field(
        0.0,
        Section.AUGMENTATION,
        "training",
        "Probability that objects of another training picture are pasted into this one (Ghiasi et al. 2021).",
        ge=0,
        le=1,
    )

    # This computer
    precision: Precision = config_field(
        "auto",
        Section.COMPUTER,
        "training",
        "Arithmetic of the convolutions while training; auto: bfloat16 where the processor has it.",
    )
    picture_cache_mb: int = config_field(
        1024,
        Section.COMPUTER,
        "training",
        "Memory for decoded training pictures, in MB (1,000,000 bytes); others are read anew each time.",
        ge=0,
        le=MOST,
    )
    loader_threads: int | None = config_field(
        None,
        Section.COMPUTER,
        "training",
        "Threads that read pictures while the network computes; empty: as many as help.",
        ge=0,
        le=64,
    )
    compile: bool = config_field(
        False,
        Section.COMPUTER,
        "training",
        "Compile the backbone with torch.compile: a minute or more for each picture size, which may pay in a long run. "
        "Needs a C++ compiler.",
    )
    checkpoints_kept: int = config_field(
        3,
        Section.COMPUTER,
        "training",
        "How many of the last epochs keep their weights, beside the best one.",
        step_time=False,
        ge=0,
        le=MOST,
    )
    tensorboard: bool = config_field(
        False,
        Section.COMPUTER,
        "training",
        "Write events for TensorBoard, too (needs its package: pip install tensorboard).",
        step_time=False,
    )
