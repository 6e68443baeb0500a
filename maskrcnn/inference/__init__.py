"""Inference with a trained network: load it, detect objects in pictures, draw them, evaluate it on labels.

```python
from maskrcnn.inference import evaluate, load, predict

model = load("toy")                                  # or a run folder, or a checkpoint
for found in predict(model, ["photos"]):
    print(found.name, len(found.shown(min_score=0.5)))
report = evaluate(model, "labels.json").report
```

No module here parses arguments or prints; `maskrcnn.cli` does both.
"""

from maskrcnn.inference.dataset_evaluation import Evaluation, evaluate
from maskrcnn.inference.model_description import ModelDescription, describe
from maskrcnn.inference.network_loading import load
from maskrcnn.inference.picture_prediction import PicturePrediction, predict
from maskrcnn.inference.prediction_folder import PredictionFolder, predict_into

__all__ = [
    "Evaluation",
    "ModelDescription",
    "PicturePrediction",
    "PredictionFolder",
    "describe",
    "evaluate",
    "load",
    "predict",
    "predict_into",
]
