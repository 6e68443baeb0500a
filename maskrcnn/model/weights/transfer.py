"""Transfer of weights between networks: tensor by tensor, and in the last layers class by class.

In two networks of the same architecture only the last layers differ, whose rows belong to classes or keypoints. A row
is copied to the class of the same name; rows of new names keep their initial values (`model.build.init_last_head_layers`). A
head that only one of the two has is no mismatch; any other difference is, and is listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from maskrcnn.config import Config, fields_with, setting_word
from maskrcnn.errors import StudioError
from maskrcnn.model.heads import LAST_HEAD_LAYERS
from maskrcnn.model.weights.tensor_checks import (
    MISMATCHES_SHOWN,
    StateDict,
    mismatch_summary,
    refuse_not_finite,
    tensor_mismatches,
)
from maskrcnn.words import counted

_HEADS = {"mask": ("roi_heads.mask_head.", "roi_heads.mask_predictor."), "keypoints": ("roi_heads.keypoint_",)}
"""Task -> how the names of its tensors begin."""

_MASK_LAYERS = tuple(layer for layer in LAST_HEAD_LAYERS if layer.startswith(_HEADS["mask"]))


@dataclass(frozen=True)
class Transfer:
    """What was taken over.

    `loaded`: tensors filled, wholly or in part; `fresh`: names of tensors that stay, wholly or in part, as they were
    initialised; `kept_classes`, `new_classes`, `kept_keypoints`, `new_keypoints`: names whose rows came along, and
    those whose rows start afresh; `fresh_heads`: tasks whose whole head starts afresh; `fresh_masks`: whether the last
    layer of the mask head does, because its masks are of another kind; `part`: what was filled where that is less than
    the network ("resnet50 body"), else "".
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
        """One line for the log, as "kept what COCO knows of car, person; 3 classes start afresh"."""
        if self.part:
            return f"took the {self.part} of {source}; everything else starts afresh"
        known = [*self.kept_classes, *(self.kept_keypoints if self.new_keypoints else ())]
        if not self.fresh:
            parts = [f"kept all of {source}"]
        elif known:
            parts = [f"kept what {source} knows of {_names_text(known)}"]
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


def _names_text(names: Sequence[str], limit: int = 8) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def rows_kept(old: Sequence[str], new: Sequence[str], old_count: int, new_count: int) -> dict[int, int]:
    """Place of each new name that the old network knows -> its place there, both from 0.

    Names are the same if they are equal but for case; torchvision's "N/A" is no name. Where the new names, or both, are
    unnamed (empty) and the counts are equal, every place keeps its meaning.

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
    """Copy what fits of `given` (the tensors of a network `old`) into `wanted` (those of a network `new`), in place.

    Raises `StudioError` listing what does not fit, or naming a tensor that is not finite; then nothing was copied.
    """
    fresh_heads = tuple(
        task
        for task, heads in _HEADS.items()
        if task in new.tasks and not any(name.startswith(heads) for name in given)
    )
    fresh = {name for task in fresh_heads for name in wanted if name.startswith(_HEADS[task])}
    fresh_masks = set()
    if old.mask_kind != new.mask_kind and "agnostic" in (old.mask_kind, new.mask_kind):
        fresh_masks = {name for name in wanted if name in given and name.startswith(_MASK_LAYERS)}
        fresh |= fresh_masks
    classes, points = _kept_rows(old, new)
    merged = {
        name: tensor
        for name in wanted
        if name in given and name not in fresh
        if (tensor := _merged_last_layer(name, wanted[name], given[name], old, new, classes, points)) is not None
    }

    needed = [name for name in wanted if name not in fresh and not name.endswith("num_batches_tracked")]
    unused = tuple(begin for task, heads in _HEADS.items() if task not in new.tasks for begin in heads)
    extra = [
        name
        for name in given
        if name not in wanted and not name.startswith(unused) and not name.endswith("num_batches_tracked")
    ]
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
    """`rows_kept` of the classes (without the background) and of the keypoints."""
    classes = rows_kept(old.class_names, new.class_names, old.num_classes - 1, new.num_classes - 1)
    # Who counts as many keypoints, and nobody named the old ones, means the same skeleton.
    names = new.keypoint_names if old.keypoint_names else ()
    return classes, rows_kept(old.keypoint_names, names, old.num_keypoints, new.num_keypoints)


def _merged_last_layer(
    name: str, start: Tensor, known: Tensor, old: Config, new: Config, classes: dict[int, int], points: dict[int, int]
) -> Tensor | None:
    """A tensor of the last layers, put together from rows that are kept and rows that start afresh.

    None where it is to be taken whole: it has no such rows, they are all the same, or its shape does not fit.
    """
    layer, _, kind = name.rpartition(".")
    if layer not in LAST_HEAD_LAYERS or (layer in _MASK_LAYERS and new.mask_kind == "agnostic"):
        return None
    if "keypoint" in layer:
        rows, counts = points, (old.num_keypoints, new.num_keypoints)
    else:
        background = {0: 0}
        rows = background | {place + 1: there + 1 for place, there in classes.items()}
        counts = (old.num_classes, new.num_classes)
    if counts[0] == counts[1] and rows == {row: row for row in range(counts[1])}:
        return None
    # A transposed convolution has its outputs second.
    return _replace_rows(start, known, rows, counts, dim=1 if "keypoint" in layer and kind == "weight" else 0)


def _replace_rows(
    start: Tensor, known: Tensor, rows: Mapping[int, int], counts: tuple[int, int], dim: int
) -> Tensor | None:
    """`start` with the given rows of `known` (new row -> old row); None where the two differ in more than their rows.

    Along `dim` lie `counts` = (old, new) rows of equally many values each: 1 per class, 4 for its box, M x M for the
    mask of an MLP.
    """
    if start.ndim != known.ndim or known.shape[dim] * counts[1] != start.shape[dim] * counts[0]:
        return None
    each = start.shape[dim] // counts[1]
    merged, source = (tensor.transpose(0, dim).unflatten(0, (-1, each)) for tensor in (start.clone(), known))
    if merged.shape[1:] != source.shape[1:]:
        return None
    for row, there in rows.items():
        merged[row] = source[there]
    return merged.flatten(0, 1).transpose(0, dim)


def _differing_fields_advice(old: Config, new: Config) -> str:
    """Which fields make the two differ."""
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
