"""Read a folder of mask PNGs: each value above 0 of a mask becomes a region, an RLE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from maskrcnn.annotations import file_names, pictures, raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord, classes_in
from maskrcnn.annotations.formats import missing_pictures, picture_folders
from maskrcnn.annotations.formats.json_values import Complaint, require_few_regions
from maskrcnn.annotations.formats.masks import mask_pairs
from maskrcnn.annotations.formats.masks.class_list import MEND, read_settings
from maskrcnn.annotations.formats.masks.mask_files import (
    EXAMINED,
    PICTURES,
    grey_in_colours_message,
    mask_files,
    mask_stem_without_mark,
)
from maskrcnn.annotations.formats.masks.picture_search import PicturesOfMasks, pictures_around
from maskrcnn.annotations.formats.via import class_attributes
from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.similar_file_names import similar_files
from maskrcnn.errors import StudioError

_BORDER = 255
"""In 8 bits and together with other values: a border that belongs to no object."""

_MOST_RUNS = 20_000_000


def read_folder(
    folder: Path | str, images: Path | str | None = None, among: Mapping[str, Path] | None = None
) -> Dataset:
    """Return the dataset of a mask folder. Every region is an RLE; `width` and `height` are those of the mask.

    The picture of a mask is searched in the folder `images` if given. Otherwise it is searched beside the masks
    (`a.png` beside `a_mask.png`), in the sub folder `images/`, and in sibling folders. If `classes.json` names the
    picture, it is also searched anywhere below the folder, or among the files `among` (relative name -> file). Raises
    `StudioError` that names an invalid mask file.
    """
    folder = Path(folder)
    names, divisor, listed = read_settings(folder)
    images = Path(images) if images is not None else None
    masks = mask_files(folder, listed)
    no_pictures = {*masks}
    pair = mask_pairs.pair_of_object_folder(folder) if not listed else None
    found = {key: path for key, path in pictures_around(folder, images) if path not in no_pictures}
    spelled_otherwise: dict[str, set[Path]] = {}
    for key, picture in found.items():
        spelled_otherwise.setdefault(file_names.normalised_file_name(key), set()).add(picture)
    records = []
    around = PicturesOfMasks(folder, masks, among) if images is None else None
    for mask in masks:
        name = mask.relative_to(folder).as_posix()
        entry = listed.get(name, {})
        stem = PurePosixPath(name).with_suffix("").as_posix()
        keys = (entry.get("file_name"), stem, PurePosixPath(stem).name, mask_stem_without_mark(stem))
        path = next((found[key] for key in keys if key in found), None)
        if path is None:
            alike = [spelled_otherwise.get(file_names.normalised_file_name(key), set()) for key in keys if key]
            path = next((next(iter(paths)) for paths in alike if len(paths) == 1), None)
        if path is None and around is not None and "file_name" in entry:
            path = around.find(entry["file_name"])
        file_name = entry.get("file_name") or (path.name if path is not None else name)
        complain = Complaint(str(mask), "the mask", MEND)
        if pair is not None:
            values, class_names = pair.read(name)
            regions = _regions_with_given_classes(values, class_names, complain)
        else:
            values = pictures.values(mask)
            regions = _regions_of_mask(values, names, divisor, complain)
        height, width = values.shape
        split = entry.get("split") or (pair.splits.get(stem) if pair is not None else None)
        records.append(
            ImageRecord(
                file_name,
                tuple(regions),
                path,
                width,
                height,
                split=split if split in ("train", "val") else None,
            )
        )
    if not records:
        raise StudioError(f"{folder}: there is no PNG mask; give the folder that holds them")
    classes = tuple(dict.fromkeys([*(names or {}).values(), *classes_in(records)]))
    paths = tuple(record.path for record in records)
    missing = [record.file_name for record in records if record.path is None]
    used = {*paths}
    unused = [picture.name for picture in dict.fromkeys(found.values()) if picture not in used]
    lines = missing_pictures.missing_picture_lines(
        folder,
        picture_folders.FoundPictures(paths, similar_files(missing, unused)),
        str(images or f"{folder} and {PICTURES}/ beside it"),
    )
    if pair is None and any(map(pictures.is_stored_in_colours, masks[:EXAMINED])):
        lines = (*lines, f"{folder}: {grey_in_colours_message(masks[0])}")
    return Dataset(tuple(records), classes, source=folder, extras={"flavour": "masks"}, warnings=lines)


def _regions_of_mask(
    values: np.ndarray, names: dict[int, str] | None, divisor: int, complain: Complaint
) -> Iterator[Region]:
    """Yield the regions of a mask in which each value is class number * `divisor` + object number, 0 for none."""
    runs = _runs_by_value(values, complain)
    owners = [*runs]
    require_few_regions(len(owners), complain)
    if values.dtype == np.uint8 and names is None and len(owners) > 1 and _BORDER in owners:
        owners.remove(_BORDER)
    for value in owners:
        class_number, object_number = divmod(value, divisor)
        if names is None:
            class_name = f"class {class_number}" if class_number else class_attributes.THE_ONLY_CLASS
            is_crowd = object_number == 0 and class_number > 0
        else:
            is_crowd = object_number == 0 or class_number == 0
            class_number = class_number or object_number  # Cityscapes writes a crowd as its class number alone
            if class_number not in names:
                raise complain(f"has the value {value}, but there is no class {class_number}")
            class_name = names[class_number]
        yield Region(raster.from_runs(*runs[value], *values.shape), class_name, iscrowd=is_crowd)


def _regions_with_given_classes(
    values: np.ndarray, class_names: Mapping[int, str], complain: Complaint
) -> Iterator[Region]:
    """Yield a region for each value of a mask that was read together with the classes of its objects, `class_names`. A
    value without an entry there has no class."""
    runs = _runs_by_value(values, complain)
    require_few_regions(len(runs), complain)
    for value, of_value in runs.items():
        yield Region(raster.from_runs(*of_value, *values.shape), class_names.get(value))


def _runs_by_value(values: np.ndarray, complain: Complaint) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return value -> starts and ends of its runs, counted down the columns, for each value above 0, in order.

    One pass over the pixels for all objects. One comparison per object would take hours for a mask with thousands of
    objects.
    """
    flat = values.ravel(order="F")
    differs = flat[1:] != flat[:-1]
    if np.count_nonzero(differs) > _MOST_RUNS:
        raise complain(f"has more than {_MOST_RUNS} runs of equal pixels, as noise has and no mask")
    starts = np.concatenate([[0], np.flatnonzero(differs) + 1]) if flat.size else np.empty(0, np.int64)
    ends = np.append(starts[1:], flat.size)
    of_run = flat[starts]
    order = np.argsort(of_run, kind="stable")
    order = order[of_run[order] > 0]
    found, first = np.unique(of_run[order], return_index=True)
    parts = zip(np.split(starts[order], first[1:]), np.split(ends[order], first[1:]), strict=True)
    return dict(zip(found.tolist(), parts, strict=False))
