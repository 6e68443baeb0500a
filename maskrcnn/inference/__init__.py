"""Inference with a trained network: load it, detect objects in pictures, draw them, evaluate it on labels.

```python
from maskrcnn.inference import evaluate, load, predict

model = load("toy")                                  # or a run folder, or a checkpoint
model.predict("photo.jpg").plot()                    # boxes, scores, classes, masks of one picture
for found in predict(model, ["photos"]):
    print(found.name, len(found.shown(min_score=0.5)))
report = evaluate(model, "labels.json").report
```

`evaluate_detections` measures the detections of a file. It needs no network: each name is imported when it is first
used, so torch is not imported for it. No module here parses arguments or prints; `maskrcnn.cli` does both.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskrcnn.inference.dataset_evaluation import Evaluation, evaluate
    from maskrcnn.inference.detections_evaluation import evaluate_detections
    from maskrcnn.inference.found_objects import FoundObjects
    from maskrcnn.inference.model_description import ModelDescription, describe
    from maskrcnn.inference.network_loading import load
    from maskrcnn.inference.picture_prediction import PicturePrediction, predict
    from maskrcnn.inference.prediction_folder import PredictionFolder, predict_into
    from maskrcnn.inference.trained_network import TrainedNetwork

__all__ = [
    "Evaluation",
    "FoundObjects",
    "ModelDescription",
    "PicturePrediction",
    "PredictionFolder",
    "TrainedNetwork",
    "describe",
    "evaluate",
    "evaluate_detections",
    "load",
    "predict",
    "predict_into",
]

_MODULES = {
    "Evaluation": "dataset_evaluation",
    "FoundObjects": "found_objects",
    "ModelDescription": "model_description",
    "PicturePrediction": "picture_prediction",
    "PredictionFolder": "prediction_folder",
    "TrainedNetwork": "trained_network",
    "describe": "model_description",
    "evaluate": "dataset_evaluation",
    "evaluate_detections": "detections_evaluation",
    "load": "network_loading",
    "predict": "picture_prediction",
    "predict_into": "prediction_folder",
}
"""Name -> the module that defines it."""


def __getattr__(name: str) -> Any:
    """Import a name of `_MODULES` when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
