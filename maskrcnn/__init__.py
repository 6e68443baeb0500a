"""Mask R-CNN Studio: label a few pictures, fine-tune Mask R-CNN on them, and see where and why it is right or wrong.

The package can be used without a browser: run `python -m maskrcnn --help`, or import it. The main functions are
attributes of this package, for notebooks. Each is imported when it is first used, so `import maskrcnn` does not import
torch:

```python
maskrcnn.read("labels.json")                        # maskrcnn.annotations
maskrcnn.train(TrainingRequest(data="train"), out)  # maskrcnn.training.training_run, maskrcnn.runs.request
maskrcnn.load("toy").predict("photo.jpg")           # maskrcnn.inference, as are predict and evaluate
maskrcnn.compare(report_a, report_b)                # maskrcnn.evaluation
maskrcnn.RunFolder.open("runs/first")               # maskrcnn.runs.folder
```

`docs/python.md` has an example; `ARCHITECTURE.md` describes the other modules.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from maskrcnn.install_folders import VERSION

if TYPE_CHECKING:
    from maskrcnn.annotations import read, write
    from maskrcnn.evaluation import compare
    from maskrcnn.inference import evaluate, load, predict
    from maskrcnn.runs.folder import RunFolder
    from maskrcnn.runs.request import TrainingRequest
    from maskrcnn.training.training_run import train

__version__ = VERSION

__all__ = ["RunFolder", "TrainingRequest", "compare", "evaluate", "load", "predict", "read", "train", "write"]

_MODULES = {
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
"""Name -> the module that defines it."""


def __getattr__(name: str) -> Any:
    """Import a name of `_MODULES` when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
