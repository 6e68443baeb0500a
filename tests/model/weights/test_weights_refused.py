"""Files that are not what they should be: one line that names the file and the mend, and no code of theirs is run."""

import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.model import load
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.weights import initialise, load_body, save
from maskrcnn.model.weights.network_checkpoints import FORMAT
from maskrcnn.model.weights.tensor_checks import refuse_not_finite
from tests.model.small import copy_of, network


class Bomb:
    """Unpickled, it would leave a file behind."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("exploded").touch, ())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good checkpoint."""
    path = tmp_path_factory.mktemp("whole") / "whole.safetensors"
    save(network(class_names=("cat",)), path, 1)
    return path


@pytest.fixture(scope="module")
def model() -> StudioRCNN:
    return network(class_names=("cat",))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is also where a bomb would go off."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rewritten(
    whole: Path, path: Path, tensors: dict[str, torch.Tensor] | None = None, drop: str = "", **metadata: Any
) -> None:
    """The checkpoint with other tensors, without some of them, or with other metadata."""
    raw = whole.read_bytes()
    kept = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
    state = {name: tensor for name, tensor in load_file(whole).items() if not (drop and name.startswith(drop))}
    save_file(state | (tensors or {}), path, metadata={**kept, **metadata})


def with_field(whole: Path, name: str, value: Any) -> str:
    """The config of a checkpoint with one field more, or another value."""
    raw = whole.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    return json.dumps({**json.loads(header["__metadata__"]["config"]), name: value})


def pickled(path: Path, thing: object) -> None:
    path.write_bytes(pickle.dumps(thing))


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")


def zipped_pickle(path: Path) -> None:
    """A file laid out as torch's are, whose pickle is not tensors."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb()))
        archive.writestr("archive/version", "3")
        archive.writestr("archive/byteorder", "little")


NAN = torch.full((2,), float("nan"))
HUGE = 2**63 - 1

OURS: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "a pickle": (lambda whole, path: pickled(path, Bomb()), "cannot be read as a checkpoint"),
    "cut in the middle": (
        lambda whole, path: path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2]),
        "cannot be read as a checkpoint of ours .*cut short",
    ),
    "cut in its header": (lambda whole, path: path.write_bytes(whole.read_bytes()[:100]), "cut short"),
    "empty": (lambda whole, path: path.touch(), "is empty; give another"),
    "text": (lambda whole, path: path.write_text("hello"), "cannot be read as a checkpoint"),
    "a header longer than any file": (
        lambda whole, path: path.write_bytes(struct.pack("<Q", HUGE) + b"{}"),
        "cannot be read as a checkpoint",
    ),
    "of another program": (
        lambda whole, path: save_file({"a": torch.zeros(1)}, path),
        "is a safetensors file of another program; give",
    ),
    "of a later format": (
        lambda whole, path: rewritten(whole, path, format="mask-rcnn-studio/7"),
        r"of another version \(mask-rcnn-studio/7\); update",
    ),
    "with a field of a later version": (
        lambda whole, path: rewritten(whole, path, config=with_field(whole, "attention", 3)),
        'has a field "attention" that this version does not know; update',
    ),
    "with a value that is none": (
        lambda whole, path: rewritten(whole, path, config=with_field(whole, "pooling", "suction")),
        "configuration does not hold .*pooling",
    ),
    "with a config that is no JSON": (lambda whole, path: rewritten(whole, path, config="{"), "not readable"),
    "with a config of brackets": (lambda whole, path: rewritten(whole, path, config="[" * 90000), "not readable"),
    "with a config that is a list": (lambda whole, path: rewritten(whole, path, config="[]"), "holds no fields"),
    "with an epoch that is none": (lambda whole, path: rewritten(whole, path, epoch="last"), "not readable"),
    "without a config": (lambda whole, path: save_file({}, path, metadata={"format": FORMAT}), "not readable"),
    "of another architecture": (
        lambda whole, path: rewritten(whole, path, config=with_field(whole, "fpn_channels", 16)),
        r"does not fit its own description .* tensors differ \(backbone\.fpn.* \(8, .*\) in the file, \(16, .*\) here",
    ),
    "that asks for a hundred terabytes": (
        lambda whole, path: rewritten(whole, path, config=with_field(whole, "box_head_width", 10**9)),
        "does not fit its own description .*1000000000",
    ),
    "without a part": (
        lambda whole, path: rewritten(whole, path, drop="rpn.head.cls"),
        r"2 tensors differ \(rpn\.head\.cls_logits\.\w+ not in the file",
    ),
    "with a tensor too many": (
        lambda whole, path: rewritten(whole, path, {"rpn.head.conv.9.weight": torch.zeros(1)}),
        r"1 tensor differs \(rpn\.head\.conv\.9\.weight \(1\) in the file, not here\)",
    ),
    "with NaN weights": (
        lambda whole, path: rewritten(whole, path, {"roi_heads.box_predictor.cls_score.bias": NAN}),
        r"cls_score\.bias. has values that are NaN or infinite; give another",
    ),
    "with infinite weights": (
        lambda whole, path: rewritten(whole, path, {"roi_heads.box_predictor.cls_score.bias": 1 / torch.zeros(2)}),
        r"cls_score\.bias. has values that are NaN or infinite",
    ),
}
"""What a .safetensors file may hold -> how it is made from a good one, and what is said of it."""


@pytest.mark.parametrize("kind", OURS)
def test_a_checkpoint_that_is_none_is_refused_with_one_line(kind: str, whole: Path, here: Path) -> None:
    make, words = OURS[kind]
    make(whole, here / "bad.safetensors")
    with pytest.raises(StudioError, match=rf"bad\.safetensors.*{words}") as refused:
        load("bad.safetensors")
    assert len(str(refused.value)) < 700
    assert not (here / "exploded").exists()


# What a file says of its network matters only when that network is built from it.
@pytest.mark.parametrize("kind", [kind for kind in OURS if not kind.startswith(("of another arch", "that asks"))])
def test_it_is_refused_as_a_start_too_and_the_network_stays_as_it_was(
    kind: str, whole: Path, here: Path, model: StudioRCNN
) -> None:
    make, _ = OURS[kind]
    make(whole, here / "bad.safetensors")
    before = copy_of(model)
    with pytest.raises(StudioError, match=r"bad\.safetensors"):
        initialise(model, "bad.safetensors")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not (here / "exploded").exists()


THEIRS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a pickle that runs code": (lambda path: pickled(path, Bomb()), "is not a torch state dict"),
    "a torch file that runs code": (lambda path: torch.save({"model": Bomb()}, path), "can run code; save the state"),
    "a zip of torch's layout that runs code": (zipped_pickle, "is not a torch state dict"),
    "a whole module": (lambda path: torch.save(torch.nn.Linear(2, 2), path), "holds more than tensors .*state_dict"),
    "cut in the middle": (lambda path: cut(path), "is not a torch state dict .*cut short; give"),
    "empty": (lambda path: path.touch(), "is empty; give another"),
    "text": (lambda path: path.write_text("hello"), "is not a torch state dict"),
    "a zip of something else": (zipped, "is not a torch state dict"),
    "a NumPy array": (lambda path: np.save(path.open("wb"), np.zeros(3)), "is not a torch state dict"),
    "a list": (lambda path: torch.save([torch.zeros(1)], path), "holds no state dict"),
    "numbers": (lambda path: torch.save({"lr": 0.1}, path), "holds no state dict"),
    "a tensor larger than its file": (
        lambda path: torch.save({"a": torch.zeros(1).expand(10**6, 10**6, 10**5)}, path),
        "holds no state dict",
    ),
    "a network of another kind": (
        lambda path: torch.save({"layer.weight": torch.zeros(3, 3)}, path),
        "holds no detector of torchvision|holds neither a detector .* nor a body|does not hold a",
    ),
    "only the last layer of a detector": (
        lambda path: torch.save({"roi_heads.box_predictor.cls_score.weight": torch.zeros(3, 8)}, path),
        "a body that is unknown here|does not hold a",
    ),
}
"""What a .pth file may hold -> how it is made, and what is said of it."""


def cut(path: Path) -> None:
    torch.save({"a": torch.zeros(10_000)}, path)
    path.write_bytes(path.read_bytes()[:20_000])


@pytest.mark.parametrize("kind", THEIRS)
def test_a_torch_file_that_is_no_weights_is_refused_by_every_door(kind: str, here: Path, model: StudioRCNN) -> None:
    make, words = THEIRS[kind]
    make(here / "bad.pth")
    before = copy_of(model)
    for door in (load, lambda path: initialise(model, path), lambda path: load_body(model, path)):
        with pytest.raises(StudioError, match=rf"bad\.pth.*({words})") as refused:
            door("bad.pth")
        assert len(str(refused.value)) < 700
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not (here / "exploded").exists()


def test_a_body_with_nan_weights_is_refused(here: Path, model: StudioRCNN) -> None:
    state = {name.replace("backbone.body.", "features."): tensor for name, tensor in copy_of(model).items()}
    state = {name: tensor for name, tensor in state.items() if name.startswith("features.")}
    state["features.4.block.1.0.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, "bad.pth")
    before = copy_of(model)
    for fill in (load_body, initialise):
        with pytest.raises(StudioError, match=r"bad\.pth .* \"4\.block\.1\.0\.weight\" has values that are NaN"):
            fill(model, "bad.pth")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_huge_weights_are_finite() -> None:
    refuse_not_finite([("a", torch.full((4,), 3e38)), ("b", torch.full((4,), 6e4, dtype=torch.float16))], "it")
    for value in (float("inf"), float("nan")):
        with pytest.raises(StudioError, match='its tensor "c"'):
            refuse_not_finite([("c", torch.tensor([1.0, value, -value]))], "it")


def test_places_without_a_model_are_named(here: Path, model: StudioRCNN) -> None:
    (here / "folder").mkdir()
    with pytest.raises(ArgumentError, match="folder is not a run folder"):
        load("folder")
    with pytest.raises(ArgumentError, match="nowhere does not exist; give"):
        load("nowhere")
    for source in ("nowhere", "nowhere.pth", "folder"):
        with pytest.raises(ArgumentError, match=source):
            initialise(model, source)
    with pytest.raises(ArgumentError, match=r"nowhere\.pth does not exist"):
        load_body(model, "nowhere.pth")
