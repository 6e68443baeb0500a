"""Crops of a picture around a finding of the doctor, before and after its fix, as cached JPEGs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st

from maskrcnn.annotations import doctor, pictures, raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.doctor import Finding
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Region, Shape
from maskrcnn.drawing import labelled_picture, region_crops
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.labelled_picture import Colours
from maskrcnn.errors import StudioError
from maskrcnn.studio.shell.file_stamps import stamp

_PREVIEW = 440
"""Longer side in pixels of the whole picture, which is shown for a finding without a region."""

_CONTEXT = 0.15
"""Minimum side of the box returned by `box_around_fix`, as a share of the object's longer side."""


def crops_before_and_after_fix(
    dataset: Dataset, record: ImageRecord, finding: Finding, colours: Colours
) -> tuple[bytes | None, bytes | None]:
    """Return JPEG crops of a finding's region before and after its fix; None if there is nothing to show.

    For a finding without a region, the first one is the whole picture.
    """
    if record.path is None:
        return None, None
    try:
        region = _region_of_finding(record, finding)
        if region is None or finding.box is None:
            return labelled_picture.preview(record.path, record.regions, colours, _PREVIEW), None
        colour = colours[region.class_name]
        if finding.fix is None:
            return _crop_of_file(record.path, region, finding.box, colour), None
        fixed = _record_after_fix(dataset, record, finding)
        after = _region_of_finding(fixed, finding) if fixed else None
        around = finding.box if after is None else box_around_fix(region.shape, after.shape) or finding.box
        colour_after = colour if after is None else colours[after.class_name]
        return (
            _crop_of_file(record.path, region, around, colour),
            _crop_of_file(record.path, after, around, colour_after),
        )
    except StudioError:
        return None, None


def _record_after_fix(dataset: Dataset, record: ImageRecord, finding: Finding) -> ImageRecord | None:
    """Return the record of the picture after the fix of this finding; None if the fix removes the picture."""
    alone = replace(dataset, images=(record,))
    return next(iter(doctor.apply(alone, [replace(finding, picture=0)]).images), None)


def _region_of_finding(record: ImageRecord, finding: Finding) -> Region | None:
    """Return the region of a finding: the one with its number if that has its id, else the first one with its id."""
    number = finding.region_number
    if number is not None and number <= len(record.regions) and record.regions[number - 1].id == finding.region_id:
        return record.regions[number - 1]
    return next((region for region in record.regions if region.id == finding.region_id), None)


def box_around_fix(before: Shape, after: Shape) -> Box | None:
    """Return the box (xyxy) of the crops of a finding: around the vertices that its fix changed, with a margin.

    `before` and `after` are the shapes of the region before and after the fix. Returns None if no vertex changed.

    >>> from maskrcnn.annotations.regions import Polygon
    >>> before = Polygon(((0, 0), (100, 0), (100, 100), (0, 100)))
    >>> box_around_fix(before, Polygon(((0, 0), (90, 10), (100, 100), (0, 100))))  # one corner moved
    (87.5, -2.5, 102.5, 12.5)
    """
    first, second = ({point for ring in raster.rings(shape) for point in ring} for shape in (before, after))
    changed = first ^ second
    if not changed:
        return None
    whole = raster.bounds(before)
    xs, ys = zip(*changed, strict=True)
    least = _CONTEXT * max(whole[2] - whole[0], whole[3] - whole[1])
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    across, down = max(max(xs) - min(xs), least) / 2, max(max(ys) - min(ys), least) / 2
    return x - across, y - down, x + across, y + down


def _crop_of_file(path: Path, region: Region | None, around: Box, colour: str) -> bytes:
    """Return `drawing.region_crops.crop` of a picture file as JPEG. Raises `StudioError` if it cannot be read."""
    return _cached_crop(str(path), stamp(path), region, around, colour)


@st.cache_data(max_entries=500, show_spinner=False, hash_funcs={Region: lambda region: repr((region.id, region.shape))})
def _cached_crop(path: str, modified: int, region: Region | None, around: Box, colour: str) -> bytes:
    """Like `_crop_of_file`; `modified` is the stamp of the file."""
    return jpeg(region_crops.crop(_cached_picture(path, modified), region, around, colour), region_crops.SIDE)


@st.cache_data(max_entries=4, show_spinner=False)
def _cached_picture(path: str, modified: int) -> np.ndarray:
    """Return the pixels of a picture file. A few are cached, because one picture often has several findings."""
    return pictures.load(path)
