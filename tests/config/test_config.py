"""The Config: what it refuses and in which words, what follows from what, and that files of old still mean the same."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest

from maskrcnn.config import (
    BACKBONES,
    COCO_SIGMAS,
    LOSS_NAMES,
    LOSSES,
    STRIDES,
    Config,
    parse_settings,
    usual_sigmas,
)
from maskrcnn.config.presets import PRESETS
from maskrcnn.errors import ArgumentError


def refusal(**fields: Any) -> str:
    with pytest.raises(ArgumentError) as error:
        Config.preset("classroom", **fields)
    return str(error.value)


@pytest.mark.parametrize("name", Config.model_fields)
def test_every_field_says_why_in_a_sentence(name: str) -> None:
    words = Config.model_fields[name].description
    assert words is not None
    assert words.endswith(".")
    assert "\n" not in words
    assert len(words.split()) >= 3
    first = words.split()[0].strip(":")
    assert not first[0].islower() or first in get_args(Config.model_fields[name].annotation)  # it tells its choices


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        # A choice: the field, what was given, what there is.
        ({"pooling": "roll"}, ["pooling = 'roll'", "'align'", "'align-legacy'", "'pool'", "'warp'"]),
        ({"pooling_mode": "min"}, ["pooling_mode = 'min'", "'auto'", "'average'", "'max'"]),
        ({"backbone": "resnet50"}, ["backbone = 'resnet50'", "'resnet50_fpn'", "'resnet50_c4'", "'alexnet_c4'"]),
        ({"norm": "layer"}, ["norm = 'layer'", "'frozen'", "'batch'", "'group'"]),
        ({"head_norm": "frozen"}, ["head_norm = 'frozen'", "'none'", "'batch'", "'group'"]),
        ({"mask_head": "cnn"}, ["mask_head = 'cnn'", "'fcn'", "'mlp'"]),
        ({"mask_kind": "tanh"}, ["mask_kind = 'tanh'", "'sigmoid'", "'softmax'", "'agnostic'"]),
        ({"layers": "2+"}, ['layers = 2+: "2+" is none of heads, 3+, 4+, 5+, all']),
        ({"tasks": "box,pose"}, ["tasks = 'pose'", "'box'", "'mask'", "'keypoints'"]),
        # A number out of its range, or no number.
        ({"num_classes": 1}, ["num_classes = 1", "greater than or equal to 2"]),
        ({"rpn_nms_threshold": 1.5}, ["rpn_nms_threshold = 1.5", "less than or equal to 1"]),
        ({"learning_rate": 0}, ["learning_rate = 0", "greater than 0"]),
        ({"learning_rate": "fast"}, ["learning_rate = 'fast'", "valid number"]),
        ({"rpn_anchor_ratios": ()}, ["rpn_anchor_ratios = ()", "at least 1"]),
        # What does not go together.
        ({"tasks": "mask"}, ["tasks = mask: every network finds boxes first; add box"]),
        ({"tasks": ""}, ["tasks"]),
        ({"class_names": ("cat",), "num_classes": 3}, ["num_classes is 3, but 1 class name plus the background"]),
        ({"keypoint_names": ("a", "b"), "num_keypoints": 3}, ["keypoint_names has 2 entries, but num_keypoints is 3"]),
        ({"keypoint_sigmas": (0.1, 0), "num_keypoints": 2}, ["keypoint_sigmas must be larger than 0"]),
        ({"keypoint_edges": ((0, 3),), "num_keypoints": 3}, ["keypoint_edges", "counted 0 to 2"]),
        ({"image_min_dim": 600}, ["image_min_dim 600 is larger than image_max_dim 512"]),
        ({"rpn_anchor_scales": (32, 64)}, ["rpn_anchor_scales has 2 entries", "5 levels", 'rpn_scales_at to "every-']),
        ({"rpn_anchor_ratios": (1, -1)}, ["rpn_anchor_ratios must be larger than 0"]),
        ({"rpn_positive_iou": 0.2}, ["rpn_negative_iou must not be larger than rpn_positive_iou"]),
        ({"pooling_mode": "max", "sampling_ratio": 0}, ["pooling_mode max needs a fixed sampling_ratio (1 to 8)"]),
        ({"loss_weights": {"mask_loss": 2}}, ["loss_weights knows only rpn_class_loss, ", "mrcnn_keypoint_loss"]),
        ({"epochs": None}, ["set either epochs or minutes"]),
        ({"mask_shape": 20}, ["mask_shape = 20: it follows from mask_pool_size"]),
        # A field that there is not, with the one that was probably meant.
        ({"mask_pool": 14}, ['there is no field "mask_pool"; did you mean "mask_pool_size"?']),
        ({"colour": 1, "pooling": "x"}, ['"colour"', "pooling = 'x'"]),
    ],
)
def test_what_is_wrong_is_refused_by_name(fields: dict[str, Any], words: list[str]) -> None:
    said = refusal(**fields)
    for word in words:
        assert word in said
    assert "\n" not in said
    assert "pydantic" not in said


def test_an_unknown_preset_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ArgumentError, match="tiny") as error:
        Config.preset("tiny")
    assert all(name in str(error.value) for name in PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_its_file(name: str) -> None:
    config = Config.preset(name)
    assert Config.parse(json.loads(json.dumps(config.model_dump()))) == config
    assert Config.parse(json.loads(config.model_dump_json())) == config


def test_the_presets_that_the_lectures_name_are_there() -> None:
    assert set(PRESETS) >= {"classroom", "standard", "paper", "torchvision", "detectron"}
    assert Config.preset("classroom") == Config()


@pytest.mark.parametrize(
    ("preset", "fields"),
    [
        # He et al. 2017, section 3.1 and figure 4; Ren et al. 2015 for the IoUs of the RPN.
        (
            "paper",
            {
                "backbone": "resnet101_fpn",
                "image_min_dim": 800,
                "fpn_channels": 256,
                "rpn_anchor_scales": (32, 64, 128, 256, 512),
                "rpn_anchor_ratios": (0.5, 1.0, 2.0),
                "rpn_positive_iou": 0.7,
                "rpn_negative_iou": 0.3,
                "roi_positive_iou": 0.5,
                "roi_positive_ratio": 0.25,
                "train_rois_per_image": 512,
                "post_nms_rois_inference": 1000,
                "detection_max_instances": 100,
                "pool_size": 7,
                "mask_pool_size": 14,
                "mask_shape": 28,
                "keypoint_shape": 56,
                "keypoint_head_depth": 8,
                "keypoint_head_width": 512,
                "keypoint_decode": "argmax",
                "mask_kind": "sigmoid",
                "pooling": "align",
                "weight_decay": 1e-4,
                "learning_momentum": 0.9,
            },
        ),
        ("torchvision", {"backbone": "resnet50_fpn", "pooling": "align-legacy", "num_classes": 91, "norm": "frozen"}),
        ("torchvision", {"keypoint_decode": "argmax"}),
        ("classroom", {"keypoint_decode": "oks"}),
        ("torchvision-v2", {"norm": "batch", "head_norm": "batch", "rpn_head_depth": 2, "box_head_depth": 4}),
        ("torchvision-mobilenet", {"tasks": ("box",), "kind": "fpn32", "rpn_min_score": 0.05}),
        ("detectron", {"pooling": "align", "sampling_ratio": 0, "num_classes": 81}),
    ],
)
def test_presets_say_what_they_stand_for(preset: str, fields: dict[str, Any]) -> None:
    config = Config.preset(preset)
    assert {name: getattr(config, name) for name in fields} == fields


def test_one_word_changes_and_everything_else_stays_equal() -> None:
    before, after = Config.preset("torchvision"), Config.preset("torchvision", pooling="pool")
    changed = {name for name in Config.model_fields if getattr(before, name) != getattr(after, name)}
    assert changed == {"pooling"}
    assert before.replace(pooling="pool") == after


def test_it_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().pooling = "pool"


@pytest.mark.parametrize(
    ("given", "tasks", "absent"),
    [
        (("box",), ("box",), {"mrcnn_mask_loss", "mrcnn_keypoint_loss"}),
        (("mask", "box"), ("box", "mask"), {"mrcnn_keypoint_loss"}),
        ("keypoints,box", ("box", "keypoints"), {"mrcnn_mask_loss"}),
        (["keypoints", "mask", "box", "box"], ("box", "mask", "keypoints"), set()),
    ],
)
def test_tasks_are_a_set_and_have_their_losses(given: Any, tasks: tuple[str, ...], absent: set[str]) -> None:
    config = Config.preset("classroom", tasks=given)
    assert config.tasks == tasks
    assert set(LOSSES) - set(config.losses) == absent
    assert list(config.losses) == [name for name in LOSS_NAMES.values() if name in config.losses]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_backbone_is_a_body_and_a_kind(backbone: str) -> None:
    config = Config.preset("classroom", backbone=backbone, rpn_scales_at="every-level")
    assert f"{config.body}_{config.kind}" == backbone
    assert config.backbone_strides == STRIDES[config.kind]
    assert len(config.anchor_scales) == len(config.backbone_strides)


@pytest.mark.parametrize(
    ("fields", "scales"),
    [
        ({}, ((32,), (64,), (128,), (256,), (512,))),
        ({"rpn_anchor_scales": (16, 32), "rpn_scales_at": "every-level"}, ((16, 32),) * 5),
        ({"backbone": "resnet50_c4", "rpn_anchor_scales": (128, 256, 512)}, ((128, 256, 512),)),
        ({"backbone": "resnet50_c5", "rpn_anchor_scales": (128,)}, ((128,),)),
        (
            {"backbone": "mobilenet_v3_large_fpn32", "rpn_anchor_scales": (32, 64), "rpn_scales_at": "every-level"},
            ((32, 64), (32, 64), (32, 64)),
        ),
        (
            {"backbone": "mobilenet_v3_large_fpn32", "rpn_anchor_scales": (32, 64, 128)},
            ((32,), (64,), (128,)),
        ),
    ],
)
def test_the_anchor_scales_of_each_map(fields: dict[str, Any], scales: tuple[tuple[int, ...], ...]) -> None:
    assert Config.preset("classroom", **fields).anchor_scales == scales


def test_shapes_follow_from_grids() -> None:
    config = Config.preset("classroom", mask_pool_size=7, keypoint_pool_size=10)
    assert (config.mask_shape, config.keypoint_shape) == (14, 40)


def test_names_and_numbers_follow_from_each_other() -> None:
    assert Config.preset("classroom", class_names=("cat", "dog")).num_classes == 3
    assert Config.preset("classroom", num_classes=3).names == ("class 1", "class 2")
    assert Config.preset("classroom", class_names=("cat", "dog")).names == ("cat", "dog")
    assert Config.preset("classroom", keypoint_names=("a", "b", "c")).num_keypoints == 3
    assert Config.preset("classroom", keypoint_sigmas=(0.1, 0.2)).num_keypoints == 2


def test_sigmas_are_cocos_for_a_person_and_middling_for_others() -> None:
    # Ronchi and Perona 2017: a nose is placed to 0.026 of the object's size, an ankle to 0.089.
    assert len(COCO_SIGMAS) == 17
    person = Config.preset("classroom", tasks="box,keypoints").sigmas
    assert (person[0], person[-1]) == (0.026, 0.089)
    assert Config.preset("classroom", num_keypoints=5).sigmas == usual_sigmas(5) == (0.05,) * 5
    assert Config.preset("classroom", keypoint_sigmas=(0.1, 0.2)).sigmas == (0.1, 0.2)


def test_minutes_take_the_place_of_epochs() -> None:
    config = Config.preset("classroom", minutes=7)
    assert (config.epochs, config.minutes) == (None, 7)
    assert Config.parse(json.loads(config.model_dump_json())) == config
    assert "set either epochs or minutes" in refusal(epochs=3, minutes=7)


def test_what_is_not_weighed_counts_once() -> None:
    config = Config.preset("classroom", loss_weights={"mrcnn_mask_loss": 2})
    assert config.loss_weights == {**dict.fromkeys(LOSSES, 1.0), "mrcnn_mask_loss": 2.0}


def test_a_config_written_before_there_were_tasks_is_still_read() -> None:
    """As the first runs wrote it: with mask_shape, five losses, and without what came later."""
    five = [name for name in LOSSES if name != "mrcnn_keypoint_loss"]
    old = {
        "num_classes": 2,
        "class_names": ["balloon"],
        "image_min_dim": 384,
        "image_max_dim": 512,
        "backbone": "mobilenet_v2_fpn",
        "norm": "frozen",
        "fpn_channels": 128,
        "pooling": "align",
        "mask_pool_size": 14,
        "mask_shape": 28,
        "loss_weights": dict.fromkeys(five, 0.5),
        "epochs": None,
        "minutes": 5.0,
    }
    config = Config.parse(old)
    assert config.tasks == ("box", "mask")
    assert config.mask_shape == 28
    assert config.loss_weights == {**dict.fromkeys(five, 0.5), "mrcnn_keypoint_loss": 1.0}
    assert config.class_names == ("balloon",)
    assert old["mask_shape"] == 28  # what was given is not touched
    with pytest.raises(ArgumentError, match="mask_shape = 56: it follows from mask_pool_size"):
        Config.parse({**old, "mask_shape": 56})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("learning_rate=0.01", 0.01),
        ("pooling=warp", "warp"),
        ("tasks=box,keypoints", ("box", "keypoints")),
        ("rpn_anchor_scales=16,32,64,128,256", (16, 32, 64, 128, 256)),
        ("rpn_anchor_ratios=[1]", (1.0,)),
        ("keypoint_edges=[[0, 1], [1, 2]]", ((0, 1), (1, 2))),
        ("class_names=cat,dog", ("cat", "dog")),
        ("compile=true", True),
        ("pre_nms_limit_training=null", None),
    ],
)
def test_settings_of_the_command_line(setting: str, value: Any) -> None:
    config = Config.preset("classroom", **parse_settings([setting]))
    assert getattr(config, setting.split("=")[0]) == value


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("pooling", "--set pooling: write it as FIELD=VALUE"),
        ("poling=warp", '--set poling=warp: there is no field "poling"; did you mean "pooling"?'),
        ("xyz=1", '--set xyz=1: there is no field "xyz"; `python -m maskrcnn info RUN` lists them all'),
    ],
)
def test_settings_that_cannot_be_read(setting: str, words: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_settings([setting])
    assert str(error.value).startswith(words)


@pytest.mark.parametrize(
    ("layers", "stages"),
    [
        ("3+", [("3+", 1.0, 1.0)]),
        ("heads,all", [("heads", 0.5, 1.0), ("all", 1.0, 0.1)]),
        ("heads, 4+ ,all", [("heads", 1 / 3, 1.0), ("4+", 2 / 3, 0.1), ("all", 1.0, 0.1)]),
        ("heads:0.4,all:0.6:0.2", [("heads", 0.4, 1.0), ("all", 1.0, 0.2)]),
        ("heads:0.2:2,3+,all::1", [("heads", 0.2, 2.0), ("3+", 0.6, 0.1), ("all", 1.0, 1.0)]),
        ("all:1:0.5", [("all", 1.0, 0.5)]),
    ],
)
def test_the_stages_of_a_run(layers: str, stages: list[tuple[str, float, float]]) -> None:
    found = Config.preset("classroom", layers=layers).stages
    assert [stage.layers for stage in found] == [word for word, _, _ in stages]
    assert [stage.until for stage in found] == pytest.approx([until for _, until, _ in stages])
    assert [stage.rate for stage in found] == pytest.approx([rate for _, _, rate in stages])
    assert found[-1].until == 1.0  # not nearly


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ("body", '"body" is none of heads, 3\\+, 4\\+, 5\\+, all'),
        ("", '"" is none of'),
        ("heads,", '"" is none of'),
        ("heads:half,all", "write each stage as LAYERS:SHARE:RATE"),
        ("heads:0.4:1:2,all", "write each stage as LAYERS:SHARE:RATE"),
        ("heads:-0.4,all", "shares in .0, 1., rates above 0"),
        ("heads:0.4:0,all", "shares in .0, 1., rates above 0"),
        ("heads:0.4,all:0.5", "must add up to 1"),
        ("heads:1,all", "must add up to 1"),
    ],
)
def test_stages_that_cannot_be_are_refused(layers: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^layers = {re.escape(layers)}: .*{words}"):
        Config.preset("classroom", layers=layers)
