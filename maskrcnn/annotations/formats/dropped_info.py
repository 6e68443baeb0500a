"""What a format cannot hold, counted while it is written: one warning line for each kind of loss."""

from __future__ import annotations

from collections import Counter

from maskrcnn.annotations.regions import Dataset, Region, classes_in


class Losses:
    """Counts by kind; a kind is the sentence of its line, `{regions}`, `{pictures}` or `{classes}` in it for the count.

    `Losses("a.json")("{regions} left out because YOLO has no points")` counts one, and `warnings()` then says
    `a.json: 1 region left out because YOLO has no points`.
    """

    def __init__(self, source: object) -> None:
        self.source = str(source or "the dataset")
        self._counts: Counter[str] = Counter()

    def __call__(self, kind: str, count: int = 1) -> None:
        if count:
            self._counts[kind] += count

    def warnings(self) -> tuple[str, ...]:
        """The lines, in the order in which the kinds of loss were met."""
        return tuple(f"{self.source}: {_said(kind, count)}" for kind, count in self._counts.items())


def of_the_dataset(dataset: Dataset, losses: Losses, words: str, keypoint_names: bool, unused_classes: bool) -> None:
    """Count what a dataset says beside its pictures, and a format that is called `words` has no place for.

    The definitions of VIA's attributes have none but in VIA; `keypoint_names` and `unused_classes` say whether those
    are lost, too.
    """
    attributes = dataset.extras.get("via_attributes", {})
    if any(attributes.get(part) for part in ("region", "file")):
        losses(f"definitions of attributes left out because {words} has none; a VIA 2.x project keeps them")
    if keypoint_names:
        losses(f"{{classes}} lost the names of their keypoints because {words} has none", len(dataset.skeletons))
    if unused_classes and dataset.images:
        unused = len(set(dataset.classes) - set(classes_in(dataset.images)))
        losses(f"{{classes}} without a region left out because {words} knows only those in use", unused)


def of_the_region(region: Region, losses: Losses, words: str) -> None:
    """Count what a region says beside its shape and class, for a format that has no place for any of it.

    `words` are the format's name and its verb: "YOLO segmentation has".
    """
    if region.keypoints is not None:
        losses(f"{{regions}} lost their keypoints because {words} none")
    if region.attributes:
        losses(f"{{regions}} lost their attributes because {words} none")
    if region.source == "model" or region.score is not None:
        losses(f"{{regions}} no longer marked as suggested by a model because {words} no such mark")


def _said(kind: str, count: int) -> str:
    for things in ("regions", "pictures", "classes"):
        one = {"regions": "region", "pictures": "picture", "classes": "class"}[things]
        kind = kind.replace(f"{{{things}}}", f"{count} {one if count == 1 else things}")
    return kind
