"""Loading of weights into networks: build the network of a checkpoint, or initialise a network or only its body."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision.models import get_model_weights

from maskrcnn.errors import StudioError
from maskrcnn.model.backbones import body_of
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.model.weights.checkpoint_tensors import Checkpoint, find_checkpoint
from maskrcnn.model.weights.tensor_checks import (
    mismatch_summary,
    refuse_batch_statistics,
    refuse_not_finite,
    tensor_mismatches,
)
from maskrcnn.model.weights.torchvision_files import (
    BODY_PREFIXES,
    body_name,
    body_tensors,
    coco_state,
    detector_config,
    download_state,
    known_body_name,
    read_state,
    state_without_detector,
)
from maskrcnn.model.weights.transfer import Transfer, transfer_weights
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_files import TORCH_FILES
from maskrcnn.runs.initial_weights import require_coco_detector


def load(model: Path | str, device: str | torch.device = "cpu") -> StudioRCNN:
    """The trained network of a shipped model ("toy"), a run folder, a checkpoint or a `.pth` file of a torchvision
    detector, in eval mode and in float32.

    Its `.config` describes it. Raises as `find_checkpoint` does, and `StudioError` if the tensors do not fit the config
    or are not finite.

    >>> load("toy").training
    False
    """
    return network_of(find_checkpoint(model), device)


def network_of(checkpoint: Checkpoint, device: str | torch.device = "cpu") -> StudioRCNN:
    """The network of a checkpoint, in eval mode and in float32.

    Raises `StudioError` if the tensors do not fit the config or are not finite.
    """
    state = checkpoint.state()
    with torch.device("meta"):  # only shapes: the config of a damaged file may need more memory than there is
        expected = {name: tensor.shape for name, tensor in build(checkpoint.config).state_dict().items()}
    needed = {name: shape for name, shape in expected.items() if not name.endswith("num_batches_tracked")}
    extra = [name for name in state if name not in expected and not name.endswith("num_batches_tracked")]
    if problems := tensor_mismatches(needed, state, extra):
        raise StudioError(
            f"{checkpoint.path} does not fit its own description ({checkpoint.origin}): {mismatch_summary(problems)}; "
            "it was damaged or is of another kind, give another"
        )
    refuse_not_finite(state.items(), checkpoint.path)
    network = build(checkpoint.config)
    network.load_state_dict({**network.state_dict(), **{name: state[name] for name in expected if name in state}})
    return network.to(device).eval()


def initialise(model: StudioRCNN, source: Path | str) -> Transfer:
    """Initialise a network from trained weights, in place.

    `source`: "coco" (torchvision's weights of the most similar builder), a shipped model ("toy"), a run folder or
    checkpoint, a torchvision detector (`.pth`), or a classification network (`.pth`), which initialises only the body.

    In the last layers, the rows of classes and keypoints that the source has by name are copied. Heads of tasks that
    the source does not have keep their random weights. Everything else must fit: otherwise `StudioError` lists what
    does not fit, and the model is not changed.
    """
    if str(source) == "coco":
        builder = require_coco_detector(model.config)
        state, config, source = coco_state(builder), detector_config(builder), f"COCO weights of {builder}"
    elif (body := state_without_detector(source)) is not None:
        known_body_name(body, source)
        return load_body(model, source)
    else:
        checkpoint = find_checkpoint(source)
        state, config = checkpoint.state(), checkpoint.config
    refuse_batch_statistics(model.config.norm, body_tensors(state), source)
    return transfer_weights(model.state_dict(), state, config, model.config, source)


def load_body(model: StudioRCNN, source: Path | str) -> Transfer:
    """Load trained weights into the body of a network, in place.

    `source`: "imagenet" (downloaded by torchvision), anything that `find_checkpoint` finds, or a state dict file with
    torchvision's names, of a classification network or of a detector.

    Raises `StudioError` if the source does not contain this body; then the model is not changed.
    """
    body = body_of(model.config)
    if str(source) == "imagenet":
        weights = get_model_weights(body.network)["IMAGENET1K_V1"]
        state = download_state(weights, f"ImageNet weights of {body.network}")
    elif not shipped_models.folder(source) and Path(source).suffix in TORCH_FILES:
        state = read_state(Path(source))
    else:
        state = find_checkpoint(source).state()
    given = body_tensors(state)
    refuse_batch_statistics(model.config.norm, given, source)
    wanted = body_tensors(model.state_dict())
    expected = {name: tensor.shape for name, tensor in wanted.items() if not name.endswith("num_batches_tracked")}
    extra = [
        name
        for name in given
        if name not in wanted and name.partition(".")[0] in body.stages and not name.endswith("num_batches_tracked")
    ]
    if problems := tensor_mismatches(expected, given, extra):
        held = body_name(given)
        mend = f"choose --backbone {held}_..., or" if held else "give"
        raise StudioError(
            f"{source} does not hold a {body.network} body: {mismatch_summary(problems)}; {mend} weights of "
            f"{body.network}"
        )
    refuse_not_finite(((name, given[name]) for name in expected), source)
    for name in expected:
        wanted[name].copy_(given[name])
    fresh = tuple(name for name in model.state_dict() if not name.startswith(BODY_PREFIXES))
    return Transfer(len(expected), fresh, part=f"{model.config.body} body")
