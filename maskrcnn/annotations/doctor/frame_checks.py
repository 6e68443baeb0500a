"""In which frame the labels of a picture were drawn: rotated, of another size, or with coordinates that are no pixels.

A camera in portrait position often stores a rotated picture and the rotation in EXIF. The studio shows and labels the
rotated picture, but some tools label the stored pixels. Orientations 5 to 8 exchange width and height, so such labels
can be detected. Orientations 1 to 4 do not, so nothing can be detected. Frames are `(width, height)`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from maskrcnn.annotations import learnable_objects, raster
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.doctor import outside_picture, shape_checks
from maskrcnn.annotations.doctor.findings import Finding, Fix, Symptom
from maskrcnn.annotations.doctor.picture_notes import PictureFileNotes, PictureNotes
from maskrcnn.annotations.raster import Box, Frame
from maskrcnn.annotations.regions import RLE, Region, Shape
from maskrcnn.words import counted

SLACK_PX, SLACK_SHARE = 2.0, 0.02
"""Tolerance (px, and share of the longer side) for labels outside a frame, when deciding in which frame they were
drawn. A single vertex slightly outside must not cause a rotation."""

SAME_ASPECT = 0.01
"""Two sizes have the same aspect ratio if their horizontal and vertical scales differ by at most this share."""

_SHARES_BEYOND = 0.1
"""Normalised coordinates may be outside 0..1 by this much, for objects that extend over an edge."""

_LEAST_FRAME = 8
"""On a picture with fewer px on a side, labels from 0 to 1 may be pixels."""

_LEAST_PICTURES, _LEAST_REGIONS = 3, 8
"""Minimum numbers of pictures and regions for the checks of all pictures together."""

_CORNER_SHARE = 0.6
"""Maximum share of a picture's width and height that labels in the top left part may reach over."""

_FULL_SCALES, _BELOW_FULL, _ABOVE_FULL = (100, 1000), 0.2, 0.01
"""Limits for `in_percent_or_thousandths`: the coordinates that mean the whole width or height, and by which share the
largest label may be below or above them."""

_BEYOND_SHARE = 0.25
"""Minimum share of pictures for `beyond_many_pictures` (and at least `_LEAST_PICTURES`)."""


def turned_labels(record: ImageRecord, seen: PictureFileNotes) -> Symptom | None:
    """Return a symptom if labels were drawn on the stored pixels of a picture that is displayed rotated by 90°.

    They must fit the stored frame. If they fit the displayed frame too, there is a symptom only if the label file
    states the stored size, and the user must decide.
    """
    assert seen.size is not None
    assert seen.stored is not None
    if seen.stored == seen.size:
        return None
    shapes = list(_repaired_shapes_of(record.regions))
    fits_displayed, fits_stored = _all_fit(shapes, seen.size), _all_fit(shapes, seen.stored)
    states_stored_size = record.size == seen.stored and bool(shapes)
    if not fits_stored:
        return None
    if fits_displayed and not states_stored_size:
        return None
    words = (
        f"the labels fit the stored pixels, {_size_text(seen.stored)}, but the picture is displayed turned, "
        f"{_size_text(seen.size)} (EXIF orientation {seen.orientation})"
    )
    fix = Fix("turn the labels with the picture", "turn", (seen.orientation, *seen.stored))
    if not fits_displayed:
        return Symptom("turned-labels", "error", words, fix)
    words = (
        f"the label file has the size of the stored pixels, {_size_text(seen.stored)}, but the picture is displayed "
        f"turned, {_size_text(seen.size)} (EXIF orientation {seen.orientation}); the labels fit both"
    )
    keep = Fix("write the displayed size, and keep the labels", "true-size", (*seen.size, None))
    return Symptom("turned-labels", "error", words, None, (fix, keep))


def size_mismatch(record: ImageRecord, seen: PictureFileNotes) -> Symptom | None:
    """Return a symptom if the picture has another size than the label file states, in pixels or else in bytes.

    If the label file states no other size in pixels, the size of a mask that does not fit the picture is used.
    """
    assert seen.size is not None
    other_masks = _mask_sizes(_shapes_of(record.regions)) - {seen.size}
    if other_masks:  # only then are the slow repairs needed: they drop masks without a pixel
        other_masks = _mask_sizes(_repaired_shapes_of(record.regions)) - {seen.size}
    states_other_size = record.size not in (None, seen.size)
    declared = min(other_masks) if other_masks and not states_other_size else record.size
    if declared is not None and declared != seen.size:
        return _other_size_symptom(record, seen.size, declared, other_masks, is_stored=declared == seen.stored)
    if record.file_size is not None and record.file_size >= 0 and record.file_size != seen.bytes:
        words = f"the labelled file had {record.file_size} bytes, this one has {seen.bytes}"
        fix = Fix("write the real size, and keep the labels", "true-size", (None, None, seen.bytes))
        return Symptom("size-mismatch", "hint", words, fix)
    return None


def _other_size_symptom(
    record: ImageRecord,
    real: tuple[int, int],
    declared: tuple[int, int],
    other_masks: Collection[tuple[int, int]],
    *,
    is_stored: bool,
) -> Symptom:
    """Return the symptom of a picture of the size `real` with labels for the size `declared`.

    - If `declared` is the size before the EXIF rotation (`is_stored`), the fix is automatic: write the displayed size.
    - Else, if the sizes have the same aspect ratio, the labels are scaled or kept: automatically if they fit into only
      one of the two frames, else as the user chooses.
    - Else the picture was cropped or rotated, and the user must choose.

    `other_masks`: the sizes, except `real`, of the masks among the labels. They exclude the first case, and a size that
    is not `declared` excludes scaling.
    """
    words = f"the labels are for {_size_text(declared)}, the picture has {_size_text(real)}"
    if is_stored and not other_masks:
        words += " (its stored pixels are meant, but the labels fit the displayed ones)"
        fix = Fix("write the displayed size, and keep the labels", "true-size", (*real, None))
        return Symptom("size-mismatch", "warning", words, fix)
    scale = Fix("scale the labels with the picture", "scale", (*declared, *real))
    keep = Fix("write the real size, and keep the labels", "true-size", (*real, None))
    shapes = list(_repaired_shapes_of(record.regions))
    fits_real = bool(shapes) and _all_fit(shapes, real)
    fits_declared = bool(shapes) and _all_fit(shapes, declared)
    across, down = real[0] / declared[0], real[1] / declared[1]
    has_same_aspect = abs(across - down) <= SAME_ASPECT * max(across, down) and set(other_masks) <= {declared}
    if not has_same_aspect:
        is_sideways = fits_declared and not other_masks and declared == (real[1], real[0])
        choices = (*([keep] if fits_real else []), *(_quarter_turns(declared) if is_sideways else ()))
        return Symptom("size-mismatch", "error", words, None, choices)
    if fits_declared and not fits_real:
        return Symptom("size-mismatch", "error", words, scale)
    if fits_real and not fits_declared:
        return Symptom("size-mismatch", "error", f"{words}; the labels fit the real one only", keep)
    fit = f"the labels fit {'both' if fits_real else 'neither'}" if shapes else "nothing is labelled on it"
    return Symptom("size-mismatch", "error", f"{words}; {fit}", None, (scale, keep))


def sideways(regions: Sequence[Region], leaving: Collection[Shape], frame: tuple[int, int]) -> Symptom | None:
    """Return a symptom if labels extend outside the picture, but fit a picture with width and height exchanged.

    `leaving`: the shapes that extend outside. Several of them must be outside by more than the tolerance of `_all_fit`,
    or one of them far outside.
    """
    lying, shapes = (frame[1], frame[0]), list(_shapes_of(regions))
    if frame == lying or any(isinstance(shape, RLE) for shape in shapes) or _all_fit(shapes, frame):
        return None
    clearly_outside = [shape for shape in leaving if not _all_fit([shape], frame)]
    are_enough = len(clearly_outside) > 1 or any(
        outside_picture.lies_far_outside(shape, frame) for shape in clearly_outside
    )
    if not are_enough or not _all_fit(shapes, lying):
        return None
    words = (
        f"the labels leave the picture of {_size_text(frame)}, but would fit one of {_size_text(lying)}: x and y "
        "may be exchanged, or the picture was turned since"
    )
    return Symptom("turned-labels", "warning", words, None, _quarter_turns(lying))


def _quarter_turns(labelled: tuple[int, int]) -> tuple[Fix, ...]:
    """Return the fixes to choose from for labels that were drawn in a frame with exchanged width and height.

    The value of each fix is an EXIF orientation (5: exchange x and y, 6 and 8: rotate by 90°) and the frame `labelled`.
    """
    return (
        Fix("exchange x and y of its labels", "turn", (5, *labelled), "exchange"),
        Fix("turn its labels to the right", "turn", (6, *labelled), "turn-right"),
        Fix("turn its labels to the left", "turn", (8, *labelled), "turn-left"),
    )


def is_hint_of_file_size(symptom: Symptom) -> bool:
    """Whether a symptom is the hint of `size_mismatch` that the labelled file had another size in bytes.

    The other symptoms of `size_mismatch` are about the size in pixels, and are no hints. With the hint, the labels may
    have been drawn in another frame, although the label file does not say so.
    """
    return symptom.check == "size-mismatch" and symptom.severity == "hint"


def leaves_frame_to_user(symptom: Symptom) -> bool:
    """Whether a symptom leaves it to the user to decide in which frame the labels of the picture were drawn."""
    is_automatic = symptom.fix is not None
    return symptom.check in ("turned-labels", "size-mismatch") and not is_automatic


def normalised(shapes: Sequence[Shape], frame: Frame | None) -> Symptom | None:
    """Return a symptom if all labels have coordinates from 0 to 1: they are shares of width and height.

    None if there are masks, because their coordinates are pixels.
    """
    boxes = [raster.bounds(shape) for shape in shapes if not isinstance(shape, RLE)]
    boxes = [box for box in boxes if box[2] > box[0] and box[3] > box[1]]
    if frame is None or min(frame) < _LEAST_FRAME or not boxes:
        return None
    n_with_area = sum(map(learnable_objects.has_box, shapes))
    if len(boxes) < n_with_area:  # masks are missing in `boxes`
        return None
    if any(min(box) < -_SHARES_BEYOND or max(box) > 1 + _SHARES_BEYOND for box in boxes):
        return None
    words = f"all its labels lie from 0 to 1, the picture has {frame[0]:g} x {frame[1]:g} px"
    scale = Fix("take them as shares: times the width and the height", "scale", (1, 1, *frame))
    return Symptom("normalised", "error", words, None, (scale,))


def in_percent_or_thousandths(noted: list[PictureNotes]) -> list[Finding]:
    """Find labels that are written in percent or in thousandths of the picture's width and height.

    Over all pictures, such labels reach to about 100 or 1000, across and down. They do not fit their pictures: they use
    only the top left part of each, or extend outside several.
    """
    known = [(number, entry) for number, entry in enumerate(noted) if entry.reach is not None]
    if len(known) < _LEAST_PICTURES or sum(entry.n_regions for _, entry in known) < _LEAST_REGIONS:
        return []
    left, upper, right, lower = zip(*(entry.around for _, entry in known if entry.around), strict=True)
    ends = max(right), max(lower)
    whole = next(
        (n for n in _FULL_SCALES if min(ends) >= n * (1 - _BELOW_FULL) and max(ends) <= n * (1 + _ABOVE_FULL)), None
    )
    if whole is None or min(*left, *upper) < -whole * _ABOVE_FULL:
        return []
    are_in_corner = all(max(reach) <= _CORNER_SHARE for _, entry in known if (reach := entry.reach))
    if not are_in_corner and sum(entry.is_beyond for _, entry in known) < 2:
        return []
    found = []
    for number, entry in known:
        assert entry.frame is not None
        width, height = entry.frame
        words = (
            f"the labels of all pictures lie from 0 to {whole:,}, as shares of {whole:,} do; this picture has "
            f"{width:,} x {height:,} px"
        )
        scale = Fix("take them as shares of the width and the height", "scale", (whole, whole, width, height))
        found.append(Symptom("normalised", "warning", words, None, (scale,)).at(number, entry.file_name))
    return found


def in_one_corner(noted: list[PictureNotes]) -> list[Finding]:
    """Find labels of many pictures that are all in the top left part. They may belong to smaller copies."""
    reaches = [entry.reach for entry in noted if entry.reach is not None]
    regions = sum(entry.n_regions for entry in noted if entry.reach is not None)
    if len(reaches) < _LEAST_PICTURES or regions < _LEAST_REGIONS:
        return []
    across, down = max(reach[0] for reach in reaches), max(reach[1] for reach in reaches)
    if max(across, down) > _CORNER_SHARE or min(across, down) <= 0:
        return []
    words = (
        f"the {counted(regions, 'region')} of {counted(len(reaches), 'picture')} reach over the left {across:.0%} and "
        f"the upper {down:.0%} of their pictures at most; if they were drawn on smaller copies, import them with those"
    )
    return [Finding("one-corner", "hint", words)]


def beyond_many_pictures(noted: list[PictureNotes]) -> list[Finding]:
    """Find labels that extend outside many of their pictures. They may belong to copies of another size."""
    drawn_on = [entry for entry in noted if not entry.left_out and entry.around is not None]
    beyond = sum(entry.is_beyond for entry in drawn_on)
    if beyond < max(_LEAST_PICTURES, _BEYOND_SHARE * len(drawn_on)):
        return []
    words = (
        f"the labels of {beyond:,} of {counted(len(drawn_on), 'picture')} leave them by more than a slip: they may "
        "have been drawn on copies that were larger or turned, or mean other numbers, so none is cut off unasked"
    )
    return [Finding("size-mismatch", "warning", words)]


def extent_of_labels(shapes: Sequence[Shape]) -> Box | None:
    """Return the bounding box of all labels of a picture, for the checks of their frame; None if there are none."""
    boxes = [raster.bounds(shape) for shape in shapes]
    if not boxes:
        return None
    left, upper, right, lower = zip(*boxes, strict=True)
    return min(left), min(upper), max(right), max(lower)


def _shapes_of(regions: Iterable[Region]) -> Iterator[Shape]:
    """Yield the shapes and the keypoints of regions, to compare them with a frame."""
    for region in regions:
        yield region.shape
        if region.keypoints:
            yield region.keypoints


def _repaired_shapes_of(regions: Iterable[Region]) -> Iterator[Shape]:
    """Yield the shapes and the keypoints of regions after all automatic fixes of `shape_checks` except clipping.

    These fixes remove stray vertices. A stray vertex may lie outside the picture, so it would give a wrong frame.
    """
    repaired = (shape_checks.examined(region, frame=None, canvas=None, may_clip=False).region for region in regions)
    return _shapes_of(region for region in repaired if region is not None)


def _mask_sizes(shapes: Iterable[Shape]) -> set[tuple[int, int]]:
    """Return the frames (width, height) of the masks among the shapes."""
    return {(shape.size[1], shape.size[0]) for shape in shapes if isinstance(shape, RLE)}


def _all_fit(shapes: Sequence[Shape], frame: Frame) -> bool:
    """Whether all shapes are inside a frame, within the tolerance. A mask must have the size of the frame."""
    width, height = frame
    slack = max(SLACK_PX, SLACK_SHARE * max(frame))
    boxes = [raster.bounds(shape) for shape in shapes if not isinstance(shape, RLE)]
    return _mask_sizes(shapes) <= {frame} and all(
        min(x0, y0) >= -slack and x1 <= width + slack and y1 <= height + slack for x0, y0, x1, y1 in boxes
    )


def _size_text(frame: Frame) -> str:
    """Return a frame's size for a message, such as `640 x 480 px`."""
    return f"{frame[0]:g} x {frame[1]:g} px"
