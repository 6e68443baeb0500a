"""Transfer of trained weights into a network or its body: tensor by tensor, and in the last layers row by row.

Two networks of the same architecture differ only in the last layers, whose rows belong to classes or keypoints. A row
is copied to the class or keypoint of the same name. Rows of new names keep their initial values
(`heads.init_last_head_layers`). A head that only one of the two networks has is no error. Any other difference is an
error, and the message lists it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torchvision.models import get_model_weights

from maskrcnn.config import Config, fields_with, setting_word
from maskrcnn.errors import StudioError
from maskrcnn.model.backbones import body_of
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.heads import LAST_HEAD_LAYERS
from maskrcnn.model.weights.network_checkpoints import find_checkpoint
from maskrcnn.model.weights.tensor_checks import (
    MISMATCHES_SHOWN,
    StateDict,
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
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_files import TORCH_FILES
from maskrcnn.runs.torchvision_catalogue import require_coco_detector
from maskrcnn.words import counted, first_names

_HEADS = {"mask": ("roi_heads.mask_head.", "roi_heads.mask_predictor."), "keypoints": ("roi_heads.keypoint_",)}
"""Task -> prefixes of the names of its head's tensors."""

_MASK_LAYERS = tuple(layer for layer in LAST_HEAD_LAYERS if layer.startswith(_HEADS["mask"]))


@dataclass(frozen=True)
class Transfer:
    """The result of a transfer: which weights were copied, and which kept their initial values ("fresh").

    `loaded`: number of tensors that were copied, wholly or in part; `fresh`: names of tensors that are fresh, wholly or
    in part; `kept_classes`, `kept_keypoints`: names whose rows were copied; `new_classes`, `new_keypoints`: names
    whose rows are fresh; `fresh_heads`: tasks whose whole head is fresh; `fresh_masks`: whether the last layer of the
    mask head is fresh, because its masks are of another kind; `part`: the part that was filled if it is not the whole
    network ("resnet50 body"), else "".
    """

    loaded: int
    fresh: tuple[str, ...] = ()
    kept_classes: tuple[str, ...] = ()
    new_classes: tuple[str, ...] = ()
    kept_keypoints: tuple[str, ...] = ()
    new_keypoints: tuple[str, ...] = ()
    fresh_heads: tuple[str, ...] = ()
    fresh_masks: bool = False
    part: str = ""

    def describe(self, source: str) -> str:
        """One line for the log, such as "kept what COCO knows of car, person; 3 classes start afresh"."""
        if self.part:
            return f"took the {self.part} of {source}; everything else starts afresh"
        # Keypoints are listed only if not all of them were kept.
        known = [*self.kept_classes, *(self.kept_keypoints if self.new_keypoints else ())]
        if not self.fresh:
            parts = [f"kept all of {source}"]
        elif known:
            parts = [f"kept what {source} knows of {first_names(known)}"]
        else:
            parts = [f"kept {source} without what it knows of its own classes"]
        for names, one, many in (
            (self.new_classes, "class starts", "classes start"),
            (self.new_keypoints, "keypoint starts", "keypoints start"),
        ):
            if names:
                parts.append(f"{len(names)} {one if len(names) == 1 else many} afresh")
        parts += [f"the {task.removesuffix('s')} head starts afresh" for task in self.fresh_heads]
        parts += ["the last layer of the mask head starts afresh"] * self.fresh_masks
        return "; ".join(parts)


def rows_kept(old: Sequence[str], new: Sequence[str], old_count: int, new_count: int) -> dict[int, int]:
    """Rows of a last layer that are copied: index of a new class or keypoint -> index in the old network, both from 0.

    Names are compared without case; torchvision's "N/A" is no name. If the counts are equal and the new names are empty
    (or equal to the old ones), every index is copied to the same index.

    >>> rows_kept(["nut", "bolt"], ["bolt", "gear"], 2, 2)
    {0: 1}
    """
    if old_count == new_count and (tuple(old) == tuple(new) or not new):
        return {place: place for place in range(new_count)}
    places = {name.casefold(): place for place, name in enumerate(old) if name not in ("", "N/A")}
    return {place: places[name.casefold()] for place, name in enumerate(new) if name.casefold() in places}


def transfer_weights(
    wanted: StateDict, given: Mapping[str, Tensor], old: Config, new: Config, source: object
) -> Transfer:
    """Copy the tensors `given` of a network `old` into the tensors `wanted` of a network `new`, in place.

    Raises `StudioError` if tensors do not fit, with a list, or are not finite; then nothing was copied.
    """
    fresh_heads = tuple(
        task
        for task, heads in _HEADS.items()
        if task in new.tasks and not any(name.startswith(heads) for name in given)
    )
    fresh = {name for task in fresh_heads for name in wanted if name.startswith(_HEADS[task])}
    fresh_masks = set()
    # One network has a mask for each class, the other has one mask for all classes.
    if old.mask_kind != new.mask_kind and "agnostic" in (old.mask_kind, new.mask_kind):
        fresh_masks = {name for name in wanted if name in given and name.startswith(_MASK_LAYERS)}
        fresh |= fresh_masks
    classes, points = _kept_rows(old, new)
    merged: StateDict = {}
    for name in wanted:
        if name in given and name not in fresh:
            tensor = _merged_last_layer(name, wanted[name], given[name], old, new, classes, points)
            if tensor is not None:
                merged[name] = tensor

    needed = [name for name in wanted if name not in fresh and not name.endswith("num_batches_tracked")]
    unused = tuple(begin for task, heads in _HEADS.items() if task not in new.tasks for begin in heads)
    extra = [
        name
        for name in given
        if name not in wanted and not name.startswith(unused) and not name.endswith("num_batches_tracked")
    ]
    # A merged tensor fits, although the given one may have another number of rows.
    expected = {name: given[name].shape if name in merged else wanted[name].shape for name in needed}
    if problems := tensor_mismatches(expected, given, extra):
        raise StudioError(
            f"{source} does not fit this network: {mismatch_summary(problems)}; {_differing_fields_advice(old, new)}"
        )
    refuse_not_finite(((name, given[name]) for name in needed), source)
    for name in needed:
        wanted[name].copy_(merged.get(name, given[name]))

    has_points = "keypoints" in new.tasks and "keypoints" not in fresh_heads
    point_names = new.keypoint_names or tuple(f"keypoint {place + 1}" for place in range(new.num_keypoints))
    return Transfer(
        len(needed),
        tuple(name for name in wanted if name in fresh or name in merged),
        kept_classes=tuple(name for place, name in enumerate(new.names) if place in classes),
        new_classes=tuple(name for place, name in enumerate(new.names) if place not in classes),
        kept_keypoints=tuple(n for place, n in enumerate(point_names) if place in points) if has_points else (),
        new_keypoints=tuple(n for place, n in enumerate(point_names) if place not in points) if has_points else (),
        fresh_heads=fresh_heads,
        fresh_masks=bool(fresh_masks),
    )


def _kept_rows(old: Config, new: Config) -> tuple[dict[int, int], dict[int, int]]:
    """`rows_kept` of the classes (without the background), and of the keypoints."""
    classes = rows_kept(old.class_names, new.class_names, old.num_classes - 1, new.num_classes - 1)
    # If the old keypoints have no names, the new names are left out too: then all rows are copied if there are equally
    # many keypoints, else none.
    new_names = new.keypoint_names if old.keypoint_names else ()
    return classes, rows_kept(old.keypoint_names, new_names, old.num_keypoints, new.num_keypoints)


def _merged_last_layer(
    name: str, start: Tensor, known: Tensor, old: Config, new: Config, classes: dict[int, int], points: dict[int, int]
) -> Tensor | None:
    """A copy of the new network's tensor `start`, in which the kept rows are those of the old network's tensor `known`.

    `name`: the name of both tensors; `classes`, `points`: the results of `_kept_rows`. None if it is not a tensor of a
    last layer with a row for each class or keypoint, if all rows are kept in the same order, or if the shapes do not
    fit.
    """
    layer, _, kind = name.rpartition(".")
    if layer not in LAST_HEAD_LAYERS or (layer in _MASK_LAYERS and new.mask_kind == "agnostic"):
        return None
    if "keypoint" in layer:
        rows, counts = points, (old.num_keypoints, new.num_keypoints)
    else:
        background = {0: 0}
        rows = background | {new_row + 1: old_row + 1 for new_row, old_row in classes.items()}
        counts = (old.num_classes, new.num_classes)
    if counts[0] == counts[1] and rows == {row: row for row in range(counts[1])}:
        return None
    # A transposed convolution has its outputs second.
    return _replace_rows(start, known, rows, counts, dim=1 if "keypoint" in layer and kind == "weight" else 0)


def _replace_rows(
    start: Tensor, known: Tensor, rows: Mapping[int, int], counts: tuple[int, int], dim: int
) -> Tensor | None:
    """A copy of `start` in which `rows` (new row -> old row) are replaced by rows of `known`.

    None if the shapes differ in more than the number of rows. Along the axis `dim`, `known` and `start` have
    `counts` = (old, new) rows. A row has the same number of values in both: 1 per class, 4 for its box, M x M for the
    mask of an MLP.
    """
    if start.ndim != known.ndim or known.shape[dim] * counts[1] != start.shape[dim] * counts[0]:
        return None
    values_per_row = start.shape[dim] // counts[1]

    def as_rows(tensor: Tensor) -> Tensor:
        """`(rows, values per row, ...)`."""
        return tensor.transpose(0, dim).unflatten(0, (-1, values_per_row))

    merged, source = as_rows(start.clone()), as_rows(known)
    if merged.shape[1:] != source.shape[1:]:
        return None
    for new_row, old_row in rows.items():
        merged[new_row] = source[old_row]
    return merged.flatten(0, 1).transpose(0, dim)


def _differing_fields_advice(old: Config, new: Config) -> str:
    """The end of the message of a refused transfer: in which fields the two networks differ, and what to do."""
    fields = [name for task in new.tasks for name in fields_with(task=task)]
    if "group" not in (old.norm, new.norm):  # frozen or not, BatchNorm has the same tensors
        fields.remove("norm")
    differing = [name for name in fields if getattr(old, name) != getattr(new, name)]
    if not differing:
        return "it is damaged or of another kind, give another"
    shown = ", ".join(f"{name}={setting_word(getattr(old, name))}" for name in differing[:MISMATCHES_SHOWN])
    more = (
        f" and {counted(len(differing) - MISMATCHES_SHOWN, 'more field')}" if len(differing) > MISMATCHES_SHOWN else ""
    )
    return f"it was trained with {shown}{more}: set that too, or leave out --preset to take the network of the file"


def initialise(model: StudioRCNN, source: Path | str) -> Transfer:
    """Initialise a network by transfer of trained weights, in place.

    `source`: "coco" (torchvision's weights of the most similar builder), a shipped model ("toy"), a run folder or
    checkpoint, a torchvision detector (`.pth`), or a classification network (`.pth`), which initialises only the body.

    In the last layers, the rows of classes and keypoints that the source has by name are copied. Heads of tasks that
    the source does not have keep their random weights. Everything else must fit: otherwise `StudioError` lists what
    does not fit, and the model is not changed.
    """
    if str(source) == "coco":
        builder = require_coco_detector(model.config)
        state, config, source = coco_state(builder), detector_config(builder), f"COCO weights of {builder}"
    elif (state_of_body := state_without_detector(source)) is not None:
        known_body_name(state_of_body, source)
        return _fill_body(model, state_of_body, source)
    else:
        checkpoint = find_checkpoint(source)
        state, config = checkpoint.state(), checkpoint.config
    refuse_batch_statistics(model.config.norm, body_tensors(state), source)
    return transfer_weights(model.state_dict(), state, config, model.config, source)


def load_body(model: StudioRCNN, source: Path | str) -> Transfer:
    """Transfer trained weights into the body of a network, in place.

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
    return _fill_body(model, state, source)


def _fill_body(model: StudioRCNN, state: StateDict, source: Path | str) -> Transfer:
    """Copy the tensors of the body in `state` into the body of a network, in place. `source` names it in messages."""
    body, given = body_of(model.config), body_tensors(state)
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
