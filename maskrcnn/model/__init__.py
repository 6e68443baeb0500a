"""The network: torchvision's Mask R-CNN with RoI pooling of the studio, described by one `Config`.

```python
from maskrcnn.config import Config
from maskrcnn.model import build, detect, explain, load, prepare, trace

model = build(Config.preset("torchvision"))  # torchvision's maskrcnn_resnet50_fpn
model = load("runs/balloon")                 # a run folder or a checkpoint
found = detect(prepare(model), picture)      # prepare: the same detections in less time and memory
stages = trace(model, picture)               # all maps, anchors, proposals and boxes, and the survivors of each filter
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
