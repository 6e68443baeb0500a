"""Whether validation pictures look like training pictures, so that AP says less than it seems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskrcnn.annotations import duplicate_pictures
from maskrcnn.annotations.duplicate_pictures import Likeness
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.ranking_ap import Progress
from maskrcnn.inference.model_cards.card_parts import Overlap
from maskrcnn.runs.folder import RunFolder
from maskrcnn.words import counted

MOST_PICTURES = 600
"""Maximum number of pictures that are compared for a card: some 10 s. `doctor` compares any number."""


def picture_overlap(run: RunFolder, dataset: Mapping[str, Any], progress: Progress | None = None) -> Overlap | None:
    """The validation pictures that look like training pictures (`duplicate_pictures.alike`); None without validation.

    `dataset` is the content of dataset.json. Every picture is read once, and `progress(done, total)` is called after
    each. Pictures that are not there cannot be compared; more than `MOST_PICTURES` are not compared.
    """
    validation = (dataset["val"] or {}).get("images", [])
    training = dataset["train"]["images"]
    if not validation:
        return None
    if not training:
        return Overlap((), 0, "the training pictures are not stored")
    number = len(validation) + len(training)
    if number > MOST_PICTURES:
        return Overlap((), 0, f"there are {counted(number, 'picture')}; `python -m maskrcnn doctor` compares them")

    def seen(images: Sequence[Mapping[str, Any]], before: int) -> tuple[list[str], list[Likeness]]:
        """The names and likenesses of the pictures that can be read."""
        names, found = [], []
        for place, image in enumerate(images, start=1):
            try:
                found.append(duplicate_pictures.likeness(run.picture_path(dict(image))))
                names.append(image["file_name"])
            except (StudioError, OSError, KeyError, ValueError):
                pass  # counted below
            if progress is not None:
                progress(before + place, number)
        return names, found

    val_names, val_seen = seen(validation, 0)
    train_names, train_seen = seen(training, len(validation))
    alike = [(val_names[i], train_names[j]) for i, j in duplicate_pictures.pairs(val_seen, train_seen)]
    missing = number - len(val_seen) - len(train_seen)
    why_not = f"{counted(missing, 'picture')} cannot be read here" if missing else ""
    return Overlap(tuple(alike), len(val_seen) if train_seen else 0, why_not)
