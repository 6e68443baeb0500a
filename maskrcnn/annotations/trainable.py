"""Whether a dataset can be trained on, and its sizes filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from maskrcnn.annotations import pictures, raster
from maskrcnn.annotations.formats import via_classes
from maskrcnn.annotations.regions import Dataset, Keypoints, Rect, Region, Shape, classes_in
from maskrcnn.errors import StudioError

Watch = Callable[[Iterable[Any], str, int], Iterable[Any]]
"""Passes on what it is given, and may show how far it is: `(items, what is done with them, how many there are)`."""


def unwatched(items: Iterable[Any], doing: str, count: int) -> Iterable[Any]:
    return items


def require_trainable(dataset: Dataset, *, outlines: bool = True, watch: Watch = unwatched) -> Dataset:
    """The dataset with all sizes filled in, after making sure that it can be trained on.

    Each picture must be there and decode to its end, and be as large as the label file says (if it does); each region
    with area must have a class; at least one region must have a pixel inside its picture. With `outlines=False`, where
    no masks are learned, the box around keypoints is as good as an area. Raises `StudioError` naming file, picture and
    mend. Reads every picture once (JPEGs at an eighth of their size); `watch` sees them go by.
    """
    source = dataset.source or "the dataset"
    is_object = raster.has_area if outlines else raster.has_box
    for record in dataset.images:
        if record.path is None:
            raise StudioError(f'{source}: image "{record.file_name}" not found beside it; pass --images DIR')
        for number, region in enumerate(record.regions, start=1):
            if region.class_name is None and is_object(region.shape):
                raise via_classes.no_class(f'{source}: region {number} of "{record.file_name}"', dataset, region)
    checked = []
    something = False
    with ThreadPoolExecutor() as pool:
        paths = [record.path for record in dataset.images if record.path]
        try:
            sizes = list(watch(pool.map(pictures.check, paths), "reading", len(paths)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for record, (width, height) in zip(dataset.images, sizes, strict=True):
        if record.width is not None and (record.width, record.height) != (width, height):
            raise StudioError(
                f'{source}: "{record.file_name}" is {record.width} x {record.height} px there, but {record.path} is '
                f"{width} x {height} px; use the picture that was labelled"
            )
        checked.append(replace(record, width=width, height=height))
        drawn = (region.shape for region in record.regions if is_object(region.shape))
        something = something or any(_is_inside(shape, height, width) for shape in drawn)
    if not something:
        raise StudioError(f"{source}: there is no region with an area to learn from; draw at least one")
    classes = (*dataset.classes, *(name for name in classes_in(checked) if name not in dataset.classes))
    return replace(dataset, images=tuple(checked), classes=classes)


def has_outline(region: Region) -> bool:
    """Whether a mask can be learned from the region.

    A rectangle that somebody drew is an outline; one that stands in a COCO file as a box without a `segmentation` only
    says where the object is.
    """
    only_a_box = isinstance(region.shape, Rect) and "segmentation" in region.extras.get("coco", {})
    return raster.has_area(region.shape) and not only_a_box


def _is_inside(shape: Shape, height: int, width: int) -> bool:
    """Whether any of the shape lies in the picture."""
    if isinstance(shape, Keypoints):
        return any(v and 0 <= x <= width and 0 <= y <= height for x, y, v in shape.points)
    return raster.area(shape, height, width) > 0
