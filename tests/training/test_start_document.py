"""start.json: what a trainer notes before its first step, for model cards and for whoever makes the run again."""

from __future__ import annotations

import json
import time
from pathlib import Path

import torch
import torchvision

from maskrcnn.install_folders import VERSION
from maskrcnn.runs.folder import START, RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.training.training_start import _start_document
from tests import tiny


def test_it_notes_options_versions_and_what_is_left_out(tmp_path: Path) -> None:
    labels = tiny.squares(tmp_path / "data")
    document = json.loads(labels.read_text())
    point = {"shape_attributes": {"name": "point", "cx": 5, "cy": 5}, "region_attributes": {"kind": "square"}}
    document["square0.png"]["regions"].append(point)
    labels.write_text(json.dumps(document))
    request = TrainingRequest(data=str(labels), init="none", changed={"epochs": 2})
    documents = training_documents(labels, labels, None, tmp_path / "run")
    run = RunFolder.create(tmp_path / "run")
    run.write_json(START, _start_document(request, documents))
    noted = run.read_json(START)
    assert noted is not None
    assert TrainingRequest.from_argv(noted["options"]) == request
    assert noted["versions"]["mask-rcnn-studio"] == VERSION
    assert (noted["versions"]["torch"], noted["versions"]["torchvision"]) == (
        torch.__version__,
        torchvision.__version__,
    )
    assert abs(noted["started"] - time.time()) < 60
    line = '1 region is a point and is not learned: 1 of 4 of "square"'
    assert noted["left_out"] == [line, f"of the validation set, {line}"]
