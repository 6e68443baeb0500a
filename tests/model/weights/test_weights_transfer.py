"""What a network takes over from another one: everything but the rows of classes and keypoints that are new."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.weights import initialise, save
from maskrcnn.model.weights.transfer import Transfer, rows_kept
from tests.model.small import ALL_TASKS, copy_of, network
from tests.sweeps import one_in

CLASSES = "roi_heads.box_predictor.cls_score"
BOXES = "roi_heads.box_predictor.bbox_pred"
MASKS = "roi_heads.mask_predictor.mask_fcn_logits"
MLP_MASKS = "roi_heads.mask_predictor.mask_mlp_logits"
POINTS = "roi_heads.keypoint_predictor.kps_score_lowres"


def numbered(model: StudioRCNN) -> StudioRCNN:
    """The same network with a different number everywhere, so that it shows where each comes from."""
    for place, tensor in enumerate(model.state_dict().values()):
        if tensor.is_floating_point():
            tensor.copy_(torch.arange(tensor.numel()).reshape(tensor.shape) + 1000 * place + 7)
    return model


def taken_over(old: StudioRCNN, new: StudioRCNN, folder: Path) -> tuple[Transfer, dict[str, Tensor]]:
    """The new network filled from a checkpoint of the old one, and what it held before."""
    save(old, folder / "old.safetensors", 1)
    start = copy_of(new)
    return initialise(new, folder / "old.safetensors"), start


# Classes of the old network are cat, dog; place of each row of the new one in the old one, None for a fresh row.
CLASS_LISTS = {
    "the same": (("cat", "dog"), [0, 1, 2]),
    "in another order": (("dog", "cat"), [0, 2, 1]),
    "in capitals": (("Dog", "CAT"), [0, 2, 1]),
    "one known of three": (("bird", "cat", "fish"), [0, None, 1, None]),
    "none known": (("bird",), [0, None]),
    "fewer": (("dog",), [0, 2]),
    "nearly known": (("cat ", "dogs"), [0, None, None]),
}


@pytest.mark.parametrize(("mask_kind", "kind"), one_in(2, product(("sigmoid", "softmax"), CLASS_LISTS)))
def test_a_class_that_the_file_knows_keeps_its_rows(kind: str, mask_kind: str, tmp_path: Path) -> None:
    names, rows = CLASS_LISTS[kind]
    old = numbered(network(class_names=("cat", "dog"), mask_kind=mask_kind))
    new = network(class_names=names, mask_kind=mask_kind)
    transfer, start = taken_over(old, new, tmp_path)
    before, after = old.state_dict(), new.state_dict()
    for layer, each in ((CLASSES, 1), (BOXES, 4), (MASKS, 1)):
        for name in (f"{layer}.weight", f"{layer}.bias"):
            assert len(after[name]) == len(rows) * each
            for row, there in enumerate(rows):
                source = start[name][row * each :] if there is None else before[name][there * each :]
                assert torch.equal(after[name][row * each : (row + 1) * each], source[:each]), (name, row)
    last = tuple(f"{layer}." for layer in (CLASSES, BOXES, MASKS))
    assert all(torch.equal(before[name], after[name]) for name in after if not name.startswith(last))
    known = tuple(name for name, there in zip(names, rows[1:], strict=True) if there is not None)
    assert transfer.kept_classes == known
    assert transfer.new_classes == tuple(name for name in names if name not in known)
    whole = kind == "the same"
    assert set(transfer.fresh) == (set() if whole else {name for name in after if name.startswith(last)})
    assert transfer.loaded == len(after)


def test_the_rows_of_an_mlp_mask_are_whole_masks(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"mask_head": "mlp", "mask_pool_size": 2}  # 4 x 4 = 16 values for each class
    old = numbered(network(class_names=("cat", "dog"), **fields))
    new = network(class_names=("dog", "bird"), **fields)
    _, start = taken_over(old, new, tmp_path)
    name = f"{MLP_MASKS}.weight"
    before, after = old.state_dict()[name], new.state_dict()[name]
    assert len(after) == 48
    assert torch.equal(after[:16], before[:16])
    assert torch.equal(after[16:32], before[32:])
    assert torch.equal(after[32:], start[name][32:])


def test_a_mask_for_whatever_the_class_is_stays_whole(tmp_path: Path) -> None:
    old = numbered(network(class_names=("cat",), mask_kind="agnostic"))
    new = network(class_names=("bird", "fish"), mask_kind="agnostic")
    transfer, _ = taken_over(old, new, tmp_path)
    assert torch.equal(new.state_dict()[f"{MASKS}.weight"], old.state_dict()[f"{MASKS}.weight"])
    assert not [name for name in transfer.fresh if "mask" in name]


@pytest.mark.parametrize(("old_kind", "new_kind"), [("agnostic", "sigmoid"), ("softmax", "agnostic")])
def test_masks_of_another_kind_start_their_last_layer_afresh(old_kind: str, new_kind: str, tmp_path: Path) -> None:
    new = network(class_names=("cat",), mask_kind=new_kind)
    transfer, start = taken_over(network(class_names=("cat",), mask_kind=old_kind), new, tmp_path)
    assert transfer.fresh == (f"{MASKS}.weight", f"{MASKS}.bias")
    assert transfer.describe("it") == "kept what it knows of cat; the last layer of the mask head starts afresh"
    assert torch.equal(new.state_dict()[f"{MASKS}.weight"], start[f"{MASKS}.weight"])


# Names of the old and the new keypoints, and where each new one was.
KEYPOINT_LISTS = {
    "by name": (("nose", "ear", "tail"), ("tail", "wing", "Nose"), [2, None, 0]),
    "more of them": (("nose", "ear"), ("ear", "wing", "nose"), [1, None, 0]),
    "the same number, the old unnamed": ((), ("nose", "ear", "tail"), [0, 1, 2]),
    "the same number, the new unnamed": (("nose", "ear", "tail"), (), [0, 1, 2]),
}


@pytest.mark.parametrize("kind", KEYPOINT_LISTS)
def test_a_keypoint_that_the_file_knows_keeps_its_heatmap(kind: str, tmp_path: Path) -> None:
    names, new_names, places = KEYPOINT_LISTS[kind]
    fields: dict[str, Any] = {"tasks": ("box", "keypoints"), "class_names": ("cat",)}
    old = numbered(network(keypoint_names=names, num_keypoints=len(names) or 3, **fields))
    new = network(keypoint_names=new_names, num_keypoints=len(new_names) or 3, **fields)
    transfer, start = taken_over(old, new, tmp_path)
    for kind_of, dim in (("weight", 1), ("bias", 0)):  # a transposed convolution: (in, out, 4, 4)
        name = f"{POINTS}.{kind_of}"
        for place, there in enumerate(places):
            expected = start[name].select(dim, place) if there is None else old.state_dict()[name].select(dim, there)
            assert torch.equal(new.state_dict()[name].select(dim, place), expected), (name, place)
    assert len(transfer.kept_keypoints) == sum(place is not None for place in places)
    assert len(transfer.new_keypoints) == places.count(None)


def test_as_many_unnamed_keypoints_as_before_are_the_same_ones_and_others_are_not(tmp_path: Path) -> None:
    old = network(tasks=("box", "keypoints"), num_keypoints=3)
    new = network(tasks=("box", "keypoints"), num_keypoints=4)
    transfer, _ = taken_over(old, new, tmp_path)
    assert (transfer.kept_keypoints, len(transfer.new_keypoints)) == ((), 4)


def test_a_new_task_starts_its_head_afresh_and_keeps_the_rest(tmp_path: Path) -> None:
    old = numbered(network(tasks=("box", "mask"), class_names=("cat",)))
    new = network(tasks=ALL_TASKS, class_names=("cat",))
    transfer, start = taken_over(old, new, tmp_path)
    keypoints = {name for name in start if name.startswith("roi_heads.keypoint_")}
    assert keypoints
    assert set(transfer.fresh) == keypoints
    assert transfer.fresh_heads == ("keypoints",)
    for name, tensor in new.state_dict().items():
        assert torch.equal(tensor, start[name] if name in keypoints else old.state_dict()[name])


def test_a_task_less_leaves_its_head_in_the_file(tmp_path: Path) -> None:
    old = numbered(network(tasks=ALL_TASKS, class_names=("cat",)))
    new = network(tasks=("box",), class_names=("cat",))
    transfer, _ = taken_over(old, new, tmp_path)
    assert transfer.fresh == ()
    assert all(torch.equal(tensor, old.state_dict()[name]) for name, tensor in new.state_dict().items())


def test_another_pooling_is_no_difference(tmp_path: Path) -> None:
    old = numbered(network(class_names=("cat",), pooling="pool"))
    new = network(class_names=("cat",), pooling="align", sampling_ratio=4)
    assert taken_over(old, new, tmp_path)[0].fresh == ()
    assert all(torch.equal(tensor, old.state_dict()[name]) for name, tensor in new.state_dict().items())


def test_frozen_norms_may_begin_to_learn_and_the_other_way_round(tmp_path: Path) -> None:
    for norm, other in (("frozen", "batch"), ("batch", "frozen")):
        old, new = numbered(network(norm=norm)), network(norm=other)
        taken_over(old, new, tmp_path)
        assert torch.equal(new.backbone.body["0"][1].running_var, old.backbone.body["0"][1].running_var)


# Fields that differ, and what is said: how many tensors, the first of them, and what to set.
MISMATCHES = {
    "fpn_channels": (16, r"tensors differ \(backbone\.fpn\.inner_blocks\.0\.0\.weight \(8, 16, 1, 1\) in the file, "),
    "box_head_width": (32, r"roi_heads\.box_head\.fc6\.weight \(16, 72\) in the file, \(32, 72\) here"),
    "rpn_head_depth": (2, r"2 tensors differ \(rpn\.head\.conv\.1\.0\.weight not in the file, \(8, 8, 3, 3\) here"),
    "mask_head_depth": (2, r"2 tensors differ \(roi_heads\.mask_head\.1\.0\.weight not in the file"),
    "head_norm": ("batch", r"backbone\.fpn\.inner_blocks\.0\.1\.weight not in the file, \(8\) here"),
    "mask_head": ("mlp", r"roi_heads\.mask_head\.fc6\.weight not in the file"),
    "backbone": ("resnet18_fpn", r"inner_blocks\.0\.0\.weight \(8, 16, 1, 1\) in the file, \(8, 64, 1, 1\) here"),
}


@pytest.mark.parametrize("field", MISMATCHES)
def test_a_network_of_another_shape_is_refused_with_a_list(field: str, tmp_path: Path) -> None:
    value, words = MISMATCHES[field]
    old = network()
    was = getattr(old.config, field)
    new = network(**{field: value})
    before = copy_of(new)
    save(old, tmp_path / "old.safetensors", 1)
    said = rf"old\.safetensors does not fit this network: .*it was trained with {field}={was}: set that too"
    with pytest.raises(StudioError, match=said) as refused:
        initialise(new, tmp_path / "old.safetensors")
    assert refused.match(words)
    assert len(str(refused.value).split(" here")) - 1 <= 3
    assert all(torch.equal(tensor, before[name]) for name, tensor in new.state_dict().items())


def test_a_head_in_the_way_of_rows_is_listed_too(tmp_path: Path) -> None:
    """The last layers have other classes and another width: the width is the mismatch."""
    save(network(class_names=("cat", "dog")), tmp_path / "old.safetensors", 1)
    new = network(class_names=("cat",), mask_head_width=16)
    with pytest.raises(StudioError, match=r"mask_head\.0\.0\.weight \(8, 8, 3, 3\) in the file, \(16, 8, 3, 3\) here"):
        initialise(new, tmp_path / "old.safetensors")


@pytest.mark.parametrize(
    ("old", "new", "counts", "expected"),
    [
        (("a", "b"), ("b", "c"), (2, 2), {0: 1}),
        (("a", "N/A"), ("N/A",), (2, 1), {}),
        ((), (), (2, 2), {0: 0, 1: 1}),
        ((), (), (2, 3), {}),
        (("a", "b"), (), (2, 2), {0: 0, 1: 1}),
        ((), ("a", "b"), (2, 2), {}),  # nobody said what the old ones were
    ],
)
def test_which_rows_are_kept(
    old: tuple[str, ...], new: tuple[str, ...], counts: tuple[int, int], expected: dict[int, int]
) -> None:
    assert rows_kept(old, new, *counts) == expected


LINES = [
    (Transfer(9, (), ("cat",)), "kept all of COCO"),
    (
        Transfer(9, ("x",), ("car", "person"), ("a", "b", "c")),
        "kept what COCO knows of car, person; 3 classes start afresh",
    ),
    (Transfer(9, ("x",), (), ("a",)), "kept COCO without what it knows of its own classes; 1 class starts afresh"),
    (
        Transfer(9, ("x",), ("person",), (), ("nose",), ("wing",)),
        "kept what COCO knows of person, nose; 1 keypoint starts afresh",
    ),
    (
        Transfer(9, ("x",), ("person",), ("car",), ("nose", "ear")),
        "kept what COCO knows of person; 1 class starts afresh",  # and of all keypoints: nothing to say
    ),
    (
        Transfer(9, ("x",), ("person",), fresh_heads=("keypoints",)),
        "kept what COCO knows of person; the keypoint head starts afresh",
    ),
    (Transfer(9, ("x",), part="resnet18 body"), "took the resnet18 body of COCO; everything else starts afresh"),
    (Transfer(9, ("x",), tuple("abcdefghij")), "kept what COCO knows of a, b, c, d, e, f, g, h and 2 more"),
]


@pytest.mark.parametrize(("transfer", "line"), LINES)
def test_a_transfer_says_in_a_line_what_it_was(transfer: Transfer, line: str) -> None:
    assert transfer.describe("COCO") == line
