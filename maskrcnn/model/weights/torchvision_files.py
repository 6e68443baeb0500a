"""torchvision's weights: download them, read `.pth` files, and identify the detector or body that a file contains.

Files are read with `weights_only=True`, which builds tensors and runs no code. The network of a file follows from the
file name, if it is a download of torchvision, else from the names and shapes of its tensors.
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
from maskrcnn.runs.checkpoint_files import TORCH_FILES
from maskrcnn.runs.torchvision_catalogue import COCO_DETECTORS, COCO_WEIGHTS, coco_network_fields

PERSON_EDGES = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10)),
    *((1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
"""Limbs of COCO's person: pairs of its 17 keypoints, counted from 0."""

_RENAMED = (
    (re.compile(r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$"), r"\1.0.\2"),
    (re.compile(r"^(rpn\.head\.conv)\.(weight|bias)$"), r"\1.0.0.\2"),
)
"""Tensor names in torchvision's first files -> its current names. torchvision's modules rename them when loading."""

_MASK_LAYER = re.compile(r"^(roi_heads\.mask_head)\.mask_fcn(\d+)\.(weight|bias)$")

_CLASSES = "roi_heads.box_predictor.cls_score.weight"
_MASKS = "roi_heads.mask_predictor.mask_fcn_logits.weight"
_KEYPOINTS = "roi_heads.keypoint_predictor.kps_score_lowres.weight"

BODY_PREFIXES = ("backbone.body.", "roi_heads.box_head.stage5.")
"""Prefixes of the names of the body's tensors in a detector; the second with a `c4` backbone only."""

_WRAPPED_IN = ("model", "state_dict", "model_state_dict")
"""Keys under which training scripts save the state dict."""


def detector_config(builder: str, weights: str = COCO_WEIGHTS, **changes: Any) -> Config:
    """The Config of torchvision's `builder` with its COCO `weights`, including their classes, keypoints and eps.

    Raises `KeyError` for a builder that is not in `COCO_DETECTORS`.
    """
    preset, fields = coco_network_fields(builder, weights)
    meta = get_model_weights(builder)[weights].meta
    fields = {**fields, "class_names": tuple(meta["categories"][1:]), "num_classes": len(meta["categories"])}
    if "keypoint_names" in meta:
        names = tuple(meta["keypoint_names"])
        fields |= {"keypoint_names": names, "num_keypoints": len(names), "keypoint_edges": PERSON_EDGES}
    return Config.preset(preset, **{**fields, **changes})


def coco_state(builder: str) -> StateDict:
    """The COCO weights of a torchvision builder, downloaded once and then cached by torch.hub.

    Raises `StudioError` if they are not cached and there is no network connection.
    """
    weights = get_model_weights(builder)[COCO_WEIGHTS]
    return current_names(download_state(weights, f"COCO weights of {builder}"))


def download_state(weights: WeightsEnum, what: str) -> StateDict:
    """A state dict of torchvision, downloaded or from the cache; `what` names it in messages.

    Raises `StudioError` if the download fails.
    """
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise StudioError(
            f"{what} could not be downloaded ({error}); give a weights file that is already on this machine, or none"
        ) from None


def read_state(path: Path) -> StateDict:
    """The state dict in a file of torch, with torchvision's current names. No code in the file is run.

    Raises `ArgumentError` if there is no file, `StudioError` if it contains no state dict.
    """
    if not path.is_file():
        raise ArgumentError(f"{path} does not exist; give a weights file")
    if not path.stat().st_size:
        raise StudioError(f"{path} is empty; give another weights file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning about TorchScript files; they are refused below
            held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types for other files
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
    """Whether an item of a `.pth` file is a name and a dense tensor whose elements are all stored in the file."""
    if not isinstance(name, str) or not isinstance(tensor, Tensor) or tensor.layout is not torch.strided:
        return False
    return tensor.untyped_storage().nbytes() >= tensor.numel() * tensor.element_size()


def current_names(state: Mapping[str, Tensor]) -> StateDict:
    """The state dict with the names that torchvision uses today; in its first files, some tensors have other names."""
    renamed = {}
    for name, tensor in state.items():
        for old, new in _RENAMED:
            name = old.sub(new, name)
        # The first layer of the mask head was "mask_fcn1"; it is "0.0" now.
        name = _MASK_LAYER.sub(lambda found: f"{found[1]}.{int(found[2]) - 1}.0.{found[3]}", name)
        renamed[name] = tensor
    return renamed


def is_detector(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict belongs to an R-CNN detector, with any body."""
    return _CLASSES in state and state[_CLASSES].ndim == 2


def identify_download(path: Path) -> tuple[str, str] | None:
    """Builder and weights of a file whose name is that of a torchvision download; None for other names."""
    for builder in COCO_DETECTORS:
        for weights in get_model_weights(builder):
            if path.name == Path(urlsplit(weights.url).path).name:
                return builder, weights.name
    return None


def identify_detector(state: StateDict, path: Path) -> tuple[Config, str]:
    """The Config of the detector in a state dict, and its origin in a few words.

    The tensors show the body, the tasks and the number of classes. Everything else (names of classes, pooling, picture
    sizes) is taken from the torchvision builder that is most similar. Raises `StudioError` if the body is unknown.
    """
    if download := identify_download(path):
        builder, weights = download
        return detector_config(builder, weights), f"torchvision's {builder}, {weights}"
    body = body_name(body_tensors(state))
    if body is None:
        raise StudioError(f"{path} holds a detector with a body that is unknown here; known are {', '.join(BODIES)}")
    has_mask, has_keypoints = _MASKS in state, _KEYPOINTS in state
    # A pyramid `fpn32` has two levels; a usual one has four.
    has_third_level = any(name.startswith("backbone.fpn.inner_blocks.2.") for name in state)
    has_light_pyramid = body in FIRST_AND_LAST and not has_third_level
    builder = _similar_builder(state, has_light_pyramid)
    changes: dict[str, Any] = {
        "backbone": f"{body}_{'fpn32' if has_light_pyramid else 'fpn'}",
        "tasks": ("box", *(("mask",) if has_mask else ()), *(("keypoints",) if has_keypoints else ())),
    }
    if any(name.endswith("num_batches_tracked") for name in body_tensors(state)):
        changes["norm"] = "batch"
    similar = detector_config(builder)
    classes = len(state[_CLASSES])
    if classes != similar.num_classes or body not in builder:
        # Not trained by torchvision, so the names of the classes and the eps of the norms are unknown. The eps of
        # torchvision's COCO detectors can be 0, which would divide by 0 if a variance is 0.
        changes |= {"num_classes": classes, "class_names": (), "norm_eps": 1e-5}
    if has_keypoints and (count := state[_KEYPOINTS].shape[1:2].numel()) != similar.num_keypoints:
        changes |= {"num_keypoints": count, "keypoint_names": (), "keypoint_edges": ()}
    return similar.replace(**changes), f"a detector like torchvision's {builder}"


def _similar_builder(state: StateDict, has_light_pyramid: bool) -> str:
    """The torchvision builder of the same detector as in a state dict, perhaps with another body."""
    if has_light_pyramid:
        return "fasterrcnn_mobilenet_v3_large_fpn"
    kind = "maskrcnn" if _MASKS in state else "fasterrcnn"
    if "roi_heads.box_head.0.0.weight" in state:  # convolutions in the box head: the second generation
        return f"{kind}_resnet50_fpn_v2"
    return "keypointrcnn_resnet50_fpn" if _KEYPOINTS in state else f"{kind}_resnet50_fpn"


def body_tensors(state: Mapping[str, Tensor]) -> StateDict:
    """The tensors of the body in a state dict with torchvision's names: name within the body -> tensor.

    The name within the body begins with a block, such as "layer1". Of a detector, only the tensors of its body are
    returned (in a `c4` detector, those of stage 5 are in the box head). Of a classification network, all are.
    """
    if not any(name.startswith(BODY_PREFIXES[0]) for name in state):
        return {name.removeprefix("features."): tensor for name, tensor in state.items()}
    return {name.removeprefix(p): state[name] for p in BODY_PREFIXES for name in state if name.startswith(p)}


def body_name(part: Mapping[str, Tensor]) -> str | None:
    """Name of the body in `BODIES` (such as "resnet18") to which tensors belong, by their names and shapes.

    `part`: a result of `body_tensors`. Only the convolutions are compared. None if no body fits.
    """
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
    """Name and shape of every convolution kernel in a body of `BODIES`."""
    with torch.device("meta"):
        blocks = blocks_of(Config.preset("classroom", backbone=f"{body}_c4"))
    return {
        name: tuple(tensor.shape)
        for name, tensor in blocks.named_parameters()
        if tensor.ndim == 4 and name.partition(".")[0] in BODIES[body].stages
    }


def torch_file_network(path: Path) -> Config | str:
    """The network in a `.pth` file of torch: the Config of a detector, or the name of a body ("resnet18").

    This is the `TorchFile` of `runs.initial_weights`. Raises `ArgumentError` if there is no file, `StudioError` if it
    contains no known network.
    """
    state = read_state(path)
    return identify_detector(state, path)[0] if is_detector(state) else known_body_name(state, path)


def state_without_detector(source: Path | str) -> StateDict | None:
    """The state dict of a `.pth` file without a detector, as of a classification network; None for any other source."""
    path = Path(source)
    if shipped_models.folder(source) or path.is_dir() or path.suffix not in TORCH_FILES:
        return None
    state = read_state(path)
    return None if is_detector(state) else state


def known_body_name(state: StateDict, source: Path | str) -> str:
    """Name of the body in a state dict without a detector. Raises `StudioError` if no known body fits."""
    body = body_name(body_tensors(state))
    if body is None:
        raise StudioError(
            f"{source} holds neither a detector of torchvision's R-CNN kind nor a body that is known here "
            f"({', '.join(BODIES)}); give another"
        )
    return body
