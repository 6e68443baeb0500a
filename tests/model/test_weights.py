"""Checkpoints out and in, bodies, and what is refused."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import mobilenet_v2, resnet18

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.model import build, load
from maskrcnn.model.build import StudioMaskRCNN
from maskrcnn.model.weights import find_checkpoint, initialise, load_body, save
from maskrcnn.training.run_folder import RunFolder
from tests import tiny


def network(**changes: object) -> StudioMaskRCNN:
    return build(Config.preset("classroom", **{**tiny.CONFIG, **changes}))


def test_a_checkpoint_holds_all_that_the_network_needs(tmp_path: Path) -> None:
    model = network(class_names=("cat", "dog"), pooling="pool")
    save(model, tmp_path / "a.safetensors", epoch=3)
    back = load(tmp_path / "a.safetensors")
    assert back.config == model.config
    assert not back.training
    assert find_checkpoint(tmp_path / "a.safetensors").epoch == 3
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, back.state_dict()[name])


def test_a_run_means_its_best_checkpoint_else_its_last(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    run.write_json("config.json", Config.preset("classroom").model_dump())
    with pytest.raises(StudioError, match="no checkpoint yet"):
        find_checkpoint(run.path)
    for epoch in (1, 2):
        save(network(), run.checkpoint(epoch), epoch)
    assert find_checkpoint(run.path).epoch == 2
    save(network(), run.best, 1)
    assert find_checkpoint(run.path).epoch == 1


class Bomb:
    def __reduce__(self) -> tuple:
        return (Path("exploded").touch, ())


def test_what_is_not_a_checkpoint_of_ours_is_refused_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(network(), tmp_path / "whole.safetensors", 1)
    whole = (tmp_path / "whole.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.safetensors").write_text("hello")
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "pickle.safetensors").write_bytes(pickle.dumps(Bomb()))
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    (tmp_path / "folder").mkdir()
    for name in ("cut", "text", "empty", "pickle", "other"):
        with pytest.raises(StudioError, match=rf"{name}\.safetensors is not a checkpoint of Mask R-CNN Studio; give"):
            load(tmp_path / f"{name}.safetensors")
    with pytest.raises(ArgumentError, match="is not a run folder"):
        load(tmp_path / "folder")
    with pytest.raises(ArgumentError, match="nowhere does not exist"):
        load(tmp_path / "nowhere")
    assert not (tmp_path / "exploded").exists()


def test_a_body_is_read_from_torchvisions_key_names(tmp_path: Path) -> None:
    theirs = mobilenet_v2(weights=None)
    torch.save(theirs.state_dict(), tmp_path / "body.pth")
    model = network(backbone="mobilenet_v2_fpn")
    load_body(model, tmp_path / "body.pth")
    assert torch.equal(model.backbone.body["17"].conv[1][0].weight, theirs.features[17].conv[1][0].weight)


def test_the_body_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save(resnet18(weights=None).state_dict(), tmp_path / "resnet.pth")
    model = network(backbone="mobilenet_v2_fpn")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(StudioError, match=r"resnet\.pth does not hold a mobilenet_v2 body: .*first .features\.0\.0"):
        load_body(model, tmp_path / "resnet.pth")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bomb.pth").write_bytes(pickle.dumps(Bomb()))
    torch.save({"model": Bomb()}, tmp_path / "bomb2.pth")
    for name in ("bomb.pth", "bomb2.pth"):
        with pytest.raises(StudioError, match="is not a torch state dict"):
            load_body(network(), tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_new_classes_keep_everything_but_the_last_layers(tmp_path: Path) -> None:
    old = network(class_names=("cat", "dog"))
    save(old, tmp_path / "old.safetensors", 1)
    new = network(class_names=("bird",))
    transfer = initialise(new, tmp_path / "old.safetensors")
    assert torch.equal(new.roi_heads.box_head.fc6.weight, old.roi_heads.box_head.fc6.weight)
    assert {name.rsplit(".", 1)[0] for name in transfer.fresh} == {
        "roi_heads.box_predictor.cls_score",
        "roi_heads.box_predictor.bbox_pred",
        "roi_heads.mask_predictor.mask_fcn_logits",
    }


def test_the_same_classes_keep_the_last_layers_too(tmp_path: Path) -> None:
    old = network(class_names=("cat", "dog"))
    save(old, tmp_path / "old.safetensors", 1)
    new = network(class_names=("cat", "dog"))
    assert initialise(new, tmp_path / "old.safetensors").fresh == ()
    assert torch.equal(new.roi_heads.box_predictor.cls_score.weight, old.roi_heads.box_predictor.cls_score.weight)


def test_a_network_of_another_shape_is_refused(tmp_path: Path) -> None:
    save(network(), tmp_path / "old.safetensors", 1)
    with pytest.raises(StudioError, match=r"does not fit this network: .* tensors"):
        initialise(network(fpn_channels=16), tmp_path / "old.safetensors")


def test_a_download_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    with pytest.raises(StudioError, match="ImageNet weights of resnet18 could not be downloaded"):
        load_body(network(), "imagenet")
    with pytest.raises(StudioError, match="COCO weights could not be downloaded"):
        initialise(network(), "coco")


def test_metadata_is_readable_without_us(tmp_path: Path) -> None:
    save(network(), tmp_path / "a.safetensors", 5)
    raw = (tmp_path / "a.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["config"])["fpn_channels"] == 8
