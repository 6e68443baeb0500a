"""A training of a few pictures of a few thousand pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from maskrcnn.config import Config
from maskrcnn.model import build
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.training.labelled_samples import LabelledSamples
from maskrcnn.training.loop import train
from tests import tiny

SMALL = {**tiny.CONFIG, "backbone": "mobilenet_v3_small_fpn", "class_names": ("square",), "epochs": 2}


class Prepared:
    """A tiny run, ready to train."""

    def __init__(self, folder: Path, pictures: int = 3, **changes: Any) -> None:
        labels, held_back = tiny.squares(folder / "train", pictures), tiny.squares(folder / "val", pictures=2, seed=1)
        self.run = RunFolder.create(folder / "run")
        documents = training_documents(labels, held_back, None, self.run.path)
        self.config = Config.preset("classroom", **{**SMALL, **changes})
        self.run.write_json("config.json", self.config.model_dump())
        torch.manual_seed(0)
        self.model = build(self.config)
        self.training = LabelledSamples(documents["train"], self.run.picture_path, self.config, augment=True)
        self.validation: LabelledSamples | None = LabelledSamples(documents["val"], self.run.picture_path, self.config)

    def train(self, **options: Any) -> dict[str, Any]:
        return train(self.model, self.training, self.validation, self.run, **options)
