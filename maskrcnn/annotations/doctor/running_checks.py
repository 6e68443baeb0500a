"""Run all checks on a dataset: one pass that reads each picture once, then the checks that need all pictures.

Each check sees the dataset after the automatic fixes of earlier checks. For example, a region that will be dropped is
not a duplicate, and regions are counted by their corrected class. So after `apply` of all automatic fixes, a new
examination finds no further automatic fixes. Fixes that the user must choose have no effect on other checks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import MutableMapping
from pathlib import Path

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.doctor import (
    box_checks,
    class_checks,
    duplicate_regions,
    frame_checks,
    outside_picture,
    picture_file_checks,
    picture_notes,
    shape_checks,
    skipped_regions,
)
from maskrcnn.annotations.doctor.box_checks import Anchor
from maskrcnn.annotations.doctor.findings import CHECKS, Finding, Symptom
from maskrcnn.annotations.doctor.picture_notes import NumberedRegion, PictureFileNotes, PictureNotes
from maskrcnn.annotations.learnable_objects import why_not
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Region, Shape
from maskrcnn.config import Config

_CLASSROOM = Config.preset("classroom")
_LARGEST_CANVAS = 1e8
"""Maximum number of pixels of the substitute canvas for drawing masks if the picture size is unknown."""


def examine(
    dataset: Dataset,
    *,
    smallest_anchor: float = min(_CLASSROOM.rpn_anchor_scales),
    image_min_dim: int = _CLASSROOM.image_min_dim,
    image_max_dim: int = _CLASSROOM.image_max_dim,
    progress: Progress | None = None,
    file_notes: MutableMapping[Path, PictureFileNotes] | None = None,
) -> list[Finding]:
    """Return all findings of a dataset, sorted by the order of `CHECKS`, then by picture and region.

    `smallest_anchor` is a side in pixels at working size; `image_min_dim` and `image_max_dim` define the working size
    as in `config.Config`. The defaults are those of the classroom preset. `progress(done, total)` is called after each
    picture. `file_notes` is a cache of facts about the files: pass the same dict again to skip unchanged pictures.

    Pictures are compared across splits only if records have splits (`ImageRecord.split`). The function iterates once
    over `dataset.images`, and again without reading pictures if class names need fixes or many labels extend outside
    their pictures. It keeps a few hundred bytes for each picture. Problems of the dataset never raise an exception.

    >>> from maskrcnn.annotations.regions import Rect
    >>> cells = (Region(Rect(0, 0, 60, 60), "cell"), Region(Rect(0, 0, 60, 60), "cell"))
    >>> labels = Dataset((ImageRecord("a.png", width=100, height=100, regions=cells),), ("cell",))
    >>> [(finding.check, finding.region_number) for finding in examine(labels)]
    [('picture-missing', None), ('duplicate', 2)]
    """
    file_notes = {} if file_notes is None else file_notes
    anchor = Anchor(smallest_anchor, image_min_dim, image_max_dim)
    found: list[Finding] = []
    noted: list[PictureNotes] = []
    seen_of: list[tuple[int, str, PictureFileNotes | None]] = []
    total = len(dataset.images)
    for number, record in enumerate(dataset.images):
        seen = None
        if record.path is not None:
            seen = file_notes[record.path] = picture_notes.read_file_notes(
                record.path, with_likeness=record.split is not None, before=file_notes.get(record.path)
            )
        seen_of.append((number, record.file_name, seen))
        noted.append(_examine_record(found, number, record, seen, anchor))
        if progress is not None:
            progress(number + 1, total)

    in_both_splits = picture_file_checks.in_both_splits(noted)
    beyond_many_pictures = frame_checks.beyond_many_pictures(noted)
    if beyond_many_pictures:  # the labels may belong to copies of another size: examine again, and clip no region
        found, before = [], noted
        noted = []
        for (number, _, seen), record in zip(seen_of, dataset.images, strict=True):
            noted.append(_examine_record(found, number, record, seen, anchor, may_clip=False))
            noted[-1].left_out = before[number].left_out
    found += picture_file_checks.narrow_ranges(seen_of)
    found = picture_file_checks.all_pictures_missing(found, noted)
    found = skipped_regions.with_consequences(found, noted)
    found += frame_checks.in_percent_or_thousandths(noted) or [
        *beyond_many_pictures,
        *frame_checks.in_one_corner(noted),
    ]
    found += box_checks.boxes_as_corners(noted)
    found += in_both_splits
    found += class_checks.duplicates_and_classes(dataset, noted)
    order = {check: place for place, check in enumerate(CHECKS)}
    return sorted(found, key=lambda f: (order[f.check], -1 if f.picture is None else f.picture, f.region_number or 0))


def _examine_record(
    found: list[Finding],
    number: int,
    record: ImageRecord,
    seen: PictureFileNotes | None,
    anchor: Anchor,
    *,
    may_clip: bool = True,
) -> PictureNotes:
    """Run the checks on one picture and its regions, append the findings to `found`, and return notes for later checks.

    `may_clip` False: do not clip regions automatically, because the labels may belong to copies of another size. For
    the same reason, regions are not clipped if the frame of the labels is in doubt, or if one lies far outside.
    """
    symptoms, mended = picture_file_checks.check_picture(record, seen)
    if not record.regions:
        symptoms.append(Symptom("no-regions", "hint", "nothing is labelled on it"))
    frame = mended.size
    in_shares = frame_checks.normalised([region.shape for region in mended.regions], frame)
    symptoms += [in_shares] if in_shares else []

    canvas = frame or _canvas_of_checks(mended.regions)
    unclipped = [shape_checks.shape_before_clipping(region, frame, canvas) for region in mended.regions]
    leaving = {shape for shape in unclipped if shape is not None}  # shapes that extend outside the picture
    if leaving:
        symptoms = _frame_in_doubt(symptoms, mended.regions, leaving, frame)
        is_in_doubt = any(frame_checks.leaves_frame_to_user(symptom) for symptom in symptoms)
        is_far_outside = any(outside_picture.lies_far_outside(shape, frame) for shape in leaving)
        may_clip = may_clip and not is_in_doubt and not is_far_outside
    found += [symptom.at(number, record.file_name) for symptom in symptoms]

    kept: list[NumberedRegion] = []
    skipped_classes: dict[int, str | None] = {}  # of crowds, lines and points, by region number
    objects: Counter[str | None] = Counter()
    for place, region in enumerate(mended.regions, start=1):
        if in_shares:  # normalised labels cause many other faults, so skip the other checks
            kept.append(NumberedRegion(place, region, None))
            continue
        examined = shape_checks.examined(region, frame, canvas, may_clip=may_clip)
        symptoms = [*examined.symptoms, *([unlike] if (unlike := box_checks.box_mismatch(region)) else [])]
        if (mended_region := examined.region) is not None:
            is_settled = not any(symptom.check == "outside-picture" and not symptom.fix for symptom in symptoms)
            kept.append(NumberedRegion(place, mended_region, examined.encoded, is_settled))
            reason = why_not(mended_region, frame)
            if reason is None:
                objects[mended_region.class_name] += 1
            if reason in ("crowd", "line", "point"):
                skipped_classes[place] = mended_region.class_name
            if reason == "crowd":
                symptoms.append(skipped_regions.crowd())
            is_tiny = any(symptom.check in ("thin-box", "tiny") for symptom in symptoms)
            if frame and not is_tiny and (small := box_checks.below_anchor(mended_region, frame, anchor)):
                symptoms.append(small)
        box = raster.bounds(region.shape)
        found += [symptom.at(number, record.file_name, place, region, box) for symptom in symptoms]
    return PictureNotes(
        record.file_name,
        record.split,
        record.path,
        seen.likeness if seen is not None else None,
        classes=Counter(drawn.region.class_name for drawn in kept if class_checks.counts_in_class_checks(drawn.region)),
        pairs=[] if in_shares else duplicate_regions.region_pairs(kept),
        objects=objects,
        skipped_classes=skipped_classes,
        labels=frozenset((r.shape, r.class_name, r.iscrowd, r.keypoints) for r in mended.regions).__hash__(),
        n_regions=len(mended.regions),
        frame=frame,
        around=None if in_shares else frame_checks.extent_of_labels([region.shape for region in mended.regions]),
        is_beyond=frame is not None and any(outside_picture.lies_beyond_a_slip(shape, frame) for shape in leaving),
        boxes=box_checks.corner_boxes(mended.regions, frame),
    )


def _frame_in_doubt(
    symptoms: list[Symptom], regions: tuple[Region, ...], leaving: set[Shape], frame: tuple[int, int] | None
) -> list[Symptom]:
    """Return the symptoms of a picture whose labels extend outside (`leaving`), so they may belong to another frame.

    If the picture's size is known, and there is no symptom so far or only the hint of another file size,
    `frame_checks.sideways` is checked too. A file with another number of bytes may be a copy of another size in pixels,
    so the fix of that hint becomes a choice of the user.
    """
    if frame is not None and all(map(frame_checks.is_hint_of_file_size, symptoms)):
        sideways = frame_checks.sideways(regions, leaving, frame)
        symptoms = [*symptoms, *([sideways] if sideways else [])]
    return [symptom.unsure() if frame_checks.is_hint_of_file_size(symptom) else symptom for symptom in symptoms]


def _canvas_of_checks(regions: tuple[Region, ...]) -> tuple[int, int] | None:
    """Return the (width, height) on which the checks draw masks if the size of the picture is unknown.

    It contains all regions; None if it is too large.
    """
    boxes = [raster.bounds(region.shape) for region in regions]
    width = max([1, *(math.ceil(box[2]) for box in boxes)])
    height = max([1, *(math.ceil(box[3]) for box in boxes)])
    return (width, height) if width * height <= _LARGEST_CANVAS else None
