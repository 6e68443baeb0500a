"""Checks of a record's picture file: does it exist, is it complete, and do its size and orientation match the labels.

A camera in portrait position often stores a rotated picture and the rotation in EXIF. The studio shows and labels the
rotated picture, but some tools label the stored pixels. Orientations 5 to 8 exchange width and height, so such labels
can be detected. Orientations 1 to 4 do not, so nothing can be detected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from maskrcnn.annotations import duplicate_pictures, pictures, raster
from maskrcnn.annotations.doctor import frame_checks, shape_checks, shape_repairs
from maskrcnn.annotations.doctor.findings import Finding, Fix, Symptom
from maskrcnn.annotations.doctor.shape_repairs import Frame
from maskrcnn.annotations.picture_files import tonal_range
from maskrcnn.annotations.picture_files.tonal_range import Tones
from maskrcnn.annotations.regions import RLE, ImageRecord, Region, Shape
from maskrcnn.errors import StudioError

SLACK_PX, SLACK_SHARE = 2.0, 0.02
"""Tolerance (px, and share of the longer side) for labels outside a frame, when deciding in which frame they were
drawn. A single vertex slightly outside must not cause a rotation."""

SAME_SHAPE = 0.01
"""Two sizes have the same aspect ratio if their horizontal and vertical scales differ by at most this share."""


@dataclass(frozen=True)
class Look:
    """Facts read from a picture's file.

    - `size`: (width, height) of the displayed frame; None if the picture is missing or unreadable (see `problem`).
    - `orientation`: EXIF orientation.
    - `bytes`, `changed`: size and modification time (ns) of the file, to detect changes.
    - `likeness`: set only on request.
    - `tones`: the tonal range; None if the values are stretched while loading.
    """

    size: tuple[int, int] | None
    problem: str | None = None
    orientation: int = 1
    bytes: int | None = None
    changed: int | None = None
    likeness: duplicate_pictures.Likeness | None = None
    tones: tonal_range.Tones | None = None

    @property
    def stored(self) -> tuple[int, int] | None:
        """(width, height) of the pixels as they are stored."""
        return self.size if self.size is None or self.orientation < 5 else (self.size[1], self.size[0])


def look(path: Path, *, with_likeness: bool, before: Look | None = None) -> Look:
    """Read the facts of a picture's file. Return `before` instead if the file is unchanged and it has all facts."""
    try:
        status = path.stat()
    except OSError:
        return Look(None, "there is no such file")
    facts = status.st_size, status.st_mtime_ns
    holds = before is not None and (before.bytes, before.changed) == facts
    if before is not None and holds and (before.size is None or before.likeness is not None or not with_likeness):
        return before
    try:
        orientation, size = pictures.orientation(path), pictures.size(path)
        pixels, used = pictures.surveyed(path, duplicate_pictures.SIDE)
        seen = duplicate_pictures.of_pixels(pixels, size) if with_likeness else None
        return Look(size, None, orientation, *facts, seen, used)
    except StudioError as error:
        # The message names the file and a mend; here only what is between is of use.
        return Look(None, str(error).removeprefix(f"{path}: ").split(";")[0], 1, *facts)


def symptoms(record: ImageRecord, seen: Look | None) -> tuple[list[Symptom], ImageRecord]:
    """Check a record's picture. Return the symptoms, and the record after automatic fixes.

    `seen` is None if the record has no path. A record without a picture is returned unchanged.
    """
    leave_out = Fix("leave the picture out, with its regions", "leave-out")
    if seen is None or (seen.size is None and seen.bytes is None):
        return [Symptom("picture-missing", "error", "the picture was not found", None, (leave_out,))], record
    if seen.size is None:
        words = seen.problem or "it cannot be read"
        return [Symptom("picture-unreadable", "error", words, None, (leave_out,))], record
    found = turned_labels(record, seen) or size_mismatch(record, seen)
    if found is None:
        return [], replace(record, width=seen.size[0], height=seen.size[1])
    return [found], replace(mended(record, found.fix), width=seen.size[0], height=seen.size[1])


def turned_labels(record: ImageRecord, seen: Look) -> Symptom | None:
    """Return a symptom if the labels fit only the stored frame of a picture that is displayed rotated by 90°."""
    assert seen.size is not None
    assert seen.stored is not None
    if seen.stored == seen.size:
        return None
    shapes = list(_mended_shapes(record.regions))
    fits_displayed, fits_stored = _fit(shapes, seen.size), _fit(shapes, seen.stored)
    said_so = _declared(record) == seen.stored and bool(shapes)
    if not fits_stored or (fits_displayed and not said_so):
        return None
    words = (
        f"the labels fit the stored pixels, {_size(seen.stored)}, but the picture is displayed turned, "
        f"{_size(seen.size)} (EXIF orientation {seen.orientation})"
    )
    fix = Fix("turn the labels with the picture", "turn", (seen.orientation, *seen.stored))
    if not fits_displayed:
        return Symptom("turned-labels", "error", words, fix)
    words = (
        f"the label file has the size of the stored pixels, {_size(seen.stored)}, but the picture is displayed turned, "
        f"{_size(seen.size)} (EXIF orientation {seen.orientation}); the labels fit both"
    )
    keep = Fix("write the displayed size, and keep the labels", "true-size", (*seen.size, None))
    return Symptom("turned-labels", "error", words, None, (fix, keep))


def size_mismatch(record: ImageRecord, seen: Look) -> Symptom | None:
    """Return a symptom if the picture has another size than the label file states, in pixels or else in bytes."""
    assert seen.size is not None
    declared = _declared(record)
    if masks := _mask_sizes(_shapes(record.regions)) - {seen.size}:
        masks = _mask_sizes(_mended_shapes(record.regions)) - {seen.size}
    if masks and declared in (None, seen.size):
        declared = min(masks)
    if declared is not None and declared != seen.size:
        words = f"the labels are for {_size(declared)}, the picture has {_size(seen.size)}"
        if declared == seen.stored and not masks:
            words += " (its stored pixels are meant, but the labels fit the displayed ones)"
            fix = Fix("write the displayed size, and keep the labels", "true-size", (*seen.size, None))
            return Symptom("size-mismatch", "warning", words, fix)
        across, down = seen.size[0] / declared[0], seen.size[1] / declared[1]
        one_aspect = abs(across - down) <= SAME_SHAPE * max(across, down) and masks <= {declared}
        scale = Fix("scale the labels with the picture", "scale", (*declared, *seen.size))
        keep = Fix("write the real size, and keep the labels", "true-size", (*seen.size, None))
        shapes = list(_mended_shapes(record.regions))
        fits_real, fits_declared = (_fit(shapes, size) and bool(shapes) for size in (seen.size, declared))
        if not one_aspect:
            lies = fits_declared and not masks and declared == (seen.size[1], seen.size[0])
            turns = _quarter_turns(declared) if lies else ()
            return Symptom("size-mismatch", "error", words, None, (*((keep,) if fits_real else ()), *turns))
        if fits_declared and not fits_real:
            return Symptom("size-mismatch", "error", words, scale)
        if fits_real and not fits_declared:
            return Symptom("size-mismatch", "error", f"{words}; the labels fit the real one only", keep)
        fit = f"the labels fit {'both' if fits_real else 'neither'}" if shapes else "nothing is labelled on it"
        return Symptom("size-mismatch", "error", f"{words}; {fit}", None, (scale, keep))
    if record.file_size is not None and record.file_size >= 0 and record.file_size != seen.bytes:
        words = f"the labelled file had {record.file_size} bytes, this one has {seen.bytes}"
        fix = Fix("write the real size, and keep the labels", "true-size", (None, None, seen.bytes))
        return Symptom("size-mismatch", "hint", words, fix)
    return None


def sideways(regions: Sequence[Region], leaving: Collection[Shape], frame: tuple[int, int]) -> Symptom | None:
    """Return a symptom if labels extend outside the picture, but fit a picture with width and height exchanged.

    `leaving`: the shapes that extend outside. There must be several, or one that is far outside.
    """
    lying, shapes = (frame[1], frame[0]), list(_shapes(regions))
    if frame == lying or any(isinstance(shape, RLE) for shape in shapes) or _fit(shapes, frame):
        return None
    beyond = [shape for shape in leaving if not _fit([shape], frame)]
    are_some = len(beyond) > 1 or any(frame_checks.lies_far_outside(shape, frame) for shape in beyond)
    if not are_some or not _fit(shapes, lying):
        return None
    words = (
        f"the labels leave the picture of {_size(frame)}, but would fit one of {_size(lying)}: x and y may be "
        "exchanged, or the picture was turned since"
    )
    return Symptom("turned-labels", "warning", words, None, _quarter_turns(lying))


def _quarter_turns(labelled: tuple[int, int]) -> tuple[Fix, ...]:
    """Return the possible rotations of labels that were drawn in a frame with exchanged width and height."""
    return (
        Fix("exchange x and y of its labels", "turn", (5, *labelled), "exchange"),
        Fix("turn its labels to the right", "turn", (6, *labelled), "turn-right"),
        Fix("turn its labels to the left", "turn", (8, *labelled), "turn-left"),
    )


def is_of_other_bytes(symptom: Symptom) -> bool:
    """Whether a symptom says that the file was another one when it was labelled, perhaps of another size in pixels."""
    return symptom.check == "size-mismatch" and symptom.severity == "hint"


def leaves_the_frame_open(symptom: Symptom) -> bool:
    """Whether it is still to be decided in which frame the labels of the picture were drawn."""
    return symptom.check in ("turned-labels", "size-mismatch") and symptom.fix is None


def narrow_ranges(looks: Sequence[tuple[int, str, Look | None]]) -> list[Finding]:
    """Return findings for pictures that use a small part of their range of values.

    If all readable pictures do (for example from one device), return a single finding with one command for all.
    """
    known = [(number, name, seen.tones) for number, name, seen in looks if seen is not None and seen.tones is not None]
    narrow = [(number, name, used) for number, name, used in known if used.is_narrow]
    of_one_kind: dict[float, list[Tones]] = {}
    for _, _, used in narrow:
        if not used.is_blank:
            of_one_kind.setdefault(used.white, []).append(used)
    kinds = {white: tonal_range.together(several) for white, several in of_one_kind.items()}
    looked_at = sum(seen is not None and seen.size is not None for _, _, seen in looks)
    if len(narrow) == looked_at > 1 and len(kinds) == 1 and sum(map(len, of_one_kind.values())) == len(narrow):
        (used,) = kinds.values()
        words = f"all {len(narrow):,} pictures: {tonal_range.in_words(used)}; {tonal_range.how_to(used)}"
        return [Finding("narrow-range", "hint", words)]
    found = []
    for number, name, used in narrow:
        words = tonal_range.in_words(used)
        if not used.is_blank:
            words += f"; {tonal_range.how_to(kinds[used.white])}"
        found.append(Symptom("narrow-range", "hint", words).at(number, name))
    return found


def no_regions(record: ImageRecord) -> Symptom | None:
    return None if record.regions else Symptom("no-regions", "hint", "nothing is labelled on it")


def mended(record: ImageRecord, fix: Fix | None) -> ImageRecord:
    """Return the record after a fix of its picture (turn, scale or true-size); other fixes are ignored.

    Turn and scale remove the file size, because it belongs to another file.
    """
    if fix is None:
        return record
    if fix.action == "turn":
        orientation, width, height = fix.value
        regions = tuple(shape_repairs.turned(region, orientation, (width, height)) for region in record.regions)
        return replace(record, regions=regions, width=height, height=width, file_size=None)
    if fix.action == "scale":
        old_width, old_height, width, height = fix.value
        factors = width / old_width, height / old_height
        regions = tuple(shape_repairs.scaled(region, factors, (width, height)) for region in record.regions)
        return replace(record, regions=regions, width=width, height=height, file_size=None)
    if fix.action == "true-size":
        width, height, size = fix.value
        return replace(
            record,
            width=record.width if width is None else width,
            height=record.height if height is None else height,
            file_size=size,
        )
    return record


def _shapes(regions: Iterable[Region]) -> Iterator[Shape]:
    for region in regions:
        yield region.shape
        if region.keypoints:
            yield region.keypoints


def _mended_shapes(regions: Iterable[Region]) -> Iterator[Shape]:
    """The shapes without what sure mends take from them in any frame: a stray vertex says nothing of the frame."""
    mended = (shape_checks.examined(region, None, None, may_cut=False).region for region in regions)
    return _shapes(region for region in mended if region is not None)


def _mask_sizes(shapes: Iterable[Shape]) -> set[tuple[int, int]]:
    """(width, height) of the masks among the shapes."""
    return {(shape.size[1], shape.size[0]) for shape in shapes if isinstance(shape, RLE)}


def _fit(shapes: Sequence[Shape], frame: Frame) -> bool:
    """Whether all shapes are inside a frame, within the tolerance. A mask must have the size of the frame."""
    width, height = frame
    slack = max(SLACK_PX, SLACK_SHARE * max(frame))
    masks = {(float(shape.size[1]), float(shape.size[0])) for shape in shapes if isinstance(shape, RLE)}
    boxes = [raster.bounds(shape) for shape in shapes if not isinstance(shape, RLE)]
    return masks <= {frame} and all(
        min(x0, y0) >= -slack and x1 <= width + slack and y1 <= height + slack for x0, y0, x1, y1 in boxes
    )


def _declared(record: ImageRecord) -> tuple[int, int] | None:
    return None if record.width is None or record.height is None else (record.width, record.height)


def _size(size: Frame) -> str:
    return f"{size[0]:g} x {size[1]:g} px"
