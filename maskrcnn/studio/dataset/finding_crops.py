"""Cached crops of pictures around the doctor's findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Region
from maskrcnn.drawing import region_crops
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.studio.shell.file_stamps import stamp


def crop(path: Path, region: Region | None, around: Box, colour: str) -> bytes:
    """`drawing.region_crops.crop` of a picture file, as JPEG bytes.

    Raises `StudioError` for a picture that cannot be read.
    """
    return _crop(str(path), stamp(path), region, around, colour)


@st.cache_data(max_entries=500, show_spinner=False, hash_funcs={Region: lambda region: repr((region.id, region.shape))})
def _crop(path: str, modified: int, region: Region | None, around: Box, colour: str) -> bytes:
    return jpeg(region_crops.crop(_picture(path, modified), region, around, colour), region_crops.SIDE)


@st.cache_data(max_entries=4, show_spinner=False)
def _picture(path: str, modified: int) -> np.ndarray:
    """The last few pictures, as several findings are often on one."""
    return pictures.load(path)
