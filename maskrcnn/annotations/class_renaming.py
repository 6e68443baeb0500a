"""Rename or merge the classes of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.lazy_records import change_each
from maskrcnn.annotations.regions import Region


def renamed(dataset: Dataset, names: Mapping[str, str]) -> Dataset:
    """Return the dataset with its classes renamed by `names` (old name -> new name).

    Two classes that get the same name are merged. Regions of other classes are not copied. The skeleton of a class is
    renamed with it, unless the class it is merged into has its own skeleton.

    >>> from maskrcnn.annotations.dataset import ImageRecord
    >>> from maskrcnn.annotations.regions import Rect, Region
    >>> labels = Dataset((ImageRecord("a.png", regions=(Region(Rect(0, 0, 2, 2), "Cell"),)),), ("Cell", "cell"))
    >>> found = renamed(labels, {"Cell": "cell"})
    >>> found.classes, found.images[0].regions[0].class_name
    (('cell',), 'cell')
    """

    def rename_in(record: ImageRecord) -> ImageRecord:
        if not any(region.class_name in names for region in record.regions):
            return record
        return replace(record, regions=tuple(map(rename, record.regions)))

    def rename(region: Region) -> Region:
        new = names.get(region.class_name) if region.class_name is not None else None
        return region if new is None else replace(region, class_name=new)

    classes = tuple(dict.fromkeys(names.get(name, name) for name in dataset.classes))
    skeletons = {names.get(name, name): skeleton for name, skeleton in dataset.skeletons.items()}
    kept = {name: skeleton for name, skeleton in dataset.skeletons.items() if name not in names}
    return replace(dataset, images=change_each(dataset.images, rename_in), classes=classes, skeletons=skeletons | kept)
