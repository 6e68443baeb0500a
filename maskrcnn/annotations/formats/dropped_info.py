"""Count the information that a format cannot hold while labels are written: one warning line for each kind."""

from __future__ import annotations

from collections import Counter

from maskrcnn.annotations.dataset import Dataset, classes_in
from maskrcnn.annotations.regions import Region


class DroppedInfo:
    """Counts dropped information, by kind, for the warnings.

    A kind is the text of its warning, with `{regions}`, `{pictures}` or `{classes}` in place of the count.

    >>> dropped = DroppedInfo("a.json")
    >>> dropped.add("{regions} left out because YOLO has no points")
    >>> dropped.add("{regions} left out because YOLO has no points", 2)
    >>> dropped.warnings()
    ('a.json: 3 regions left out because YOLO has no points',)
    """

    def __init__(self, source: object) -> None:
        self.source = str(source or "the dataset")
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, count: int = 1) -> None:
        """Add `count` to the count of a kind; 0 adds nothing."""
        if count:
            self._counts[kind] += count

    def warnings(self) -> tuple[str, ...]:
        """Return one warning for each kind, in the order in which the kinds were added first."""
        return tuple(f"{self.source}: {_warning_with_count(kind, count)}" for kind, count in self._counts.items())


def count_dataset_info(
    dataset: Dataset, dropped: DroppedInfo, words: str, keypoint_names: bool, unused_classes: bool
) -> None:
    """Count the dataset's information outside of its pictures that the format cannot hold.

    `words` is the format's name for messages. The definitions of VIA attributes are always counted; the names of
    keypoints only with `keypoint_names`, and classes without a region only with `unused_classes`.
    """
    attributes = dataset.extras.get("via_attributes", {})
    if any(attributes.get(part) for part in ("region", "file")):
        dropped.add(f"definitions of attributes left out because {words} has none; a VIA 2.x project keeps them")
    if keypoint_names:
        dropped.add(f"{{classes}} lost the names of their keypoints because {words} has none", len(dataset.skeletons))
    if unused_classes and dataset.images:
        unused = len(set(dataset.classes) - set(classes_in(dataset.images)))
        dropped.add(f"{{classes}} without a region left out because {words} knows only those in use", unused)


def count_region_info(region: Region, dropped: DroppedInfo, words: str) -> None:
    """Count a region's information besides shape and class, for a format that can hold none of it.

    `words` is the format's name and its verb: "YOLO segmentation has".
    """
    if region.keypoints is not None:
        dropped.add(f"{{regions}} lost their keypoints because {words} none")
    if region.attributes:
        dropped.add(f"{{regions}} lost their attributes because {words} none")
    if region.source == "model" or region.score is not None:
        dropped.add(f"{{regions}} no longer marked as suggested by a model because {words} no such mark")


def _warning_with_count(template: str, count: int) -> str:
    """Return a warning about dropped information: `{regions}` in the template becomes `3 regions` or `1 region`."""
    for one, several in (("region", "regions"), ("picture", "pictures"), ("class", "classes")):
        template = template.replace(f"{{{several}}}", f"{count} {one if count == 1 else several}")
    return template
