"""Which fields come along with initial weights of a whole network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from maskrcnn.runs.initial_weights import fields_from_weights


def test_without_a_preset_coco_is_the_network_itself() -> None:
    start = fields_from_weights("coco", {"tasks": ("box",)}, None, None)
    assert (start["tasks"], start["norm_eps"], start["pooling"]) == (("box",), 0.0, "align-legacy")
    assert "class_names" not in start
    assert (
        fields_from_weights("coco", {"backbone": "mobilenet_v3_large_fpn32"}, None, None)["rpn_scales_at"]
        == "every-level"
    )
    # A norm that learns divides by the variance of a few pictures, which can be 0.
    assert fields_from_weights("coco", {"norm": "batch"}, None, None)["norm_eps"] == 1e-5


def test_a_run_and_a_model_that_ships_are_looked_into_without_torch(root: Path) -> None:
    program = """
import sys
from maskrcnn.runs.request import TrainingRequest
for init in ("toy", "data/weights/toy", "data/weights/toy/best.safetensors", "coco"):
    assert TrainingRequest(init=init).config().backbone in ("resnet18_slim_fpn", "resnet50_fpn"), init
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
