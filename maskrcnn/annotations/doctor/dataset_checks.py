"""Checks that need all pictures: missing files, labels in another scale, the same picture in both splits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from maskrcnn.annotations import duplicate_pictures, raster
from maskrcnn.annotations.doctor import frame_checks
from maskrcnn.annotations.doctor.findings import Finding, Fix, Severity, Symptom
from maskrcnn.annotations.doctor.picture_notes import PictureNotes
from maskrcnn.words import counted

_CORNER, _LEAST_PICTURES, _LEAST_REGIONS = 0.6, 3, 8
"""Limits for `in_one_corner`: maximum share of width and height, minimum numbers of pictures and regions."""

_WHOLES, _NEARLY, _OVER = (100, 1000), 0.2, 0.01
"""Limits for `in_parts`: possible maximum values, and relative tolerances below and above the maximum."""

_MANY = 0.25
"""Minimum share of pictures for `beyond_the_edges` (and at least `_LEAST_PICTURES`)."""

_LEAST_BOXES = 3


def without_any_picture(found: list[Finding], noted: list[PictureNotes]) -> list[Finding]:
    """If no picture was found at all, replace the "picture-missing" findings by a single one without a fix."""
    missing = [finding for finding in found if finding.check == "picture-missing"]
    if not missing or len(missing) < len(noted):
        return found
    words = (
        f'the only picture, "{missing[0].file_name}", was'
        if len(noted) == 1
        else f"none of the {len(noted)} pictures was"
    )
    others = [finding for finding in found if finding.check != "picture-missing"]
    return [*others, Finding("picture-missing", "error", f"{words} not found" if len(noted) == 1 else f"{words} found")]


def passed_over(found: list[Finding], noted: list[PictureNotes]) -> list[Finding]:
    """Extend the findings about crowds, lines and points by their consequences.

    A finding becomes a warning if its class has no object at all, or if the picture is used as background.
    """
    learned: Counter[str | None] = Counter()
    for entry in noted:
        learned += entry.objects

    def weighed(finding: Finding) -> Finding:
        if finding.check not in ("crowd", "line-or-point") or finding.picture is None:
            return finding
        entry = noted[finding.picture]
        name = entry.passed.get(finding.region_number or 0)
        words, severity = finding.what, finding.severity
        if name is not None and not learned[name]:
            words, severity = f'{words}; no region of "{name}" is learned', "warning"
        if not entry.objects:
            words, severity = f"{words}; the picture has nothing else and is learned as background", "warning"
        return replace(finding, what=words, severity=severity)

    return [weighed(finding) for finding in found]


def in_one_corner(noted: list[PictureNotes]) -> list[Finding]:
    """Find labels of many pictures that are all in the top left part. They may belong to smaller copies."""
    reaches = [entry.reach for entry in noted if entry.reach is not None]
    regions = sum(entry.n_regions for entry in noted if entry.reach is not None)
    if len(reaches) < _LEAST_PICTURES or regions < _LEAST_REGIONS:
        return []
    across, down = max(reach[0] for reach in reaches), max(reach[1] for reach in reaches)
    if max(across, down) > _CORNER or min(across, down) <= 0:
        return []
    words = (
        f"the {counted(regions, 'region')} of {counted(len(reaches), 'picture')} reach over the left {across:.0%} and "
        f"the upper {down:.0%} of their pictures at most; if they were drawn on smaller copies, import them with those"
    )
    return [Finding("one-corner", "hint", words)]


def in_parts(noted: list[PictureNotes]) -> list[Finding]:
    """Find labels from 0 to 100, or to 1000, that do not fit their pictures: percentages or thousandths."""
    known = [(number, entry) for number, entry in enumerate(noted) if entry.reach is not None]
    if len(known) < _LEAST_PICTURES or sum(entry.n_regions for _, entry in known) < _LEAST_REGIONS:
        return []
    left, upper, right, lower = zip(*(entry.around for _, entry in known if entry.around), strict=True)
    ends = max(right), max(lower)
    whole = next((n for n in _WHOLES if min(ends) >= n * (1 - _NEARLY) and max(ends) <= n * (1 + _OVER)), None)
    if whole is None or min(*left, *upper) < -whole * _OVER:
        return []
    reaches = [reach for _, entry in known if (reach := entry.reach)]
    if max(map(max, reaches)) > _CORNER and sum(entry.is_beyond for _, entry in known) < 2:
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


def beyond_the_edges(noted: list[PictureNotes]) -> list[Finding]:
    """Find labels that extend outside many of their pictures. They may belong to copies of another size."""
    drawn_on = [entry for entry in noted if not entry.left_out and entry.around is not None]
    beyond = sum(entry.is_beyond for entry in drawn_on)
    if beyond < max(_LEAST_PICTURES, _MANY * len(drawn_on)):
        return []
    words = (
        f"the labels of {beyond:,} of {counted(len(drawn_on), 'picture')} leave them by more than a slip: they may "
        "have been drawn on copies that were larger or turned, or mean other numbers, so none is cut off unasked"
    )
    return [Finding("size-mismatch", "warning", words)]


def as_corners(noted: list[PictureNotes]) -> list[Finding]:
    """Find boxes inside their pictures that may be written as two corners, because other boxes are."""
    several = [(number, entry, box) for number, entry in enumerate(noted) for box in entry.boxes or ()]
    if any(entry.boxes is None for entry in noted) or len(several) < _LEAST_BOXES:
        return []
    if not any(box.leaves for _, _, box in several):
        return []
    found = []
    for number, entry, box in several:
        if frame_checks.outside(box.region.shape, entry.frame) is None:
            words = "it lies in the picture, but as others leave theirs, its four numbers may be two corners"
            read = Fix("read its four numbers as two corners", "corners", box.read)
            symptom = Symptom("outside-picture", "warning", words, None, (read,))
            around = raster.bounds(box.region.shape)
            found.append(symptom.at(number, entry.file_name, box.number, box.region, around))
    return found


def in_both_splits(noted: list[PictureNotes]) -> list[Finding]:
    """Find validation pictures that are also in training. The fix removes them from validation.

    If the pixels and labels are equal, this is the automatic fix and the `left_out` of the picture is set. Otherwise
    the fix is a choice of the user.
    """
    training = [entry for entry in noted if entry.split == "train" and entry.likeness is not None]
    validation = [(n, entry) for n, entry in enumerate(noted) if entry.split == "val" and entry.likeness is not None]
    alike = duplicate_pictures.pairs(
        [entry.likeness for _, entry in validation if entry.likeness],
        [entry.likeness for entry in training if entry.likeness],
    )
    twins: dict[int, list[PictureNotes]] = {}
    for i, j in alike:
        twins.setdefault(i, []).append(training[j])
    found = []
    digests: dict[Path, str] = {}
    fix = Fix("take it out of validation, with its regions", "leave-out")
    for i, others in twins.items():
        number, entry = validation[i]
        exact = [other for other in others if _same_pixels(entry, other, digests)]
        severity: Severity = "error" if exact else "warning"
        if exact:
            words = f'it is the same picture as "{exact[0].file_name}" in training'
        else:
            words = f'it looks like a copy of "{others[0].file_name}" in training, saved anew or scaled'
        entry.left_out = any(other.labels == entry.labels for other in exact)
        if entry.left_out:
            symptom = Symptom("in-both-splits", severity, words, fix)
        else:
            if exact:
                words += f"; its labels differ ({counted(entry.n_regions, 'region')}, {exact[0].n_regions:,} there)"
            symptom = Symptom("in-both-splits", severity, words, None, (fix,))
        found.append(symptom.at(number, entry.file_name))
    return found


def _same_pixels(one: PictureNotes, other: PictureNotes, digests: dict[Path, str]) -> bool:
    assert one.path is not None
    assert other.path is not None
    for path in (one.path, other.path):
        if path not in digests:
            digests[path] = duplicate_pictures.digest(path)
    return digests[one.path] == digests[other.path]
