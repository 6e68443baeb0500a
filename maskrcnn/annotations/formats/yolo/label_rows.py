"""Convert the rows of one YOLO label file to regions: outlines, boxes, and boxes with keypoints.

The number of values in a row distinguishes an outline from a box. If the settings have keypoints (`kpt_shape`), the `17
x 3` numbers after a box are points with visibilities, not an outline.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskrcnn import untrusted_files
from maskrcnn.annotations.formats.json_values import Complaint, brief, coordinate, require_few_regions
from maskrcnn.annotations.formats.yolo.settings import MEND, YoloSettings
from maskrcnn.annotations.regions import Keypoints, Points, Polygon, Rect, Region
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

_LARGEST = 20_000_000

BOX_ONLY: Mapping[str, Any] = {"coco": {"segmentation": []}}
"""`Region.extras` of a box around keypoints, which is not an outline. It is the same as for such a box in COCO
files."""


def regions_of_label_file(file: Path, settings: YoloSettings, width: int, height: int) -> Iterator[Region]:
    """Yield the regions of a label file for a picture of that size. Raises `StudioError` that names the invalid
    line."""
    try:
        content = untrusted_files.read_bytes(file, most=_LARGEST, mend="check the file").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StudioError(f"{file}: this is not text; replace it by YOLO rows") from None
    except FileNotFoundError:
        raise StudioError(f"{file}: is gone; check the file") from None
    # Line by line, because a file of only line breaks would give tens of millions of strings.
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate(io.StringIO(content), start=1):
        if values := line.split():
            rows.append((number, values))
            require_few_regions(len(rows), Complaint(str(file), "the picture", MEND))
    for number, values in rows:
        yield _region_of_row(values, settings, width, height, Complaint(str(file), f"line {number}", MEND))


def _region_of_row(values: list[str], settings: YoloSettings, width: int, height: int, complain: Complaint) -> Region:
    """Return the region of one row."""
    names = settings.names
    try:
        number, *fractions = (float(value) for value in values)
    except ValueError:
        raise complain("has something that is no number") from None
    if number not in names:
        raise complain(
            f"has class {brief(values[0])}, but {settings.file.name} names {counted(len(names), 'class', 'classes')}"
        )
    name = names[int(number)]
    if settings.keypoints is not None:
        return _region_of_pose_row(fractions, settings.keypoints, name, width, height, complain)
    if len(fractions) != 4 and (len(fractions) < 6 or len(fractions) % 2):
        raise complain(f"has {len(fractions)} numbers after its class, neither a box (4) nor an outline (6, 8, ...)")
    if len(fractions) == 4:
        return Region(_box_of_fractions(fractions, width, height, complain), name)
    return Region(Polygon(_pixels_of_fractions(fractions[0::2], fractions[1::2], width, height, complain)), name)


def _region_of_pose_row(
    fractions: Sequence[float], shape: tuple[int, int], name: str, width: int, height: int, complain: Complaint
) -> Region:
    """Return the region of a row with a box and keypoints. `shape` is (number of keypoints, numbers for each)."""
    count, each = shape
    if len(fractions) not in (4, 4 + count * each):
        right = f"kpt_shape [{count}, {each}] makes them {4 + count * each}"
        raise complain(f"has {len(fractions)} numbers after its class, but {right}")
    box = _box_of_fractions(fractions[:4], width, height, complain)
    rest = fractions[4:]
    if not rest:
        return Region(box, name, extras=BOX_ONLY)
    places = _pixels_of_fractions(rest[0::each], rest[1::each], width, height, complain)
    # Without visibilities, a point at the corner or outside the picture is not labelled.
    seen = rest[2::3] if each == 3 else [0 if x <= 0 and y <= 0 else 2 for x, y in places]
    if any(visibility not in (0, 1, 2) for visibility in seen):
        raise complain("has a keypoint whose visibility is neither 0, 1 nor 2")
    keypoints = Keypoints(tuple((x, y, int(v)) if v else (0.0, 0.0, 0) for (x, y), v in zip(places, seen, strict=True)))
    return Region(box, name, keypoints=keypoints, extras=BOX_ONLY)


def _pixels_of_fractions(
    xs: Sequence[float], ys: Sequence[float], width: int, height: int, complain: Complaint
) -> Points:
    """Return points in pixels from fractions of width and height, as the rows of a YOLO label file have them.

    Rounded to 1e-6 px, the precision of ten decimals, to remove rounding errors of the multiplication.
    """
    return tuple(
        (coordinate(round(x * width, 6), "x", complain), coordinate(round(y * height, 6), "y", complain))
        for x, y in zip(xs, ys, strict=True)
    )


def _box_of_fractions(fractions: Sequence[float], width: int, height: int, complain: Complaint) -> Rect:
    """Return the box in pixels from the fractions centre x, centre y, width, height."""
    (cx, cy), (across, down) = _pixels_of_fractions(fractions[0::2], fractions[1::2], width, height, complain)
    if across < 0 or down < 0:
        raise complain("has a box of negative size")
    return Rect(cx - across / 2, cy - down / 2, across, down)
