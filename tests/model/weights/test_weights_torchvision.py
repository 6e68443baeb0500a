"""torchvision's detectors: found out, rebuilt key for key, loaded; and what `coco` means for a network."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.models import get_model, get_model_weights
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from maskrcnn.errors import StudioError
from maskrcnn.model import build, load
from maskrcnn.model.weights import detector_config, find_checkpoint, initialise
from maskrcnn.model.weights.torchvision_files import current_names, identify_detector, read_state
from maskrcnn.runs.torchvision_catalogue import COCO_DETECTORS
from tests.model.small import network


def theirs(builder: str, **changes: Any) -> dict[str, Tensor]:
    """Names and shapes of torchvision's own network, as its COCO file has them: BatchNorms do not count their batches
    when they are frozen."""
    with torch.device("meta"):
        state = get_model(builder, weights=None, weights_backbone=None, **changes).state_dict()
    return {name: tensor for name, tensor in state.items() if "v2" in builder or not name.endswith("_tracked")}


def shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.mark.parametrize("builder", COCO_DETECTORS)
def test_the_config_of_a_builder_is_that_network_key_for_key(builder: str) -> None:
    with torch.device("meta"):
        ours = build(detector_config(builder))
    assert shapes(ours.state_dict()) == shapes(theirs(builder))


@pytest.mark.parametrize("builder", COCO_DETECTORS)
def test_a_file_of_torchvisions_is_known_by_its_name(builder: str) -> None:
    for weights in get_model_weights(builder):
        config, origin = identify_detector({}, Path("somewhere") / weights.url.rsplit("/", 1)[1])
        assert config == detector_config(builder, weights.name)
        assert origin == f"torchvision's {builder}, {weights.name}"


@pytest.mark.parametrize("builder", [name for name in COCO_DETECTORS if "320" not in name])
def test_a_file_of_another_name_is_known_by_its_tensors(builder: str) -> None:
    """Which leaves out the twin for pictures of 320 px: its tensors are the same."""
    config, origin = identify_detector(theirs(builder), Path("renamed.pth"))
    assert config == detector_config(builder)
    assert origin == f"a detector like torchvision's {builder}"


def test_classes_and_keypoints_have_the_names_of_coco() -> None:
    config = detector_config("maskrcnn_resnet50_fpn")
    assert (config.num_classes, config.class_names[0], config.class_names[17]) == (91, "person", "dog")
    config = detector_config("keypointrcnn_resnet50_fpn")
    assert (config.class_names, config.keypoint_names[0]) == (("person",), "nose")
    # COCO's list counts from 1 and has the limb (16, 14): the left ankle and the left knee.
    ends = {(config.keypoint_names[a], config.keypoint_names[b]) for a, b in config.keypoint_edges}
    assert ("left_ankle", "left_knee") in ends
    assert ("left_ear", "left_shoulder") in ends
    assert len(ends) == 19


# torchvision's builders call overwrite_eps(model, 0.0) for these weights and no others.
@pytest.mark.parametrize(
    ("builder", "weights", "eps"),
    [
        ("maskrcnn_resnet50_fpn", "COCO_V1", 0.0),
        ("fasterrcnn_resnet50_fpn", "COCO_V1", 0.0),
        ("keypointrcnn_resnet50_fpn", "COCO_V1", 0.0),
        ("keypointrcnn_resnet50_fpn", "COCO_LEGACY", 1e-5),
        ("maskrcnn_resnet50_fpn_v2", "COCO_V1", 1e-5),
        ("fasterrcnn_mobilenet_v3_large_fpn", "COCO_V1", 1e-5),
    ],
)
def test_the_eps_of_the_norms_is_what_the_weights_were_trained_with(builder: str, weights: str, eps: float) -> None:
    config = detector_config(builder, weights)
    assert config.norm_eps == eps
    with torch.device("meta"):
        model = build(config)
    norms = [module for module in model.backbone.body.modules() if hasattr(module, "running_var")]
    assert norms
    assert {norm.eps for norm in norms} == {eps}


def test_a_detector_that_somebody_trained_is_rebuilt_with_its_own_counts() -> None:
    state = theirs("keypointrcnn_resnet50_fpn", num_classes=4, num_keypoints=5)
    config, _ = identify_detector(state, Path("mine.pth"))
    assert (config.num_classes, config.class_names, config.num_keypoints, config.keypoint_names) == (4, (), 5, ())
    assert (config.tasks, config.norm, config.norm_eps) == (("box", "keypoints"), "frozen", 1e-5)
    with torch.device("meta"):
        assert shapes(build(config).state_dict()) == shapes(state)


def test_batch_norms_that_count_are_batch_norms() -> None:
    state = {**theirs("fasterrcnn_resnet50_fpn"), "backbone.body.bn1.num_batches_tracked": torch.zeros(())}
    assert identify_detector(state, Path("mine.pth"))[0].norm == "batch"


def old_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names that torchvision gave its layers when it trained the first COCO weights."""
    rules = (
        (r"(inner_blocks|layer_blocks)\.(\d)\.0\.", r"\1.\2."),
        (r"rpn\.head\.conv\.0\.0\.", "rpn.head.conv."),
    )
    renamed = {}
    for name, tensor in state.items():
        for new, old in rules:
            name = re.sub(new, old, name)
        if found := re.match(r"(roi_heads\.mask_head\.)(\d)\.0\.(.*)", name):
            name = f"{found[1]}mask_fcn{int(found[2]) + 1}.{found[3]}"
        renamed[name] = tensor
    return renamed


def test_names_of_torchvisions_first_files_are_translated() -> None:
    state = theirs("maskrcnn_resnet50_fpn")
    old = old_names(state)
    assert {"rpn.head.conv.weight", "backbone.fpn.inner_blocks.0.bias", "roi_heads.mask_head.mask_fcn4.weight"} < set(
        old
    )
    with torch.device("meta"):  # torchvision itself is the oracle: its modules know these names
        original = get_model("maskrcnn_resnet50_fpn", weights=None, weights_backbone=None)
        missing = original.load_state_dict(dict(old), strict=False, assign=True)
    assert not missing.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)
    assert shapes(current_names(old)) == shapes(state)
    assert current_names(state) == state


@pytest.fixture(scope="module")
def mobilenet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """torchvision's smallest detector with random weights that see something, and its file, named as its download."""
    torch.manual_seed(0)
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    model = get_model(name, weights=None, weights_backbone=None).eval()
    torch.nn.init.normal_(model.roi_heads.box_predictor.cls_score.bias, std=2)
    path = tmp_path_factory.mktemp("files") / get_model_weights(name)["COCO_V1"].url.rsplit("/", 1)[1]
    torch.save(model.state_dict(), path)
    return model, path


def test_a_file_of_torchvisions_is_a_model(mobilenet: tuple[Any, Path]) -> None:
    original, path = mobilenet
    ours = load(path)
    assert ours.config == detector_config("fasterrcnn_mobilenet_v3_large_320_fpn")
    assert not ours.training
    pictures = [torch.rand(3, 200, 260)]
    with torch.inference_mode():
        for expected, found in zip(original(pictures), ours(pictures), strict=True):
            assert len(expected["boxes"]) > 5
            torch.testing.assert_close(found["boxes"], expected["boxes"], atol=1e-4, rtol=1e-5)
            torch.testing.assert_close(found["scores"], expected["scores"], atol=1e-5, rtol=1e-5)
            assert torch.equal(found["labels"], expected["labels"])


def test_a_file_of_torchvisions_says_what_it_is(mobilenet: tuple[Any, Path]) -> None:
    checkpoint = find_checkpoint(mobilenet[1])
    assert checkpoint.epoch is None
    assert checkpoint.origin == "torchvision's fasterrcnn_mobilenet_v3_large_320_fpn, COCO_V1"


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"
    torch.save(network(tasks=("box",)).state_dict(), path)
    with pytest.raises(StudioError, match=r"bf2d0c1e\.pth does not fit .*maskrcnn_resnet50_fpn, COCO_V1.* differ \("):
        load(path)


def test_a_body_of_another_depth_is_found(tmp_path: Path) -> None:
    torch.manual_seed(0)
    original = FasterRCNN(
        resnet_fpn_backbone(backbone_name="resnet18", weights=None, norm_layer=torch.nn.BatchNorm2d), num_classes=3
    )
    state = {f"module.{name}": tensor for name, tensor in original.state_dict().items()}  # as DistributedDataParallel
    torch.save({"state_dict": state, "epoch": 7}, tmp_path / "mine.pth")
    ours = load(tmp_path / "mine.pth")
    assert (ours.config.backbone, ours.config.norm, ours.config.tasks) == ("resnet18_fpn", "batch", ("box",))
    assert ours.config.names == ("class 1", "class 2")
    assert torch.equal(ours.roi_heads.box_head.fc6.weight, original.roi_heads.box_head.fc6.weight)


def test_coco_weights_come_from_torchvisions_address(
    monkeypatch: pytest.MonkeyPatch, mobilenet: tuple[Any, Path]
) -> None:
    original, path = mobilenet
    asked = []

    def fetch(url: str, **options: Any) -> dict[str, Tensor]:
        asked.append(url)
        assert options["check_hash"]
        return read_state(path)

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fetch)
    ours = build(detector_config("fasterrcnn_mobilenet_v3_large_320_fpn", class_names=("horse",), num_classes=2))
    transfer = initialise(ours, "coco")
    assert [url.rsplit("/", 1)[1] for url in asked] == [path.name]
    assert transfer.kept_classes == ("horse",)
    horse = get_model_weights("fasterrcnn_mobilenet_v3_large_320_fpn")["COCO_V1"].meta["categories"].index("horse")
    known = original.roi_heads.box_predictor
    assert torch.equal(ours.roi_heads.box_predictor.cls_score.weight[1], known.cls_score.weight[horse])
    assert torch.equal(ours.roi_heads.box_predictor.bbox_pred.bias[4:], known.bbox_pred.bias[4 * horse : 4 * horse + 4])


def test_a_download_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real way down to the socket, which is not there."""

    def no_network(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)
    model = network(backbone="mobilenet_v3_large_fpn32", rpn_scales_at="every-level", tasks=("box",))
    with pytest.raises(StudioError, match=r"COCO weights of fasterrcnn_mobilenet_v3_large_320_fpn could not be downl"):
        initialise(model, "coco")
    assert not list(tmp_path.rglob("*.pth"))
