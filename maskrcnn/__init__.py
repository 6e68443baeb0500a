"""Mask R-CNN Studio: label a few pictures, fine-tune Mask R-CNN on them, see where it is right and why.

The package is usable without a browser: `python -m maskrcnn --help`, or import it. These names stand at the top, for
notebooks; each is loaded when it is first used, so `import maskrcnn` loads no torch:

```python
maskrcnn.read("labels.json")                        # maskrcnn.annotations
maskrcnn.train(TrainingRequest(data="train"), out)  # maskrcnn.training.training_run, maskrcnn.runs.request
maskrcnn.load("toy")                                # maskrcnn.inference, as are predict and evaluate
maskrcnn.compare(report_a, report_b)                # maskrcnn.evaluation
maskrcnn.RunFolder.open("runs/first")               # maskrcnn.runs.folder
```

`docs/python.md` shows them at work; `ARCHITECTURE.md` says where everything else is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskrcnn.annotations import read, write
    from maskrcnn.evaluation import compare
    from maskrcnn.inference import evaluate, load, predict
    from maskrcnn.runs.folder import RunFolder
    from maskrcnn.runs.request import TrainingRequest
    from maskrcnn.training.training_run import train

__version__ = "0.1.0"

__all__ = ["RunFolder", "TrainingRequest", "compare", "evaluate", "load", "predict", "read", "train", "write"]

_HOMES = {
    "RunFolder": "maskrcnn.runs.folder",
    "TrainingRequest": "maskrcnn.runs.request",
    "compare": "maskrcnn.evaluation",
    "evaluate": "maskrcnn.inference",
    "load": "maskrcnn.inference",
    "predict": "maskrcnn.inference",
    "read": "maskrcnn.annotations",
    "train": "maskrcnn.training.training_run",
    "write": "maskrcnn.annotations",
}
"""Name -> the module that it is loaded from."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
