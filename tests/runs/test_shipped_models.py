"""Models that ship, as everything but the network sees them, and which start is usual."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.model import build
from maskrcnn.model.weights import initialise
from maskrcnn.runs import initial_weights, shipped_models, weights_misfit
from tests import shipping
from tests.model.small import ALL_TASKS, FIELDS


def test_a_name_is_a_word_and_a_path_is_a_folder(weights_folder: Path) -> None:
    for name in ("toy-people", "toy", "a-third"):
        shipping.ship(weights_folder, name)
    (weights_folder / "half made").mkdir()
    assert shipped_models.names() == ("toy", "a-third", "toy-people")
    assert shipped_models.folder("toy") == weights_folder / "toy"
    assert (
        shipped_models.folder("half made")
        is shipped_models.folder("./toy")
        is shipped_models.folder(Path("toy"))
        is None
    )
    assert (shipped_models.card("toy-people") or {})["name"] == "toy-people"
    assert shipped_models.card("mine") is None
    for text in ("{", "[]", '{"name": "a card of another program"}'):
        (weights_folder / "a-third" / "card.json").write_text(text)
        assert shipped_models.card("a-third") is None


def test_where_nothing_ships_no_word_means_a_model() -> None:
    assert shipped_models.names() == ()
    assert shipped_models.folder("toy") is shipped_models.card("toy") is None


def test_a_card_in_words() -> None:
    assert shipped_models.card_in_short(shipping.CARD) == (
        "10,000 pictures of the toy world shapes, seed 1000  ·  mask AP 0.700 [0.680, 0.720] on 500 others"
    )
    boxes = {**shipping.CARD, "ap": {"bbox": {"AP": 0.5}, "segm": None, "keypoints": None}, "intervals": {}}
    assert shipped_models.card_ap_words(boxes) == "box AP 0.500 on 500 others"
    assert shipped_models.card_ap_words({**shipping.CARD, "ap": {}}) == ""


def test_a_copy_names_the_projects_own_pictures(weights_folder: Path, tmp_path: Path) -> None:
    shipping.ship(weights_folder, pictures=("a.png", "b.png"))
    runs = tmp_path / "project" / "runs"
    copy = shipped_models.copy_into(runs, "toy", {"a.png": tmp_path / "project" / "images" / "a.png"})
    assert copy == runs / "toy"
    own, other = json.loads((copy / "dataset.json").read_text())["val"]["images"]
    assert own["path"] == "../../images/a.png"
    assert other["path"] == str(weights_folder.parent / "shapes" / "val" / "b.png")
    assert {path.name for path in copy.iterdir()} == {path.name for path in (weights_folder / "toy").iterdir()}
    assert shipped_models.card_in(copy) == {**shipping.CARD, "name": "toy"}
    with pytest.raises(KeyError):
        shipped_models.copy_into(runs, "mine", {})


# The usual start


def downloaded(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> None:
    monkeypatch.setenv("TORCH_HOME", str(folder))
    (folder / "hub" / "checkpoints").mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / "hub" / "checkpoints" / f"{name}-12345678.pth").touch()


def test_what_is_known_of_photographs_comes_first_then_what_ships_then_nothing(
    weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom, large = Config.preset("classroom"), Config.preset("torchvision")

    def usual(config: Config) -> tuple[str, str]:
        start = initial_weights.usual_weights(config)
        assert start.why
        return start.weights, start.init

    assert usual(classroom) == usual(large) == ("none", "none")
    shipping.ship(weights_folder)
    assert usual(classroom) == ("none", "toy")
    assert usual(large) == ("none", "none")
    downloaded(monkeypatch, tmp_path, "mobilenet_v2", "maskrcnn_resnet50_fpn_coco")
    assert usual(classroom) == ("imagenet", "none")
    assert usual(large) == ("none", "coco")


def test_a_network_with_keypoints_starts_from_people_if_they_fit(weights_folder: Path) -> None:
    posed = Config.preset("classroom", tasks=ALL_TASKS)
    shipping.ship(weights_folder)
    assert initial_weights.usual_weights(posed).init == "toy"
    shipping.ship(weights_folder, "toy-people", tasks=ALL_TASKS)
    assert initial_weights.usual_weights(posed).init == "toy-people"
    assert initial_weights.usual_weights(Config.preset("classroom")).init == "toy"
    assert initial_weights.usual_weights(posed.replace(keypoint_head_width=64)).init == "toy"


def test_where_nobody_named_a_preset_its_own_network_comes_along(weights_folder: Path) -> None:
    shipping.ship(weights_folder, backbone="resnet18_fpn", fpn_channels=64)
    classroom = Config.preset("classroom")
    assert initial_weights.usual_weights(classroom).init == "none"
    assert initial_weights.usual_weights(classroom, {}).init == "toy"
    assert initial_weights.usual_weights(classroom, {"pooling": "pool", "seed": 3}).init == "toy"
    for chosen in ({"backbone": "mobilenet_v2_fpn"}, {"fpn_channels": 128}, {"rpn_anchor_scales": (8, 16)}):
        assert initial_weights.usual_weights(classroom, chosen).init == "none"


@pytest.mark.parametrize(
    ("start", "fields"),
    [
        (initial_weights.InitialWeights(), {"norm": "batch", "layers": "all"}),
        (initial_weights.InitialWeights(init="toy"), {"norm": "group", "layers": "5+"}),
        (initial_weights.InitialWeights(init="coco"), {"norm": "frozen", "layers": "3+"}),
        (initial_weights.InitialWeights(weights="imagenet"), {"norm": "frozen", "layers": "3+"}),
    ],
)
def test_norm_and_layers_follow_from_the_start(
    start: initial_weights.InitialWeights, fields: dict[str, str], weights_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipping.ship(weights_folder)
    monkeypatch.setattr(shipped_models, "FINE_TUNE", {"norm": "group", "layers": "5+"})
    assert initial_weights.usual_fields(start, "frozen") == fields


NETWORKS = {
    "the same": {},
    "classes, picture, pooling": {"class_names": ("a", "b", "c"), "image_min_dim": 80, "pooling": "pool"},
    "norm that learns": {"norm": "batch"},
    "group norm": {"norm": "group"},
    "norm in the heads": {"head_norm": "batch"},
    "another body": {"backbone": "mobilenet_v3_large_fpn"},
    "one map": {"backbone": "mobilenet_v3_small_c5"},
    "wider maps": {"fpn_channels": 16},
    "larger anchors, as many": {"rpn_anchor_scales": (16, 32, 64, 128, 200)},
    "more anchors": {"rpn_scales_at": "every-level"},
    "other shapes of anchors": {"rpn_anchor_ratios": (0.3, 1.0, 3.0)},
    "more shapes of anchors": {"rpn_anchor_ratios": (0.5, 1.0)},
    "deeper RPN": {"rpn_head_depth": 2},
    "larger grid": {"pool_size": 5},
    "convolutions in the box head": {"box_head_depth": 1},
    "wider box head": {"box_head_width": 24},
    "larger grid of masks": {"mask_pool_size": 10},
    "fully connected masks": {"mask_head": "mlp"},
    "one mask for all": {"mask_kind": "agnostic"},
    "wider masks": {"mask_head_width": 16},
    "deeper masks": {"mask_head_depth": 2},
    "boxes alone": {"tasks": ("box",), "mask_head_width": 16},
    "keypoints, too": {"tasks": ALL_TASKS, "keypoint_head_width": 16},
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_what_fits_is_what_can_be_taken_over(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transfer of tensors is the oracle; without their values, for speed."""
    source = Config.preset("classroom", **{**FIELDS, "class_names": ("a", "b")})
    config = source.replace(**({"num_classes": 4} if "class_names" in NETWORKS[kind] else {}), **NETWORKS[kind])
    monkeypatch.setattr("maskrcnn.model.weights.transfer.refuse_not_finite", lambda tensors, source: None)
    with torch.device("meta"):
        state, network = build(source).state_dict(), build(config)

    class Given:
        def __init__(self) -> None:
            self.config = source

        def state(self) -> dict[str, torch.Tensor]:
            return dict(state)

    monkeypatch.setattr("maskrcnn.model.weights.transfer.find_checkpoint", lambda path: Given())
    field = weights_misfit.weights_misfit(source, config)
    if field is None:
        initialise(network, "toy")
    else:
        with pytest.raises(StudioError, match="norm is group" if field == "norm" else field):
            initialise(network, "toy")


def test_a_misfit_is_said_with_its_mend(weights_folder: Path) -> None:
    shipping.ship(weights_folder)
    config = Config.preset("classroom", fpn_channels=64)
    assert weights_misfit.shipped_weights_misfit("toy", config) == (
        "toy needs fpn_channels = 128, here it is 64; choose that, or start without it"
    )
    assert "norm is group" in (
        weights_misfit.shipped_weights_misfit("toy", Config.preset("classroom", norm="group")) or ""
    )
    with pytest.raises(ArgumentError, match='no model "mine" ships with the studio; there is toy'):
        weights_misfit.shipped_weights_misfit("mine", config)
