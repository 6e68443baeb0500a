"""The network: torchvision's Mask R-CNN, composed with our pooling and described by one `Config`.

```python
from maskrcnn.config import Config
from maskrcnn.model import build, detect, explain, load, prepare, trace

model = build(Config.preset("torchvision"))  # maskrcnn_resnet50_fpn, key for key
model = load("runs/balloon")                 # a run folder or a checkpoint
found = detect(prepare(model), picture)      # prepare: the same detections in less time and memory
stages = trace(model, picture)               # every map, anchor, proposal and box on the way, with survivors
```
"""

from maskrcnn.model.build import build
from maskrcnn.model.detect import detect
from maskrcnn.model.fast_inference import prepare
from maskrcnn.model.feature_maps import FeatureMaps, features
from maskrcnn.model.tracing import GroundTruth, ObjectStory, Trace, explain, trace
from maskrcnn.model.weights import load

__all__ = [
    "FeatureMaps",
    "GroundTruth",
    "ObjectStory",
    "Trace",
    "build",
    "detect",
    "explain",
    "features",
    "load",
    "prepare",
    "trace",
]
