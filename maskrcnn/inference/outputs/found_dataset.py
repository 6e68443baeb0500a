"""What a network found as a data set: the regions that label files are written from, or suggestions for a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.file_names import without_control_characters
from maskrcnn.annotations.formats.lazy_records import LazyRecords
from maskrcnn.annotations.hints.detection_outline import detection_keypoints, detection_shape
from maskrcnn.annotations.regions import RLE, Region, Shape, Skeleton
from maskrcnn.annotations.store import region_json
from maskrcnn.config import Config
from maskrcnn.inference.outputs.file_stems import unique_names
from maskrcnn.inference.outputs.found_picture import FoundPicture, class_name
from maskrcnn.inference.outputs.object_pixels import object_area


def as_dataset(found: Sequence[FoundPicture], config: Config) -> Dataset:
    """The pictures with an outline of each object as regions, marked as a model's, with their scores.

    `config` is that of the network. A mask becomes an outline of few vertices (`hints.detection_outline`). Its IoU with
    the mask is 0.99 in the middle, and at least 0.92, but for parts and holes of less than 2% that are left out. An
    object without a mask becomes its box; one without a pixel is left out.

    >>> entry = {"category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.9}
    >>> dataset = as_dataset([FoundPicture("a.png", 8, 8, (entry,))], Config.preset("classroom", class_names=("nut",)))
    >>> [(region.class_name, region.source, region.score) for region in dataset.images[0].regions]
    [('nut', 'model', 0.9)]
    """
    return dataset_of(tuple(FoundRecords(found, config.names)), config)


def dataset_of(records: Sequence[ImageRecord], config: Config) -> Dataset:
    """The data set of these records, with the classes of a network and the skeleton of its keypoints."""
    skeletons: dict[str, Skeleton] = {}
    if "keypoints" in config.tasks:
        names = config.keypoint_names or tuple(f"keypoint {number}" for number in range(1, config.num_keypoints + 1))
        skeletons = dict.fromkeys(config.names, Skeleton(names, config.keypoint_edges))
    return Dataset(records, config.names, skeletons=skeletons)


class FoundRecords(LazyRecords):
    """Lazy records of pictures with what was found in them: the regions of one picture at a time are in memory.

    `classes` are the names of the category ids 1, 2, ... With `exact`, objects have their masks instead of outlines
    (and boxes exactly as the network gave them). Outlines take tens of milliseconds each, so they are computed once and
    kept in a short form: about 1 kB each. `found` may grow until the first record is read.
    """

    def __init__(self, found: Sequence[FoundPicture], classes: Sequence[str], exact: bool = False) -> None:
        super().__init__()
        self._found, self._classes, self._exact = found, classes, exact
        self._kept: dict[int, str] = {}  # as text, regions need a tenth of the memory

    @cached_property
    def file_names(self) -> Sequence[str]:  # type: ignore[override]
        """The names of all pictures, no two the same."""
        return unique_names([without_control_characters(picture.name) for picture in self._found])

    def __len__(self) -> int:
        return len(self._found)

    def create_record(self, index: int) -> ImageRecord:
        """The record of picture number `index`, with a region for each object."""
        found = self._found[index]
        name, size = self.file_names[index], (found.width, found.height)
        return ImageRecord(name, self._regions(index, found), found.path, *size)

    def keep_outlines(self, index: int) -> None:
        """Compute the outlines of picture number `index` now. Later this takes no time."""
        self._regions(index, self._found[index])

    def _regions(self, index: int, found: FoundPicture) -> tuple[Region, ...]:
        """The regions of a picture."""
        if (text := self._kept.get(index)) is not None:
            return region_json.loads(text, found.name)
        shape_of = _mask if self._exact else detection_shape
        drawn = ((entry, shape_of(entry)) for entry in found.detections)
        regions = tuple(
            _region(entry, shape, class_name(entry, self._classes), self._exact)
            for entry, shape in drawn
            if shape is not None
        )
        if not self._exact:
            self._kept[index] = region_json.dumps(regions)
        return regions


def _mask(detection: Mapping[str, Any]) -> Shape | None:
    """The mask of a detection as it is, or its box; None if it has no pixel."""
    code = detection.get("segmentation")
    if code is None:
        return detection_shape(detection)
    if object_area(detection) == 0:
        return None
    height, width = code["size"]
    counts = code["counts"]
    return RLE((height, width), counts if isinstance(counts, str) else counts.decode("ascii"))


def _region(detection: Mapping[str, Any], shape: Shape, name: str, exact: bool) -> Region:
    """The region of a detection with this shape."""
    extras: dict[str, Any] = {}
    if exact and "segmentation" not in detection:
        x, y, width, height = detection["bbox"]
        # In a COCO file, an object of a network without masks has a box and no outline.
        extras = {"coco": {"segmentation": [], "bbox": [x, y, width, height], "area": width * height}}
    keypoints = detection_keypoints(detection)
    score = round(detection["score"], 4)
    return Region(shape, name, source="model", score=score, keypoints=keypoints, extras=extras)
