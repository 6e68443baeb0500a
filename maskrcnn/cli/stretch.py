"""`python -m maskrcnn stretch`: copy pictures with a linear contrast stretch, the same for all of them."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from maskrcnn.annotations import folder_walk, pictures
from maskrcnn.annotations.picture_files.tonal_range import stretched
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.words import counted, one_line

_TO_DISPLAYED_FRAME: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda values: np.rot90(values, 2),
    4: np.flipud,
    5: lambda values: values.swapaxes(0, 1),
    6: lambda values: np.rot90(values, -1),
    7: lambda values: np.rot90(values, 2).swapaxes(0, 1),
    8: np.rot90,
}
"""EXIF orientation -> function that turns stored values into the displayed orientation."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `stretch`."""
    parser.add_argument("source", metavar="FOLDER", help="a folder of pictures; it stays as it is")
    parser.add_argument("destination", metavar="NEW_FOLDER", help="the folder for the copies, new or empty")
    parser.add_argument(
        "--black", type=float, required=True, metavar="VALUE", help="the stored value that becomes black"
    )
    parser.add_argument(
        "--white", type=float, required=True, metavar="VALUE", help="the stored value that becomes white"
    )


def run(args: argparse.Namespace) -> None:
    """Write stretched copies of all pictures of a folder. If one fails, delete all copies and raise `StudioError`."""
    source, destination = Path(args.source), Path(args.destination)
    if not source.is_dir():
        raise ArgumentError(f"{source}: this is no folder; name the one that holds the pictures")
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise ArgumentError(f"{destination}: is there already; name a new folder")
    if destination.resolve().is_relative_to(source.resolve()):
        raise ArgumentError(f"{destination}: lies in the folder of the pictures; name another place")
    if not args.black < args.white:
        raise ArgumentError(f"--black {args.black:g} must be less than --white {args.white:g}")
    found = folder_walk.files_below(source, pictures.SUFFIXES)
    if not found:
        raise StudioError(f"{source}: holds no pictures; name the folder that does")
    try:
        for name in found:
            place = destination / name
            place.parent.mkdir(parents=True, exist_ok=True)
            pixels = stretched(_raw_values(found[name]), args.black, args.white)
            if not _write_stretched_copy(place, pixels):
                raise StudioError(f"{found[name]}: no stretched copy of such a file can be written; save it as a PNG")
    except BaseException:
        shutil.rmtree(destination, ignore_errors=True)
        raise
    pictures_ = counted(len(found), "picture")
    print(f"{one_line(str(destination))}: {pictures_} with {args.black:g} as black and {args.white:g} as white")


def _raw_values(path: Path) -> np.ndarray:
    """The pixel values of a file without scaling, in the displayed orientation; colour channels are BGR."""
    pictures.check(path)  # raises StudioError for damaged and too large files
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None and path.suffix.lower() in (".tif", ".tiff"):  # a kind of TIFF that only Pillow reads
        values = pictures.values(path)
    if values is not None and values.dtype.kind == "i" and values.min() >= 0 and values.max() <= 65535:
        values = values.astype(np.uint16)  # as `pictures` reads it
    if values is None or values.dtype.kind not in "uf":
        raise StudioError(f"{path}: is of a kind that cannot be stretched; save it as a PNG or TIFF of 8 or 16 bits")
    return np.ascontiguousarray(_TO_DISPLAYED_FRAME.get(pictures.orientation(path), np.asarray)(values))


def _write_stretched_copy(place: Path, pixels: np.ndarray) -> bool:
    """Write the stretched copy of a picture, in the format of its suffix. Returns whether OpenCV could write it."""
    try:
        return bool(cv2.imwrite(str(place), pixels))  # JPEG files get quality 95
    except cv2.error:  # a suffix that OpenCV does not know
        return False
