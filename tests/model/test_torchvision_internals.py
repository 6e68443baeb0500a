"""Functions of torch and torchvision that are not public, and that we use: they exist, and are called as we call them.

An upgrade that changes one of them fails here, with its name and the file that uses it. `requirements.txt` allows the
versions with which this has passed; whoever raises the limits runs this file first.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork

import maskrcnn

PACKAGE = Path(maskrcnn.__file__).parent

PRIVATE: dict[str, tuple[str, tuple[str, ...] | None]] = {
    # Where it is defined: (the file that uses it, its parameters; None for an operator, which has no signature).
    "torch._foreach_lerp_": ("training/averaging.py", None),
    "torchvision.models._utils.IntermediateLayerGetter": ("model/backbones.py", ("model", "return_layers")),
    "torchvision.models.detection._utils.BalancedPositiveNegativeSampler": (
        "model/training_sampling.py",
        ("batch_size_per_image", "positive_fraction"),
    ),
    "torchvision.models.resnet.ResNet._make_layer": ("model/backbones.py", ("self", "block", "planes", "blocks")),
    "torchvision.models.detection.rpn.RegionProposalNetwork._get_top_n_idx": (
        "model/tracing/filters.py",
        ("self", "objectness", "num_anchors_per_level"),
    ),
}
"""Names that begin with an underscore, or lie in a module that does."""

UNDOCUMENTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "torchvision.models.detection.rpn.concat_box_prediction_layers": ("model/rpn.py", ("box_cls", "box_regression")),
    "torchvision.models.detection.rpn.RegionProposalNetwork.filter_proposals": (
        "model/rpn.py",
        ("self", "proposals", "objectness", "image_shapes", "num_anchors_per_level"),
    ),
    "torchvision.models.detection.rpn.RegionProposalNetwork.assign_targets_to_anchors": (
        "model/rpn.py",
        ("self", "anchors", "targets"),
    ),
    "torchvision.models.detection.roi_heads.RoIHeads.select_training_samples": (
        "model/roi_heads.py",
        ("self", "proposals", "targets"),
    ),
    "torchvision.models.detection.roi_heads.RoIHeads.postprocess_detections": (
        "model/roi_heads.py",
        ("self", "class_logits", "box_regression", "proposals", "image_shapes"),
    ),
    "torchvision.models.detection.roi_heads.RoIHeads.add_gt_proposals": (
        "training/trial_steps.py",
        ("self", "proposals", "gt_boxes"),
    ),
    "torchvision.models.detection.roi_heads.fastrcnn_loss": (
        "model/roi_heads.py",
        ("class_logits", "box_regression", "labels", "regression_targets"),
    ),
    "torchvision.models.detection.roi_heads.keypointrcnn_loss": (
        "model/roi_heads.py",
        ("keypoint_logits", "proposals", "gt_keypoints", "keypoint_matched_idxs"),
    ),
    "torchvision.models.detection.roi_heads.keypointrcnn_inference": ("model/roi_heads.py", ("x", "boxes")),
    "torchvision.models.detection.roi_heads.expand_boxes": ("model/mask_pasting.py", ("boxes", "scale")),
    "torchvision.models.detection.roi_heads.expand_masks": ("model/mask_pasting.py", ("mask", "padding")),
    "torchvision.models.detection.transform.GeneralizedRCNNTransform.batch_images": (
        "model/resize.py",
        ("self", "images", "size_divisible"),
    ),
    "torchvision.models.detection.transform.GeneralizedRCNNTransform.resize": (
        "model/resize.py",
        ("self", "image", "target"),
    ),
}
"""Names without an underscore that torchvision's documentation does not list."""


def found(place: str) -> object:
    """What stands at `package.module.Class.name`. Fails with the place where it is missing."""
    parts = place.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value: object = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for name in parts[length:]:
            value = getattr(value, name, None)
        if value is not None:
            return value
    pytest.fail(f"{place} is gone")


@pytest.mark.parametrize("place", [*PRIVATE, *UNDOCUMENTED])
def test_it_exists_and_takes_what_we_give_it(place: str) -> None:
    file, parameters = {**PRIVATE, **UNDOCUMENTED}[place]
    text = (PACKAGE / file).read_text(encoding="utf-8")
    assert place.rpartition(".")[2] in text, f"{file} uses {place} no more: take it out of the table"
    value = found(place)
    assert callable(value)
    if parameters is not None:
        theirs = tuple(inspect.signature(value).parameters)
        assert theirs[: len(parameters)] == parameters, f"{place} is called in maskrcnn/{file}"


def private_names(file: Path) -> Iterator[str]:
    """Private names that a file takes from torch or torchvision: imported ones with their module, and attributes that
    neither the file nor another one of ours defines."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("torch", "torchvision"):
            for alias in node.names:
                place = f"{node.module}.{alias.name}"
                if any(part.startswith("_") for part in place.split(".")):
                    yield place
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            yield node.attr


def our_names(files: list[Path]) -> set[str]:
    """Private names that our files define: functions, classes, variables and attributes that are assigned."""
    names: set[str] = {"_replace", "_asdict"}  # of named tuples, which are public
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return names


def test_the_table_is_complete() -> None:
    files = [file for room in ("model", "training", "inference") for file in sorted((PACKAGE / room).rglob("*.py"))]
    ours = our_names(files)
    used = {name for file in files for name in private_names(file)} - ours
    listed = set(PRIVATE) | {place.rpartition(".")[2] for place in PRIVATE}
    assert used <= listed, "name it in PRIVATE, with its parameters, or do without it"


def test_indices_of_the_best_are_by_picture_and_level() -> None:
    """Two levels of 3 and 2 anchors, the best 2 of each: places 2 and 0 of the first, 3 + 1 and 3 + 0 of the second."""
    rpn = RegionProposalNetwork(None, torch.nn.Identity(), 0.7, 0.3, 4, 0.5, {"testing": 2}, {"testing": 2}, 0.7).eval()
    best = rpn._get_top_n_idx(torch.tensor([[2.0, 1.0, 3.0, 5.0, 6.0]]), [3, 2])
    assert best.tolist() == [[2, 0, 4, 3]]


def test_the_samplers_are_where_we_replace_them() -> None:
    """`build` puts a `TrainingSampler` in the place of `fg_bg_sampler`."""
    rpn = RegionProposalNetwork(None, torch.nn.Identity(), 0.7, 0.3, 4, 0.5, {}, {}, 0.7)
    heads = RoIHeads(None, None, None, 0.5, 0.5, 4, 0.5, None, 0.05, 0.5, 100)
    for part in (rpn, heads):
        sampler = part.fg_bg_sampler
        assert (sampler.batch_size_per_image, sampler.positive_fraction) == (4, 0.5)


@pytest.mark.parametrize("package", ["torch", "torchvision"])
def test_the_installed_version_is_one_that_is_allowed(package: str) -> None:
    lines = (PACKAGE.parent / "requirements.txt").read_text(encoding="utf-8").splitlines()
    allowed = next(Requirement(line) for line in lines if line.startswith((f"{package}>", f"{package}=")))
    assert importlib.import_module(package).__version__.split("+")[0] in allowed.specifier
    upper = [limit for limit in allowed.specifier if limit.operator in ("<", "<=", "==")]
    assert upper, "an upper limit keeps versions out that nobody has tried"
