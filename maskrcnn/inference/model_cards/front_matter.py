"""The YAML front matter of a model card, as model hubs read it: tags, kind of task, metrics and figures."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from maskrcnn.evaluation.measures import IouType
from maskrcnn.inference.model_cards.card_parts import CardContent
from maskrcnn.words import one_line

_NOT_IN_YAML = re.compile("[^\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that a YAML stream must not contain; in a text they are written as escapes."""

_LONGEST = 200

_HUB_TASKS = {"segm": "image-segmentation", "keypoints": "keypoint-detection", "bbox": "object-detection"}
"""The finest thing that a network finds -> the word of model hubs for such a network."""


def front_matter(card: CardContent) -> list[str]:
    """The lines of the front matter, with the lines `---` around them.

    The licence is a comment to be filled in, except for a model that ships with the studio. Names are written as JSON
    texts, which YAML reads as they are.
    """
    task = _HUB_TASKS[_finest(card.network.tasks)]
    lines = ["---", "library_name: mask-rcnn-studio", f"pipeline_tag: {task}", "# license: which one? For example: mit"]
    lines += ["tags:", *(f"- {tag}" for tag in _tags(card))]
    kinds = card.shipped.kinds if card.shipped else card.measured.kinds if card.measured else ()
    if kinds:
        lines += ["metrics:", *(f"- {kind.word}-ap" for kind in kinds)]
        lines += ["model-index:", f"- name: {yaml_text(card.name)}", "  results:", "  - task:"]
        lines += [f"      type: {task}", "    dataset:", f"      name: {yaml_text(_dataset_words(card))}"]
        lines += ["      type: coco", "    metrics:"]
        for kind in kinds:
            for figure in kind.figures:
                if figure.value is not None:
                    lines += [f"    - type: {kind.word}-{figure.name.lower()}", f"      value: {figure.value:.4f}"]
                    lines += [f"      name: {kind.word} {figure.name}"]
    return [*lines, "---"]


def yaml_text(text: str) -> str:
    """A text as a double-quoted scalar of YAML, on one line.

    >>> print(yaml_text('a "b": c'))
    "a \\"b\\": c"
    """
    flat = one_line(text)[:_LONGEST]
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(flat, ensure_ascii=False))


def _finest(tasks: Sequence[str]) -> IouType:
    return "segm" if "mask" in tasks else "keypoints" if "keypoints" in tasks else "bbox"


def _tags(card: CardContent) -> list[str]:
    """The tags: what it does, and of what it is built. They are words of ours, never names of the user."""
    tasks = card.network.tasks
    tags = ["object-detection"]
    tags += ["instance-segmentation", "mask-rcnn"] if "mask" in tasks else []
    tags += ["keypoint-detection"] if "keypoints" in tasks else []
    tags += ["faster-rcnn"] if "mask" not in tasks and "keypoints" not in tasks else []
    return [*tags, card.network.backbone.replace("_", "-")]


def _dataset_words(card: CardContent) -> str:
    """The pictures of the figures, in words."""
    if card.shipped:
        return card.shipped.test
    number = card.measured.pictures if card.measured else 0
    return f"validation pictures of {card.name} ({number:,})"
