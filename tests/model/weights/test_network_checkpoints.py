"""Our checkpoints out and in, and bodies that were trained for classification."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torchvision.models import get_model, get_model_weights

from maskrcnn.config import BACKBONES, Config
from maskrcnn.errors import StudioError
from maskrcnn.model import build, load
from maskrcnn.model.backbones import BODIES
from maskrcnn.model.weights import find_checkpoint, initialise, load_body, save
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.weights_misfit import NEVER_TRAINED
from tests.model.small import ALL_TASKS, FIELDS, classifier, copy_of, network


def test_a_checkpoint_holds_all_that_the_network_needs(tmp_path: Path) -> None:
    model = network(class_names=("cat", "dog"), pooling="pool")
    save(model, tmp_path / "a.safetensors", epoch=3)
    back = load(tmp_path / "a.safetensors")
    assert back.config == model.config
    assert not back.training
    assert find_checkpoint(tmp_path / "a.safetensors").epoch == 3
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, back.state_dict()[name])


NETWORKS = {
    "box alone": {"tasks": ("box",)},
    "keypoints": {"tasks": ("box", "keypoints"), "num_keypoints": 5},
    "all tasks": {"tasks": ALL_TASKS},
    "c4, whose heads share stage 5": {"tasks": ALL_TASKS, "backbone": "mobilenet_v3_small_c4", "mask_head": "mlp"},
    "c4 of AlexNet, without one": {"tasks": ALL_TASKS, "backbone": "alexnet_c4"},
    "c5 with a norm in its neck": {"backbone": "mobilenet_v3_small_c5", "head_norm": "batch"},
    "group norm and softmax masks": {"norm": "group", "head_norm": "group", "mask_kind": "softmax"},
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_kind_of_network_comes_back_as_it_was(kind: str, tmp_path: Path) -> None:
    model = network(
        **NETWORKS[kind], class_names=("cat", "dog"), detection_min_confidence=0.0, detection_max_instances=3
    )
    save(model, tmp_path / "a.safetensors", 1)
    back = load(tmp_path / "a.safetensors")
    picture = [torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(1))]
    with torch.inference_mode():
        ours, theirs = model(picture)[0], back(picture)[0]
    assert len(ours["boxes"]) > 0
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_shared_stage_is_in_the_file_once(tmp_path: Path) -> None:
    save(network(tasks=ALL_TASKS, backbone="mobilenet_v3_small_c4"), tmp_path / "a.safetensors", 1)
    owners = {name.partition("stage5.")[0] for name in load_file(tmp_path / "a.safetensors") if "stage5." in name}
    assert owners == {"roi_heads.box_head."}


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
    for gone in (run.best, *run.checkpoints().values()):
        gone.unlink()
    run.append_metrics({"event": "epoch", "epoch": 2, "step": 8, "segm_ap": 0.5})
    with pytest.raises(StudioError, match="no checkpoint any more"):
        find_checkpoint(run.path)


def test_metadata_is_readable_without_us(tmp_path: Path) -> None:
    save(network(), tmp_path / "a.safetensors", 5)
    raw = (tmp_path / "a.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["config"])["fpn_channels"] == 8


FIRST_VERSION = """{"num_classes":3,"class_names":["cat","dog"],"image_min_dim":384,"image_max_dim":512,
"mean_pixel":[0.485,0.456,0.406],"std_pixel":[0.229,0.224,0.225],"backbone":"resnet18_fpn","norm":"frozen",
"fpn_channels":8,"rpn_anchor_scales":[32,64,128,256,512],"rpn_anchor_ratios":[0.5,1.0,2.0],
"rpn_train_anchors_per_image":256,"rpn_positive_ratio":0.5,"rpn_positive_iou":0.7,"rpn_negative_iou":0.3,
"rpn_nms_threshold":0.7,"pre_nms_limit":500,"pre_nms_limit_training":null,"post_nms_rois_training":500,
"post_nms_rois_inference":200,"pooling":"align","sampling_ratio":2,"pool_size":7,"mask_pool_size":14,
"train_rois_per_image":64,"roi_positive_ratio":0.25,"roi_positive_iou":0.5,"box_head_width":16,"mask_head_width":8,
"mask_head_depth":1,"mask_shape":28,"detection_min_confidence":0.05,"detection_nms_threshold":0.5,
"detection_max_instances":100,"layers":"all","optimiser":"adamw","learning_rate":0.0005,"learning_momentum":0.9,
"weight_decay":0.0001,"gradient_clip_norm":5.0,"warmup_steps":50,"batch_size":4,"epochs":20,"minutes":null,
"steps_per_epoch":null,"flip":0.5,"scale_jitter":0.25,"colour_jitter":0.3,"loss_weights":{"rpn_class_loss":1.0,
"rpn_bbox_loss":1.0,"mrcnn_class_loss":1.0,"mrcnn_bbox_loss":1.0,"mrcnn_mask_loss":2.0},"precision":"auto","seed":0}"""
"""What the first version wrote: a mask_shape, five losses, one task, one kind of backbone."""


def test_a_checkpoint_of_the_first_version_loads(tmp_path: Path) -> None:
    same_today = Config.preset(
        *("classroom",),
        **{"backbone": "resnet18_fpn", "class_names": ("cat", "dog"), "fpn_channels": 8},
        **{"box_head_width": 16, "mask_head_width": 8, "mask_head_depth": 1},
    )
    state = build(same_today).state_dict()
    # The names of its tensors: those of torchvision's MaskRCNN, as today.
    assert {"roi_heads.mask_head.0.0.weight", "rpn.head.conv.0.0.weight", "backbone.fpn.inner_blocks.3.0.bias"} < set(
        state
    )
    metadata = {"format": "mask-rcnn-studio/1", "config": FIRST_VERSION, "epoch": "4"}
    save_file(state, tmp_path / "old.safetensors", metadata=metadata)
    back = load(tmp_path / "old.safetensors")
    assert back.config.class_names == ("cat", "dog")
    assert back.config.tasks == ("box", "mask")
    assert back.config.mask_shape == 28
    assert back.config.loss_weights["mrcnn_mask_loss"] == 2.0
    assert all(torch.equal(tensor, back.state_dict()[name]) for name, tensor in state.items())
    assert find_checkpoint(tmp_path / "old.safetensors").epoch == 4


def test_loading_a_model_imports_no_streamlit(tmp_path: Path, root: Path) -> None:
    save(network(), tmp_path / "a.safetensors", 1)
    program = (
        "import sys\nimport maskrcnn.model\n"
        f"maskrcnn.model.load({str(tmp_path / 'a.safetensors')!r})\n"
        "assert 'streamlit' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def backbones_to_try() -> list[str]:
    """Every body of torchvision's with a pyramid, and every way to cut the body that has one more."""
    theirs = [name for name in BACKBONES if not name.startswith(NEVER_TRAINED)]
    return [name for name in theirs if name.endswith("_fpn") or name.startswith("mobilenet_v3_large")]


@pytest.mark.parametrize("backbone", backbones_to_try())
def test_every_body_is_read_from_torchvisions_key_names(backbone: str) -> None:
    """Shapes alone, for speed: that the values go there too is the next test."""
    config = Config.preset("classroom", **{**FIELDS, "backbone": backbone, **one_map(backbone)})
    with torch.device("meta"):
        model = build(config)
        theirs = dict(get_model(BODIES[config.body].network, weights=None).state_dict())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("maskrcnn.model.weights.transfer.read_state", lambda path: theirs)
        patch.setattr("maskrcnn.model.weights.transfer.refuse_not_finite", lambda tensors, source: None)
        transfer = load_body(model, "body.pth")
    body = {name for name in model.state_dict() if name.startswith(("backbone.body.", "roi_heads.box_head.stage5."))}
    assert transfer.loaded == len([name for name in body if not name.endswith("num_batches_tracked")])
    assert set(transfer.fresh) == set(model.state_dict()) - body


def one_map(backbone: str) -> dict[str, object]:
    """What else a backbone needs that is no pyramid of five levels."""
    return {"rpn_scales_at": "every-level"} if backbone.endswith("fpn32") else {}


@pytest.mark.parametrize("backbone", ["resnet18_c4", "mobilenet_v3_small_c4", "mobilenet_v3_small_fpn", "alexnet_c4"])
def test_the_tensors_of_a_body_go_to_their_places(backbone: str, tmp_path: Path) -> None:
    body = BODIES[backbone.rpartition("_")[0]]
    theirs = classifier(body.network)
    torch.save(theirs, tmp_path / "body.pth")
    model = network(backbone=backbone)
    transfer = load_body(model, tmp_path / "body.pth")
    prefix = f"{body.children}." if body.children else ""
    filled = 0
    for home in ("backbone.body.", "roi_heads.box_head.stage5."):
        for name, tensor in model.state_dict().items():
            if name.startswith(home):
                assert torch.equal(tensor, theirs[prefix + name.removeprefix(home)]), name
                filled += 1
    assert filled == transfer.loaded > 0
    assert not set(transfer.fresh) & {name for name in model.state_dict() if "stage5" in name}


def test_with_c4_stage_5_is_filled_in_the_box_head(tmp_path: Path) -> None:
    theirs = classifier("resnet18")
    torch.save(theirs, tmp_path / "body.pth")
    model = network(backbone="resnet18_c4")
    load_body(model, tmp_path / "body.pth")
    stage5 = model.roi_heads.box_head.stage5
    assert torch.equal(stage5.layer4[1].conv2.weight, theirs["layer4.1.conv2.weight"])


@pytest.mark.parametrize(
    ("backbone", "other", "first"),
    [
        ("mobilenet_v3_small_fpn", "alexnet", r"0\.0\.weight not in the file, \(16, 3, 3, 3\) here"),
        ("resnet18_fpn", "resnet34", r"layer1\.2\.conv1\.weight \(64, 64, 3, 3\) in the file, not here"),
    ],
)
def test_the_body_of_another_network_is_refused(backbone: str, other: str, first: str, tmp_path: Path) -> None:
    torch.save(classifier(other), tmp_path / "other.pth")
    model = network(backbone=backbone)
    before = copy_of(model)
    with pytest.raises(StudioError, match=rf"other\.pth does not hold a .* body: .*{first}.*--backbone {other}_"):
        load_body(model, tmp_path / "other.pth")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_batch_norms_are_not_taken_for_group_norms(tmp_path: Path) -> None:
    torch.save(classifier("mobilenet_v3_small"), tmp_path / "body.pth")
    model = network(norm="group")
    before = copy_of(model)
    for fill in (load_body, initialise):
        with pytest.raises(StudioError, match=r"trained with BatchNorm, but norm is group; .*--set norm=frozen"):
            fill(model, tmp_path / "body.pth")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_body_of_a_detector_is_a_body_too(tmp_path: Path) -> None:
    old = network(tasks=("box",))
    torch.save({"model": old.state_dict(), "epoch": 3}, tmp_path / "detector.pth")
    new = network(fpn_channels=16, tasks=ALL_TASKS)
    load_body(new, tmp_path / "detector.pth")
    assert torch.equal(new.backbone.body["0"][0].weight, old.backbone.body["0"][0].weight)


def test_real_imagenet_weights_fill_the_body(root: Path) -> None:
    path = root.parent / "shared/weights/mobilenet_v2_imagenet_frozenbn.pth"
    if not path.is_file():
        pytest.skip("needs ../shared/weights")
    model = network(backbone="mobilenet_v2_fpn")
    load_body(model, path)
    theirs = torch.load(path, weights_only=True)
    assert torch.equal(model.backbone.body["17"].conv[1][0].weight, theirs["features.17.conv.1.0.weight"])
    assert torch.equal(model.backbone.body["0"][1].running_var, theirs["features.0.1.running_var"])


def test_imagenet_weights_are_fetched_from_torchvisions_address(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = classifier("mobilenet_v3_small")
    asked = []

    def fetch(url: str, **_: object) -> dict[str, torch.Tensor]:
        asked.append(url)
        return theirs

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fetch)
    model = network()
    load_body(model, "imagenet")
    assert asked == [get_model_weights("mobilenet_v3_small")["IMAGENET1K_V1"].url]
    assert torch.equal(model.backbone.body["11"].block[0][0].weight, theirs["features.11.block.0.0.weight"])
