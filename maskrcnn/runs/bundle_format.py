"""The content of a model bundle: one zip with a trained run, which another studio opens as a run of its own.

| file | what it is |
|---|---|
| `bundle.json` | format, version, the run's name, who made it and when (`BUNDLE_SCHEMA`) |
| `best.safetensors` | the weights |
| `config.json`, `dataset.json` | as in a run folder (`runs/folder.py`); `dataset.json` has no paths |
| `start.json`, `result.json`, `metrics.jsonl`, `detections/epoch_0007.json` | as there, if the run has them |
| `card.md`, `card.json`, `classes.txt` | for people who unpack the zip; a studio computes the card anew |

A bundle holds nothing else: `inference.export.bundle` writes it, and `runs.opened_bundle` refuses any other file.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from maskrcnn.runs.folder import BEST, CONFIG, DATASET, METRICS, RESULT, START

FORMAT = "mask-rcnn-studio-bundle"
VERSION = 1
"""Version of the format; a studio opens bundles of its own version and older ones."""

ABOUT = "bundle.json"
CARD_TEXT, CARD_DOCUMENT, CLASSES = "card.md", "card.json", "classes.txt"

REQUIRED = (ABOUT, BEST, CONFIG, DATASET)
OPTIONAL = (START, RESULT, METRICS, CARD_TEXT, CARD_DOCUMENT, CLASSES)
FOR_PEOPLE = (ABOUT, CARD_TEXT, CARD_DOCUMENT, CLASSES)
"""Files that the run of an opened bundle does not have."""

_DETECTIONS = re.compile(r"detections/epoch_\d{4,9}\.json")


def belongs(name: str) -> bool:
    """Whether a bundle may hold a file of this name.

    >>> belongs("config.json"), belongs("detections/epoch_0007.json"), belongs("setup.py")
    (True, True, False)
    """
    return name in REQUIRED or name in OPTIONAL or bool(_DETECTIONS.fullmatch(name))


@with_config(ConfigDict(extra="allow"))
class _About(TypedDict):
    format: Annotated[str, Field(max_length=100)]
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    name: Annotated[str, Field(max_length=1000)]


BUNDLE_SCHEMA: TypeAdapter[Any] = TypeAdapter(_About)
"""The schema of `bundle.json`. Later versions may add fields."""
