"""Export to torchvision: a `.pth` state dict that one of torchvision's own builders loads strictly, checked there.

torchvision has builders for seven detectors. A network is exported if it is one of them, with any number of classes,
picture sizes and thresholds, which are arguments of the builder. `NAME_load.py` beside the file makes that call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch import nn
from torchvision.models import detection
from torchvision.ops import FrozenBatchNorm2d

from maskrcnn import __version__
from maskrcnn.atomic_files import replacing
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.inference.export.agreement import Agreement, agreement, pictures_to_compare
from maskrcnn.inference.export.source import ExportSource, Step, no_step
from maskrcnn.inference.export.use_script import require_own_script, run_script, script_beside, text_in_quotes
from maskrcnn.model import detect, prepare
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.resize import resize, to_tensor, working_size
from maskrcnn.model.weights import find_checkpoint, network_of
from maskrcnn.model.weights.tensor_checks import StateDict
from maskrcnn.output_files import writing
from maskrcnn.runs.torchvision_catalogue import COCO_DETECTORS, nearest_coco_detector

_SAME = (
    *("backbone", "tasks", "pooling", "pooling_mode", "sampling_ratio", "fpn_roi_level", "fpn_channels"),
    *("anchor_scales", "rpn_anchor_ratios", "rpn_head_depth", "pool_size", "box_head_depth", "box_head_width"),
    *("head_norm", "mask_kind", "mask_head", "mask_pool_size", "mask_head_depth", "mask_head_width"),
    *("keypoint_pool_size", "keypoint_head_depth", "keypoint_head_width"),
)
"""Fields and properties of a Config that a builder of torchvision cannot change."""


@dataclass(frozen=True)
class TorchvisionExport:
    """What `export_torchvision` has written: the state dict `file`, the `script` that loads it into `builder`, and the
    `agreement` on `pictures` pictures."""

    file: Path
    script: Path
    builder: str
    pictures: int
    agreement: Agreement


def export_torchvision(source: ExportSource, target: Path, step: Step = no_step) -> TorchvisionExport:
    """Write a network as the state dict `target` (`.pth`) of a torchvision builder, and `NAME_load.py` beside it.

    Before the files get their names, the script loads the state dict into torchvision's network, and what both find in
    three pictures is compared. Raises `ArgumentError` if `target` cannot be written, `StudioError` if no builder makes
    this network (it names the first field that differs) or torchvision finds something else. Then there are no files.
    """
    script = script_beside(target, ".pth", "load")
    step(0.0, "reading the network")
    checkpoint = find_checkpoint(source.file)
    builder = builder_of(checkpoint.config)
    model = network_of(checkpoint)
    text = load_script(model.config, builder, target.name)
    require_own_script(script, text)
    samples = pictures_to_compare(model.config, source.run)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(script) as temporary_script, replacing(target) as temporary:
            step(0.3, "writing the weights")
            torch.save(torchvision_state(model, builder), temporary)
            step(0.5, "comparing with torchvision")
            found = _compared(model, temporary, text, samples)
            if fault := found.fault():
                raise StudioError(f"{target}: not written, because {fault}; take --to onnx or --to bundle instead")
            temporary_script.write_text(text, encoding="utf-8")
    return TorchvisionExport(target, script, builder, len(samples), found)


def builder_of(config: Config) -> str:
    """The name of the torchvision builder that makes the network of a Config.

    Raises `StudioError` if there is none; it names the first field that differs from the nearest builder.

    >>> builder_of(Config.preset("torchvision", num_classes=3))
    'maskrcnn_resnet50_fpn'
    """
    builder = nearest_coco_detector(config)
    preset, fields = COCO_DETECTORS[builder]
    nearest = Config.preset(preset, **fields)
    ours, theirs = _structure(config), _structure(nearest)
    for name in _SAME:
        if ours[name] != theirs[name]:
            raise StudioError(
                f"no builder of torchvision makes this network: {name} is {_shown(ours[name])}, and "
                f"{_shown(theirs[name])} in {builder}; take --to onnx or --to bundle"
            )
    if config.norm not in ("frozen", "batch"):
        raise StudioError(
            f"no builder of torchvision makes this network: norm is {config.norm}, and batch in {builder}; take --to "
            "onnx or --to bundle"
        )
    return builder


def _structure(config: Config) -> dict[str, Any]:
    """The values of `_SAME`; those of a head that the network does not have are None, and `auto` is what it means."""
    values: dict[str, Any] = {name: getattr(config, name) for name in _SAME}
    for task in ("mask", "keypoint"):
        if not any(own.startswith(task) for own in config.tasks):
            values |= {name: None for name in _SAME if name.startswith(f"{task}_")}
    if values["pooling_mode"] == "auto":
        values["pooling_mode"] = "max" if config.pooling == "pool" else "average"
    return values


def _shown(value: Any) -> str:
    """A value of the Config in a message."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def builder_arguments(config: Config) -> dict[str, Any]:
    """The arguments of a torchvision builder for the network of a Config, beside `weights`.

    >>> builder_arguments(Config.preset("torchvision", num_classes=3))["num_classes"]
    3
    """
    arguments = {
        "num_classes": config.num_classes,
        "min_size": config.image_min_dim,
        "max_size": config.image_max_dim,
        "image_mean": list(config.mean_pixel),
        "image_std": list(config.std_pixel),
        "rpn_pre_nms_top_n_test": config.pre_nms_limit,
        "rpn_post_nms_top_n_test": config.post_nms_rois_inference,
        "rpn_nms_thresh": config.rpn_nms_threshold,
        "rpn_score_thresh": config.rpn_min_score,
        "box_score_thresh": config.detection_min_confidence,
        "box_nms_thresh": config.detection_nms_threshold,
        "box_detections_per_img": config.detection_max_instances,
        "bbox_reg_weights": tuple(round(1 / std, 6) for std in config.bbox_std_dev),
    }
    return arguments | ({"num_keypoints": config.num_keypoints} if "keypoints" in config.tasks else {})


def torchvision_state(model: StudioRCNN, builder: str) -> StateDict:
    """The tensors of a network by their names in the network that `builder` makes, float32.

    Norms with fixed statistics become the builder's BatchNorm, whose eps may differ: the variance takes the difference.
    """
    with torch.device("meta"):
        theirs = _built(model.config, builder)
    ours, state = dict(model.named_modules()), {name: value.detach() for name, value in model.state_dict().items()}
    for name, norm in theirs.named_modules():
        own = ours.get(name)
        if isinstance(norm, nn.BatchNorm2d) and isinstance(own, FrozenBatchNorm2d | nn.BatchNorm2d):
            state |= {f"{name}.{key}": value for key, value in _with_eps(own, norm.eps).items()}
            state.setdefault(f"{name}.num_batches_tracked", torch.tensor(0))
    return {
        name: state[name].float() if state[name].is_floating_point() else state[name] for name in theirs.state_dict()
    }


def _with_eps(norm: FrozenBatchNorm2d | nn.BatchNorm2d, eps: float) -> dict[str, torch.Tensor]:
    """Weight and variance of a norm whose eps becomes `eps`, so that it computes the same."""
    if norm.eps == eps:
        return {}
    variance, weight = norm.running_var.double() + norm.eps, norm.weight.detach().double()  # type: ignore[union-attr]
    positive = variance > eps
    # Where the variance is smaller than the new eps, it becomes 1 - eps, and the weight takes it over.
    return {
        "running_var": torch.where(positive, variance - eps, 1 - eps).float(),
        "weight": torch.where(positive, weight, weight / variance.sqrt()).float(),
    }


def _built(config: Config, builder: str) -> nn.Module:
    """The network that `builder` makes for a Config, with random weights."""
    make = getattr(detection, builder)
    return make(weights=None, weights_backbone=None, **builder_arguments(config))


def load_script(config: Config, builder: str, file_name: str) -> str:
    """The text of the script that loads the state dict `file_name` into torchvision's network."""
    arguments = "".join(f"        {name}={value!r},\n" for name, value in builder_arguments(config).items())
    return _SCRIPT.format(
        builder=builder,
        arguments=arguments,
        file=text_in_quotes(file_name),
        classes=repr(("background", *config.names)),
        versions=f"Mask R-CNN Studio {__version__}, torchvision {torchvision.__version__}",
    )


_SCRIPT = '''\
"""Loads a state dict into torchvision's {builder}. It needs torch and torchvision. Made by {versions}."""
from pathlib import Path

import torch
from torchvision.models.detection import {builder}

CLASSES = {classes}


def open_network(path=Path(__file__).parent / "{file}"):
    network = {builder}(
        weights=None,
        weights_backbone=None,
{arguments}    )
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


# It takes a list of float pictures (3, H, W) in [0, 1], RGB. torchvision resizes them without averaging, so make large
# pictures smaller before: the shorter side to min_size, with cv2.INTER_AREA.
if __name__ == "__main__":
    print(open_network())
'''


def _compared(model: StudioRCNN, file: Path, text: str, samples: list[np.ndarray]) -> Agreement:
    """The agreement of torchvision's network, loaded by the script `text`, with ours on pictures of the working size.

    Keypoints are compared at the peaks of the heatmaps, which is the only way that torchvision reads them.
    """
    theirs = run_script(text, file).open_network(file)
    ours = prepare(model, precision="float32")
    ours.roi_heads.oks_sigmas = None
    ours.config = model.config.replace(keypoint_decode="argmax")
    total = Agreement()
    for picture in samples:
        height, width = picture.shape[:2]
        small = resize(picture, working_size(height, width, model.config))
        with torch.inference_mode():
            (found,) = theirs([to_tensor(small)])
        found = {name: values.numpy() for name, values in found.items()}
        objects = [
            {"label": int(label), "score": float(score), "box": box}
            for box, label, score in zip(found["boxes"], found["labels"], found["scores"], strict=True)
        ]
        for number, thing in enumerate(objects):
            if "masks" in found:
                thing["mask"] = found["masks"][number, 0] > 0.5
            if "keypoints" in found:
                thing["keypoints"] = found["keypoints"][number, :, :2]
        total += agreement(ours.config, detect(ours, small), objects, "torchvision")
    return total
