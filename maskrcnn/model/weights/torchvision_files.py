"""Files of torchvision: state dicts (`.pth`) of its detectors and of the classification networks that make a body.

They are read with `weights_only=True`, which builds tensors and runs no code. Which network a file holds follows from
its name, where it is one of torchvision's own downloads, else from the names and shapes of its tensors.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor
from torchvision.models import WeightsEnum, get_model_weights

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.model.backbones import BODIES, FIRST_AND_LAST, blocks_of
from maskrcnn.model.weights.tensor_checks import StateDict
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_header import TORCH_FILES
from maskrcnn.runs.coco_detectors import DETECTORS, WEIGHTS, detector_fields

PERSON_EDGES = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10)),
    *((1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
"""Limbs of COCO's person: pairs of its 17 keypoints, counted from 0."""

_RENAMED = (
    (re.compile(r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$"), r"\1.0.\2"),
    (re.compile(r"^(rpn\.head\.conv)\.(weight|bias)$"), r"\1.0.0.\2"),
)
"""Names in torchvision's first files -> its names of today. Its own modules translate when they load a state dict."""

_MASK_LAYER = re.compile(r"^(roi_heads\.mask_head)\.mask_fcn(\d+)\.(weight|bias)$")

_CLASSES = "roi_heads.box_predictor.cls_score.weight"
_MASKS = "roi_heads.mask_predictor.mask_fcn_logits.weight"
_KEYPOINTS = "roi_heads.keypoint_predictor.kps_score_lowres.weight"

_WRAPPED_IN = ("model", "state_dict", "model_state_dict")
"""Keys under which training scripts keep the state dict."""


def detector_config(builder: str, weights: str = WEIGHTS, **changes: Any) -> Config:
    """The network of torchvision's `builder` as its COCO `weights` were trained: classes, keypoints and eps included.

    Raises `KeyError` for a builder that is not in `DETECTORS`.
    """
    preset, fields = detector_fields(builder, weights)
    meta = get_model_weights(builder)[weights].meta
    fields = {**fields, "class_names": tuple(meta["categories"][1:]), "num_classes": len(meta["categories"])}
    if "keypoint_names" in meta:
        names = tuple(meta["keypoint_names"])
        fields |= {"keypoint_names": names, "num_keypoints": len(names), "keypoint_edges": PERSON_EDGES}
    return Config.preset(preset, **{**fields, **changes})


def coco_state(builder: str) -> StateDict:
    """The COCO weights of a builder, downloaded once and then kept by torch.hub. `StudioError` without a network."""
    weights = get_model_weights(builder)[WEIGHTS]
    return current_names(download_state(weights, f"COCO weights of {builder}"))


def download_state(weights: WeightsEnum, what: str) -> StateDict:
    """A state dict of torchvision's, from this machine where it was fetched before; `StudioError` where it cannot be
    had."""
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise StudioError(
            f"{what} could not be downloaded ({error}); give a weights file that is already on this machine, or none"
        ) from None


def read_state(path: Path) -> StateDict:
    """A state dict file of torch, read without running code, with torchvision's names of today.

    Raises `ArgumentError` where there is no file, `StudioError` where it holds no state dict.
    """
    if not path.is_file():
        raise ArgumentError(f"{path} does not exist; give a weights file")
    if not path.stat().st_size:
        raise StudioError(f"{path} is empty; give another weights file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about TorchScript, which is refused right after
            held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is not its own
        if found := re.search(r"GLOBAL (\S+) was not an allowed", str(error)):
            raise StudioError(
                f"{path} holds more than tensors ({found[1]}) and is not opened, because such a file can run code; "
                "save the state dict alone: torch.save(model.state_dict(), PATH)"
            ) from None
        raise StudioError(
            f"{path} is not a torch state dict ({type(error).__name__}), or was cut short; give a .pth weights file"
        ) from None
    if isinstance(held, Mapping):
        held = next((held[key] for key in _WRAPPED_IN if isinstance(held.get(key), Mapping)), held)
    if not isinstance(held, Mapping) or not held or not all(_is_plain_tensor(*item) for item in held.items()):
        raise StudioError(f"{path} holds no state dict (names to tensors); give a .pth weights file")
    state = dict(held)
    for wrapper in ("module.", "_orig_mod."):  # DistributedDataParallel and torch.compile
        if all(name.startswith(wrapper) for name in state):
            state = {name.removeprefix(wrapper): tensor for name, tensor in state.items()}
    return current_names(state)


def _is_plain_tensor(name: object, tensor: object) -> bool:
    """Whether that is a named tensor with a value of its own in the file for every element."""
    if not isinstance(name, str) or not isinstance(tensor, Tensor) or tensor.layout is not torch.strided:
        return False
    return tensor.untyped_storage().nbytes() >= tensor.numel() * tensor.element_size()


def current_names(state: Mapping[str, Tensor]) -> StateDict:
    """The same state dict with torchvision's names of today."""
    renamed = {}
    for name, tensor in state.items():
        for old, new in _RENAMED:
            name = old.sub(new, name)
        name = _MASK_LAYER.sub(lambda found: f"{found[1]}.{int(found[2]) - 1}.0.{found[3]}", name)
        renamed[name] = tensor
    return renamed


def is_detector(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is that of an R-CNN (of whatever body)."""
    return _CLASSES in state and state[_CLASSES].ndim == 2


def identify_download(path: Path) -> tuple[str, str] | None:
    """Builder and weights that a file is by its name, which says so for torchvision's own downloads."""
    for builder in DETECTORS:
        for weights in get_model_weights(builder):
            if path.name == Path(urlsplit(weights.url).path).name:
                return builder, weights.name
    return None


def identify_detector(state: StateDict, path: Path) -> tuple[Config, str]:
    """The Config of the detector that a state dict holds, and where it comes from in a few words.

    What the tensors cannot tell (the names of classes, pooling, sizes of pictures) is taken from torchvision's builder
    of that network, and where the counts are COCO's, the names are too. Raises `StudioError` for a body we do not know.
    """
    if known := identify_download(path):
        builder, weights = known
        return detector_config(builder, weights), f"torchvision's {builder}, {weights}"
    body = body_name(body_tensors(state))
    if body is None:
        raise StudioError(f"{path} holds a detector with a body that is unknown here; known are {', '.join(BODIES)}")
    light = body in FIRST_AND_LAST and not any(name.startswith("backbone.fpn.inner_blocks.2.") for name in state)
    second = "roi_heads.box_head.0.0.weight" in state
    mask, keypoints = _MASKS in state, _KEYPOINTS in state
    # One of the builders that torchvision has, or the same network with another body.
    if light:
        builder = "fasterrcnn_mobilenet_v3_large_fpn"
    elif second:
        builder = "maskrcnn_resnet50_fpn_v2" if mask else "fasterrcnn_resnet50_fpn_v2"
    elif keypoints:
        builder = "keypointrcnn_resnet50_fpn"
    else:
        builder = "maskrcnn_resnet50_fpn" if mask else "fasterrcnn_resnet50_fpn"
    changes: dict[str, Any] = {"backbone": f"{body}_{'fpn32' if light else 'fpn'}", "tasks": ("box",)}
    changes["tasks"] += ("mask",) * mask + ("keypoints",) * keypoints
    if any(name.endswith("num_batches_tracked") for name in body_tensors(state)):
        changes["norm"] = "batch"
    like = detector_config(builder)
    classes = len(state[_CLASSES])
    if classes != like.num_classes or body not in builder:
        # Trained by somebody, from ImageNet perhaps: the names are unknown, and so is whether eps was 0. Its usual
        # value is safe for a variance of 0.
        changes |= {"num_classes": classes, "class_names": (), "norm_eps": 1e-5}
    if keypoints and (count := state[_KEYPOINTS].shape[1:2].numel()) != like.num_keypoints:
        changes |= {"num_keypoints": count, "keypoint_names": (), "keypoint_edges": ()}
    return like.replace(**changes), f"a detector like torchvision's {builder}"


def body_tensors(state: Mapping[str, Tensor]) -> StateDict:
    """The tensors of the body under their names within its blocks, from a classification network or a detector.

    A `c4` network keeps stage 5 in its box head; other tensors of a detector are left out.
    """
    homes = ("backbone.body.", "roi_heads.box_head.stage5.")
    if not any(name.startswith(homes[0]) for name in state):
        return {name.removeprefix("features."): tensor for name, tensor in state.items()}
    return {name.removeprefix(home): state[name] for home in homes for name in state if name.startswith(home)}


def body_name(part: Mapping[str, Tensor]) -> str | None:
    """Which of `BODIES` the tensors of `body_tensors` belong to, found by its convolutions; None for none of them."""
    kernels = {name: tuple(tensor.shape) for name, tensor in part.items() if tensor.ndim == 4}
    for body in BODIES:
        blocks = set(BODIES[body].stages)
        of_body = _body_kernels(body)
        if all(kernels.get(name) == shape for name, shape in of_body.items()) and not any(
            name not in of_body and name.partition(".")[0] in blocks for name in kernels
        ):
            return body
    return None


@functools.cache
def _body_kernels(body: str) -> dict[str, tuple[int, ...]]:
    """Name and shape of every convolution in the body's blocks."""
    with torch.device("meta"):
        blocks = blocks_of(Config.preset("classroom", backbone=f"{body}_c4"))
    return {
        name: tuple(tensor.shape)
        for name, tensor in blocks.named_parameters()
        if tensor.ndim == 4 and name.partition(".")[0] in BODIES[body].stages
    }


def torch_file_network(path: Path) -> Config | str:
    """What network a torch file holds: the Config of a detector of torchvision, or the name of a bare body
    ("resnet18"). This is the `TorchFile` of `runs.source_network`.

    Raises `ArgumentError` where there is no file, `StudioError` where it holds no network that we know.
    """
    state = read_state(path)
    return identify_detector(state, path)[0] if is_detector(state) else known_body_name(state, path)


def state_without_detector(source: Path | str) -> StateDict | None:
    """The tensors of a torch file that holds no detector; None for any other source."""
    path = Path(source)
    if shipped_models.folder(source) or path.is_dir() or path.suffix not in TORCH_FILES:
        return None
    state = read_state(path)
    return None if is_detector(state) else state


def known_body_name(state: StateDict, source: Path | str) -> str:
    """Which body a state dict that is no detector holds; `StudioError` for none that we know."""
    body = body_name(body_tensors(state))
    if body is None:
        raise StudioError(
            f"{source} holds neither a detector of torchvision's R-CNN kind nor a body that is known here "
            f"({', '.join(BODIES)}); give another"
        )
    return body
