"""Checks of the picture files: is each there, complete, of a usable tonal range, and not in both splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from maskrcnn.annotations import duplicate_pictures
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.doctor.applying_fixes import with_picture_fix
from maskrcnn.annotations.doctor.findings import Finding, Fix, Severity, Symptom
from maskrcnn.annotations.doctor.frame_checks import size_mismatch, turned_labels
from maskrcnn.annotations.doctor.picture_notes import PictureFileNotes, PictureNotes
from maskrcnn.annotations.picture_files import tonal_range
from maskrcnn.annotations.picture_files.tonal_range import Tones
from maskrcnn.words import counted


def check_picture(record: ImageRecord, seen: PictureFileNotes | None) -> tuple[list[Symptom], ImageRecord]:
    """Check a record's picture: missing, unreadable, or not in the frame of its labels (`frame_checks`).

    Return the symptoms, and the record after automatic fixes. `seen` is None if the record has no path. A record
    without a picture is returned unchanged.
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
    return [found], replace(with_picture_fix(record, found.fix), width=seen.size[0], height=seen.size[1])


def narrow_ranges(files: Sequence[tuple[int, str, PictureFileNotes | None]]) -> list[Finding]:
    """Return findings for pictures that use a small part of their range of values.

    If all readable pictures do, are of the same bit depth and none is blank, return a single finding for all of them.
    """
    known = [(number, name, seen.tones) for number, name, seen in files if seen is not None and seen.tones is not None]
    narrow = [(number, name, used) for number, name, used in known if used.is_narrow]
    of_kind: dict[float, list[Tones]] = {}  # the kind of a picture: the value that is displayed as white
    for _, _, used in narrow:
        if not used.is_blank:
            of_kind.setdefault(used.white, []).append(used)
    kinds = {white: tonal_range.together(several) for white, several in of_kind.items()}
    readable = sum(seen is not None and seen.size is not None for _, _, seen in files)
    are_all_narrow = len(narrow) == readable > 1
    has_blank = any(used.is_blank for _, _, used in narrow)
    if are_all_narrow and len(kinds) == 1 and not has_blank:
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


def all_pictures_missing(found: list[Finding], noted: list[PictureNotes]) -> list[Finding]:
    """Return the findings; if no picture was found at all, with a single "picture-missing" finding without a fix."""
    missing = [finding for finding in found if finding.check == "picture-missing"]
    if not missing or len(missing) < len(noted):
        return found
    words = f"none of the {len(noted)} pictures was found"
    if len(noted) == 1:
        words = f'the only picture, "{missing[0].file_name}", was not found'
    others = [finding for finding in found if finding.check != "picture-missing"]
    return [*others, Finding("picture-missing", "error", words)]


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
        exact = [other for other in others if _have_same_pixels(entry, other, digests)]
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


def _have_same_pixels(one: PictureNotes, other: PictureNotes, digests: dict[Path, str]) -> bool:
    """Whether the files of two pictures have identical pixels. `digests` is a cache: {file: hash of its pixels}."""
    assert one.path is not None
    assert other.path is not None
    for path in (one.path, other.path):
        if path not in digests:
            digests[path] = duplicate_pictures.digest(path)
    return digests[one.path] == digests[other.path]
