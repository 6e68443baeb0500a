"""Other names for the classes of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from maskrcnn.annotations.formats.lazy_records import each
from maskrcnn.annotations.regions import Dataset, ImageRecord, Region


def renamed(dataset: Dataset, names: Mapping[str, str]) -> Dataset:
    """The dataset with its classes called as `names` says (old -> new); two classes of one name become one.

    Regions of other classes are the same objects as before. A skeleton goes with its class, where the class that it
    joins has none.

    >>> from maskrcnn.annotations.regions import ImageRecord, Rect, Region
    >>> labels = Dataset((ImageRecord("a.png", regions=(Region(Rect(0, 0, 2, 2), "Cell"),)),), ("Cell", "cell"))
    >>> found = renamed(labels, {"Cell": "cell"})
    >>> found.classes, found.images[0].regions[0].class_name
    (('cell',), 'cell')
    """

    def change(record: ImageRecord) -> ImageRecord:
        if not any(region.class_name in names for region in record.regions):
            return record
        return replace(record, regions=tuple(map(called, record.regions)))

    def called(region: Region) -> Region:
        new = names.get(region.class_name) if region.class_name is not None else None
        return region if new is None else replace(region, class_name=new)

    classes = tuple(dict.fromkeys(names.get(name, name) for name in dataset.classes))
    skeletons = {names.get(name, name): skeleton for name, skeleton in dataset.skeletons.items()}
    kept = {name: skeleton for name, skeleton in dataset.skeletons.items() if name not in names}
    return replace(dataset, images=each(dataset.images, change), classes=classes, skeletons=skeletons | kept)
