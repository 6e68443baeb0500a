"""Load weights: find a checkpoint, build its network, initialise a network from another, or load its body alone."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision.models import get_model_weights

from maskrcnn.errors import StudioError
from maskrcnn.model.backbones import body_of
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.model.weights.checkpoints import Checkpoint, find_checkpoint
from maskrcnn.model.weights.tensor_checks import (
    mismatch_summary,
    refuse_batch_statistics,
    refuse_not_finite,
    tensor_mismatches,
)
from maskrcnn.model.weights.torchvision_files import (
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
from maskrcnn.runs.checkpoint_header import TORCH_FILES
from maskrcnn.runs.coco_detectors import coco_detector


def load(model: Path | str, device: str | torch.device = "cpu") -> StudioRCNN:
    """The trained network of a model that ships ("toy"), a run folder, a checkpoint or a `.pth` file of torchvision's
    detectors, in eval mode and in float32.

    Its `.config` says how it was built. Raises as `find_checkpoint` does, and `StudioError` where the tensors do not
    fit that config or are not finite.

    >>> load("toy").training
    False
    """
    return network_of(find_checkpoint(model), device)


def network_of(checkpoint: Checkpoint, device: str | torch.device = "cpu") -> StudioRCNN:
    """The network that a checkpoint holds, as `load` gives it. `StudioError` where its tensors do not fit its config,
    or are not finite."""
    state = checkpoint.state()
    with torch.device("meta"):  # shapes alone: a damaged file may ask for more memory than there is
        expected = {name: tensor.shape for name, tensor in build(checkpoint.config).state_dict().items()}
    needed = {name: shape for name, shape in expected.items() if not name.endswith("num_batches_tracked")}
    extra = [name for name in state if name not in expected and not name.endswith("num_batches_tracked")]
    if problems := tensor_mismatches(needed, state, extra):
        raise StudioError(
            f"{checkpoint.path} does not fit its own description ({checkpoint.origin}): {mismatch_summary(problems)}; it was "
            "damaged or is of another kind, give another"
        )
    refuse_not_finite(state.items(), checkpoint.path)
    network = build(checkpoint.config)
    network.load_state_dict({**network.state_dict(), **{name: state[name] for name in expected if name in state}})
    return network.to(device).eval()


def initialise(model: StudioRCNN, source: Path | str) -> Transfer:
    """Fill the whole network from "coco" (torchvision's weights of the builder that is most like it), from a model that
    ships ("toy"), from a checkpoint or run of ours, from a detector of torchvision (`.pth`), or its body alone from a
    classification network (`.pth`).

    In the last layers, classes and keypoints that the source knows by name keep their rows. Heads of tasks that it has
    not start afresh. Everything else must fit: `StudioError` lists what does not, and then the model is as it was.
    """
    if str(source) == "coco":
        builder = coco_detector(model.config)
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
    """Fill the body from "imagenet" (downloaded by torchvision), from whatever `find_checkpoint` finds, or from a state
    dict file with torchvision's key names: of a classification network, or of a detector.

    Raises `StudioError` where the file does not hold that body, and then the model is as it was.
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
            f"{source} does not hold a {body.network} body: {mismatch_summary(problems)}; {mend} weights of {body.network}"
        )
    refuse_not_finite(((name, given[name]) for name in expected), source)
    for name in expected:
        wanted[name].copy_(given[name])
    homes = ("backbone.body.", "roi_heads.box_head.stage5.")
    fresh = tuple(name for name in model.state_dict() if not name.startswith(homes))
    return Transfer(len(expected), fresh, part=f"{model.config.body} body")
