"""Load weights: find a checkpoint, build its network, initialise a network from another, or load its body alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torchvision.models import get_model_weights

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model.backbones import BODIES, body_of
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.model.weights.checkpoints import (
    Checkpoint,
    State,
    open_checkpoint,
    refuse_not_finite,
)
from maskrcnn.model.weights.torchvision_files import (
    body_in,
    body_part,
    coco_state,
    detector_config,
    detector_in,
    downloaded,
    is_detector,
    read_state,
)
from maskrcnn.model.weights.transfer import Transfer, listed, mismatches, transferred
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_header import TORCH_FILES, weights_file
from maskrcnn.runs.coco_detectors import coco_detector


def find_checkpoint(model: Path | str) -> Checkpoint:
    """The checkpoint that MODEL means: a model that ships, by its name ("toy"; a folder of that name is "./toy"), a
    file, or the best (else the latest) one of a run folder.

    A file is `.safetensors`, one of ours, or `.pth`, a detector of torchvision. Raises `ArgumentError` where there is
    none, `StudioError` where the file holds no whole network that we know.

    >>> find_checkpoint("toy").config.tasks
    ('box', 'mask')
    """
    path = weights_file(model)
    if path.suffix not in TORCH_FILES:
        found = open_checkpoint(path)
        ships = shipped_models.folder(model) is not None
        return replace(found, origin=f"ships with the studio, {found.origin}") if ships else found
    state = read_state(path)
    if not is_detector(state):
        body = body_in(body_part(state))
        raise StudioError(
            f"{path} holds a {body} without a detector; train one from it with --backbone-weights {path}"
            if body
            else f"{path} holds no detector of torchvision; give a run folder, a checkpoint or such a detector"
        )
    config, origin = detector_in(state, path)
    return Checkpoint(path, config, None, origin, state)


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
    if problems := mismatches(needed, state, extra):
        raise StudioError(
            f"{checkpoint.path} does not fit its own description ({checkpoint.origin}): {listed(problems)}; it was "
            "damaged or is of another kind, give another"
        )
    refuse_not_finite(state.items(), checkpoint.path)
    network = build(checkpoint.config)
    network.load_state_dict({**network.state_dict(), **{name: state[name] for name in expected if name in state}})
    return network.to(device).eval()


def torch_file_network(path: Path) -> Config | str:
    """What network a torch file holds: the Config of a detector of torchvision, or the name of a bare body
    ("resnet18"). This is the `TorchFile` of `runs.source_network`.

    Raises `ArgumentError` where there is no file, `StudioError` where it holds no network that we know.
    """
    state = read_state(path)
    return detector_in(state, path)[0] if is_detector(state) else _known_body(state, path)


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
    elif (body := _bare_body(source)) is not None:
        _known_body(body, source)
        return load_body(model, source)
    else:
        checkpoint = find_checkpoint(source)
        state, config = checkpoint.state(), checkpoint.config
    _refuse_statistics_for_groups(model, body_part(state), source)
    return transferred(model.state_dict(), state, config, model.config, source)


def load_body(model: StudioRCNN, source: Path | str) -> Transfer:
    """Fill the body from "imagenet" (downloaded by torchvision), from whatever `find_checkpoint` finds, or from a state
    dict file with torchvision's key names: of a classification network, or of a detector.

    Raises `StudioError` where the file does not hold that body, and then the model is as it was.
    """
    body = body_of(model.config)
    if str(source) == "imagenet":
        weights = get_model_weights(body.network)["IMAGENET1K_V1"]
        state = downloaded(weights, f"ImageNet weights of {body.network}")
    elif not shipped_models.folder(source) and Path(source).suffix in TORCH_FILES:
        state = read_state(Path(source))
    else:
        state = find_checkpoint(source).state()
    given = body_part(state)
    _refuse_statistics_for_groups(model, given, source)
    wanted = body_part(model.state_dict())
    expected = {name: tensor.shape for name, tensor in wanted.items() if not name.endswith("num_batches_tracked")}
    extra = [
        name
        for name in given
        if name not in wanted and name.partition(".")[0] in body.stages and not name.endswith("num_batches_tracked")
    ]
    if problems := mismatches(expected, given, extra):
        held = body_in(given)
        mend = f"choose --backbone {held}_..., or" if held else "give"
        raise StudioError(
            f"{source} does not hold a {body.network} body: {listed(problems)}; {mend} weights of {body.network}"
        )
    refuse_not_finite(((name, given[name]) for name in expected), source)
    for name in expected:
        wanted[name].copy_(given[name])
    homes = ("backbone.body.", "roi_heads.box_head.stage5.")
    fresh = tuple(name for name in model.state_dict() if not name.startswith(homes))
    return Transfer(len(expected), fresh, part=f"{model.config.body} body")


def _bare_body(source: Path | str) -> State | None:
    """The tensors of a torch file that holds no detector; None for any other source."""
    path = Path(source)
    if shipped_models.folder(source) or path.is_dir() or path.suffix not in TORCH_FILES:
        return None
    state = read_state(path)
    return None if is_detector(state) else state


def _known_body(state: State, source: Path | str) -> str:
    """Which body a state dict that is no detector holds; `StudioError` for none that we know."""
    body = body_in(body_part(state))
    if body is None:
        raise StudioError(
            f"{source} holds neither a detector of torchvision's R-CNN kind nor a body that is known here "
            f"({', '.join(BODIES)}); give another"
        )
    return body


def _refuse_statistics_for_groups(model: StudioRCNN, part: State, source: Path | str) -> None:
    """GroupNorm would take BatchNorm's factors, which are of the same shape, and mean something else by them."""
    if model.config.norm == "group" and any(name.endswith("running_var") for name in part):
        raise StudioError(
            f"{source} was trained with BatchNorm, but norm is group; set it as trained: --set norm=frozen"
        )
